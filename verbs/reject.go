// SPDX-License-Identifier: MIT

package verbs

import (
	"context"

	"github.com/callwright/callwright/engine"
)

// Reject refuses the call. One that was already answered is hung up.
//
//	attribute  default   known to
//	Cause      rejected  sipgateio @reason: rejected, busy
type Reject struct {
	// Cause is engine.CauseRejected or engine.CauseBusy.
	Cause engine.Cause
}

// String names the verb and the cause.
func (r Reject) String() string { return "Reject " + string(r.Cause) }

// Run refuses the call.
func (r Reject) Run(context.Context, *engine.Call) (engine.Next, error) {
	return engine.End(r.Cause), nil
}
