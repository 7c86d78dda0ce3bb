// SPDX-License-Identifier: MIT

package verbs

import (
	"context"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
)

// Prompt is what a party hears, alone or while something is waited for: a Play or
// a Say.
type Prompt interface {
	engine.Verb
	String() string
	// start begins to play and gives the token of the play, or 0 if it cannot be
	// played, which is then on the timeline.
	start(context.Context, *engine.Call) (token uint64, err error)
}

// hear plays a prompt to its end.
func hear(ctx context.Context, c *engine.Call, p Prompt) error {
	token, err := p.start(ctx, c)
	if err != nil || token == 0 {
		return err
	}
	_, err = c.Await(ctx, func(m engine.Message) bool { return isEndOf(m, token) })
	return err
}

// begin plays sound that was got for a verb, or complains about what is wrong
// with it. What it is given and gives is that of Call.Prompt and of start.
func begin(c *engine.Call, verb string, sound *media.Prompt, fault, err error) (token uint64, _ error) {
	switch {
	case err != nil:
		return 0, err
	case fault != nil:
		c.Complain(engine.Problem{Element: verb, Sentence: fault.Error()})
		return 0, nil
	}
	return c.StartPlay(sound)
}

func isEndOf(m engine.Message, token uint64) bool {
	ended, ok := m.(engine.PlayEnded)
	return ok && ended.Token == token
}

// localFile is a sound file on this machine, which only the operator can name: an
// app that could would read any.
type localFile struct{ Play }

// start begins to play the file.
func (f localFile) start(ctx context.Context, c *engine.Call) (token uint64, err error) {
	sound, fault, err := c.PromptFile(ctx, f.URL)
	return begin(c, "Greet", sound, fault, err)
}

var _ Prompt = localFile{}
