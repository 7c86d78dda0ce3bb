// SPDX-License-Identifier: MIT

package verbs

import (
	"context"
	"net/url"

	"github.com/callwright/callwright/engine"
)

// Play lets the party hear a sound file. A file that cannot be played is a
// problem on the timeline, and the program goes on.
//
//	attribute  default  known to
//	URL        -        sipgateio <Play><Url>
type Play struct {
	URL string
}

// String names the verb and the file, without a password in the URL: it is for
// the timeline.
func (p Play) String() string {
	if u, err := url.Parse(p.URL); err == nil {
		return "Play " + u.Redacted()
	}
	return "Play a URL that cannot be read"
}

// Run plays the file to its end.
func (p Play) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	return engine.Continue(), hear(ctx, c, p)
}

// start begins to play the file.
func (p Play) start(ctx context.Context, c *engine.Call) (token uint64, err error) {
	sound, fault, err := c.Prompt(ctx, p.URL)
	return begin(c, "Play", sound, fault, err)
}

var _ Prompt = Play{}
