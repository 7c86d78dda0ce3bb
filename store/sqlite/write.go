// SPDX-License-Identifier: MIT

package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

const saveRecord = `
	INSERT INTO calls (` + recordColumns + `)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (id) DO UPDATE SET
		account = excluded.account, app = excluded.app, number = excluded.number,
		direction = excluded.direction, from_address = excluded.from_address,
		to_address = excluded.to_address, diversion = excluded.diversion,
		parent = excluded.parent, chain = excluded.chain, node = excluded.node,
		state = excluded.state, cause = excluded.cause, answered_by = excluded.answered_by,
		started_at = excluded.started_at, answered_at = excluded.answered_at,
		ended_at = excluded.ended_at, dialect = excluded.dialect, settled = excluded.settled`

const addEvent = `
	INSERT INTO call_events (call, seq, at, kind, text, data)
	VALUES (?, ?, ?, ?, ?, ?)
	ON CONFLICT (call, seq) DO NOTHING`

// writer applies changes on the one writing connection.
type writer struct {
	db            *sql.DB
	record, event *sql.Stmt
}

// newWriter prepares the statements. They are closed with db.
func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	save, err := db.PrepareContext(ctx, saveRecord)
	if err != nil {
		return nil, err
	}
	add, err := db.PrepareContext(ctx, addEvent)
	if err != nil {
		return nil, err
	}
	return &writer{db: db, record: save, event: add}, nil
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
	save, add := tx.StmtContext(ctx, w.record), tx.StmtContext(ctx, w.event)
	for _, change := range changes {
		switch c := change.(type) {
		case engine.RecordSaved:
			err = execRecord(ctx, save, c.Record)
		case engine.EventAdded:
			err = execEvent(ctx, add, c.Event)
		default:
			err = fmt.Errorf("a change of type %T is not known here", c)
		}
		if err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func execRecord(ctx context.Context, save *sql.Stmt, r engine.Record) error {
	values, err := recordValues(r)
	if err != nil {
		return err
	}
	if _, err := save.ExecContext(ctx, values...); err != nil {
		return fmt.Errorf("save call %s: %w", r.ID, err)
	}
	return nil
}

func execEvent(ctx context.Context, add *sql.Stmt, e engine.Event) error {
	data, err := store.DataJSON(e.Data)
	if err != nil {
		return err
	}
	if _, err := add.ExecContext(ctx, e.Call.String(), e.Seq, timeText(e.At), string(e.Kind), e.Text, data); err != nil {
		return fmt.Errorf("add event %d of call %s: %w", e.Seq, e.Call, err)
	}
	return nil
}

var _ store.Database = (*writer)(nil)
