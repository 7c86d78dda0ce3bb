// SPDX-License-Identifier: MIT

package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/directory"
)

// Limits guard the operator's purse and machine. Zero and empty mean no limit.
// Calls to emergency numbers pass all of them.
type Limits struct {
	// Calls is how many calls may be alive at once, targets of a Dial not
	// counted.
	Calls int
	// CallsPerSecond is how many may begin in one second.
	CallsPerSecond int
	// MaxDuration is the longest that a call may last.
	MaxDuration time.Duration
	// Prefixes are what a number must begin with to be called by a trunk:
	// "+49", "0".
	Prefixes []string
	// OwnCallerIDs lets apps show only numbers of their account as caller id.
	OwnCallerIDs bool
	// MinutesPerDay is how long calls by trunks may last together in one day
	// (UTC); 0 is no limit.
	MinutesPerDay int
}

// LimitError refuses a call because of one of the Limits.
type LimitError struct {
	// Limit is the name of the setting: "limits.calls".
	Limit string
	// Sentence says what was reached.
	Sentence string
}

// Error says which limit it was and what it is set to.
func (e *LimitError) Error() string { return e.Limit + ": " + e.Sentence }

// guard holds calls against Limits.
type guard struct {
	limits Limits

	mu    sync.Mutex
	alive int
	pace  Pace
	// refusing is when the running second of refusals began, refused how many
	// were kept in it.
	refusing time.Time
	refused  int
}

// newGuard has prefixes written as calls have them.
func newGuard(l Limits) guard {
	l.Prefixes = slices.Clone(l.Prefixes)
	for i, p := range l.Prefixes {
		l.Prefixes[i] = directory.NormalizeNumber(p)
	}
	return guard{limits: l}
}

// enter lets a call in, or gives the *LimitError why not. Whoever was let in
// leaves.
func (g *guard) enter(exempt bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	perSecond := g.limits.CallsPerSecond
	switch most := g.limits.Calls; {
	case exempt:
	case most > 0 && g.alive >= most:
		return &LimitError{"limits.calls", fmt.Sprintf("%d calls are alive, and no more are allowed at once", g.alive)}
	case g.pace.Full(perSecond, now):
		return &LimitError{"limits.calls_per_second", fmt.Sprintf("%d calls began within a second, and no more are allowed", perSecond)}
	}
	g.alive++
	g.pace.Begin(perSecond, now)
	return nil
}

// refusal says whether one more refused call may be kept.
func (g *guard) refusal(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.refusing) >= time.Second {
		g.refusing, g.refused = now, 0
	}
	g.refused++
	return g.refused <= refusalsKept
}

// stay counts a target that goes on as a call of its own. It leaves too.
func (g *guard) stay() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alive++
}

func (g *guard) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alive--
}

// dial says whether a number may be called by a trunk; if not, it gives the
// *DialError with the *LimitError why.
func (g *guard) dial(to directory.Address) *DialError {
	if to.Kind != directory.KindNumber || len(g.limits.Prefixes) == 0 {
		return nil
	}
	hint := ""
	for _, p := range g.limits.Prefixes {
		switch {
		case strings.HasPrefix(to.Value, p):
			return nil
		case strings.HasPrefix("+"+to.Value, p):
			hint = "; with a plus, +" + to.Value + ", it would"
		case strings.HasPrefix(to.Value, "+"+p):
			hint = "; the prefix " + p + " would do with a plus, +" + p
		}
	}
	return &DialError{Cause: CauseForbidden, Err: &LimitError{"limits.prefixes",
		fmt.Sprintf("%s begins with none of the allowed prefixes (%s)%s", to.Value, strings.Join(g.limits.Prefixes, ", "), hint)}}
}
