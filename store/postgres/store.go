// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// watchEvery is how often it is looked for events that other nodes wrote, while
// somebody follows: they come that much later than our own at most.
const watchEvery = 200 * time.Millisecond

// Store is an open PostgreSQL database. It is the engine's Journal, and what the
// API reads. All methods may be called at the same time.
type Store struct {
	name      string        // of the database, for a person
	write     *pgxpool.Pool // one connection
	read      *pgxpool.Pool // a few, and for what is written at once
	journal   *store.Writer
	feed      *store.Feed
	followers atomic.Int64
	unwatch   context.CancelFunc
	unwatched chan struct{} // closed when nobody watches any more
}

// Open connects to the database at url, postgres://USER:PASSWORD@HOST:PORT/NAME,
// and brings its tables up to date. What url leaves open is taken from where
// PostgreSQL's own programs take it, such as PGPASSWORD. While the database takes
// no changes they are kept in the folder journal (see store.Writer), which no
// other Store may use. The error is a sentence for the operator: what is wrong
// and what to do.
func Open(ctx context.Context, url, journal string, log *slog.Logger) (*Store, error) {
	place, err := parse(url)
	if err != nil {
		return nil, err
	}
	if _, _, err := place.migrate(ctx); err != nil {
		return nil, err
	}
	s := &Store{name: place.name, unwatched: make(chan struct{})}
	if s.write, err = place.pool(ctx, 1); err != nil {
		return nil, err
	}
	if s.read, err = place.pool(ctx, place.config.MaxConns); err != nil {
		s.write.Close()
		return nil, err
	}
	// A phone that did not come back while we were away left this behind.
	if _, err := s.read.Exec(ctx, `DELETE FROM registrations WHERE expires_at <= $1`, time.Now()); err != nil {
		s.closePools()
		return nil, place.explain(err)
	}
	s.feed = store.NewFeed(s)
	s.journal, err = store.StartWriter(ctx, store.WriterConfig{
		Database: &writer{s.write}, Journal: journal, Log: log, Committed: s.feed.Wake,
	})
	if err != nil {
		s.closePools()
		return nil, err
	}
	watching, unwatch := context.WithCancel(context.WithoutCancel(ctx))
	s.unwatch = unwatch
	go s.watch(watching)
	return s, nil
}

// Append is that of engine.Journal; store.Writer says what happens while the
// database is away.
func (s *Store) Append(changes ...engine.Change) { s.journal.Append(changes...) }

// Durable is that of engine.Journal.
func (s *Store) Durable(ctx context.Context) error { return s.journal.Durable(ctx) }

// Applied returns when everything appended before is in the database.
func (s *Store) Applied(ctx context.Context) error { return s.journal.Applied(ctx) }

// Health is that of engine.Journal.
func (s *Store) Health() error { return s.journal.Health() }

// Follow gives the events after an id and those that come, of all nodes; see
// store.Feed.
func (s *Store) Follow(ctx context.Context, after int64, give func(id int64, e engine.Event) error) error {
	s.followers.Add(1)
	defer s.followers.Add(-1)
	return s.feed.Follow(ctx, after, give)
}

// watch wakes the followers when another node wrote events. A look at the table
// five times a second is simpler than NOTIFY, and unlike that it needs no
// connection of its own and misses nothing while the database is away.
func (s *Store) watch(ctx context.Context) {
	defer close(s.unwatched)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var seen int64
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if s.followers.Load() == 0 {
			continue
		}
		// While the database is away there is nothing to tell.
		if last, err := s.LastEventID(ctx); err == nil && last > seen {
			seen = last
			s.feed.Wake()
		}
	}
}

// Ping gives nil when the database can be read and takes changes as they come,
// else a sentence for the operator. Calls may still be taken: Health says that.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.journal.Away(); err != nil {
		return fmt.Errorf("database %s: %w", s.name, err)
	}
	if err := s.read.Ping(ctx); err != nil {
		return fmt.Errorf("database %s: read: %w", s.name, err)
	}
	return nil
}

// Close writes what was appended and closes the connections. The error says what
// was not written when ctx ended. It may be called again.
func (s *Store) Close(ctx context.Context) error {
	err := s.journal.Close(ctx)
	s.feed.Close()
	s.unwatch()
	<-s.unwatched
	s.closePools()
	return err
}

func (s *Store) closePools() {
	s.read.Close()
	s.write.Close()
}

var (
	_ engine.Journal = (*Store)(nil)
	_ store.Events   = (*Store)(nil)
)
