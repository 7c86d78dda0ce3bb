// SPDX-License-Identifier: MIT

package verbs

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/callwright/callwright/engine"
)

// Deliver does what the account settings say: it rings targets like Dial, and where
// nobody is reached it forwards the call by a rule, or ends it. A phone that rings
// alone may send the call on, which forwards it too. No app says it.
//
//	attribute  when the call goes there             default
//	Busy       a target is in another call          it ends
//	Offline    none could be reached                it ends
//	NoAnswer   one rang, and none picked up;        it ends
//	           they refused the call
type Deliver struct {
	Targets []engine.Target
	// RingTime is how long they ring; 0 means DefaultRingTimeout.
	RingTime time.Duration
	// The rules; nil ends the call.
	Busy, Offline, NoAnswer *Rule
}

// Rule is where a call goes on. Name is what the settings call it, for the timeline.
type Rule struct {
	To   engine.Address
	Name string
}

// String names the verb and the targets.
func (d Deliver) String() string {
	s := "Deliver to " + names(d.Targets)
	if d.RingTime > 0 {
		s += fmt.Sprintf("; no longer than %s", d.RingTime)
	}
	for _, r := range []struct {
		when string
		rule *Rule
	}{{"busy", d.Busy}, {"offline", d.Offline}, {"no answer", d.NoAnswer}} {
		switch {
		case r.rule == nil:
		case r.rule.To.Kind == engine.KindVoicemail:
			s += fmt.Sprintf("; %s: voicemail", r.when)
		default:
			s += fmt.Sprintf("; %s: %s", r.when, r.rule.To)
		}
	}
	return s
}

// Run rings the targets and stays with the first that picks up, or goes on by the
// rules.
func (d Deliver) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	h := newHunt(c, d.Targets, c.ShownAs(nil, nil), d.RingTime)
	h.forwards = true
	answered, why, err := h.run(ctx)
	switch {
	case err != nil:
		return engine.Next{}, err
	case !answered.Child.IsZero():
		return talk(ctx, c, answered)
	case h.to.Kind != "":
		return engine.Forward(h.to, "the phone that rang sends it there"), nil
	}
	why = cmp.Or(why, engine.CauseOffline) // there was nobody to ring
	if r := d.rule(why, h.rang); r != nil {
		return engine.Forward(r.To, fmt.Sprintf("%s (%s)", h.outcome(why), r.Name)), nil
	}
	return engine.End(why), nil
}

// rule is where the call goes. That somebody was rung in vain counts more than that
// another was busy.
func (d Deliver) rule(why engine.Cause, rang bool) *Rule {
	if rang && d.NoAnswer != nil {
		return d.NoAnswer
	}
	switch why {
	case engine.CauseBusy:
		return d.Busy
	case engine.CauseNoAnswer, engine.CauseRejected:
		return d.NoAnswer
	case engine.CauseShutdown:
		return nil
	}
	return d.Offline
}
