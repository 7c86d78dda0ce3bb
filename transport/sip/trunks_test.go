// SPDX-License-Identifier: MIT

package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
)

// until waits for something that nobody tells of.
func (h *house) until(ok func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatal("it does not happen")
		}
	}
}

// registrarOf answers a REGISTER as carriers do: 401 first, then 200.
func registrarOf(r request) []string {
	switch {
	case r.Method != "REGISTER":
		return []string{"486 Busy Here"}
	case r.GetHeader("Authorization") == nil:
		return []string{"401 Unauthorized\nWWW-Authenticate: Digest realm=\"carrier\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\""}
	}
	return []string{"200 OK\nContact: " + r.Contact().Value() + ";expires=120"}
}

// A trunk that registers is called at the Contact that it alone knows, wherever
// the call comes from: the number is in To. When settings change or the server
// ends, the registration is taken back.
func TestRegisteredTrunk(t *testing.T) {
	t.Parallel()
	c := newCarrier(t, registrarOf)
	entries := directory.Entries{
		Apps:    []directory.App{{Key: "k"}},
		Numbers: []directory.Number{{Number: "+4921112345", App: "k"}},
		Trunks:  []directory.Trunk{{Name: "c", Address: c.addr(), Username: "u/1", Password: "p", Register: true, MaxCalls: 1}},
	}
	h := newHouse(t, func(_ *house, e *directory.Entries) { *e = entries })
	c.next("REGISTER")
	register := c.next("REGISTER")
	contact := register.Contact().Address
	if register.From().Address.User != "u/1" && register.From().Address.User != "u%2F1" || register.Recipient.User != "" || len(contact.User) != 32 {
		t.Errorf("registers by\n%s", register.raw)
	}
	h.until(func() bool { return !h.server.Trunks()[0].RegisteredUntil.IsZero() })

	// It may ask how we are, without being in any allow_from.
	ask := strings.ReplaceAll("OPTIONS sip:USER@h SIP/2.0\r\nVia: SIP/2.0/UDP ADDR;branch=z9hG4bK-o\r\nFrom: <sip:c@ADDR>;tag=1\r\nTo: <sip:USER@h>\r\n"+
		"Call-ID: options\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", "ADDR", c.addr())
	_, err := c.conn.WriteToUDPAddrPort([]byte(strings.ReplaceAll(ask, "USER", contact.User)), h.server.Addr("udp"))
	must(t, err)
	select {
	case line := <-c.replies:
		if line != "SIP/2.0 200 OK" {
			t.Errorf("OPTIONS is answered with %s", line)
		}
	case <-time.After(patience):
		t.Error("OPTIONS is not answered")
	}

	p := newPhone(t, phone.Config{})
	for _, tc := range []struct {
		to, called string
		headers    []dialog.Header
	}{
		{"sip:" + contact.User + "@" + h.server.Addr("udp").String(), "+4921112345", []dialog.Header{{Name: "P-Called-Party-ID", Value: "<sip:+4921112345@carrier.test>"}}},
	} {
		call, err := p.Dial(tc.to, phone.CallOptions{Headers: tc.headers})
		must(t, err)
		leg := h.next()
		if leg.To.Value != tc.called || leg.Trunk != "c" || leg.Number.App != "k" {
			t.Errorf("called %+v", leg.Arrival)
		}
		if n := h.server.Trunks()[0].Calls; n != 1 {
			t.Errorf("%d calls", n)
		}
		// There is room for one call.
		full, err := p.Dial(tc.to, phone.CallOptions{Headers: tc.headers})
		must(t, err)
		if ended, err := full.WaitEnd(t.Context()); err != nil || ended.Status != 503 || ended.RetryAfter == 0 {
			t.Errorf("refused with %+v, %v", ended, err)
		}
		leg.Hangup(engine.CauseBusy)
		if ended, err := call.WaitEnd(t.Context()); err != nil || ended.Status != 486 {
			t.Errorf("ended %+v, %v", ended, err)
		}
		leg.end()
		if n := h.server.Trunks()[0].Calls; n != 0 {
			t.Errorf("%d calls", n)
		}
	}
	h.mu.Lock()
	if len(h.refused) != 1 || !strings.Contains(h.refused[0].Reason, `trunk "c" carries 1 calls (trunks[].max_calls)`) {
		t.Errorf("refused %+v", h.refused)
	}
	h.mu.Unlock()

	must(t, h.server.cfg.Directory.Replace(directory.Entries{}))
	if last := c.next("REGISTER"); last.GetHeader("Expires").Value() != "0" || last.Contact().Address.User != contact.User ||
		last.CallID().Value() != register.CallID().Value() || last.CSeq().SeqNo != register.CSeq().SeqNo+1 {
		t.Errorf("taken back by\n%s", last.raw)
	}
}

// Who calls and what it brought along is believed as far as it may be.
func TestIdentityIn(t *testing.T) {
	t.Parallel()
	header := func(name, value string) dialog.Header { return dialog.Header{Name: name, Value: value} }
	var many []dialog.Header
	for i := range 30 {
		many = append(many, header(fmt.Sprint("X-N-", i), strings.Repeat("v", 10)))
	}
	for _, tc := range []struct {
		name    string
		headers []dialog.Header
		trusted bool
		from    directory.Address
	}{
		{"From", nil, true, directory.Address{Kind: directory.KindNumber, Value: "+4930", Name: "From"}},
		{"asserted", []dialog.Header{header("P-Asserted-Identity", `"A, B" <sip:+4940@c>`)}, true, directory.Address{Kind: directory.KindNumber, Value: "+4940", Name: "A, B"}},
		{"asserted, a number second", []dialog.Header{header("P-Asserted-Identity", `<sip:x@c>, <tel:+4940;ext=1>`)}, true, directory.Address{Kind: directory.KindNumber, Value: "+4940", Name: "From"}},
		{"asserted by a stranger", []dialog.Header{header("P-Asserted-Identity", `<sip:+4940@c>`)}, false, directory.Address{Kind: directory.KindNumber, Value: "+4930", Name: "From"}},
		{"withheld", []dialog.Header{header("P-Asserted-Identity", `<sip:+4940@c>`), header("Privacy", "header; ID")}, true, directory.Anonymous()},
		{"a word like it", []dialog.Header{header("Privacy", "widget;users")}, true, directory.Address{Kind: directory.KindNumber, Value: "+4930", Name: "From"}},
		{"none", []dialog.Header{header("Privacy", "none")}, true, directory.Address{Kind: directory.KindNumber, Value: "+4930", Name: "From"}},
	} {
		in := dialog.Invitation{Request: dialog.Request{
			From: dialog.Party{Name: "From", URI: "sip:+4930@c"}, To: dialog.Party{URI: "sip:1@h"},
			Header: func(name string) (values []string) {
				for _, h := range tc.headers {
					if h.Name == name {
						values = append(values, h.Value)
					}
				}
				return values
			},
			Extensions: func() []dialog.Header { return many },
		}}
		if diff := cmp.Diff(tc.from, caller(in, tc.trusted)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
		if n := len(extensions(in)); n != 20 {
			t.Errorf("%d X- headers are kept", n)
		}
	}
	for value, want := range map[string]string{
		`<sip:+4921@h>;reason=busy`: "+4921", `"Doe, John" <sip:+4922@h>, <sip:+4923@h>;counter=1`: "+4923",
		`<sip:nobody@h>`: "", `sip:+4924@h;reason=x`: "+4924", `"<sip:+49666@h>" <sip:+4925@h>`: "+4925", "": "", `<`: "",
	} {
		in := dialog.Invitation{Request: dialog.Request{Header: func(string) []string { return []string{value} }}}
		if got := diversion(in); got != want {
			t.Errorf("Diversion %s: %q, want %q", value, got, want)
		}
	}
	for _, tc := range []struct{ called, to, want string }{
		{"<sip:+4921@c>", "<sip:u@c>;tag=1", "sip:+4921@c"}, {"", `"x" <sip:+4922@c>;tag=1`, "sip:+4922@c"}, {"", "<sip:c>", "sip:contact@h"},
	} {
		in := dialog.Invitation{Request: dialog.Request{To: dialog.Party{URI: "sip:contact@h"}, Header: func(name string) []string {
			return []string{map[string]string{"To": tc.to, "P-Called-Party-ID": tc.called}[name]}
		}}}
		if got := meant(in); got.URI != tc.want {
			t.Errorf("%+v: called %s", tc, got.URI)
		}
	}
	big := dialog.Invitation{Request: dialog.Request{Extensions: func() []dialog.Header {
		return []dialog.Header{header("X-Long", strings.Repeat("a", 1025)), header("X-A", "b\x00c"), header("X-4K", strings.Repeat("a", 1000)),
			header("X-8K", strings.Repeat("a", 1000)), header("X-B", strings.Repeat("b", 1000)), header("X-C", strings.Repeat("c", 100))}
	}}}
	if got := extensions(big); len(got) != 4 || got[0] != (engine.Header{Name: "X-A", Value: "bc"}) {
		t.Errorf("kept %d X- headers: %.200v", len(got), got)
	}
}

// X- headers of a call reach the engine.
func TestHeadersIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := newPhone(t, phone.Config{})
	_, err := p.Dial(h.uri("+4921112345"), phone.CallOptions{Headers: []dialog.Header{{Name: "X-Ticket", Value: "7"}, {Name: "x-b", Value: "c"}}})
	must(t, err)
	leg := h.next()
	if diff := cmp.Diff([]engine.Header{{Name: "X-Ticket", Value: "7"}, {Name: "x-b", Value: "c"}}, leg.Headers); diff != "" {
		t.Error(diff)
	}
	leg.Hangup(engine.CauseBusy)
	leg.end()
}

// Trunks with addresses that cannot be asked are told of, and others go on.
func TestPeerOfTrunk(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(_ *house, e *directory.Entries) {
		e.Trunks = []directory.Trunk{{Name: "six", Address: "[2001:db8::1];transport=udp", Username: "u", Password: "p", Register: true,
			AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	})
	h.until(func() bool { return h.server.Trunks()[0].Error != "" })
	if s := h.server.Trunks()[0]; !strings.Contains(s.Error, "sip.listen") {
		t.Errorf("status %+v", s)
	}
}
