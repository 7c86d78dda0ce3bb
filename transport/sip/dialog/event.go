// SPDX-License-Identifier: MIT

package dialog

import "time"

// Handler is what a dialog tells things to. Its functions are called one at a
// time and in order, each after the message that caused it. They may call the
// dialog's methods, but not Endpoint.Close.
type Handler struct {
	// Event is told what becomes of the call. Required.
	Event func(Event)
	// Offer answers a new session description that the peer offers inside the
	// call (re-INVITE, UPDATE, PRACK). An empty one asks for an offer of ours; the
	// answer to it comes as Confirmed, as it does when the session timer has us
	// make an offer. An error refuses the change (488) and leaves the call as it
	// is; so does a nil Offer.
	Offer func(body []byte) ([]byte, error)
	// Info takes the body of an INFO request (RFC 6086) and gives the status to
	// answer with: 200, 400, or 415 for a type that is not known. One without a
	// body is answered without asking; a nil Info knows no types. InfoTypes are
	// those that it knows, as an Accept header says them.
	Info      func(contentType string, body []byte) int
	InfoTypes string
	// Refer takes what the peer asks for with a REFER (RFC 3515), which it has been
	// told is tried; Dialog.Notify tells it how that goes. A nil Refer declines.
	Refer func(Referral)
	// Owner is what Endpoint.Replaced gives of the call.
	Owner any
	// Trace, if set, is told every message of the call that is sent or comes,
	// also for some seconds after Ended.
	Trace func(Message)
}

// Event is what became of a call: Ringing, Answered, Confirmed or Ended.
type Event interface{ event() }

// Ringing says that a call of ours has got a provisional response above 100.
type Ringing struct {
	Status int
	Body   []byte // session description, if any
}

// Answered says that a call of ours was answered, and the ACK is sent.
type Answered struct {
	Body []byte
}

// Confirmed says that the peer acknowledged our answer. Inside a call it comes
// again, when the peer's answer to an offer of ours arrives with an ACK.
type Confirmed struct {
	Body []byte // session description, if any
}

// Ended says that the call is over. It is the last event, and comes once.
type Ended struct {
	// Status is the final response that ended a call nobody answered (486,
	// 487 after a CANCEL, 408 after silence); 0 after an answer.
	Status int
	// Reason says it to a person.
	Reason string
	// By is who or what ended it, Why more of it where there is more to say.
	By  Ender
	Why Why
	// RetryAfter is when to try again, if the response that ended the call said.
	RetryAfter time.Duration
	// Contacts are the URIs where the called party is to be reached instead, the
	// best first, if it said so with a 3xx.
	Contacts []string
}

func (Ringing) event()   {}
func (Answered) event()  {}
func (Confirmed) event() {}
func (Ended) event()     {}

// Ender is who or what ended a call.
type Ender uint8

// The enders.
const (
	Remote  Ender = iota + 1 // the peer
	Local                    // Hangup, or Endpoint.Close
	Timeout                  // the peer's silence
)

// String names the ender for a log.
func (e Ender) String() string {
	switch e {
	case Remote:
		return "remote"
	case Local:
		return "local"
	case Timeout:
		return "timeout"
	}
	return "nobody"
}

// Why tells ends apart that By does not.
type Why uint8

// The reasons.
const (
	// Unacknowledged: no ACK came for our answer, or no PRACK for what we said
	// before.
	Unacknowledged Why = iota + 1
	// Expired: the session could not be refreshed (RFC 4028), or the peer knew
	// nothing of the call any more.
	Expired
	// Silent: nothing came back to our INVITE.
	Silent
	// Unreachable: our INVITE could not be sent, or its connection broke.
	Unreachable
)

// Message is one SIP message of a call, for a timeline.
type Message struct {
	At   time.Time
	Sent bool // by us
	// Summary is the start line without the version: "INVITE sip:100@host",
	// "180 Ringing".
	Summary string
	// Peer is where it went to or came from: "192.0.2.1:5060".
	Peer string
}
