// SPDX-License-Identifier: MIT

package verbs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/callwright/callwright/engine"
)

// hunt is a Dial or Deliver that looks for somebody who picks up.
type hunt struct {
	call *engine.Call
	from engine.Address
	// began is when the first target rang, deadline when all of it ends.
	began, deadline time.Time
	ringTime        time.Duration
	// waiting are the places that do not ring yet, the next one first.
	waiting []engine.Target
	ringing map[engine.ID]*rung
	// single says that only one phone rings, ever.
	single bool
	// forwards says that a phone which rings alone may forward the call; to is then
	// where to, with CauseForwarded.
	forwards bool
	to       engine.Address
	// why is the best reason so far why nobody picks up; rang says that somebody was
	// rung until it took too long.
	why  engine.Cause
	rang bool
}

// rung is a place that rings.
type rung struct {
	// until is when it is given up; zero with all the others.
	until time.Time
	// late says that it is, and that only its end is waited for.
	late bool
}

func newHunt(c *engine.Call, targets []engine.Target, from engine.Address, ringTime time.Duration) *hunt {
	now, ringTime := time.Now(), cmp.Or(ringTime, DefaultRingTimeout)
	h := &hunt{
		call: c, from: from, began: now, ringTime: ringTime, deadline: now.Add(ringTime),
		waiting: c.Places(targets), ringing: map[engine.ID]*rung{},
	}
	h.single = len(h.waiting) == 1
	slices.SortStableFunc(h.waiting, func(a, b engine.Target) int { return cmp.Compare(a.Delay, b.Delay) })
	return h
}

// run rings until somebody picks up, and hangs the others up, or gives the cause
// why nobody did.
func (h *hunt) run(ctx context.Context) (engine.ChildAnswered, engine.Cause, error) {
	for {
		h.begin(time.Now())
		if len(h.ringing) == 0 {
			return engine.ChildAnswered{}, h.why, nil
		}
		m, err := h.call.AwaitFor(ctx, time.Until(h.next()), engine.FromChild)
		switch {
		case errors.Is(err, engine.ErrTimeout):
			h.giveUp(time.Now())
			continue
		case err != nil:
			return engine.ChildAnswered{}, "", err
		}
		switch m := m.(type) {
		case engine.ChildRinging:
			if h.rings(m.Child) {
				err = h.alert(m)
			}
		case engine.ChildEnded:
			if h.ringing[m.Child] == nil {
				continue // of an earlier Dial
			}
			delete(h.ringing, m.Child)
			h.rang = h.rang || m.Cause == engine.CauseNoAnswer
			if m.Cause.Better(h.why) {
				h.why, h.to = m.Cause, m.To
			}
		case engine.ChildAnswered:
			if !h.rings(m.Child) && !h.rings(m.For) {
				h.call.HangupChild(m.Child, engine.CauseElsewhere)
				continue
			}
			delete(h.ringing, m.Child)
			h.hangUp(engine.CauseElsewhere)
			return m, "", nil
		}
		if err != nil {
			return engine.ChildAnswered{}, "", err
		}
	}
}

// rings says whether a child is one that may pick up.
func (h *hunt) rings(child engine.ID) bool {
	r := h.ringing[child]
	return r != nil && !r.late
}

// begin rings the places whose time has come, or the next when nobody rings: a
// caller does not wait for nothing.
func (h *hunt) begin(now time.Time) {
	for len(h.waiting) > 0 {
		t := h.waiting[0]
		alone := true
		for id := range h.ringing {
			alone = alone && !h.rings(id)
		}
		if !alone && h.began.Add(t.Delay).After(now) {
			return
		}
		h.waiting = h.waiting[1:]
		r := &rung{}
		if t.Timeout > 0 {
			r.until = now.Add(t.Timeout)
		}
		ring := h.call.Ring
		if h.single && h.forwards {
			ring = h.call.RingAlone
		}
		h.ringing[ring(t, h.from)] = r
	}
}

// next is when something is to be done though nothing happens.
func (h *hunt) next() time.Time {
	at := h.deadline
	if len(h.waiting) > 0 {
		at = earlier(at, h.began.Add(h.waiting[0].Delay))
	}
	for _, r := range h.ringing {
		if !r.late && !r.until.IsZero() {
			at = earlier(at, r.until)
		}
	}
	return at
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// giveUp hangs up those whose time is over. They end within seconds then, each
// with a ChildEnded, also one whose answer crosses this.
func (h *hunt) giveUp(now time.Time) {
	over := !now.Before(h.deadline)
	if over {
		h.waiting, h.deadline = nil, h.deadline.Add(time.Minute)
	}
	for id, r := range h.ringing {
		if over || !r.late && !r.until.IsZero() && !now.Before(r.until) {
			r.late = true
			h.call.HangupChild(id, engine.CauseNoAnswer)
		}
	}
}

// alert lets the caller hear that targets ring: a single target's own early
// media, the ordinary tone otherwise.
func (h *hunt) alert(m engine.ChildRinging) error {
	if m.Sound && h.single {
		return h.call.Preview(m)
	}
	return h.call.Alert()
}

func (h *hunt) hangUp(cause engine.Cause) {
	for id := range h.ringing {
		h.call.HangupChild(id, cause)
	}
}

// outcome says in words why nobody was reached, for the best reason. That somebody was
// rung in vain says more.
func (h *hunt) outcome(why engine.Cause) string {
	switch {
	case h.rang && time.Since(h.began) >= h.ringTime:
		return fmt.Sprintf("nobody picked up within %s", h.ringTime)
	case h.rang:
		return "nobody picked up"
	case why == engine.CauseBusy:
		return "busy"
	case why == engine.CauseRejected:
		return "refused"
	}
	return fmt.Sprintf("nobody could be reached: %s", why)
}
