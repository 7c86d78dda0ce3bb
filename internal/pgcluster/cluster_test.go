// SPDX-License-Identifier: MIT

package pgcluster

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

var cluster Cluster

func TestMain(m *testing.M) { goleak.VerifyTestMain(cluster.Around(m)) }

func TestDatabasesAreTheirOwn(t *testing.T) {
	t.Parallel()
	one, other := cluster.Database(t), cluster.Database(t)
	cluster.Query(t, one, "CREATE TABLE fruit (name text); INSERT INTO fruit VALUES ('apple'), ('pear')")
	if got := cluster.Query(t, one, "SELECT name, 1 FROM fruit ORDER BY name"); got != "apple|1\npear|1\n" {
		t.Errorf("got %q", got)
	}
	if got := cluster.Query(t, other, "SELECT to_regclass('fruit') IS NULL"); got != "t\n" {
		t.Error("the table of one database is in the other")
	}
}

func TestDataOutliveAStop(t *testing.T) {
	t.Parallel()
	c := Start(t)
	dsn := c.Database(t)
	c.Query(t, dsn, "CREATE TABLE fruit (name text); INSERT INTO fruit VALUES ('apple')")
	for range 2 {
		c.Stop(t)
		if out, err := c.command("psql", "-c", "SELECT 1", dsn).CombinedOutput(); err == nil {
			t.Errorf("a stopped server answered %q", out)
		}
		c.Restart(t)
	}
	if got := c.Query(t, dsn, "SELECT name FROM fruit"); got != "apple\n" {
		t.Errorf("got %q", got)
	}
}

func TestTheGuardedRoleNeedsItsPassword(t *testing.T) {
	t.Parallel()
	cluster.Query(t, cluster.Database(t), "DROP ROLE IF EXISTS guarded")
	cluster.Query(t, cluster.Database(t), "CREATE ROLE guarded LOGIN PASSWORD 'right'")
	if out, err := cluster.command("psql", "-c", "SELECT 1", cluster.DSN(Guarded, "wrong", "postgres")).CombinedOutput(); err == nil || !strings.Contains(string(out), "password") {
		t.Errorf("the wrong password gives %v, %q", err, out)
	}
	cluster.Query(t, cluster.DSN(Guarded, "right", "postgres"), "SELECT 1")
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	var c *Cluster
	t.Run("a test that leaves a stopped one", func(t *testing.T) {
		c = Start(t)
		c.Database(t)
		c.Stop(t)
	})
	if _, err := os.Stat(c.folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its folder: %v, want that it is gone", err)
	}
}
