// SPDX-License-Identifier: MIT

package storetest

import (
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// found demands that a filter finds these recordings, newest first.
func found(t testing.TB, s Store, f engine.RecordingFilter, want ...engine.Recording) {
	t.Helper()
	got, next, err := s.Recordings(waiting(t), f, 1000, "")
	if err != nil || next != "" {
		t.Fatalf("next page %q, %v", next, err)
	}
	slices.SortFunc(want, func(a, b engine.Recording) int { return slices.Compare(b.ID[:], a.ID[:]) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recordings of %+v (-want +got):\n%s", f, diff)
	}
}

func recordings(t *testing.T, db Database) {
	place := db.Create(t)
	s := open(t, db, place)
	found(t, s, engine.RecordingFilter{})
	first, plain := fullRecording(), engine.Recording{ID: engine.NewID(), Call: engine.NewID(), StartedAt: moment}
	demandFull(t, reflect.ValueOf(first), "Recording")
	keep(t, s, recorded(first), recorded(plain))
	found(t, s, engine.RecordingFilter{}, first, plain)
	if got, err := s.Recording(waiting(t), "acme", first.ID); err != nil || !cmp.Equal(first, got) {
		t.Errorf("got %+v, %v", got, err)
	}
	for account, id := range map[string]engine.ID{"": first.ID, "zoo": first.ID, "acme": engine.NewID()} {
		if _, err := s.Recording(waiting(t), account, id); !errors.Is(err, store.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("account %q: error is %v, want ErrNotFound", account, err)
		}
	}

	again := engine.Recording{ID: first.ID, Account: "acme", Call: first.Call, StartedAt: moment.Add(time.Second)}
	keep(t, s, recorded(again)) // all of the first save must be gone
	found(t, s, engine.RecordingFilter{}, again, plain)
	keep(t, s, deleted(engine.Recording{ID: again.ID, Account: "zoo"})) // it has no such
	found(t, s, engine.RecordingFilter{}, again, plain)
	keep(t, s, deleted(again), deleted(again))
	found(t, s, engine.RecordingFilter{}, plain)

	shut(t, s)
	found(t, open(t, db, place), engine.RecordingFilter{}, plain)
}

// recordingReplay: each must have the last word in a transaction of its own and
// in one with all that was before, and what is deleted stays so in between.
func recordingReplay(t *testing.T, db Database) {
	s := fresh(t, db)
	one, two := fullRecording(), fullRecording()
	unheard := one
	unheard.HeardAt = nil
	changes := []engine.Change{recorded(unheard), recorded(two), recorded(one), deleted(two), recorded(unheard), recorded(one)}
	for range 2 {
		keep(t, s, changes...)
		found(t, s, engine.RecordingFilter{}, one)
	}
	for _, change := range changes {
		keep(t, s, change)
		if _, err := s.Recording(waiting(t), two.Account, two.ID); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("a replay brought a deleted recording back: %v", err)
		}
	}
	found(t, s, engine.RecordingFilter{}, one)
}

// lateRecording: a node that could not reach the database brings what it knew of
// a recording before another deleted it; its file is gone.
func lateRecording(t *testing.T, db Database) {
	place := db.Create(t)
	s := open(t, db, place)
	r, never, other := fullRecording(), fullRecording(), fullRecording()
	keep(t, s, recorded(r), recorded(other))
	keep(t, s, deleted(r), deleted(never))
	keep(t, s, recorded(r))
	keep(t, s, recorded(never), recorded(other))
	found(t, s, engine.RecordingFilter{}, other)
	keep(t, s, deleted(other), recorded(other)) // in one transaction
	found(t, s, engine.RecordingFilter{})
	shut(t, s)
	s = open(t, db, place)
	keep(t, s, recorded(r), recorded(other))
	found(t, s, engine.RecordingFilter{})
}

func messages(t *testing.T, db Database) {
	s := fresh(t, db)
	counted := func(account, box string, unheard, heard int) {
		t.Helper()
		gotUnheard, gotHeard, err := s.Messages(waiting(t), account, box)
		if err != nil || gotUnheard != unheard || gotHeard != heard {
			t.Errorf("box %s of %s: %d unheard and %d heard, %v, want %d and %d", box, account, gotUnheard, gotHeard, err, unheard, heard)
		}
	}
	counted("acme", "w0", 0, 0)
	add := func(change func(*engine.Recording)) engine.Recording {
		r := fullRecording()
		change(&r)
		s.Append(recorded(r))
		return r
	}
	add(func(*engine.Recording) {})
	heard := add(func(*engine.Recording) {})
	unheard := add(func(r *engine.Recording) { r.HeardAt = nil })
	add(func(r *engine.Recording) { r.Kind = engine.RecordingCall })
	add(func(r *engine.Recording) { r.Box, r.HeardAt = "+4921112345", nil })
	add(func(r *engine.Recording) { r.Account = "zoo" })
	durable(t, s)
	counted("acme", "w0", 1, 2)
	counted("acme", "+4921112345", 1, 0)
	counted("zoo", "w0", 0, 1)
	heard.HeardAt, unheard.HeardAt = nil, heard.HeardAt
	keep(t, s, recorded(unheard))
	counted("acme", "w0", 0, 3)
	keep(t, s, recorded(heard))
	counted("acme", "w0", 1, 2)
	keep(t, s, deleted(heard))
	counted("acme", "w0", 0, 2)
}

func foundRecordings(t *testing.T, db Database) {
	s := fresh(t, db)
	plain, conversation, box, foreign := fullRecording(), fullRecording(), fullRecording(), fullRecording()
	conversation.Kind, conversation.Box = engine.RecordingCall, ""
	box.Box, box.Call = "w1", conversation.Call
	foreign.Account = "zoo"
	keep(t, s, recorded(plain), recorded(conversation), recorded(box), recorded(foreign))
	for _, tc := range []struct {
		f    engine.RecordingFilter
		want []engine.Recording
	}{
		{engine.RecordingFilter{}, []engine.Recording{plain, conversation, box, foreign}},
		{engine.RecordingFilter{ID: box.ID}, []engine.Recording{box}},
		{engine.RecordingFilter{Account: "acme"}, []engine.Recording{plain, conversation, box}},
		{engine.RecordingFilter{Account: "acme", Kind: engine.RecordingMessage}, []engine.Recording{plain, box}},
		{engine.RecordingFilter{Box: "w0"}, []engine.Recording{plain, foreign}},
		{engine.RecordingFilter{Account: "acme", Kind: engine.RecordingMessage, Box: "w0"}, []engine.Recording{plain}},
		{engine.RecordingFilter{Call: conversation.Call}, []engine.Recording{conversation, box}},
		{engine.RecordingFilter{Call: conversation.Call, Kind: engine.RecordingCall}, []engine.Recording{conversation}},
		{engine.RecordingFilter{Account: "' OR 1=1 --"}, nil},
		{engine.RecordingFilter{ID: box.ID, Account: "zoo"}, nil},
	} {
		found(t, s, tc.f, tc.want...)
	}

	var got []engine.ID
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		page, next, err := s.Recordings(waiting(t), engine.RecordingFilter{Account: "acme"}, 2, cursor)
		if err != nil || len(page) > 2 || pages > 2 {
			t.Fatalf("page %d of %d, %v", pages, len(page), err)
		}
		for _, r := range page {
			got = append(got, r.ID)
		}
		cursor = next
	}
	want := []engine.ID{plain.ID, conversation.ID, box.ID}
	slices.SortFunc(want, func(a, b engine.ID) int { return slices.Compare(b[:], a[:]) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("page by page, newest first (-want +got):\n%s", diff)
	}
	if _, _, err := s.Recordings(waiting(t), engine.RecordingFilter{}, 2, "x"); !errors.Is(err, store.ErrCursor) {
		t.Errorf("error is %v, want ErrCursor", err)
	}
}
