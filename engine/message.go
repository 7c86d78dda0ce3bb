// SPDX-License-Identifier: MIT

package engine

import (
	"sync"

	"github.com/callwright/callwright/media"
)

// Message is something that reaches a Call's goroutine. The list is closed: what
// stands in this file.
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

// ChildRinging says that a target is alerted.
type ChildRinging struct {
	Child ID
	// Sound is true when the target sends early media on Stream.
	Sound  bool
	Stream media.StreamID
}

// ChildAnswered says that a target picked up.
type ChildAnswered struct {
	Child  ID
	Stream media.StreamID
}

// ChildEnded says that a child call is over: the last word of a child, and
// exactly one.
type ChildEnded struct {
	Child ID
	Cause Cause
}

// legAlerted and legAnswered are what a child's own leg reports.
type (
	legAlerted  struct{ LegRinging }
	legAnswered struct{}
)

// fromLeg is anything a leg reports, before the Call has looked at it.
type fromLeg struct{ event LegEvent }

// done is the result of work that was done outside the Call's goroutine.
type done struct {
	token uint64
	value any
}

// hangUp ends the call. Why, if it is not empty, is for the timeline.
type hangUp struct {
	cause Cause
	why   string
}

// command is something that an API has a call do, and what came of it.
type command struct {
	do     func(*Call) error
	result chan error // has room for the one result
}

// sendDigits is what the party's other side typed.
type sendDigits struct{ digits string }

// runProgram runs a program inside the one that runs.
type runProgram struct{ program Program }

func (Digit) message()         {}
func (PlayEnded) message()     {}
func (ChildRinging) message()  {}
func (ChildAnswered) message() {}
func (ChildEnded) message()    {}
func (legAlerted) message()    {}
func (legAnswered) message()   {}
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
func (b *inbox) take() (Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
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
