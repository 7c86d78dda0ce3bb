// SPDX-License-Identifier: MIT

package verbs

import (
	"context"
	"fmt"
	"time"

	"github.com/callwright/callwright/directory"
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
	// RingTime is how long they ring; 0 means engine.DefaultRingTime.
	RingTime time.Duration
	// The rules; nil ends the call.
	Busy, Offline, NoAnswer *Rule
}

// Rule is where a call goes on. Name is what the settings call it, for the timeline.
type Rule struct {
	To   directory.Address
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
		case r.rule.To.Kind == directory.KindVoicemail:
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
	answered, unreached, err := c.Hunt(ctx, engine.Hunt{
		Targets: d.Targets, From: c.ShownAs(nil, nil), RingTime: d.RingTime, Forwards: true,
	})
	switch {
	case err != nil:
		return engine.Next{}, err
	case unreached == nil:
		return talk(ctx, c, answered)
	case unreached.To.Kind != "":
		return engine.Forward(unreached.To, "the phone that rang sends it there"), nil
	}
	if r := d.rule(unreached); r != nil {
		return engine.Forward(r.To, fmt.Sprintf("%s (%s)", unreached, r.Name)), nil
	}
	return engine.End(unreached.Cause), nil
}

// rule is where the call goes. That somebody was rung in vain counts more than that
// another was busy.
func (d Deliver) rule(unreached *engine.Unreached) *Rule {
	if unreached.Rang && d.NoAnswer != nil {
		return d.NoAnswer
	}
	switch unreached.Cause {
	case engine.CauseBusy:
		return d.Busy
	case engine.CauseNoAnswer, engine.CauseRejected:
		return d.NoAnswer
	case engine.CauseShutdown:
		return nil
	}
	return d.Offline
}
