// SPDX-License-Identifier: MIT

package verbs

import (
	"time"

	"github.com/callwright/callwright/engine"
)

// Dial rings targets in parallel, connects the party with the first that picks
// up, and ends the call when either hangs up or when no target picks up.
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
