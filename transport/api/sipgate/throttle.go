// SPDX-License-Identifier: MIT

package sipgate

import (
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// How many wrong tokens one source may show in how long, and how many sources and
// tokens of each are remembered.
const (
	maxWrong   = 20
	perWrong   = time.Minute
	maxSources = 4096
	maxRight   = 64
)

// throttle keeps sources from guessing. A source is an address, and behind one may
// be many clients: a token that was shown rightly from there is let in from there,
// however many others are wrong.
type throttle struct {
	mu      sync.Mutex
	sources map[netip.Addr]*guesser
}

// guesser is what is known of one source.
type guesser struct {
	wrong int
	// until is when the wrong ones are forgotten.
	until time.Time
	// right are the ids of tokens that were shown rightly.
	right map[string]bool
}

func newThrottle() *throttle { return &throttle{sources: map[netip.Addr]*guesser{}} }

// wait gives for how many seconds nothing that a source shows is looked at; empty
// when it is now.
func (t *throttle) wait(from netip.Addr, id string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, left := t.sources[from], time.Duration(0)
	if g != nil {
		left = time.Until(g.until)
	}
	if g == nil || g.wrong < maxWrong || left <= 0 || g.right[id] {
		return ""
	}
	return strconv.Itoa(int(left/time.Second) + 1)
}

// wrong counts a token that was wrong.
func (t *throttle) wrong(from netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.guesser(from)
	if now := time.Now(); now.After(g.until) {
		g.wrong, g.until = 0, now.Add(perWrong)
	}
	g.wrong++
}

// right notes that a token was right.
func (t *throttle) right(from netip.Addr, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.guesser(from); g.right[id] || len(g.right) < maxRight {
		g.right[id] = true
	}
}

// guesser finds a source, or makes room for it: of those that guess no more, and
// of any when there are none. It is called with mu held.
func (t *throttle) guesser(from netip.Addr) *guesser {
	if g := t.sources[from]; g != nil {
		return g
	}
	if len(t.sources) >= maxSources {
		t.forget()
	}
	g := &guesser{right: map[string]bool{}}
	t.sources[from] = g
	return g
}

// forget makes room for one source more.
func (t *throttle) forget() {
	now := time.Now()
	for from, g := range t.sources {
		if now.After(g.until) && len(g.right) == 0 {
			delete(t.sources, from)
		}
	}
	for from := range t.sources {
		if len(t.sources) < maxSources {
			return
		}
		delete(t.sources, from)
	}
}
