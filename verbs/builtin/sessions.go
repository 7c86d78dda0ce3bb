// SPDX-License-Identifier: MIT

package builtin

import (
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
)

// PlayMessage is the program of a call that lets a user hear a message.
func PlayMessage(r engine.Recording) engine.Program {
	return engine.Program{verbs.Playback{Message: r}, verbs.Hangup{}}
}

// SpeakGreeting is the program of a call that has a user speak a greeting: behind a
// tone, and until silence or #. Set has callers of the user's voicemail hear it.
func SpeakGreeting(box string, set bool) engine.Program {
	return engine.Program{verbs.Play{URL: "tone:beep"}, verbs.SpeakGreeting{Box: box, Set: set}, verbs.Hangup{}}
}
