// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store/past"
)

// pastSQL is how PostgreSQL takes what past.SQL asks for.
func pastSQL() past.SQL {
	return past.SQL{
		Mark: "$", Among: "%s = ANY(%s)",
		Time: func(t time.Time) any { return t },
		List: func(words []string) (any, error) { return words, nil },
	}
}

// Past gives a page of what happened on an account and passes a filter, newest first,
// from behind so many on, and how many there are in all, both as they were at one
// moment. A limit outside 1 to 1000 counts as the nearest in it.
func (s *Store) Past(ctx context.Context, f engine.PastFilter, limit, offset int) (happened []engine.Past, total int, err error) {
	f.Party = strings.ToValidUTF8(strings.ReplaceAll(f.Party, "\x00", replacement), replacement) // as clean has it
	count, page, err := pastSQL().Find(f, min(max(limit, 1), maxPage), max(offset, 0))
	if err != nil || count.Text == "" {
		return nil, 0, err
	}
	atOnce := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, s.read, atOnce, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, count.Text, count.Values...).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, page.Text, page.Values...)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, scanFound)
		if err == nil {
			happened, err = readPast(ctx, tx, found)
		}
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list the past of account %s: %w", f.Account, err)
	}
	return happened, total, nil
}

func scanFound(r pgx.CollectableRow) (found past.Found, err error) {
	var id [16]byte
	var message int
	err = r.Scan(&id, &message)
	found.ID, found.Message = id, message != 0
	return found, err
}

// readPast reads what was found.
func readPast(ctx context.Context, tx pgx.Tx, found []past.Found) ([]engine.Past, error) {
	if len(found) == 0 {
		return nil, nil
	}
	ids := slices.Collect(past.IDs(found))
	calls, err := all(ctx, tx, record, `SELECT row_to_json(c) FROM calls c WHERE id = ANY($1::uuid[])`, ids)
	if err != nil {
		return nil, err
	}
	recordings, err := all(ctx, tx, recordingRow.recording,
		`SELECT row_to_json(r) FROM recordings r WHERE id = ANY($1::uuid[]) OR call = ANY($1::uuid[]) ORDER BY id DESC`, ids)
	if err != nil {
		return nil, err
	}
	return past.Assemble(found, calls, recordings), nil
}
