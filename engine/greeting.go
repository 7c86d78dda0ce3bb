// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"fmt"
)

// Greetings has what a user spoke be the greeting of its voicemail.
type Greetings interface {
	// SetGreeting takes the sound file at a path of this machine. The error says why
	// callers do not hear it.
	SetGreeting(ctx context.Context, account, user, path string) error
}

// TakeGreeting begins to record what the party says, to be heard by others; the
// token is that of RecordingEnded, and path where the file is then. It ends as a
// message does. The errors are ErrNoSound and ErrRecording.
func (c *Call) TakeGreeting(box string) (token uint64, path string, err error) {
	t, err := c.tape(Recording{Kind: RecordingGreeting, Box: box}, c.said(MessageLimits{}))
	return t.token(), t.path, err
}

// SetGreeting has callers of a user's voicemail hear a file that TakeGreeting made.
// That it could not be kept is a problem on the timeline; the error is that of Await.
func (c *Call) SetGreeting(ctx context.Context, user, path string) error {
	account := c.record.Account
	fault, err := do(ctx, c, func(ctx context.Context) string {
		if err := c.engine.config.Greetings.SetGreeting(ctx, account, user, path); err != nil {
			return err.Error()
		}
		return ""
	})
	if err == nil && fault != "" {
		c.Complain(Problem{Sentence: fmt.Sprintf("callers of %s do not hear the greeting: %s", user, fault)})
	}
	return err
}
