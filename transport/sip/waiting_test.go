// SPDX-License-Identifier: MIT

package sip

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
	"github.com/google/go-cmp/cmp"
)

// mailbox is where messages wait for everybody.
type mailbox struct{ unheard, heard atomic.Int32 }

func (m *mailbox) Messages(_ context.Context, account, _ string) (int, int, error) {
	if account != directory.DefaultAccount {
		return 0, 0, fmt.Errorf("no account %q", account)
	}
	return int(m.unheard.Load()), int(m.heard.Load()), nil
}

// withMessages is a house with users, and 2 messages unheard and 8 heard for each.
func withMessages(t *testing.T, change func(*house)) *house {
	t.Helper()
	return newHouse(t, func(h *house, e *directory.Entries) {
		e.Trunks = nil
		e.Users = []directory.User{
			{ID: "w0", Name: "Alice", Username: "alice", Password: "secret-a"},
			{ID: "w1", Username: "bob", Password: "secret-b"},
		}
		m := &mailbox{}
		m.unheard.Store(2)
		m.heard.Store(8)
		h.mailboxes = m
		if change != nil {
			change(h)
		}
	})
}

// watching subscribes a phone to the messages of a user, with the credentials of
// alice.
func (h *house) watching(p *phone.Phone, of, network string) *phone.Subscription {
	h.t.Helper()
	s, err := p.Subscribe(phone.Registration{
		To: "sip:" + of + "@" + strings.TrimPrefix(h.registrar(network), "sip:"), Username: "alice", Password: "secret-a",
	})
	must(h.t, err)
	return s
}

func of(r dialog.Response, name string) string {
	for _, h := range r.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

// told takes the next NOTIFY to a phone: its state without seconds, and its body.
func told(t *testing.T, p *phone.Phone) (state, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	n, err := p.Notification(ctx)
	must(t, err)
	if event := n.Header("Event"); !slices.Equal(event, []string{"message-summary"}) || len(n.Header("Contact")) != 1 {
		t.Errorf("event %q contact %q", event, n.Header("Contact"))
	}
	state = strings.Join(n.Header("Subscription-State"), "|")
	return regexp.MustCompile(`expires=\d+`).ReplaceAllString(state, "expires=N"), n.Body
}

// wantTold fails unless that is what a phone is told next.
func (h *house) wantTold(p *phone.Phone, state string, unheard, heard int) {
	h.t.Helper()
	waiting := "no"
	if unheard > 0 {
		waiting = "yes"
	}
	gotState, got := told(h.t, p)
	lines := strings.Split(got, "\r\n")
	want := []string{"Messages-Waiting: " + waiting, "", fmt.Sprintf("Voice-Message: %d/%d (0/0)", unheard, heard), ""}
	if len(lines) == 4 && strings.HasPrefix(lines[1], "Message-Account: sip:alice@127.0.0.1") {
		lines[1] = ""
	}
	if diff := cmp.Diff(want, lines); diff != "" || gotState != state {
		h.t.Fatalf("told %q instead of %q (-want +got):\n%s", gotState, state, diff)
	}
}

const active, timeout = "active;expires=N", "terminated;reason=timeout"

// A phone that subscribes is told at once, when the counts change, when it
// refreshes, and at the end.
func TestSubscribe(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			h := withMessages(t, nil)
			p := newPhone(t, phone.Config{Network: network})
			s := h.watching(p, "alice", network)
			got, err := s.Refresh(300)
			must(t, err)
			if got.Status != 200 || of(got, "Expires") != "300" || of(got, "Contact") == "" {
				t.Fatalf("subscribed: %+v", got)
			}
			h.wantTold(p, active, 2, 8)
			h.server.Indicate(directory.DefaultAccount, "w1", 9, 9)
			h.server.Indicate(directory.DefaultAccount, "w0", 3, 8)
			h.wantTold(p, active, 3, 8)
			got, err = s.Refresh(7 * 24 * 3600)
			must(t, err)
			if got.Status != 200 || of(got, "Expires") != "7200" {
				t.Fatalf("refreshed: %+v", got)
			}
			h.wantTold(p, active, 2, 8)
			got, err = s.Refresh(59)
			must(t, err)
			if got.Status != 423 || of(got, "Min-Expires") != "60" {
				t.Errorf("refreshed too often: %+v", got)
			}
			got, err = s.Refresh(0)
			must(t, err)
			if got.Status != 200 || of(got, "Expires") != "0" {
				t.Errorf("ended: %+v", got)
			}
			h.wantTold(p, timeout, 2, 8)
			if got, err = s.Refresh(300); err != nil || got.Status != 481 {
				t.Errorf("refreshed after the end: %+v, %v", got, err)
			}
			got, err = h.watching(p, "w0", network).Refresh(0) // just once
			must(t, err)
			if got.Status != 200 {
				t.Errorf("fetched: %+v", got)
			}
			state, body := told(t, p)
			if state != timeout || !strings.Contains(body, "Message-Account: sip:w0@") {
				t.Errorf("fetched %q %q", state, body)
			}
		})
	}
}

func TestSubscriptionRefused(t *testing.T) {
	t.Parallel()
	h := withMessages(t, nil)
	p := newPhone(t, phone.Config{})
	cases := []struct {
		of, password string
		headers      []dialog.Header
		status       int
		log          string
	}{
		{of: "alice", password: "secret-b", status: 401, log: "credentials refused"},
		{of: "bob", password: "secret-a", status: 403, log: `w0 wants to know of the messages of \"bob\", and may only of its own`},
		{of: "alice", password: "secret-a", headers: []dialog.Header{{Name: "Accept", Value: "text/plain"}}, status: 406, log: "does not accept"},
		{of: "alice", password: "secret-a", headers: []dialog.Header{{Name: "Require", Value: "eventlist"}}, status: 420, log: "it requires eventlist"},
	}
	for _, tc := range cases {
		s, err := p.Subscribe(phone.Registration{
			To: "sip:" + tc.of + "@" + h.server.Addr("udp").String(), Username: "alice", Password: tc.password,
		})
		must(t, err)
		got, err := s.Refresh(300, tc.headers...)
		must(t, err)
		if got.Status != tc.status {
			t.Errorf("%+v: %+v", tc, got)
		}
	}
	must(t, h.server.Close())
	for _, tc := range cases {
		if !strings.Contains(h.log.String(), tc.log) {
			t.Errorf("%q is not in the log:\n%s", tc.log, h.log.String())
		}
	}
}

// A phone that is registered and has not subscribed is told all the same, where it
// was heard; one that has is told once.
func TestUnsolicited(t *testing.T) {
	t.Parallel()
	const once = "terminated;reason=noresource"
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			h := withMessages(t, nil)
			p := h.phoneOf("alice", "secret-a", network, "<sip:alice@10.255.255.1:5060>")
			h.wantTold(p, once, 2, 8)
			q := h.phoneOf("alice", "secret-a", network)
			h.wantTold(q, once, 2, 8)
			_, err := h.watching(q, "alice", network).Refresh(300)
			must(t, err)
			h.wantTold(q, active, 2, 8)
			for i := range 3 {
				h.server.Indicate(directory.DefaultAccount, "w0", i, 9)
				h.wantTold(p, once, i, 9)
				h.wantTold(q, active, i, 9)
			}
		})
	}
}

// A phone that does not know of its subscription any more has none, and is told
// like one that has not asked.
func TestSubscriptionLost(t *testing.T) {
	t.Parallel()
	h := withMessages(t, nil)
	p := newPhone(t, phone.Config{NotifyStatus: 481})
	s := h.watching(p, "alice", "udp")
	if got, err := s.Refresh(300); err != nil || got.Status != 200 {
		t.Fatalf("%+v, %v", got, err)
	}
	h.wantTold(p, active, 2, 8)
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		got, err := s.Refresh(300)
		must(t, err)
		if got.Status == 481 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", got)
		}
	}
}

// Who subscribed is told that it is over for now.
func TestSubscriptionAtShutdown(t *testing.T) {
	t.Parallel()
	h := withMessages(t, nil)
	p := newPhone(t, phone.Config{})
	if got, err := h.watching(p, "alice", "udp").Refresh(300); err != nil || got.Status != 200 {
		t.Fatalf("%+v, %v", got, err)
	}
	h.wantTold(p, active, 2, 8)
	must(t, h.server.Close())
	h.wantTold(p, "terminated;reason=probation;retry-after=5", 2, 8)
}

// Without mailboxes nobody can subscribe, and nobody is told.
func TestNoMailboxes(t *testing.T) {
	t.Parallel()
	h := withMessages(t, func(h *house) { h.mailboxes = nil })
	p := h.phoneOf("alice", "secret-a", "udp")
	h.server.Indicate(directory.DefaultAccount, "w0", 1, 1)
	got, err := h.watching(p, "alice", "udp").Refresh(300)
	must(t, err)
	if got.Status != 405 || strings.Contains(of(got, "Allow"), "SUBSCRIBE") {
		t.Errorf("%+v", got)
	}
}
