// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// prack is the PRACK of a wire for a reliable response.
func prack(id string, seq int, res sip.Message, more ...string) string {
	rack := fmt.Sprintf("RAck: %s %d INVITE", header(res, "RSeq"), res.CSeq().SeqNo)
	return inside("PRACK", id, seq, res, append([]string{rack}, more...)...)
}

// provoke has a wire call with some headers.
func provoke(t *testing.T, c *calls, id string, headers ...string) (*Endpoint, *wire, incomingCall) {
	t.Helper()
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(withHeaders(invite(id), headers...))
	return e, w, c.next()
}

// A session description is repeated until its PRACK comes; the answer waits for
// that and has none then. What says nothing is sent as ever.
func TestReliable(t *testing.T) {
	t.Parallel()
	_, w, call := provoke(t, newCalls(t), "reliable", "Supported: timer, 100rel")
	must(t, call.Progress(180, "Ringing", nil))
	if ringing := w.expect("180 INVITE"); header(ringing, "RSeq") != "" || header(ringing, "Require") != "" {
		t.Errorf("180:\n%s", ringing)
	}
	must(t, call.Progress(183, "Session Progress", []byte("early")))
	early := w.expect("183 INVITE", "180 INVITE")
	if string(early.Body()) != "early" || header(early, "Require") != "100rel" || header(early, "RSeq") == "" {
		t.Errorf("183:\n%s", early)
	}
	must(t, call.Answer([]byte("answer")))
	if err := call.Answer(nil); !errors.Is(err, ErrOver) {
		t.Errorf("a second answer: %v", err)
	}
	if err := call.Progress(180, "Ringing", nil); !errors.Is(err, ErrOver) {
		t.Errorf("progress behind the answer: %v", err)
	}
	for range 3 {
		w.again("183 INVITE", "180 INVITE")
	}
	for i, wrong := range []string{"RAck: 1 1 INVITE", "RAck: " + header(early, "RSeq") + " 2 INVITE", "RAck: " + header(early, "RSeq") + " 1 UPDATE", "RAck: x"} {
		w.send(inside("PRACK", "reliable", 2+i, early, wrong))
		w.expect("481 PRACK", "183 INVITE")
	}
	w.send(prack("reliable", 6, early))
	w.expect("200 PRACK", "183 INVITE")
	ok := w.expect("200 INVITE", "183 INVITE")
	if len(ok.Body()) != 0 {
		t.Errorf("200:\n%s", ok)
	}
	w.send(prack("reliable", 7, early)) // it knows of no other
	w.expect("481 PRACK", "200 INVITE")
	w.send(inside("ACK", "reliable", 1, ok))
	call.want("confirmed")
	w.end(call.Dialog)
}

// A caller that insists gets everything for certain, one after the other.
func TestReliableRequired(t *testing.T) {
	t.Parallel()
	_, w, call := provoke(t, newCalls(t), "required", "Require: 100rel")
	must(t, call.Progress(180, "Ringing", nil))
	must(t, call.Progress(183, "Session Progress", []byte("early")))
	must(t, call.Progress(183, "Session Progress", []byte("again")))
	must(t, call.Answer([]byte("answer")))
	var seq uint64
	for i, want := range []string{"180 ", "183 early", "183 "} {
		res := w.expect(want[:3] + " INVITE").(*sip.Response)
		if got := fmt.Sprint(res.StatusCode, " ", string(res.Body())); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		var rseq uint64
		if _, err := fmt.Sscan(header(res, "RSeq"), &rseq); err != nil || i > 0 && rseq != seq+1 {
			t.Errorf("RSeq %q behind %d", header(res, "RSeq"), seq)
		}
		seq = rseq
		w.silent(want[:3] + " INVITE") // the next one waits
		w.send(prack("required", 2+i, res))
		w.expect("200 PRACK", want[:3]+" INVITE")
	}
	ok := w.expect("200 INVITE", "183 INVITE")
	w.send(inside("ACK", "required", 1, ok))
	call.want("confirmed")
	w.end(call.Dialog)
}

// A caller that never acknowledges is refused, and one that hangs up hears nothing
// more.
func TestReliableNever(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	_, w, call := provoke(t, c, "nopeace", "Require: 100rel")
	must(t, call.Progress(180, "Ringing", nil))
	// After 1, 3, 7, 15, 31 and 63 times T1, and given up after 64.
	sent, over := 0, false
	for !over {
		msg, _ := w.read()
		switch label(msg) {
		case "180 INVITE":
			sent++
		case "504 INVITE":
			over = true
		}
	}
	if sent < 2 || sent > 7 {
		t.Errorf("sent %d times", sent)
	}
	call.want("ended 504 timeout")
	if ended := call.event(0).(Ended); ended.Why != Unacknowledged || !strings.HasPrefix(ended.Reason, "our 180 was not acknowledged for") {
		t.Errorf("ended %+v", ended)
	}
	e, w, call := provoke(t, c, "impatient", "Require: 100rel")
	must(t, call.Progress(180, "Ringing", nil))
	w.expect("180 INVITE")
	w.send(strings.ReplaceAll(invite("impatient"), "INVITE", "CANCEL"))
	w.expect("200 CANCEL", "180 INVITE")
	refused := w.expect("487 INVITE", "180 INVITE")
	w.send(strings.Replace(inside("ACK", "impatient", 1, refused), "-ack-impatient-1", "-i-impatient", 1))
	call.want("ended 487 remote")
	w.handled("impatient")
	w.silent()
	if len(e.dialogs.close()) != 0 {
		t.Error("a dialog is left behind")
	}
}

// A PRACK may offer another session. Once that is settled, UPDATE may do so too,
// from both sides, before anybody picks up.
func TestEarlyChanges(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	c.prepare = echo
	_, w, call := provoke(t, c, "early", "Supported: 100rel", "Allow: PRACK, UPDATE")
	if err := call.Update([]byte("too soon"), func(Reply) {}); !errors.Is(err, ErrOver) {
		t.Errorf("UPDATE before anything is settled: %v", err)
	}
	must(t, call.Progress(183, "Session Progress", []byte("early")))
	early := w.expect("183 INVITE")
	w.send(prack("early", 2, early, withBody("prack")...))
	if ok := w.expect("200 PRACK", "183 INVITE"); string(ok.Body()) != "re:prack" {
		t.Errorf("PRACK answered:\n%s", ok)
	}
	w.send(inside("UPDATE", "early", 3, early, withBody("update")...))
	if ok := w.expect("200 UPDATE", "183 INVITE"); string(ok.Body()) != "re:update" {
		t.Errorf("UPDATE answered:\n%s", ok)
	}
	w.send(inside("UPDATE", "early", 4, early, withBody("bad")...))
	w.expect("488 UPDATE")
	got, done := replies()
	must(t, call.Update([]byte("ours"), done))
	ours := w.asked("UPDATE", 0)
	w.send(inside("UPDATE", "early", 5, early, withBody("crosses")...))
	w.expect("491 UPDATE", "UPDATE")
	w.send(response(ours, "200 OK", "", append([]string{"Contact: <sip:alice@ADDR>"}, withBody("yes")...)...))
	if reply := <-got; string(ours.Body()) != "ours" || string(reply.Body) != "yes" {
		t.Errorf("reply %+v to\n%s", reply, ours)
	}
	must(t, call.Answer([]byte("answer")))
	ok := w.expect("200 INVITE", "UPDATE")
	if len(ok.Body()) != 0 { // what was settled since is newer
		t.Errorf("200:\n%s", ok)
	}
	w.send(inside("ACK", "early", 1, ok))
	w.end(call.Dialog)
}

// A caller that made no offer gets ours with the answer, unless there is one
// before; then the PRACK has its answer (RFC 3262 section 5).
func TestReliableOffer(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	noOffer := strings.Replace(strings.Replace(withHeaders(invite("no-offer"), "Require: 100rel"), "\n\noffer", "", 1), "Content-Type: application/sdp", "X-Test: 1", 1)
	w.send(noOffer)
	call := c.next()
	must(t, call.Progress(180, "Ringing", nil)) // nothing to be sent that could be
	must(t, call.Progress(183, "Session Progress", []byte("our offer")))
	early := w.expect("183 INVITE")
	w.send(prack("no-offer", 2, early, "", "text without a type"))
	w.expect("415 PRACK", "183 INVITE")
	w.send(prack("no-offer", 3, early, withBody("their answer")...))
	if ok := w.expect("200 PRACK", "183 INVITE"); len(ok.Body()) != 0 {
		t.Errorf("PRACK answered:\n%s", ok)
	}
	call.want("confirmed")
	if answer := call.event(0).(Confirmed); string(answer.Body) != "their answer" {
		t.Errorf("answer %q", answer.Body)
	}
	must(t, call.Answer(nil))
	w.send(inside("ACK", "no-offer", 1, w.expect("200 INVITE", "183 INVITE")))
	w.end(call.Dialog)
}
