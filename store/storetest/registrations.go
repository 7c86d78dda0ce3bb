// SPDX-License-Identifier: MIT

package storetest

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// kept demands that these registrations are there and no other.
func kept(t testing.TB, s Store, want ...directory.Registration) {
	t.Helper()
	got, err := s.Registrations(waiting(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("registrations (-want +got):\n%s", diff)
	}
}

func registrations(t *testing.T, db Database) {
	place := db.Create(t)
	s := open(t, db, place)
	kept(t, s)
	first := fullRegistration()
	demandFull(t, reflect.ValueOf(first), "Registration")
	second, other, foreign, expired := first, first, first, first
	second.Contact = "sip:Zed"
	other.User = "w1"
	foreign.Account = "zoo"
	expired.Contact, expired.Expires = "sip:old", time.Now().Add(-time.Second)
	keep(t, s, registered(foreign), registered(expired), registered(other), registered(second), registered(first))
	kept(t, s, second, first, other, foreign)

	again := directory.Registration{Account: first.Account, User: first.User, Contact: first.Contact, Expires: first.Expires.Add(time.Minute)}
	keep(t, s, registered(again)) // all of the first save must be gone
	kept(t, s, second, again, other, foreign)
	keep(t, s, unregistered(second), unregistered(second), unregistered(foreign))
	kept(t, s, again, other)

	shut(t, s)
	kept(t, open(t, db, place), again, other)
}

func registrationReplay(t *testing.T, db Database) {
	s := fresh(t, db)
	one, two := fullRegistration(), fullRegistration()
	two.Contact = "sip:two"
	moved := one
	moved.Source, moved.CSeq = "udp:192.0.2.9:5060", 7
	// Each must have the last word in a transaction of its own and in one with
	// all that was before.
	journal := []engine.Change{
		registered(one), unregistered(one), registered(two), registered(one), registered(moved), unregistered(two),
	}
	for range 2 {
		keep(t, s, journal...)
		kept(t, s, moved)
	}
	for _, change := range journal {
		keep(t, s, change)
	}
	kept(t, s, moved)
	keep(t, s, unregistered(moved), registered(two), unregistered(one))
	kept(t, s, two)
}

// lateRegistration: a node that could not reach the database brings what a phone
// said before it registered the same contact elsewhere.
func lateRegistration(t *testing.T, db Database) {
	first := fullRegistration()
	first.CSeq = 10
	with := func(change func(*directory.Registration)) directory.Registration {
		r := first
		r.Node = "node-2"
		change(&r)
		return r
	}
	later, earlier := first.Expires.Add(time.Minute), first.Expires.Add(-time.Minute)
	for _, tc := range []struct {
		name  string
		then  directory.Registration
		taken bool
	}{
		{"here, for less time", with(func(r *directory.Registration) { r.Node, r.CallID, r.Expires = first.Node, "b", earlier }), true},
		{"here, by a lower CSeq", with(func(r *directory.Registration) { r.Node, r.CSeq = first.Node, 9 }), true},
		{"elsewhere, by a lower CSeq", with(func(r *directory.Registration) { r.CSeq, r.Expires = 9, later }), false},
		{"elsewhere, by the same CSeq", with(func(*directory.Registration) {}), true},
		{"elsewhere, by a higher CSeq, for less time", with(func(r *directory.Registration) { r.CSeq, r.Expires = 11, earlier }), true},
		{"elsewhere, in another dialog, until earlier", with(func(r *directory.Registration) { r.CallID, r.CSeq, r.Expires = "b", 11, earlier }), false},
		{"elsewhere, in another dialog, until later", with(func(r *directory.Registration) { r.CallID, r.CSeq, r.Expires = "b", 9, later }), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := first
			if tc.taken {
				want = tc.then
			}
			s := fresh(t, db)
			keep(t, s, registered(first))
			kept(t, s, first)
			keep(t, s, registered(tc.then))
			kept(t, s, want)
			keep(t, s, unregistered(first), registered(first), registered(tc.then)) // in one transaction
			kept(t, s, want)
			keep(t, s, unregistered(first), registered(tc.then)) // the end was the end
			kept(t, s, tc.then)
		})
	}
}

// strangeRegistration: a phone may call itself what it likes.
func strangeRegistration(t *testing.T, db Database) {
	s := fresh(t, db)
	long, odd := fullRegistration(), fullRegistration()
	var contact strings.Builder // that no compression makes small
	contact.WriteString("sip:")
	for contact.Len() < 20_000 {
		contact.WriteString(engine.NewID().Hex())
	}
	long.Contact = contact.String()
	odd.Contact, odd.Agent = "a\x00b\xff\xfe", "a\x00b\xff"
	var again directory.Registration // odd as a journal brings it back
	text, err := json.Marshal(odd)
	if err = errors.Join(err, json.Unmarshal(text, &again)); err != nil {
		t.Fatal(err)
	}
	keep(t, s, registered(odd), registered(long))
	keep(t, s, registered(long), registered(again))
	got, err := s.Registrations(waiting(t))
	if err != nil || len(got) != 2 {
		t.Fatalf("got %d registrations, %v, want 2", len(got), err)
	}
	if !strings.HasPrefix(got[0].Agent, "a") || !strings.Contains(got[0].Agent, "b") {
		t.Errorf("got %q, want at least the letters a and b of it", got[0].Agent)
	}
	keep(t, s, unregistered(long), unregistered(odd))
	kept(t, s)
}
