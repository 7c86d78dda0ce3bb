// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

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
	records, err := all(ctx, s.read, record,
		`SELECT row_to_json(c) FROM calls c WHERE id < $1 ORDER BY id DESC LIMIT $2`, before.String(), limit+1)
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
	// The calls are looked up first: nobody waits for events of other accounts
	// to be passed over, however many there are.
	events, err := all(ctx, s.read, eventOfCall, `
		WITH newest AS MATERIALIZED (SELECT id FROM calls WHERE account = $1 ORDER BY id DESC LIMIT $2)
		SELECT row_to_json(e) FROM newest c JOIN call_events e ON e.call = c.id
		WHERE e.kind = ANY($3) ORDER BY e.id DESC LIMIT $4`,
		account, min(searched*limit, maxPage), kinds, limit)
	if err != nil {
		return nil, fmt.Errorf("list events of account %s: %w", account, err)
	}
	return events, nil
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

func (s *Store) call(ctx context.Context, id engine.ID) (r engine.Record, events []engine.Event, err error) {
	// What a transaction of this kind reads is as it was when it began.
	atOnce := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, s.read, atOnce, func(tx pgx.Tx) error {
		records, err := all(ctx, tx, record, `SELECT row_to_json(c) FROM calls c WHERE id = $1`, id.String())
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return store.ErrNotFound
		}
		r = records[0]
		events, err = all(ctx, tx, eventOfCall, `SELECT row_to_json(e) FROM call_events e WHERE call = $1 ORDER BY seq`, id.String())
		return err
	})
	if err != nil {
		return engine.Record{}, nil, fmt.Errorf("read call %s: %w", id, err)
	}
	return r, events, nil
}

// OpenRecords gives a node's calls that are not settled, oldest first; an empty
// node means those of all. Right after a start of the node these are the ones
// that a crash interrupted, or whose end it kept from being told.
func (s *Store) OpenRecords(ctx context.Context, node string) ([]engine.Record, error) {
	records, err := all(ctx, s.read, record,
		`SELECT row_to_json(c) FROM calls c WHERE NOT settled AND $1 IN ('', node) ORDER BY id`, node)
	if err != nil {
		return nil, fmt.Errorf("list open calls: %w", err)
	}
	return records, nil
}

// LastEvent gives a call's last event; the zero Event when it has none.
func (s *Store) LastEvent(ctx context.Context, id engine.ID) (engine.Event, error) {
	last, err := all(ctx, s.read, eventOfCall,
		`SELECT row_to_json(e) FROM call_events e WHERE call = $1 ORDER BY seq DESC LIMIT 1`, id.String())
	if err != nil {
		return engine.Event{}, fmt.Errorf("read the last event of call %s: %w", id, err)
	}
	if len(last) == 0 {
		return engine.Event{}, nil
	}
	return last[0], nil
}

// EventsAfter is that of store.Events. Ids come in the order of commits because
// those who write take turns.
func (s *Store) EventsAfter(ctx context.Context, after int64, limit int) ([]store.Event, error) {
	events, err := all(ctx, s.read, eventRow.event,
		`SELECT row_to_json(e) FROM call_events e WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read events after %d: %w", after, err)
	}
	return events, nil
}

// Talked gives how long calls by trunks have lasted together since a moment; of
// those that began more than a day before it, nothing. One that has not ended has
// lasted until now.
func (s *Store) Talked(ctx context.Context, since time.Time) (time.Duration, error) {
	var seconds float64
	err := s.read.QueryRow(ctx, `
		SELECT coalesce(sum(extract(epoch FROM coalesce(ended_at, $3) - greatest(answered_at, $1))), 0)::float8
		FROM calls WHERE id >= $2 AND direction = 'out' AND trunk <> '' AND answered_at IS NOT NULL AND coalesce(ended_at, $3) > $1`,
		since, store.FirstID(since.AddDate(0, 0, -1)).String(), time.Now()).Scan(&seconds)
	if err != nil {
		return 0, fmt.Errorf("add up calls by trunks: %w", err)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// LastEventID is that of store.Events.
func (s *Store) LastEventID(ctx context.Context) (int64, error) {
	var id int64
	if err := s.read.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM call_events`).Scan(&id); err != nil {
		return 0, fmt.Errorf("read the last event: %w", err)
	}
	return id, nil
}

// Registrations gives those that have not expired, by account, user and contact.
func (s *Store) Registrations(ctx context.Context) ([]directory.Registration, error) {
	kept, err := all(ctx, s.read, registration,
		`SELECT row_to_json(r) FROM registrations r WHERE expires_at > $1
		 ORDER BY account COLLATE "C", user_id COLLATE "C", contact COLLATE "C"`, time.Now())
	if err != nil {
		return nil, fmt.Errorf("list registrations: %w", err)
	}
	return kept, nil
}

// What the rows of a query become.
func record(row callRow) (engine.Record, error) { return row.record(), nil }

func registration(row registrationRow) (directory.Registration, error) {
	return row.registration(), nil
}

func eventOfCall(row eventRow) (engine.Event, error) {
	e, err := row.event()
	return e.Event, err
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

// all gives every row of a query, whose only column is a row as JSON.
func all[R, T any](ctx context.Context, q querier, become func(R) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (one T, err error) {
		var row R
		if err := r.Scan(&row); err != nil {
			return one, err
		}
		return become(row)
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list, nil
}
