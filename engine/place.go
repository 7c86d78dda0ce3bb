// SPDX-License-Identifier: MIT

package engine

import (
	"context"

	"github.com/callwright/callwright/directory"
)

// joinInstead has the party take the place of a call in another conversation.
func (c *Call) joinInstead(m joinInstead) {
	no := c.mayHandOver(m.old)
	if no == nil {
		c.note(EventTransfer, Data{Other: m.place}, "is being transferred into call %s", m.place)
		c.move.handover = &handover{old: m.old}
		if c.engine.send(m.place, c.asks()) == nil {
			return
		}
		c.endHandover()
		no = refuseTransfer(CauseNotFound, "the call that it is to join is over")
	}
	c.tellCall(m.old, moved{cause: no.Cause, text: no.Error(), by: c.record.ID})
}

// asks is what the call asks another for whose place it is to take.
func (c *Call) asks() yield {
	return yield{to: c.record.ID, account: c.record.Account, stream: c.Stream(), party: c.self()}
}

// yield gives the place that the party has in a conversation, or that it has
// while it rings, to another call.
func (c *Call) yield(m yield) {
	refuse := func(cause Cause, text string) { c.tellCall(m.to, met{refused: cause, text: text}) }
	switch {
	case c.over != "" || m.account != c.record.Account:
		refuse(CauseNotFound, "the call whose place it is to take is over")
	case c.urgent():
		refuse(CauseForbidden, "nobody takes the place of an emergency call")
	case c.parent != nil && !c.Answered():
		c.note(EventTransfer, Data{Other: m.to, Party: &m.party}, "%s takes the call", m.party)
		c.tellCall(m.to, met{other: c.record.Parent, party: c.record.From, chain: c.record.Chain, adopter: c.parent})
	case !c.party.talking || c.move.leaving() || c.move.handover != nil:
		refuse(CauseRejected, "the call whose place it is to take is not in a conversation, or in a transfer")
	case c.engine.send(c.party.hearer, meet{old: c.record.ID, yield: m}) != nil:
		refuse(CauseNotFound, "the call whose place it is to take is ending")
	default:
		c.move.yielding = true
	}
}

// meet has the party hear another call in place of the one at the other end.
func (c *Call) meet(m meet) Message {
	if no := c.mayHandOver(m.old); no != nil {
		c.tellCall(m.to, met{refused: no.Cause, text: no.Error()})
		c.tellCall(m.old, moved{cause: no.Cause, text: no.Error(), by: c.record.ID})
		return nil
	}
	c.silenceRingback()
	if err := c.bridge(m.to, m.stream, m.party); err != nil {
		c.log.Error("transfer", "err", err)
	}
	c.note(EventBridged, Data{Party: &m.party, Other: m.to}, "%s and %s hear each other", c.shown(), m.party)
	c.party.talk.shown = !c.record.Parent.IsZero()
	c.goOn()
	c.tellCall(m.old, moved{cause: CauseTransferred, text: m.party.String(), by: c.record.ID})
	if c.engine.send(m.to, met{other: c.record.ID, party: c.self(), chain: c.record.Chain, known: c.record.Parent.IsZero()}) != nil {
		return parted{CauseNormal}
	}
	if c.record.Parent.IsZero() {
		c.answered(m.party, m.to)
	}
	return nil
}

// met takes what came of asking for a place: it ends the handover, or is what a
// call waits for that is to take a place.
func (c *Call) met(m met) Message {
	switch h := c.move.handover; {
	case c.over != "":
		if m.refused == "" && m.adopter == nil {
			c.tellCall(m.other, left{c.record.ID, c.over})
		}
		return nil
	case h == nil || h.chained != nil:
		return m
	case m.refused != "":
		return c.handoverFailed(m.refused, m.text)
	case m.adopter != nil:
		return c.handoverFailed(CauseRejected, "the call that it is to join still rings")
	}
	c.silenceRingback()
	c.hears(m.other, m.party)
	c.note(EventBridged, Data{Party: &m.party, Other: m.other}, "%s and %s hear each other", c.shown(), m.party)
	c.party.talk.shown = m.known && !c.record.Parent.IsZero()
	c.letGo(m.party)
	if c.record.Parent.IsZero() {
		c.answered(m.party, m.other)
	}
	return nil
}

// standIn is the life of a call that came to take the place of another (RFC
// 3891). No app is asked: it is the other's conversation.
func (c *Call) standIn(old ID) {
	stop := c.limitDuration()
	defer stop()
	c.save(EventIncoming, Data{Party: &c.record.From, Other: old}, "call from %s in place of call %s", c.record.From, old)
	ctx := c.engine.ctx
	c.settle(ctx, guarded(func() error { return c.takePlace(ctx, old) }))
	c.close("")
}

func (c *Call) takePlace(ctx context.Context, old ID) error {
	if c.engine.send(old, c.asks()) != nil {
		return refuseTransfer(CauseNotFound, "call %s is over", old)
	}
	answer, err := c.Await(ctx, func(m Message) bool { _, ok := m.(met); return ok })
	if err != nil {
		return err
	}
	m := answer.(met)
	if m.refused != "" {
		c.Complain(Problem{Sentence: m.text})
		return refuseTransfer(m.refused, "%s", m.text)
	}
	c.record.Chain, c.record.AnsweredBy = m.chain, &m.party
	c.party.talking = true
	c.hears(m.other, m.party)
	if err := c.pickUp(); err != nil {
		return err
	}
	c.parent = m.adopter
	c.publish()
	c.save(EventAnswered, Data{Party: &m.party, Other: m.other}, "takes the place of call %s, talking with %s", old, m.party)
	if m.adopter != nil {
		news := ChildAnswered{Child: c.record.ID, Stream: c.Stream(), By: c.record.From}
		if u := c.user(); u.ID != "" { // a user is told as one, whatever number it shows
			news.By = u.Address()
		}
		if !m.adopter.put(adopted{old: old, ChildAnswered: news}) {
			return refuseTransfer(CauseCancelled, "the caller has hung up")
		}
	}
	cause, err := c.Converse(ctx)
	if err == nil {
		c.finishWith(cause)
	}
	return err
}

// adopt takes a call that picked up in place of a child, as a child that did.
func (c *Call) adopt(m adopted) Message {
	if m.By.Kind == directory.KindUser { // it picks up what was to reach the other
		m.By.Number = c.children[m.old].Address.Number
	}
	c.children[m.Child] = Target{Address: m.By}
	if c.over != "" {
		c.hangUpChild(m.Child, c.over)
		return nil
	}
	m.For = m.old
	if h := c.move.handover; h != nil && h.hunt.rings(m.old) {
		instead := *h.hunt.ringing[m.old]
		h.hunt.ringing[m.Child] = &instead
	}
	rest, _ := c.fromRung(m.Child, m.ChildAnswered)
	return rest
}

// user is the User whom the call's party is, if it is one of the account.
func (c *Call) user() directory.User {
	id := c.record.Caller
	if by := c.record.AnsweredBy; !c.record.Parent.IsZero() {
		id = ""
		if by != nil && by.Kind == directory.KindUser {
			id = by.Value
		}
	}
	u, _ := c.engine.directory.User(c.record.Account, id)
	return u
}

// self is the call's party as the app is told who answered: who picked up, or who
// called.
func (c *Call) self() directory.Address {
	if by := c.record.AnsweredBy; by != nil && !c.record.Parent.IsZero() {
		return *by
	}
	return c.shown()
}

// shown is the call's party as others see it when they are connected with it.
func (c *Call) shown() directory.Address {
	if c.record.Parent.IsZero() || c.record.AnsweredBy == nil {
		return c.record.From
	}
	if u := c.user(); u.ID != "" {
		return c.engine.directory.Shown(u)
	}
	return *c.record.AnsweredBy
}

// mayReach finds whom a party may have called that does not dial itself (REFER,
// 3xx): a User whom it could dial, and who is reached by a trunk only who and
// what is of the account. An address elsewhere is never called.
func (c *Call) mayReach(by directory.User, dialled string) (Target, *DialError) {
	d, account := c.engine.directory, c.record.Account
	if by.ID != "" {
		if to, _, ok := d.Dialled(by, dialled); ok {
			return Target{Address: to}, nil
		}
		return Target{}, refuseTransfer(CauseNotFound, "%q is no user, group or number that %s could dial", dialled, by.ID)
	}
	if to, ok := d.Party(account, dialled); ok {
		return Target{Address: to}, nil
	}
	if _, ok := d.OwnNumber(account, directory.NormalizeNumber(dialled)); ok {
		return Target{Address: directory.NumberAddress(dialled)}, nil
	}
	return Target{}, refuseTransfer(CauseForbidden,
		"%q is no user, group or number of the account, and who is reached by a trunk is not sent anywhere else", dialled)
}
