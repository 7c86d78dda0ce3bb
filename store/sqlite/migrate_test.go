// SPDX-License-Identifier: MIT

package sqlite

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/migrations"
)

func TestMigrateSaysFromWhereToWhere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "calls.db")
	for _, want := range []int64{0, 5} {
		if from, to, err := Migrate(t.Context(), path); from != want || to != 5 || err != nil {
			t.Errorf("from %d to %d, %v, want from %d to 5", from, to, err, want)
		}
	}
	exec(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (4711, 1)")
	if from, to, err := Migrate(t.Context(), path); from != 4711 || to != 4711 || err == nil {
		t.Errorf("from %d to %d, %v, want 4711 as it is, and an error", from, to, err)
	}
}

// TestOldRecordsComeAlong opens a file that the first migration made.
func TestOldRecordsComeAlong(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "calls.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	first, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.SQLite())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	exec(t, path, `INSERT INTO calls VALUES ('01900000-0000-7000-8000-000000000001', 'acme', '', '', 'in', '{}', '{}', '',
		NULL, NULL, 'n', 'ended', 'normal', NULL, '2026-01-02T15:04:05.000000Z', NULL, NULL, '{"a": "b"}', 1)`)
	s, err := Open(t.Context(), path, t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	records, _, err := s.Calls(t.Context(), 10, "")
	if err != nil || len(records) != 1 || records[0].Account != "acme" || records[0].Caller != "" || records[0].Trunk != "" || records[0].Media != nil {
		t.Fatalf("got %v, %v, want the old call", records, err)
	}
	if diff := cmp.Diff(engine.DialectState{"a": "b"}, records[0].Dialect); diff != "" {
		t.Errorf("dialect (-want +got):\n%s", diff)
	}
}

// TestExpiredRegistrationsGo at a start; nobody else would end them.
func TestExpiredRegistrationsGo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "calls.db")
	for range 2 {
		s, err := Open(t.Context(), path, t.TempDir(), quiet())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(t.Context())
		for _, want := range []int{0, 1} {
			var n int
			if err := s.read.QueryRow("SELECT count(*) FROM registrations").Scan(&n); err != nil || n != want {
				t.Errorf("%d registrations are there, %v, want %d", n, err, want)
			}
			s.Append(engine.RegistrationSaved{Registration: directory.Registration{User: "w0", Expires: time.Now().Add(-time.Second)}})
			if err := s.Applied(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatIsRefusedHoldsUpNothing: the file says that it will never take a
// change, and takes those around it.
func TestWhatIsRefusedHoldsUpNothing(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "calls.db"), t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	if _, err := s.write.Exec("CREATE TRIGGER no BEFORE INSERT ON calls WHEN new.app = 'bad' BEGIN SELECT RAISE(ABORT, 'bad'); END"); err != nil {
		t.Fatal(err)
	}
	bad := engine.Record{ID: engine.NewID(), App: "bad", StartedAt: time.Now()}
	good := engine.Record{ID: engine.NewID(), App: "good", StartedAt: time.Now()}
	s.Append(engine.RecordSaved{Record: bad}, engine.RecordSaved{Record: good})
	if err := s.Applied(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, _, err := s.Calls(t.Context(), 10, "")
	if err != nil || len(records) != 1 || records[0].ID != good.ID {
		t.Errorf("got %v, %v, want the good one", records, err)
	}
}
