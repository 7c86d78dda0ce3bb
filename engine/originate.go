// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"context"
	"fmt"

	"github.com/callwright/callwright/directory"
)

// A call that an API begins has no leg at first: it rings the phones of its caller
// as its children, and takes the leg of the one that picks up. From there on it is a
// call that this User made: its app is asked, and who is called is rung. Where that
// is somebody of the account, who is called has an app as well: the call that comes
// in there is the next of the chain, and has the party until it is over (lend.go).

// Origination is a call that an API begins: the caller's phones ring first.
type Origination struct {
	Account string
	// Caller is the User whose phones they are.
	Caller directory.Address
	// Callee is the number, user or group that is called when one is picked up.
	Callee string
	// CallerID is the number that the callee is shown, one of the account's; empty
	// is the User's.
	CallerID string
	// Program is what the caller hears instead of ringing a callee.
	Program Program
}

// Originate begins a call and gives its id, by which it can be controlled at once.
// The error is a *DialError for whom may not be called or shown, a *LimitError,
// ErrRung, ErrDraining or ErrUnrecorded.
func (e *Engine) Originate(o Origination) (ID, error) {
	account := cmp.Or(o.Account, directory.DefaultAccount)
	caller, ok := e.directory.User(account, userID(o.Caller))
	if !ok {
		return ID{}, refuseTransfer(CauseNotFound, "%s is no user of the account whose phone could ring", o.Caller)
	}
	if err := e.config.Journal.Health(); err != nil {
		return ID{}, fmt.Errorf("%w: %w", ErrUnrecorded, err)
	}
	id := NewID()
	c := e.newCall(Record{
		ID: id, Chain: id, Account: account, App: caller.App, Direction: Out,
		Caller: caller.ID, From: e.directory.Shown(caller), To: caller.Address(),
	})
	c.called = called{users: []directory.User{caller}, dialled: o.Callee}
	if no := c.originates(o, caller); no != nil {
		return ID{}, no
	}
	if err := e.rung.begin(key{account, caller.ID}); err != nil {
		return ID{}, err
	}
	if err := e.guard.enter(false); err != nil {
		e.rung.end(key{account, caller.ID})
		return ID{}, err
	}
	if !e.register(c) {
		e.rung.end(key{account, caller.ID})
		e.guard.leave()
		return ID{}, ErrDraining
	}
	began := c.save(EventOutgoing, Data{Party: &c.record.From}, "an API has %s call %s", caller.Address(), c.record.To)
	e.goroutines.Go(func() {
		defer e.guard.leave()
		c.live(func(ctx context.Context) error { return c.originate(ctx, began, caller, o.Program) })
	})
	return id, nil
}

// originates fills in who is called, and as whom the caller is shown.
func (c *Call) originates(o Origination, caller directory.User) *DialError {
	from, no := c.mayShowAs(o.CallerID)
	if no != nil {
		return no
	}
	c.record.From = cmp.Or(from, c.record.From)
	if o.Program != nil {
		return nil
	}
	target, no := c.mayTransfer(o.Callee)
	switch {
	case no != nil:
		return no
	case target.Address.Same(caller.Address()):
		return refuseTransfer(CauseRejected, "%s would call itself", target)
	}
	c.record.To, c.called.inward = target.Address, c.ours(target.Address)
	return nil
}

// originate rings the caller, and then goes on as a call that it made.
func (c *Call) originate(ctx context.Context, why Event, caller directory.User, program Program) error {
	err := func() error {
		defer c.engine.rung.end(key{c.record.Account, caller.ID})
		return c.ringCaller(ctx, caller)
	}()
	if err != nil {
		return err
	}
	if program == nil {
		return c.converse(ctx, c.arrive())
	}
	c.app.asked = why
	if err := c.perform(ctx, func() (Program, error) { return program, nil }); err != nil {
		return err
	}
	c.finishWith(CauseNormal)
	return nil
}

// ringCaller rings the phones of a User until one is picked up, and takes its leg.
// The error is a *DialError when none is.
func (c *Call) ringCaller(ctx context.Context, caller directory.User) error {
	answered, unreached, err := c.Hunt(ctx, Hunt{Targets: []Target{{Address: caller.Address()}}, From: c.numberOf(c.record.To)})
	switch {
	case err != nil:
		return err
	case unreached == nil:
		return c.takeLegOf(ctx, answered.Child)
	case unreached.Within > 0:
		return refuseTransfer(CauseNoAnswer, "%s does not pick up", caller.Address())
	}
	return refuseTransfer(unreached.Cause, "%s is not reached", caller.Address())
}

// takeLegOf has a child that picked up hand its leg over: it was rung to become the
// party of this call.
func (c *Call) takeLegOf(ctx context.Context, child ID) error {
	c.tellCall(child, command{result: make(chan error, 1), do: func(of *Call) error {
		if of.handLeg(c) {
			c.inbox.put(lent{})
			of.finishWith(CauseForwarded)
		}
		return nil
	}})
	m, err := c.Await(ctx, func(m Message) bool {
		ended, ok := m.(childEnded)
		_, here := m.(lent)
		return here || ok && ended.Child == child
	})
	if err != nil {
		return err
	}
	if ended, ok := m.(childEnded); ok {
		return refuseTransfer(ended.Cause, "the caller has hung up")
	}
	return nil
}

// Enter has the party call somebody of the account as from outside: that is the next
// call of the chain, which asks the app of who is called and has the party from when
// somebody picks up. It gives the cause of that one's end or, where the party goes on
// in others, of the last one's.
func (c *Call) Enter(ctx context.Context, to directory.Address) (Cause, error) {
	if no := c.mayForward(to); no != nil {
		return "", no
	}
	next := c.chained(succession{destination: to, dialled: to})
	next.line.loan.from, next.line.loan.entered = c.record.ID, true
	next.ahead, c.ahead = c.ahead, ahead{}
	if !c.engine.register(next) {
		return "", &DialError{Cause: CauseShutdown, Err: ErrDraining}
	}
	c.note(EventOutgoing, Data{Party: &to, Other: next.record.ID}, "calls %s, as call %s", to, next.record.ID)
	c.move.handover = &handover{chained: next, name: to.String()}
	next.begin(fmt.Sprintf("that %s makes by an API", c.record.ID)) //nolint:contextcheck // it lives in its own time
	m, err := c.Await(ctx, func(m Message) bool { _, ok := m.(unlent); return ok })
	if err != nil {
		return "", err
	}
	c.endHandover()
	return m.(unlent).cause, nil
}
