// SPDX-License-Identifier: MIT

package verbs

import (
	"context"
	"fmt"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// endTone tells a caller that its message is taken, fullTone that none can be.
const (
	endTone  = "tone:425/100,0/100,425/100"
	fullTone = "tone:info"
)

// Voicemail answers the call, greets, and takes a message, which # ends as well. A
// box that is full answers with a tone only. Where there is none, because who was
// called is nobody of the account's, it does nothing.
//
//	attribute  default                                      known to
//	Box        the first user of the number that was        sipgateio <Voicemail userId>
//	           called; the number itself if it rings none
type Voicemail struct {
	Box string
}

// String names the verb and the box.
func (v Voicemail) String() string {
	if v.Box == "" {
		return "Voicemail"
	}
	return "Voicemail of " + v.Box
}

// Run goes through the steps; the last one ends the call.
func (v Voicemail) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	box := v.box(c)
	if box == "" {
		return engine.Continue(), nil
	}
	if err := c.AnswerAs(directory.Address{Kind: directory.KindVoicemail, Value: box}); err != nil {
		return engine.Next{}, err
	}
	full, err := c.BoxFull(ctx, box)
	if err != nil {
		return engine.Next{}, err
	}
	steps := engine.Program{Greet{Box: box}, Play{URL: "tone:beep"}, Message{Box: box, Keys: "#"}, Play{URL: endTone}, Hangup{}}
	if full {
		steps = engine.Program{Play{URL: fullTone}, Hangup{}}
	}
	for _, s := range steps {
		if next, err := s.Run(ctx, c); err != nil || next != engine.Continue() {
			return next, err
		}
	}
	return engine.Continue(), nil
}

// box is whose voicemail answers; empty if nobody's does.
func (v Voicemail) box(c *engine.Call) string {
	box := c.Box()
	if _, known := c.User(v.Box); known {
		box = v.Box
	}
	problem := engine.Problem{Element: "Voicemail"}
	switch {
	case box == "":
		problem.Sentence = fmt.Sprintf("%s has no voicemail, for it is nobody of the account: "+
			"name a user of yours, as in <Voicemail userId=\"w0\"/>", c.Info().To)
	case v.Box != "" && v.Box != box:
		problem.Attribute = "userId"
		problem.Sentence = fmt.Sprintf("there is no user %.40q: the voicemail of who was called answers; write the id of a user, like w0", v.Box)
	default:
		return box
	}
	c.Complain(problem)
	return box
}
