// SPDX-License-Identifier: MIT

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	driver "modernc.org/sqlite"

	"github.com/callwright/callwright/migrations"
	"github.com/callwright/callwright/store/lock"
)

const (
	// applicationID marks a file as ours: "CWRT" in its header. The first
	// migration sets it.
	applicationID = 0x43575254
	// readers is how many queries may run beside the writer.
	readers = 4
	// busyTimeout in milliseconds is for somebody else's lock on the file: a
	// backup, a shell.
	busyTimeout = "5000"
)

// Result codes of SQLite (https://www.sqlite.org/rescode.html).
const (
	codeReadOnly   = 8
	codeCantOpen   = 14
	codeTooBig     = 18
	codeConstraint = 19
	codeMismatch   = 20
	codeNotADB     = 26
	codeMask       = 0xff // the primary code in an extended one
)

// Migrate brings the tables of the file at path up to date as Open does, and
// gives the version they had, 0 for a new file, and the one they have now.
func Migrate(ctx context.Context, path string) (from, to int64, err error) {
	held, err := take(path)
	if err != nil {
		return 0, 0, err
	}
	db, from, to, err := openFile(ctx, path)
	if err != nil {
		return from, from, errors.Join(err, held.Release())
	}
	return from, to, errors.Join(db.Close(), held.Release())
}

// take makes the file if it is not there, and keeps other processes of ours away
// from it: the one writer would not be the only one.
func take(path string) (*lock.Lock, error) {
	if err := touch(path); err != nil {
		return nil, err
	}
	held, err := lock.Take(path + "-lock")
	if used := (*lock.UsedError)(nil); errors.As(err, &used) {
		return nil, fmt.Errorf("open database %s: it is %w; stop that one, or let the database setting name another file", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open database %s: the user callwright runs as must be able to write to the folder %s: %w", path, filepath.Dir(path), err)
	}
	return held, nil
}

// openFile gives the writing connection to a file that was taken, brings its
// tables up to date, and says which version they had and have.
func openFile(ctx context.Context, path string) (_ *sql.DB, from, to int64, err error) {
	if err := ours(ctx, path); err != nil {
		return nil, 0, 0, err
	}
	db, err := sql.Open("sqlite", writerDSN(path))
	if err != nil {
		return nil, 0, 0, explain(path, err)
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	if from, to, err = migrate(ctx, db, path); err != nil {
		return nil, from, from, errors.Join(err, db.Close())
	}
	return db, from, to, nil
}

// touch makes the file, for its owner only, if it is not there. SQLite gives
// the files beside it the same permissions.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open database %s: the folder %s does not exist; make it, or let the database setting name another", path, filepath.Dir(path))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open database %s: no permission to write there; let the database setting name a file in a folder that the user callwright runs as may write to: %w", path, err)
	case err != nil:
		return fmt.Errorf("open database %s: let the database setting name a file that can be written: %w", path, err)
	}
	return f.Close()
}

// ours refuses a file that belongs to another program, before anything in it
// is changed.
func ours(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(path, url.Values{}))
	if err != nil {
		return explain(path, err)
	}
	defer db.Close()
	var id, tables int
	// goose makes its own table in a step of its own, before our first one.
	err = db.QueryRowContext(ctx, `
		SELECT application_id,
		       (SELECT count(*) FROM sqlite_schema WHERE tbl_name <> 'goose_db_version' AND name NOT LIKE 'sqlite_%')
		FROM pragma_application_id`).Scan(&id, &tables)
	if err != nil {
		return explain(path, err)
	}
	if tables > 0 && id != applicationID {
		return fmt.Errorf("open database %s: the file belongs to another program; let the database setting name another file", path)
	}
	return nil
}

// migrate brings the tables up to date and gives the version they had and have.
func migrate(ctx context.Context, db *sql.DB, path string) (from, to int64, err error) {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.SQLite(), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return 0, 0, fmt.Errorf("read the migrations of the database: %w", err)
	}
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return 0, 0, explain(path, err)
	}
	if has > knows {
		return has, has, fmt.Errorf("open database %s: it was written by a newer callwright (tables of version %d, this one knows %d); "+
			"start that version, or let the database setting name another file", path, has, knows)
	}
	if _, err := p.Up(ctx); err != nil {
		return has, has, explain(path, err)
	}
	return has, knows, nil
}

// explain says what an error of SQLite means to the operator.
func explain(path string, err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("open database %s: %w", path, err)
	}
	switch e.Code() & codeMask {
	case codeNotADB:
		return fmt.Errorf("open database %s: this is not a SQLite file; let the database setting name another file: %w", path, err)
	case codeCantOpen, codeReadOnly:
		return fmt.Errorf("open database %s: the user callwright runs as must be able to write to the file and to the folder %s: %w", path, filepath.Dir(path), err)
	}
	return fmt.Errorf("open database %s: %w", path, err)
}

func writerDSN(path string) string {
	return dsn(path, url.Values{
		"_journal_mode": {"WAL"},
		"_synchronous":  {"NORMAL"},
		"_foreign_keys": {"on"},
		"_txlock":       {"immediate"},
	})
}

func readerDSN(path string) string {
	return dsn(path, url.Values{"_query_only": {"on"}})
}

// dsn names a file to the driver: never made by SQLite itself, and with its
// errors told by their code alone.
func dsn(path string, options url.Values) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	options.Set("mode", "rw")
	options.Set("_busy_timeout", busyTimeout)
	options.Set("_error_rc", "true")
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: options.Encode()}).String()
}
