// SPDX-License-Identifier: MIT

package engine

import (
	"fmt"
	"time"

	"github.com/callwright/callwright/directory"
)

// handover replaces the other end of a conversation; for Enter it makes one.
type handover struct {
	old ID // the call at the other end; zero for Enter
	// hunt is for who is rung in its place, until the timer ends it; nil while a place
	// in another conversation is asked for, or a call of its own leads there.
	hunt  *hunt
	timer *time.Timer
	// chained is the call that is to have the party, or has it (lend.go), and name
	// where it is led.
	chained *Call
	name    string
	// consult is set while the old other end talks with the new one first.
	consult *consultation
	// rang says that one is alerted, left that the old one has hung up.
	rang, left bool
}

// enters says that there is nobody to be replaced: an API had the party call somebody of
// the account.
func (h *handover) enters() bool { return h.old.IsZero() }

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

// ringInstead rings a target in place of the other end, or says why not. A party that
// is to go to somebody of the account is led there as the next call of the chain,
// which asks an app like any other; and so is one that was called, of which no app
// knows yet.
func (c *Call) ringInstead(m ringInstead) *DialError {
	if no := c.mayHandOver(m.old); no != nil {
		return no
	}
	if m.target.Address.Same(c.party.talk.with) || m.target.Address.Same(c.record.From) {
		return refuseTransfer(CauseRejected, "%s is in the conversation already", m.target)
	}
	if !c.record.Parent.IsZero() || !m.consult && c.ours(m.target.Address) {
		return c.leadOn(m)
	}
	c.note(EventTransfer, Data{Party: &m.target.Address}, "is being transferred to %s", m.target)
	h := &handover{old: m.old}
	if m.consult {
		c.consult(h)
	}
	from := m.from
	if from.Kind == "" {
		from = c.shown()
	}
	h.hunt = c.newHunt(Hunt{Targets: []Target{m.target}, From: from})
	h.timer = time.AfterFunc(h.hunt.RingTime, func() { c.inbox.put(rungLong{h}) })
	c.move.handover = h
	h.hunt.begin(time.Now())
	return nil
}

// leadOn has the next call of the chain begin, which takes the party over when
// somebody picks up there, or when the old other end hangs up. Who is to be talked
// with first is nobody that an app chooses.
func (c *Call) leadOn(m ringInstead) *DialError {
	if no := c.mayForward(m.target.Address); no != nil {
		return no
	}
	s := c.successor(m.target.Address, m.from)
	if m.consult {
		s.from = directory.Address{}
	}
	next := c.chained(*s)
	if m.consult {
		next.called.destination, next.called.shown, next.line.loan.consult = &m.target.Address, m.from, true
	}
	next.line.loan.from, next.line.loan.ended = c.record.ID, c.ended
	if c.parent != nil { // no app knows of this one, but of the one that leaves
		next.line.loan.ended = c.line.made
	}
	if !c.engine.register(next) {
		return &DialError{Cause: CauseShutdown, Err: ErrDraining}
	}
	c.note(EventTransfer, Data{Party: &m.target.Address, Other: next.record.ID}, "is being transferred to %s, as call %s", m.target, next.record.ID)
	c.move.handover = &handover{old: m.old, chained: next, name: m.target.Address.String()}
	if m.consult {
		c.consult(c.move.handover)
	}
	next.begin(fmt.Sprintf("transferred to %s by call %s", m.target, c.record.ID))
	return nil
}

// rungLong gives up a handover whose targets do not pick up.
func (c *Call) rungLong(h *handover) {
	if c.move.handover == h {
		h.hunt.giveUp(time.Now())
	}
}

// fromRung takes news of a child that is rung in place of the other end, and
// says whether it was of one.
func (c *Call) fromRung(child ID, m Message) (rest Message, mine bool) {
	h := c.move.handover
	if h == nil || !h.hunt.rings(child) || c.over != "" {
		return m, false
	}
	switch m := m.(type) {
	case childRinging:
		if !h.rang {
			h.rang = true
			c.tellCall(h.old, moved{text: "it rings", by: c.record.ID})
			c.consultRings(h)
		}
	case ChildAnswered:
		switch {
		case !h.hunt.mayAnswer(child):
			c.hangUpChild(child, CauseElsewhere)
		case h.consult != nil && !h.left:
			h.timer.Stop()
			h.hunt.chose(m.Child)
			c.consultWith(h, m)
		default:
			c.handOver(h, m)
		}
	case childEnded:
		if h.hunt.ended(m); len(h.hunt.ringing) == 0 {
			return c.handoverFailed(h.hunt.unreached.Cause, "nobody was reached"), true
		}
	}
	return nil, true
}

// handOver connects the party with who picked up, and lets the old other end go.
func (c *Call) handOver(h *handover, m ChildAnswered) {
	h.hunt.chose(m.Child)
	c.silenceRingback()
	if err := c.bridge(m.Child, m.Stream, m.By); err != nil {
		c.log.Error("transfer", "err", err)
	}
	c.note(EventBridged, Data{Party: &m.By, Other: m.Child}, "%s and %s hear each other", c.shown(), m.By)
	c.across(func(other *Call) { other.party.talk.keysTo = ID{} })
	c.letGo(m.By)
	c.answered(m.By, m.Child)
}

// letGo ends a handover: the old other end is not needed any more.
func (c *Call) letGo(party directory.Address) {
	h := c.move.handover
	c.endHandover()
	c.goOn()
	if !h.left {
		c.tellCall(h.old, moved{cause: CauseTransferred, text: party.String(), by: c.record.ID})
	}
}

// handoverFailed leaves the conversation as it was. If the old other end has hung
// up meanwhile, it is over.
func (c *Call) handoverFailed(cause Cause, text string) Message {
	h := c.move.handover
	c.endHandover()
	if h.consult != nil && !h.left {
		c.putBack()
		c.rejoin()
		c.across((*Call).putBack)
	}
	if h.left {
		c.note(EventTransfer, Data{Cause: cause}, "not transferred: %s, and who asked for it has hung up", cause)
		c.silenceRingback()
		return parted{cause}
	}
	c.note(EventTransfer, Data{Cause: cause}, "not transferred: %s", cause)
	c.talkOn()
	c.tellCall(h.old, moved{cause: cause, text: text, by: c.record.ID, tried: true})
	return nil
}

// talkOn notes that a transfer was tried and came to nothing, and tells the app whom
// the party goes on with.
func (c *Call) talkOn() {
	with := c.party.talk.with
	e := c.note(EventBridged, Data{Party: &with, Other: c.party.hearer}, "%s and %s talk on", c.shown(), Target{Address: with})
	if c.record.Parent.IsZero() {
		c.tell(e)
	}
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
		h.left = true
		if !c.lendParty(h.chained) { // it is over too
			c.endHandover()
			return parted{cause}
		}
		return nil
	case h.consult != nil && h.consult.with.Child != (ID{}):
		h.left = true
		c.handOver(h, h.consult.with)
		return nil
	}
	if !h.left {
		h.left, c.party.alerted = true, false
		if err := c.alert(); err != nil {
			c.log.Debug("ringing tone while a party is transferred", "err", err)
		}
	}
	return nil
}

// childEnded takes the last word of a child.
func (c *Call) childEnded(m childEnded) Message {
	if t, ok := c.children[m.Child]; ok {
		c.note(EventTarget, Data{Other: m.Child, Party: &t.Address, Cause: m.Cause}, "%s: %s (call %s)", t, m.Text, m.Child)
	}
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
