// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/google/go-cmp/cmp"
)

// reliably gives a provisional response of a wire the headers of RFC 3262.
func reliably(w *wire, rseq int, body string, more ...string) []string {
	lines := append([]string{contact(w), "Require: 100rel", fmt.Sprint("RSeq: ", rseq)}, more...)
	if body != "" {
		lines = append(lines, withBody(body)...)
	}
	return lines
}

// Each reliable response is acknowledged once and told once, in order. One that
// came before its turn is passed over.
func TestPrack(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := ring(t, Call{})
	if header(inv, "Supported") != supported || !strings.Contains(header(inv, "Allow"), "PRACK") {
		t.Errorf("INVITE:\n%s", inv)
	}
	seq := inv.CSeq().SeqNo
	for i, rseq := range []int{7, 9, 8, 8, 9} { // 9 comes too soon, and 8 twice
		w.send(response(inv, fmt.Sprint(180+rseq%2, " On The Way"), "b", reliably(w, rseq, "")...))
		if i == 1 || i == 3 {
			continue
		}
		prack := w.asked("PRACK", seq)
		seq = prack.CSeq().SeqNo
		if want := fmt.Sprintf("%d %d INVITE", rseq, inv.CSeq().SeqNo); header(prack, "RAck") != want || prack.To().Params.GetOr("tag", "") != "b" ||
			prack.Recipient.String() != "sip:100@"+w.addr() {
			t.Errorf("PRACK, want %s:\n%s", want, prack)
		}
		w.send(response(prack, "200 OK", ""))
	}
	r.want("ringing 181", "ringing 180", "ringing 181")
	w.send(response(inv, "200 OK", "b", contact(w)))
	w.expect("ACK", "INVITE", "PRACK")
	w.end(d, "PRACK")
	r.want("ringing 181", "ringing 180", "ringing 181", "answered", "ended 0 local")
}

// Several phones ring, each by a way of its own: PRACK and UPDATE go there, and
// what comes from there is answered there. What the one that picks up has settled
// before holds.
func TestEarlyForks(t *testing.T) {
	t.Parallel()
	e := open(t, Config{})
	w, r := newWire(t, e.Addr("udp")), newRecord(t)
	echo(r)
	d, err := e.Call(Call{To: "sip:100@" + w.addr(), From: Party{URI: "sip:200@callwright.test"}, Body: []byte("offer")}, r.handler())
	must(t, err)
	inv := w.expect("INVITE").(*sip.Request)
	phones := map[string]*wire{"b": newWire(t, w.to), "c": newWire(t, w.to)}
	for _, tag := range []string{"b", "c"} {
		phone := phones[tag]
		route := "Record-Route: <sip:" + phone.addr() + ";lr>"
		w.send(response(inv, "183 Session Progress", tag, reliably(w, 1, "early "+tag, route, "Allow: UPDATE")...))
		prack := phone.expect("PRACK").(*sip.Request)
		if header(prack, "Route") != "<sip:"+phone.addr()+";lr>" || prack.Recipient.String() != "sip:100@"+w.addr() || prack.To().Params.GetOr("tag", "") != tag {
			t.Errorf("PRACK:\n%s", prack)
		}
		phone.send(response(prack, "200 OK", ""))
	}
	r.want("ringing 183", "ringing 183")
	got, done := replies()
	must(t, d.Update([]byte("update"), done))
	update := phones["c"].expect("UPDATE", "PRACK").(*sip.Request)
	phones["c"].send(response(update, "200 OK", "", append([]string{contact(w)}, withBody("yes")...)...))
	if reply := <-got; string(reply.Body) != "yes" || header(update, "Route") == "" {
		t.Errorf("reply %+v to\n%s", reply, update)
	}
	phones["c"].send(callee(w, inv, "UPDATE", "c", 1, withBody("theirs")...))
	if ok := phones["c"].expect("200 UPDATE", "UPDATE"); string(ok.Body()) != "re:theirs" {
		t.Errorf("UPDATE answered:\n%s", ok)
	}
	w.send(response(inv, "200 OK", "b", contact(w), "Record-Route: <sip:"+phones["b"].addr()+";lr>"))
	phones["b"].expect("ACK", "PRACK")
	r.want("ringing 183", "ringing 183", "answered")
	if answer := r.event(2).(Answered); string(answer.Body) != "early b" {
		t.Errorf("the session is %q", answer.Body)
	}
	phones["c"].send(callee(w, inv, "INFO", "c", 2)) // lost the race
	phones["c"].expect("481 INFO", "UPDATE", "200 UPDATE")
	phones["b"].end(d, "PRACK")
}

// A called party that offers in place of us gets our answer in the PRACK, or in
// the ACK.
func TestOfferedByCallee(t *testing.T) {
	t.Parallel()
	for _, early := range []bool{true, false} {
		e := open(t, Config{})
		w, r := newWire(t, e.Addr("udp")), newRecord(t)
		echo(r)
		d, err := e.Call(Call{To: "sip:100@" + w.addr(), From: Party{URI: "sip:200@callwright.test"}}, r.handler())
		must(t, err)
		inv := w.expect("INVITE").(*sip.Request)
		answer, lines := "", append([]string{contact(w)}, withBody("their offer")...)
		if early {
			w.send(response(inv, "183 Session Progress", "b", reliably(w, 1, "their offer")...))
			prack := w.expect("PRACK", "INVITE")
			answer, lines = string(prack.Body()), []string{contact(w)}
			w.send(response(prack, "200 OK", ""))
		}
		w.send(response(inv, "200 OK", "b", lines...))
		ack := w.expect("ACK", "INVITE", "PRACK")
		if answer += string(ack.Body()); answer != "re:their offer" {
			t.Errorf("answer %q", answer)
		}
		w.send(response(inv, "200 OK", "b", lines...))
		if again := w.again("ACK", "PRACK"); string(again.Body()) != string(ack.Body()) {
			t.Errorf("ACK again:\n%s", again)
		}
		w.end(d)
	}
}

// Strict routers get themselves as Request-URI, also before the answer and from
// the called side (RFC 3261 section 12.2.1.1).
func TestStrictRouteBothWays(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := ring(t, Call{})
	proxy := newWire(t, w.to)
	route := "Record-Route: <sip:second.invalid;lr>, <sip:" + proxy.addr() + ">"
	w.send(response(inv, "183 Session Progress", "b", reliably(w, 1, "early", route, "Allow: UPDATE")...))
	prack := proxy.expect("PRACK").(*sip.Request)
	proxy.send(response(prack, "200 OK", ""))
	r.want("ringing 183")
	must(t, d.Update(nil, func(Reply) {}))
	update := proxy.expect("UPDATE", "PRACK").(*sip.Request)
	proxy.send(response(update, "200 OK", "", contact(w)))
	w.send(response(inv, "200 OK", "b", contact(w), route))
	ack := proxy.expect("ACK", "PRACK", "UPDATE").(*sip.Request)
	d.Hangup(0, "")
	bye := proxy.expect("BYE", "UPDATE").(*sip.Request)
	proxy.send(response(bye, "200 OK", ""))
	for _, req := range []*sip.Request{prack, update, ack, bye} {
		if got := req.Recipient.String() + " " + header(req, "Route"); got != "sip:"+proxy.addr()+" <sip:second.invalid;lr>,<sip:100@"+w.addr()+">" {
			t.Errorf("%s goes to %s", req.Method, got)
		}
	}
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w = newWire(t, e.Addr("udp"))
	w.send(withHeaders(invite("strict"), "Record-Route: <sip:"+proxy.addr()+">", "Allow: UPDATE"))
	call := c.next()
	must(t, call.Answer([]byte("answer")))
	w.send(inside("ACK", "strict", 1, w.expect("200 INVITE")))
	call.want("confirmed")
	must(t, call.Update(nil, func(Reply) {}))
	update = proxy.expect("UPDATE", "BYE").(*sip.Request)
	if got := update.Recipient.String() + " " + header(update, "Route"); got != "sip:"+proxy.addr()+" <sip:alice@"+w.addr()+">" {
		t.Errorf("UPDATE goes to %s", got)
	}
	proxy.send(response(update, "200 OK", ""))
	proxy.end(call.Dialog)
}

// A redirection tells the best place first; an answer to an INVITE that was given
// up for another one is hung up.
func TestRedirected(t *testing.T) {
	t.Parallel()
	_, w, _, r, inv := ring(t, Call{MaxForwards: 12})
	if inv.MaxForwards().Val() != 12 {
		t.Errorf("INVITE:\n%s", inv)
	}
	w.send(response(inv, "302 Moved Temporarily", "b",
		`Contact: <sip:third@x>;q=0.2, "One, or first" <sip:first@x;transport=tcp>;expires=5`, "m: <tel:+4930>;q=0.7", "Retry-After: 7 (soon)"))
	w.expect("ACK", "INVITE")
	r.want("ended 302 remote")
	if again := r.event(0).(Ended).RetryAfter; again != 7*time.Second {
		t.Errorf("try again after %v", again)
	}
	if diff := cmp.Diff([]string{"sip:first@x;transport=tcp", "tel:+4930", "sip:third@x"}, r.event(0).(Ended).Contacts); diff != "" {
		t.Errorf("contacts (-want +got):\n%s", diff)
	}
}

// An answer to the INVITE before a challenge is taken and hung up.
func TestAnswerToGivenUp(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := ring(t, Call{Username: "u", Password: "p"})
	challenge := response(inv, "407 Proxy Authentication Required", "a", `Proxy-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`)
	w.send(challenge)
	w.expect("ACK", "INVITE")
	again := w.asked("INVITE", inv.CSeq().SeqNo)
	w.send(challenge) // it comes again, and holds up nothing
	w.again("ACK", "INVITE")
	w.send(response(again, "180 Ringing", "b"))
	r.want("ringing 180")
	lost := newWire(t, w.to)
	w.send(response(inv, "200 OK", "c", contact(lost)))
	lost.expect("ACK")
	lost.send(response(lost.expect("BYE"), "200 OK", ""))
	w.send(response(again, "200 OK", "b", contact(w)))
	w.expect("ACK", "INVITE")
	w.end(d)
	r.want("ringing 180", "answered", "ended 0 local")
}

// A second challenge to one INVITE, which was sent twice, does not mean that the
// answer to the first was wrong, however soon it comes.
func TestChallengedTwice(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := ring(t, Call{Username: "u", Password: "p"})
	both := make(chan struct{})
	d.ep.lanes.do(d.callID, func() { <-both }) // both wait to be looked at
	for _, nonce := range []string{"n", "m"} {
		w.send(response(inv, "407 Proxy Authentication Required", "a"+nonce, `Proxy-Authenticate: Digest realm="r", nonce="`+nonce+`", algorithm=MD5`))
	}
	w.handled("both-came")
	close(both)
	again := w.asked("INVITE", inv.CSeq().SeqNo)
	if h := header(again, "Proxy-Authorization"); !strings.Contains(h, `nonce="n"`) {
		t.Errorf("answered by %s", h)
	}
	w.send(response(again, "200 OK", "b", contact(w)))
	w.expect("ACK", "INVITE")
	w.end(d)
	r.want("answered", "ended 0 local")
}

// A refusal behind the answer, which a proxy must not send, changes nothing.
func TestRefusalBehindAnswer(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := talking(t)
	w.send(response(inv, "486 Busy Here", "c"))
	got, done := replies()
	must(t, d.Info("application/dtmf", []byte("5"), done))
	w.send(response(w.expect("INFO", "INVITE"), "200 OK", ""))
	if reply := <-got; !reply.OK() {
		t.Errorf("reply %+v", reply)
	}
	w.end(d)
	r.want("answered", "ended 0 local")
}
