// SPDX-License-Identifier: MIT

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
	"github.com/callwright/callwright/store/past"
)

// pastSQL is how SQLite takes what past.SQL asks for.
func pastSQL() past.SQL {
	return past.SQL{
		Mark: "?", Among: "%s IN (SELECT value FROM json_each(%s))",
		Time: func(t time.Time) any { return timeText(t) },
		List: func(words []string) (any, error) { return store.JSON(words) },
	}
}

// Past gives a page of what happened on an account and passes a filter, newest first,
// from behind so many on, and how many there are in all, both as they were at one
// moment. A limit outside 1 to 1000 counts as the nearest in it.
func (s *Store) Past(ctx context.Context, f engine.PastFilter, limit, offset int) (happened []engine.Past, total int, err error) {
	count, page, err := pastSQL().Find(f, min(max(limit, 1), maxPage), max(offset, 0))
	if err != nil || count.Text == "" {
		return nil, 0, err
	}
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, 0, fmt.Errorf("list the past of account %s: %w", f.Account, err)
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	if err := tx.QueryRowContext(ctx, count.Text, count.Values...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count the past of account %s: %w", f.Account, err)
	}
	found, err := all(ctx, tx, scanFound, page.Text, page.Values...)
	if err == nil {
		happened, err = readPast(ctx, tx, found)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("list the past of account %s: %w", f.Account, err)
	}
	return happened, total, nil
}

func scanFound(from row) (past.Found, error) {
	var found past.Found
	var id string
	if err := from.Scan(&id, &found.Message); err != nil {
		return found, err
	}
	return found, found.ID.UnmarshalText([]byte(id))
}

// readPast reads what was found.
func readPast(ctx context.Context, tx *sql.Tx, found []past.Found) ([]engine.Past, error) {
	if len(found) == 0 {
		return nil, nil
	}
	ids, err := store.JSON(slices.Collect(past.IDs(found)))
	if err != nil {
		return nil, err
	}
	const among = ` IN (SELECT value FROM json_each(?1))`
	calls, err := all(ctx, tx, scanRecord, `SELECT `+recordColumns+` FROM calls WHERE id`+among, ids)
	if err != nil {
		return nil, err
	}
	recordings, err := all(ctx, tx, scanRecording, `SELECT `+recordingColumns+` FROM recordings WHERE id`+among+` OR call`+among+` ORDER BY id DESC`, ids)
	if err != nil {
		return nil, err
	}
	return past.Assemble(found, calls, recordings), nil
}
