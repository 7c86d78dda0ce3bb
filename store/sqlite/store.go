// SPDX-License-Identifier: MIT

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
	"github.com/callwright/callwright/store/lock"
)

// Store is an open SQLite file. It is the engine's Journal, and what the API
// reads. All methods may be called at the same time.
type Store struct {
	path    string
	lock    *lock.Lock
	write   *sql.DB // one connection
	read    *sql.DB // a few
	journal *store.Writer
	feed    *store.Feed
}

// Open opens the file at path, makes it if it is not there, and brings its
// tables up to date. Its folder must exist. While the file takes no changes they
// are kept in the folder journal (see store.Writer), which no other Store may
// use. The error is a sentence for the operator: what is wrong and what to do.
func Open(ctx context.Context, path, journal string, log *slog.Logger) (*Store, error) {
	held, err := take(path)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, path, journal, log)
	if err != nil {
		return nil, errors.Join(err, held.Release())
	}
	s.lock = held
	return s, nil
}

// open opens a file that was taken.
func open(ctx context.Context, path, journal string, log *slog.Logger) (*Store, error) {
	write, _, _, err := openFile(ctx, path)
	if err != nil {
		return nil, err
	}
	// A phone that did not come back while we were away left this behind.
	if _, err := write.ExecContext(ctx, `DELETE FROM registrations WHERE expires_at <= ?`, timeText(time.Now())); err != nil {
		return nil, errors.Join(explain(path, err), write.Close())
	}
	w, err := newWriter(ctx, write)
	if err != nil {
		return nil, errors.Join(explain(path, err), write.Close())
	}
	read, err := sql.Open("sqlite", readerDSN(path))
	if err != nil {
		return nil, errors.Join(explain(path, err), write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	s := &Store{path: path, write: write, read: read}
	s.feed = store.NewFeed(s)
	s.journal, err = store.StartWriter(ctx, store.WriterConfig{Database: w, Journal: journal, Log: log, Committed: s.feed.Wake})
	if err != nil {
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	return s, nil
}

// Append is that of engine.Journal; store.Writer says what happens when the
// disk is full.
func (s *Store) Append(changes ...engine.Change) { s.journal.Append(changes...) }

// Durable is that of engine.Journal.
func (s *Store) Durable(ctx context.Context) error { return s.journal.Durable(ctx) }

// Applied returns when everything appended before is in the database.
func (s *Store) Applied(ctx context.Context) error { return s.journal.Applied(ctx) }

// Health is that of engine.Journal.
func (s *Store) Health() error { return s.journal.Health() }

// Follow gives the events after an id and those that come; see store.Feed.
func (s *Store) Follow(ctx context.Context, after int64, give func(id int64, e engine.Event) error) error {
	return s.feed.Follow(ctx, after, give)
}

// Ping gives nil when the file can be read and takes changes as they come, else
// a sentence for the operator. Calls may still be taken: Health says that.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.journal.Away(); err != nil {
		return fmt.Errorf("database %s: %w", s.path, err)
	}
	if err := s.read.PingContext(ctx); err != nil {
		return fmt.Errorf("database %s: read: %w", s.path, err)
	}
	return nil
}

// Close writes what was appended and closes the file. The error says what was
// not written when ctx ended. It may be called again.
func (s *Store) Close(ctx context.Context) error {
	err := s.journal.Close(ctx)
	s.feed.Close()
	return errors.Join(err, s.read.Close(), s.write.Close(), s.lock.Release())
}

var (
	_ engine.Journal = (*Store)(nil)
	_ store.Events   = (*Store)(nil)
)
