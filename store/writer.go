// SPDX-License-Identifier: MIT

package store

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/callwright/callwright/engine"
)

// Database carries out what the Writer hands it.
type Database interface {
	// Write applies changes in their order and in one transaction. Changes
	// that were applied before may come again and must then change nothing. An
	// error that is ErrRefused means that the changes themselves are at fault,
	// and the same ones would be refused for ever; any other, that the database
	// is away. It must heed the end of ctx or bound its time by itself.
	Write(ctx context.Context, changes []engine.Change) error
}

const (
	// groupEvery is the least time between two transactions. The first change
	// after a rest is written at once; under load a transaction takes all that
	// came in this time, of however many calls.
	groupEvery = 3 * time.Millisecond
	// groupSize is how many changes make a transaction full.
	groupSize = 4096
	// retryFirst and retryMost bound the pause between two tries while the
	// database takes nothing; it doubles.
	retryFirst = 20 * time.Millisecond
	retryMost  = time.Second
	// backlog is how many changes may wait before the writer says that the
	// database is too slow; some ten seconds of a thousand calls a second.
	backlog = 100_000
)

// Writer is the one that writes to a database: the engine's Journal. It takes
// changes without waiting and applies them in their order on one goroutine,
// those of many calls in one transaction.
//
// When the database fails, the changes stay in memory, in order, and are tried
// again until they are taken or Close gives up. Nothing is dropped and nothing
// overtakes; Durable waits, Health tells why, and the log has one line when the
// trouble begins and one when it is over. What bounds the memory is that nobody
// starts new calls while Health gives an error: only those that are up go on
// adding to it.
type Writer struct {
	db        Database
	log       *slog.Logger
	committed func()

	mu       sync.Mutex
	queue    [][]engine.Change // what was appended together, oldest first
	waiting  int               // changes in the queue
	appended uint64            // entries that ever came into the queue
	durable  uint64            // entries that ever left it
	trouble  error             // why the last try failed; nil when it did not
	news     chan struct{}     // closed by the next commit

	wake chan struct{} // there is something to write
	life lifetime
}

// lifetime is how a Writer is told to end: stop asks it to finish, abort to
// leave off, done tells that it has.
type lifetime struct {
	once  sync.Once
	stop  chan struct{}
	abort context.CancelFunc
	done  chan struct{}
}

// WriterConfig is what a Writer is made of.
type WriterConfig struct {
	// Database is written to.
	Database Database
	// Journal is the folder of the journal; it is made when it is not there.
	Journal string
	// Log takes what an operator should know.
	Log *slog.Logger
	// Committed is called after every transaction, by one goroutine at a time.
	Committed func()
}

// StartWriter starts to write to a database. Only Close ends it, not the end of
// ctx: what is appended until then must still be written. The error is a
// sentence for the operator.
func StartWriter(ctx context.Context, c WriterConfig) (*Writer, error) {
	if err := os.MkdirAll(c.Journal, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the journal: %w", err)
	}
	ctx, abort := context.WithCancel(context.WithoutCancel(ctx))
	w := &Writer{
		db:        c.Database,
		log:       c.Log,
		committed: c.Committed,
		news:      make(chan struct{}),
		wake:      make(chan struct{}, 1),
		life:      lifetime{stop: make(chan struct{}), abort: abort, done: make(chan struct{})},
	}
	go w.run(ctx)
	return w, nil
}

// Append takes changes that belong together. They must not be altered
// afterwards. Whoever appends after Close finds the loss in the log.
func (w *Writer) Append(changes ...engine.Change) {
	if len(changes) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopping() {
		w.log.Error("changes came after the store was closed and are not kept", "changes", len(changes), "call", callOf(changes[0]))
		return
	}
	w.queue = append(w.queue, append([]engine.Change(nil), changes...))
	w.waiting += len(changes)
	w.appended++
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// callOf gives the id of the call that a change is of.
func callOf(change engine.Change) engine.ID {
	switch c := change.(type) {
	case engine.RecordSaved:
		return c.Record.ID
	case engine.EventAdded:
		return c.Event.Call
	}
	return engine.ID{}
}

// Durable returns nil when everything appended before is committed. Otherwise
// the error says what it waited for: that of ctx, with the database's trouble
// if there is any, or ErrClosed.
func (w *Writer) Durable(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for target := w.appended; w.durable < target; {
		news := w.news
		w.mu.Unlock()
		ended := false
		select {
		case <-news:
		case <-w.life.done:
			ended = true
		case <-ctx.Done():
		}
		w.mu.Lock()
		switch {
		case w.durable >= target:
		case ended:
			return fmt.Errorf("wait for the journal: %w", ErrClosed)
		case ctx.Err() != nil && w.trouble != nil:
			return fmt.Errorf("wait for the journal: %w: %w", ctx.Err(), w.trouble)
		case ctx.Err() != nil:
			return fmt.Errorf("wait for the journal: %w", ctx.Err())
		}
	}
	return nil
}

// Health gives nil while changes are written as they come, else a sentence for
// the operator. No new calls should be taken until it is nil again.
func (w *Writer) Health() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.trouble != nil:
		return fmt.Errorf("the database takes no changes, %d wait in memory: %w", w.waiting, w.trouble)
	case w.waiting > backlog:
		return fmt.Errorf("the database is too slow, %d changes wait in memory", w.waiting)
	}
	return nil
}

// Close writes what is left and ends the writer. When ctx ends before that, the
// error says how many changes were lost, and why. It may be called again.
func (w *Writer) Close(ctx context.Context) error {
	w.mu.Lock()
	w.life.once.Do(func() { close(w.life.stop) })
	w.mu.Unlock()
	select {
	case <-w.life.done:
	case <-ctx.Done():
	}
	w.life.abort()
	<-w.life.done

	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting > 0 {
		return fmt.Errorf("close the journal: %d changes were not written: %w", w.waiting, cmp.Or(w.trouble, context.Cause(ctx), ErrClosed))
	}
	return nil
}

// run writes group after group until there is nothing left and stop is closed,
// or until ctx ends.
func (w *Writer) run(ctx context.Context) {
	defer close(w.life.done)
	pause := retryFirst
	for w.ready(ctx) {
		began := time.Now()
		entries, changes := w.group()
		if err := w.db.Write(ctx, changes); err != nil {
			w.failed(ctx, err)
			sleep(ctx, nil, pause)
			pause = min(2*pause, retryMost)
			continue
		}
		pause = retryFirst
		w.written(entries, len(changes))
		w.committed()
		sleep(ctx, w.life.stop, groupEvery-time.Since(began))
	}
}

// ready waits until there is something to write; false means there never will be.
func (w *Writer) ready(ctx context.Context) bool {
	for ctx.Err() == nil {
		w.mu.Lock()
		some, stopping := len(w.queue) > 0, w.stopping()
		w.mu.Unlock()
		if some || stopping {
			return some
		}
		select {
		case <-w.wake:
		case <-w.life.stop:
		case <-ctx.Done():
		}
	}
	return false
}

// stopping says whether Close was called; mu is held, so nothing is appended
// behind its back.
func (w *Writer) stopping() bool {
	select {
	case <-w.life.stop:
		return true
	default:
		return false
	}
}

// group gives the changes at the head of the queue, never a part of what was
// appended together. They stay in the queue until they are written.
func (w *Writer) group() (entries int, changes []engine.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, entry := range w.queue {
		if entries > 0 && len(changes)+len(entry) > groupSize {
			break
		}
		entries++
		changes = append(changes, entry...)
	}
	return entries, changes
}

// failed notes that the database refused a group; it is said once.
func (w *Writer) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // Close gave up: its error says so
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trouble == nil {
		w.log.Error("the database takes no changes; they wait in memory and are tried again", "err", err, "waiting", w.waiting)
	}
	w.trouble = err
}

// written takes a group out of the queue and tells those who wait in Durable.
func (w *Writer) written(entries, changes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.queue[:entries]) // the changes are free to go
	w.queue = w.queue[entries:]
	w.waiting -= changes
	w.durable += uint64(entries)
	if w.trouble != nil {
		w.log.Info("the database takes changes again", "written", changes, "waiting", w.waiting)
		w.trouble = nil
	}
	close(w.news)
	w.news = make(chan struct{})
}

var _ engine.Journal = (*Writer)(nil)
