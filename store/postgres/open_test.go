// SPDX-License-Identifier: MIT

package postgres

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/callwright/callwright/internal/pgcluster"
)

// as gives the URL of the same database for another role.
func as(t *testing.T, dsn, role, password string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	if password != "" {
		u.User = url.UserPassword(role, password)
	}
	return u.String()
}

// opened opens a database for as long as the test runs.
func opened(t *testing.T, dsn string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dsn, t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// migrated makes a database whose tables are up to date.
func migrated(t *testing.T) (dsn string) {
	t.Helper()
	dsn = cluster.Database(t)
	if _, _, err := Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	return dsn
}

// What a connection could not send is not sent when it is closed: its end is a
// reset, and not the end of all data.
func TestAClosedConnectionSendsNothingMore(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	place, err := parse("postgres://" + l.Addr().String() + "/calls")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := place.config.ConnConfig.DialFunc(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server reads %v, want a reset", err)
	}
}

// refusal is a database that Open and Migrate refuse.
type refusal struct {
	name string
	// make gives its URL.
	make func(t *testing.T) string
	want []string
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	role(t, cluster.Database(t), "guarded LOGIN PASSWORD 's3cret-right'")
	role(t, cluster.Database(t), "idle NOLOGIN")
	role(t, cluster.Database(t), "plain LOGIN")
	for _, test := range append(unreachable(), unfit()...) {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dsn := test.make(t)
			s, err := Open(t.Context(), dsn, t.TempDir(), quiet())
			if err == nil {
				t.Error(s.Close(t.Context()))
				t.Fatal("it was opened")
			}
			_, _, migrateErr := Migrate(t.Context(), dsn)
			if migrateErr == nil {
				t.Fatal("it was migrated")
			}
			for _, err := range []error{err, migrateErr} {
				for _, want := range append(test.want, "open database") {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("error is %q, want %q in it", err, want)
					}
				}
				if strings.Contains(err.Error(), "s3cret") {
					t.Errorf("error shows the password: %q", err)
				}
			}
		})
	}
}

// unreachable are databases that cannot be spoken to.
func unreachable() []refusal {
	return []refusal{
		{"no URL", func(*testing.T) string { return "callwright.db" }, []string{"write postgres://USER:PASSWORD@HOST:5432/NAME"}},
		{"a password that breaks the URL", func(*testing.T) string { return "postgres://me:s3cret/%zz@127.0.0.1/x" }, []string{"special characters of the password"}},
		{"a port that is none", func(*testing.T) string { return "postgres://me:s3cret@127.0.0.1:many/x" }, []string{"write postgres://"}},
		{"nobody listens", func(t *testing.T) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close() // and nobody is there any more
			return "postgres://me:s3cret@" + l.Addr().String() + "/x?sslmode=disable"
		}, []string{"no server answers there", "start PostgreSQL", "x at 127.0.0.1:"}},
		{"no socket", func(t *testing.T) string {
			return "postgres://me@/x?host=" + url.QueryEscape(t.TempDir())
		}, []string{"no server answers there"}},
		{"a host that is not known", func(*testing.T) string { return "postgres://me:s3cret@nowhere.invalid/x" }, []string{`the host "nowhere.invalid" is not known`}},
		{"a wrong password", func(t *testing.T) string {
			return as(t, cluster.Database(t), pgcluster.Guarded, "s3cret-wrong")
		}, []string{`the password of user "guarded" is wrong`}},
		{"a user who may not log in", func(t *testing.T) string {
			return as(t, cluster.Database(t), "idle", "")
		}, []string{`user "idle" may not log in`}},
		{"a user who is not there", func(t *testing.T) string {
			return as(t, cluster.Database(t), "nobody's", "")
		}, []string{`user "nobody's" may not log in`}},
		{"no such database", func(t *testing.T) string {
			return strings.Replace(cluster.Database(t), "/db", "/none", 1)
		}, []string{"there is no such database", `createdb -E UTF8 -O "test" "none`}},
	}
}

// unfit are databases that will not do.
func unfit() []refusal {
	made := func(sql string) func(*testing.T) string {
		return func(t *testing.T) string {
			dsn := cluster.Database(t)
			cluster.Query(t, dsn, sql)
			return dsn
		}
	}
	plain := func(sql string) func(*testing.T) string {
		return func(t *testing.T) string {
			dsn := migrated(t)
			cluster.Query(t, dsn, sql)
			return as(t, dsn, "plain", "")
		}
	}
	return []refusal{
		{"no right to make tables", func(t *testing.T) string {
			return as(t, cluster.Database(t), "plain", "")
		}, []string{`user "plain" has no right to create tables in schema public`, "callwright migrate", `GRANT CREATE ON SCHEMA "public" TO "plain"`, "from version 0 to 5"}},
		{"tables of another owner, out of date", plain("DELETE FROM callwright_version WHERE version_id = 5;" +
			"DROP INDEX calls_past, calls_from, calls_to; GRANT CREATE ON SCHEMA public TO plain; GRANT ALL ON callwright_version TO plain"),
			[]string{"lacks a right", "callwright migrate", "must be owner of table calls"}},
		{"no right to look at the version", plain("SELECT 1"), []string{`user "plain" lacks a right`, `GRANT SELECT ON callwright_version TO "plain"`}},
		{"no right to write", plain("GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain; GRANT ALL ON calls TO plain"),
			[]string{"may not work with call_events, deleted_recordings, objects, recordings, registrations", "GRANT SELECT, INSERT, UPDATE, DELETE ON calls, call_events, registrations, objects, recordings, deleted_recordings"}},
		{"no schema", made("DROP SCHEMA public"), []string{"no schema", "?search_path=callwright"}},
		{"a newer version", func(t *testing.T) string {
			dsn := migrated(t)
			cluster.Query(t, dsn, "INSERT INTO callwright_version (version_id, is_applied) VALUES (4711, true)")
			return dsn
		}, []string{"a newer callwright (tables of version 4711, this one knows 5)", "start that version"}},
		{"tables of another program", made("CREATE TABLE objects (name text); CREATE TABLE calls (name text)"),
			[]string{"tables of another program (calls, objects)", "another database", "?search_path=SCHEMA"}},
		{"tables of another program beside a begun migration", made("CREATE TABLE calls (name text);" +
			"CREATE TABLE callwright_version (id int GENERATED ALWAYS AS IDENTITY, version_id bigint, is_applied boolean, tstamp timestamp DEFAULT now());" +
			"INSERT INTO callwright_version (version_id, is_applied) VALUES (0, true)"), []string{"belongs to another program"}},
		{"an encoding that cannot hold all", func(t *testing.T) string {
			dsn := cluster.Database(t)
			cluster.Query(t, dsn, "DROP DATABASE IF EXISTS latin")
			cluster.Query(t, dsn, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
			return cluster.DSN(pgcluster.Superuser, "", "latin")
		}, []string{"its encoding is LATIN1", "createdb -E UTF8"}},
		{"a database that can only be read", func(t *testing.T) string {
			return migrated(t) + "&default_transaction_read_only=on"
		}, []string{"can only be read", "primary"}},
	}
}

// TestARefusedDatabaseIsLeftAlone: nothing of ours is in the database of another
// program.
func TestARefusedDatabaseIsLeftAlone(t *testing.T) {
	t.Parallel()
	dsn := cluster.Database(t)
	cluster.Query(t, dsn, "CREATE TABLE calls (name text)")
	if _, _, err := Migrate(t.Context(), dsn); err == nil {
		t.Error("it was migrated")
	}
	if got := cluster.Query(t, dsn, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"); got != "calls\n" {
		t.Errorf("tables are %q, want those of before", got)
	}
}

// TestLittleRightIsEnough: who only works with tables that are up to date needs
// no right to make any.
func TestLittleRightIsEnough(t *testing.T) {
	t.Parallel()
	dsn := migrated(t)
	role(t, dsn, "worker LOGIN")
	cluster.Query(t, dsn, grant("worker"))
	s := opened(t, as(t, dsn, "worker", ""))
	exercise(t, s)
}

// TestASchemaOfItsOwn: two programs, and two callwrights, share a database.
func TestASchemaOfItsOwn(t *testing.T) {
	t.Parallel()
	dsn := cluster.Database(t)
	cluster.Query(t, dsn, "CREATE TABLE calls (name text); CREATE TABLE goose_db_version (name text); CREATE SCHEMA one; CREATE SCHEMA two")
	for _, schema := range []string{"one", "two"} {
		exercise(t, opened(t, dsn+"&search_path="+schema))
	}
	if got := cluster.Query(t, dsn, "SELECT count(*) FROM one.calls, two.calls"); got != "1\n" {
		t.Errorf("a call each makes %q pairs", got)
	}
}

// role makes a role, which belongs to the cluster and may be there from an
// earlier run of the test.
func role(t *testing.T, dsn, definition string) {
	t.Helper()
	cluster.Query(t, dsn, "DO $$BEGIN CREATE ROLE "+definition+"; EXCEPTION WHEN duplicate_object THEN NULL; END$$")
}
