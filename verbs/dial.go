// SPDX-License-Identifier: MIT

package verbs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// Dial rings targets, at once or one after the other, connects the party with the
// first that picks up, and ends the call when either hangs up. Parties that are
// transferred meanwhile stay in it. When nobody is reached the call ends with the
// cause that tells most, or goes on.
//
//	attribute    default            known to
//	Targets      -                  sipgateio <Number>, 1 to 5, with @delay and @timeout
//	CallerID     the caller's own   sipgateio @callerId
//	Anonymous    as the caller      sipgateio @anonymous
//	RingTime     60 s               sipgateio @timeout
//	OnNoAnswer   -                  sipgateio @onNoAnswer
//	GoOn         false              sipgateio: another verb follows
type Dial struct {
	Targets []engine.Target
	// CallerID is the number shown to the targets; nil shows the caller's.
	CallerID *directory.Address
	// Anonymous withholds the number, or shows it; nil leaves it as the caller
	// had it.
	Anonymous *bool
	// RingTime is how long targets ring; 0 means engine.DefaultRingTime.
	RingTime time.Duration
	// OnNoAnswer is the URL at which the app is asked what to do when nobody was
	// reached. Without one the call ends, unless GoOn has the program go on.
	OnNoAnswer string `json:",omitempty"`
	GoOn       bool   `json:",omitempty"`
}

// String names the verb and the targets.
func (d Dial) String() string {
	s := "Dial " + names(d.Targets)
	if d.RingTime > 0 {
		s += fmt.Sprintf("; no longer than %s", d.RingTime)
	}
	switch {
	case d.OnNoAnswer != "":
		s += "; ask when nobody is reached"
	case d.GoOn:
		s += "; go on when nobody is reached"
	}
	return s
}

func names(targets []engine.Target) string {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.String()
		if t.Delay > 0 {
			names[i] += fmt.Sprintf(" after %s", t.Delay)
		}
		if t.Timeout > 0 {
			names[i] += fmt.Sprintf(" for %s", t.Timeout)
		}
	}
	return strings.Join(names, ", ")
}

// Run rings the targets, connects the first that picks up, and stays until one
// side hangs up.
func (d Dial) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	answered, unreached, err := c.Hunt(ctx, engine.Hunt{
		Targets: d.Targets, From: c.ShownAs(d.CallerID, d.Anonymous), RingTime: d.RingTime,
	})
	switch {
	case err != nil:
		return engine.Next{}, err
	case unreached != nil:
		return d.unreached(c, unreached.Cause), nil
	}
	return talk(ctx, c, answered)
}

// talk connects the party with who picked up, until one of both hangs up.
func talk(ctx context.Context, c *engine.Call, answered engine.ChildAnswered) (engine.Next, error) {
	if err := c.Connect(answered); err != nil {
		return engine.Next{}, err
	}
	cause, err := c.Converse(ctx)
	return engine.End(cause), err
}

// unreached is what comes next when nobody was reached.
func (d Dial) unreached(c *engine.Call, why engine.Cause) engine.Next {
	switch {
	case d.OnNoAnswer != "":
		return engine.Goto(c.Unanswered(why, d.OnNoAnswer))
	case d.GoOn:
		c.Unanswered(why, "")
		return engine.Continue()
	}
	return engine.End(why)
}
