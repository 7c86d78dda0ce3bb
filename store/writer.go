// SPDX-License-Identifier: MIT

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store/journal"
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
	// backlog is how many changes may wait in memory before the writer says that
	// the database is too slow; some ten seconds of a thousand calls a second.
	backlog = 100_000
	// journalLimit is how long the files of the journal may be together before
	// the writer says so: hours of a busy machine, and not yet a full disk.
	journalLimit = 1 << 30
)

// Writer is the one that writes to a database: the engine's Journal. It takes
// changes without waiting and applies them in their order on one goroutine,
// those of many calls in one transaction.
//
// When the database fails or is silent, the changes go to a journal on the
// local disk instead, synced, and so are durable all the same. The Writer goes
// on to try the database; when it is back the journal is replayed in order, then
// changes go straight to the database again. Nothing is dropped, nothing
// overtakes, and memory does not grow with the time that the database is away.
// What a journal still holds at a start is written before StartWriter returns.
//
// A change that the database refuses for its own sake is put aside in a file
// and does not hold up the others. Away says how the database is, Health whether
// new calls may come, and the log has one line when a trouble begins and one when it
// is over.
type Writer struct {
	db        Database
	log       *slog.Logger
	committed func()
	limit     int64            // of the journal
	journal   *journal.Journal // in the hands of run

	mu       sync.Mutex
	queue    [][]engine.Change // what was appended together, oldest first
	waiting  int               // changes in the queue
	appended uint64            // changes that ever came into the queue
	durable  uint64            // changes that ever left it
	trouble  trouble
	news     chan struct{} // closed when changes leave the queue or the journal

	wake chan struct{} // there is something to write
	life lifetime
}

// trouble is what keeps a Writer from writing to the database.
type trouble struct {
	since time.Time // when the database went away; zero while it is there
	away  error     // why it took nothing at the last try
	stuck error     // why the journal takes nothing either; nil when it does
	kept  int       // changes in the journal
	size  int64     // of the journal
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
	// Journal is the folder of the journal; it is made when it is not there. No
	// two Writers may use the same at a time.
	Journal string
	// JournalLimit is how many bytes the journal may have before Health gives an
	// error; 0 means 1 GiB. Calls that are up are still kept then.
	JournalLimit int64
	// Log takes what an operator should know.
	Log *slog.Logger
	// Committed is called after every transaction, by one goroutine at a time.
	Committed func()
}

// StartWriter writes what an earlier run left in the journal, then starts to
// write to the database what comes. Only Close ends it, not the end of ctx:
// what is appended until then must still be written. The error is a sentence
// for the operator.
func StartWriter(ctx context.Context, c WriterConfig) (*Writer, error) {
	j, err := journal.Open(c.Journal, c.Log)
	if err != nil {
		return nil, err
	}
	w := &Writer{
		db:        c.Database,
		log:       c.Log,
		committed: c.Committed,
		limit:     cmp.Or(c.JournalLimit, journalLimit),
		journal:   j,
		news:      make(chan struct{}),
		wake:      make(chan struct{}, 1),
	}
	if err := w.catchUp(ctx); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	ctx, abort := context.WithCancel(context.WithoutCancel(ctx))
	w.life = lifetime{stop: make(chan struct{}), abort: abort, done: make(chan struct{})}
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
	w.appended += uint64(len(changes))
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
	case engine.RecordingSaved:
		return c.Recording.Call
	}
	return engine.ID{}
}

// Durable returns nil when everything appended before is committed, or synced in
// the journal. Otherwise the error says what it waited for: that of ctx, with
// the trouble if there is any, or ErrClosed.
func (w *Writer) Durable(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	target := w.appended
	return w.await(ctx, func() bool { return w.durable >= target })
}

// Applied returns nil when everything appended before is in the database, however
// long that is away. The errors are those of Durable.
func (w *Writer) Applied(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	target := w.appended
	return w.await(ctx, func() bool { return w.durable-uint64(w.trouble.kept) >= target })
}

// await waits until something is so that changes with news. w.mu is held.
func (w *Writer) await(ctx context.Context, is func() bool) error {
	for !is() {
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
		case is():
		case ended:
			return fmt.Errorf("wait for the journal: %w", ErrClosed)
		case ctx.Err() != nil && !w.trouble.since.IsZero():
			return fmt.Errorf("wait for the journal: %w: %w", ctx.Err(), w.trouble.why())
		case ctx.Err() != nil:
			return fmt.Errorf("wait for the journal: %w", ctx.Err())
		}
	}
	return nil
}

// why gives all there is to say of a trouble.
func (t trouble) why() error {
	if t.stuck == nil || t.away == nil {
		return cmp.Or(t.away, t.stuck)
	}
	return fmt.Errorf("%w; %w", t.away, t.stuck)
}

// Health gives nil while what is appended is soon durable, be it in the database
// or in the journal, else a sentence for the operator. No new calls should be
// taken until it is nil again.
func (w *Writer) Health() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch t := w.trouble; {
	case t.stuck != nil:
		return fmt.Errorf("neither the database nor the journal takes changes, %d wait in memory: %w", w.waiting, t.why())
	case t.size > w.limit:
		return fmt.Errorf("the journal %s has grown to %d bytes, more than its limit of %d, while the database takes no changes: %w",
			w.journal.Folder(), t.size, w.limit, t.away)
	case w.waiting > backlog:
		return fmt.Errorf("the database is too slow, %d changes wait in memory", w.waiting)
	}
	return nil
}

// Away gives nil while changes go straight to the database. Otherwise it is away,
// or what waited for it in the journal is not yet written: the error says since
// when, how much waits, and why the last try failed, if it did.
func (w *Writer) Away() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.trouble
	if t.since.IsZero() {
		return nil
	}
	return fmt.Errorf("it takes no changes since %s, %d wait: %w", t.since.Format(time.RFC3339), t.kept+w.waiting, t.why())
}

// Find has something read that is found by its id. What is not there while changes
// wait in the journal may be among those, and the error is that of Away.
func (w *Writer) Find(read func() error) error {
	err := read()
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	if away := w.Away(); away != nil {
		return fmt.Errorf("it may be among what waits: %w", away)
	}
	return read() // it may have come since
}

// Close writes what is left, to the database or else to the journal, and ends
// the writer. When ctx ends before that, the error says how many changes were
// lost, and why. It may be called again.
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
		return fmt.Errorf("close the journal: %d changes were not written: %w", w.waiting, cmp.Or(w.trouble.why(), context.Cause(ctx), ErrClosed))
	}
	return nil
}

// pending says whether something is to be written, and whether Close was called.
func (w *Writer) pending() (some, stopping bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue) > 0, w.stopping()
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

// group gives the entries at the head of the queue, which stay there until they
// are taken.
func (w *Writer) group() [][]engine.Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	entries, changes := 0, 0
	for _, entry := range w.queue {
		if entries > 0 && changes+len(entry) > groupSize {
			break
		}
		entries++
		changes += len(entry)
	}
	return slices.Clone(w.queue[:entries])
}

// taken takes entries that are durable now, in the database or in the journal,
// out of the queue, and tells those who wait in Durable.
func (w *Writer) taken(entries [][]engine.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(entries)
	clear(w.queue[:n]) // the changes are free to go
	w.queue = w.queue[n:]
	w.waiting -= count(entries)
	w.durable += uint64(count(entries))
	w.trouble.kept, w.trouble.size = w.journal.Waiting(), w.journal.Size()
	w.tell()
}

// tell has those who wait look again; mu is held.
func (w *Writer) tell() {
	close(w.news)
	w.news = make(chan struct{})
}

// count gives how many changes there are in entries.
func count(entries [][]engine.Change) (n int) {
	for _, entry := range entries {
		n += len(entry)
	}
	return n
}

var _ engine.Journal = (*Writer)(nil)
