// SPDX-License-Identifier: MIT

package engine

import (
	"sync"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/media"
)

// Message is something that reaches a Call's goroutine. The list is closed: what
// stands in this file, and RecordingEnded.
type Message interface{ message() }

// Digit says that the party pressed a key: 0-9, *, # or A-D.
type Digit struct{ Key byte }

// PlayEnded says that a play came to its end, was stopped or was replaced.
type PlayEnded struct {
	// Token is what StartPlay gave.
	Token uint64
	// Completed is true when the prompt was heard to its end.
	Completed bool
}

// childRinging says that a target is alerted.
type childRinging struct {
	Child ID
	// Sound is true when the target sends early media on Stream.
	Sound  bool
	Stream media.StreamID
	// By is who is alerted: a target may have sent the call on. First says that it
	// was not told before that it is.
	By    directory.Address
	First bool
}

// ChildAnswered says that a target picked up.
type ChildAnswered struct {
	Child  ID
	Stream media.StreamID
	// By is who did: a target may have sent the call on to somebody else.
	By directory.Address
	// For is the child that it picked up for, where that is another one: somebody
	// took its place while it rang.
	For ID
}

// childEnded says that a child call is over: the last word of a child, and
// exactly one.
type childEnded struct {
	Child ID
	Cause Cause
	// Text says in words why, with the cause.
	Text string
	// To is where a target that rang alone sent the call on, with CauseForwarded.
	To directory.Address
}

// legAlerted, legAnswered and legRefused are what a child's own leg reports
// until it is answered.
type (
	legAlerted  struct{ LegRinging }
	legAnswered struct{}
	legRefused  struct{ LegEnded }
)

// fromLeg is anything a leg reports, before the Call has looked at it. A Call
// may have had another leg before the one that it has.
type fromLeg struct {
	leg   Leg
	event LegEvent
}

// parted says that the conversation of the party is over, and why.
type parted struct{ cause Cause }

// What Calls tell each other when one party takes the place of another. They
// are sent by engine.send, which fails for a Call that is gone, and each that
// asks for something is answered. transfer.go says who sends what to whom.
type (
	// ringInstead asks the other end of a call to ring somebody in its place.
	ringInstead struct {
		old    ID
		target Target
		// from is who that one is shown; zero is the party that stays. consult says
		// that the old one talks with it first.
		from    directory.Address
		consult bool
	}
	// joinInstead asks the other end of a call to take the place of another.
	joinInstead struct{ old, place ID }
	// moved tells the call that is to be left how that goes on: without a cause
	// somebody rings, CauseTransferred is success, any other a failure.
	moved struct {
		cause Cause
		text  string
		// by is the call that was asked; tried says that it began.
		by    ID
		tried bool
	}
	// yield asks a call for its place in its conversation.
	yield struct {
		to      ID
		account string
		stream  media.StreamID
		party   directory.Address
	}
	// meet tells the other end of a call that has yielded who comes.
	meet struct {
		old ID
		yield
	}
	// met answers yield.
	met struct {
		// other is who the party hears now; party, of which the call chain is
		// one, is its name.
		other ID
		party directory.Address
		chain ID
		// known says that an app knows of the other.
		known bool
		// adopter is set where the place is that of a target which rings: the
		// call that rings it, and which is told with adopted.
		adopter *inbox
		// refused is why there is no such place, empty if there is.
		refused Cause
		text    string
	}
	// adopted tells a call that another one took the place of a child of its
	// that was ringing, and has picked up.
	adopted struct {
		old ID
		ChildAnswered
	}
	// left tells the other end of a call, where that is not its parent, that the
	// call is over.
	left struct {
		other ID
		cause Cause
	}
	// rungLong says that who is rung in place of another has not picked up.
	rungLong struct{ handover *handover }
)

// What a call of a chain that has no party yet and its lender tell each other.
// lend.go says when.
type (
	// needs asks for the party, for who picked up if somebody did.
	needs struct {
		to     ID
		picked ChildAnswered
	}
	// lent says that the party was handed over, or will not be.
	lent struct{ refused bool }
	// rings says that somebody is alerted, reached who picked up.
	rings   struct{ by ID }
	reached struct {
		by    ID
		party directory.Address
	}
	// relent says that the call which had the party has handed it on.
	relent struct {
		by ID
		to *Call
	}
	// unlent says that the call is over which had, or was to have, the party.
	unlent struct {
		by    ID
		cause Cause
	}
)

// done is the result of work that was done outside the Call's goroutine.
type done struct {
	token uint64
	value any
}

// hangUp ends the call. Why, if it is not empty, is for the timeline. asParty says
// that it is as if the party hung up.
type hangUp struct {
	cause   Cause
	why     string
	asParty bool
}

// command is something that an API has a call do, and what came of it.
type command struct {
	of     ID // the call that the API named; zero if one call tells it another
	do     func(*Call) error
	result chan error // has room for the one result
}

// sendDigits is what the party's other side typed.
type sendDigits struct{ digits string }

// runProgram runs a program inside the one that runs.
type runProgram struct{ program Program }

func (Digit) message()         {}
func (PlayEnded) message()     {}
func (childRinging) message()  {}
func (ChildAnswered) message() {}
func (childEnded) message()    {}
func (legAlerted) message()    {}
func (legAnswered) message()   {}
func (legRefused) message()    {}
func (parted) message()        {}
func (ringInstead) message()   {}
func (joinInstead) message()   {}
func (moved) message()         {}
func (yield) message()         {}
func (meet) message()          {}
func (met) message()           {}
func (adopted) message()       {}
func (left) message()          {}
func (rungLong) message()      {}
func (needs) message()         {}
func (lent) message()          {}
func (rings) message()         {}
func (reached) message()       {}
func (relent) message()        {}
func (unlent) message()        {}
func (fromLeg) message()       {}
func (done) message()          {}
func (hangUp) message()        {}
func (runProgram) message()    {}
func (command) message()       {}
func (sendDigits) message()    {}

// inbox holds what reached a Call and was not looked at yet. Putting never
// blocks, so legs, children and API requests can not hold each other up.
type inbox struct {
	mu     sync.Mutex
	queue  []Message
	closed bool
	// ready has a token whenever queue may have grown.
	ready chan struct{}
}

func newInbox() *inbox { return &inbox{ready: make(chan struct{}, 1)} }

// put adds m, and says whether the Call will still see it.
func (b *inbox) put(m Message) bool {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false
	}
	b.queue = append(b.queue, m)
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
	return true
}

// take gives the oldest message.
func (b *inbox) take() (Message, bool) { return b.takeIf(func(Message) bool { return true }) }

// takeIf gives the oldest message if it is like this.
func (b *inbox) takeIf(what func(Message) bool) (Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 || !what(b.queue[0]) {
		return nil, false
	}
	m := b.queue[0]
	b.queue[0] = nil
	b.queue = b.queue[1:]
	return m, true
}

// close refuses what comes from now on. It fails if something is waiting, which
// must be looked at first.
func (b *inbox) close() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) > 0 {
		return false
	}
	b.closed = true
	return true
}
