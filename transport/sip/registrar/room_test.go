// SPDX-License-Identifier: MIT

package registrar

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
)

// full gives a house in which Alice is at ten places: 10.0.0.0 to 10.0.0.9, each
// with an address and a User-Agent of its own. Those in gone cannot be reached.
func full(t *testing.T, gone ...string) *house {
	t.Helper()
	h := newHouse(t, Config{Reachable: func(p directory.Registration) bool { return !slices.Contains(gone, p.Contact) }})
	for i := range 10 {
		got := h.from(fmt.Sprintf("10.0.0.%d:5060", i), fmt.Sprintf("Contact: <sip:alice@10.0.0.%d>", i), fmt.Sprint("User-Agent: phone ", i))
		if got.Status != 200 {
			t.Fatalf("place %d: %+v", i, got)
		}
	}
	h.kept()
	return h
}

// A new place takes that of a phone which cannot be reached any more, else that
// of what must be the same phone.
func TestRoom(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, source, agent string
		contacts            []string
		gone                []string
		want                []string // what is kept, in words; nothing if it is refused
	}{
		{"a stranger", "10.0.9.9:1", "phone 3", []string{"new"}, nil, nil},
		{"the same address, another phone", "10.0.0.3:1", "phone 9", []string{"new"}, nil, nil},
		{
			"the same phone", "10.0.0.3:1", "phone 3", []string{"new"}, nil,
			[]string{"ended w0 sip:alice@10.0.0.3", "saved w0 sip:new"},
		},
		{
			"the unreachable go before the same phone", "10.0.0.3:1", "phone 3", []string{"new"},
			[]string{"sip:alice@10.0.0.5", "sip:alice@10.0.0.7"},
			[]string{"ended w0 sip:alice@10.0.0.5", "saved w0 sip:new"},
		},
		{
			"two at once", "10.0.0.3:1", "phone 3", []string{"new", "newer"}, []string{"sip:alice@10.0.0.5"},
			[]string{"ended w0 sip:alice@10.0.0.5", "ended w0 sip:alice@10.0.0.3", "saved w0 sip:new", "saved w0 sip:newer"},
		},
		{"three at once are too many", "10.0.0.3:1", "phone 3", []string{"new", "newer", "newest"}, []string{"sip:alice@10.0.0.5"}, nil},
		{
			"what is asked for stays, reachable or not", "10.0.0.3:1", "phone 3", []string{"alice@10.0.0.5", "new"},
			[]string{"sip:alice@10.0.0.5", "sip:new"},
			[]string{"ended w0 sip:alice@10.0.0.3", "saved w0 sip:alice@10.0.0.5", "saved w0 sip:new"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := full(t, tc.gone...)
			headers := []string{"User-Agent: " + tc.agent}
			for _, c := range tc.contacts {
				headers = append(headers, "Contact: <sip:"+c+">")
			}
			got, status := h.from(tc.source, headers...), 200
			if tc.want == nil {
				status = 403
			}
			if n := len(h.contacts()); got.Status != status || n != 10 || status == 200 && len(got.Headers) != 10 {
				t.Errorf("%d %s, %d places", got.Status, got.Phrase, n)
			}
			h.journaled(tc.want...)
		})
	}
}

// A phone that is started anew again and again, each time at another port, takes
// the place that it left, and those of others stay.
func TestRoomForAPhoneThatStartsAnew(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Config{})
	h.from("10.0.0.1:5060", "Contact: <sip:alice@desk>", "User-Agent: desk")
	for i := range 50 {
		got := h.from(fmt.Sprint("192.0.2.1:", 40000+i), fmt.Sprintf("Contact: <sip:alice@192.0.2.1:%d>", 40000+i), "User-Agent: soft")
		if got.Status != 200 {
			t.Fatalf("start %d: %+v", i, got)
		}
	}
	if got := h.contacts(); len(got) != 10 || got[0] != "sip:alice@desk" || got[1] != "sip:alice@192.0.2.1:40041" {
		t.Errorf("alice is at %q", got)
	}
}

// The place of a phone at another node makes room here, but is that node's to
// end: there the phone may be reached.
func TestRoomOfAnotherNode(t *testing.T) {
	t.Parallel()
	var saved []directory.Registration
	for i := range 10 {
		saved = append(saved, directory.Registration{
			Account: "a", User: "w0", Contact: fmt.Sprint("sip:there", i), Source: "tcp:192.0.2.1:5060", Node: "there", Expires: time.Now().Add(time.Hour),
		})
	}
	h := newHouse(t, Config{Saved: saved, Reachable: func(p directory.Registration) bool { return !strings.Contains(p.Contact, "there") }})
	if got := h.from("10.0.0.1:5060", "Contact: <sip:alice@here>"); got.Status != 200 {
		t.Errorf("%+v", got)
	}
	h.journaled("saved w0 sip:alice@here")
	if got := h.contacts(); len(got) != 10 || got[0] != "sip:there1" {
		t.Errorf("alice is at %q", got)
	}
}
