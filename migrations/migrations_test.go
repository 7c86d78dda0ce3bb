// SPDX-License-Identifier: MIT

package migrations

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestANumberMeansTheSameEverywhere wants the same names in every folder,
// numbered without a gap.
func TestANumberMeansTheSameEverywhere(t *testing.T) {
	t.Parallel()
	sqlite, err := fs.Glob(SQLite(), "*")
	if err != nil {
		t.Fatal(err)
	}
	postgres, err := fs.Glob(Postgres(), "*")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sqlite, postgres); diff != "" {
		t.Errorf("names (-sqlite +postgres):\n%s", diff)
	}
	for i, name := range sqlite {
		if number := fmt.Sprintf("%05d_", i+1); !strings.HasPrefix(name, number) {
			t.Errorf("file %d is %s, want a name that begins with %s", i+1, name, number)
		}
	}
	if len(sqlite) < 2 {
		t.Errorf("there are %d files", len(sqlite))
	}
}
