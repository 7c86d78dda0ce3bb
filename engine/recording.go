// SPDX-License-Identifier: MIT

package engine

import (
	"time"

	"github.com/callwright/callwright/directory"
)

// RecordingKind is what sort of audio a Recording is.
type RecordingKind string

// The kinds of recordings.
const (
	RecordingCall     RecordingKind = "call"      // of a conversation
	RecordingMessage  RecordingKind = "voicemail" // left in a box
	RecordingGreeting RecordingKind = "greeting"  // spoken by a user, to be heard by callers
)

// Recording is stored audio: a WAV file and what is known of it.
type Recording struct {
	ID      ID            `json:"id"`
	Account string        `json:"account"`
	Kind    RecordingKind `json:"kind"`
	// Call is the call that was recorded.
	Call ID `json:"call"`
	// Box is whose voicemail a message is in: the id of a User, or a Number that
	// rings none; empty for that of a conversation.
	Box string `json:"box,omitempty"`
	// From and To are those of the call.
	From directory.Address `json:"from"`
	To   directory.Address `json:"to"`
	// File is its name in the folder of recordings.
	File      string        `json:"file"`
	StartedAt time.Time     `json:"started_at"`
	Duration  time.Duration `json:"duration_ns"`
	// HeardAt is when a message was first heard; nil until then.
	HeardAt *time.Time `json:"heard_at"`
}

// RecordingFilter says which Recordings are wanted; what is empty does not
// matter.
type RecordingFilter struct {
	ID      ID
	Account string
	Kind    RecordingKind
	Box     string
	Call    ID
}
