// SPDX-License-Identifier: MIT

package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store/past"
)

// TestPastIsFoundByIndexes: no page is made by reading all calls, and those with a
// number on either side are found by it.
func TestPastIsFoundByIndexes(t *testing.T) {
	t.Parallel()
	dsn := migrated(t)
	s := opened(t, dsn)
	cluster.Query(t, dsn, `
		INSERT INTO calls (id, account, app, number, direction, from_address, to_address, diversion, node, state, cause, started_at, ended_at, dialect, settled)
		SELECT gen_random_uuid(), CASE n % 2 WHEN 0 THEN 'acme' ELSE 'zoo' END, '', '', 'in', jsonb_build_object('kind', 'number', 'value', '+49' || n),
			'{"kind": "number", "value": "+4921112345"}', '', '', 'ended', 'normal', now(), now(), '{}', true
		FROM generate_series(1, 20000) AS n;
		INSERT INTO recordings (id, account, kind, call, box, from_address, to_address, file, started_at, duration_ns)
		SELECT gen_random_uuid(), account, 'voicemail', id, 'w0', from_address, to_address, '', now(), 1 FROM calls LIMIT 4000;
		ANALYZE`)
	for _, tc := range []struct {
		f    engine.PastFilter
		want []string
	}{
		{engine.PastFilter{Account: "acme"}, []string{"calls_past", "recordings_account"}},
		{engine.PastFilter{Account: "acme", NoMessages: true, Fates: []engine.Fate{{Direction: engine.In}}, Users: []string{"w0"}}, []string{"Index"}},
		{engine.PastFilter{Account: "acme", NoMessages: true, Party: "493000"}, []string{"calls_from", "calls_to"}},
	} {
		_, page, err := pastSQL().Find(tc.f, 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		plan := func(query past.Statement) string {
			rows, err := s.read.Query(t.Context(), "EXPLAIN "+query.Text, query.Values...)
			if err != nil {
				t.Fatal(err)
			}
			steps, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(steps, "\n")
		}
		shown := plan(page)
		for _, index := range tc.want {
			if !strings.Contains(shown, " "+index+" ") {
				t.Errorf("%+v is not found by %s:\n%s", tc.f, index, shown)
			}
		}
		if strings.Contains(shown, "Seq Scan on calls") {
			t.Errorf("%+v looks at too much:\n%s", tc.f, shown)
		}
	}
}
