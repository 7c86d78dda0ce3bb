// SPDX-License-Identifier: MIT

package storetest

import (
	"context"
	"sync"
	"testing"

	"github.com/callwright/callwright/engine"
)

// Benchmark measures how many calls a second the writer takes from beginning
// to end: 10 events and 3 saves each, durable twice (before the app is asked and
// at the end), 200 calls at a time.
func Benchmark(b *testing.B, db Database) {
	s := fresh(b, db)
	work := make(chan struct{})
	var group sync.WaitGroup
	for range 200 {
		group.Go(func() {
			for range work {
				if err := setUp(s); err != nil {
					b.Error(err)
				}
			}
		})
	}
	b.ResetTimer()
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	group.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "set-ups/s")
}

// setUp appends what a call of a typical length does.
func setUp(s Store) error {
	ctx := context.Background()
	r := fullRecord()
	r.EndedAt = nil
	event := func(seq int) engine.Change {
		e := fullEvent(r.ID, seq)
		e.Data.Problem, e.Data.Party = nil, nil
		return added(e)
	}
	s.Append(saved(r), event(1), event(2))
	if err := s.Durable(ctx); err != nil {
		return err
	}
	for seq := 3; seq <= 5; seq++ {
		s.Append(event(seq))
	}
	s.Append(saved(r), event(6))
	for seq := 7; seq <= 9; seq++ {
		s.Append(event(seq))
	}
	r.EndedAt = &r.StartedAt
	s.Append(saved(r), event(10))
	return s.Durable(ctx)
}
