// SPDX-License-Identifier: MIT

package server

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store/postgres"
	"github.com/callwright/callwright/store/settings"
	"github.com/callwright/callwright/store/sqlite"
	"github.com/callwright/callwright/transport/api/admin"
	"github.com/callwright/callwright/transport/api/sipgate"
)

// Store is a database, as the house uses it.
type Store interface {
	engine.Journal
	settings.Store
	admin.Calls
	admin.Feed
	admin.Recordings
	engine.Recordings
	sipgate.Archive
	OpenRecords(ctx context.Context, node string) ([]engine.Record, error)
	LastEvent(context.Context, engine.ID) (engine.Event, error)
	Registrations(context.Context) ([]directory.Registration, error)
	Talked(ctx context.Context, since time.Time) (time.Duration, error)
	Ping(context.Context) error
	Close(context.Context) error
}

// openStore opens the database, and reads the settings that it keeps.
func (s *Server) openStore(ctx context.Context, c config.Config, log *slog.Logger) error {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("make data_dir: %w: let it name a folder that can be written to", err)
	}
	var err error
	if s.Store, err = open(ctx, c, log); err != nil {
		return err
	}
	s.started(func() error {
		limited, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		return s.Store.Close(limited)
	})
	key, from, err := encryptionKey(c, log)
	if err != nil {
		return err
	}
	secret, err := key.Derive("links to recordings")
	if err != nil {
		return err
	}
	if s.bearerKey, err = key.Derive("bearer tokens"); err != nil {
		return err
	}
	s.links = sipgate.NewLinks(strings.TrimSuffix(c.HTTP.PublicURL, "/")+"/v2", secret)
	s.Settings, err = settings.Open(ctx, settings.Config{
		Store: s.Store, File: c.Entries(), Sample: c.Sample.Entries(), Dialects: config.Dialects(), Emergency: c.Limits.Emergency,
		Key: key, KeyName: from, Log: log,
	})
	return err
}

// open opens the database that the configuration names.
func open(ctx context.Context, c config.Config, log *slog.Logger) (Store, error) {
	journal := filepath.Join(c.DataDir, "journal")
	if path, ok := sqliteFile(c.Database); ok {
		return sqlite.Open(ctx, path, journal, log)
	}
	return postgres.Open(ctx, c.Database, journal, log)
}

// sqliteFile gives the file that a database setting names; a server of PostgreSQL
// is none.
func sqliteFile(database string) (path string, ok bool) {
	return strings.CutPrefix(database, "sqlite:")
}

var (
	_ Store = (*sqlite.Store)(nil)
	_ Store = (*postgres.Store)(nil)
)
