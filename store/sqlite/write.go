// SPDX-License-Identifier: MIT

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

const saveRecord = `
	INSERT INTO calls (` + recordColumns + `)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (id) DO UPDATE SET
		account = excluded.account, app = excluded.app, number = excluded.number,
		direction = excluded.direction, caller = excluded.caller, from_address = excluded.from_address,
		to_address = excluded.to_address, diversion = excluded.diversion,
		parent = excluded.parent, chain = excluded.chain, node = excluded.node,
		state = excluded.state, cause = excluded.cause, answered_by = excluded.answered_by,
		started_at = excluded.started_at, answered_at = excluded.answered_at,
		ended_at = excluded.ended_at, dialect = excluded.dialect, settled = excluded.settled,
		trunk = excluded.trunk, media = excluded.media`

const addEvent = `
	INSERT INTO call_events (call, seq, at, kind, text, data)
	VALUES (?, ?, ?, ?, ?, ?)
	ON CONFLICT (call, seq) DO NOTHING`

// saveRegistration keeps what is there if that is newer, by the rule that stands
// at engine.RegistrationSaved.
const saveRegistration = `
	INSERT INTO registrations (` + registrationColumns + `)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (account, user_id, contact) DO UPDATE SET
		source = excluded.source, call_id = excluded.call_id, cseq = excluded.cseq,
		agent = excluded.agent, node = excluded.node, expires_at = excluded.expires_at
	WHERE node = excluded.node OR CASE
		WHEN call_id = excluded.call_id THEN cseq <= excluded.cseq
		ELSE expires_at <= excluded.expires_at END`

const endRegistration = `DELETE FROM registrations WHERE account = ? AND user_id = ? AND contact = ?`

// writer applies changes on the one writing connection.
type writer struct {
	db *sql.DB
	statements
}

// statements are what a change is carried out by.
type statements struct{ record, event, registration, end, recording, forget, bury *sql.Stmt }

// newWriter prepares the statements. They are closed with db.
func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	w := &writer{db: db}
	for _, one := range []struct {
		into **sql.Stmt
		text string
	}{
		{&w.record, saveRecord}, {&w.event, addEvent}, {&w.registration, saveRegistration}, {&w.end, endRegistration},
		{&w.recording, saveRecording}, {&w.forget, forgetRecording}, {&w.bury, buryRecording},
	} {
		var err error
		if *one.into, err = db.PrepareContext(ctx, one.text); err != nil { //nolint:sqlclosecheck // closed with db
			return nil, err
		}
	}
	return w, nil
}

// Write is that of store.Database.
func (w *writer) Write(ctx context.Context, changes []engine.Change) error {
	// A transaction is short and local: to be able to break it off would cost
	// a goroutine a statement. The busy timeout is what bounds it.
	ctx = context.WithoutCancel(ctx)
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back, and after a failure that one is told
	in := w.in(ctx, tx)
	for _, change := range changes {
		if err := in.apply(ctx, change); err != nil {
			return refused(err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// in gives the statements as they are in a transaction.
func (s statements) in(ctx context.Context, tx *sql.Tx) statements {
	return statements{
		record: tx.StmtContext(ctx, s.record), event: tx.StmtContext(ctx, s.event),
		registration: tx.StmtContext(ctx, s.registration), end: tx.StmtContext(ctx, s.end),
		recording: tx.StmtContext(ctx, s.recording), forget: tx.StmtContext(ctx, s.forget), bury: tx.StmtContext(ctx, s.bury),
	}
}

func (s statements) apply(ctx context.Context, change engine.Change) error {
	switch c := change.(type) {
	case engine.RecordSaved:
		return execRecord(ctx, s.record, c.Record)
	case engine.EventAdded:
		return execEvent(ctx, s.event, c.Event)
	case engine.RegistrationSaved:
		if _, err := s.registration.ExecContext(ctx, registrationValues(c.Registration)...); err != nil {
			return fmt.Errorf("save a registration of user %s: %w", c.Registration.User, err)
		}
		return nil
	case engine.RegistrationEnded:
		if _, err := s.end.ExecContext(ctx, c.Account, c.User, asJournal(c.Contact)); err != nil {
			return fmt.Errorf("end a registration of user %s: %w", c.User, err)
		}
		return nil
	case engine.RecordingSaved:
		return execRecording(ctx, s.recording, c.Recording)
	case engine.RecordingDeleted:
		for _, statement := range []*sql.Stmt{s.forget, s.bury} {
			if _, err := statement.ExecContext(ctx, c.ID.String(), c.Account); err != nil {
				return fmt.Errorf("delete recording %s: %w", c.ID, err)
			}
		}
		return nil
	}
	return fmt.Errorf("%w: a change of type %T is not known here", store.ErrRefused, change)
}

func execRecord(ctx context.Context, save *sql.Stmt, r engine.Record) error {
	values, err := recordValues(r)
	if err != nil {
		return fmt.Errorf("save call %s: %w: %w", r.ID, store.ErrRefused, err)
	}
	if _, err := save.ExecContext(ctx, values...); err != nil {
		return fmt.Errorf("save call %s: %w", r.ID, err)
	}
	return nil
}

func execEvent(ctx context.Context, add *sql.Stmt, e engine.Event) error {
	data, err := store.DataJSON(e.Data)
	if err != nil {
		return fmt.Errorf("add event %d of call %s: %w: %w", e.Seq, e.Call, store.ErrRefused, err)
	}
	if _, err := add.ExecContext(ctx, e.Call.String(), e.Seq, timeText(e.At), string(e.Kind), e.Text, data); err != nil {
		return fmt.Errorf("add event %d of call %s: %w", e.Seq, e.Call, err)
	}
	return nil
}

// refused says of an error that is the fault of what was to be written that it
// is store.ErrRefused.
func refused(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & codeMask {
	case codeTooBig, codeConstraint, codeMismatch:
		return fmt.Errorf("%w: %w", store.ErrRefused, err)
	}
	return err
}

var _ store.Database = (*writer)(nil)
