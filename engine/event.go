// SPDX-License-Identifier: MIT

package engine

import (
	"time"

	"github.com/callwright/callwright/directory"
)

// EventKind is what sort of thing happened on a Call.
type EventKind string

// The kinds of events. A Call's events in their order are its timeline.
const (
	EventIncoming   EventKind = "incoming"   // a leg arrived; always the first of an incoming call
	EventOutgoing   EventKind = "outgoing"   // a target is being rung; always the first of an outgoing call
	EventSIP        EventKind = "sip"        // a SIP message was sent or came
	EventRequest    EventKind = "request"    // the App is asked or told something
	EventReply      EventKind = "reply"      // what came of a request
	EventProblem    EventKind = "problem"    // a complaint about a document, or about what it led to
	EventVerb       EventKind = "verb"       // a verb begins
	EventPrompt     EventKind = "prompt"     // a sound begins or ends
	EventDigit      EventKind = "digit"      // the party pressed a key
	EventSent       EventKind = "sent"       // digits were sent to the party
	EventGathered   EventKind = "gathered"   // a Gather has its digits, or none
	EventUnanswered EventKind = "unanswered" // a Dial reached nobody, and the program goes on
	EventRinging    EventKind = "ringing"    // a target rings
	EventTarget     EventKind = "target"     // a target that was rung has ended, by whatever
	EventAnswered   EventKind = "answered"   // a party picked up
	EventBridged    EventKind = "bridged"    // two parties hear each other
	EventTransfer   EventKind = "transfer"   // a party is moved to another, or sends a call on
	EventMedia      EventKind = "media"      // figures of a stream, its source
	EventRecording  EventKind = "recording"  // a recording begins, pauses, fails
	EventRecorded   EventKind = "recorded"   // a recording is complete, a message or of a call
	EventEnded      EventKind = "ended"      // exactly one a Call; behind it are only deliveries, and recordings that it left
)

// Event is something that happened on a Call.
type Event struct {
	Call ID `json:"call"`
	// Seq counts the events of one call from 1.
	Seq int       `json:"seq"`
	At  time.Time `json:"at"`
	// Kind says what happened, Text says it in one line to a person.
	Kind EventKind `json:"kind"`
	Text string    `json:"text"`
	Data Data      `json:"data,omitzero"`
}

// Data are the particulars of an Event; which are set depends on its kind.
type Data struct {
	// Name is what the vendor calls a request ("newCall").
	Name string `json:"name,omitempty"`
	// URL, Method, Status and Body belong to requests and replies. URL is also
	// where an app wants to be asked about an event, and where a recording lies.
	URL    string `json:"url,omitempty"`
	Method string `json:"method,omitempty"`
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"`
	// Unlogged is a request that its App shall not read again.
	Unlogged bool `json:"unlogged,omitempty"`
	// Millis is how long something took.
	Millis int64 `json:"ms,omitempty"`
	// Digits were pressed.
	Digits string `json:"digits,omitempty"`
	// File is the name of a recording.
	File string `json:"file,omitempty"`
	// Recording is one that is complete, message or not.
	Recording *Recording `json:"recording,omitempty"`
	// Cause is why a call ended.
	Cause Cause `json:"cause,omitempty"`
	// Party picked up, rings, or hung up.
	Party *directory.Address `json:"party,omitempty"`
	// Headers are the X- headers that a call came with.
	Headers []Header `json:"headers,omitempty"`
	// Other is the call at the other end.
	Other ID `json:"other,omitzero"`
	// Problem is a complaint about a document.
	Problem *Problem `json:"problem,omitempty"`
	// Figures are counts of a stream, by name.
	Figures any `json:"figures,omitempty"`
}
