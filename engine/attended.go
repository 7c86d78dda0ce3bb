// SPDX-License-Identifier: MIT

package engine

// An attended transfer by an API: X and the owner O talk, and O is to talk with
// somebody else, T, before X does. The call of X carries it out: it rings T as its
// child. Where X was called by O, and no app knows of it, it is the next call of the
// chain that rings T, as in every transfer of such a party (lend.go); it gets X when O
// hangs up.
//
//	            X hears      O hears    T hears
//	T rings     hold tone    ringing
//	T talks     hold tone    T          O
//	O hangs up  T                       X          the transfer is done
//	T refuses,  O            X                     as it was
//	or hangs up
//	X hangs up                                     all of it is over
//
// If O hangs up while T rings, X waits for T. The keys of O and T go to each other.

// consultation is what O and T have of each other.
type consultation struct {
	// with is T once it has picked up.
	with ChildAnswered
}

// consulting says that the owner of the conversation is in a consultation.
func (c *Call) consulting() bool {
	h, asked := c.move.handover, c.move.asked
	return h != nil && h.consult != nil || asked != nil && asked.consult
}

// consult begins a consultation: the party waits, and the owner is to be heard and to
// hear.
func (c *Call) consult(h *handover) {
	h.consult = &consultation{}
	c.setAside(true)
	c.across(func(other *Call) { other.setAside(false) })
}

// setAside undoes what an API made of the conversation, until putBack.
func (c *Call) setAside(hold bool) {
	talk := &c.party.talk
	talk.aside = talk.made
	c.hold(hold)
	if talk.hushed {
		c.mute(false)
	}
	talk.muted = false
	c.publish()
}

// putBack makes of the conversation what it was before setAside.
func (c *Call) putBack() {
	talk := &c.party.talk
	was := talk.aside
	talk.aside = made{}
	c.hold(was.held)
	if was.hushed {
		c.mute(true)
	}
	talk.muted = was.muted
	c.publish()
}

// consultRings lets the other end hear that somebody rings.
func (c *Call) consultRings(h *handover) {
	if h.consult == nil || h.left {
		return
	}
	c.across(func(other *Call) {
		other.party.alerted = false
		if err := other.alert(); err != nil {
			other.log.Debug("ringing tone for a consultation", "err", err)
		}
	})
}

// consultWith lets the other end talk with who picked up.
func (c *Call) consultWith(h *handover, m ChildAnswered) {
	h.consult.with = m
	c.note(EventTransfer, Data{Party: &m.By, Other: m.Child}, "%s talks with %s first", c.party.talk.with, m.By)
	const consults = "one of both talks with another one"
	c.giveUpTape()
	c.endTape(consults)
	c.across(func(other *Call) {
		other.giveUpTape()
		other.endTape(consults)
		other.silenceRingback()
		other.party.talk.keysTo = m.Child
		// One that is gone hears nobody; its end is on its way.
		_ = other.engine.config.Sound.Bridge(other.Stream(), m.Stream)
	})
	old := c.party.hearer
	c.tellCall(m.Child, command{result: make(chan error, 1), do: func(new *Call) error {
		new.party.talk.keysTo = old
		return nil
	}})
}
