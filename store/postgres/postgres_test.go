// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/pgcluster"
	"github.com/callwright/callwright/store/storetest"
)

// cluster is that of all tests but those that stop one.
var cluster pgcluster.Cluster

func TestMain(m *testing.M) { goleak.VerifyTestMain(cluster.Around(m)) }

// quiet drops what is logged.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// database is how the suite gets at PostgreSQL.
func database(t testing.TB) storetest.Database {
	journals := t.TempDir()
	var opened atomic.Int64
	return storetest.Database{
		Create: func(t testing.TB) string { return cluster.Database(t) },
		Open: func(ctx context.Context, place string) (storetest.Store, error) {
			// Each process has a journal of its own.
			journal := filepath.Join(journals, strconv.Itoa(os.Getpid())+"-"+strconv.FormatInt(opened.Add(1), 10))
			return Open(ctx, place, journal, quiet())
		},
		Shared: true,
	}
}

func TestConformance(t *testing.T) { storetest.Run(t, database(t)) }

func BenchmarkSetUps(b *testing.B) { storetest.Benchmark(b, database(b)) }
