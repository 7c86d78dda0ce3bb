// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/callwright/callwright/directory"
)

// TransferOrder says where the other side of an account's User in a call goes.
type TransferOrder struct {
	// To is a number, or a user or group of the account.
	To string
	// Attended has the User talk to whoever is there first; the transfer is when
	// the User hangs up.
	Attended bool
	// CallerID is the number that is shown to whoever is there, one of the
	// account's; empty is that of the party that is transferred or, attended, of the
	// User.
	CallerID string
}

// Transfer sends the party of a living call to somebody else. In a conversation that
// is the one who talks with the owner; without an owner it is the one who called.
// Until somebody picks up they talk on, and if nobody does nothing has happened.
// Before there is a conversation, what the app has the call do is left at once: it
// is forwarded to somebody of the account, or rings somebody outside.
//
// The error is ErrNoCall, ErrNoTransfer, ErrNoTalk for an attended transfer outside
// of a conversation, ErrEmergency, or a *DialError when the party may not be sent
// there.
func (e *Engine) Transfer(id ID, o TransferOrder) error {
	return e.order(id, func(c *Call) error { return c.transferTo(o) })
}

func (c *Call) transferTo(o TransferOrder) error {
	switch {
	case c.parent != nil:
		return ErrNoCall
	case c.move.leaving() || c.move.handover != nil || c.waiting.replacement != nil:
		return ErrTransferring
	}
	target, no := c.mayTransfer(o.To)
	if no != nil {
		return no
	}
	from, no := c.mayShowAs(o.CallerID)
	if no != nil {
		return no
	}
	switch {
	case !c.party.talking && o.Attended:
		return fmt.Errorf("%w, so nobody could talk to who is there first: wait until somebody has picked up, or transfer it unattended", ErrNoTalk)
	case !c.party.talking:
		return c.sendOn(target, from)
	}
	return c.transferTalk(target, from, o.Attended)
}

// transferTalk transfers the party of a conversation that is not the owner.
func (c *Call) transferTalk(target Target, from directory.Address, attended bool) error {
	here, _ := c.owners()
	if attended && from.Kind == "" {
		from = c.shown()
		if !here {
			from = c.callerID(c.party.talk.with)
		}
	}
	order := ringInstead{old: c.record.ID, target: target, from: from, consult: attended}
	if !here {
		order.old = c.party.hearer
		if no := c.ringInstead(order); no != nil {
			return no
		}
		return nil
	}
	c.move.asked = &asked{ordered: true, consult: attended}
	if c.engine.send(c.party.hearer, order) != nil {
		c.move.asked = nil
		return ErrNoTalk
	}
	return nil
}

// sendOn has the call leave what it does for somebody else.
func (c *Call) sendOn(target Target, from directory.Address) error {
	switch {
	case !c.waiting.replaceable || c.party.leg == nil && !c.line.loan.entered || c.party.gone != nil:
		return ErrNoTransfer
	case c.isFor(target.Address):
		// Its app sends every call there that it is asked about, this one too.
		c.note(EventTransfer, Data{Party: &target.Address}, "is sent to %s, and led there already", target)
		c.waiting.replacement = &replacement{}
		c.leaveQuestions()
		return nil
	case !c.ours(target.Address):
		c.note(EventTransfer, Data{Party: &target.Address}, "is sent to %s", target)
		c.waiting.replacement = &replacement{lead: &target.Address, from: from}
		c.leaveQuestions()
		return nil
	}
	if no := c.mayForward(target.Address); no != nil {
		return no
	}
	s := c.successor(target.Address, from)
	s.why = "an API sends it there"
	c.waiting.replacement = &replacement{forward: s}
	return nil
}

// isFor says that the account settings lead the call to an address.
func (c *Call) isFor(a directory.Address) bool {
	if to := c.called.destination; to != nil {
		return to.Same(a)
	}
	return a.Kind == directory.KindNumber && c.called.number.ID() == a.Value
}

// successor is how the next call of the chain follows: it is for the number of who is
// there or else, and for a voicemail, for the one that sends the party on.
func (c *Call) successor(to, from directory.Address) *succession {
	s := succession{destination: to, dialled: c.numberOf(to), diversion: c.dialled(), from: from}
	leaves := c.record.To
	if !c.record.Parent.IsZero() { // it was called; who leaves is the one that called it
		leaves, s.diversion = c.numberOf(c.party.talk.with), ""
		if leaves.Kind == directory.KindNumber {
			s.diversion = leaves.Value
		}
	}
	if s.dialled.Kind != directory.KindNumber && (leaves.Kind == directory.KindNumber || c.record.Parent.IsZero()) {
		s.dialled = leaves
	}
	return &s
}

// mayTransfer finds whom the party of a call may be sent to: who could be dialled by
// a document.
func (c *Call) mayTransfer(to string) (Target, *DialError) {
	d, account := c.engine.directory, c.record.Account
	if party, ok := d.Party(account, to); ok {
		return Target{Address: party}, nil
	}
	target := Target{Address: directory.NumberAddress(to)}
	switch {
	case !directory.IsNumber(to):
		return target, refuseTransfer(CauseNotFound, "%q is no user, group or number of the account, nor a number outside", to)
	case d.Emergency(target.Address):
		return target, refuseTransfer(CauseForbidden, "%s is an emergency service: only a phone calls that", target)
	case c.ours(target.Address):
		return target, nil
	}
	return target, c.mayLeave(target.Address)
}

// mayLeave says why a number that is none of the account may not be called, or nil. It
// does not tell those of other accounts from any outside: they are not reached.
func (c *Call) mayLeave(to directory.Address) *DialError {
	if no := c.engine.guard.dial(to); no != nil {
		return no
	}
	if err := c.engine.toll.check(); err != nil {
		return &DialError{Cause: CauseForbidden, Err: err}
	}
	return nil
}

// ours says whether an address is a user, group or number of the account.
func (c *Call) ours(a directory.Address) bool {
	if a.Kind == directory.KindUser || a.Kind == directory.KindGroup {
		return true
	}
	_, ok := c.engine.directory.OwnNumber(c.record.Account, a.Value)
	return a.Kind == directory.KindNumber && ok
}

// ErrCallerID says that a number may not be shown.
var ErrCallerID = errors.New("it is no number of the account")

// mayShowAs says whether a number may be shown: one of the account's. Empty is no
// wish. The error is ErrCallerID.
func (c *Call) mayShowAs(number string) (directory.Address, *DialError) {
	if number == "" {
		return directory.Address{}, nil
	}
	a := directory.NumberAddress(number)
	if _, ok := c.engine.directory.OwnNumber(c.record.Account, a.Value); ok {
		return a, nil
	}
	return a, refuseTransfer(CauseForbidden, "%s cannot be shown: %w", cmp.Or(a.Value, number), ErrCallerID)
}
