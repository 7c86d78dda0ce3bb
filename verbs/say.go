// SPDX-License-Identifier: MIT

package verbs

import (
	"context"
	"fmt"

	"github.com/callwright/callwright/engine"
)

// Say lets the party hear a text. A text that cannot be spoken is a problem on
// the timeline, and the program goes on.
//
//	attribute  default      known to
//	Text       -            sipgateio <Say>
//	Language   the server's sipgateio @language
//	Voice      the language's sipgateio @voice
type Say engine.Speech

// shownText is how much of a text stands in the name of a verb, in characters.
const shownText = 60

// String names the verb and what is said.
func (s Say) String() string {
	text := []rune(s.Text)
	if len(text) > shownText {
		text = append(text[:shownText:shownText], '…')
	}
	said := fmt.Sprintf("Say %q", string(text))
	if s.Language != "" {
		said += " in " + s.Language
	}
	if s.Voice != "" {
		said += " by " + s.Voice
	}
	return said
}

// Run speaks the text to its end.
func (s Say) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	return engine.Continue(), hear(ctx, c, s)
}

// start begins to speak.
func (s Say) start(ctx context.Context, c *engine.Call) (token uint64, err error) {
	sound, fault, err := c.Speak(ctx, engine.Speech(s))
	return begin(c, "Say", sound, fault, err)
}

var _ Prompt = Say{}
