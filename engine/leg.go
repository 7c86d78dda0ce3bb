// SPDX-License-Identifier: MIT

package engine

import (
	"errors"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/media"
)

// Leg is the live half of a Call: signalling and a media stream.
//
// Its methods return at once; what becomes of them is told as LegEvents. They
// are safe to call in any state. Progress and Answer fail with ErrLegGone when
// the leg has ended, even if that was not looked at yet (a CANCEL may cross an
// answer); its LegEnded is then on its way.
type Leg interface {
	// Info says what is known about the leg at the moment.
	Info() LegInfo
	// Listen has everything that happens from now on, and what happened since
	// the leg was made, told to deliver, in order. deliver does not block.
	// Called once.
	Listen(deliver func(LegEvent))
	// Progress tells the caller of an incoming leg that somebody is alerted
	// (180), or with sound that the early media begins (183 with an answer);
	// ErrNoEarlyMedia if that is not possible.
	Progress(sound bool) error
	// Answer picks up an incoming leg (200).
	Answer() error
	// SendDigits sends keys (0-9 * # A-D) to the party, in the way that was
	// settled with it: as telephone-event, tones or SIP INFO.
	SendDigits(string) error
	// Hangup ends the leg, whatever its state: refuses, cancels or hangs up.
	// LegEnded follows at the latest two seconds after, even if the other side
	// is silent.
	Hangup(Cause)
}

// Transfer is what a Leg may also be able to do: to have its party moved.
type Transfer interface {
	// Refer asks the party to call somebody else instead: a number, a user or a
	// group. What comes of it is told as LegTransfer. The error is ErrLegGone if
	// the leg is not in a call, or says why it cannot be asked.
	Refer(to directory.Address) error
	// Notify tells the party how it goes with what it asked for by LegReferred:
	// 180, or a final status, once.
	Notify(id uint32, status int, phrase string)
}

// ErrLegGone says that a leg has ended.
var ErrLegGone = errors.New("the leg has ended")

// ErrNoEarlyMedia says that a leg cannot be given sound before it is answered.
var ErrNoEarlyMedia = errors.New("the leg takes no early media")

// LegInfo is what is known about a leg.
type LegInfo struct {
	// Stream is the leg's sound.
	Stream media.StreamID
	// Trunk names the Trunk by which the party is reached, if it is by one. It
	// may be another one until the party has answered.
	Trunk string
}

// LegEvent is something that happened on a leg. The list is closed: LegMessage,
// LegNote, LegRinging, LegAnswered, LegConfirmed, LegMedia, LegReferred,
// LegTransfer, LegEnded.
type LegEvent interface{ legEvent() }

// LegMessage is a signalling message that was sent or came, for the timeline.
type LegMessage struct {
	At time.Time
	// Sent is true for what we sent.
	Sent bool
	// Summary is the start line, shortened: "INVITE sip:100@host", "180 Ringing".
	Summary string
	// Peer is where it went to or came from.
	Peer string
}

// LegNote is something about the leg that a person should know, for the timeline.
type LegNote struct {
	At   time.Time
	Text string
}

// LegRinging says that the party of an outgoing leg is alerted. It comes for
// every provisional response above 100.
type LegRinging struct {
	Status int
	// Sound says that the party sends early media.
	Sound bool
}

// LegAnswered says that the party of an outgoing leg picked up.
type LegAnswered struct{}

// LegConfirmed says that the answer to an incoming leg was acknowledged.
type LegConfirmed struct{}

// LegReferred says that the party asks to have its other side connected with
// somebody else (REFER, RFC 3515). It has been told that this is tried; how it
// goes is told by Transfer.Notify. Its leg is to end once that has succeeded.
type LegReferred struct {
	// ID names what was asked to Notify.
	ID uint32
	// To is who is to be connected, as if the party had dialled it; an address
	// elsewhere is given whole. Asked is what the party wrote.
	To, Asked string
	// Replaces says that To is in a conversation already, and that its other side
	// there is to be left out (RFC 3891). Other is the leg of that one; nil if it
	// is none of ours.
	Replaces bool
	Other    Leg
}

// LegTransfer says how it goes with what Transfer.Refer asked of the party.
type LegTransfer struct {
	// Status is a final one, or that of a 1xx: 202 when the party agreed to try.
	Status int
	// Final is true for the last word.
	Final bool
	// Text says it to a person: "486 Busy Here".
	Text string
}

// LegMedia is something that happened on the leg's stream.
type LegMedia struct{ media.Event }

// LegEnded says that the leg is gone and its port free: always the last event,
// and exactly one.
type LegEnded struct {
	// Cause is why, seen from the leg: CauseNormal for a BYE, CauseCancelled
	// for a CANCEL, the cause of a final status, or what Hangup was given.
	Cause Cause
	// Remote is true when the other side ended it.
	Remote bool
	// Text says it to a person: "486 Busy Here", "no answer to INVITE for 32 s".
	Text string
	// Contacts are where the party is to be called instead, the best first, as
	// it said with a 3xx: users of SIP or tel URIs, as if they were dialled.
	Contacts []string
	// Figures are the counts of the leg's stream.
	Figures media.Figures
}

func (LegMessage) legEvent()   {}
func (LegNote) legEvent()      {}
func (LegReferred) legEvent()  {}
func (LegTransfer) legEvent()  {}
func (LegRinging) legEvent()   {}
func (LegAnswered) legEvent()  {}
func (LegConfirmed) legEvent() {}
func (LegMedia) legEvent()     {}
func (LegEnded) legEvent()     {}

// Arrival is what transport knows about an incoming leg beyond the leg itself.
type Arrival struct {
	// Account is whose call it is: that of the Number, or of the caller.
	Account  string
	From, To directory.Address
	// Dialled is what that User dialled.
	Dialled string
	// Caller is the User who calls; its ID is empty when the call came by a
	// trunk. A User who calls no Number of ours calls out.
	Caller directory.User
	// Trunk names the trunk that the call came by, if it did.
	Trunk string
	// Diversion is the number dialled before the call was diverted to us.
	Diversion string
	// Headers are the X- headers of the INVITE, in their order.
	Headers []Header
	// MaxForwards is how many hops the call may still take (RFC 3261 section
	// 20.22).
	MaxForwards int
	// Replaces is the leg whose place the new one is to take (RFC 3891): one that
	// is in a conversation, or that rings somebody. It is of the same account.
	Replaces Leg
	// Number is what was found in the directory for To; of a number that is
	// configured nowhere only the number, and the trunk's App. It is empty for
	// a User who calls out.
	Number directory.Number
}

// Header is a SIP header of an app's or a customer's own: "X-Customer: 4711".
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Refusal is why a call was not taken.
type Refusal struct {
	// Cause and Status are what the caller was told.
	Cause  Cause
	Status int
	// Source is where the call came from: "192.0.2.1:5060".
	Source string
	// Reason says what did not match, which configured thing comes nearest, and
	// what to change.
	Reason string
}

// Target is a party to be rung.
type Target struct {
	Address directory.Address
	// Contact is one of the places that Location gave for a User; empty leaves
	// the way to the Dialer.
	Contact string `json:",omitempty"`
	// Delay is for how long others ring before it does, Timeout for how long it
	// rings itself; 0 is as long as they do. Who dials several looks at them.
	Delay   time.Duration `json:",omitempty"`
	Timeout time.Duration `json:",omitempty"`
}

// String names the target, a User by name and id if it has a name.
func (t Target) String() string {
	if t.Address.Kind == directory.KindUser && t.Address.Name != "" {
		return t.Address.Name + " (" + t.Address.Value + ")"
	}
	return t.Address.String()
}

// DialRequest is a party to be rung, and as whom.
type DialRequest struct {
	// Account is whose trunks and users are meant.
	Account string
	Target  Target
	// From is the party shown; an anonymous one is withheld (RFC 3323).
	From directory.Address
	// Diversion is passed on (RFC 5806), and so are Headers.
	Diversion string
	Headers   []Header
	// MaxForwards is how many hops the call may still take; 0 is the default of
	// RFC 3261 section 8.1.1.6, 70.
	MaxForwards int
	// Near is the stream that the new leg will be bridged with.
	Near media.StreamID
}

// Dialer makes outgoing legs.
type Dialer interface {
	// Dial begins to ring a target. The error is a *DialError.
	Dial(DialRequest) (Leg, error)
}

// DialError is why a target cannot even be tried.
type DialError struct {
	Cause Cause
	Err   error
}

// Error says what was tried and what to change.
func (e *DialError) Error() string { return e.Err.Error() }

// Unwrap gives the error beneath.
func (e *DialError) Unwrap() error { return e.Err }
