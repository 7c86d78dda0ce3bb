// SPDX-License-Identifier: MIT

package verbs

import (
	"context"

	"github.com/callwright/callwright/engine"
)

// Hangup ends the call: one that was answered is hung up, one that was not is
// refused.
type Hangup struct{}

// String names the verb.
func (Hangup) String() string { return "Hangup" }

// Run ends the call.
func (Hangup) Run(_ context.Context, c *engine.Call) (engine.Next, error) {
	if c.Answered() {
		return engine.End(engine.CauseNormal), nil
	}
	return engine.End(engine.CauseRejected), nil
}
