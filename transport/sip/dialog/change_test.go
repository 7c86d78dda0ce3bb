// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// withHeaders gives a message of a wire more headers.
func withHeaders(text string, headers ...string) string {
	return strings.Replace(text, "Max-", strings.Join(append(headers, "Max-"), "\n"), 1)
}

// callee is a request of a wire that we called, in the dialog of its tag. It names
// the place that the wire is at.
func callee(w *wire, inv *sip.Request, method, tag string, seq int, more ...string) string {
	text := fmt.Sprintf("%s %s SIP/2.0\nVia: SIP/2.0/UDP ADDR;branch=z9hG4bK-%s-%s-%d;rport\nFrom: %s;tag=%s\nTo: %s\nCall-ID: %s\nCSeq: %d %s\n%s\nMax-Forwards: 70",
		method, inv.Contact().Address.String(), strings.ToLower(method), tag, seq, inv.To().Value(), tag, inv.From().Value(),
		inv.CallID().Value(), seq, method, contact(w))
	for _, m := range more {
		text += "\n" + m
	}
	return text
}

// withBody are the lines of a session description.
func withBody(body string) []string { return []string{"Content-Type: application/sdp", "", body} }

// header gives a header of a message, or nothing.
func header(msg sip.Message, name string) string { return value(msg, name) }

// echo answers an offer with itself, and makes one of its own.
func echo(r *record) {
	r.offer = func(b []byte) ([]byte, error) {
		switch string(b) {
		case "":
			return []byte("our offer"), nil
		case "bad":
			return nil, errors.New("no codec")
		}
		return []byte("re:" + string(b)), nil
	}
}

// talking brings a wire that we called into a confirmed call.
func talking(t *testing.T, more ...string) (*Endpoint, *wire, *Dialog, *record, *sip.Request) {
	t.Helper()
	e, w, d, r, inv := ring(t, Call{})
	w.send(response(inv, "200 OK", "b", append([]string{contact(w)}, more...)...))
	w.expect("ACK", "INVITE")
	r.want("answered")
	return e, w, d, r, inv
}

// end hangs up, and lets the wire agree.
func (w *wire) end(d *Dialog, skip ...string) {
	w.t.Helper()
	d.Hangup(0, "")
	w.send(response(w.expect("BYE", append(skip, "ACK", "INVITE", "UPDATE", "200 INVITE")...), "200 OK", ""))
}

// A called party changes the session as a caller does: hold by re-INVITE and
// UPDATE, a late offer, another place.
func TestCalleeChanges(t *testing.T) {
	t.Parallel()
	e := open(t, Config{})
	w, r := newWire(t, e.Addr("udp")), newRecord(t)
	echo(r)
	d, err := e.Call(Call{To: "sip:100@" + w.addr(), From: Party{URI: "sip:200@callwright.test"}, Body: []byte("offer")}, r.handler())
	must(t, err)
	inv := w.expect("INVITE").(*sip.Request)
	w.send(response(inv, "200 OK", "b", contact(w)))
	w.expect("ACK", "INVITE")

	w.send(callee(w, inv, "INVITE", "b", 1, withBody("hold")...))
	if ok := w.expect("200 INVITE"); string(ok.Body()) != "re:hold" {
		t.Errorf("hold answered %q", ok.Body())
	}
	w.send(callee(w, inv, "ACK", "b", 1))
	w.send(callee(w, inv, "INVITE", "b", 2))
	if ok := w.expect("200 INVITE"); string(ok.Body()) != "our offer" {
		t.Errorf("late offer %q", ok.Body())
	}
	w.send(callee(w, inv, "ACK", "b", 2, withBody("answer")...))
	r.want("answered", "confirmed")
	elsewhere := newWire(t, w.to)
	w.send(strings.Replace(callee(w, inv, "UPDATE", "b", 3, withBody("resume")...), contact(w), contact(elsewhere), 1))
	if ok := w.expect("200 UPDATE", "200 INVITE"); string(ok.Body()) != "re:resume" || ok.(*sip.Response).Contact() == nil {
		t.Errorf("UPDATE answered:\n%s", ok)
	}
	elsewhere.end(d)
	r.want("answered", "confirmed", "ended 0 local")
}

// What crosses an offer of ours is refused (RFC 3261 section 14.2, RFC 3311
// section 5.2); what changes nothing is not.
func TestGlare(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := talking(t)
	got, done := replies()
	must(t, d.Reinvite([]byte("ours"), done))
	ours := w.asked("INVITE", inv.CSeq().SeqNo)
	w.send(callee(w, inv, "INVITE", "b", 1, withBody("theirs")...))
	refused := w.expect("491 INVITE", "INVITE")
	w.send(strings.Replace(callee(w, inv, "ACK", "b", 1), "-ack-b-", "-invite-b-", 1))
	w.send(callee(w, inv, "UPDATE", "b", 2, withBody("theirs")...))
	w.expect("491 UPDATE", "INVITE", "491 INVITE")
	w.send(callee(w, inv, "UPDATE", "b", 3))
	w.expect("200 UPDATE", "INVITE", "491 INVITE")
	if header(refused, "Retry-After") != "" {
		t.Errorf("refused:\n%s", refused)
	}
	w.send(response(ours, "200 OK", "", withBody("yes")...))
	if reply := <-got; string(reply.Body) != "yes" {
		t.Errorf("reply %+v", reply)
	}
	w.expect("ACK", "INVITE", "491 INVITE")
	w.end(d, "491 INVITE")
	r.want("answered", "ended 0 local")
}

// Ours is sent again when it has crossed theirs, which comes first then; and only
// so often.
func TestGlareRetried(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := talking(t)
	got, done := replies()
	must(t, d.Reinvite([]byte("ours"), done))
	seq := inv.CSeq().SeqNo
	for range mostTries {
		ours := w.asked("INVITE", seq)
		if string(ours.Body()) != "ours" {
			t.Fatalf("asked\n%s", ours)
		}
		seq = ours.CSeq().SeqNo
		w.send(response(ours, "491 Request Pending", ""))
		w.expect("ACK", "INVITE")
	}
	w.send(response(w.asked("INVITE", seq), "491 Request Pending", ""))
	if reply := <-got; reply.Status != 491 {
		t.Errorf("reply %+v", reply)
	}
	w.expect("ACK", "INVITE")
	w.end(d)
	r.want("answered", "ended 0 local")
}

// While ours waits after a 491, theirs is taken; ours follows its ACK.
func TestGlareYields(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	c.prepare = echo
	_, w, call, ok := answered(t, c, "yields")
	got, done := replies()
	must(t, call.Reinvite([]byte("ours"), done))
	ours := w.asked("INVITE", 0)
	w.send(response(ours, "491 Request Pending", ""))
	w.expect("ACK", "INVITE", "200 INVITE")
	for seq := 2; ; seq++ { // whose turn it is, only chance knows
		w.send(inside("INVITE", "yields", seq, ok, withBody("theirs")...))
		res, again := w.either("200 INVITE", "491 INVITE", "INVITE", ours.CSeq().SeqNo)
		if again != nil {
			w.send(response(again, "200 OK", "", append([]string{"Contact: <sip:alice@ADDR>"}, withBody("yes")...)...))
			break
		}
		w.send(inside("ACK", "yields", seq, res))
		if label(res) != "200 INVITE" {
			continue
		}
		again = w.asked("INVITE", ours.CSeq().SeqNo)
		w.send(response(again, "200 OK", "", append([]string{"Contact: <sip:alice@ADDR>"}, withBody("yes")...)...))
		break
	}
	if reply := <-got; string(reply.Body) != "yes" {
		t.Errorf("reply %+v", reply)
	}
	w.end(call.Dialog, "491 INVITE")
}

// either gives the next of two responses, or a request beyond a CSeq number.
func (w *wire) either(one, two, method string, seq uint32) (sip.Message, *sip.Request) {
	w.t.Helper()
	for {
		msg, repeated := w.read()
		req, _ := msg.(*sip.Request)
		switch got := label(msg); {
		case repeated:
		case got == one || got == two:
			return msg, nil
		case req != nil && got == method && req.CSeq().SeqNo > seq:
			return nil, req
		}
	}
}

// Two changes of ours are made one after the other.
func TestChangesWait(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := talking(t, "Allow: INVITE, UPDATE")
	got, done := replies()
	must(t, d.Reinvite([]byte("first"), done))
	must(t, d.Update([]byte("second"), done))
	first := w.asked("INVITE", inv.CSeq().SeqNo)
	w.silent("INVITE")
	w.send(response(first, "488 Not Acceptable Here", ""))
	w.expect("ACK", "INVITE")
	second := w.asked("UPDATE", first.CSeq().SeqNo)
	if string(second.Body()) != "second" || second.Contact() == nil {
		t.Errorf("UPDATE:\n%s", second)
	}
	elsewhere := newWire(t, w.to)
	w.send(response(second, "200 OK", "", append([]string{contact(elsewhere)}, withBody("yes")...)...))
	if one, two := <-got, <-got; one.Status != 488 || string(two.Body) != "yes" {
		t.Errorf("replies %+v, %+v", one, two)
	}
	elsewhere.end(d)
	r.want("answered", "ended 0 local")
}

// A peer that allows no UPDATE gets none.
func TestUpdateNotAllowed(t *testing.T) {
	t.Parallel()
	_, w, d, r, _ := talking(t, "Allow: INVITE, ACK, BYE")
	if err := d.Update(nil, func(Reply) {}); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("UPDATE: %v", err)
	}
	w.end(d)
	r.want("answered", "ended 0 local")
}

// While a call is not answered, its caller may not begin another INVITE: 500 and
// later; nor may it change what we have not said anything to.
func TestChangeTooEarly(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite("too-early"))
	call := c.next()
	must(t, call.Progress(180, "Ringing", nil))
	ringing := w.expect("180 INVITE")
	for i, method := range []string{"INVITE", "UPDATE"} {
		w.send(inside(method, "too-early", 2+i, ringing, withBody("again")...))
		refused := w.expect("500 "+method, "180 INVITE")
		if s, err := strconv.Atoi(header(refused, "Retry-After")); err != nil || s < 0 || s > 10 {
			t.Errorf("refused:\n%s", refused)
		}
		w.send(strings.Replace(inside("ACK", "too-early", 2+i, refused), "-ack-", "-invite-", 1))
	}
	call.Hangup(486, "Busy Here")
	w.expect("486 INVITE", "180 INVITE")
}

// An INVITE of ours that rings is not crossed by one of the called party's.
func TestCalleeTooEarly(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := ring(t, Call{})
	w.send(response(inv, "180 Ringing", "b", contact(w)))
	r.want("ringing 180")
	w.send(callee(w, inv, "INVITE", "b", 1, withBody("theirs")...))
	w.expect("491 INVITE", "INVITE")
	w.send(callee(w, inv, "UPDATE", "b", 2, withBody("theirs")...))
	w.expect("491 UPDATE", "491 INVITE")
	w.send(callee(w, inv, "UPDATE", "stranger", 3))
	w.expect("481 UPDATE", "491 INVITE")
	d.Hangup(0, "")
	w.send(response(w.expect("CANCEL", "491 INVITE"), "200 OK", "b"))
	w.send(response(inv, "487 Request Terminated", "b"))
	r.want("ringing 180", "ended 487 local")
}

// A peer that does not know of the call, or says nothing, is not talked to any
// longer.
func TestChangeFindsNobody(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"481 Call Does Not Exist", "408 Request Timeout", ""} {
		_, w, d, r, inv := talking(t)
		got, done := replies()
		must(t, d.Reinvite([]byte("ours"), done))
		ours := w.asked("INVITE", inv.CSeq().SeqNo)
		if status != "" {
			w.send(response(ours, status, ""))
		}
		if reply := <-got; reply.OK() {
			t.Errorf("%s: %+v", status, reply)
		}
		w.send(response(w.expect("BYE", "ACK", "INVITE"), "200 OK", ""))
		r.want("answered", "ended 0 timeout")
		if why := r.event(1).(Ended).Why; why != Expired {
			t.Errorf("%s: why %d", status, why)
		}
	}
}

// What is required that we do not speak is refused inside a call too, but for its
// end.
func TestRequireInside(t *testing.T) {
	t.Parallel()
	_, w, call, ok := answered(t, newCalls(t), "require")
	w.send(inside("INFO", "require", 2, ok, "Require: timer, nothing", "Require: else"))
	if refused := w.expect("420 INFO", "200 INVITE"); header(refused, "Unsupported") != "nothing, else" {
		t.Errorf("refused:\n%s", refused)
	}
	w.send(inside("OPTIONS", "require", 3, ok))
	if options := w.expect("200 OPTIONS"); header(options, "Supported") != supported || header(options, "Allow") != allow {
		t.Errorf("answer:\n%s", options)
	}
	w.send(strings.Replace(inside("OPTIONS", "require", 4, ok), ";tag=", ";tag=un", 1))
	w.expect("481 OPTIONS")
	w.send(inside("BYE", "require", 5, ok, "Require: nothing"))
	w.expect("200 BYE")
	call.want("confirmed", "ended 0 remote")
}
