// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// An INFO is answered as its content deserves, before the answer and after it.
func TestInfoComes(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	c.prepare = func(r *record) {
		r.info = func(contentType string, body []byte) int {
			r.add(contentType + " " + string(body))
			return map[string]int{"key": 200, "rubbish": 400}[string(body)]
		}
	}
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite("info"))
	call := c.next()
	must(t, call.Progress(180, "Ringing", nil))
	ringing := w.expect("180 INVITE", "200 INVITE")
	w.send(inside("INFO", "info", 2, ringing, "Content-Type: application/dtmf", "", "key"))
	w.expect("200 INFO", "200 INVITE")
	must(t, call.Answer(nil))
	ok := w.expect("200 INVITE")
	w.send(inside("ACK", "info", 1, ok))
	call.want("application/dtmf key", "confirmed")
	w.send(inside("INFO", "info", 3, ok, "Content-Type: application/dtmf", "", "rubbish"))
	w.expect("400 INFO", "200 INVITE")
	w.send(inside("INFO", "info", 4, ok, "", "without a type"))
	w.expect("415 INFO", "200 INVITE")
	call.want("application/dtmf key", "confirmed", "application/dtmf rubbish")
	call.Hangup(0, "")
	w.expect("BYE", "200 INVITE")
	w.send(inside("INFO", "info", 5, ok, "Content-Type: application/dtmf", "", "key"))
	w.expect("481 INFO", "BYE", "200 INVITE")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// asked gives the next request of a method that is none that was seen before: a
// slow machine repeats them.
func (w *wire) asked(method string, seen uint32) *sip.Request {
	w.t.Helper()
	for {
		req := w.expect(method, "200 INVITE", "ACK", "INFO", "INVITE").(*sip.Request)
		if req.CSeq().SeqNo > seen {
			return req
		}
	}
}

// replies keeps what came of requests of ours.
func replies() (chan Reply, func(Reply)) {
	got := make(chan Reply, 10)
	return got, func(r Reply) { got <- r }
}

// A side tells the other something, and learns what came of it.
func TestInfoGoes(t *testing.T) {
	t.Parallel()
	_, w, call, _ := answered(t, newCalls(t), "goes")
	got, done := replies()
	must(t, call.Info("application/dtmf", []byte("5"), done))
	req := w.asked("INFO", 0)
	if string(req.Body()) != "5" || req.ContentType().Value() != "application/dtmf" || req.GetHeader("Contact") != nil {
		t.Errorf("INFO:\n%s", req)
	}
	w.send(response(req, "100 Trying", ""))
	w.send(response(req, "200 OK", ""))
	if r := <-got; !r.OK() || r.Peer != w.addr() {
		t.Errorf("reply %+v", r)
	}
	w.send(response(req, "200 OK", "")) // again: nobody waits for it
	must(t, call.Info("application/dtmf", []byte("6"), done))
	w.send(response(w.asked("INFO", req.CSeq().SeqNo), "415 Unsupported Media Type", ""))
	if r := <-got; r.Status != 415 || r.Reason != "415 Unsupported Media Type" || r.OK() {
		t.Errorf("reply %+v", r)
	}
	must(t, call.Info("application/dtmf", []byte("7"), done))
	w.asked("INFO", req.CSeq().SeqNo+1)
	if r := <-got; r.Status != 408 || !strings.HasPrefix(r.Reason, "no answer to INFO") {
		t.Errorf("reply %+v", r)
	}
	call.Hangup(0, "")
	if err := call.Info("application/dtmf", []byte("8"), done); !errors.Is(err, ErrOver) {
		t.Errorf("after the end: %v", err)
	}
	w.send(response(w.expect("BYE", "INFO", "200 INVITE"), "200 OK", ""))
	call.want("confirmed", "ended 0 local")
}

// A call can be changed from our side; the answer is acknowledged as often as it
// comes, and what follows goes to the peer's new place.
func TestReinvite(t *testing.T) {
	t.Parallel()
	_, w, call, _ := answered(t, newCalls(t), "change")
	got, done := replies()
	must(t, call.Reinvite([]byte("offer 2"), done))
	req := w.asked("INVITE", 0)
	if string(req.Body()) != "offer 2" || req.GetHeader("Contact") == nil || !req.To().Params.Has("tag") {
		t.Errorf("re-INVITE:\n%s", req)
	}
	elsewhere := newWire(t, w.to)
	ok := response(req, "200 OK", "", "Contact: <sip:alice@"+elsewhere.addr()+">", "Content-Type: application/sdp", "", "answer 2")
	w.send(ok)
	if r := <-got; string(r.Body) != "answer 2" || !r.OK() {
		t.Errorf("reply %+v", r)
	}
	for range 2 {
		if ack := elsewhere.again("ACK").(*sip.Request); ack.CSeq().SeqNo != req.CSeq().SeqNo {
			t.Errorf("ACK:\n%s", ack)
		}
		w.send(ok)
	}
	must(t, call.Reinvite([]byte("offer 3"), done))
	req = elsewhere.asked("INVITE", req.CSeq().SeqNo)
	elsewhere.send(response(req, "488 Not Acceptable Here", ""))
	if r := <-got; r.Status != 488 {
		t.Errorf("reply %+v", r)
	}
	elsewhere.expect("ACK", "INVITE", "200 INVITE")
	call.Hangup(0, "")
	elsewhere.send(response(elsewhere.expect("BYE", "ACK", "INVITE", "200 INVITE"), "200 OK", ""))
	call.want("confirmed", "ended 0 local")
}

// A trunk may want credentials inside a call too.
func TestAskChallenged(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := ring(t, Call{Username: "u", Password: "p"})
	w.send(response(inv, "200 OK", "b", contact(w)))
	w.expect("ACK", "INVITE", "200 INVITE")
	r.want("answered")
	got, done := replies()
	must(t, d.Info("application/dtmf", []byte("5"), done))
	first := w.asked("INFO", 0)
	w.send(response(first, "407 Proxy Authentication Required", "", `Proxy-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`))
	again := w.asked("INFO", first.CSeq().SeqNo)
	if again.GetHeader("Proxy-Authorization") == nil || again.CSeq().SeqNo != first.CSeq().SeqNo+1 {
		t.Errorf("second INFO:\n%s", again)
	}
	w.send(response(again, "200 OK", ""))
	if r := <-got; !r.OK() {
		t.Errorf("reply %+v", r)
	}
	d.Hangup(0, "")
	w.send(response(w.expect("BYE", "INFO", "200 INVITE"), "200 OK", ""))
	r.want("answered", "ended 0 local")
}
