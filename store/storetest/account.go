// SPDX-License-Identifier: MIT

package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

func callsOf(t *testing.T, db Database) {
	s := fresh(t, db)
	want := map[string][]engine.ID{}
	for i := range 12 {
		r := ringing()
		r.Account = []string{"acme", "zoo", "acme"}[i%3]
		want[r.Account] = append(want[r.Account], r.ID)
		s.Append(saved(r), saved(r))
	}
	durable(t, s)
	for account, ids := range want {
		slices.SortFunc(ids, func(a, b engine.ID) int { return slices.Compare(b[:], a[:]) })
		var got []engine.ID
		for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
			page, next, err := s.CallsOf(waiting(t), account, 3, cursor)
			if err != nil || len(page) > 3 || pages > len(ids) {
				t.Fatalf("page %d of %d, %v", pages, len(page), err)
			}
			for _, r := range page {
				got = append(got, r.ID)
			}
			cursor = next
		}
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Errorf("calls of %s, newest first (-want +got):\n%s", account, diff)
		}
	}
	if got, next, err := s.CallsOf(waiting(t), "nobody", 10, ""); len(got) != 0 || next != "" || err != nil {
		t.Errorf("got %d calls, %q, %v of an account that has none", len(got), next, err)
	}
	if _, _, err := s.CallsOf(waiting(t), "acme", 10, "x"); !errors.Is(err, store.ErrCursor) {
		t.Errorf("error is %v, want ErrCursor", err)
	}
}

// eventsOf: the newest event is the one that was added last, of whatever call.
func eventsOf(t *testing.T, db Database) {
	s := fresh(t, db)
	ours, second, foreign := ringing(), ringing(), ringing()
	foreign.Account = "zoo"
	s.Append(saved(ours), saved(second), saved(foreign))
	seq := 0
	for _, add := range []struct {
		call engine.ID
		kind engine.EventKind
	}{
		{ours.ID, engine.EventRequest}, {second.ID, engine.EventRequest}, {foreign.ID, engine.EventRequest}, {ours.ID, engine.EventSIP},
		{second.ID, engine.EventReply}, {ours.ID, engine.EventReply}, {foreign.ID, engine.EventReply},
	} {
		seq++
		e := fullEvent(add.call, seq)
		e.Kind, e.Text = add.kind, fmt.Sprint(seq)
		s.Append(added(e))
	}
	durable(t, s)
	for _, tc := range []struct {
		account string
		kinds   []engine.EventKind
		limit   int
		want    []string
	}{
		{"default", []engine.EventKind{engine.EventRequest, engine.EventReply}, 10, []string{"6", "5", "2", "1"}},
		{"default", []engine.EventKind{engine.EventRequest, engine.EventReply}, 3, []string{"6", "5", "2"}},
		{"default", []engine.EventKind{engine.EventReply}, 10, []string{"6", "5"}},
		{"default", []engine.EventKind{engine.EventReply}, 0, []string{"6"}},
		{"default", nil, 10, nil},
		{"zoo", []engine.EventKind{engine.EventRequest, engine.EventReply, "'"}, 10, []string{"7", "3"}},
		{"nobody", []engine.EventKind{engine.EventRequest}, 10, nil},
	} {
		events, err := s.EventsOf(waiting(t), tc.account, tc.kinds, tc.limit)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range events {
			got = append(got, e.Text)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%v of %s, at most %d (-want +got):\n%s", tc.kinds, tc.account, tc.limit, diff)
		}
	}
	events, err := s.EventsOf(waiting(t), "default", []engine.EventKind{engine.EventReply}, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := fullEvent(ours.ID, 6)
	want.Text, want.Data.Other, want.Data.Recording = "6", events[0].Data.Other, events[0].Data.Recording
	if diff := cmp.Diff([]engine.Event{want}, events); diff != "" {
		t.Errorf("the event (-want +got):\n%s", diff)
	}
}
