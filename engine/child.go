// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/callwright/callwright/directory"
)

// ringChild makes a child Call to a target, shown as from, and begins to ring it.
// What becomes of it arrives as childRinging, ChildAnswered and, always and
// last, childEnded.
//
// Who handsUp is not followed when it sends the call on, but ends with CauseForwarded
// and says where to. A call that was forwarded too often is not
// sent on any more.
func (c *Call) ringChild(target Target, from directory.Address, handsUp bool) ID {
	child := c.engine.newCall(Record{
		ID: NewID(), Chain: c.record.Chain, Parent: c.record.ID, Account: c.record.Account, App: c.record.App,
		Direction: Out, From: from, To: target.Address, Diversion: c.record.Diversion,
	})
	if !c.record.Parent.IsZero() { // who was called is not the one that was diverted to us
		child.record.Diversion = ""
	}
	child.parent, child.line.hops, child.called.emergency = c.inbox, c.line.hops-1, c.engine.directory.Emergency(target.Address)
	child.line.steps, child.line.handsUp, child.line.made = c.line.steps, handsUp && c.line.steps < mostDiversions && !c.line.loan.consult, c.ended
	child.app.outbox = c.app.outbox
	c.children[child.record.ID] = target
	request := DialRequest{
		Account: c.record.Account, Target: target, From: from, Diversion: child.record.Diversion, Near: c.Stream(),
		MaxForwards: child.line.hops, Headers: c.line.headers,
	}
	c.note(EventOutgoing, Data{Other: child.record.ID, Party: &target.Address}, "ring %s", target)
	registered := c.engine.register(child)
	c.engine.goroutines.Go(func() {
		if !registered {
			child.finishWith(CauseShutdown)
			child.close(ErrDraining.Error())
			return
		}
		child.ring(request)
	})
	return child.record.ID
}

// User finds a User of the call's account.
func (c *Call) User(id string) (directory.User, bool) {
	return c.engine.directory.User(c.record.Account, id)
}

// Language is what is spoken to somebody who comes to a User, or to nobody in
// particular.
func (c *Call) Language(u directory.User) string { return cmp.Or(u.Language, c.engine.config.Language) }

// urgent says that the call goes to an emergency service, or that one is among its
// children. That one was rung in vain is no reason to spare a call its limits.
func (c *Call) urgent() bool {
	urgent := c.called.emergency
	for _, t := range c.children {
		urgent = urgent || c.engine.directory.Emergency(t.Address)
	}
	return urgent
}

// maxForwards is how many hops a call may take that says nothing of it (RFC 3261
// section 8.1.1.6).
const maxForwards = 70

// mostPlaces is how many phones one Dial may ring.
const mostPlaces = 30

// places gives what is rung when targets are dialled, each place once: each
// phone of a User, each of a Group's Users but the caller's own, the Users of a
// Number of ours. A User who is nowhere, and anybody else, is left to the Dialer.
func (c *Call) places(targets []Target) []Target {
	var places []Target
	for _, t := range targets {
		for _, place := range c.placesOf(t) {
			place.Delay, place.Timeout = t.Delay, t.Timeout
			if !slices.ContainsFunc(places, place.same) {
				places = append(places, place)
			}
		}
	}
	if len(places) > mostPlaces {
		c.Complain(Problem{Sentence: fmt.Sprintf("%d phones would ring; only the first %d do", len(places), mostPlaces)})
		places = places[:mostPlaces]
	}
	return places
}

// same says whether two targets are one place.
func (t Target) same(o Target) bool {
	return t.Contact == o.Contact && (t.Contact != "" || t.Address.Same(o.Address))
}

func (c *Call) placesOf(t Target) []Target {
	d, account := c.engine.directory, c.record.Account
	var users []directory.User
	number := "" // that rings them all
	switch t.Address.Kind {
	case directory.KindUser:
		return c.phones(t)
	case directory.KindGroup:
		users = d.Members(account, t.Address.Value)
	case directory.KindNumber:
		if n, ok := d.OwnNumber(account, t.Address.Value); ok {
			users, number = d.UsersOf(n), t.Address.Value
		}
	}
	var places []Target
	for _, u := range users {
		if u.ID != c.record.Caller {
			a := u.Address()
			a.Number = number
			places = append(places, c.phones(Target{Address: a})...)
		}
	}
	if len(places) == 0 {
		return []Target{t}
	}
	return places
}

// phones gives the places of a User, or the User if there are none.
func (c *Call) phones(t Target) []Target {
	u, ok := c.User(t.Address.Value)
	if !ok {
		return []Target{t} // it may have been here once, and its phones still be
	}
	if t.Address.Number == "" {
		t.Address = c.engine.directory.AtOwnNumber(u)
	}
	contacts := c.engine.config.Location.Contacts(c.record.Account, t.Address.Value)
	if len(contacts) == 0 {
		return []Target{t}
	}
	places := make([]Target, len(contacts))
	for i, contact := range contacts {
		places[i] = Target{Address: t.Address, Contact: contact}
	}
	return places
}

// ring is the life of a child: it rings, is perhaps picked up, and ends.
func (c *Call) ring(request DialRequest) {
	c.save(EventOutgoing, Data{Party: &c.record.From}, "ring %s as %s", request.Target, request.From)
	err := guarded(func() error { return c.reach(request) })
	c.engine.toll.end(c.record.ID)
	c.settle(c.engine.ctx, err)
	c.close(reason(err))
}

// mayRing says whether a target may be rung. A number of ours that rings nobody
// must not leave by a trunk: it would come back. Nor may a call be passed on for
// ever.
func (c *Call) mayRing(t Target) error {
	if c.line.hops <= 0 && !c.engine.directory.Emergency(t.Address) {
		return &DialError{Cause: CauseLoop, Err: fmt.Errorf(
			"%s is not rung: the call has been passed on as often as it may (Max-Forwards); look for a number that leads back to itself", t)}
	}
	if c.engine.busy.is(c.record.Account, t.Address) {
		return &DialError{Cause: CauseBusy, Err: fmt.Errorf("%s is in a call, and has busy_on_busy", t)}
	}
	if t.Contact != "" || t.Address.Kind != directory.KindNumber || c.engine.directory.Emergency(t.Address) {
		return nil
	}
	if n, ok := c.engine.directory.InsideNumber(c.record.Account, t.Address.Value); ok {
		sentence := "%s is a number of this server, and no phone is registered for it"
		if n.Account != c.record.Account {
			sentence = "%s is a number of another account of this server, which a document cannot ring"
		}
		return &DialError{Cause: CauseOffline, Err: fmt.Errorf(sentence, t.Address.Value)}
	}
	if no := c.mayLeave(t.Address); no != nil {
		return no
	}
	return nil
}

// report tells the parent how the leg is doing, by which a party is rung.
func (c *Call) report(m Message, to directory.Address) {
	stream := c.Stream()
	switch m := m.(type) {
	case legAlerted:
		news := alerted{status: m.Status, sound: m.Sound}
		if news == c.party.news {
			return // carriers repeat themselves while it rings
		}
		first := c.party.news == (alerted{})
		c.party.news = news
		c.note(EventRinging, Data{Status: m.Status, Party: &to}, "%s is ringing", to)
		c.parent.put(childRinging{Child: c.record.ID, Sound: m.Sound, Stream: stream, By: to, First: first})
	case legAnswered:
		now := time.Now()
		c.record.Trunk = c.party.leg.Info().Trunk
		if c.record.Trunk != "" && !c.engine.directory.Emergency(to) {
			c.engine.toll.begin(c.record.ID)
		}
		c.party.talking, c.party.sound = true, true
		c.hears(c.record.Parent, c.record.From)
		c.record.State, c.record.AnsweredAt, c.party.up = StateAnswered, &now, true
		c.record.AnsweredBy = &to
		c.engine.busy.begin(c.record.ID, c.record.Account, userID(to))
		c.save(EventAnswered, Data{Party: &to}, "%s picked up", to)
		c.parent.put(ChildAnswered{Child: c.record.ID, Stream: stream, By: to})
	}
}

// hangUpChild ends a child that is still there.
func (c *Call) hangUpChild(child ID, cause Cause) {
	c.tellCall(child, hangUp{cause: cause})
}

// Connect answers the call, if it is not, and has its party and the child that
// picked up hear each other; Converse stays in that conversation. The app is told
// who answered. A child that has hung up meanwhile is no failure: its end is on
// its way.
func (c *Call) Connect(answered ChildAnswered) error {
	target := c.children[answered.Child]
	if answered.By != target.Address { // it sent the call on
		target = Target{Address: answered.By}
		c.children[answered.Child] = target
	}
	by := target.Address
	borrows := c.party.leg == nil // what its app is told comes before the end of its lender
	if borrows {
		c.line.loan.picked = answered
		c.answered(by, answered.Child)
	}
	if err := c.pickUp(); err != nil {
		return err
	}
	c.silenceRingback()
	if err := c.bridge(answered.Child, answered.Stream, by); err != nil {
		return err
	}
	c.party.talking = true
	if c.line.loan.consult {
		c.across(func(other *Call) { other.party.talk.keysTo = ID{} })
	}
	if !borrows {
		c.answered(by, answered.Child)
	}
	c.publish()
	c.note(EventBridged, Data{Party: &by, Other: answered.Child}, "%s and %s hear each other", c.record.From, target)
	c.catchUp()
	c.endedMeanwhile(answered.Child)
	return nil
}

// answered notes who picked up, and tells the app.
func (c *Call) answered(by directory.Address, other ID) {
	now := time.Now()
	if c.record.AnsweredAt == nil {
		c.record.State, c.record.AnsweredAt = StateAnswered, &now
	}
	c.record.AnsweredBy = &by
	who := Target{Address: by}.String()
	if by.Kind == directory.KindVoicemail {
		who = "voicemail of " + who
	}
	e := c.save(EventAnswered, Data{Party: &by, Other: other}, "%s answered", who)
	if c.parent == nil {
		c.tell(e)
	}
	if !c.line.loan.from.IsZero() {
		c.tellCall(c.line.loan.from, reached{by: c.record.ID, party: by})
	}
}

// endedMeanwhile finds the end of a child that came while the call waited for its party.
func (c *Call) endedMeanwhile(child ID) {
	for i, m := range c.waiting.stash {
		if ended, ok := m.(childEnded); ok && ended.Child == child {
			c.waiting.stash[i] = parted{ended.Cause}
		}
	}
}
