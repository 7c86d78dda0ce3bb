// SPDX-License-Identifier: MIT

package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/callwright/callwright/store"
	"github.com/callwright/callwright/store/storetest"
)

// journaled is how the suite gets at SQLite through the journal.
func journaled() storetest.Database {
	db := database()
	db.Open = storetest.Journaled(func(ctx context.Context, place string, between func(store.Database) store.Database) (storetest.Store, error) {
		log, folder := slog.New(slog.DiscardHandler), place+".journal"
		s, err := Open(ctx, place, folder, log)
		if err != nil {
			return nil, err
		}
		w, err := newWriter(ctx, s.write)
		if err != nil {
			return nil, errors.Join(err, s.Close(ctx))
		}
		if err := s.journal.Close(ctx); err != nil {
			return nil, err
		}
		s.journal, err = store.StartWriter(ctx, store.WriterConfig{
			Database: between(w), Journal: folder, Log: log, Committed: s.feed.Wake,
		})
		return s, err
	})
	return db
}

func TestConformanceThroughTheJournal(t *testing.T) { storetest.Run(t, journaled()) }
