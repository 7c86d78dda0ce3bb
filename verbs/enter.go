// SPDX-License-Identifier: MIT

package verbs

import (
	"context"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// Enter has the party call somebody of the account as from outside, where an API
// began its call: who is called has settings and an app, as for any call that comes
// in. The call ends when that one does.
//
//	attribute  default  known to
//	To         -        none; the account settings
type Enter struct{ To directory.Address }

// String names the verb and who is called.
func (e Enter) String() string { return "Enter " + engine.Target{Address: e.To}.String() }

// Run stays until that call is over.
func (e Enter) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	cause, err := c.Enter(ctx, e.To)
	return engine.End(cause), err
}
