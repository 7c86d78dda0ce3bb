// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"fmt"

	"github.com/callwright/callwright/store"
)

const putObject = `
	INSERT INTO objects (` + objectColumns + `)
	SELECT kind, account, id, coalesce(body, 'null'), file_hash, updated_at FROM json_populate_recordset(NULL::objects, $1)
	ON CONFLICT (kind, account, id) DO UPDATE SET
		body = excluded.body, file_hash = excluded.file_hash, updated_at = excluded.updated_at`

// Objects gives all there are, by kind, account and id.
func (s *Store) Objects(ctx context.Context) ([]store.Object, error) {
	objects, err := all(ctx, s.read, object,
		`SELECT row_to_json(o) FROM objects o ORDER BY kind COLLATE "C", account COLLATE "C", id COLLATE "C"`)
	if err != nil {
		return nil, fmt.Errorf("list objects: %w", err)
	}
	return objects, nil
}

func object(row objectRow) (store.Object, error) { return row.object(), nil }

// PutObject keeps an object in place of what was kept under its kind, account
// and id. It is in the database when PutObject returns. One that cannot be kept
// is store.ErrRefused.
func (s *Store) PutObject(ctx context.Context, o store.Object) error {
	if err := s.putObject(ctx, o); err != nil {
		return fmt.Errorf("save %s %s: %w", o.Kind, o.ID, err)
	}
	return nil
}

func (s *Store) putObject(ctx context.Context, o store.Object) error {
	if err := o.Check(); err != nil {
		return err
	}
	text, err := parameter([]objectRow{rowOfObject(o)})
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrRefused, err)
	}
	_, err = s.read.Exec(ctx, putObject, text)
	return refused(err)
}

// DeleteObject forgets an object. One that is not there is store.ErrNotFound.
func (s *Store) DeleteObject(ctx context.Context, kind, account, id string) error {
	done, err := s.read.Exec(ctx, `DELETE FROM objects WHERE kind = $1 AND account = $2 AND id = $3`, kind, account, id)
	if err != nil {
		return fmt.Errorf("delete %s %s: %w", kind, id, refused(err))
	}
	if done.RowsAffected() == 0 {
		return fmt.Errorf("delete %s %s: %w", kind, id, store.ErrNotFound)
	}
	return nil
}
