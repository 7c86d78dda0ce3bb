// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Asked for an offer, the peer gets our answer with the ACK, as often as it wants.
func TestAskForOffer(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	c.prepare = echo
	_, w, call, _ := answered(t, c, "for-offer")
	got, done := replies()
	must(t, call.Reinvite(nil, done))
	inv := w.asked("INVITE", 0)
	if len(inv.Body()) != 0 || inv.ContentType() != nil {
		t.Errorf("INVITE:\n%s", inv)
	}
	ok := response(inv, "200 OK", "", append([]string{"Contact: <sip:alice@ADDR>"}, withBody("theirs")...)...)
	w.send(ok)
	for range 2 {
		if ack := w.again("ACK", "INVITE", "200 INVITE"); string(ack.Body()) != "re:theirs" {
			t.Errorf("ACK:\n%s", ack)
		}
		w.send(ok)
	}
	if reply := <-got; !reply.OK() {
		t.Errorf("reply %+v", reply)
	}
	w.end(call.Dialog)
}

// Two of us that change the session at the same time both get their way, by UDP
// and by TCP, and whatever else the two ask of each other.
func TestBothChange(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			c := newCalls(t)
			c.prepare = echo
			b := open(t, Config{Incoming: c.incoming, SessionExpires: 1800 * time.Second})
			a, r := open(t, Config{}), newRecord(t)
			echo(r)
			updates, h := make(chan struct{}, 100), r.handler()
			h.Trace = func(m Message) {
				if m.Sent && strings.HasPrefix(m.Summary, "UPDATE ") {
					updates <- struct{}{}
				}
			}
			out, err := a.Call(Call{
				To: "sip:100@" + b.Addr(network).String() + ";transport=" + network, From: Party{URI: "sip:a@callwright.test"}, Body: []byte("offer"),
			}, h)
			must(t, err)
			in := c.next()
			must(t, in.Progress(183, "Session Progress", []byte("early")))
			must(t, in.Answer([]byte("not said again")))
			r.want("ringing 183", "answered")
			in.want("confirmed")
			if answer := r.event(1).(Answered); string(answer.Body) != "early" {
				t.Errorf("the session is %q", answer.Body)
			}
			for round := range 3 {
				got, done := replies()
				for _, d := range []*Dialog{out, in.Dialog} {
					must(t, d.Reinvite(fmt.Appendf(nil, "invite %d", round), done))
					must(t, d.Update(fmt.Appendf(nil, "update %d", round), done))
				}
				for range 4 {
					if reply := <-got; !strings.HasPrefix(string(reply.Body), "re:") {
						t.Errorf("round %d: %+v", round, reply)
					}
				}
			}
			for len(updates) > 0 {
				<-updates
			}
			for range 2 { // the session is refreshed, and goes on
				before := out.clockOf(t, lasting(1800))
				before.refresh.Reset(0) // the time has come
				select {
				case <-updates:
				case <-time.After(patience):
					t.Fatal("the session is not refreshed")
				}
				out.clockOf(t, func(s session) bool { return s.round > before.round })
			}
			out.Hangup(0, "")
			r.want("ringing 183", "answered", "ended 0 local")
			in.want("confirmed", "ended 0 remote")
		})
	}
}
