// SPDX-License-Identifier: MIT

package sipgate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/directory"
)

// Every row has a test that is named after it, and scopes that a token can have.
func TestEveryRowHasATest(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	for _, row := range rows() {
		path := strings.Replace(row.path, "/:id/history", "/userId/history", 1)
		path = strings.Replace(path, "/:id/devices", "/userId/devices", 1)
		name := "Test" + row.method + strings.NewReplacer("/:", "_", "/", "_").Replace(path)
		if !strings.Contains(source.String(), "func "+name+"(") {
			t.Errorf("%s %s has no test %s", row.method, row.path, name)
		}
		for _, scope := range row.scopes {
			if !slices.Contains(directory.TokenScopes(), scope) {
				t.Errorf("%s %s wants the scope %s, which no token can have: add it to TokenScopes of directory/token.go", row.method, row.path, scope)
			}
		}
	}
}
