// SPDX-License-Identifier: MIT

package sqlite

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// database is how the suite gets at SQLite.
func database() storetest.Database {
	return storetest.Database{
		Create: func(t testing.TB) string { return filepath.Join(t.TempDir(), "calls.db") },
		Open: func(ctx context.Context, place string) (storetest.Store, error) {
			return Open(ctx, place, place+".journal", slog.New(slog.DiscardHandler))
		},
	}
}

func TestConformance(t *testing.T) { storetest.Run(t, database()) }

func BenchmarkSetUps(b *testing.B) { storetest.Benchmark(b, database()) }
