// SPDX-License-Identifier: MIT

package mpsc_test

import (
	"sync"
	"testing"

	"github.com/callwright/callwright/media/internal/mpsc"
)

// Whatever many producers push at once arrives once, each producer's in order.
func TestQueue(t *testing.T) {
	t.Parallel()
	const producers, each = 8, 1000
	var (
		q    mpsc.Queue[[2]int]
		wg   sync.WaitGroup
		last [producers]int
	)
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				q.Push(&mpsc.Node[[2]int]{Value: [2]int{p, i + 1}})
			}
		})
	}
	for got := 0; got < producers*each; {
		for n := q.Take(); n != nil; n = n.Next() {
			p, i := n.Value[0], n.Value[1]
			if i != last[p]+1 {
				t.Fatalf("producer %d: %d came after %d", p, i, last[p])
			}
			last[p] = i
			got++
		}
	}
	wg.Wait()
	if q.Take() != nil {
		t.Error("something is left")
	}
}
