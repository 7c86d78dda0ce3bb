// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// answered brings a wire into a confirmed call.
func answered(t *testing.T, c *calls, id string) (*Endpoint, *wire, incomingCall, sip.Message) {
	t.Helper()
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite(id))
	call := c.next()
	if err := call.Answer([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	ok := w.expect("200 INVITE")
	w.send(inside("ACK", id, 1, ok))
	call.want("confirmed")
	return e, w, call, ok
}

func TestIncoming(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	c.prepare = func(r *record) { r.trace = true }
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite("basic"))
	call := c.next()
	if call.From != (Party{"Alice", "sip:alice@" + w.addr()}) || call.To.URI != "sip:100@callwright.test" ||
		string(call.Body) != "offer" || call.Source.String() != w.addr() || call.Network != "UDP" {
		t.Errorf("invitation %+v", call.Invitation)
	}
	for range 12 { // sipgo's own dialogs give up after ten
		if err := call.Progress(180, "Ringing", nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := call.Progress(183, "Session Progress", []byte("early")); err != nil {
		t.Fatal(err)
	}
	if err := call.Answer([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	for range 12 {
		w.expect("180 INVITE")
	}
	if early := w.expect("183 INVITE"); string(early.Body()) != "early" {
		t.Errorf("early media: %q", early.Body())
	}
	ok := w.expect("200 INVITE").(*sip.Response)
	if string(ok.Body()) != "answer" || ok.Contact() == nil || ok.Contact().Address.Port != int(e.Addr("udp").Port()) {
		t.Errorf("answer:\n%s", ok)
	}
	w.send(inside("ACK", "basic", 1, ok))
	w.send(inside("BYE", "basic", 2, ok))
	w.expect("200 BYE")
	want := []string{"<INVITE"}
	for range 12 {
		want = append(want, ">180 Ringing")
	}
	call.want(append(want, ">183 Session Progress", ">200 OK", "<ACK", "confirmed", "<BYE", ">200 OK", "ended 0 remote")...)
	if err := call.Answer(nil); !errors.Is(err, ErrOver) {
		t.Errorf("answer after the end: %v", err)
	}
}

// A BYE right behind the ACK loses no event and keeps the order, whatever the
// scheduler does. Not parallel: it takes the processors away.
func TestByeBehindAck(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	for i := range 1000 {
		id := fmt.Sprint("behind-", i)
		w.send(invite(id))
		call := c.next()
		if err := call.Answer([]byte("answer")); err != nil {
			t.Fatal(err)
		}
		w.only = id
		ok := w.expect("200 INVITE")
		w.send(inside("ACK", id, 1, ok))
		w.send(inside("BYE", id, 2, ok))
		call.want("confirmed", "ended 0 remote")
	}
}

// A BYE before the ACK confirms: the caller has seen our answer.
func TestByeBeforeAck(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite("before"))
	call := c.next()
	_ = call.Answer([]byte("answer"))
	ok := w.expect("200 INVITE")
	w.send(inside("BYE", "before", 2, ok))
	w.expect("200 BYE", "200 INVITE")
	w.send(inside("ACK", "before", 1, ok))
	call.want("confirmed", "ended 0 remote")
	w.silent("200 INVITE")
}

// A CANCEL that overtakes nothing and one right behind its INVITE.
func TestCancel(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	for i := range 50 {
		id := fmt.Sprint("cancel-", i)
		w.send(invite(id))
		cancel := strings.NewReplacer("INVITE", "CANCEL").Replace(invite(id))
		w.send(cancel)
		w.only = id
		w.expect("200 CANCEL")
		refused := w.expect("487 INVITE")
		ack := strings.Replace(inside("ACK", id, 1, refused), "-ack-"+id+"-1", "-i-"+id, 1)
		w.send(ack)
		call := c.next()
		call.want("ended 487 remote")
		if err := call.Progress(180, "Ringing", nil); !errors.Is(err, ErrOver) {
			t.Errorf("progress after CANCEL: %v", err)
		}
	}
	w.silent("487 INVITE") // repeated before its ACK came
	w.silent()
}

// A CANCEL that crosses our 200 changes nothing.
func TestCancelCrosses200(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite("cross"))
	call := c.next()
	_ = call.Answer([]byte("answer"))
	ok := w.expect("200 INVITE")
	w.send(strings.ReplaceAll(invite("cross"), "INVITE", "CANCEL"))
	w.expect("200 CANCEL", "200 INVITE")
	w.send(inside("ACK", "cross", 1, ok))
	call.want("confirmed")
	call.Hangup(0, "")
	bye := w.expect("BYE", "200 INVITE")
	w.send(response(bye, "200 OK", ""))
	call.want("confirmed", "ended 0 local")
}

// Our 200 is repeated until its ACK comes, and no longer.
func TestAnswerRepeated(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite("repeat"))
	call := c.next()
	_ = call.Answer([]byte("answer"))
	var ok sip.Message
	for range 4 {
		ok = w.expect("200 INVITE")
	}
	w.send(inside("ACK", "repeat", 1, ok))
	w.send(inside("ACK", "repeat", 1, ok))
	call.want("confirmed")
	w.silent()
	call.want("confirmed")
}

// A 200 that is never acknowledged ends in a BYE after 64 times T1.
func TestAnswerNeverAcknowledged(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite("never"))
	call := c.next()
	_ = call.Answer([]byte("answer"))
	repeats := 0
	for {
		msg := w.read()
		if label(msg) == "BYE" {
			w.send(response(msg, "200 OK", ""))
			break
		}
		repeats++
	}
	call.want("ended 0 timeout")
	// After 1, 3, 7 and 15 T1, then every 8 until 63: eleven with the first.
	if repeats < 8 || repeats > 12 {
		t.Errorf("200 was sent %d times, want about 11", repeats)
	}
}

// Hanging up before the ACK waits with the BYE until it comes.
func TestHangupBeforeAck(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite("early-bye"))
	call := c.next()
	_ = call.Answer([]byte("answer"))
	ok := w.expect("200 INVITE")
	call.Hangup(0, "")
	w.silent("200 INVITE")
	w.send(inside("ACK", "early-bye", 1, ok))
	bye := w.expect("BYE", "200 INVITE").(*sip.Request)
	if bye.CSeq().SeqNo != 1 || bye.Recipient.String() != "sip:alice@"+w.addr() {
		t.Errorf("BYE:\n%s", bye)
	}
	w.send(response(bye, "200 OK", ""))
	call.want("ended 0 local")
}

// Ended comes soon after Hangup, even if the peer is silent.
func TestHangupSilentPeer(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	_, w, call, _ := answered(t, c, "silent")
	call.Hangup(0, "", Header{"Reason", "Q.850;cause=16"}, Header{"X-Bad", "a\r\nEvil: 1"})
	bye := w.expect("BYE").(*sip.Request)
	if h := bye.GetHeader("Reason"); h == nil || h.Value() != "Q.850;cause=16" || strings.Contains(bye.String(), "Evil") {
		t.Errorf("BYE:\n%s", bye)
	}
	call.want("confirmed", "ended 0 local")
}

func TestReject(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite("busy"))
	call := c.next()
	call.Hangup(486, "Busy Here", Header{"Reason", "Q.850;cause=17"})
	res := w.expect("486 INVITE").(*sip.Response)
	if h := res.GetHeader("Reason"); res.Reason != "Busy Here" || h == nil {
		t.Errorf("refusal:\n%s", res)
	}
	w.expect("486 INVITE") // repeated until its ACK
	ack := strings.Replace(inside("ACK", "busy", 1, res), "-ack-busy-1", "-i-busy", 1)
	w.send(ack)
	call.want("ended 486 local")
	w.silent("486 INVITE")
	w.silent()
}

// A repeated INVITE is answered with what was answered last and is no new call.
func TestInviteRepeated(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite("again"))
	call := c.next()
	_ = call.Progress(180, "Ringing", nil)
	w.expect("180 INVITE")
	w.send(invite("again"))
	w.expect("180 INVITE")
	_ = call.Answer([]byte("answer"))
	w.expect("200 INVITE")
	e.tx.terminateAll() // as if so late that the transaction is gone
	w.send(invite("again"))
	ok := w.expect("200 INVITE")
	w.send(strings.Replace(invite("again"), "-i-again", "-j-again", 1)) // by another way
	w.expect("482 INVITE", "200 INVITE")
	w.send(inside("ACK", "again", 1, ok))
	call.want("confirmed")
	if len(c.made) != 0 {
		t.Error("the repetition made a new call")
	}
}

// What is invalid, unknown or not for us is refused with the right code.
func TestRefusals(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	nowhere := func(method string) string {
		return strings.ReplaceAll(strings.Replace(invite("x"), "To: <sip:100@callwright.test>", "To: <sip:100@callwright.test>;tag=none", 1), "INVITE", method)
	}
	outside := func(method string) string { return strings.ReplaceAll(invite("x"), "INVITE", method) }
	without := func(header string) string {
		var kept []string
		for line := range strings.Lines(invite("x")) {
			if !strings.HasPrefix(strings.TrimSpace(line), header) {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "")
	}
	for _, tc := range []struct{ name, send, want string }{
		{"BYE for no call", nowhere("BYE"), "481 BYE"},
		{"CANCEL for no call", outside("CANCEL"), "481 CANCEL"},
		{"re-INVITE for no call", nowhere("INVITE"), "481 INVITE"},
		{"INFO for no call", outside("INFO"), "481 INFO"},
		{"OPTIONS", outside("OPTIONS"), "200 OPTIONS"},
		{"REGISTER", outside("REGISTER"), "405 REGISTER"},
		{"unknown method", outside("DANCE"), "501 DANCE"},
		{"no From tag", strings.Replace(invite("x"), ";tag=a-x", "", 1), "400 INVITE"},
		{"no From", without("From"), "400 INVITE"},
		{"no Contact", without("Contact"), "400 INVITE"},
		{"CSeq of another method", strings.Replace(invite("x"), "CSeq: 1 INVITE", "CSeq: 1 BYE", 1), "400 BYE"},
		{"no magic cookie", strings.Replace(invite("x"), "z9hG4bK-i-", "", 1), "400 INVITE"},
		{"SIP/3.0", strings.Replace(invite("x"), "test SIP/2.0", "test SIP/3.0", 1), ""},
		{"100rel required", strings.Replace(invite("x"), "Max-", "Require: 100rel\nMax-", 1), "420 INVITE"},
		{"not SDP", strings.Replace(invite("x"), "application/sdp", "text/plain", 1), "415 INVITE"},
		{"body without a type", without("Content-Type"), "415 INVITE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, e.Addr("udp"))
			w.send(tc.send)
			got := label(w.read())
			if tc.want == "" {
				tc.want = "505 INVITE"
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
	t.Cleanup(func() {
		if len(c.made) != 0 {
			t.Error("something refused became a call")
		}
	})
}

// Inside a call: hold and take back, moving, a change we cannot follow, UPDATE,
// INFO, OPTIONS and what is unknown.
func TestInside(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	c.prepare = func(r *record) {
		r.offer = func(b []byte) ([]byte, error) {
			if string(b) == "bad" {
				return nil, errors.New("no codec")
			}
			return []byte("re:" + string(b)), nil
		}
	}
	_, w, call, ok := answered(t, c, "inside")
	sdp := "Content-Type: application/sdp"

	w.send(inside("INVITE", "inside", 2, ok, sdp, "", "hold"))
	res := w.expect("200 INVITE")
	if string(res.Body()) != "re:hold" {
		t.Errorf("hold answered %q", res.Body())
	}
	w.expect("200 INVITE") // repeated until
	w.send(inside("ACK", "inside", 2, ok))
	w.silent("200 INVITE")
	w.silent()

	w.send(inside("INVITE", "inside", 3, ok, sdp, "", "bad"))
	refused := w.expect("488 INVITE")
	w.send(strings.Replace(inside("ACK", "inside", 3, refused), "-ack-", "-invite-", 1))

	w.send(inside("INVITE", "inside", 4, ok)) // asks for an offer
	if res := w.expect("200 INVITE", "488 INVITE"); string(res.Body()) != "re:" {
		t.Errorf("late offer %q", res.Body())
	}
	w.send(inside("ACK", "inside", 4, ok, sdp, "", "their answer"))
	call.want("confirmed", "confirmed")
	if last := call.event(1).(Confirmed); string(last.Body) != "their answer" {
		t.Errorf("late answer %q", last.Body)
	}

	w.send(inside("UPDATE", "inside", 5, ok))
	if res := w.expect("200 UPDATE", "200 INVITE"); len(res.Body()) != 0 {
		t.Errorf("UPDATE answered %q", res.Body())
	}
	w.send(inside("UPDATE", "inside", 6, ok, sdp, "", "new"))
	if res := w.expect("200 UPDATE"); string(res.Body()) != "re:new" {
		t.Errorf("UPDATE answered %q", res.Body())
	}
	w.send(inside("INFO", "inside", 7, ok))
	w.expect("200 INFO")
	w.send(inside("INFO", "inside", 8, ok, "Content-Type: application/dtmf-relay", "", "Signal=1"))
	w.expect("415 INFO")
	w.send(inside("OPTIONS", "inside", 9, ok))
	w.expect("200 OPTIONS")
	w.send(inside("REFER", "inside", 10, ok))
	w.expect("405 REFER")
	w.send(inside("DANCE", "inside", 11, ok))
	w.expect("501 DANCE")
	w.send(inside("INFO", "inside", 2, ok))
	w.expect("500 INFO") // CSeq goes backwards
	w.send(strings.Replace(inside("INFO", "inside", 12, ok), "tag=a-inside", "tag=other", 1))
	w.expect("481 INFO")

	elsewhere := newWire(t, w.to)
	w.send(strings.Replace(inside("UPDATE", "inside", 13, ok), "Contact: <sip:alice@ADDR>", "Contact: <sip:alice@"+elsewhere.addr()+">", 1))
	w.expect("200 UPDATE")
	call.Hangup(0, "")
	bye := elsewhere.expect("BYE")
	elsewhere.send(response(bye, "200 OK", ""))
	call.want("confirmed", "confirmed", "ended 0 local")
}

// A BYE before an answer ends the call too (RFC 3261 section 15).
func TestByeBeforeAnswer(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite("impatient"))
	call := c.next()
	_ = call.Progress(180, "Ringing", nil)
	ringing := w.expect("180 INVITE")
	w.send(inside("BYE", "impatient", 2, ringing))
	w.expect("200 BYE")
	w.expect("487 INVITE")
	call.want("ended 487 remote")
}

// 100 Trying comes by itself when nobody says anything.
func TestTrying(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(invite("trying"))
	w.expect("100 INVITE")
	c.next().Hangup(480, "Temporarily Unavailable")
	w.expect("480 INVITE")
}

// Requests go along the recorded route, in its order, to the peer's Contact.
func TestServerRoute(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w, proxy := newWire(t, e.Addr("udp")), newWire(t, e.Addr("udp"))
	records := "Record-Route: <sip:" + proxy.addr() + ";lr>, <sip:second.invalid;lr>\nMax-"
	w.send(strings.Replace(invite("route"), "Max-", records, 1))
	call := c.next()
	_ = call.Answer(nil)
	ok := w.expect("200 INVITE")
	if len(ok.GetHeaders("Record-Route")) != 2 {
		t.Errorf("Record-Route is not copied:\n%s", ok)
	}
	w.send(inside("ACK", "route", 1, ok))
	call.want("confirmed")
	call.Hangup(0, "")
	bye := proxy.expect("BYE").(*sip.Request)
	var routes []string
	for _, h := range bye.GetHeaders("Route") {
		routes = append(routes, h.Value())
	}
	if got := strings.Join(routes, " "); got != "<sip:"+proxy.addr()+";lr> <sip:second.invalid;lr>" {
		t.Errorf("Route: %s", got)
	}
	if bye.Recipient.String() != "sip:alice@"+w.addr() {
		t.Errorf("Request-URI %s", bye.Recipient.String())
	}
	proxy.send(response(bye, "200 OK", ""))
	call.want("confirmed", "ended 0 local")
}

// Without rport a response goes to the port that Via names.
func TestResponseToVia(t *testing.T) {
	t.Parallel()
	e := open(t, Config{})
	w, behind := newWire(t, e.Addr("udp")), newWire(t, e.Addr("udp"))
	options := strings.ReplaceAll(strings.Replace(invite("via"), ";rport", "", 1), "INVITE", "OPTIONS")
	w.send(strings.Replace(options, "UDP ADDR;", "UDP "+behind.addr()+";", 1))
	behind.expect("200 OPTIONS")
}
