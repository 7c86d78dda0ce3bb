// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/media"
)

// maxDocuments is how many documents one call may run through: an app whose
// every answer leads straight to the next question would never end.
const maxDocuments = 5000

// arrive writes the first row of a call that came in.
func (c *Call) arrive() Event {
	return c.save(EventIncoming, Data{Party: &c.record.From, Headers: c.line.headers}, "call from %s to %s", c.record.From, c.record.To)
}

// main is the life of a call that came in, behind the event that it did.
func (c *Call) main(arrived Event) {
	c.live(func(ctx context.Context) error { return c.converse(ctx, arrived) })
}

// live has a call of its own do what it is for, and ends it.
func (c *Call) live(do func(context.Context) error) {
	ctx, cancel := context.WithCancel(c.engine.ctx)
	defer cancel()
	stop := c.limitDuration()
	defer stop()
	err := guarded(func() error { return do(ctx) })
	c.settle(ctx, err)
	c.engine.toll.end(c.record.ID) // a leg that was handed to it may cost
	c.close(reason(err))
}

// reason is what the last row says of the error that ended the program.
func reason(err error) string {
	if refused := (*DialError)(nil); errors.As(err, &refused) {
		return refused.Error()
	}
	if over := (*EndedError)(nil); errors.As(err, &over) {
		return over.why
	}
	return ""
}

// guarded makes an error of a panic: one call's fault must not end the others.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// settle makes a cause of the error that ended the program.
func (c *Call) settle(ctx context.Context, err error) {
	var over *EndedError
	var refused *DialError
	switch {
	case err == nil || errors.As(err, &over):
		return
	case errors.As(err, &refused):
		c.finishWith(refused.Cause)
	case errors.Is(err, ErrLegGone) || errors.Is(err, media.ErrNoStream):
		// The leg went away under the program; it says why in a moment.
		if c.party.leg == nil {
			break
		}
		_, _ = c.Await(ctx, func(Message) bool { return false })
	default:
		c.log.Error("call failed", "err", err)
		c.Complain(Problem{Sentence: "the call failed inside the server; its log says why"})
	}
	c.finishWith(CauseFailed)
}

// limitDuration ends the call when it lasts too long.
func (c *Call) limitDuration() (stop func()) {
	limit := c.engine.guard.limits.MaxDuration
	if limit == 0 {
		return func() {}
	}
	t := time.AfterFunc(time.Until(c.began().Add(limit)), func() { c.inbox.put(hangUp{cause: CauseMaxDuration}) })
	return func() { t.Stop() }
}

// settleDuration ends a call that is over its time, and was spared because it rang
// an emergency service.
func (c *Call) settleDuration() {
	if c.overdue && !c.urgent() {
		c.finishWith(CauseMaxDuration)
	}
}

// converse asks the app and runs what it answers, until something ends the
// call.
func (c *Call) converse(ctx context.Context, why Event) error {
	if err := c.perform(ctx, func() (Program, error) { return c.first(ctx, why) }); err != nil {
		return err
	}
	// The document is at its end, and the call is not.
	if err := c.perform(ctx, func() (Program, error) { return c.missing(MissingEnd), nil }); err != nil {
		return err
	}
	c.finishWith(CauseNormal)
	return nil
}

// first gives the program that a call begins with: the app's, but no app is
// asked about an emergency.
func (c *Call) first(ctx context.Context, why Event) (Program, error) {
	if c.called.emergency {
		c.note(EventRequest, Data{}, "%s is an emergency number: no app is asked", c.record.To)
		return c.missing(MissingEmpty), nil
	}
	if err := c.hearOut(ctx); err != nil {
		if c.line.steps <= mostDiversions {
			c.askLate(why)
		}
		return nil, err
	}
	if c.line.steps > mostDiversions {
		c.Complain(Problem{Sentence: fmt.Sprintf(
			"the call was forwarded and transferred %d times: no app is asked any more; look for one that leads back to itself", c.line.steps)})
		return c.missing(MissingEmpty), nil
	}
	program, err := c.ask(ctx, why)
	if err == nil && c.line.loan.consult {
		c.note(EventTransfer, Data{Party: c.called.destination}, "is led to %s whatever the app says: who leaves talks there first", c.called.destination)
		program = c.missing(MissingEmpty)
	}
	return program, err
}

// execute runs a program, and those that take its place, to the end. It
// returns an *EndedError when that ends the call.
func (c *Call) execute(ctx context.Context, program Program) error {
	var app haste
	for range maxDocuments {
		began := time.Now()
		next, err := c.run(ctx, program)
		switch {
		case err != nil:
			return err
		case next.end != "":
			c.finishWith(next.end)
			return &EndedError{Cause: c.over, why: next.why}
		case next.forward != nil:
			s := c.successor(*next.forward, directory.Address{})
			s.why = next.why
			return c.forward(ctx, *s)
		case next.ask == nil:
			return nil
		}
		if err := c.rest(ctx, app.pause(time.Since(began))); err != nil {
			return err
		}
		if program, err = c.ask(ctx, *next.ask); err != nil {
			return err
		}
	}
	return fmt.Errorf("the app answered %d documents on one call without ending it", maxDocuments)
}

// run carries out verbs in order until one does not continue.
func (c *Call) run(ctx context.Context, program Program) (Next, error) {
	for _, v := range program {
		c.note(EventVerb, Data{}, "%s", v)
		next, err := v.Run(ctx, c)
		if err != nil || next != Continue() {
			return next, err
		}
	}
	return Continue(), nil
}

// runNested runs a program inside the verb that waits now, unless the call is
// over or goes to an emergency service.
func (c *Call) runNested(ctx context.Context, program Program) {
	if c.over != "" || c.urgent() {
		return
	}
	c.waiting.depth++
	defer func() { c.waiting.depth-- }()
	var over *EndedError
	var replaced *ReplacedError // the programs around are told of it too
	if err := c.execute(ctx, program); err != nil && !errors.As(err, &over) && !errors.As(err, &replaced) {
		c.Complain(Problem{Sentence: "a program that was run inside the call failed: " + err.Error()})
	}
}
