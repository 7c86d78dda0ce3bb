// SPDX-License-Identifier: MIT

package sip

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
	"github.com/google/go-cmp/cmp"
)

// withUsers is a house with two users who may call from anywhere, one of them
// with an app that is asked about what they call, and no trunk from which calls
// come.
func withUsers(t *testing.T, change func(*directory.Entries)) *house {
	t.Helper()
	return newHouse(t, func(_ *house, e *directory.Entries) {
		e.Trunks = []directory.Trunk{{Name: "out", Address: "127.0.0.1:9"}}
		e.Apps = append(e.Apps, directory.App{Key: "out", OutgoingURL: "http://localhost/out"})
		e.Users = []directory.User{
			{ID: "w0", Name: "Alice", Username: "alice", Password: "secret-a"},
			{ID: "w1", Username: "bob", Password: "secret-b", App: "out", CallerID: "+49 40 1"},
		}
		e.Groups = []directory.Group{{ID: "g0", Name: "all", Users: []string{"w0", "w1"}}}
		e.Numbers[0].Users = []string{"w0"}
		if change != nil {
			change(e)
		}
	})
}

// registrar is where phones of the house register.
func (h *house) registrar(network string) string {
	return "sip:" + h.server.Addr(network).String() + ";transport=" + network
}

// phoneOf gives a registered phone of a user.
func (h *house) phoneOf(username, password, network string, contacts ...string) *phone.Phone {
	h.t.Helper()
	p, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: username, Network: network})
	must(h.t, err)
	h.t.Cleanup(func() { _ = p.Close() })
	got, err := p.Register(phone.Registration{
		To: h.registrar(network), Username: username, Password: password, Contacts: contacts, Expires: 300,
	})
	must(h.t, err)
	if got.Status != 200 {
		h.t.Fatalf("%s registers: %+v", username, got)
	}
	return p
}

// ring has the house ring the only place of a user.
func (h *house) ring(user string) *call {
	h.t.Helper()
	contacts := h.server.Contacts(directory.DefaultAccount, user)
	if len(contacts) != 1 {
		h.t.Fatalf("%s is at %q", user, contacts)
	}
	return h.dial(engine.DialRequest{
		Target: engine.Target{Address: directory.Address{Kind: directory.KindUser, Value: user}, Contact: contacts[0]}, From: directory.NumberAddress("+4930"),
	})
}

// A phone is rung where it registered from, and everything inside the call goes
// there, whatever its Contact says: behind a NAT that leads nowhere.
func TestRegisteredPhone(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			h := withUsers(t, nil)
			if got := h.server.Contacts(directory.DefaultAccount, "w0"); len(got) != 0 {
				t.Errorf("alice is at %q before", got)
			}
			p := h.phoneOf("alice", "secret-a", network, "<sip:alice@10.255.255.1:5060>")
			leg := h.ring("w0")
			in, err := p.Accept(t.Context())
			must(t, err)
			if in.To.URI != "sip:alice@10.255.255.1:5060" {
				t.Errorf("called as %s", in.To.URI)
			}
			must(t, in.Answer())
			leg.want(engine.LegAnswered{})
			must(t, in.WaitAnswer(t.Context()))
			leg.Hangup(engine.CauseNormal)
			if _, err := in.WaitEnd(t.Context()); err != nil {
				t.Error(err)
			}
			leg.want(engine.LegEnded{Cause: engine.CauseNormal, Figures: media.Figures{Sent: 7}})
			got, err := p.Register(phone.Registration{
				To: h.registrar(network), Username: "alice", Password: "secret-a", Contacts: []string{"*"},
			})
			must(t, err)
			if got.Status != 200 || len(h.server.Contacts(directory.DefaultAccount, "w0")) != 0 {
				t.Errorf("taken back: %+v", got)
			}
		})
	}
}

// A connection that is gone cannot be rung over; the phone is offline, unless
// its contact is at the same address.
func TestConnectionGone(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	behind := h.phoneOf("alice", "secret-a", "tcp", "<sip:alice@10.255.255.1:5060>")
	open := h.phoneOf("bob", "secret-b", "tcp")
	must(t, behind.Close())
	must(t, open.Close())
	for deadline := time.Now().Add(patience); len(h.server.Contacts(directory.DefaultAccount, "w0")) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("alice is still there")
		}
	}
	_, err := h.server.Dial(engine.DialRequest{Account: directory.DefaultAccount, Target: engine.Target{Address: directory.Address{Kind: directory.KindUser, Value: "w0"}}})
	var refused *engine.DialError
	if !errors.As(err, &refused) || refused.Cause != engine.CauseOffline {
		t.Errorf("%v", err)
	}
	if got := h.server.Contacts(directory.DefaultAccount, "w1"); len(got) != 1 {
		t.Errorf("bob is at %q", got)
	}
}

// The configured contact is rung besides the registered ones.
func TestStaticContact(t *testing.T) {
	t.Parallel()
	h := withUsers(t, func(e *directory.Entries) { e.Users[0].Contact = "sip:desk@127.0.0.1:9" })
	h.phoneOf("alice", "secret-a", "udp", "<sip:alice@10.0.0.1>")
	if diff := cmp.Diff([]string{"sip:alice@10.0.0.1", "sip:desk@127.0.0.1:9"}, h.server.Contacts(directory.DefaultAccount, "w0")); diff != "" {
		t.Errorf("contacts (-want +got):\n%s", diff)
	}
}

// A user calls with its credentials, from wherever; what From says is not
// believed.
func TestUserCalls(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	alice, _ := h.server.cfg.Directory.User(directory.DefaultAccount, "w0")
	bob, _ := h.server.cfg.Directory.User(directory.DefaultAccount, "w1")
	fromAlice, fromBob := alice.Address(), bob.Address()
	ours, _ := h.server.cfg.Directory.Number(directory.DefaultAccount, "+4921112345")
	for _, tc := range []struct {
		dialled string
		user    directory.User
		want    engine.Arrival
	}{
		{"w1", alice, engine.Arrival{From: fromAlice, To: directory.Address{Kind: directory.KindUser, Value: "w1", Number: "+49401"}}},
		{"bob", alice, engine.Arrival{From: fromAlice, To: directory.Address{Kind: directory.KindUser, Value: "w1", Number: "+49401"}}},
		{"g0", alice, engine.Arrival{From: fromAlice, To: directory.Address{Kind: directory.KindGroup, Value: "g0", Name: "all"}}},
		{"004921112345", alice, engine.Arrival{From: fromAlice, To: directory.NumberAddress("+4921112345"), Number: ours}},
		{"+4921112345", bob, engine.Arrival{From: fromBob, To: directory.NumberAddress("+4921112345")}},
		{"0301234", alice, engine.Arrival{From: fromAlice, To: directory.NumberAddress("0301234")}},
		{"+4930", bob, engine.Arrival{From: fromBob, To: directory.NumberAddress("+4930")}},
		{"112", bob, engine.Arrival{From: fromBob, To: directory.NumberAddress("112")}},
	} {
		p := newPhone(t, phone.Config{})
		out, err := p.Dial(h.uri(tc.dialled), phone.CallOptions{
			From: dialog.Party{Name: "Eve", URI: "sip:+49999@test"}, Username: tc.user.Username, Password: tc.user.Password,
		})
		must(t, err)
		leg := h.next()
		tc.want.Account, tc.want.Caller, tc.want.Dialled, tc.want.MaxForwards = directory.DefaultAccount, tc.user, tc.dialled, 70
		if diff := cmp.Diff(tc.want, leg.Arrival); diff != "" {
			t.Errorf("%s dials %s (-want +got):\n%s", tc.user.ID, tc.dialled, diff)
		}
		must(t, leg.Answer())
		must(t, out.WaitAnswer(t.Context()))
		leg.Hangup(engine.CauseNormal)
		if _, err := out.WaitEnd(t.Context()); err != nil {
			t.Error(err)
		}
	}
	p := newPhone(t, phone.Config{})
	out, err := p.Dial(h.uri("w1"), phone.CallOptions{
		Headers: []dialog.Header{{Name: "Privacy", Value: "id"}}, Username: "alice", Password: "secret-a",
	})
	must(t, err)
	leg := h.next()
	if leg.From != directory.Anonymous() || leg.Caller.ID != "w0" {
		t.Errorf("withheld: from %+v by %q", leg.From, leg.Caller.ID)
	}
	must(t, leg.Progress(false))
	must(t, out.WaitRinging(t.Context()))
	out.Hangup() // a CANCEL shows no credentials
	leg.want(engine.LegEnded{Cause: engine.CauseCancelled, Remote: true, Figures: media.Figures{Sent: 7}})
}

// What users may not is refused, with a line in the log that says what to do.
func TestUserRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, dialled, username, password string
		change                            func(*directory.Entries)
		status                            int
		says                              string
	}{
		{"nobody of that name", "carol", "alice", "secret-a", nil, 404, `w0 dialled \"carol\", which is no user, group or number; the nearest number is \"+4921112345\"`},
		{"no trunk", "0301234", "alice", "secret-a", func(e *directory.Entries) { e.Trunks = nil }, 404, "no trunk has an address"},
		{"wrong password", "w1", "alice", "wrong", nil, 401, "the username or the password is wrong"},
		{"no such user", "w1", "carol", "secret-a", nil, 401, `no user has that username, the nearest one is \"alice\"`},
		{"nobody may call", "w1", "alice", "secret-a", func(e *directory.Entries) { e.Users = nil; e.Groups = nil; e.Numbers = nil }, 403, "or give a user a username"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := withUsers(t, tc.change)
			p := newPhone(t, phone.Config{})
			out, err := p.Dial(h.uriByTCP(tc.dialled), phone.CallOptions{Username: tc.username, Password: tc.password})
			must(t, err)
			var ended *phone.EndedError
			if err := out.WaitAnswer(t.Context()); !errors.As(err, &ended) || ended.Status != tc.status {
				t.Errorf("%v, want %d", err, tc.status)
			}
			must(t, h.server.Close())
			if log := h.log.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, tc.says) {
				t.Errorf("log:\n%s", log)
			}
			if got := h.refused; len(got) != 1 || got[0].Status != tc.status || !strings.Contains(strconv.Quote(got[0].Reason), tc.says) {
				t.Errorf("records of refused calls: %v, want one", got)
			}
		})
	}
}

// A source of a trunk is a trunk's, unless it shows that it is a user's.
func TestTrunkOrUser(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(_ *house, e *directory.Entries) {
		e.Users = []directory.User{{ID: "w0", Username: "alice", Password: "secret-a"}}
	})
	h.phoneOf("alice", "secret-a", "udp")
	_, err := newPhone(t, phone.Config{}).Dial(h.uri("+4921112345"), phone.CallOptions{})
	must(t, err)
	leg := h.next()
	if leg.Trunk != "test" || leg.Caller.ID != "" {
		t.Errorf("arrival %+v", leg.Arrival)
	}
	leg.Hangup(engine.CauseBusy)
}

// A carrier that calls from an address that nobody has named is asked for a
// password like anybody, and the operator is told; who is called by a user's name
// is not worth a line.
func TestCarrierFromANewAddress(t *testing.T) {
	t.Parallel()
	h := withUsers(t, func(e *directory.Entries) {
		e.Trunks[0].AllowFrom = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	for _, from := range []string{"bob", "+4930111"} {
		p, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: from})
		must(t, err)
		t.Cleanup(func() { _ = p.Close() })
		c, err := p.Dial(h.uriByTCP("+4921112345"), phone.CallOptions{})
		must(t, err)
		var ended *phone.EndedError
		if err := c.WaitAnswer(t.Context()); !errors.As(err, &ended) || ended.Status != 401 {
			t.Errorf("%s: %v, want 401", from, err)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.refused) != 1 || !strings.Contains(h.refused[0].Reason, `no trunk has 127.0.0.1 in its allow_from, the nearest network is 192.0.2.0/24 of trunk "out"`) {
		t.Errorf("refused %+v", h.refused)
	}
}

// Who calls from the address of a trunk without its certificate is asked for a
// password, and the operator is told what was missing.
func TestTrunkWithoutItsName(t *testing.T) {
	t.Parallel()
	h := withUsers(t, func(e *directory.Entries) {
		e.Trunks = append(e.Trunks, directory.Trunk{
			Name: "sbc", AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, TLS: directory.TrunkTLS{ClientName: "sbc.test"},
		})
	})
	c, err := newPhone(t, phone.Config{}).Dial(h.uriByTCP("+4921112345"), phone.CallOptions{})
	must(t, err)
	var ended *phone.EndedError
	if err := c.WaitAnswer(t.Context()); !errors.As(err, &ended) || ended.Status != 401 {
		t.Errorf("%v, want 401", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.refused) != 1 || !strings.Contains(h.refused[0].Reason, `in the name of "sbc.test" (trunks[].tls.client_name)`) {
		t.Errorf("refused %+v", h.refused)
	}
}
