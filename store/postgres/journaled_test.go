// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/callwright/callwright/store"
	"github.com/callwright/callwright/store/storetest"
)

// journaled is how the suite gets at PostgreSQL through the journal.
func journaled(t testing.TB) storetest.Database {
	db := database(t)
	db.Open = storetest.Journaled(func(ctx context.Context, place string, between func(store.Database) store.Database) (storetest.Store, error) {
		for i := 0; ; i++ {
			// Who is killed leaves a journal behind that the next one replays.
			s, err := openBetween(ctx, place, folderBeside(place, i), between)
			if err != nil && strings.Contains(err.Error(), "in use by process") {
				continue
			}
			return s, err
		}
	})
	return db
}

// folderBeside gives the path of a folder in that of the cluster.
func folderBeside(place string, number int) string {
	u, err := url.Parse(place)
	if err != nil {
		panic(err)
	}
	return filepath.Join(u.Query().Get("host"), strings.Trim(u.Path, "/")+"-journal-"+strconv.Itoa(number))
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

func TestConformanceThroughTheJournal(t *testing.T) { storetest.Run(t, journaled(t)) }
