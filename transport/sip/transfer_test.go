// SPDX-License-Identifier: MIT

package sip

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
)

// transferring is a house of two accounts, with a user each, and a trunk from
// 127.0.0.2.
func transferring(t *testing.T) *house {
	t.Helper()
	return newHouse(t, func(_ *house, e *directory.Entries) {
		e.Accounts = []directory.Account{{ID: "acme"}}
		e.Users = []directory.User{
			{ID: "w0", Username: "alice", Password: "secret"}, {ID: "w1", Username: "bob", Password: "secret"},
			{ID: "w0", Account: "acme", Username: "eve", Password: "secret"},
		}
		e.Groups = []directory.Group{{ID: "g0", Users: []string{"w0"}}, {ID: "g0", Account: "acme", Users: []string{"w0"}}}
		e.Trunks = []directory.Trunk{{Name: "carrier", Address: "127.0.0.2:9", AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}}}
	})
}

func as(username string, headers ...dialog.Header) phone.CallOptions {
	return phone.CallOptions{Username: username, Password: "secret", Headers: headers}
}

// talking is a call that was picked up.
func (h *house) talking(p *phone.Phone, to string, o phone.CallOptions) (*phone.Call, *call) {
	h.t.Helper()
	out, err := p.Dial(h.uri(to), o)
	must(h.t, err)
	leg := h.next()
	must(h.t, leg.Answer())
	must(h.t, out.WaitAnswer(h.t.Context()))
	leg.want(engine.LegConfirmed{})
	return out, leg
}

func TestReferIsToldToTheEngine(t *testing.T) {
	t.Parallel()
	h := transferring(t)
	p := newPhone(t, phone.Config{})
	out, leg := h.talking(p, "g0", as("alice"))
	second, other := h.talking(p, "g0", as("alice"))
	strange, err := newPhone(t, phone.Config{}).Dial(p.URI(), phone.CallOptions{}) // past the server
	must(t, err)
	local, err := p.Accept(t.Context())
	must(t, err)
	must(t, local.Answer())
	must(t, strange.WaitAnswer(t.Context()))

	for _, tc := range []struct {
		to      string
		instead *phone.Call
		want    engine.LegReferred
	}{
		{"sip:+49301@elsewhere;user=phone", nil, engine.LegReferred{To: "+49301", Asked: "sip:+49301@elsewhere;user=phone"}},
		{"sip:127.0.0.1", nil, engine.LegReferred{To: "sip:127.0.0.1", Asked: "sip:127.0.0.1"}},
		{"sip:w1@here", second, engine.LegReferred{To: "w1", Asked: "sip:w1@here", Replaces: true, Other: other.Leg}},
		{"sip:w1@here", local, engine.LegReferred{To: "w1", Asked: "sip:w1@here", Replaces: true}},
	} {
		status := make(chan int, 1)
		go func() {
			s, err := out.Refer(t.Context(), tc.to, tc.instead)
			if err != nil {
				t.Error(err)
			}
			status <- s
		}()
		got, _ := leg.next().(engine.LegReferred)
		tc.want.ID = got.ID
		if got != tc.want {
			t.Errorf("told of %+v, want %+v", got, tc.want)
		}
		leg.Leg.(engine.Transfer).Notify(got.ID, 180, "Ringing")
		leg.Leg.(engine.Transfer).Notify(got.ID, 603, "Decline")
		if s := <-status; s != 603 {
			t.Errorf("the phone was told %d", s)
		}
	}
	for _, c := range []*call{leg, other} {
		c.Hangup(engine.CauseTransferred)
	}
}

func TestReferOfTheEngine(t *testing.T) {
	t.Parallel()
	h := transferring(t)
	inside := newPhone(t, phone.Config{})
	out, leg := h.talking(inside, "g0", as("alice"))
	carrier, err := phone.New(phone.Config{Listen: "127.0.0.2:0", User: "+4930111"})
	must(t, err)
	t.Cleanup(func() { _ = carrier.Close() })
	far, trunk := h.talking(carrier, "+4921112345", phone.CallOptions{From: dialog.Party{URI: "sip:+4930111@carrier.test"}})

	for _, tc := range []struct {
		phone *phone.Call
		leg   *call
		want  string
	}{
		{out, leg, h.uri("+49302")}, {far, trunk, "sip:+49302@carrier.test"},
	} {
		party := tc.leg.Leg.(engine.Transfer)
		must(t, party.Refer(directory.NumberAddress("+49302")))
		referral, err := tc.phone.WaitReferral(t.Context())
		must(t, err)
		if referral.To != tc.want {
			t.Errorf("referred to %s, want %s", referral.To, tc.want)
		}
		if err := party.Refer(directory.NumberAddress("+49303")); !errors.Is(err, engine.ErrNoTransfer) {
			t.Errorf("a second one at once: %v", err)
		}
		referral.Tell(486, "Busy Here")
		tc.leg.want(
			engine.LegTransfer{Status: 202, Text: "202 Accepted"},
			engine.LegTransfer{Status: 100, Text: "100 Trying"},
			engine.LegTransfer{Status: 486, Final: true, Text: "486 Busy Here"},
		)
		tc.leg.Hangup(engine.CauseNormal)
		if err := party.Refer(directory.NumberAddress("+49302")); !errors.Is(err, engine.ErrLegGone) {
			t.Errorf("a leg that is gone: %v", err)
		}
	}
}

// A call may only take the place of one of its own account.
func TestReplacesOfAnAccount(t *testing.T) {
	t.Parallel()
	h := transferring(t)
	out, leg := h.talking(newPhone(t, phone.Config{}), "g0", as("alice"))
	place, err := out.Place()
	must(t, err)
	// The server is the one that is asked: its tag is the other one.
	named, err := dialog.ParseReplaces(place.Value)
	must(t, err)
	refused := func(p *phone.Phone, o phone.CallOptions) {
		t.Helper()
		no, err := p.Dial(h.uri("whoever"), o)
		must(t, err)
		ended, err := no.WaitEnd(t.Context())
		must(t, err)
		if ended.Status != 481 {
			t.Errorf("%+v, want 481", ended)
		}
	}
	refused(newPhone(t, phone.Config{}), as("eve", place))
	named.From += "x"
	refused(newPhone(t, phone.Config{}), as("bob", dialog.Header{Name: "Replaces", Value: named.String()}))
	h.mu.Lock()
	got := h.refused
	h.mu.Unlock()
	if len(got) != 2 || !strings.Contains(got[0].Reason, `is not of its account "acme"`) || !strings.Contains(got[1].Reason, "is not there, or not as it must be") {
		t.Errorf("timelines: %+v", got)
	}

	in, err := newPhone(t, phone.Config{}).Dial(h.uri("whoever"), as("bob", place))
	must(t, err)
	instead := h.next()
	if instead.Replaces != leg.Leg {
		t.Errorf("it replaces %v", instead.Replaces)
	}
	if diff := cmp.Diff(directory.Address{Kind: directory.KindUser, Value: "w1"}, instead.From); diff != "" {
		t.Errorf("from (-want +got):\n%s", diff)
	}
	must(t, instead.Answer())
	must(t, in.WaitAnswer(t.Context()))
	for _, c := range []*call{leg, instead} {
		c.Hangup(engine.CauseNormal)
	}
}
