// SPDX-License-Identifier: MIT

package verbs

import (
	"context"

	"github.com/callwright/callwright/engine"
)

// Playback lets the party hear a message of its voicemail, which then counts as
// heard.
type Playback struct {
	Message engine.Recording
}

// String names the verb and the message.
func (p Playback) String() string { return "Playback of the message " + p.Message.ID.String() }

// Run plays the message to its end, or until the party hangs up.
func (p Playback) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	token, err := localFile{Play{URL: c.PathOf(p.Message)}}.start(ctx, c)
	if err != nil || token == 0 {
		return engine.Continue(), err
	}
	c.Heard(p.Message)
	_, err = c.Await(ctx, func(m engine.Message) bool { return isEndOf(m, token) })
	return engine.Continue(), err
}
