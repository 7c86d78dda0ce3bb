// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// ring calls a wire and gives the INVITE it got.
func ring(t *testing.T, c Call) (*Endpoint, *wire, *Dialog, *record, *sip.Request) {
	t.Helper()
	e := open(t, Config{})
	w := newWire(t, e.Addr("udp"))
	r := newRecord(t)
	if c.To == "" {
		c.To = "sip:100@" + w.addr()
	}
	c.From = Party{"callwright", "sip:200@callwright.test"}
	c.Body = []byte("offer")
	d, err := e.Call(c, r.handler())
	if err != nil {
		t.Fatal(err)
	}
	return e, w, d, r, w.expect("INVITE").(*sip.Request)
}

// contact is the Contact of a wire.
func contact(w *wire) string { return "Contact: <sip:100@" + w.addr() + ">" }

func TestOutgoing(t *testing.T) {
	t.Parallel()
	e, w, d, r, inv := ring(t, Call{Headers: []Header{{"X-Test", "1"}, {"Privacy", "id"}}})
	for name, want := range map[string]string{
		"From": `"callwright" <sip:200@callwright.test>`, "To": "<sip:100@" + w.addr() + ">", "X-Test": "1", "Privacy": "id",
		"Contact": fmt.Sprintf("<sip:200@127.0.0.1:%d>", e.Addr("udp").Port()), "Content-Type": "application/sdp", "User-Agent": "test",
	} {
		if h := inv.GetHeader(name); h == nil || !strings.HasPrefix(h.Value(), want) {
			t.Errorf("%s: %v, want %s", name, h, want)
		}
	}
	want := []string{}
	w.send(response(inv, "100 Trying", ""))
	for range 12 {
		w.send(response(inv, "180 Ringing", "b"))
		want = append(want, "ringing 180")
	}
	w.send(response(inv, "183 Session Progress", "b", "Content-Type: application/sdp", "", "early"))
	w.send(response(inv, "200 OK", "b", contact(w), "Content-Type: application/sdp", "", "answer"))
	ack := w.expect("ACK", "INVITE").(*sip.Request)
	if ack.CSeq().SeqNo != inv.CSeq().SeqNo || branch(ack) == branch(inv) || ack.To().Params.GetOr("tag", "") != "b" {
		t.Errorf("ACK:\n%s", ack)
	}
	want = append(want, "ringing 183", "answered")
	r.want(want...)
	if ev := r.event(13).(Answered); string(ev.Body) != "answer" {
		t.Errorf("answer %q", ev.Body)
	}
	w.send(response(inv, "200 OK", "b", contact(w))) // its ACK was lost
	w.again("ACK")

	from, to := inv.From().Value(), inv.To().Value()
	bye := fmt.Sprintf("BYE sip:200@callwright.test SIP/2.0\nVia: SIP/2.0/UDP ADDR;branch=z9hG4bK-b;rport\nFrom: %s;tag=b\nTo: %s\nCall-ID: %s\nCSeq: 1 BYE",
		to, from, inv.CallID().Value())
	w.send(bye)
	w.expect("200 BYE")
	r.want(append(want, "ended 0 remote")...)
	d.Hangup(0, "")
	w.silent()
}

func TestOutgoingHangup(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := ring(t, Call{})
	w.send(response(inv, "200 OK", "b", contact(w)))
	w.expect("ACK")
	r.want("answered")
	d.Hangup(0, "", Header{"Reason", "Q.850;cause=16"})
	bye := w.expect("BYE").(*sip.Request)
	if bye.CSeq().SeqNo != inv.CSeq().SeqNo+1 || bye.GetHeader("Reason") == nil {
		t.Errorf("BYE:\n%s", bye)
	}
	w.send(response(bye, "200 OK", ""))
	r.want("answered", "ended 0 local")
}

func TestOutgoingRefused(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"486 Busy Here", "603 Decline", "302 Moved Temporarily", "503 Service Unavailable"} {
		_, w, _, r, inv := ring(t, Call{})
		w.send(response(inv, status, "b"))
		ack := w.expect("ACK", "INVITE").(*sip.Request)
		if branch(ack) != branch(inv) {
			t.Errorf("ACK for a refusal has a branch of its own:\n%s", ack)
		}
		r.want("ended " + status[:3] + " remote")
	}
}

// A CANCEL goes out only after something was heard (RFC 3261 section 9.1).
func TestCancelWaitsForProvisional(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := ring(t, Call{})
	d.Hangup(0, "")
	w.silent("INVITE")
	w.send(response(inv, "180 Ringing", "b"))
	cancel := w.expect("CANCEL", "INVITE").(*sip.Request)
	if branch(cancel) != branch(inv) || cancel.CSeq().SeqNo != inv.CSeq().SeqNo || cancel.Recipient.String() != inv.Recipient.String() ||
		cancel.To().Value() != inv.To().Value() {
		t.Errorf("CANCEL:\n%s", cancel)
	}
	w.send(response(cancel, "200 OK", "b"))
	w.send(response(inv, "487 Request Terminated", "b"))
	w.expect("ACK", "CANCEL")
	r.want("ended 487 local")
	w.silent("CANCEL")
}

// A 200 that crosses our CANCEL makes a call, which is ended by ACK and BYE.
func TestCancelCrossesAnswer(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := ring(t, Call{})
	w.send(response(inv, "180 Ringing", "b"))
	r.want("ringing 180")
	d.Hangup(0, "")
	w.expect("CANCEL", "INVITE")
	w.send(response(inv, "200 OK", "b", contact(w)))
	w.expect("ACK", "CANCEL")
	bye := w.expect("BYE", "CANCEL").(*sip.Request)
	if bye.CSeq().SeqNo != inv.CSeq().SeqNo+1 || bye.To().Params.GetOr("tag", "") != "b" {
		t.Errorf("BYE:\n%s", bye)
	}
	w.send(response(bye, "200 OK", ""))
	r.want("ringing 180", "ended 487 local")
}

// A 200 that comes when everything is given up still gets its ACK and a BYE.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	e, w, _, r, inv := ring(t, Call{})
	r.want("ended 408 timeout") // Timer B
	if e.dialogs.find(inv.From().Params.GetOr("tag", ""), inv.CallID().Value()) != nil {
		t.Error("the dialog is still there")
	}
	w.send(response(inv, "200 OK", "b", contact(w)))
	w.expect("ACK", "INVITE")
	bye := w.expect("BYE")
	w.send(response(bye, "200 OK", ""))
	w.silent("BYE")
	r.want("ended 408 timeout")
}

func TestRingTimeout(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := ring(t, Call{RingTimeout: time.Hour})
	w.send(response(inv, "180 Ringing", "b"))
	r.want("ringing 180")
	d.mu.Lock()
	d.out.timer.Reset(0)
	d.mu.Unlock()
	cancel := w.expect("CANCEL", "INVITE")
	w.send(response(cancel, "200 OK", "b"))
	w.send(response(inv, "487 Request Terminated", "b"))
	w.expect("ACK", "CANCEL")
	r.want("ringing 180", "ended 408 timeout")
	if reason := r.event(1).(Ended).Reason; reason != "not answered for 1h0m0s" {
		t.Errorf("reason %q", reason)
	}
}

// A proxy may ring several phones: the first 200 makes the call, and the others
// are taken and hung up.
func TestForks(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := ring(t, Call{})
	b, c := newWire(t, w.to), newWire(t, w.to)
	w.send(response(inv, "180 Ringing", "b"))
	w.send(response(inv, "180 Ringing", "c"))
	w.send(response(inv, "200 OK", "b", contact(b)))
	b.expect("ACK")
	w.send(response(inv, "200 OK", "c", contact(c)))
	c.expect("ACK")
	bye := c.expect("BYE")
	c.send(response(bye, "200 OK", ""))
	r.want("ringing 180", "ringing 180", "answered")
	d.Hangup(0, "")
	if bye := b.expect("BYE").(*sip.Request); bye.To().Params.GetOr("tag", "") != "b" {
		t.Errorf("BYE:\n%s", bye)
	} else {
		b.send(response(bye, "200 OK", ""))
	}
	r.want("ringing 180", "ringing 180", "answered", "ended 0 local")
	b.silent("BYE") // our answer to it may be on its way still
	c.silent("BYE")
}

// The route set is the recorded route backwards, for ACK and BYE.
func TestClientRoute(t *testing.T) {
	t.Parallel()
	_, w, d, r, inv := ring(t, Call{})
	proxy := newWire(t, w.to)
	w.send(response(inv, "200 OK", "b", contact(w),
		"Record-Route: <sip:second.invalid;lr>", "Record-Route: <sip:"+proxy.addr()+";lr>"))
	ack := proxy.expect("ACK").(*sip.Request)
	if h := ack.GetHeaders("Route"); len(h) != 2 || h[1].Value() != "<sip:second.invalid;lr>" || ack.Recipient.String() != "sip:100@"+w.addr() {
		t.Errorf("ACK:\n%s", ack)
	}
	r.want("answered")
	d.Hangup(0, "")
	bye := proxy.expect("BYE")
	proxy.send(response(bye, "200 OK", ""))
	r.want("answered", "ended 0 local")
}

// A strict router gets itself as Request-URI (RFC 3261 section 12.2.1.1).
func TestStrictRoute(t *testing.T) {
	t.Parallel()
	_, w, _, _, inv := ring(t, Call{})
	proxy := newWire(t, w.to)
	w.send(response(inv, "200 OK", "b", contact(w), "Record-Route: <sip:"+proxy.addr()+">"))
	ack := proxy.expect("ACK").(*sip.Request)
	if h := ack.GetHeaders("Route"); len(h) != 1 || h[0].Value() != "<sip:100@"+w.addr()+">" || ack.Recipient.String() != "sip:"+proxy.addr() {
		t.Errorf("ACK:\n%s", ack)
	}
}

// What cannot be sent is said at once and nothing goes out.
func TestCallRefused(t *testing.T) {
	t.Parallel()
	e := open(t, Config{Listen: []string{"udp://127.0.0.1:0"}})
	ok := Call{To: "sip:100@127.0.0.1:9", From: Party{URI: "sip:200@callwright.test"}}
	for _, tc := range []struct {
		name, says string
		change     func(*Call)
	}{
		{"line break in a header", "control character", func(c *Call) { c.Headers = []Header{{"X-A", "a\r\nX-B: b"}} }},
		{"header name", "not a token", func(c *Call) { c.Headers = []Header{{"X A", "a"}} }},
		{"line break in a URI", "not allowed", func(c *Call) { c.To = "sip:1\r\n00@127.0.0.1" }},
		{"not SIP", "want sip:", func(c *Call) { c.To = "tel:+49" }},
		{"bad From", "calling party", func(c *Call) { c.From.URI = "" }},
		{"unknown transport", "SCTP is not spoken here", func(c *Call) { c.To += ";transport=sctp" }},
		{"bad flow", "called party", func(c *Call) { c.Network, c.Flow = "TCP", "somewhere" }},
		{"no IPv6 socket", "no socket of ours can reach [::1]:5060", func(c *Call) { c.To = "sip:100@[::1]" }},
	} {
		c := ok
		tc.change(&c)
		if _, err := e.Call(c, Handler{}); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: error %v, want one with %q", tc.name, err, tc.says)
		}
	}
	if len(e.dialogs.close()) != 0 {
		t.Error("a dialog is left behind")
	}
}

// A display name cannot break out of its quotes.
func TestPartyQuoted(t *testing.T) {
	t.Parallel()
	p := Party{"a\"b\\c\r\nEvil: 1", "sip:x@y"}
	if got, want := p.String(), `"a\"b\\cEvil: 1" <sip:x@y>`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := unquote(quote(p.Name)); got != "a\"b\\cEvil: 1" {
		t.Errorf("unquoted %q", got)
	}
	if got, want := EscapeUser("+49 21%x@\r\n"), "+49%2021%25x%40%0D%0A"; got != want {
		t.Errorf("escaped %q, want %q", got, want)
	}
}
