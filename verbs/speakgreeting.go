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
	failed, err := s.await(ctx, c, token)
	if err != nil || failed {
		return engine.Continue(), err
	}
	if s.Set {
		if err := c.SetGreeting(ctx, s.Box, path); err != nil {
			return engine.Next{}, err
		}
	}
	return engine.Continue(), hear(ctx, c, localFile{Play{URL: path}})
}

// await waits until the file is complete, and says whether it never will be.
func (SpeakGreeting) await(ctx context.Context, c *engine.Call, token uint64) (failed bool, err error) {
	for {
		news, err := c.Await(ctx, func(n engine.Message) bool {
			switch n := n.(type) {
			case engine.Digit:
				return n.Key == '#'
			case engine.RecordingEnded:
				return n.Token == token
			}
			return false
		})
		if err != nil {
			_ = c.StopTape() // nobody records where nobody is
			return false, err
		}
		if ended, ok := news.(engine.RecordingEnded); ok {
			return ended.Failed, nil
		}
		_ = c.StopTape() // it may be over already, and says so next
	}
}
