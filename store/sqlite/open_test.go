// SPDX-License-Identifier: MIT

package sqlite

import (
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// quiet drops what is logged.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// closed opens and closes a file, so that it is ours.
func closed(t *testing.T, path string) {
	t.Helper()
	s, err := Open(t.Context(), path, t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// exec runs a statement in a file as another program would.
func exec(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		// make gives the path to open in a folder.
		make func(t *testing.T, folder string) string
		want string
	}{
		{"a folder that is not there", func(_ *testing.T, folder string) string {
			return filepath.Join(folder, "no", "calls.db")
		}, "does not exist; make it"},
		{"a folder", func(_ *testing.T, folder string) string {
			return folder
		}, "name a file that can be written"},
		{"a file of another sort", func(t *testing.T, folder string) string {
			path := filepath.Join(folder, "letter.txt")
			if err := os.WriteFile(path, []byte(strings.Repeat("Dear Sir or Madam. ", 200)), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, "this is not a SQLite file"},
		{"a short file of another sort", func(t *testing.T, folder string) string {
			path := filepath.Join(folder, "short.txt")
			if err := os.WriteFile(path, []byte("key: value\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, "this is not a SQLite file"},
		{"the file of another program", func(t *testing.T, folder string) string {
			path := filepath.Join(folder, "bookmarks.db")
			exec(t, path, "CREATE TABLE bookmarks (url TEXT)")
			return path
		}, "belongs to another program"},
		{"the file of a newer version", func(t *testing.T, folder string) string {
			path := filepath.Join(folder, "newer.db")
			closed(t, path)
			exec(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (4711, 1)")
			return path
		}, "written by a newer callwright (tables of version 4711, this one knows"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := test.make(t, t.TempDir())
			before, _ := os.ReadFile(path)
			s, err := Open(t.Context(), path, t.TempDir(), quiet())
			if err == nil {
				t.Error(s.Close(t.Context()))
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error is %q, want %q and the path in it", err, test.want)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestOpenMakesAFileForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "100% calls? #1.db") // what a URL would take apart
	s, err := Open(t.Context(), path, t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has permissions %v, want 0600", info.Name(), info.Mode().Perm())
		}
	}
}

func TestOpenRunsAsDocumented(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "calls.db"), t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	for _, test := range []struct {
		db           *sql.DB
		pragma, want string
	}{
		{s.write, "journal_mode", "wal"},
		{s.write, "synchronous", "1"},
		{s.write, "foreign_keys", "1"},
		{s.write, "busy_timeout", busyTimeout},
		{s.read, "busy_timeout", busyTimeout},
		{s.read, "query_only", "1"},
	} {
		var got string
		if err := test.db.QueryRow("PRAGMA " + test.pragma).Scan(&got); err != nil || got != test.want {
			t.Errorf("%s is %q, %v, want %q", test.pragma, got, err, test.want)
		}
	}
}

// TestOpenIsForOneAtATime whatever folder the other has for its journal.
func TestOpenIsForOneAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "calls.db")
	s, err := Open(t.Context(), path, t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	_, second := Open(t.Context(), path, t.TempDir(), quiet())
	_, _, migrate := Migrate(t.Context(), path)
	for _, err := range []error{second, migrate} {
		if err == nil || !strings.Contains(err.Error(), path+": it is in use by process") {
			t.Errorf("error is %v, want that the file is in use", err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Migrate(t.Context(), path); err != nil {
		t.Error(err)
	}
	closed(t, path)
}
