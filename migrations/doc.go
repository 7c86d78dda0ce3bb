// SPDX-License-Identifier: MIT

// Package migrations holds the SQL that makes and changes the tables, one
// folder a database, in the numbered files of goose.
//
// A number means the same step in every folder. A file that was released is
// never edited again; a change is a new number. There is no way down: an older
// callwright refuses a newer database, and going back is restoring a backup.
// Nothing else than SQL belongs here. Read sqlite/00001_calls.sql first.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// SQLite gives the migrations for SQLite.
func SQLite() fs.FS { return folder("sqlite") }

// Postgres gives the migrations for PostgreSQL.
func Postgres() fs.FS { return folder("postgres") }

func folder(name string) fs.FS {
	folder, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // the names above are no paths: cannot be
	}
	return folder
}
