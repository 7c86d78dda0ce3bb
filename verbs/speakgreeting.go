// SPDX-License-Identifier: MIT

package verbs

import (
	"context"
	"fmt"

	"github.com/callwright/callwright/engine"
)

// SpeakGreeting records what the party says until it is silent or presses #, and
// lets it hear that. Set has callers of the box, a user's, hear it from then on.
type SpeakGreeting struct {
	Box string
	Set bool
}

// String names the verb and the box.
func (s SpeakGreeting) String() string { return fmt.Sprintf("SpeakGreeting for %q", s.Box) }

// Run records the greeting.
func (s SpeakGreeting) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	token, path, err := c.TakeGreeting(s.Box)
	if err != nil {
		return engine.Next{}, err
	}
	ended, err := untilRecorded(ctx, c, token, "#")
	if err != nil || ended.Err != nil {
		return engine.Continue(), err
	}
	if s.Set {
		if err := c.SetGreeting(ctx, s.Box, path); err != nil {
			return engine.Next{}, err
		}
	}
	return engine.Continue(), hear(ctx, c, localFile{Play{URL: path}})
}
