// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"fmt"
	"time"
)

// A transfer is carried out by the call of the party that stays: it rings the
// new one as its child, or takes a place in another conversation. The call of
// the party that leaves asks for it, tells that party how it goes, and ends with
// CauseTransferred when its place is taken; until then nothing is torn down. A
// child whose parent leaves so goes on by itself. Legs never change their call,
// so that each record stays that of one party.
//
//	blind:     X -ringInstead→ R, which rings T;  R -moved→ X
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

// handover replaces the other end of a conversation.
type handover struct {
	old ID // the call at the other end
	// ringing are the children that are rung in its place; none while a place in
	// another conversation is asked for.
	ringing map[ID]bool
	why     Cause // of the best of those that were not reached
	timer   *time.Timer
	// chained is the call that is to have the party, or has it (lend.go), and name
	// where it is led.
	chained *Call
	name    string
	// consult is set while the old other end talks with the new one first.
	consult *consultation
	// rang says that one is alerted, late that it took too long, alone that the
	// old one has hung up.
	rang, late, alone bool
}

// handoverTime is how long somebody is rung in place of another.
const handoverTime = 60 * time.Second

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
func (c *Call) otherEnd() Address {
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
	}
}

// mayHandOver says why who is at the other end cannot be replaced, or nil.
func (c *Call) mayHandOver(old ID) *DialError {
	switch {
	case c.over != "" || !c.party.talking || c.party.hearer != old:
		return refuseTransfer(CauseCancelled, "the other side is not in the conversation any more")
	case c.urgent():
		return refuseTransfer(CauseForbidden, "an emergency call is not transferred")
	case c.move.leaving() || c.move.handover != nil:
		return refuseTransfer(CauseRejected, "another transfer of this call is under way")
	}
	return nil
}

// ringInstead rings a target in place of the other end, or says why not. A call of
// its own that is to go to somebody of the account is led there as the next of its
// chain, which asks an app like any other.
func (c *Call) ringInstead(m ringInstead) *DialError {
	if no := c.mayHandOver(m.old); no != nil {
		return no
	}
	if m.target.Address.same(c.party.talk.with) || m.target.Address.same(c.record.From) {
		return refuseTransfer(CauseRejected, "%s is in the conversation already", m.target)
	}
	if c.record.Parent.IsZero() && !m.consult && c.ours(m.target.Address) {
		return c.leadOn(m)
	}
	c.note(EventTransfer, Data{Party: &m.target.Address}, "is being transferred to %s", m.target)
	h := &handover{old: m.old, ringing: map[ID]bool{}}
	if m.consult {
		c.consult(h)
	}
	from := m.from
	if from.Kind == "" {
		from = c.shown()
	}
	h.timer = time.AfterFunc(handoverTime, func() { c.inbox.put(rungLong{h}) })
	c.move.handover = h
	for _, place := range c.Places([]Target{m.target}) {
		h.ringing[c.Ring(place, from)] = true
	}
	return nil
}

// leadOn has the next call of the chain begin, which takes the party over when
// somebody picks up there, or when the old other end hangs up.
func (c *Call) leadOn(m ringInstead) *DialError {
	if no := c.mayForward(m.target.Address); no != nil {
		return no
	}
	next := c.chained(*c.successor(m.target.Address, m.from))
	next.line.lender = c.record.ID
	if !c.engine.register(next) {
		return &DialError{Cause: CauseShutdown, Err: ErrDraining}
	}
	c.note(EventTransfer, Data{Party: &m.target.Address, Other: next.record.ID}, "is being transferred to %s, as call %s", m.target, next.record.ID)
	c.move.handover = &handover{old: m.old, chained: next, name: m.target.Address.String()}
	next.begin(fmt.Sprintf("transferred to %s by call %s", m.target, c.record.ID))
	return nil
}

// rungLong gives up a handover whose targets do not pick up.
func (c *Call) rungLong(h *handover) {
	if c.move.handover == h && len(h.ringing) > 0 {
		h.late = true
		for id := range h.ringing {
			c.HangupChild(id, CauseNoAnswer)
		}
	}
}

// fromRung takes news of a child that is rung in place of the other end, and
// says whether it was of one.
func (c *Call) fromRung(child ID, m Message) (rest Message, mine bool) {
	h := c.move.handover
	if h == nil || !h.ringing[child] || c.over != "" {
		return m, false
	}
	switch m := m.(type) {
	case ChildRinging:
		if !h.rang {
			h.rang = true
			c.tellCall(h.old, moved{text: "it rings", by: c.record.ID})
			c.consultRings(h)
		}
	case ChildAnswered:
		switch {
		case h.late:
		case h.consult != nil && !h.alone:
			c.consultWith(h, m)
		default:
			delete(h.ringing, child)
			c.handOver(h, m)
		}
	case ChildEnded:
		delete(h.ringing, child)
		if m.Cause.Better(h.why) {
			h.why = m.Cause
		}
		if len(h.ringing) == 0 {
			return c.handoverFailed(h.why, "nobody was reached"), true
		}
	}
	return nil, true
}

// handOver connects the party with who picked up, and lets the old other end go.
func (c *Call) handOver(h *handover, m ChildAnswered) {
	for id := range h.ringing {
		c.HangupChild(id, CauseElsewhere)
	}
	c.silenceRingback()
	if err := c.bridge(m.Child, m.Stream, m.By); err != nil {
		c.log.Error("transfer", "err", err)
	}
	c.note(EventBridged, Data{Party: &m.By, Other: m.Child}, "%s and %s hear each other", c.shown(), m.By)
	c.across(func(other *Call) { other.party.talk.keysTo = ID{} })
	c.letGo(m.By)
	if c.record.Parent.IsZero() {
		c.answered(m.By, m.Child)
	}
}

// letGo ends a handover: the old other end is not needed any more.
func (c *Call) letGo(party Address) {
	h := c.move.handover
	c.endHandover()
	c.goOn()
	if !h.alone {
		c.tellCall(h.old, moved{cause: CauseTransferred, text: party.String(), by: c.record.ID})
	}
}

// handoverFailed leaves the conversation as it was. If the old other end has hung
// up meanwhile, it is over.
func (c *Call) handoverFailed(cause Cause, text string) Message {
	h := c.move.handover
	c.endHandover()
	if h.consult != nil && !h.alone {
		c.hold(false)
		c.rejoin()
		c.publish()
	}
	if h.alone {
		c.note(EventTransfer, Data{Cause: cause}, "not transferred: %s, and who asked for it has hung up", cause)
		c.silenceRingback()
		return parted{cause}
	}
	c.note(EventTransfer, Data{Cause: cause}, "not transferred: %s", cause)
	c.tellCall(h.old, moved{cause: cause, text: text, by: c.record.ID})
	return nil
}

func (c *Call) endHandover() {
	if h := c.move.handover; h != nil {
		c.move.handover = nil
		if h.timer != nil {
			h.timer.Stop()
		}
	}
}

// otherLeft takes that a call is over which is perhaps the one at the other end.
// While that is being replaced the party waits, and hears that somebody rings.
func (c *Call) otherLeft(other ID, cause Cause) Message {
	if !c.party.talking || other != c.party.hearer || c.over != "" {
		return nil
	}
	c.goOn()
	c.leaveTalk()
	h := c.move.handover
	switch {
	case h == nil:
		return parted{cause}
	case h.chained != nil:
		h.alone = true
		if !c.lendParty(h.chained) { // it is over too
			c.endHandover()
			return parted{cause}
		}
		return nil
	case h.consult != nil && h.consult.with.Child != (ID{}):
		h.alone = true
		delete(h.ringing, h.consult.with.Child)
		c.handOver(h, h.consult.with)
		return nil
	}
	if !h.alone {
		h.alone, c.party.alerted = true, false
		if err := c.Alert(); err != nil {
			c.log.Debug("ringing tone while a party is transferred", "err", err)
		}
	}
	return nil
}

// childEnded takes the last word of a child.
func (c *Call) childEnded(m ChildEnded) Message {
	delete(c.children, m.Child)
	if rest, mine := c.fromRung(m.Child, m); mine {
		c.settleDuration()
		return rest
	}
	if c.party.talking && m.Child == c.party.hearer {
		return c.otherLeft(m.Child, m.Cause)
	}
	c.settleDuration()
	return m
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
