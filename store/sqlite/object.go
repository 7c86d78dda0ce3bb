// SPDX-License-Identifier: MIT

package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/callwright/callwright/store"
)

// objectColumns are the columns of objects in the order of PutObject and scanObject.
const objectColumns = `kind, account, id, body, file_hash, updated_at`

// Objects gives all there are, by kind, account and id.
func (s *Store) Objects(ctx context.Context) ([]store.Object, error) {
	objects, err := all(ctx, s.read, scanObject, `SELECT `+objectColumns+` FROM objects ORDER BY kind, account, id`)
	if err != nil {
		return nil, fmt.Errorf("list objects: %w", err)
	}
	return objects, nil
}

// PutObject keeps an object in place of what was kept under its kind, account
// and id. It is in the file when PutObject returns. One that cannot be kept is
// store.ErrRefused.
func (s *Store) PutObject(ctx context.Context, o store.Object) error {
	err := o.Check()
	if err == nil {
		_, err = s.write.ExecContext(ctx, `INSERT OR REPLACE INTO objects (`+objectColumns+`) VALUES (?, ?, ?, ?, ?, ?)`,
			o.Kind, o.Account, o.ID, string(o.Body), o.FileHash, timeText(o.UpdatedAt))
	}
	if err != nil {
		return fmt.Errorf("save %s %s: %w", o.Kind, o.ID, refused(err))
	}
	return nil
}

// DeleteObject forgets an object. One that is not there is store.ErrNotFound.
func (s *Store) DeleteObject(ctx context.Context, kind, account, id string) error {
	done, err := s.write.ExecContext(ctx, `DELETE FROM objects WHERE kind = ? AND account = ? AND id = ?`, kind, account, id)
	if err != nil {
		return fmt.Errorf("delete %s %s: %w", kind, id, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("delete %s %s: %w", kind, id, store.ErrNotFound)
	}
	return nil
}

func scanObject(from row) (store.Object, error) {
	var (
		o       store.Object
		updated string
		when    *time.Time
	)
	if err := from.Scan(&o.Kind, &o.Account, &o.ID, &o.Body, &o.FileHash, &updated); err != nil {
		return o, err
	}
	into := reader{}
	into.time(&when, updated)
	if into.err != nil {
		return o, fmt.Errorf("read %s %s: %w", o.Kind, o.ID, into.err)
	}
	o.UpdatedAt = *when
	return o, nil
}
