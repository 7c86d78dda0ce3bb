// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// await returns when as many connections to the database of s wait for a lock,
// or when something else has come.
func await(t *testing.T, s *Store, waiting int, instead <-chan error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var n int
		err := s.read.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n >= waiting || len(instead) > 0 {
			return
		}
		<-tick.C
	}
}

// TestNoLowerIDAppearsLater has a transaction stop in its midst, when some of
// its events have their ids, while another node writes.
func TestNoLowerIDAppearsLater(t *testing.T) {
	t.Parallel()
	dsn := migrated(t)
	one, other := opened(t, dsn), opened(t, dsn)
	event := func() engine.Event { return engine.Event{Call: engine.NewID(), Seq: 1, At: time.Now()} }
	first, contended, second := event(), event(), event()

	obstacle, err := one.read.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := obstacle.Exec(t.Context(), `INSERT INTO call_events (call, seq, at, kind, text, data) VALUES ($1, 1, now(), '', '', '{}')`, contended.Call.String()); err != nil {
		t.Fatal(err)
	}
	slow, quick := make(chan error, 1), make(chan error, 1)
	go func() {
		changes := []engine.Change{engine.EventAdded{Event: first}, engine.EventAdded{Event: contended}}
		slow <- (&writer{one.write}).Write(t.Context(), changes)
	}()
	await(t, other, 1, slow)
	go func() {
		quick <- (&writer{other.write}).Write(t.Context(), []engine.Change{engine.EventAdded{Event: second}})
	}()
	await(t, other, 2, quick)

	var got []engine.ID
	var last int64
	look := func() {
		events, err := other.EventsAfter(t.Context(), last, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			got, last = append(got, e.Call), e.ID
		}
	}
	look()
	if err := errors.Join(obstacle.Rollback(t.Context()), <-slow, <-quick); err != nil {
		t.Fatal(err)
	}
	look()
	if diff := cmp.Diff([]engine.ID{first.Call, contended.Call, second.Call}, got); diff != "" {
		t.Errorf("who follows gets (-want +got):\n%s", diff)
	}
}

// TestAnAbandonedTurnIsBounded: another node hangs while it has its turn to
// write. Ours gives up in time, and goes on when the turn is over.
func TestAnAbandonedTurnIsBounded(t *testing.T) {
	t.Parallel()
	s := opened(t, cluster.Database(t))
	other, err := s.read.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(t.Context(), takeTurn, turnKey); err != nil {
		t.Fatal(err)
	}
	_, changes := began("sample")
	limited, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := (&writer{s.write}).Write(limited, changes); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrRefused) {
		t.Errorf("Write gives %v, want the deadline", err)
	}
	if err := other.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	exercise(t, s)
}
