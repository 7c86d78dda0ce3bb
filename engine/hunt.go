// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/callwright/callwright/directory"
)

// Somebody is looked for who picks up: by a Dial, by the account settings, in place of
// the other end of a conversation (handover.go), or as the caller of a call that an API
// begins (originate.go). Whatever for, it is a hunt: places ring, at once or one
// after the other, until one answers or the best reason is known why none did.

// Hunt says who is rung for a call.
type Hunt struct {
	// Targets ring at once, or each after its Delay.
	Targets []Target
	// From is who they are shown.
	From directory.Address
	// RingTime is how long all of it may take; 0 means DefaultRingTime.
	RingTime time.Duration
	// Forwards says that a phone which rings alone may forward the call.
	Forwards bool
}

// DefaultRingTime is how long somebody is rung when nobody said.
const DefaultRingTime = 60 * time.Second

// Unreached says why nobody picked up.
type Unreached struct {
	// Cause is the best reason.
	Cause Cause
	// To is where the phone that rang alone sends the call on, with CauseForwarded.
	To directory.Address
	// Rang says that somebody was rung in vain.
	Rang bool
	// Within is the RingTime if that is over; 0 if all had ended before.
	Within time.Duration
}

// String says it in words. That somebody was rung in vain says more than that another
// was busy.
func (m *Unreached) String() string {
	switch {
	case m.Rang && m.Within > 0:
		return fmt.Sprintf("nobody picked up within %s", m.Within)
	case m.Rang:
		return "nobody picked up"
	case m.Cause == CauseBusy:
		return "busy"
	case m.Cause == CauseRejected:
		return "refused"
	}
	return fmt.Sprintf("nobody could be reached: %s", m.Cause)
}

// hunt is a Hunt under way. Hunt waits for its end; a handover, which cannot wait,
// tells it what messages say of those that ring.
type hunt struct {
	Hunt
	call *Call
	// began is when the first target rang, deadline when all of it ends.
	began, deadline time.Time
	// waiting are the places that do not ring yet, the next one first.
	waiting []Target
	ringing map[ID]*candidate
	// single says that only one phone rings, ever.
	single    bool
	unreached Unreached
}

// candidate is a place that rings.
type candidate struct {
	// until is when it is given up; zero with all the others.
	until time.Time
	// late says that it is, and that only its end is waited for.
	late bool
}

// newHunt makes a hunt that nobody rings for yet. Who has begin called once, as a
// handover has, heeds no Delay and no Timeout of a target: it has one, without them.
func (c *Call) newHunt(what Hunt) *hunt {
	now := time.Now()
	what.RingTime = cmp.Or(what.RingTime, DefaultRingTime)
	h := &hunt{
		Hunt: what, call: c, began: now, deadline: now.Add(what.RingTime),
		waiting: c.places(what.Targets), ringing: map[ID]*candidate{},
	}
	h.single = len(h.waiting) == 1
	slices.SortStableFunc(h.waiting, func(a, b Target) int { return cmp.Compare(a.Delay, b.Delay) })
	return h
}

// Hunt rings until somebody picks up, whom Connect connects, and hangs the others up;
// or it says why nobody did. The party hears that somebody rings. The error is that
// of Await.
func (c *Call) Hunt(ctx context.Context, what Hunt) (ChildAnswered, *Unreached, error) {
	h := c.newHunt(what)
	for {
		h.begin(time.Now()) //nolint:contextcheck // a child lives in its own time
		if len(h.ringing) == 0 {
			h.unreached.Cause = cmp.Or(h.unreached.Cause, CauseOffline) // there was nobody to ring
			return ChildAnswered{}, &h.unreached, nil
		}
		m, err := c.AwaitFor(ctx, time.Until(h.next()), fromChild)
		if errors.Is(err, ErrTimeout) {
			h.giveUp(time.Now())
			continue
		}
		if err != nil {
			return ChildAnswered{}, nil, err
		}
		switch m := m.(type) {
		case childRinging:
			if !h.mayAnswer(m.Child) {
				continue
			}
			if err := h.alert(m); err != nil {
				return ChildAnswered{}, nil, err
			}
		case childEnded:
			h.ended(m)
		case ChildAnswered:
			if !h.mayAnswer(m.Child) && !h.mayAnswer(m.For) {
				c.hangUpChild(m.Child, CauseElsewhere)
				continue
			}
			h.chose(m.Child)
			return m, nil, nil
		}
	}
}

// fromChild says whether a message is news of a child, for Await.
func fromChild(m Message) bool {
	switch m.(type) {
	case childRinging, ChildAnswered, childEnded:
		return true
	}
	return false
}

// rings says whether a child is one of its own. A handover without a hunt has none.
func (h *hunt) rings(child ID) bool { return h != nil && h.ringing[child] != nil }

// mayAnswer says whether a child is one that may pick up.
func (h *hunt) mayAnswer(child ID) bool { return h.rings(child) && !h.ringing[child].late }

// begin rings the places whose time has come, or the next when nobody rings: a
// caller does not wait for nothing.
func (h *hunt) begin(now time.Time) {
	for len(h.waiting) > 0 {
		t := h.waiting[0]
		quiet := true
		for _, p := range h.ringing {
			quiet = quiet && p.late
		}
		if !quiet && h.began.Add(t.Delay).After(now) {
			return
		}
		h.waiting = h.waiting[1:]
		p := &candidate{}
		if t.Timeout > 0 {
			p.until = now.Add(t.Timeout)
		}
		h.ringing[h.call.ringChild(t, h.From, h.single && h.Forwards)] = p
	}
}

// next is when something is to be done though nothing happens.
func (h *hunt) next() time.Time {
	at := h.deadline
	if len(h.waiting) > 0 {
		at = earlier(at, h.began.Add(h.waiting[0].Delay))
	}
	for _, p := range h.ringing {
		if !p.late && !p.until.IsZero() {
			at = earlier(at, p.until)
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
// with a childEnded, also one whose answer crosses this.
func (h *hunt) giveUp(now time.Time) {
	over := !now.Before(h.deadline)
	if over {
		// The ends that come now are waited for, longer than any takes.
		h.waiting, h.deadline, h.unreached.Within = nil, h.deadline.Add(time.Minute), h.RingTime
	}
	for id, p := range h.ringing {
		if over || !p.late && !p.until.IsZero() && !now.Before(p.until) {
			p.late = true
			h.call.hangUpChild(id, CauseNoAnswer)
		}
	}
}

// ended takes the last word of a child, perhaps of an earlier hunt.
func (h *hunt) ended(m childEnded) {
	if !h.rings(m.Child) {
		return
	}
	delete(h.ringing, m.Child)
	h.unreached.Rang = h.unreached.Rang || m.Cause == CauseNoAnswer
	if m.Cause.Better(h.unreached.Cause) {
		h.unreached.Cause, h.unreached.To = m.Cause, m.To
	}
}

// chose hangs up all but the one that picked up. One whose answer crosses this is late.
func (h *hunt) chose(child ID) {
	for id, p := range h.ringing {
		if id != child {
			p.late = true
			h.call.hangUpChild(id, CauseElsewhere)
		}
	}
}

// alert lets the caller hear that targets ring: a single target's own early
// media, the ordinary tone otherwise.
func (h *hunt) alert(m childRinging) error {
	if m.Sound && h.single {
		return h.call.preview(m)
	}
	return h.call.alert()
}
