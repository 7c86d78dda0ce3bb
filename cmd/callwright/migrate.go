// SPDX-License-Identifier: MIT

package main

import (
	"fmt"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
)

type migrateCommand struct {
	Config   string `help:"Configuration file (YAML)." type:"path" placeholder:"FILE"`
	Database string `help:"The database, like sqlite:callwright.db or postgres://USER:PASSWORD@HOST/NAME (database)." placeholder:"URL"`
}

// Help teaches the command.
func (migrateCommand) Help() string {
	return `Brings the tables of the database up to date and ends. serve does the same when it starts; this is for a database user of its own that may change tables, and for doing it beforehand. A database of a newer version is refused, and left as it is.

Examples:

  callwright migrate --config callwright.yaml
  callwright migrate --database postgres://owner@db.example.com/callwright`
}

// Run migrates.
func (m migrateCommand) Run(w *world) error {
	over := map[string]any{}
	if m.Database != "" {
		over["database"] = m.Database
	}
	c, err := config.Load(m.Config, w.environment, over)
	if err != nil {
		return err
	}
	from, to, err := server.Migrate(w.ctx, c)
	switch {
	case err != nil:
		return err
	case from == to:
		_, err = fmt.Fprintf(w.out, "The tables are up to date: version %d.\n", to)
	case from == 0:
		_, err = fmt.Fprintf(w.out, "Made the tables: version %d.\n", to)
	default:
		_, err = fmt.Fprintf(w.out, "Brought the tables from version %d to %d.\n", from, to)
	}
	return err
}
