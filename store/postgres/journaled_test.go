// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"errors"
	"testing"

	"github.com/callwright/callwright/store"
	"github.com/callwright/callwright/store/storetest"
)

// journaled is how the suite gets at PostgreSQL through the journal.
func journaled() storetest.Database {
	db := database()
	db.Open = storetest.Journaled(func(ctx context.Context, place string, between func(store.Database) store.Database) (storetest.Store, error) {
		return withJournal(place, func(folder string) (storetest.Store, error) {
			return openBetween(ctx, place, folder, between)
		})
	})
	return db
}

// openBetween opens a Store with something between it and the database.
func openBetween(ctx context.Context, place, folder string, between func(store.Database) store.Database) (storetest.Store, error) {
	s, err := Open(ctx, place, folder, quiet())
	if err != nil {
		return nil, err
	}
	if err := s.journal.Close(ctx); err != nil {
		return nil, err
	}
	j, err := store.StartWriter(ctx, store.WriterConfig{
		Database: between(&writer{s.write}), Journal: folder, Log: quiet(), Committed: s.feed.Wake,
	})
	if err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	s.journal = j
	return s, nil
}

func TestConformanceThroughTheJournal(t *testing.T) { storetest.Run(t, journaled()) }
