// SPDX-License-Identifier: MIT

package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
)

// table is a table of fake: ids are 10, 20, 30 …
type table struct {
	mu    sync.Mutex
	rows  int
	looks int
	fails error
}

func (t *table) EventsAfter(_ context.Context, after int64, limit int) ([]Event, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.looks++
	var events []Event
	for i := int(after/10) + 1; i <= t.rows && len(events) < limit; i++ {
		events = append(events, Event{ID: int64(10 * i), Event: engine.Event{Seq: i}})
	}
	return events, t.fails
}

func (t *table) LastEventID(context.Context) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int64(10 * t.rows), t.fails
}

func (t *table) add(rows int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows += rows
}

// follower follows in a goroutine; what it got may be read after synctest.Wait.
type follower struct {
	seqs  []int
	ended chan error
}

func follow(ctx context.Context, f *Feed, after int64) *follower {
	fw := &follower{ended: make(chan error, 1)}
	go func() {
		fw.ended <- f.Follow(ctx, after, func(_ int64, e engine.Event) error {
			fw.seqs = append(fw.seqs, e.Seq)
			return nil
		})
	}()
	return fw
}

func TestFollowPagesThenLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tab := &table{rows: 2 * followPage} // full pages only
		feed := NewFeed(tab)
		defer feed.Close()
		ctx, cancel := context.WithCancel(t.Context())
		all, last, next := follow(ctx, feed, 0), follow(ctx, feed, 10), follow(ctx, feed, -1)
		synctest.Wait()
		tab.add(3)
		feed.Wake()
		time.Sleep(followEvery)
		synctest.Wait()
		want := upTo(2*followPage + 3)
		if diff := cmp.Diff(want, all.seqs); diff != "" {
			t.Errorf("from the beginning (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want[1:], last.seqs); diff != "" {
			t.Errorf("after the first (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want[2*followPage:], next.seqs); diff != "" {
			t.Errorf("from what comes (-want +got):\n%s", diff)
		}
		cancel()
		if err := <-all.ended; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v, want context.Canceled", err)
		}
	})
}

func TestManyCommitsAreFewLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tab := &table{}
		feed := NewFeed(tab)
		defer feed.Close()
		fw := follow(t.Context(), feed, 0)
		for range 1000 { // a second of commits
			tab.add(1)
			feed.Wake()
			time.Sleep(time.Millisecond)
		}
		time.Sleep(followEvery)
		synctest.Wait()
		if diff := cmp.Diff(upTo(1000), fw.seqs); diff != "" {
			t.Errorf("got (-want +got):\n%s", diff)
		}
		if most := int(time.Second/followEvery) + 3; tab.looks > most {
			t.Errorf("%d looks at the table, want at most %d", tab.looks, most)
		}
		looks := tab.looks
		time.Sleep(time.Hour)
		synctest.Wait()
		if tab.looks != looks {
			t.Errorf("%d looks in an hour without a commit, want none", tab.looks-looks)
		}
		feed.Close()
		if err := <-fw.ended; !errors.Is(err, ErrClosed) {
			t.Errorf("ended with %v, want ErrClosed", err)
		}
		if err := feed.Follow(t.Context(), 0, func(int64, engine.Event) error { return nil }); !errors.Is(err, ErrClosed) {
			t.Errorf("a new follower ends with %v, want ErrClosed", err)
		}
	})
}

func TestFollowTellsWhyTheTableCannotBeRead(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, after := range []int64{-1, 0} {
		feed := NewFeed(&table{fails: broken})
		err := feed.Follow(t.Context(), after, func(int64, engine.Event) error { return nil })
		if !errors.Is(err, broken) {
			t.Errorf("after %d: %v, want why", after, err)
		}
	}
}
