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
	// asked is what the party asked for, until it is known what came of it.
	asked *LegReferred
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
		c.ringInstead(m)
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
		return m
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
		c.answerReferral(ev, err.Cause, err.Error())
		return
	}
	c.move.asked = &ev
	if c.engine.send(c.party.hearer, order) != nil {
		c.move.asked = nil
		c.answerReferral(ev, CauseCancelled, "the other side has hung up")
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
func (c *Call) answerReferral(ev LegReferred, cause Cause, text string) {
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
	if t, ok := c.party.leg.(Transfer); ok {
		t.Notify(ev.ID, status, phrase)
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

// ringInstead rings a target in place of the other end.
func (c *Call) ringInstead(m ringInstead) {
	if no := c.mayHandOver(m.old); no != nil {
		c.tellCall(m.old, moved{cause: no.Cause, text: no.Error(), by: c.record.ID})
		return
	}
	c.note(EventTransfer, Data{Party: &m.target.Address}, "is being transferred to %s", m.target)
	h := &handover{old: m.old, ringing: map[ID]bool{}}
	h.timer = time.AfterFunc(handoverTime, func() { c.inbox.put(rungLong{h}) })
	c.move.handover = h
	for _, place := range c.Places([]Target{m.target}) {
		h.ringing[c.Ring(place, c.shown())] = true
	}
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
		}
	case ChildAnswered:
		if !h.late {
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
	c.letGo(m.By)
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
	if h == nil {
		return parted{cause}
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
