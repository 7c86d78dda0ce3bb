// SPDX-License-Identifier: MIT

package engine

import (
	"errors"
	"sync"
)

// mostRung is how many calls of APIs may ring the phones of one User at once. Each
// has a port for its sound, whether it is picked up or not.
const mostRung = 5

// ErrRung says that the phones of a User ring already for as many calls as they may.
var ErrRung = errors.New("the phones of the caller ring for 5 such calls already: wait until some are picked up or over")

// rung is for how many calls of APIs the phones of each User ring.
type rung struct {
	mu sync.Mutex
	by map[key]int
}

// begin counts a call, or gives ErrRung.
func (r *rung) begin(user key) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by[user] >= mostRung {
		return ErrRung
	}
	r.by[user]++
	return nil
}

func (r *rung) end(user key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by[user]--; r.by[user] == 0 {
		delete(r.by, user)
	}
}
