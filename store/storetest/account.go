// SPDX-License-Identifier: MIT

package storetest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
)

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
