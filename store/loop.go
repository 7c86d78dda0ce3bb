// SPDX-License-Identifier: MIT

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store/journal"
)

const (
	// retryFirst and retryMost bound the pause between two tries while the
	// database, or the journal, takes nothing; it doubles.
	retryFirst = 20 * time.Millisecond
	retryMost  = time.Second
	// silence is how long changes wait for a transaction that is under way
	// before they go to the journal: less than a caller is kept waiting for the
	// record of a question.
	silence = 2 * time.Second
)

// loop is what the Writer's goroutine knows. One transaction at a time is under
// way; meanwhile, as long as the database is away, changes go to the journal.
type loop struct {
	*Writer
	flight   *flight       // the transaction under way, or nil
	rest     time.Time     // no group is taken from the queue before
	tryAt    time.Time     // the database is not tried before, while it is away
	pause    time.Duration // behind the next try that fails
	answered time.Time     // when the database took something again; zero when it did not at the last try
	replayed int           // changes of the journal that were written since it went away
}

// flight is a transaction that is under way.
type flight struct {
	live  [][]engine.Change // those of the queue that it writes; nil when they went to the journal meanwhile
	batch journal.Batch     // or those of the journal
	holds bool              // the queue waits for it
	began time.Time
	done  chan error
}

// run writes until there is nothing left and stop is closed, or until ctx ends.
func (w *Writer) run(ctx context.Context) {
	defer close(w.life.done)
	writes, cancel := context.WithCancel(ctx)
	defer cancel()
	l := &loop{Writer: w, pause: retryFirst}
	for ctx.Err() == nil && l.step(ctx, writes) {
	}
	cancel()
	l.leave()
}

// step does the next thing there is to do, or waits for one; false means that
// nothing is left.
func (l *loop) step(ctx, writes context.Context) bool {
	some, stopping := l.pending()
	now, away := time.Now(), l.away()
	switch {
	case l.flight != nil && l.flight.holds:
		l.await(ctx, max(l.flight.began.Add(silence).Sub(now), 1), false, true)
	case stopping && !some && (away || l.flight == nil):
		return false
	case away && l.flight == nil && !now.Before(l.tryAt):
		l.try(writes)
	case some && !now.Before(l.rest):
		l.rest = now.Add(groupEvery)
		if away {
			l.keep()
		} else {
			l.launch(writes, &flight{live: l.group()})
		}
	default:
		l.await(ctx, l.until(now, some, away), !some, stopping)
	}
	return true
}

// until gives how long there is nothing to do if nothing happens; 0 means for
// ever.
func (l *loop) until(now time.Time, some, away bool) time.Duration {
	var next time.Time
	if some {
		next = l.rest
	}
	if away && l.flight == nil && (next.IsZero() || l.tryAt.Before(next)) {
		next = l.tryAt
	}
	if next.IsZero() {
		return 0
	}
	return max(next.Sub(now), 1)
}

// await waits for the transaction under way, for a time, and for what else may
// happen.
func (l *loop) await(ctx context.Context, limit time.Duration, forMore, stopping bool) {
	var timer <-chan time.Time
	if limit != 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		timer = t.C
	}
	var done chan error
	if l.flight != nil {
		done = l.flight.done
	}
	wake, stop := l.wake, l.life.stop
	if !forMore {
		wake = nil
	}
	if stopping {
		stop = nil
	}
	select {
	case err := <-done:
		l.landed(err)
	case <-timer:
		if f := l.flight; f != nil && f.holds && time.Since(f.began) >= silence {
			l.silent(f)
		}
	case <-wake:
	case <-stop:
	case <-ctx.Done():
	}
}

// launch begins a transaction.
func (l *loop) launch(ctx context.Context, f *flight) {
	f.began, f.done = time.Now(), make(chan error, 1)
	entries := f.batch.Entries
	if f.live != nil {
		entries, f.holds = f.live, true
	}
	l.flight = f
	go func() { f.done <- l.write(ctx, entries) }()
}

// try asks the database whether it takes the oldest of the journal or, when that
// is empty, of the queue. With the last of a journal that is being replayed, the
// queue waits: it can go to the database right behind.
func (l *loop) try(ctx context.Context) {
	b, err := l.journal.Next(groupSize)
	if err != nil {
		l.failed(err)
		return
	}
	if len(b.Entries) > 0 {
		l.launch(ctx, &flight{batch: b, holds: b.Last && !l.answered.IsZero()})
		return
	}
	if group := l.group(); len(group) > 0 && l.answered.IsZero() {
		l.launch(ctx, &flight{live: group})
		return
	}
	l.back()
}

// silent lets the queue wait no longer for a transaction. What comes of that is
// still awaited: two at a time could overtake each other.
func (l *loop) silent(f *flight) {
	f.holds = false
	if f.live != nil {
		f.live = nil
		l.failed(fmt.Errorf("it did not answer within %v", silence))
	}
}

// landed deals with the end of a transaction.
func (l *loop) landed(err error) {
	f := l.flight
	l.flight = nil
	if err == nil && f.live == nil && len(f.batch.Entries) > 0 {
		err = l.journal.Done(f.batch)
		l.replayed += f.batch.Changes
	}
	if err != nil {
		l.failed(err)
		return
	}
	if f.live != nil {
		l.taken(f.live)
	}
	l.committed()
	if !l.away() {
		return
	}
	l.tryAt, l.pause = time.Time{}, retryFirst
	if l.answered.IsZero() {
		l.answered = time.Now()
	}
	if l.journal.Empty() {
		l.back()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trouble.kept, l.trouble.size = l.journal.Waiting(), l.journal.Size()
	l.tell()
}

// keep puts a group into the journal.
func (l *loop) keep() {
	group := l.group()
	err := l.journal.Append(group)
	if err == nil {
		l.taken(group)
	} else {
		l.rest = time.Now().Add(retryMost)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch stuck := l.trouble.stuck != nil; {
	case err != nil && !stuck:
		l.log.Error("the journal takes no changes either; they wait in memory, and no new calls are taken", "err", err, "waiting", l.waiting)
	case err == nil && stuck:
		l.log.Info("the journal takes changes again", "waiting", l.waiting)
	}
	l.trouble.stuck = err
}

// away says whether the database is.
func (l *loop) away() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.trouble.since.IsZero()
}

// failed notes that the database took nothing; it is said once.
func (l *loop) failed(err error) {
	now := time.Now()
	l.answered = time.Time{}
	l.tryAt = now.Add(l.pause)
	l.pause = min(2*l.pause, retryMost)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.trouble.since.IsZero() {
		l.log.Error("the database takes no changes; they go to the journal until it does", "err", err, "journal", l.journal.Folder())
		l.trouble.since, l.rest = now, now
	}
	l.trouble.away = err
}

// back notes that all is in the database again.
func (l *loop) back() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.log.Info("the database takes changes again, and has what waited in the journal",
		"changes", l.replayed, "away", now.Sub(l.trouble.since).Round(time.Millisecond), "replay", now.Sub(l.answered).Round(time.Millisecond))
	l.trouble = trouble{}
	l.tell()
	l.replayed, l.answered = 0, time.Time{}
}

// leave ends the work: what the queue still has goes to the journal.
func (l *loop) leave() {
	if f := l.flight; f != nil { // broken off, or about to end by itself
		err := <-f.done
		l.flight = nil
		switch {
		case err == nil && f.live != nil:
			l.taken(f.live)
		case err == nil && len(f.batch.Entries) > 0:
			err = l.journal.Done(f.batch)
		}
		if err == nil {
			l.committed()
		}
	}
	for some, _ := l.pending(); some; some, _ = l.pending() {
		group := l.group()
		if err := l.journal.Append(group); err != nil {
			l.mu.Lock()
			l.trouble.stuck = err // Close tells
			l.mu.Unlock()
			break
		}
		l.taken(group)
	}
	if n := l.journal.Waiting(); n > 0 {
		l.log.Warn("changes wait in the journal; the next start writes them to the database", "changes", n, "journal", l.journal.Folder())
	}
	if err := l.journal.Close(); err != nil {
		l.log.Error("the journal could not be closed", "err", err)
	}
}
