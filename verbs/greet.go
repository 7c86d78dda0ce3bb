// SPDX-License-Identifier: MIT

package verbs

import (
	"context"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/phrases"
)

// Greet lets callers of a box hear its user's greeting: a sound file, else a text
// of the user's, else a sentence of ours. What cannot be heard is a problem on the
// timeline.
type Greet struct {
	Box string
}

// String names the verb and the box.
func (g Greet) String() string { return "Greet callers of " + g.Box }

// Run plays the greeting to its end.
func (g Greet) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	return engine.Continue(), hear(ctx, c, g)
}

// start begins to play the greeting.
func (g Greet) start(ctx context.Context, c *engine.Call) (token uint64, err error) {
	user, _ := c.User(g.Box) // of a number's box there is none, and no greeting
	if user.Greeting != "" {
		if token, err := greetingFile(user).start(ctx, c); err != nil || token != 0 {
			return token, err
		}
	}
	language := c.Language(user)
	if user.GreetingText != "" {
		return Say{Text: user.GreetingText, Language: language}.start(ctx, c)
	}
	sentences, language := phrases.In(language)
	return Say{Text: sentences.Message, Language: language}.start(ctx, c)
}

// greetingFile is the file of a user's greeting.
func greetingFile(u directory.User) Prompt {
	if u.GreetingIsFile() {
		return localFile{Play{URL: u.Greeting}}
	}
	return Play{URL: u.Greeting}
}

var _ Prompt = Greet{}
