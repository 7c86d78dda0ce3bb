// SPDX-License-Identifier: MIT

package digest

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/callwright/callwright/transport/sip/shield"
)

// How many wrong guesses in a minute are looked at.
const (
	guessesAtOne  = 10  // from one source for one username, or of one phone
	guessesOfOne  = 100 // from one source, or for one username
	guessesLogged = 60  // lines in the log
)

// maxGuessers bounds what a Throttle remembers, some 100 bytes each.
const maxGuessers = 65536

// Throttle counts wrong guesses, minute by minute, so that passwords cannot be
// tried out. Its methods may be called from any goroutine.
type Throttle struct {
	seed maphash.Seed

	mu     sync.Mutex
	minute time.Time // when the running one began
	counts map[guesser]int
	lines  int
}

// guesser is who guesses: a source, a username, or both; or a source that does
// something odd, and what sort of thing. The port is that of a registered phone,
// else 0.
type guesser struct {
	source   netip.AddrPort
	username uint64
	odd      bool
}

// limit is how often a guesser may guess.
type limit struct {
	guesser
	most int
}

// NewThrottle makes a Throttle.
func NewThrottle() *Throttle { return &Throttle{seed: maphash.MakeSeed(), counts: map[guesser]int{}} }

// guessers are the counts that a guess concerns, and how far each may go. A
// phone of the user's own that is registered counts for itself: nobody else can
// use its guesses up, be it a neighbour behind the same NAT.
func (t *Throttle) guessers(source netip.AddrPort, username string, registered bool) []limit {
	name := maphash.String(t.seed, username)
	if registered {
		return []limit{{guesser{source: source, username: name}, guessesAtOne}}
	}
	from := netip.AddrPortFrom(shield.Customer(source.Addr()), 0)
	return []limit{
		{guesser{source: from}, guessesOfOne},
		{guesser{source: from, username: name}, guessesAtOne},
		{guesser{username: name}, guessesOfOne},
	}
}

// turn begins a new minute if the last is over. t.mu is held.
func (t *Throttle) turn() {
	if now := time.Now(); now.Sub(t.minute) >= time.Minute {
		t.minute, t.lines = now, 0
		clear(t.counts)
	}
}

// Wait gives how long a source has to wait until its credentials for a username
// are looked at again; 0 is not at all. registered says that a phone of this very
// user is registered from there: it waits only for its own guesses.
func (t *Throttle) Wait(source netip.AddrPort, username string, registered bool) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn()
	for _, g := range t.guessers(source, username, registered) {
		if t.counts[g.guesser] >= g.most {
			return time.Until(t.minute.Add(time.Minute))
		}
	}
	return 0
}

// Wrong counts a wrong guess. It says whether to write a line in the log: for
// the first of a source in a minute, and when it has to wait from now on.
func (t *Throttle) Wrong(source netip.AddrPort, username string, registered bool) (log, waits bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn()
	if len(t.counts)+3 > maxGuessers {
		clear(t.counts) // so many guesses cannot come of one who is let guess
	}
	all := t.guessers(source, username, registered)
	for _, g := range all {
		t.counts[g.guesser]++
		waits = waits || t.counts[g.guesser] == g.most
	}
	if log = waits || t.counts[all[0].guesser] == 1; !log || t.lines >= guessesLogged {
		return false, waits
	}
	t.lines++
	return true, waits
}

// Odd says whether to write a line in the log about something that a source does
// and that is no guess: the first of its sort in a minute.
func (t *Throttle) Odd(source netip.Addr, sort string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn()
	odd := guesser{source: netip.AddrPortFrom(source.Unmap(), 0), username: maphash.String(t.seed, sort), odd: true}
	if t.counts[odd] > 0 || t.lines >= guessesLogged || len(t.counts) >= maxGuessers {
		return false
	}
	t.counts[odd]++
	t.lines++
	return true
}

// Right forgets the wrong guesses of a source for a username.
func (t *Throttle) Right(source netip.AddrPort, username string, registered bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, g := range t.guessers(source, username, registered) {
		if g.most == guessesAtOne {
			delete(t.counts, g.guesser)
		}
	}
}
