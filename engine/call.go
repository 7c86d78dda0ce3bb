// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/media"
)

// Call is one controlled party and its record. One goroutine owns all of its
// state: main for a call that came in, ring for a child. Everything else puts
// messages into its inbox.
//
// The exported methods are for Verbs and may be called only from a Verb's Run.
type Call struct {
	engine   *Engine
	log      *slog.Logger
	inbox    *inbox
	timeline *timeline
	// standing is what other goroutines may know.
	standing atomic.Pointer[standing]
	// ended is closed when it is over, and what its app is told of that queued.
	ended chan struct{}

	record Record
	app    application
	called called
	line   lineage
	party  party

	parent   *inbox // nil for a call of its own
	move     moving
	children map[ID]Target
	ahead    ahead

	// over is why the call ends, once that is settled, and overAt when it was.
	over   Cause
	overAt time.Time
	// overdue says that it is over its time as soon as it rings no emergency service.
	overdue bool
	waiting waiting
}

// waiting is how a Call waits, and what it has seen and not used yet.
type waiting struct {
	depth int       // of programs that run inside each other
	stash []Message // for the programs around the one that runs, or for later
	// keepDigits is set while digits that nobody awaits are kept.
	keepDigits bool
	// token is the last one that was given to work or a play.
	token uint64
	// replaceable says that a program runs that an API can replace, replacement by
	// what it is.
	replaceable bool
	replacement *replacement
}

// party is the live half of a Call and what is going on with it.
type party struct {
	leg Leg // nil until a target could be dialled
	// mailbox is where the leg tells what happens.
	mailbox *mailbox
	// gone is set when the leg has ended, up since it was picked up.
	gone *LegEnded
	up   bool
	// sound is true when the party hears what is played; alerted when it was
	// told that somebody rings.
	sound, alerted bool
	// ringback is the token of the ringing that the party hears, 0 if none;
	// preview is the stream whose early media it heard last.
	ringback uint64
	preview  media.StreamID
	// hearer is the call of who hears the party, zero if nobody does. talking
	// says that both picked up.
	hearer  ID
	talking bool
	talk    conversation
	// playing is the token of what was played last, 0 when that is over.
	playing uint64
	tapes   tapes
	// news is what a target said last while it rang.
	news alerted
}

// alerted is how a target rings.
type alerted struct {
	status int
	sound  bool
}

// EndedError is what Await returns once the call is over: its program ends.
type EndedError struct {
	Cause Cause
	why   string // of Fail
}

// Error says why the call is over.
func (e *EndedError) Error() string { return "the call is over: " + string(e.Cause) }

// Info gives a copy of what is known about the call.
func (c *Call) Info() CallInfo {
	return c.info(c.record.clone())
}

func (c *Call) info(r Record) CallInfo {
	return CallInfo{Record: r, App: c.app.App, Users: c.called.users, Called: c.called.number, Inward: c.called.inward, Destination: c.called.destination, Dialled: c.called.dialled}
}

// Await waits for a message that the caller wants, and carries out meanwhile
// whatever else arrives. It returns an *EndedError when the call is over, a
// *ReplacedError when an API has sent the party to somebody else, or the cause of
// ctx when that ends.
//
// Messages that nobody wants are dropped; inside a nested program they are kept
// for the programs around it.
func (c *Call) Await(ctx context.Context, want func(Message) bool) (Message, error) {
	return c.await(ctx, ctx, want)
}

// ErrTimeout is what AwaitFor returns when nothing came in time.
var ErrTimeout = errors.New("nothing came in time")

// AwaitFor is Await for a limited time. It returns ErrTimeout when that is over.
// A nested program is not bound by the limit: the wait goes on behind it.
func (c *Call) AwaitFor(ctx context.Context, limit time.Duration, want func(Message) bool) (Message, error) {
	limited, cancel := context.WithTimeoutCause(ctx, limit, ErrTimeout)
	defer cancel()
	return c.await(ctx, limited, want)
}

// await waits until limit ends, which is ctx or made of it; what is carried out
// meanwhile has ctx.
func (c *Call) await(ctx, limit context.Context, want func(Message) bool) (Message, error) {
	for {
		for i, m := range c.waiting.stash {
			if want(m) {
				c.waiting.stash = append(c.waiting.stash[:i:i], c.waiting.stash[i+1:]...)
				return m, nil
			}
		}
		if c.over != "" {
			return nil, &EndedError{Cause: c.over}
		}
		if c.waiting.replacement != nil {
			return nil, &ReplacedError{}
		}
		m, ok := c.inbox.take()
		if !ok {
			select {
			case <-c.inbox.ready:
			case <-limit.Done():
				return nil, context.Cause(limit)
			}
			continue
		}
		m = c.handle(ctx, m)
		switch {
		case m == nil:
		case want(m):
			return m, nil
		case c.waiting.depth > 0 || c.keeps(m):
			c.waiting.stash = append(c.waiting.stash, m)
		}
	}
}

// KeepDigits has digits that come while something else is awaited kept, until
// the returned function is called, for who awaits digits next.
func (c *Call) KeepDigits() (stop func()) {
	around := c.waiting.keepDigits
	c.waiting.keepDigits = true
	return func() {
		c.waiting.keepDigits = around
		c.waiting.stash = slices.DeleteFunc(c.waiting.stash, func(m Message) bool {
			_, digit := m.(Digit)
			return digit && c.waiting.depth == 0
		})
	}
}

func (c *Call) keeps(m Message) bool {
	_, digit := m.(Digit)
	return digit && c.waiting.keepDigits
}

// handle does what a message asks of the Call itself, and gives what is left of
// it for the program, or nil.
func (c *Call) handle(ctx context.Context, m Message) Message {
	switch m := m.(type) {
	case fromLeg:
		if m.leg != c.party.leg {
			return nil // of one that was tried before, and has ended
		}
		return c.handleLeg(m.event)
	case handed:
		c.takeLeg(m)
		return nil
	case childRinging:
		if by := m.By; m.First && c.record.Parent.IsZero() {
			c.tell(Event{Call: c.record.ID, At: time.Now(), Kind: EventRinging, Data: Data{Party: &by, Other: m.Child}})
		}
		rest, _ := c.fromRung(m.Child, m)
		return rest
	case ChildAnswered:
		rest, _ := c.fromRung(m.Child, m)
		return rest
	case childEnded:
		return c.childEnded(m)
	case hangUp:
		c.hungUp(m)
		return nil
	case runProgram:
		c.runNested(ctx, m.program)
		return nil
	case command:
		c.obey(m)
		return nil
	case sendDigits:
		c.relay(m.digits)
		return nil
	case done:
		if c.heardOut(m) {
			return nil
		}
	}
	return c.handleTransfer(m) //nolint:contextcheck // a child that it rings lives in its own time
}

// hungUp takes that somebody has the call end.
func (c *Call) hungUp(m hangUp) {
	if m.cause == CauseMaxDuration && c.urgent() {
		c.overdue = true
		return
	}
	if m.why != "" && c.over == "" {
		c.Complain(Problem{Sentence: m.why})
	}
	if m.asParty && c.record.AnsweredBy == nil {
		m.cause = CauseCancelled
	}
	c.finishWith(m.cause)
}

// finishWith settles why the call ends. The first reason stays.
func (c *Call) finishWith(cause Cause) {
	if c.over == "" {
		c.over, c.overAt = cause, time.Now()
		c.publish()
	}
}

// do runs f outside the Call's goroutine and awaits what it gives, so that the
// call goes on while f waits for a network or a disk. f must end when its
// context does.
func do[T any](ctx context.Context, c *Call, f func(context.Context) T) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.waiting.token++
	token := c.waiting.token
	c.engine.goroutines.Go(func() { c.inbox.put(done{token: token, value: f(ctx)}) })
	m, err := c.Await(ctx, func(m Message) bool {
		d, ok := m.(done)
		return ok && d.token == token
	})
	if err != nil {
		var none T
		return none, err
	}
	return m.(done).value.(T), nil
}

// note adds an event to the timeline.
func (c *Call) note(kind EventKind, data Data, format string, args ...any) Event {
	return c.timeline.add(time.Now(), kind, fmt.Sprintf(format, args...), data)
}

// save adds an event to the timeline together with the state that it reports.
func (c *Call) save(kind EventKind, data Data, format string, args ...any) Event {
	return c.timeline.add(time.Now(), kind, fmt.Sprintf(format, args...), data, RecordSaved{c.record.clone()})
}

// Complain puts a problem on the timeline: what an app said could not be done,
// in a sentence that says what to change.
func (c *Call) Complain(p Problem) {
	c.note(EventProblem, Data{Problem: &p}, "%s", p)
}

// Gathered puts the outcome of collecting digits on the timeline and gives the
// event to ask the app about, at a URL.
func (c *Call) Gathered(digits, url string) Event {
	text := "no digits"
	if digits != "" {
		text = "digits " + digits
	}
	return c.note(EventGathered, Data{Digits: digits, URL: url}, "%s", text)
}

// Unanswered puts on the timeline that nobody was reached and why, has the party
// hear no ringing any more, and gives the event to ask the app about, at a URL.
func (c *Call) Unanswered(why Cause, url string) Event {
	c.silenceRingback()
	c.party.alerted, c.party.preview = false, 0
	return c.note(EventUnanswered, Data{Cause: why, URL: url}, "nobody was reached: %s", why)
}
