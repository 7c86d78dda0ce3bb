// SPDX-License-Identifier: MIT

package sip

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// end waits until a leg has ended, and gives that and what was noted before.
func (c *call) end() (engine.LegEnded, []string) {
	c.t.Helper()
	var notes []string
	for {
		select {
		case ev := <-c.events:
			switch ev := ev.(type) {
			case engine.LegNote:
				notes = append(notes, ev.Text)
			case engine.LegEnded:
				return ev, notes
			}
		case <-time.After(patience):
			c.t.Fatal("the leg does not end")
		}
	}
}

// A way that fails for a reason of its own is followed by the next one; what the
// called party or its network says is the end.
func TestFailOver(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		answers []string
		goesOn  bool
	}{
		{"server error", []string{"500 Server Internal Error"}, true},
		{"bad gateway", []string{"502 Bad Gateway"}, true},
		{"overload", []string{"100 Trying", "503 Service Unavailable"}, true},
		{"time-out behind", []string{"504 Server Time-out"}, true},
		{"time-out at once", []string{"408 Request Timeout"}, true},
		{"time-out of somebody", []string{"100 Trying", "408 Request Timeout"}, false},
		{"rang", []string{"180 Ringing", "503 Service Unavailable"}, false},
		{"early", []string{"183 Session Progress", "500 Server Internal Error"}, false},
		{"busy", []string{"486 Busy Here"}, false},
		{"not found", []string{"404 Not Found"}, false},
		{"forbidden", []string{"403 Forbidden"}, false},
		{"busy everywhere", []string{"600 Busy Everywhere"}, false},
		{"declined", []string{"603 Decline"}, false},
		{"501", []string{"501 Not Impl"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			first, second := newCarrier(t, says(tc.answers...)), newCarrier(t, says("486 Busy Here"))
			h := withCarriers(t, nil, first, second)
			leg := h.dial(number("+49301"))
			one := first.next("INVITE")
			ended, notes := leg.end()
			if !tc.goesOn {
				second.quiet("INVITE")
				if len(notes) != 0 || leg.Info().Trunk != "a" {
					t.Errorf("it went on: %q", notes)
				}
				return
			}
			two := second.next("INVITE")
			if ended.Cause != engine.CauseBusy || leg.Info().Trunk != "b" || len(notes) != 1 || !strings.Contains(notes[0], `trunk "a": `) {
				t.Errorf("ended %+v by %s after %q", ended, leg.Info().Trunk, notes)
			}
			if one.CallID().Value() == two.CallID().Value() || string(one.Body()) == string(two.Body()) {
				t.Error("the second try is no call of its own")
			}
			if n := h.server.Trunks(); n[0].Calls+n[1].Calls != 0 {
				t.Errorf("calls are left: %+v", n)
			}
		})
	}
}

// A trunk that says nothing is given up for another. Should it wake up, its call
// is cancelled, or hung up when it was answered.
func TestFailOverSilence(t *testing.T) {
	t.Parallel()
	first, second := newCarrier(t, says()), newCarrier(t, says("180 Ringing", "200 OK"))
	h := withCarriers(t, nil, first, second)
	h.server.silence = 100 * time.Millisecond
	leg := h.dial(number("+49301"))
	leg.wantNote(`trunk "a": no answer for 100ms`)
	leg.want(engine.LegRinging{Status: 180}, engine.LegAnswered{})
	if trunk := leg.Info().Trunk; trunk != "b" {
		t.Errorf("answered by trunk %q", trunk)
	}
	late := first.next("INVITE")
	first.reply(late, "180 Ringing")
	if cancel := first.next("CANCEL"); cancel.CallID().Value() != late.CallID().Value() {
		t.Error("something else was cancelled")
	}
	first.reply(late, "200 OK")
	first.next("ACK")
	first.next("BYE")
}

func (c *call) wantNote(text string) {
	c.t.Helper()
	for {
		select {
		case ev := <-c.events:
			if note, ok := ev.(engine.LegNote); ok {
				if !strings.Contains(note.Text, text) {
					c.t.Fatalf("noted %q, want %q", note.Text, text)
				}
				return
			}
		case <-time.After(patience):
			c.t.Fatalf("nobody noted %q", text)
		}
	}
}

// A trunk that wants to be left alone is the last to be tried; an emergency call
// tries all of them in their order, whatever they refused it with.
func TestFailOverOrder(t *testing.T) {
	t.Parallel()
	first, second := newCarrier(t, says("503 Service Unavailable\nRetry-After: 60")), newCarrier(t, says("403 Forbidden"))
	h := withCarriers(t, func(e *directory.Entries) { e.Trunks[1].MaxCalls = 1 }, first, second)
	h.dial(number("+49301")).end()
	first.next("INVITE")
	second.next("INVITE")
	if s := h.server.Trunks(); s[0].Healthy || !s[1].Healthy {
		t.Errorf("status %+v", s)
	}
	_, err := h.server.trunks.Enter(directory.Trunk{Name: "b", Account: directory.DefaultAccount, MaxCalls: 1}, false)
	must(t, err)
	h.dial(number("+49302")).end()
	if in := first.next("INVITE"); !strings.Contains(in.raw, "49302") {
		t.Error("not called")
	}
	ended, notes := h.dial(number("112")).end()
	if in := first.next("INVITE"); in.Recipient.User != "112" {
		t.Errorf("called %s", in.Recipient.User)
	}
	second.next("INVITE")
	if ended.Cause != engine.CauseRejected || len(notes) != 1 {
		t.Errorf("ended %+v after %q", ended, notes)
	}
}

// Where no trunk has room the call is refused, and by which setting.
func TestTrunksFull(t *testing.T) {
	t.Parallel()
	c := newCarrier(t, says("180 Ringing"))
	h := withCarriers(t, func(e *directory.Entries) { e.Trunks[0].MaxCalls = 1 }, c)
	leg := h.dial(number("+49301"))
	leg.want(engine.LegRinging{Status: 180})
	r := number("+49302")
	r.Account = directory.DefaultAccount
	_, err := h.server.Dial(r)
	var refused *engine.DialError
	if !errors.As(err, &refused) || refused.Cause != engine.CauseOverload || !strings.Contains(err.Error(), `trunk "a" carries 1 calls (trunks[].max_calls)`) {
		t.Errorf("refused with %v", err)
	}
	if s := h.server.Trunks()[0]; s.Calls != 1 {
		t.Errorf("status %+v", s)
	}
	leg.Hangup(engine.CauseNormal)
	leg.end()
	if s := h.server.Trunks()[0]; s.Calls != 0 {
		t.Errorf("status %+v", s)
	}
}

// A call that is hung up goes on to no other trunk.
func TestFailOverHungUp(t *testing.T) {
	t.Parallel()
	first, second := newCarrier(t, says("100 Trying")), newCarrier(t, says("486 Busy Here"))
	h := withCarriers(t, nil, first, second)
	leg := h.dial(number("+49301"))
	invite := first.next("INVITE")
	leg.Hangup(engine.CauseCancelled)
	first.next("CANCEL")
	first.reply(invite, "503 Service Unavailable")
	if ended, _ := leg.end(); ended.Cause != engine.CauseCancelled {
		t.Errorf("ended %+v", ended)
	}
	second.quiet("INVITE")
}

// What hangs up does not wait for the DNS, and is the end.
func TestHungUpBeforeTheNextWay(t *testing.T) {
	t.Parallel()
	dns := newCarrier(t, nil) // reads questions, and answers none
	for name, first := range map[string]*carrier{
		"failed": newCarrier(t, says("500 Server Internal Error")), "silent": newCarrier(t, says()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, func(h *house, e *directory.Entries) {
				h.dns = []string{dns.addr()}
				e.Trunks = []directory.Trunk{
					{Name: "a", Address: first.addr()}, {Name: "b", Address: "carrier.example.test", Priority: 1}, {Name: "c", Address: first.addr(), Priority: 2},
				}
			})
			h.server.silence = 50 * time.Millisecond
			leg := h.dial(number("+49301"))
			first.next("INVITE")
			leg.wantNote(`trunk "a": `)
			leg.Hangup(engine.CauseCancelled)
			ended, notes := leg.end()
			if ended.Cause != engine.CauseCancelled || len(notes) > 1 || len(notes) == 1 && !strings.Contains(notes[0], "hung up meanwhile") {
				t.Errorf("ended %+v after %q", ended, notes)
			}
			first.quiet("INVITE")
			if s := h.server.Trunks(); s[1].Calls+s[2].Calls != 0 {
				t.Errorf("calls are left: %+v", s)
			}
		})
	}
}

// A trunk whose name leads nowhere is passed over.
func TestFailOverName(t *testing.T) {
	t.Parallel()
	second := newCarrier(t, says("486 Busy Here"))
	h := newHouse(t, func(h *house, e *directory.Entries) {
		h.dns = []string{"127.0.0.1:1"} // where nobody is
		e.Trunks = []directory.Trunk{{Name: "a", Address: "nobody.invalid:5060"}, {Name: "b", Address: second.addr(), Priority: 1}}
	})
	ended, notes := h.dial(number("+49301")).end()
	if ended.Cause != engine.CauseBusy || len(notes) != 1 || !strings.Contains(notes[0], `not called by trunk "a": no way to its address`) {
		t.Errorf("ended %+v after %q", ended, notes)
	}
}

// A trunk's headers go to it, and a call's X- headers to users' phones only.
func TestHeadersOut(t *testing.T) {
	t.Parallel()
	c := newCarrier(t, says("486 Busy Here"))
	h := withCarriers(t, func(e *directory.Entries) {
		e.Trunks[0].Headers = map[string]string{"X-Customer": "4711", "Alert-Info": "<urn:alert:service:normal>"}
		e.Users = []directory.User{{ID: "w0", Contact: "sip:alice@" + c.addr()}}
	}, c)
	r := number("+49301")
	r.Headers = []engine.Header{{Name: "X-Ticket", Value: "7"}, {Name: "Route", Value: "<sip:evil>"}}
	h.dial(r).end()
	got := c.next("INVITE")
	if got.GetHeader("X-Ticket") != nil || got.GetHeader("X-Customer").Value() != "4711" || got.GetHeader("Alert-Info") == nil {
		t.Errorf("by the trunk:\n%s", got.raw)
	}
	r.Target.Address = directory.Address{Kind: directory.KindUser, Value: "w0"}
	h.dial(r).end()
	got = c.next("INVITE")
	if got.GetHeader("X-Ticket").Value() != "7" || got.GetHeader("X-Customer") != nil || got.GetHeader("Route") != nil {
		t.Errorf("to a phone:\n%s", got.raw)
	}
}

// Who is shown, by the trunk's way to identify callers.
func TestIdentityOut(t *testing.T) {
	t.Parallel()
	const anonymous = `"Anonymous" <sip:anonymous@anonymous.invalid>`
	alice := directory.Address{Kind: directory.KindNumber, Value: "+4940", Name: "Alice"}
	for _, tc := range []struct {
		identity string
		from     directory.Address
		shown    string
		headers  map[string]string
	}{
		{"", alice, `"Alice" <sip:+4940@HOST>`, nil},
		{"", directory.Address{Kind: directory.KindUser, Value: "w0"}, `<sip:+4900@HOST>`, nil},
		{directory.IdentityFrom, directory.Anonymous(), anonymous, map[string]string{"Privacy": "id"}},
		{directory.IdentityAsserted, alice, `"Alice" <sip:me@HOST>`, map[string]string{"P-Asserted-Identity": `"Alice" <sip:+4940@HOST>`}},
		{directory.IdentityAsserted, directory.Anonymous(), anonymous, map[string]string{"P-Asserted-Identity": `<sip:+4900@HOST>`, "Privacy": "id"}},
		{directory.IdentityPreferred, alice, `"Alice" <sip:me@HOST>`, map[string]string{"P-Preferred-Identity": `"Alice" <sip:+4940@HOST>`}},
		{directory.IdentityPreferred, directory.Anonymous(), anonymous, map[string]string{"Privacy": "id"}},
	} {
		way := routeByTrunk(directory.Trunk{Name: "t", Address: "[2001:db8::1]:5062;transport=tcp", From: "+4900", Username: "me", Identity: tc.identity}, "1")
		party, headers := shown(engine.DialRequest{From: tc.from}, way)
		host := strings.NewReplacer("HOST", "[2001:db8::1]")
		got := map[string]string{}
		for _, h := range headers {
			got[h.Name] = h.Value
		}
		want := map[string]string{}
		for name, value := range tc.headers {
			want[name] = host.Replace(value)
		}
		if party.String() != host.Replace(tc.shown) || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s by %q: %s with %v, want %s with %v", tc.from, tc.identity, party, got, tc.shown, want)
		}
	}
}
