// SPDX-License-Identifier: MIT

package verbs

import (
	"context"
	"fmt"
	"strings"

	"github.com/callwright/callwright/engine"
)

// Message records what the party says as a message in a box, and goes on when
// that is over: when nothing was heard for a time, when it is as long as it may be,
// or by a key. A message that cannot be recorded ends the call with a tone.
//
//	attribute  default
//	Box        -               the id of a user, or a number
//	Keys       none            each of them ends the message
//	Limits     the server's
type Message struct {
	Box    string
	Keys   string
	Limits engine.MessageLimits
}

// String names the verb and the box.
func (m Message) String() string { return "Message for " + m.Box }

// Run records the message.
func (m Message) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	token, err := c.TakeMessage(m.Box, m.Limits)
	if err != nil {
		return engine.Next{}, err
	}
	ended, err := untilRecorded(ctx, c, token, m.Keys)
	if err != nil {
		return engine.Next{}, err
	}
	return m.after(ctx, c, ended)
}

// untilRecorded waits until the file of a recording is complete. Each of the keys ends
// the recording, and so does the end of the call.
func untilRecorded(ctx context.Context, c *engine.Call, token uint64, keys string) (engine.RecordingEnded, error) {
	for {
		news, err := c.Await(ctx, func(n engine.Message) bool {
			switch n := n.(type) {
			case engine.Digit:
				return strings.IndexByte(keys, n.Key) >= 0
			case engine.RecordingEnded:
				return n.Token == token
			}
			return false
		})
		if err != nil {
			_ = c.StopTape() // nobody records where nobody is
			return engine.RecordingEnded{}, err
		}
		if ended, ok := news.(engine.RecordingEnded); ok {
			return ended, nil
		}
		keys = ""
		_ = c.StopTape() // it may be over already, and says so next
	}
}

// after goes on, or lets the party hear that the message is lost, and ends the call.
func (Message) after(ctx context.Context, c *engine.Call, ended engine.RecordingEnded) (engine.Next, error) {
	if ended.Err == nil {
		return engine.Continue(), nil
	}
	if _, err := (Play{URL: "tone:congestion"}).Run(ctx, c); err != nil {
		return engine.Next{}, err
	}
	return engine.Fail(fmt.Sprintf("the message is lost: %s", ended.Err)), nil
}
