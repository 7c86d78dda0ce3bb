// SPDX-License-Identifier: MIT

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// recordingColumns are the columns of recordings in the order of recordingValues
// and scanRecording.
const recordingColumns = `id, account, kind, call, box, from_address, to_address, file, started_at, duration_ns, heard_at`

const (
	// saveRecording leaves what was deleted as it is: see deleted_recordings.
	saveRecording = `
	INSERT INTO recordings (` + recordingColumns + `)
	SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
	WHERE NOT EXISTS (SELECT 1 FROM deleted_recordings WHERE id = ?1 AND account = ?2)
	ON CONFLICT (id) DO UPDATE SET
		account = excluded.account, kind = excluded.kind, call = excluded.call, box = excluded.box,
		from_address = excluded.from_address, to_address = excluded.to_address, file = excluded.file,
		started_at = excluded.started_at, duration_ns = excluded.duration_ns, heard_at = excluded.heard_at`

	forgetRecording = `DELETE FROM recordings WHERE id = ? AND account = ?`
	buryRecording   = `INSERT INTO deleted_recordings (id, account) VALUES (?, ?) ON CONFLICT DO NOTHING`
)

func execRecording(ctx context.Context, save *sql.Stmt, r engine.Recording) error {
	values, err := recordingValues(r)
	if err != nil {
		return fmt.Errorf("save recording %s: %w: %w", r.ID, store.ErrRefused, err)
	}
	if _, err := save.ExecContext(ctx, values...); err != nil {
		return fmt.Errorf("save recording %s: %w", r.ID, err)
	}
	return nil
}

func recordingValues(r engine.Recording) ([]any, error) {
	from, err := store.JSON(r.From)
	if err != nil {
		return nil, err
	}
	to, err := store.JSON(r.To)
	if err != nil {
		return nil, err
	}
	return []any{
		r.ID.String(), r.Account, string(r.Kind), r.Call.String(), r.Box, from, to, r.File,
		timeText(r.StartedAt), int64(r.Duration), timeOrNull(r.HeardAt),
	}, nil
}

func scanRecording(from row) (engine.Recording, error) {
	var (
		r                            engine.Recording
		id, call, caller, callee, at string
		heard                        sql.NullString
		started                      *time.Time
	)
	err := from.Scan(&id, &r.Account, &r.Kind, &call, &r.Box, &caller, &callee, &r.File, &at, &r.Duration, &heard)
	if err != nil {
		return r, err
	}
	into := reader{}
	into.id(&r.ID, id)
	into.id(&r.Call, call)
	into.json(&r.From, caller)
	into.json(&r.To, callee)
	into.time(&started, at)
	into.time(&r.HeardAt, heard.String)
	if into.err != nil {
		return r, fmt.Errorf("read recording %s: %w", id, into.err)
	}
	r.StartedAt = *started
	return r, nil
}

// Recording gives one of an account; one that is not there is store.ErrNotFound.
func (s *Store) Recording(ctx context.Context, account string, id engine.ID) (engine.Recording, error) {
	var found []engine.Recording
	err := s.journal.Find(func() (err error) {
		found, err = all(ctx, s.read, scanRecording,
			`SELECT `+recordingColumns+` FROM recordings WHERE id = ? AND account = ?`, id.String(), account)
		if err == nil && len(found) == 0 {
			err = store.ErrNotFound
		}
		return err
	})
	if err != nil {
		return engine.Recording{}, fmt.Errorf("read recording %s: %w", id, err)
	}
	return found[0], nil
}

// Recordings gives a page of those that pass a filter, newest first, with limit
// and cursor as those of Calls. That there is none with an id is an error while the
// journal may have it.
func (s *Store) Recordings(ctx context.Context, f engine.RecordingFilter, limit int, cursor string) ([]engine.Recording, string, error) {
	before, err := store.ParseCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	limit = min(max(limit, 1), maxPage)
	where, values := recordingsWhere(f)
	query := `SELECT ` + recordingColumns + ` FROM recordings WHERE id < ?` + where + ` ORDER BY id DESC LIMIT ?`
	values = append(append([]any{before.String()}, values...), limit+1)
	var found []engine.Recording
	err = s.journal.Find(func() (err error) {
		found, err = all(ctx, s.read, scanRecording, query, values...)
		if err == nil && len(found) == 0 && !f.ID.IsZero() {
			err = store.ErrNotFound
		}
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, "", fmt.Errorf("list recordings: %w", err)
	}
	found, next := store.Page(found, limit, func(r engine.Recording) engine.ID { return r.ID })
	return found, next, nil
}

// recordingsWhere has no condition for what does not matter, so that an index
// serves those that do.
func recordingsWhere(f engine.RecordingFilter) (string, []any) {
	var where strings.Builder
	var values []any
	for _, one := range []struct {
		column string
		value  any
		wanted bool
	}{
		{"id", f.ID.String(), !f.ID.IsZero()}, {"account", f.Account, f.Account != ""}, {"kind", string(f.Kind), f.Kind != ""},
		{"box", f.Box, f.Box != ""}, {"call", f.Call.String(), !f.Call.IsZero()},
	} {
		if one.wanted {
			where.WriteString(" AND " + one.column + " = ?")
			values = append(values, one.value)
		}
	}
	return where.String(), values
}

// Messages counts those in a box.
func (s *Store) Messages(ctx context.Context, account, box string) (unheard, heard int, err error) {
	err = s.read.QueryRowContext(ctx, `
		SELECT count(*) - count(heard_at), count(heard_at) FROM recordings WHERE account = ? AND box = ? AND kind = ?`,
		account, box, string(engine.RecordingMessage)).Scan(&unheard, &heard)
	if err != nil {
		return 0, 0, fmt.Errorf("count the messages of %s: %w", box, err)
	}
	return unheard, heard, nil
}

var _ engine.Recordings = (*Store)(nil)
