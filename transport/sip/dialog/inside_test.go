// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

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
		{"no From", without("From"), "400 INVITE"},
		{"no Contact", without("Contact"), "400 INVITE"},
		{"CSeq of another method", strings.Replace(invite("x"), "CSeq: 1 INVITE", "CSeq: 1 BYE", 1), "400 BYE"},
		{"no hop left", strings.Replace(invite("x"), "Max-Forwards: 70", "Max-Forwards: 0", 1), "483 INVITE"},
		{"a call of ours", strings.Replace(invite("x"), "From:", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"+e.newTag()+"\nFrom:", 1), "482 INVITE"},
		{"another scheme", strings.Replace(invite("x"), "INVITE sip:100@", "INVITE urn:100@", 1), "416 INVITE"},
		{"no SDP wanted", strings.Replace(invite("x"), "Max-", "Accept: text/plain\nMax-", 1), "406 INVITE"},
		{"OPTIONS that requires", strings.Replace(outside("OPTIONS"), "Max-", "Require: nothing\nMax-", 1), "420 OPTIONS"},
		{"SIP/3.0", strings.Replace(invite("x"), "test SIP/2.0", "test SIP/3.0", 1), ""},
		{"unknown extension required", strings.Replace(invite("x"), "Max-", "Require: timer, nothing\nMax-", 1), "420 INVITE"},
		{"not SDP", strings.Replace(invite("x"), "application/sdp", "text/plain", 1), "415 INVITE"},
		{"body without a type", without("Content-Type"), "415 INVITE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, e.Addr("udp"))
			w.send(tc.send)
			msg, _ := w.read()
			got := label(msg)
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
	w.again("200 INVITE") // repeated until
	w.send(inside("ACK", "inside", 2, ok))
	w.handled("inside")
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
	if res := w.expect("415 INFO"); len(res.GetHeaders("Accept")) != 1 || res.GetHeaders("Accept")[0].Value() != "text/x" {
		t.Errorf("nothing is said of what is accepted:\n%s", res)
	}
	w.send(inside("OPTIONS", "inside", 9, ok))
	w.expect("200 OPTIONS")
	w.send(inside("REFER", "inside", 10, ok))
	w.expect("603 REFER")
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
