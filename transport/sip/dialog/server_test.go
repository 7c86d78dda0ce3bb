// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

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
	e := open(t, Config{Incoming: c.incoming, T1: patience, T2: patience}) // so that no 200 is traced twice
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
		w.again("180 INVITE")
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
	w.handled(w.only)
	w.silent("487 INVITE") // of a call before: its ACK may be on its way still
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
	ok := w.expect("200 INVITE")
	for range 3 {
		w.again("200 INVITE")
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
	began := time.Now()
	_ = call.Answer([]byte("answer"))
	w.expect("200 INVITE")
	// After 1, 3, 7 and 15 T1, then every 8, and the BYE after 64. How much later
	// than that a message comes is up to the machine, but none comes earlier.
	due, interval, repeats := time.Duration(0), testT1, 0
	for {
		msg, _ := w.read()
		if label(msg) == "BYE" {
			w.send(response(msg, "200 OK", ""))
			break
		}
		repeats++
		due, interval = due+interval, min(2*interval, 8*testT1)
		if came := time.Since(began); label(msg) != "200 INVITE" || came < due {
			t.Errorf("%s came after %v, before %v", label(msg), came, due)
		}
	}
	call.want("ended 0 timeout")
	if came := time.Since(began); repeats == 0 || came < 64*testT1 {
		t.Errorf("given up after %v and %d repetitions", came, repeats)
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
	w.again("486 INVITE") // repeated until its ACK
	ack := strings.Replace(inside("ACK", "busy", 1, res), "-ack-busy-1", "-i-busy", 1)
	w.send(ack)
	call.want("ended 486 local")
	w.handled("busy")
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
	w.again("180 INVITE")
	_ = call.Answer([]byte("answer"))
	w.expect("200 INVITE")
	e.tx.terminateAll() // as if so late that the transaction is gone
	w.send(invite("again"))
	ok := w.again("200 INVITE")
	w.send(strings.Replace(invite("again"), "-i-again", "-j-again", 1)) // by another way
	w.expect("482 INVITE", "200 INVITE")
	w.send(inside("ACK", "again", 1, ok))
	call.want("confirmed")
	if len(c.made) != 0 {
		t.Error("the repetition made a new call")
	}
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

// A caller of RFC 2543 has no branch, no tag and no Contact, and is in a call all
// the same: what it repeats is known again.
func TestAncientCaller(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	old := func(method string) string {
		return `
	` + method + ` sip:100@callwright.test SIP/2.0
	Via: SIP/2.0/UDP ADDR
	From: <sip:alice@ADDR>
	To: <sip:100@callwright.test>
	Call-ID: old
	CSeq: 1 ` + method
	}
	w := newWire(t, e.Addr("udp"))
	w.send(old("INVITE"))
	call := c.next()
	w.send(old("INVITE"))
	if err := call.Progress(180, "Ringing", nil); err != nil {
		t.Fatal(err)
	}
	w.expect("180 INVITE")
	w.send(old("CANCEL"))
	w.expect("200 CANCEL")
	refused := w.expect("487 INVITE")
	tag, _ := refused.To().Params.Get("tag")
	w.send(strings.Replace(old("ACK"), "callwright.test>\n", "callwright.test>;tag="+tag+"\n", 1))
	call.want("ended 487 remote")
	if len(c.made) != 0 {
		t.Error("a repetition became a call")
	}

	w = newWire(t, e.Addr("udp"))
	w.send(strings.Replace(old("INVITE"), "Call-ID: old", "Call-ID: older", 1))
	call = c.next()
	if err := call.Answer(nil); err != nil {
		t.Fatal(err)
	}
	ok := w.expect("200 INVITE")
	tag, _ = ok.To().Params.Get("tag")
	w.send(strings.NewReplacer("callwright.test>\n", "callwright.test>;tag="+tag+"\n", "Call-ID: old", "Call-ID: older").Replace(old("ACK")))
	call.want("confirmed")
	call.Hangup(0, "")
	bye := w.expect("BYE", "200 INVITE")
	w.send(response(bye, "200 OK", ""))
	call.want("confirmed", "ended 0 local")
}

// What is unusual but allowed becomes a call.
func TestUnusualInvites(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	for name, tc := range map[string]struct{ old, new, uri string }{
		"tel":                {"INVITE sip:100@callwright.test", "INVITE tel:+49-21-100;phone-context=example.com", "tel:+49-21-100;phone-context=example.com"},
		"sips":               {"INVITE sip:100@", "INVITE sips:100@", "sips:100@callwright.test"},
		"scheme in capital":  {"INVITE sip:100@", "INVITE SIP:100@", "sip:100@callwright.test"},
		"version in small":   {"test SIP/2.0", "test sip/2.0", ""},
		"escaped":            {"sip:100@", "sip:%31%30%30@", "sip:%31%30%30@callwright.test"},
		"star and hash":      {"sip:100@", "sip:*21#@", "sip:*21#@callwright.test"},
		"IPv6":               {"INVITE sip:100@callwright.test", "INVITE sip:100@[::1]:5070", "sip:100@[::1]:5070"},
		"two hops in a Via":  {";rport\n", ";rport, SIP/2.0/TCP [2001:db8::1]:5061;branch=z9hG4bKb\n", ""},
		"blanks in Via":      {"Via: SIP/2.0/UDP ", "Via: SIP / 2.0 / UDP  ", ""},
		"blanks in From":     {";tag=a-", " ; tag = a-", ""},
		"compact":            {"From:", "f:", ""},
		"name in UTF-8":      {`"Alice"`, "Jürgen Öztürk", ""},
		"features in quotes": {"Contact: <sip:alice@ADDR>", `Contact: <sip:alice@ADDR>;+sip.instance="<urn:uuid:1>";methods="INVITE,BYE"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, e.Addr("udp"))
			id := strings.ReplaceAll(name, " ", "-")
			w.send(strings.Replace(invite(id), tc.old, tc.new, 1))
			call := c.next()
			want := tc.uri
			if want == "" {
				want = "sip:100@callwright.test"
			}
			if call.CallID != id || call.URI != want || call.From.URI != "sip:alice@"+w.addr() {
				t.Errorf("call %s to %s from %s, want %s to %s", call.CallID, call.URI, call.From.URI, id, want)
			}
			call.Hangup(486, "Busy Here")
			w.expect("486 INVITE")
		})
	}
}
