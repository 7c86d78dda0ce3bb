// SPDX-License-Identifier: MIT

package store

import (
	"context"
	"sync"
	"time"

	"github.com/callwright/callwright/engine"
)

// Event is an event with the id it has among all events of the server.
type Event struct {
	ID int64
	engine.Event
}

// Events is the table that a Feed reads.
type Events interface {
	// EventsAfter gives up to limit events with an id greater than after, in
	// their order. Once it gave an id, no lower one may appear any more.
	EventsAfter(ctx context.Context, after int64, limit int) ([]Event, error)
	// LastEventID gives the greatest id there is; 0 when there is none.
	LastEventID(ctx context.Context) (int64, error)
}

const (
	// followPage is how many events a follower takes from the table at once.
	followPage = 256
	// followEvery is the least time between two looks at the table, so that a
	// hundred commits a second cost a follower fifty small queries at most.
	followEvery = 20 * time.Millisecond
)

// Feed gives events to those who follow, first what is kept and then what comes.
//
// A follower always reads the table; a commit only wakes it. So what was kept
// and what is live join without gap or duplicate, a slow follower holds up
// nobody, and what is told is durable.
type Feed struct {
	table Events

	mu      sync.Mutex
	changed chan struct{} // closed by the next Wake
	closed  chan struct{}
}

// NewFeed makes a feed of a table.
func NewFeed(table Events) *Feed {
	return &Feed{table: table, changed: make(chan struct{}), closed: make(chan struct{})}
}

// Wake tells the followers that the table may have new events.
func (f *Feed) Wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.changed)
	f.changed = make(chan struct{})
}

// Close ends all followers. It may be called again.
func (f *Feed) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.closed:
	default:
		close(f.closed)
	}
}

// Follow gives every event with an id greater than after, in order and each
// once, and goes on with those that come. A negative after begins with what
// comes next. It returns the error of ctx when that ends, what give returned if
// that was an error, ErrClosed, or why the table could not be read; whoever
// follows again after the last id it was given misses nothing.
func (f *Feed) Follow(ctx context.Context, after int64, give func(id int64, e engine.Event) error) error {
	if after < 0 {
		last, err := f.table.LastEventID(ctx)
		if err != nil {
			return err
		}
		after = last
	}
	for {
		changed := f.next() // before the look, so that no commit is missed
		looked := time.Now()
		events, err := f.table.EventsAfter(ctx, after, followPage)
		if err != nil {
			return f.why(ctx, err)
		}
		for _, e := range events {
			if err := give(e.ID, e.Event); err != nil {
				return err
			}
			after = e.ID
		}
		if len(events) == followPage {
			continue
		}
		select {
		case <-changed:
			sleep(ctx, f.closed, followEvery-time.Since(looked))
		case <-f.closed:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *Feed) next() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// why gives the reason behind a failed look: an end from outside rather than
// what the database made of it.
func (f *Feed) why(ctx context.Context, err error) error {
	select {
	case <-f.closed:
		return ErrClosed
	default:
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// sleep waits for d, for ctx, or for stop if there is one.
func sleep(ctx context.Context, stop <-chan struct{}, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-stop:
	case <-ctx.Done():
	}
}
