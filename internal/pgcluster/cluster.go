// SPDX-License-Identifier: MIT

package pgcluster

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/callwright/callwright/internal/peer"
)

// Superuser is the role that a DSN of Database logs in as, without a password.
const Superuser = "test"

// Guarded is a role that must give its password, once a test has made it:
//
//	CREATE ROLE guarded LOGIN PASSWORD '…'
const Guarded = "guarded"

// Cluster is a PostgreSQL server with its data. The zero Cluster starts when it
// is first asked for a database; a test binary has one for all its tests:
//
//	var cluster pgcluster.Cluster
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(cluster.Around(m)) }
//
// Methods may be called by many tests at the same time.
type Cluster struct {
	mu        sync.Mutex
	folder    string // of the data and the socket; empty before the first start
	bin       string // folder of PostgreSQL's programs
	server    *server
	databases int
}

// Start starts a Cluster of its own for a test that stops and starts it. It ends
// with the test. Without PostgreSQL the test is skipped or failed, as peer.Need
// has it.
func Start(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{}
	c.ready(t)
	t.Cleanup(func() {
		if err := c.end(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// Around gives the tests of a binary with the end of the Cluster behind them.
func (c *Cluster) Around(m *testing.M) interface{ Run() int } { return around{c, m} }

type around struct {
	cluster *Cluster
	tests   *testing.M
}

// Run runs the tests and ends the Cluster.
func (a around) Run() int {
	code := a.tests.Run()
	if err := a.cluster.end(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// Database makes an empty database that is gone when the test ends, and gives
// its URL. The first one starts the Cluster.
func (c *Cluster) Database(t testing.TB) (dsn string) {
	t.Helper()
	c.ready(t)
	c.mu.Lock()
	c.databases++
	name := fmt.Sprintf("db%d", c.databases)
	c.mu.Unlock()
	c.run(t, "createdb", name)
	t.Cleanup(func() {
		if c.running() {
			c.run(t, "dropdb", "--force", name)
		}
	})
	return c.DSN(Superuser, "", name)
}

// DSN gives the URL of a database for a role and its password, which may be
// empty.
func (c *Cluster) DSN(role, password, database string) string {
	user := url.User(role)
	if password != "" {
		user = url.UserPassword(role, password)
	}
	u := url.URL{Scheme: "postgres", User: user, Path: "/" + database, RawQuery: url.Values{"host": {c.folder}}.Encode()}
	return u.String()
}

// Query runs SQL as psql does and gives what it prints: a line a row, columns
// apart by "|".
func (c *Cluster) Query(t testing.TB, dsn, sql string) string {
	t.Helper()
	return c.run(t, "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, dsn)
}

// Stop takes the server away from those who use it: what they have not committed
// is rolled back, the data stay.
func (c *Cluster) Stop(t testing.TB) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.stop(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
}

// Crash ends the server as `pg_ctl stop -m immediate` does: at once, in the midst
// of what it writes. At Restart it recovers what was committed.
func (c *Cluster) Crash(t testing.TB) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.stop(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
}

// Restart starts the server again after Stop or Crash, on the same data and socket.
func (c *Cluster) Restart(t testing.TB) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
}

func (c *Cluster) running() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server != nil
}

// ready makes and starts the Cluster if that was not done yet.
func (c *Cluster) ready(t testing.TB) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.folder != "" {
		return
	}
	program := find("postgres")
	peer.Need(t, program, "postgresql")
	c.bin = filepath.Dir(program)
	if err := c.create(); err != nil {
		t.Fatal(err)
	}
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
}

// run runs one of PostgreSQL's programs and gives its output.
func (c *Cluster) run(t testing.TB, program string, args ...string) string {
	t.Helper()
	cmd := c.command(program, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}

// find gives the path of a program in one of Debian's or Homebrew's folders of
// versions, which are not in $PATH, else its bare name.
func find(program string) string {
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/", "/opt/homebrew/opt/postgresql@*/bin/"} {
		if found, _ := filepath.Glob(pattern + program); len(found) > 0 { // the pattern is well formed
			return found[len(found)-1]
		}
	}
	return program
}
