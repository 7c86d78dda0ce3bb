// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// A transaction begins by taking its turn, which ends when what it wrote can be
// seen. So ids of events are given in the order in which they appear, of
// however many nodes, and nobody who follows is shown a higher one before a
// lower. To read only what is older than every transaction that still runs would
// do it without turns, but needs another order than that of ids, and one long
// query of another program on the server would hold up everybody who follows.
const (
	takeTurn = `SELECT pg_advisory_xact_lock($1)`
	turnKey  = 0x43575254 // "CWRT"
)

// The statements take their rows as one parameter, in the order they have there.
const (
	saveCalls = `
	INSERT INTO calls (` + callColumns + `)
	SELECT ` + callColumns + ` FROM json_populate_recordset(NULL::calls, $1)
	ON CONFLICT (id) DO UPDATE SET
		account = excluded.account, app = excluded.app, number = excluded.number,
		direction = excluded.direction, caller = excluded.caller, from_address = excluded.from_address,
		to_address = excluded.to_address, diversion = excluded.diversion,
		parent = excluded.parent, chain = excluded.chain, node = excluded.node,
		state = excluded.state, cause = excluded.cause, answered_by = excluded.answered_by,
		started_at = excluded.started_at, answered_at = excluded.answered_at,
		ended_at = excluded.ended_at, dialect = excluded.dialect, settled = excluded.settled,
		trunk = excluded.trunk, media = excluded.media`

	addEvents = `
	INSERT INTO call_events (call, seq, at, kind, text, data)
	SELECT call, seq, at, kind, text, data FROM json_populate_recordset(NULL::call_events, $1)
	ON CONFLICT (call, seq) DO NOTHING`

	endRegistrations = `
	DELETE FROM registrations r USING json_populate_recordset(NULL::registrations, $1) AS s
	WHERE ` + sameContact

	// These two save: what is newer than what is saved stays, by the rule that
	// stands at engine.RegistrationSaved.
	endOlderRegistrations = endRegistrations + ` AND (r.node = s.node OR CASE
		WHEN r.call_id = s.call_id THEN r.cseq <= s.cseq
		ELSE r.expires_at <= s.expires_at END)`
	addRegistrations = `
	INSERT INTO registrations (` + registrationColumns + `)
	SELECT ` + registrationColumns + ` FROM json_populate_recordset(NULL::registrations, $1) AS s
	WHERE NOT EXISTS (SELECT FROM registrations r WHERE ` + sameContact + `)`

	sameContact = `r.account = s.account AND r.user_id = s.user_id AND r.contact = s.contact`
)

// writer applies changes on the one writing connection.
type writer struct{ pool *pgxpool.Pool }

// Write is that of store.Database.
func (w *writer) Write(ctx context.Context, changes []engine.Change) error {
	c := collection{
		calls: map[engine.ID]int{}, contacts: map[engine.RegistrationEnded]contact{}, recordings: map[engine.ID]engine.Change{},
	}
	for _, change := range changes {
		if err := c.add(change); err != nil {
			return fmt.Errorf("%w: %w", store.ErrRefused, err)
		}
	}
	batch, err := c.batch()
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrRefused, err)
	}
	// It goes to the server in one piece and is one transaction there: a turn
	// never waits for the network.
	if err := w.pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write: %w", refused(err))
	}
	return nil
}

// collection is what is left to do of many changes: a row is written once, as it
// is in the end.
type collection struct {
	calls    map[engine.ID]int // where in records
	records  []callRow
	events   []eventRow
	contacts map[engine.RegistrationEnded]contact
	// recordings has the last of what is to be done of each; behind a deletion
	// there is nothing.
	recordings map[engine.ID]engine.Change
}

// contact is what is left to do of the registrations of one contact: to end what
// is there, whatever it is, and then to save one.
type contact struct {
	ended bool
	saved *registrationRow
}

func (c *collection) add(change engine.Change) error {
	switch change := change.(type) {
	case engine.RecordSaved:
		row := rowOfRecord(change.Record)
		if at, ok := c.calls[row.ID]; ok {
			c.records[at] = row
			return nil
		}
		c.calls[row.ID] = len(c.records)
		c.records = append(c.records, row)
	case engine.EventAdded:
		row, err := rowOfEvent(change.Event)
		if err != nil {
			return fmt.Errorf("add event %d of call %s: %w", change.Event.Seq, change.Event.Call, err)
		}
		c.events = append(c.events, row)
	case engine.RegistrationSaved:
		row := rowOfRegistration(change.Registration)
		of := engine.RegistrationEnded{Account: row.Account, User: row.User, Contact: row.Contact}
		if last := c.contacts[of]; last.saved == nil || !last.saved.newer(row) {
			c.contacts[of] = contact{ended: last.ended, saved: &row}
		}
	case engine.RegistrationEnded:
		c.contacts[change] = contact{ended: true}
	case engine.RecordingSaved:
		if _, deleted := c.recordings[change.Recording.ID].(engine.RecordingDeleted); !deleted {
			c.recordings[change.Recording.ID] = change
		}
	case engine.RecordingDeleted:
		c.recordings[change.ID] = change
	default:
		return fmt.Errorf("a change of type %T is not known here", change)
	}
	return nil
}

// batch gives the statements that write it all.
func (c *collection) batch() (*pgx.Batch, error) {
	var gone, saved []registrationRow
	for of, left := range c.contacts {
		if left.ended {
			gone = append(gone, registrationRow{Account: of.Account, User: of.User, Contact: of.Contact})
		}
		if left.saved != nil {
			saved = append(saved, *left.saved)
		}
	}
	kept, deleted := c.recordingRows()
	batch := &pgx.Batch{}
	batch.Queue(takeTurn, turnKey)
	return batch, errors.Join(
		queue(batch, saveCalls, c.records),
		queue(batch, addEvents, c.events),
		queue(batch, endRegistrations, gone),
		queue(batch, endOlderRegistrations, saved),
		queue(batch, addRegistrations, saved),
		queue(batch, saveRecordings, kept),
		queue(batch, forgetRecordings, deleted),
		queue(batch, buryRecordings, deleted),
	)
}

// queue adds a statement to a batch if it has rows.
func queue[T any](batch *pgx.Batch, statement string, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	text, err := parameter(rows)
	if err != nil {
		return err
	}
	batch.Queue(statement, text)
	return nil
}

// refused says of an error that is the fault of what was to be written that it
// is store.ErrRefused: those of the classes data exception, integrity constraint
// violation and program limit exceeded (PostgreSQL's documentation, appendix A).
func refused(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) || len(e.Code) != 5 {
		return err
	}
	switch e.Code[:2] {
	case "22", "23", "54":
		return fmt.Errorf("%w: %w", store.ErrRefused, err)
	}
	return err
}

var _ store.Database = (*writer)(nil)
