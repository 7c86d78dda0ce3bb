// SPDX-License-Identifier: MIT

package sipgate

import (
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// How many wrong tokens one source may show in how long until it is told to wait,
// how many the log is told of in that time, and how many sources are remembered.
const (
	maxWrong   = 20
	maxTold    = 1000
	perWrong   = time.Minute
	maxSources = 4096
)

// throttle counts wrong tokens, so that a source that goes on and on is told to
// wait and does not fill the log. It keeps nobody out: a secret is too long to be
// guessed, and behind one address may be many clients, some of them with right ones.
type throttle struct {
	mu      sync.Mutex
	sources map[netip.Addr]*guesser
	told    guesser // all of them, as far as the log was told
}

// guesser is how many tokens were wrong.
type guesser struct {
	wrong int
	// until is when they are forgotten.
	until time.Time
}

func newThrottle() *throttle { return &throttle{sources: map[netip.Addr]*guesser{}} }

// count counts one more and gives how many there are.
func (g *guesser) count(now time.Time) int {
	if now.After(g.until) {
		g.wrong, g.until = 0, now.Add(perWrong)
	}
	g.wrong++
	return g.wrong
}

// wrong counts a token that was wrong. It gives for how many seconds the source is
// to wait, empty for one that needs not, and whether the log is to be told.
func (t *throttle) wrong(from netip.Addr) (wait string, tell bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	g := t.sources[from]
	if g == nil {
		t.makeRoom(now)
		g = &guesser{}
		t.sources[from] = g
	}
	if g.count(now) > maxWrong {
		return strconv.Itoa(int(g.until.Sub(now)/time.Second) + 1), false
	}
	return "", t.told.count(now) <= maxTold
}

// makeRoom forgets what is over, and then anybody, for one source more. mu is held.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.sources) < maxSources {
		return
	}
	for from, g := range t.sources {
		if now.After(g.until) {
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
