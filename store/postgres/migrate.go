// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/callwright/callwright/migrations"
)

// versionTable is where goose notes which migrations were done. Another program
// in the same database may have goose_db_version.
const versionTable = "callwright_version"

// tables are those that the migrations make.
var tables = []string{"calls", "call_events", "registrations", "objects", "recordings", "deleted_recordings"}

// lockLimit in seconds is how long a node waits for another that migrates.
const lockLimit = 120

// Migrate brings the tables of the database at url up to date as Open does, and
// gives the version they had, 0 for an empty database, and the one they have now.
func Migrate(ctx context.Context, url string) (from, to int64, err error) {
	place, err := parse(url)
	if err != nil {
		return 0, 0, err
	}
	return place.migrate(ctx)
}

// migrate brings the tables up to date, if they are not and if it may, and makes
// sure that they can be worked with.
func (p *place) migrate(ctx context.Context) (from, to int64, err error) {
	conn, err := pgx.ConnectConfig(ctx, p.config.ConnConfig)
	if err != nil {
		return 0, 0, p.explain(err)
	}
	defer conn.Close(ctx) //nolint:errcheck // it is of no more use
	found, err := p.look(ctx, conn)
	if err != nil {
		return 0, 0, err
	}
	db := stdlib.OpenDB(*p.config.ConnConfig)
	defer db.Close()
	turns, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, lockLimit), lock.WithUnlockTimeout(1, lockLimit))
	if err != nil {
		return 0, 0, fmt.Errorf("make the lock of the migrations: %w", err)
	}
	goes, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Postgres(),
		goose.WithDisableGlobalRegistry(true), goose.WithTableName(versionTable), goose.WithSessionLocker(turns))
	if err != nil {
		return 0, 0, fmt.Errorf("read the migrations of the database: %w", err)
	}
	sources := goes.ListSources()
	knows := sources[len(sources)-1].Version
	if found.versioned {
		if from, err = goes.GetDBVersion(ctx); err != nil {
			return 0, 0, p.explain(err)
		}
	}
	switch {
	case from > knows:
		return from, from, fmt.Errorf("open database %s: it was written by a newer callwright (tables of version %d, this one knows %d); "+
			"start that version, or let the database setting name another database", p.name, from, knows)
	case from < knows && !found.mayCreate:
		user := p.config.ConnConfig.User
		return from, from, fmt.Errorf("open database %s: its tables must be brought from version %d to %d, but user %q has no right to create tables in schema %s; "+
			"run `callwright migrate` once with the URL of a user who has, or: GRANT CREATE ON SCHEMA %s TO %s",
			p.name, from, knows, user, found.schema, quote(found.schema), quote(user))
	case from < knows:
		// Nodes that start at the same time take turns; who comes second finds
		// nothing left to do.
		if _, err := goes.Up(ctx); err != nil {
			return from, from, p.explain(err)
		}
	}
	return from, knows, p.mayWork(ctx, conn)
}

// findings are what a look at a database finds.
type findings struct {
	schema    string // where tables are made
	mayCreate bool   // tables, in that schema
	versioned bool   // our tables are there
}

// look refuses a database that is not for us, before anything in it is changed.
func (p *place) look(ctx context.Context, conn *pgx.Conn) (findings, error) {
	var (
		f        findings
		encoding string
		readOnly bool
		foreign  []string
	)
	err := conn.QueryRow(ctx, `
		SELECT current_setting('server_encoding'), current_setting('transaction_read_only') = 'on',
		       coalesce(current_schema(), ''), coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
		       EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1),
		       ARRAY(SELECT relname::text FROM pg_class
		             WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) AND relname = ANY ($2) ORDER BY relname)`,
		versionTable, tables).Scan(&encoding, &readOnly, &f.schema, &f.mayCreate, &f.versioned, &foreign)
	if err != nil {
		return f, p.explain(err)
	}
	advice := ""
	switch {
	case encoding != "UTF8":
		advice = fmt.Sprintf("its encoding is %s, which cannot hold every name; make one with createdb -E UTF8 -T template0", encoding)
	case readOnly:
		advice = "it can only be read, as a replica can; let the database setting name the primary server"
	case f.schema == "":
		advice = fmt.Sprintf("it has no schema that user %q may use; make one (CREATE SCHEMA callwright AUTHORIZATION %s) and name it in the database setting by ?search_path=callwright",
			p.config.ConnConfig.User, quote(p.config.ConnConfig.User))
	case !f.versioned && len(foreign) > 0:
		advice = fmt.Sprintf("its schema %s has tables of another program (%s); let the database setting name another database, or a schema of its own by ?search_path=SCHEMA",
			f.schema, strings.Join(foreign, ", "))
	}
	if advice != "" {
		return f, fmt.Errorf("open database %s: %s", p.name, advice)
	}
	return f, nil
}

// mayWork refuses a database that would take no change.
func (p *place) mayWork(ctx context.Context, conn *pgx.Conn) error {
	var lacking []string
	err := conn.QueryRow(ctx, `
		SELECT ARRAY(SELECT DISTINCT t FROM unnest($1::text[]) t, unnest('{SELECT, INSERT, UPDATE, DELETE}'::text[]) what
		             WHERE NOT has_table_privilege(t, what) ORDER BY t)`, tables).Scan(&lacking)
	if err != nil {
		return p.explain(err)
	}
	if len(lacking) > 0 {
		user := p.config.ConnConfig.User
		return errors.New("open database " + p.name + ": user " + quote(user) + " may not work with " + strings.Join(lacking, ", ") +
			"; let the owner of the tables run: " + grant(user))
	}
	return nil
}
