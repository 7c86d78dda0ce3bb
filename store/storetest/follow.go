// SPDX-License-Identifier: MIT

package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

var errEnough = errors.New("enough")

// collect follows until it was given n events, and demands rising ids.
func collect(t testing.TB, s Store, after int64, n int) []engine.Event {
	t.Helper()
	var got []engine.Event
	if n == 0 {
		return nil
	}
	err := s.Follow(waiting(t), after, func(id int64, e engine.Event) error {
		if id <= after {
			t.Errorf("id %d came after %d", id, after)
		}
		after = id
		if got = append(got, e); len(got) == n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Errorf("follow after %d events: %v", len(got), err)
	}
	return got
}

// eventIDs gives the ids of the first n events.
func eventIDs(t testing.TB, s Store, n int) (ids []int64) {
	t.Helper()
	err := s.Follow(waiting(t), 0, func(id int64, _ engine.Event) error {
		if ids = append(ids, id); len(ids) == n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Errorf("follow after %d events: %v", len(ids), err)
	}
	return ids
}

// followers begin at different times and places while events come, and two of
// them break off and go on where they stopped.
func followers(t *testing.T, db Database) {
	const calls, events, many = 60, 10, 8
	s := fresh(t, db)
	appendCall := func() {
		r := ringing()
		s.Append(begun(r, 1)...)
		for seq := 2; seq <= events; seq++ {
			s.Append(added(happened(r.ID, seq)))
		}
	}
	for range calls / 2 {
		appendCall()
	}
	got := make([][]engine.Event, many)
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() {
			if i%2 == 0 {
				got[i] = collect(t, s, 0, calls*events)
				return
			}
			var last int64
			n := 0
			err := s.Follow(waiting(t), 0, func(id int64, e engine.Event) error {
				last, got[i] = id, append(got[i], e)
				if n++; n == i*50 {
					return errEnough
				}
				return nil
			})
			if !errors.Is(err, errEnough) {
				t.Errorf("follow: %v", err)
			}
			got[i] = append(got[i], collect(t, s, last, calls*events-n)...)
		})
		for range calls / 2 / many {
			appendCall()
		}
	}
	for range calls/2 - many*(calls/2/many) {
		appendCall()
	}
	group.Wait()
	for i := range got {
		if diff := cmp.Diff(got[0], got[i]); diff != "" {
			t.Errorf("follower %d saw something else than the first:\n%s", i, diff)
		}
	}
	seen := map[engine.ID]int{}
	for _, e := range got[0] {
		if e.Seq != seen[e.Call]+1 {
			t.Fatalf("event %d of call %s came after event %d", e.Seq, e.Call, seen[e.Call])
		}
		seen[e.Call] = e.Seq
	}
	if len(seen) != calls {
		t.Errorf("events of %d calls, want %d", len(seen), calls)
	}
}

func slowFollower(t *testing.T, db Database) {
	s := fresh(t, db)
	keep(t, s, begun(ringing(), 1)...)
	const events = 1000
	holding, release := make(chan struct{}), make(chan struct{})
	done := make(chan int)
	go func() {
		n := 0
		err := s.Follow(waiting(t), 0, func(int64, engine.Event) error {
			if n++; n == 1 {
				close(holding)
				<-release
			}
			if n == 1+events {
				return errEnough
			}
			return nil
		})
		if !errors.Is(err, errEnough) {
			t.Errorf("follow: %v", err)
		}
		done <- n
	}()
	<-holding
	r := ringing()
	s.Append(saved(r))
	for seq := 1; seq <= events; seq++ {
		s.Append(added(happened(r.ID, seq)))
	}
	durable(t, s) // while the follower is held
	if n := len(collect(t, s, 0, 1+events)); n != 1+events {
		t.Errorf("another follower got %d events, want %d", n, 1+events)
	}
	close(release)
	if n := <-done; n != 1+events {
		t.Errorf("the slow follower got %d events, want %d", n, 1+events)
	}
}

func followNext(t *testing.T, db Database) {
	s := fresh(t, db)
	old := ringing()
	keep(t, s, begun(old, 5)...)
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() { // new events, until the follower has one
		for seq := 6; ; seq++ {
			s.Append(added(happened(old.ID, seq)))
			if err := s.Durable(waiting(t)); err != nil {
				t.Error(err)
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	if got := collect(t, s, -1, 1); len(got) == 1 && got[0].Seq <= 5 {
		t.Errorf("got event %d, which was there before", got[0].Seq)
	}
	close(stop)
	group.Wait()
}

func followEnds(t *testing.T, db Database) {
	s := fresh(t, db)
	keep(t, s, begun(ringing(), 1)...)
	follow := func(ctx context.Context) (ended <-chan error) {
		waits, result := make(chan struct{}), make(chan error, 1)
		go func() {
			result <- s.Follow(ctx, 0, func(int64, engine.Event) error {
				close(waits)
				return nil
			})
		}()
		<-waits
		return result
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := follow(ctx)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", err)
	}
	ended = follow(waiting(t))
	shut(t, s)
	if err := <-ended; !errors.Is(err, store.ErrClosed) {
		t.Errorf("error is %v, want ErrClosed", err)
	}
}
