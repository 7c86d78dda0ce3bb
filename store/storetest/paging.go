// SPDX-License-Identifier: MIT

package storetest

import (
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// paging turns the pages while a new call comes and an old one changes between
// any two: those that were there at the beginning all come, in order, once.
func paging(t *testing.T, db Database) {
	for _, limit := range []int{1, 4, 23, 24, 100} {
		s := fresh(t, db)
		var want []engine.ID
		for range 24 {
			r := ringing()
			s.Append(saved(r))
			want = append(want, r.ID)
		}
		durable(t, s)
		slices.SortFunc(want, func(a, b engine.ID) int { return slices.Compare(b[:], a[:]) })

		var got []engine.ID
		for cursor := ""; ; {
			records, next, err := s.Calls(waiting(t), limit, cursor)
			if err != nil {
				t.Fatal(err)
			}
			if len(records) > limit || len(got) > len(want) {
				t.Fatalf("limit %d: a page of %d after %d calls of %d", limit, len(records), len(got), len(want))
			}
			for _, r := range records {
				if slices.Contains(want, r.ID) { // not one that came meanwhile, in the same millisecond
					got = append(got, r.ID)
				}
			}
			if next == "" {
				break
			}
			cursor = next
			keep(t, s, saved(ringing()), saved(records[0]))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d, newest first (-want +got):\n%s", limit, diff)
		}
	}
}

func badCursor(t *testing.T, db Database) {
	s := fresh(t, db)
	for _, cursor := range []string{"x", "%", "AAAA", engine.NewID().String(), "' OR 1=1 --"} {
		_, _, err := s.Calls(waiting(t), 10, cursor)
		if !errors.Is(err, store.ErrCursor) || !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("cursor %q: error is %v, want ErrCursor", cursor, err)
		}
	}
	r := ringing()
	keep(t, s, saved(r))
	for _, limit := range []int{-1, 0, 1 << 40} {
		if records, _, err := s.Calls(waiting(t), limit, ""); len(records) != 1 || err != nil {
			t.Errorf("limit %d: got %d calls, %v, want 1", limit, len(records), err)
		}
	}
}
