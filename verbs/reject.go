// SPDX-License-Identifier: MIT

package verbs

import "github.com/callwright/callwright/engine"

// Reject refuses the call. One that was already answered is hung up.
//
//	attribute  default   known to
//	Cause      rejected  sipgateio @reason: rejected, busy
type Reject struct {
	// Cause is engine.CauseRejected or engine.CauseBusy.
	Cause engine.Cause
}
