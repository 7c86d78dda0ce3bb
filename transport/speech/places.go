// SPDX-License-Identifier: MIT

package speech

import (
	"context"
	"slices"
	"sync"
	"time"
)

// places are those for texts that are spoken at once. One account may have all but
// one of them, and of those that wait the one comes next whose account has the
// fewest: nobody waits for all the texts of another.
type places struct {
	mu         sync.Mutex
	free, most int // of all, and for one account
	taken      map[string]int
	waiting    []*waiter // the first to come first
}

// waiter is a text that waits for a place.
type waiter struct {
	account string
	called  chan struct{} // closed when it has one
}

func newPlaces(n int) *places {
	return &places{free: n, most: max(n-1, 1), taken: map[string]int{}}
}

// enter waits for a place. With an error there is none to leave.
func (p *places) enter(ctx context.Context, account string) error {
	w := &waiter{account, make(chan struct{})}
	p.mu.Lock()
	p.waiting = append(p.waiting, w)
	p.call()
	p.mu.Unlock()
	select {
	case <-w.called:
	case <-ctx.Done():
	}
	if !over(ctx) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiting, w); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	} else {
		p.give(account) // it has one
	}
	return ctx.Err()
}

// over says whether a context has ended, or is just about to: its end can be the
// same moment at which a place becomes free, and is told a little later.
func over(ctx context.Context) bool {
	if until, ok := ctx.Deadline(); ok && !time.Now().Before(until) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}

// leave gives a place back.
func (p *places) leave(account string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.give(account)
}

// give is leave with mu held.
func (p *places) give(account string) {
	p.free++
	if p.taken[account]--; p.taken[account] == 0 {
		delete(p.taken, account)
	}
	p.call()
}

// call gives places to those whose turn it is. mu is held.
func (p *places) call() {
	for p.free > 0 {
		next := -1
		for i, w := range p.waiting {
			n := p.taken[w.account]
			if n < p.most && (next < 0 || n < p.taken[p.waiting[next].account]) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		w := p.waiting[next]
		p.waiting = slices.Delete(p.waiting, next, next+1)
		p.free--
		p.taken[w.account]++
		close(w.called)
	}
}
