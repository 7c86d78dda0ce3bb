// SPDX-License-Identifier: MIT

package verbs

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/callwright/callwright/engine"
)

// Dial rings targets in parallel, connects the party with the first that picks
// up, and ends the call when either hangs up or when no target picks up. Parties
// that are transferred meanwhile stay in it.
//
//	attribute    default            known to
//	Targets      -                  sipgateio <Number>, 1 to 5
//	CallerID     the caller's own   sipgateio @callerId
//	Anonymous    as the caller      sipgateio @anonymous
//	RingTimeout  60 s
type Dial struct {
	Targets []engine.Target
	// CallerID is the number shown to the targets; nil shows the caller's.
	CallerID *engine.Address
	// Anonymous withholds the number, or shows it; nil leaves it as the caller
	// had it.
	Anonymous *bool
	// RingTimeout is how long targets ring; 0 means DefaultRingTimeout.
	RingTimeout time.Duration
}

// DefaultRingTimeout is how long targets ring when nobody said.
const DefaultRingTimeout = 60 * time.Second

// String names the verb and the targets.
func (d Dial) String() string {
	names := make([]string, len(d.Targets))
	for i, t := range d.Targets {
		names[i] = t.String()
	}
	return "Dial " + strings.Join(names, ", ")
}

// Run rings the targets, connects the first that picks up, and stays until one
// side hangs up.
func (d Dial) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	if len(d.Targets) == 0 {
		return engine.End(engine.CauseOffline), nil
	}
	ringing := map[engine.ID]bool{}
	for _, place := range c.Places(d.Targets) {
		ringing[c.Ring(place, d.from(c.Info()))] = true
	}
	single := len(ringing) == 1
	answered, cause, err := d.ring(ctx, c, ringing, single)
	if err != nil || cause != "" {
		return engine.End(cause), err
	}
	if err := c.Connect(answered); err != nil {
		return engine.Next{}, err
	}
	cause, err = c.Converse(ctx)
	return engine.End(cause), err
}

// from is the party that targets are shown.
func (d Dial) from(info engine.CallInfo) engine.Address {
	from := info.From
	if d.CallerID != nil {
		from = *d.CallerID
	}
	if d.Anonymous != nil && *d.Anonymous {
		from = engine.Anonymous()
	}
	return from
}

// ring waits until a target picks up, and hangs the others up, or gives the
// cause why none did. single says that only one phone rings.
func (d Dial) ring(ctx context.Context, c *engine.Call, ringing map[engine.ID]bool, single bool) (engine.ChildAnswered, engine.Cause, error) {
	deadline := time.Now().Add(cmp.Or(d.RingTimeout, DefaultRingTimeout))
	var why engine.Cause
	late := false // all were hung up
	for len(ringing) > 0 {
		m, err := c.AwaitFor(ctx, time.Until(deadline), engine.FromChild)
		switch {
		case errors.Is(err, engine.ErrTimeout):
			hangUp(c, ringing, engine.CauseNoAnswer)
			// They end within seconds now, each with a ChildEnded, also one
			// whose answer crosses this.
			late, deadline = true, deadline.Add(time.Minute)
			continue
		case err != nil:
			return engine.ChildAnswered{}, "", err
		}
		switch m := m.(type) {
		case engine.ChildRinging:
			if err := alert(c, m, single); err != nil {
				return engine.ChildAnswered{}, "", err
			}
		case engine.ChildEnded:
			delete(ringing, m.Child)
			if m.Cause.Better(why) {
				why = m.Cause
			}
		case engine.ChildAnswered:
			if late {
				continue
			}
			delete(ringing, m.Child)
			hangUp(c, ringing, engine.CauseElsewhere)
			return m, "", nil
		}
	}
	return engine.ChildAnswered{}, why, nil
}

// alert lets the caller hear that targets ring: a single target's own early
// media, the ordinary tone otherwise.
func alert(c *engine.Call, m engine.ChildRinging, single bool) error {
	if m.Sound && single {
		return c.Preview(m)
	}
	return c.Alert()
}

func hangUp(c *engine.Call, children map[engine.ID]bool, cause engine.Cause) {
	for id := range children {
		c.HangupChild(id, cause)
	}
}
