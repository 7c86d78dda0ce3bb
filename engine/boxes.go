// SPDX-License-Identifier: MIT

package engine

import (
	"slices"
	"sync"
)

// boxes are the calls that may leave a message in a box and have not done so yet. A
// message is counted by the database when it is kept, and callers come at once.
type boxes struct {
	mu    sync.Mutex
	calls map[key][]ID // the first to come first
	by    map[ID]key
}

// enter notes a call, and gives how many came to the box before it and are still
// there.
func (b *boxes) enter(box key, call ID) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, here := b.by[call]; !here {
		b.by[call] = box
		b.calls[box] = append(b.calls[box], call)
	}
	return slices.Index(b.calls[b.by[call]], call)
}

// holds says whether a call is noted.
func (b *boxes) holds(call ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, here := b.by[call]
	return here
}

// leave forgets a call, which leaves no message any more, or whose message is kept.
func (b *boxes) leave(call ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	box, here := b.by[call]
	if !here {
		return
	}
	delete(b.by, call)
	rest := slices.DeleteFunc(b.calls[box], func(id ID) bool { return id == call })
	if b.calls[box] = rest; len(rest) == 0 {
		delete(b.calls, box)
	}
}

// leaveBox gives a call's place in a box back once what it left there is kept.
func (e *Engine) leaveBox(call ID) {
	if !e.boxes.holds(call) {
		return
	}
	e.goroutines.Go(func() {
		_ = e.config.Journal.Durable(e.ctx) // a server that stops takes no messages either
		e.boxes.leave(call)
	})
}
