// SPDX-License-Identifier: MIT

package storetest

import (
	"sync"
	"testing"

	"github.com/callwright/callwright/engine"
)

// manyProcesses has several stores write the same database, some of them the
// same events, while followers of each read it: an event that came late under a
// lower id would be missed by them.
func manyProcesses(t *testing.T, db Database) {
	const processes, calls, events = 4, 20, 5
	place := db.Create(t)
	var stores []Store
	for range processes {
		stores = append(stores, open(t, db, place))
	}
	common := ringing() // all of them write it
	got := make([][]engine.Event, processes)
	var group sync.WaitGroup
	for i, s := range stores {
		group.Go(func() {
			got[i] = collect(t, s, 0, processes*calls*events+events)
		})
		group.Go(func() {
			s.Append(begun(common, events)...)
			for range calls {
				r := ringing()
				s.Append(begun(r, 1)...)
				for seq := 2; seq <= events; seq++ {
					s.Append(added(happened(r.ID, seq)))
				}
				if err := s.Durable(waiting(t)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for i := range got {
		last := map[engine.ID]int{}
		for _, e := range got[i] {
			if e.Seq != last[e.Call]+1 {
				t.Fatalf("follower %d: event %d of call %s came after event %d", i, e.Seq, e.Call, last[e.Call])
			}
			last[e.Call] = e.Seq
		}
		if len(last) != processes*calls+1 {
			t.Errorf("follower %d saw %d calls, want %d", i, len(last), processes*calls+1)
		}
	}
}

// followOther follows in a store that writes nothing itself.
func followOther(t *testing.T, db Database) {
	place := db.Create(t)
	writes, follows := open(t, db, place), open(t, db, place)
	var group sync.WaitGroup
	group.Go(func() {
		if got := collect(t, follows, 0, 5); len(got) != 5 {
			t.Errorf("got %d events, want 5", len(got))
		}
	})
	for range 5 {
		keep(t, writes, begun(ringing(), 1)...)
	}
	group.Wait()
}
