// SPDX-License-Identifier: MIT

package engine

import "sync"

// mailbox is where a leg tells what happens on it: in the inbox of the call that
// has it, which may become another one.
type mailbox struct {
	leg Leg

	mu sync.Mutex // taken before that of an inbox
	to *inbox
}

// listen makes the mailbox of a leg and has the leg tell everything there.
func listen(leg Leg, to *inbox) *mailbox {
	b := &mailbox{leg: leg, to: to}
	leg.Listen(b.deliver)
	return b
}

func (b *mailbox) deliver(ev LegEvent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.to.put(fromLeg{b.leg, ev})
}

// redirect has the leg tell everything in another inbox from now on. That gets
// first, then what the old one has of the leg and was not looked at, then what
// comes: nothing is lost, and nothing changes its order. It fails if the new one
// is closed, and the leg then stays where it is.
func (b *mailbox) redirect(to *inbox, first Message) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !to.put(first) {
		return false
	}
	for _, m := range b.to.takeOf(b.leg) {
		to.put(m)
	}
	b.to = to
	return true
}

// takeOf takes everything out of the inbox that a leg told.
func (b *inbox) takeOf(leg Leg) []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	var taken, rest []Message
	for _, m := range b.queue {
		if of, ok := m.(fromLeg); ok && of.leg == leg {
			taken = append(taken, m)
		} else {
			rest = append(rest, m)
		}
	}
	b.queue = rest
	return taken
}

// holds says whether something like this waits in the inbox.
func (b *inbox) holds(what func(Message) bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.queue {
		if what(m) {
			return true
		}
	}
	return false
}
