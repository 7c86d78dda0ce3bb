// SPDX-License-Identifier: MIT

package engine

import "cmp"

// A call of a chain may begin before it has a party: it is led to somebody while the
// party still talks, or hears that it rings, in the call before, its lender. It gets
// the party when it needs it, because somebody picked up or something is to be
// heard, and it gets it unasked as soon as nobody else talks with the party.
//
//	B -needs→ A    A -handed→ B, A -lent→ B     the lender of a transfer ends as forwarded
//	B -rings→ A    A lets those know who wait for that
//	B -reached→ A  somebody has picked up
//	B -unlent→ A   B is over: without the party, or after it
//	B -relent→ A   the party goes on in C, which owes it to A now
//
// There are two that lend: a call whose other side is transferred (transfer.go), and
// one that an API began (originate.go), which lives on until the last call is over
// that has its party.

// loan is what a call knows of its lender.
type loan struct {
	// from is the lender; zero if the call has had its party from the start.
	from ID
	// entered says that an API had the caller call somebody of the account: the
	// caller is the owner then, and the lender lives on.
	entered bool
	// took says that it has, or had, the party.
	took bool
	// consult says that it gets the party when the other end of the lender has talked
	// with picked, who picked up, and hangs up.
	consult bool
	picked  ChildAnswered
	// ended is closed when the call has ended whose end is told before this one's: one
	// that was forwarded, a lender that ends with what it lends, or where that is a
	// child the one that rang it. It is nil if the lender lives on.
	ended <-chan struct{}
}

// needParty has the call wait for its party, if that is still its lender's.
func (c *Call) needParty() error {
	switch {
	case c.party.leg != nil:
		return nil
	case c.line.loan.from.IsZero():
		return ErrNoSound // it has lent its party itself, or rings it yet
	}
	if c.engine.send(c.line.loan.from, needs{c.record.ID, c.line.loan.picked}) != nil {
		return c.lenderGone()
	}
	// What comes meanwhile, such as the end of who picked up, is for later, but where
	// that one is talked with first.
	c.waiting.depth++
	defer func() { c.waiting.depth-- }()
	m, err := c.Await(c.engine.ctx, func(m Message) bool {
		ended, left := m.(childEnded)
		_, ok := m.(lent)
		return ok || left && c.line.loan.consult && ended.Child == c.line.loan.picked.Child
	})
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case childEnded:
		c.finishWith(m.Cause)
		return &EndedError{Cause: c.over}
	case lent:
		if m.refused {
			return c.lenderGone()
		}
	}
	return nil
}

// lenderGone ends a call whose party hung up before it had it.
func (c *Call) lenderGone() error {
	cause := CauseCancelled
	if c.record.AnsweredBy != nil {
		cause = CauseNormal
	}
	c.finishWith(cause)
	return &EndedError{Cause: c.over}
}

// borrower is the call that is to have the party, if it is this one.
func (c *Call) borrower(id ID) *Call {
	if h := c.move.handover; h != nil && h.chained != nil && h.chained.timeline.call == id && c.over == "" {
		return h.chained
	}
	return nil
}

// handleLending does what a message of a borrower asks of the call, and gives what
// is left of it for the program, or nil.
func (c *Call) handleLending(m Message) Message {
	switch m := m.(type) {
	case needs:
		c.needed(m)
	case rings:
		c.borrowerRings(m)
	case reached:
		switch {
		case c.borrower(m.by) == nil:
		case c.move.handover.enters():
			c.answered(m.party, m.by)
		case c.line.loan.entered:
			c.tellCall(c.line.loan.from, reached{by: c.record.ID, party: m.party})
		}
	case relent:
		c.relent(m)
	case unlent:
		if c.borrower(m.by) == nil {
			return nil
		}
		if c.move.handover.enters() {
			return m // to Enter
		}
		return c.handoverFailed(m.cause, "nobody was reached")
	default:
		return m
	}
	return nil
}

// needed gives the party to the call that asks for it, or says that it does not; while
// the other end is to talk first with who is there, neither.
func (c *Call) needed(m needs) {
	b := c.borrower(m.to)
	switch {
	case b == nil:
	case c.move.handover.consult != nil && !m.picked.Child.IsZero():
		c.consultWith(c.move.handover, m.picked)
		return
	case c.move.handover.consult == nil && c.lendParty(b):
		return
	}
	c.tellCall(m.to, lent{refused: true})
}

// borrowerRings lets those know who wait for it that somebody rings.
func (c *Call) borrowerRings(m rings) {
	h := c.move.handover
	switch {
	case c.borrower(m.by) == nil:
	case !h.enters():
		c.tellCall(h.old, moved{text: "it rings", by: c.record.ID})
		c.consultRings(h)
	default:
		if err := c.alert(); err != nil {
			c.log.Debug("ringing tone", "err", err)
		}
	}
}

// lendParty hands the party over to a call that was made to have it.
func (c *Call) lendParty(to *Call) bool {
	h := c.move.handover
	if c.party.leg == nil || c.party.gone != nil {
		return false
	}
	if !c.handLeg(to) {
		c.rejoin() // it is over, and says so in a moment
		return false
	}
	to.inbox.put(lent{})
	c.publish()
	if h.enters() {
		return true
	}
	c.endHandover()
	if !h.left {
		c.tellCall(h.old, moved{cause: CauseTransferred, text: h.name, by: c.record.ID})
	}
	c.finishWith(CauseForwarded)
	return true
}

// passLoan has the call that got the party owe it to the lender of this one, if that
// lives on.
func (c *Call) passLoan(to *Call) {
	loan := &c.line.loan
	if !loan.entered {
		return
	}
	if c.engine.send(loan.from, relent{by: c.record.ID, to: to}) != nil {
		to.inbox.put(hangUp{cause: CauseCancelled}) // nobody else knows of it
	}
	loan.from, loan.entered = ID{}, false
}

// relent takes that another call has the party now.
func (c *Call) relent(m relent) {
	if c.borrower(m.by) == nil { // this one is over, and hung up the one before
		c.tellCall(m.to.timeline.call, hangUp{cause: cmp.Or(c.over, CauseCancelled)})
		return
	}
	c.move.handover.chained = m.to
}

// rejoin has the party and the call at the other end hear each other again.
func (c *Call) rejoin() {
	stream := c.Stream()
	c.across(func(other *Call) {
		other.silenceRingback()
		other.party.talk.keysTo = ID{}
		// One that is gone hears nobody.
		_ = other.engine.config.Sound.Bridge(other.Stream(), stream)
	})
}

// awaitLender waits until the call has ended whose end is told before this one's, if
// that does with what was handed over. It takes no longer than a phone may take to
// hang up.
func (c *Call) awaitLender() {
	if c.line.loan.took && c.line.loan.ended != nil {
		<-c.line.loan.ended
	}
}

// hangUpBorrower ends the call that had, or was to have, the party of this one, which
// is over: its end is told before that one's.
func (c *Call) hangUpBorrower(h *handover) {
	if h == nil || h.chained == nil {
		return
	}
	end := hangUp{cause: CauseNormal, asParty: true}
	if c.party.leg == nil { // that one has it
		end = hangUp{cause: c.over}
	}
	c.tellCall(h.chained.timeline.call, end)
}

// returnParty says that the call is over to the one that it has, or was to have, its
// party of.
func (c *Call) returnParty() {
	if !c.line.loan.from.IsZero() {
		c.tellCall(c.line.loan.from, unlent{by: c.record.ID, cause: c.over})
	}
}
