// SPDX-License-Identifier: MIT

package engine

import (
	"fmt"
	"time"
)

// refusalsKept is how many refused calls are kept as records in one second. What
// is beyond is an attack or a mistake in a loop, and would fill the disk.
const refusalsKept = 10

// Refuse keeps the record of a call that was not taken, with the reason on its
// timeline. No app is told, and of a flood only the first ones of each second are
// kept.
func (e *Engine) Refuse(a Arrival, r Refusal) {
	if e.config.Journal.Health() != nil || !e.guard.refusal(time.Now()) {
		return
	}
	c := e.newCall(e.arrived(a, false))
	c.record.State, c.record.Settled, c.record.Cause = StateEnded, true, r.Cause
	c.record.EndedAt = &c.record.StartedAt
	c.save(EventIncoming, Data{Headers: a.Headers}, "call from %s to %s (%s)", a.From, a.To, r.Source)
	c.save(EventEnded, Data{Cause: r.Cause, Status: r.Status}, "refused with %s", r)
}

// String says what the caller was told, and why.
func (r Refusal) String() string { return fmt.Sprintf("%d: %s", r.Status, r.Reason) }
