// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"log/slog"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
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
func database() storetest.Database {
	return storetest.Database{
		Create: func(t testing.TB) string { return cluster.Database(t) },
		Open: func(ctx context.Context, place string) (storetest.Store, error) {
			return withJournal(place, func(folder string) (storetest.Store, error) {
				return Open(ctx, place, folder, quiet())
			})
		},
		Shared: true,
	}
}

// withJournal opens with the first folder for a journal that nobody uses: many
// have the database open, and who opens it after a kill replays what the one who
// was killed left behind.
func withJournal(place string, open func(folder string) (storetest.Store, error)) (storetest.Store, error) {
	for i := 0; ; i++ {
		s, err := open(folderBeside(place, i))
		if err != nil && strings.Contains(err.Error(), "in use by process") {
			continue
		}
		return s, err
	}
}

// folderBeside gives the path of a folder in that of the cluster.
func folderBeside(place string, number int) string {
	u, err := url.Parse(place)
	if err != nil {
		panic(err)
	}
	return filepath.Join(u.Query().Get("host"), strings.Trim(u.Path, "/")+"-journal-"+strconv.Itoa(number))
}

func TestConformance(t *testing.T) { storetest.Run(t, database()) }

func BenchmarkSetUps(b *testing.B) { storetest.Benchmark(b, database()) }
