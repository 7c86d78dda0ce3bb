// SPDX-License-Identifier: MIT

package sqlite

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store/past"
)

// TestPastIsFoundByIndexes: no page is made by reading all calls, and those with a
// number on either side are found by it.
func TestPastIsFoundByIndexes(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "calls.db"), t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	for _, tc := range []struct {
		f    engine.PastFilter
		want []string
	}{
		{engine.PastFilter{Account: "acme"}, []string{"calls_past", "recordings_account"}},
		{engine.PastFilter{Account: "acme", NoMessages: true, Fates: []engine.Fate{{Direction: engine.In}}, Users: []string{"w0"}}, []string{"calls_past"}},
		{engine.PastFilter{Account: "acme", NoMessages: true, Party: "4930"}, []string{"calls_from", "calls_to"}},
	} {
		count, page, err := pastSQL().Find(tc.f, 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		plan := func(query past.Statement) string {
			steps, err := all(t.Context(), s.read, func(from row) (string, error) {
				var id, parent, unused int
				var step string
				return step, from.Scan(&id, &parent, &unused, &step)
			}, "EXPLAIN QUERY PLAN "+query.Text, query.Values...)
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(steps, "\n")
		}
		shown := plan(page)
		for _, index := range tc.want {
			if !strings.Contains(shown, "INDEX "+index+" ") {
				t.Errorf("%+v is not found by %s:\n%s", tc.f, index, shown)
			}
		}
		if strings.Contains(shown, "SCAN calls") || !strings.Contains(plan(count), "USING INDEX calls_") {
			t.Errorf("%+v looks at too much:\n%s", tc.f, shown)
		}
	}
}
