// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"errors"

	"github.com/callwright/callwright/media"
)

// shownText is how much of a text that is spoken stands on a timeline, in
// characters.
const shownText = 200

var errNoSpeaker = errors.New("this server speaks no text: have its operator set speech.provider, or play a sound file")

// Speak makes sound of text; the call goes on meanwhile. The first error is about
// the text, a sentence for the app's developer; the second is what Await returns.
func (c *Call) Speak(ctx context.Context, what Speech) (prompt *media.Prompt, fault, err error) {
	if c.engine.config.Speaker == nil {
		return nil, errNoSpeaker, nil
	}
	account := c.record.Account
	return c.load(ctx, func(ctx context.Context) (*media.Prompt, error) {
		return c.engine.config.Speaker.Speak(ctx, account, what)
	})
}

// load gets sound while the call goes on.
func (c *Call) load(ctx context.Context, get func(context.Context) (*media.Prompt, error)) (prompt *media.Prompt, fault, err error) {
	type loaded struct {
		prompt *media.Prompt
		err    error
	}
	l, err := do(ctx, c, func(ctx context.Context) loaded {
		p, err := get(ctx)
		return loaded{p, err}
	})
	return l.prompt, l.err, err
}

// notePlay says on the timeline what the party begins to hear.
func (c *Call) notePlay(p *media.Prompt) {
	if p.Text == "" {
		c.note(EventPrompt, Data{URL: redact(p.Name)}, "play %s (%.1f s)", redact(p.Name), p.Duration().Seconds())
		return
	}
	text := []rune(p.Text)
	if len(text) > shownText {
		text = append(text[:shownText:shownText], '…')
	}
	c.note(EventPrompt, Data{}, "say %q (%s, %.1f s)", string(text), p.Name, p.Duration().Seconds())
}
