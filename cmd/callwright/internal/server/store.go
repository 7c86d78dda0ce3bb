// SPDX-License-Identifier: MIT

package server

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store/settings"
	"github.com/callwright/callwright/store/sqlite"
	"github.com/callwright/callwright/transport/api/admin"
)

// Store is a database, as the house uses it.
type Store interface {
	engine.Journal
	settings.Store
	admin.Calls
	admin.Feed
	OpenRecords(ctx context.Context, node string) ([]engine.Record, error)
	LastEvent(context.Context, engine.ID) (engine.Event, error)
	Registrations(context.Context) ([]engine.Registration, error)
	Ping(context.Context) error
	Close(context.Context) error
}

// openStore opens the database, and reads the settings that it keeps.
func (s *Server) openStore(ctx context.Context, c config.Config, log *slog.Logger) error {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("make data_dir: %w: let it name a folder that can be written to", err)
	}
	journal := filepath.Join(c.DataDir, "journal")
	var err error
	if s.Store, err = sqlite.Open(ctx, strings.TrimPrefix(c.Database, "sqlite:"), journal, log); err != nil {
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
	s.Settings, err = settings.Open(ctx, settings.Config{
		Store: s.Store, File: c.Entries(), Sample: c.Sample.Entries(), Dialects: config.Dialects(),
		Key: key, KeyName: from, Log: log,
	})
	return err
}
