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
	token, err := p.start(ctx, c)
	if err != nil || token == 0 {
		return engine.Continue(), err
	}
	_, err = c.Await(ctx, func(m engine.Message) bool { return isEndOf(m, token) })
	return engine.Continue(), err
}

// start begins to play and gives the token of the play, or 0 if the file cannot
// be played, which is then on the timeline.
func (p Play) start(ctx context.Context, c *engine.Call) (token uint64, err error) {
	prompt, fault, err := c.Prompt(ctx, p.URL)
	switch {
	case err != nil:
		return 0, err
	case fault != nil:
		c.Complain(engine.Problem{Element: "Play", Sentence: fault.Error()})
		return 0, nil
	}
	return c.StartPlay(prompt)
}

func isEndOf(m engine.Message, token uint64) bool {
	ended, ok := m.(engine.PlayEnded)
	return ok && ended.Token == token
}
