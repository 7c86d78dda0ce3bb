// SPDX-License-Identifier: MIT

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

const (
	// maxPage is how many calls or recordings one page holds at most.
	maxPage = 1000
	// searched is how many calls are looked through for each event that is wanted:
	// most have no other than that they are rung for one that has a few.
	searched = 4
)

// Calls gives a page of the calls, newest first, and the cursor of the next
// page, which is empty when there is none. The first page has an empty cursor.
// A limit outside 1 to 1000 counts as the nearest in it. A cursor that was not
// given out here is store.ErrCursor.
func (s *Store) Calls(ctx context.Context, limit int, cursor string) ([]engine.Record, string, error) {
	before, err := store.ParseCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	limit = min(max(limit, 1), maxPage)
	// One more than asked tells whether there is a next page.
	records, err := all(ctx, s.read, scanRecord,
		`SELECT `+recordColumns+` FROM calls WHERE id < ? ORDER BY id DESC LIMIT ?`, before.String(), limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list calls: %w", err)
	}
	records, next := store.Page(records, limit, recordID)
	return records, next, nil
}

func recordID(r engine.Record) engine.ID { return r.ID }

// EventsOf gives events of some kinds, newest first, of an account's newest calls:
// four times as many as there may be events, and no more than 1000. A limit
// outside 1 to 1000 counts as the nearest in it.
func (s *Store) EventsOf(ctx context.Context, account string, kinds []engine.EventKind, limit int) ([]engine.Event, error) {
	limit = min(max(limit, 1), maxPage)
	wanted, err := store.JSON(kinds)
	if err != nil {
		return nil, err
	}
	// The calls are looked up first: nobody waits for events of other accounts
	// to be passed over, however many there are.
	kept, err := all(ctx, s.read, scanEvent, `
		SELECT e.id, e.call, e.seq, e.at, e.kind, e.text, e.data
		FROM (SELECT id FROM calls WHERE account = ? ORDER BY id DESC LIMIT ?) AS c CROSS JOIN call_events AS e ON e.call = c.id
		WHERE e.kind IN (SELECT value FROM json_each(?)) ORDER BY e.id DESC LIMIT ?`,
		account, min(searched*limit, maxPage), wanted, limit)
	if err != nil {
		return nil, fmt.Errorf("list events of account %s: %w", account, err)
	}
	return eventsOf(kept), nil
}

// eventsOf leaves the ids away.
func eventsOf(kept []store.Event) []engine.Event {
	events := make([]engine.Event, len(kept))
	for i, e := range kept {
		events[i] = e.Event
	}
	return events
}

// Call gives a call and its timeline, both as they were at one moment. A call
// that is not there is store.ErrNotFound or, while the journal may have it, another
// error; one that was appended just now is there once Applied returned.
func (s *Store) Call(ctx context.Context, id engine.ID) (r engine.Record, events []engine.Event, err error) {
	err = s.journal.Find(func() (err error) {
		r, events, err = s.call(ctx, id)
		return err
	})
	return r, events, err
}

func (s *Store) call(ctx context.Context, id engine.ID) (engine.Record, []engine.Event, error) {
	fail := func(err error) (engine.Record, []engine.Event, error) {
		return engine.Record{}, nil, fmt.Errorf("read call %s: %w", id, err)
	}
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fail(err)
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	r, err := scanRecord(tx.QueryRowContext(ctx, `SELECT `+recordColumns+` FROM calls WHERE id = ?`, id.String()))
	if errors.Is(err, sql.ErrNoRows) {
		return fail(store.ErrNotFound)
	}
	if err != nil {
		return fail(err)
	}
	kept, err := all(ctx, tx, scanEvent, `SELECT `+eventColumns+` FROM call_events WHERE call = ? ORDER BY seq`, id.String())
	if err != nil {
		return fail(err)
	}
	return r, eventsOf(kept), nil
}

// OpenRecords gives a node's calls that are not settled, oldest first; an empty
// node means those of all. Right after a start of the node these are the ones
// that a crash interrupted, or whose end it kept from being told.
func (s *Store) OpenRecords(ctx context.Context, node string) ([]engine.Record, error) {
	records, err := all(ctx, s.read, scanRecord,
		`SELECT `+recordColumns+` FROM calls WHERE settled = 0 AND ? IN ('', node) ORDER BY id`, node)
	if err != nil {
		return nil, fmt.Errorf("list open calls: %w", err)
	}
	return records, nil
}

// LastEvent gives a call's last event; the zero Event when it has none.
func (s *Store) LastEvent(ctx context.Context, id engine.ID) (engine.Event, error) {
	last, err := all(ctx, s.read, scanEvent,
		`SELECT `+eventColumns+` FROM call_events WHERE call = ? ORDER BY seq DESC LIMIT 1`, id.String())
	if err != nil {
		return engine.Event{}, fmt.Errorf("read the last event of call %s: %w", id, err)
	}
	if len(last) == 0 {
		return engine.Event{}, nil
	}
	return last[0].Event, nil
}

// EventsAfter is that of store.Events. Ids come in the order of commits because
// one connection writes.
func (s *Store) EventsAfter(ctx context.Context, after int64, limit int) ([]store.Event, error) {
	events, err := all(ctx, s.read, scanEvent,
		`SELECT `+eventColumns+` FROM call_events WHERE id > ? ORDER BY id LIMIT ?`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read events after %d: %w", after, err)
	}
	return events, nil
}

// Registrations gives those that have not expired, by account, user and contact.
func (s *Store) Registrations(ctx context.Context) ([]directory.Registration, error) {
	kept, err := all(ctx, s.read, scanRegistration,
		`SELECT `+registrationColumns+` FROM registrations WHERE expires_at > ? ORDER BY account, user_id, contact`, timeText(time.Now()))
	if err != nil {
		return nil, fmt.Errorf("list registrations: %w", err)
	}
	return kept, nil
}

// Talked gives how long calls by trunks have lasted together since a moment; of
// those that began more than a day before it, nothing. One that has not ended has
// lasted until now.
func (s *Store) Talked(ctx context.Context, since time.Time) (time.Duration, error) {
	var seconds float64
	err := s.read.QueryRowContext(ctx, `
		SELECT coalesce(sum(unixepoch(coalesce(ended_at, ?1), 'subsec') - unixepoch(max(answered_at, ?2), 'subsec')), 0)
		FROM calls WHERE id >= ?3 AND direction = 'out' AND trunk <> '' AND answered_at IS NOT NULL AND coalesce(ended_at, ?1) > ?2`,
		timeText(time.Now()), timeText(since), store.FirstID(since.AddDate(0, 0, -1)).String()).Scan(&seconds)
	if err != nil {
		return 0, fmt.Errorf("add up calls by trunks: %w", err)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// LastEventID is that of store.Events.
func (s *Store) LastEventID(ctx context.Context) (int64, error) {
	var id int64
	if err := s.read.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM call_events`).Scan(&id); err != nil {
		return 0, fmt.Errorf("read the last event: %w", err)
	}
	return id, nil
}

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// all gives every row of a query.
func all[T any](ctx context.Context, q querier, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}
