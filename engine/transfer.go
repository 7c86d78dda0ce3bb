// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"fmt"

	"github.com/callwright/callwright/directory"
)

// A transfer is carried out by the call of the party that stays: it rings the
// new one as its child, or takes a place in another conversation. The call of
// the party that leaves asks for it, tells that party how it goes, and ends with
// CauseTransferred when its place is taken; until then nothing is torn down. A
// child whose parent leaves so goes on by itself. Where an API asks (transferto.go),
// X is the call of the owner, and what it asks for the same.
//
//	blind:     X -ringInstead→ R, which rings T or, where T is of the account, has the
//	           next call of its chain do so (lend.go);  R -moved→ X
//	attended:  X -joinInstead→ R -yield→ Y -meet→ S;  S -met→ R -moved→ X;  S -moved→ Y
//	INVITE with Replaces: N -yield→ Y -meet→ S;  S -met→ N;  S -moved→ Y
//
// R and S are the other ends of X and Y, N is the new call.

// moving is what a call knows of transfers.
type moving struct {
	// asked is what the party asked for, or an API in its place, until it is known
	// what came of it.
	asked *asked
	// yielding says that the other end was told of somebody for our place.
	yielding bool
	// handover is how somebody else comes to the other end, if that is under way.
	handover *handover
	// referred says that the party was asked by Refer to call somebody, and
	// agreed.
	referred bool
	// undo ends what goOn began.
	undo func()
}

// asked is what somebody wants who is to leave.
type asked struct {
	referral LegReferred
	// ordered says that an API wants it: the party is told nothing. consult says that
	// it talks with who is to take its place first.
	ordered, consult bool
}

// leaving says that the other end is to stay if the party hangs up.
func (m *moving) leaving() bool { return m.asked != nil || m.yielding }

// handleTransfer does what a message about a transfer asks of the Call, and gives
// what is left of it for the program, or nil.
func (c *Call) handleTransfer(m Message) Message {
	switch m := m.(type) {
	case ringInstead:
		if no := c.ringInstead(m); no != nil {
			c.tellCall(m.old, moved{cause: no.Cause, text: no.Error(), by: c.record.ID})
		}
	case joinInstead:
		c.joinInstead(m)
	case moved:
		c.moved(m)
	case yield:
		c.yield(m)
	case meet:
		return c.meet(m)
	case met:
		return c.met(m)
	case adopted:
		return c.adopt(m)
	case left:
		return c.otherLeft(m.other, m.cause)
	case rungLong:
		c.rungLong(m.handover)
	default:
		return c.handleLending(m)
	}
	return nil
}

// refer takes what the party asks for: that who hears it is connected with
// somebody else.
func (c *Call) refer(ev LegReferred) {
	c.note(EventTransfer, Data{}, "asks to transfer %s to %s", c.otherEnd(), ev.Asked)
	order, err := c.transferOf(ev)
	if err != nil {
		c.log.Warn("transfer refused: "+err.Error(), "asked_for", ev.Asked)
		c.answerReferral(asked{referral: ev}, err.Cause, err.Error())
		return
	}
	c.move.asked = &asked{referral: ev}
	if c.engine.send(c.party.hearer, order) != nil {
		c.move.asked = nil
		c.answerReferral(asked{referral: ev}, CauseCancelled, "the other side has hung up")
	}
}

// otherEnd names who hears the party, as far as it is known.
func (c *Call) otherEnd() directory.Address {
	if t, ok := c.children[c.party.hearer]; ok {
		return t.Address
	}
	return c.record.From
}

// transferOf says what is to be done for the party, or why nothing is.
func (c *Call) transferOf(ev LegReferred) (Message, *DialError) {
	switch {
	case c.over != "" || !c.party.talking:
		return nil, refuseTransfer(CauseRejected, "nobody is talking with it who could be transferred")
	case c.urgent():
		return nil, refuseTransfer(CauseForbidden, "an emergency call is not transferred")
	case c.move.leaving() || c.move.handover != nil:
		return nil, refuseTransfer(CauseRejected, "another transfer of this call is under way")
	case !ev.Replaces:
		target, err := c.mayReach(c.user(), ev.To)
		if err == nil && c.engine.directory.Emergency(target.Address) {
			err = refuseTransfer(CauseForbidden, "nobody is transferred to an emergency service: it must be called")
		}
		return ringInstead{old: c.record.ID, target: target}, err
	}
	place, ok := c.engine.callOf(ev.Other)
	if !ok {
		return nil, refuseTransfer(CauseNotFound, "the call that it is to join is none of this server")
	}
	return joinInstead{old: c.record.ID, place: place}, nil
}

func refuseTransfer(cause Cause, format string, args ...any) *DialError {
	return &DialError{Cause: cause, Err: fmt.Errorf(format, args...)}
}

// answerReferral tells the party how the transfer goes that it asked for, and
// puts it on the timeline.
func (c *Call) answerReferral(a asked, cause Cause, text string) {
	status, phrase := 200, "OK"
	switch cause {
	case "":
		status, phrase = 180, "Ringing"
	case CauseTransferred:
		text = "transferred to " + text
	default:
		words := cause.Words()
		status, phrase = words.SIPStatus, words.SIPReason
		text = fmt.Sprintf("not transferred: %s: %s", cause, text)
	}
	c.note(EventTransfer, Data{Status: status}, "%s", text)
	if t, ok := c.party.leg.(Transfer); ok && !a.ordered {
		t.Notify(a.referral.ID, status, phrase)
	}
}

// moved takes how it goes with the transfer of the other end, or with a place
// that was yielded.
func (c *Call) moved(m moved) {
	asked := c.move.asked
	if asked != nil {
		c.answerReferral(*asked, m.cause, m.text)
	}
	switch m.cause {
	case "":
	case CauseTransferred:
		if asked == nil {
			c.note(EventTransfer, Data{}, "its place is taken by %s", m.text)
		}
		delete(c.children, m.by) // it goes on without us
		c.finishWith(CauseTransferred)
	default:
		c.move.asked, c.move.yielding = nil, false
		if m.tried && c.over == "" {
			c.talkOn()
		}
	}
}

// goOn has a child whose parent leaves the conversation live on by itself, as one
// of the calls that Limits are for.
func (c *Call) goOn() {
	if c.parent == nil {
		return
	}
	c.parent = nil
	c.publish()
	c.engine.guard.stay()
	stop := c.limitDuration()
	c.move.undo = func() {
		stop()
		c.engine.guard.leave()
	}
}

// part is what a call does about transfers when it ends.
func (c *Call) part() {
	c.endHandover()
	c.giveUpTape()
	if c.move.undo != nil {
		c.move.undo()
	}
	other := c.party.hearer
	_, child := c.children[other]
	gone := c.party.gone
	switch {
	case !c.party.talking || c.parent != nil: // the parent hears of our end
	case !child:
		c.tellCall(other, left{c.record.ID, c.over})
	case c.move.leaving() && gone != nil && gone.Remote:
		delete(c.children, other)
		c.tellCall(other, left{c.record.ID, c.over})
	}
}

// tellCall tells another call something. One that is gone has said so.
func (c *Call) tellCall(id ID, m Message) { _ = c.engine.send(id, m) }

// Converse stays in the conversation that Connect began until it is over, and
// gives the cause. Whom the party hears may change meanwhile.
func (c *Call) Converse(ctx context.Context) (Cause, error) {
	m, err := c.Await(ctx, func(m Message) bool { _, ok := m.(parted); return ok })
	if err != nil {
		return "", err
	}
	return m.(parted).cause, nil
}
