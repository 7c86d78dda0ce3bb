// SPDX-License-Identifier: MIT

package builtin

import (
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
)

// Voicemail is the program of a call whose Destination is a voicemail.
func Voicemail(c engine.CallInfo) engine.Program {
	return engine.Program{verbs.Voicemail{Box: c.Destination.Value}}
}
