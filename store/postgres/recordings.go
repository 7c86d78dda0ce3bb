// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// recordingColumns are the columns of recordings.
const recordingColumns = `id, account, kind, call, box, from_address, to_address, file, started_at, duration_ns, heard_at`

const (
	// saveRecordings leaves what was deleted as it is: see deleted_recordings.
	saveRecordings = `
	INSERT INTO recordings (` + recordingColumns + `)
	SELECT ` + recordingColumns + ` FROM json_populate_recordset(NULL::recordings, $1) AS s
	WHERE NOT EXISTS (SELECT FROM deleted_recordings d WHERE d.id = s.id AND d.account = s.account)
	ON CONFLICT (id) DO UPDATE SET
		account = excluded.account, kind = excluded.kind, call = excluded.call, box = excluded.box,
		from_address = excluded.from_address, to_address = excluded.to_address, file = excluded.file,
		started_at = excluded.started_at, duration_ns = excluded.duration_ns, heard_at = excluded.heard_at`

	forgetRecordings = `
	DELETE FROM recordings r USING json_populate_recordset(NULL::deleted_recordings, $1) AS s
	WHERE r.id = s.id AND r.account = s.account`
	buryRecordings = `
	INSERT INTO deleted_recordings (id, account)
	SELECT id, account FROM json_populate_recordset(NULL::deleted_recordings, $1)
	ON CONFLICT DO NOTHING`
)

// recordingRow is a row of recordings as JSON, both ways.
type recordingRow struct {
	ID        engine.ID            `json:"id"`
	Account   string               `json:"account"`
	Kind      engine.RecordingKind `json:"kind"`
	Call      engine.ID            `json:"call"`
	Box       string               `json:"box"`
	From      directory.Address    `json:"from_address"`
	To        directory.Address    `json:"to_address"`
	File      string               `json:"file"`
	StartedAt time.Time            `json:"started_at"`
	Duration  time.Duration        `json:"duration_ns"`
	HeardAt   *time.Time           `json:"heard_at"`
}

func rowOfRecording(r engine.Recording) recordingRow {
	r.StartedAt, r.HeardAt = moment(r.StartedAt), momentOrNull(r.HeardAt)
	return recordingRow(r)
}

func (row recordingRow) recording() (engine.Recording, error) {
	row.StartedAt, row.HeardAt = moment(row.StartedAt), momentOrNull(row.HeardAt)
	return engine.Recording(row), nil
}

// deletedRow is a row of deleted_recordings as JSON.
type deletedRow struct {
	ID      engine.ID `json:"id"`
	Account string    `json:"account"`
}

// recordingRows gives what is left to do of recordings.
func (c *collection) recordingRows() (saved []recordingRow, deleted []deletedRow) {
	for _, change := range c.recordings {
		switch change := change.(type) {
		case engine.RecordingSaved:
			saved = append(saved, rowOfRecording(change.Recording))
		case engine.RecordingDeleted:
			deleted = append(deleted, deletedRow{ID: change.ID, Account: change.Account})
		}
	}
	return saved, deleted
}

// Recording gives one of an account; one that is not there is store.ErrNotFound.
func (s *Store) Recording(ctx context.Context, account string, id engine.ID) (engine.Recording, error) {
	var found []engine.Recording
	err := s.journal.Find(func() (err error) {
		found, err = all(ctx, s.read, recordingRow.recording,
			`SELECT row_to_json(r) FROM recordings r WHERE id = $1 AND account = $2`, id.String(), account)
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
	values = append(values, before.String(), limit+1)
	query := fmt.Sprintf(`SELECT row_to_json(r) FROM recordings r WHERE %sid < $%d ORDER BY id DESC LIMIT $%d`, where, len(values)-1, len(values))
	var found []engine.Recording
	err = s.journal.Find(func() (err error) {
		found, err = all(ctx, s.read, recordingRow.recording, query, values...)
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
func recordingsWhere(f engine.RecordingFilter) (where string, values []any) {
	for _, one := range []struct {
		column, value string
		wanted        bool
	}{
		{"id", f.ID.String(), !f.ID.IsZero()}, {"account", f.Account, f.Account != ""}, {"kind", string(f.Kind), f.Kind != ""},
		{"box", f.Box, f.Box != ""}, {"call", f.Call.String(), !f.Call.IsZero()},
	} {
		if one.wanted {
			values = append(values, one.value)
			where += fmt.Sprintf("%s = $%d AND ", one.column, len(values))
		}
	}
	return where, values
}

// Messages counts those in a box.
func (s *Store) Messages(ctx context.Context, account, box string) (unheard, heard int, err error) {
	err = s.read.QueryRow(ctx, `
		SELECT count(*) - count(heard_at), count(heard_at) FROM recordings WHERE account = $1 AND box = $2 AND kind = $3`,
		account, box, engine.RecordingMessage).Scan(&unheard, &heard)
	if err != nil {
		return 0, 0, fmt.Errorf("count the messages of %s: %w", box, err)
	}
	return unheard, heard, nil
}

var _ engine.Recordings = (*Store)(nil)
