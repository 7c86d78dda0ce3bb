// SPDX-License-Identifier: MIT

package engine

import (
	"fmt"
	"sync"
	"time"
)

// toll counts how long the calls that leave by trunks last together in one day
// (UTC), and says when that is enough.
type toll struct {
	limit time.Duration // 0 is no limit
	// exhausted is given the calls that talk when the day's time is used up. It
	// does not block.
	exhausted func([]ID, *LimitError)

	mu      sync.Mutex
	day     time.Time // when it began
	spent   time.Duration
	talking map[ID]time.Time // since when, but not before the day
	timer   *time.Timer
}

// newToll makes a toll of which some is spent today already.
func newToll(limit, spent time.Duration, exhausted func([]ID, *LimitError)) *toll {
	return &toll{
		limit: limit, exhausted: exhausted, day: Midnight(time.Now()), spent: spent, talking: map[ID]time.Time{},
	}
}

// Midnight is when the day (UTC) began that the minutes of a day are counted in.
func Midnight(now time.Time) time.Time { return now.UTC().Truncate(24 * time.Hour) }

// check gives the *LimitError that stands against one more call.
func (t *toll) check() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.limit == 0 || t.left(time.Now()) > 0 {
		return nil
	}
	return t.refusal()
}

func (t *toll) refusal() *LimitError {
	return &LimitError{"limits.minutes_per_day", fmt.Sprintf(
		"calls by trunks have lasted %d minutes today (UTC), and no more are allowed", int(t.limit/time.Minute))}
}

// begin says that a call talks from now on.
func (t *toll) begin(id ID) {
	if t.limit == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.left(now)
	t.talking[id] = now
	t.arm(now)
}

// move says that one call talks on as another.
func (t *toll) move(from, to ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if since, ok := t.talking[from]; ok {
		delete(t.talking, from)
		t.talking[to] = since
	}
}

// end says that a call talks no more, if it did.
func (t *toll) end(id ID) {
	if t.limit == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.left(now)
	if since, ok := t.talking[id]; ok {
		t.spent += now.Sub(since)
		delete(t.talking, id)
	}
	t.arm(now)
}

// left is what is left of the day, which may be a new one. t.mu is held.
func (t *toll) left(now time.Time) time.Duration {
	if today := Midnight(now); today.After(t.day) {
		t.day, t.spent = today, 0
		for id, since := range t.talking {
			if since.Before(today) {
				t.talking[id] = today
			}
		}
	}
	left := t.limit - t.spent
	for _, since := range t.talking {
		left -= now.Sub(since)
	}
	return left
}

// arm sets the timer to when all is spent if nobody comes and nobody goes. t.mu
// is held.
func (t *toll) arm(now time.Time) {
	if t.timer != nil {
		t.timer.Stop()
	}
	if n := len(t.talking); n > 0 {
		t.timer = time.AfterFunc(max(t.left(now), 0)/time.Duration(n)+time.Millisecond, t.look)
	}
}

// look ends the calls that talk if all is spent. It may not be: a new day has
// perhaps begun.
func (t *toll) look() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.left(now) > 0 {
		t.arm(now)
		return
	}
	ids := make([]ID, 0, len(t.talking))
	for id := range t.talking {
		ids = append(ids, id)
	}
	t.exhausted(ids, t.refusal())
}
