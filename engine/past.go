// SPDX-License-Identifier: MIT

package engine

import (
	"slices"
	"time"

	"github.com/callwright/callwright/directory"
)

// Past is one thing that happened on an account: a call of its own that is over, or a
// message that one left in a voicemail. A call that left a message is there as that.
type Past struct {
	// Call is the call, zero for a message.
	Call Record
	// Message is the message, zero for a call.
	Message Recording
	// Recordings are those of the call.
	Recordings []Recording
}

// PastFilter says which are wanted. What is empty or zero does not matter.
type PastFilter struct {
	Account string
	// NoCalls and NoMessages leave out either.
	NoCalls, NoMessages bool
	// Fates are those that calls must have had, any of them.
	Fates []Fate
	// Users are ids of Users, any of whom it must concern: who made the call, picked
	// it up or has the message. A call that came in and that no User picked up
	// concerns those of its Number, which Numbers has if one of Users is among them.
	Users, Numbers []string
	// From and To are between which it began, both included.
	From, To time.Time
	// Party is the number of either side, without a plus.
	Party string
}

// Fate is what became of a call in one word or two.
type Fate struct {
	Direction Direction
	Missed    bool
}

// Missed says that nobody picked the call up, but perhaps a voicemail, and that it did
// not go on to anybody else.
func (r Record) Missed() bool {
	if r.AnsweredBy != nil {
		return r.AnsweredBy.Kind == directory.KindVoicemail
	}
	return !slices.Contains(GoneOn(), r.Cause)
}

// GoneOn gives the causes of calls that went on to somebody else.
func GoneOn() []Cause {
	return []Cause{CauseElsewhere, CauseForwarded, CauseTransferred}
}
