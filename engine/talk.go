// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"slices"

	"github.com/callwright/callwright/directory"
)

// Talk is a conversation as an API shows it: a call of which both sides have
// picked up.
type Talk struct {
	ID ID
	// Muted says that the owner is not heard, Held that nobody hears anybody,
	// Recording that it is being recorded.
	Muted, Held, Recording bool
	// Participants are its parties, each with the id of its call.
	Participants []Participant
}

// Participant is one party of a Talk.
type Participant struct {
	ID      ID
	Address directory.Address
	Muted   bool
	Held    bool
	// Owner is the account's own User in it: of a call that came in the one who
	// picked up, of any other the one who called. A call that was sent on to
	// somebody outside has none.
	Owner bool
}

// standing is what others may know of a Call without asking its goroutine. It is
// never changed, but replaced.
type standing struct {
	account string
	// own says that it is no child: an app may name it.
	own  bool
	talk *Talk // nil unless it is in a conversation
}

// AccountOf gives whose call it is that lives. The error is ErrNoCall, also for the
// targets of another call, which no app knows.
func (e *Engine) AccountOf(id ID) (string, error) {
	c := e.find(id)
	if c == nil {
		return "", ErrNoCall
	}
	if now := c.standing.Load(); now.own {
		return now.account, nil
	}
	return "", ErrNoCall
}

// Talks gives the conversations of an account, the oldest first. A party that was
// transferred to somebody goes on by the id of its own call, and a caller that an API
// had call somebody of the account by the id that the API was given. Where two calls
// that came by themselves were joined, each of them is shown, else the one that an
// app knows.
func (e *Engine) Talks(account string) []Talk {
	e.mu.Lock()
	defer e.mu.Unlock()
	talks := []Talk{}
	for _, c := range e.calls {
		if now := c.standing.Load(); now.own && now.talk != nil && now.account == account {
			talks = append(talks, *now.talk)
		}
	}
	slices.SortFunc(talks, func(a, b Talk) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return talks
}

// publish has others know how the call stands.
func (c *Call) publish() {
	now := &standing{account: c.record.Account, own: c.parent == nil}
	if c.party.talking && !c.party.hearer.IsZero() && c.over == "" && now.own && !c.party.talk.shown {
		now.talk = c.talk()
	}
	c.standing.Store(now)
}

func (c *Call) talk() *Talk {
	here, there := c.owners()
	talk, self := c.party.talk, c.shown()
	if by := c.record.AnsweredBy; by != nil && !c.record.Parent.IsZero() {
		self = c.numberOf(*by)
	}
	id := c.record.ID
	if c.line.loan.entered {
		id = c.line.loan.from
	}
	return &Talk{
		ID: id, Muted: talk.muted, Held: talk.held, Recording: c.party.tapes.running(),
		Participants: []Participant{
			{ID: id, Address: self, Muted: talk.muted && here, Held: talk.held, Owner: here},
			{ID: c.party.hearer, Address: c.numberOf(talk.with), Muted: talk.muted && there, Held: talk.held, Owner: there},
		},
	}
}

// owners says which party of the conversation is the owner, if one is.
func (c *Call) owners() (here, there bool) {
	there = c.party.talk.with.Kind == directory.KindUser
	here = c.user().ID != ""
	if here && there { // both are: the one who was called, unless a user called out or an API had it call
		here = c.record.Direction == Out && c.record.Parent.IsZero() || c.line.loan.entered
		there = !here
	}
	return here, there
}

// owner is the User who is the owner of the conversation, if one is.
func (c *Call) owner() directory.User {
	switch here, there := c.owners(); {
	case here:
		return c.user()
	case there:
		u, _ := c.engine.directory.User(c.record.Account, userID(c.party.talk.with))
		return u
	}
	return directory.User{}
}

// numberOf is a party as others see it: a User by the number at which it was
// reached, if it has one.
func (c *Call) numberOf(a directory.Address) directory.Address {
	if a.Number != "" {
		return directory.Address{Kind: directory.KindNumber, Value: a.Number, Name: a.Name}
	}
	return c.callerID(a)
}

// callerID is a party as those see it whom it calls.
func (c *Call) callerID(a directory.Address) directory.Address {
	if u, ok := c.engine.directory.User(c.record.Account, userID(a)); ok {
		shown := c.engine.directory.Shown(u)
		shown.Name = cmp.Or(a.Name, shown.Name)
		return shown
	}
	return a
}
