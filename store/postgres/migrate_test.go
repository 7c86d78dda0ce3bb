// SPDX-License-Identifier: MIT

package postgres

import (
	"database/sql"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/migrations"
	"github.com/callwright/callwright/store/sqlite"
)

func TestMigrateSaysFromWhereToWhere(t *testing.T) {
	t.Parallel()
	dsn := cluster.Database(t)
	for _, want := range []int64{0, 5} {
		if from, to, err := Migrate(t.Context(), dsn); from != want || to != 5 || err != nil {
			t.Errorf("from %d to %d, %v, want from %d to 5", from, to, err, want)
		}
	}
}

// TestManyNodesStartAtOnce on an empty database.
func TestManyNodesStartAtOnce(t *testing.T) {
	t.Parallel()
	dsn := cluster.Database(t)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			s, err := Open(t.Context(), dsn, t.TempDir(), quiet())
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := cluster.Query(t, dsn, "SELECT string_agg(version_id::text, ' ' ORDER BY id) FROM callwright_version"); got != "0 1 2 3 4 5\n" {
		t.Errorf("migrations done are %q, want each once", got)
	}
}

// TestOldRecordsComeAlong opens a database that the first migration made.
func TestOldRecordsComeAlong(t *testing.T) {
	t.Parallel()
	dsn := cluster.Database(t)
	place, err := parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*place.config.ConnConfig)
	defer db.Close()
	first, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Postgres(), goose.WithTableName(versionTable))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cluster.Query(t, dsn, `INSERT INTO calls VALUES ('01900000-0000-7000-8000-000000000001', 'acme', '', '', 'in', '{}', '{}', '',
		NULL, NULL, 'n', 'ended', 'normal', NULL, now(), NULL, now(), '{"a": "b"}', true)`)
	if from, to, err := Migrate(t.Context(), dsn); from != 1 || to != 5 || err != nil {
		t.Errorf("from %d to %d, %v, want from 1 to 5", from, to, err)
	}
	records, _, err := opened(t, dsn).Calls(t.Context(), 10, "")
	if err != nil || len(records) != 1 || records[0].Account != "acme" || records[0].Caller != "" || records[0].Trunk != "" || records[0].Media != nil {
		t.Errorf("got %v, %v, want the old call", records, err)
	}
	if diff := cmp.Diff(engine.DialectState{"a": "b"}, records[0].Dialect); diff != "" {
		t.Errorf("dialect (-want +got):\n%s", diff)
	}
}

// TestBothDatabasesEndInTheSameColumns: their names and whether they may be
// NULL; the types are each database's own.
func TestBothDatabasesEndInTheSameColumns(t *testing.T) {
	t.Parallel()
	dsn := migrated(t)
	postgres := strings.Fields(cluster.Query(t, dsn, `
		SELECT table_name || '.' || column_name || ':' || CASE is_nullable WHEN 'YES' THEN 'null' ELSE 'value' END
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'callwright_version'
		ORDER BY table_name COLLATE "C", column_name COLLATE "C"`))

	path := filepath.Join(t.TempDir(), "calls.db")
	if _, _, err := sqlite.Migrate(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var lite string
	// The key of a table with rowids is never NULL, and not said to be.
	err = db.QueryRow(`
		SELECT group_concat(t.name || '.' || c.name || ':' || iif(c."notnull" OR c.pk > 0, 'value', 'null'), ' ' ORDER BY t.name, c.name)
		FROM sqlite_schema t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'goose_db_version'`).Scan(&lite)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Fields(lite), postgres); diff != "" {
		t.Errorf("columns (-sqlite +postgres):\n%s", diff)
	}
	if len(postgres) < 40 {
		t.Errorf("looked at %d columns", len(postgres))
	}
}
