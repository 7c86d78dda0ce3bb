// SPDX-License-Identifier: MIT

package engine

import (
	"slices"
	"sync"
)

// boxes are the calls that may leave a message in a box, or whose message is not
// counted yet: a database counts what it has, and callers come at once.
type boxes struct {
	mu    sync.Mutex
	calls map[key][]ID // the first to come first
	by    map[ID]boxPlace
}

// boxPlace is that of a call in a box.
type boxPlace struct {
	box  key
	kept bool // its message is, and perhaps not counted yet
}

// enter notes a call, and gives how many came to the box before it and are still
// there.
func (b *boxes) enter(box key, call ID) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, here := b.by[call]; !here {
		b.by[call] = boxPlace{box: box}
		b.calls[box] = append(b.calls[box], call)
	}
	return slices.Index(b.calls[b.by[call].box], call)
}

// keeps notes that a call has left its message.
func (b *boxes) keeps(call ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if place, here := b.by[call]; here {
		place.kept = true
		b.by[call] = place
	}
}

// kept says whether a call has a place and has left its message.
func (b *boxes) kept(call ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.by[call].kept
}

// leave forgets a call, which leaves no message any more, or whose message is counted.
func (b *boxes) leave(call ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was, here := b.by[call]
	if !here {
		return
	}
	box := was.box
	delete(b.by, call)
	rest := slices.DeleteFunc(b.calls[box], func(id ID) bool { return id == call })
	if b.calls[box] = rest; len(rest) == 0 {
		delete(b.calls, box)
	}
}

// leaveBox gives a call's place in a box back, once what it left there is counted.
func (e *Engine) leaveBox(call ID) {
	if !e.boxes.kept(call) {
		e.boxes.leave(call)
		return
	}
	e.goroutines.Go(func() {
		_ = e.config.Kept.Applied(e.applying) // a server that stops takes no messages either
		e.boxes.leave(call)
	})
}
