// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/callwright/callwright/directory"
)

// A call is forwarded when its leg goes on as the next Call of its chain; it is sent
// on (diverted) when a target that rings names another, and transferred when a party
// in a conversation is put through to somebody else.
//
// A forward has a caller go on as another Call. The one that it was so far ends
// with CauseForwarded, and not its leg: that is handed to the next Call of the
// chain, which asks its app like any other that came in, and is led to its
// Destination where the app leaves it to the account settings. Each Call stays the
// record of one attempt, with its own id, app and end.
//
//	a rule, a single phone's 302:  A -chained→ B, A -handLeg→ B, then B begins
//
// A call of a chain may also begin before it has a leg, and get that later: it is
// made by chained, registered and begun, and handLeg, on the goroutine of the call
// that has the leg, gives it to it as handed at any time.
//
// A 302 of one phone among several is followed inside that child (divert.go).

// lineage is what a call knows of those of its chain that were before it.
type lineage struct {
	// before is the call as which the party came so far; zero for a fresh one.
	before ID
	// steps is how many forwards and transfers led here, and passed are the
	// Numbers whose settings did.
	steps  int
	passed []string
	// hops is how many the call may still take, headers are the X- headers that the
	// party came with.
	hops    int
	headers []Header
	// loan is whose party it has, or is to have.
	loan loan
	// since is when the first call of the chain began.
	since time.Time
	// told is closed when the app was told of the end of the call before; nil if
	// this one does not wait for that. next is that of the call behind.
	told, next chan struct{}
	// made is of a child the end of the call that rang it. handsUp says that nobody
	// rings beside it, and that it ends when the call is sent on; sentTo is then where
	// to.
	made    <-chan struct{}
	handsUp bool
	sentTo  directory.Address
}

// called is what a call is for.
type called struct {
	// number is the Number of ours, if it is for one, and users whom it concerns.
	number directory.Number
	users  []directory.User
	// destination is where a call of a chain is led, whatever its number's
	// settings say; nil leaves it to them.
	destination *directory.Address
	// shown is who it is shown as when it is led there; zero is the caller.
	shown directory.Address
	// dialled is what a User dialled who made the call.
	dialled string
	// inward says that an API began it, to somebody of the account.
	inward bool
	// emergency says that it goes to an emergency service.
	emergency bool
}

// tellPatience is how long the app is not asked about a call because it is still
// being told of the end of the one before. With a server that hangs, what was
// promised is that the caller does not wait for it.
const tellPatience = 3 * time.Second

// handed gives a call the leg of another: party is what is known of it, token the
// last that was given to a play on it, lender the call that lent it and lives on.
type handed struct {
	party  party
	token  uint64
	lender ID
}

func (handed) message() {}

// forward hands the leg to the next call of the chain and ends this one. It gives
// an *EndedError, or a *DialError that says why the call is not forwarded.
func (c *Call) forward(ctx context.Context, s succession) error {
	ends := func(m Message) bool {
		told, of := m.(fromLeg)
		_, ended := told.event.(LegEnded)
		_, hungUp := m.(hangUp)
		return of && ended && told.leg == c.party.leg || hungUp
	}
	if c.over != "" || c.inbox.holds(ends) { // it is no call to be forwarded any more
		_, err := c.Await(ctx, func(Message) bool { return false })
		return err
	}
	if s.destination.Kind == directory.KindVoicemail && s.destination.Value == "" {
		s.destination.Value = c.Box()
	}
	to := s.destination
	no := c.mayForward(to)
	if !c.record.Parent.IsZero() {
		no = refuseTransfer(CauseForbidden, "a call that was made is not forwarded")
	}
	if no != nil {
		c.note(EventTransfer, Data{Cause: no.Cause, Party: &to}, "is not forwarded to %s: %s", words(to), no)
		return no
	}
	if err := c.needParty(); err != nil {
		return err
	}
	next := c.chained(s)
	next.line.told, next.line.loan.ended = make(chan struct{}), c.ended
	if !c.engine.register(next) {
		return &DialError{Cause: CauseShutdown, Err: ErrDraining}
	}
	c.line.next = next.line.told
	c.hangUpChildren(CauseForwarded)
	c.note(EventTransfer, Data{Party: &to, Other: next.record.ID}, "is forwarded to %s as call %s: %s", words(to), next.record.ID, s.why)
	if c.line.loan.entered { // an API knows it by the lender's id, which stays
		next.ahead, c.ahead = c.ahead, ahead{}
	}
	c.handLeg(next)
	c.finishWith(CauseForwarded)
	next.begin(fmt.Sprintf("forwarded to %s by call %s", words(to), c.record.ID)) //nolint:contextcheck // it lives in its own time
	return &EndedError{Cause: c.over}
}

// words names where a call is led.
func words(to directory.Address) string {
	if to.Kind == directory.KindVoicemail {
		return "the voicemail of " + to.String()
	}
	return to.String()
}

// mayForward says why the call cannot be forwarded there, or nil.
func (c *Call) mayForward(to directory.Address) *DialError {
	switch {
	case c.urgent():
		return refuseTransfer(CauseForbidden, "an emergency call is not forwarded")
	case c.engine.directory.Emergency(to):
		return refuseTransfer(CauseForbidden, "no call is forwarded to an emergency service")
	case c.line.steps > mostDiversions:
		return refuseTransfer(CauseLoop, "it was forwarded and transferred %d times already", c.line.steps)
	}
	return nil
}

// dialled is the number that the call was made to, for a Diversion.
func (c *Call) dialled() string {
	if to := c.record.To; to.Kind == directory.KindNumber {
		return to.Value
	}
	if directory.IsNumber(c.record.Number) {
		return c.record.Number
	}
	return c.record.Diversion
}

// succession is how a call of a chain follows another.
type succession struct {
	// destination is where it is led, dialled what it is told to be for.
	destination, dialled directory.Address
	// diversion is the number that sent it on.
	diversion string
	// from is who it is shown as; zero is the caller.
	from directory.Address
	// why says for the timeline why the call goes on.
	why string
}

// chained makes the next call of the chain, which has no leg yet. One to a Number
// of ours is for that number, with its app and settings, but for a number whose
// settings led here already; then, and for anybody else, it is just led there.
func (c *Call) chained(s succession) *Call {
	r := Record{
		ID: NewID(), Chain: c.record.Chain, Account: c.record.Account,
		Number: c.called.number.Number, App: cmp.Or(c.called.number.App, c.record.App),
		Direction: In, Caller: c.user().ID, Trunk: c.record.Trunk,
		From: c.shown(), To: s.dialled, Diversion: s.diversion,
	}
	if s.from.Kind != "" {
		r.From = s.from
	}
	line := lineage{
		before: c.record.ID, steps: c.line.steps + 1, since: c.began(),
		passed: append(slices.Clone(c.line.passed), c.called.number.ID()),
		hops:   c.line.hops - 1, headers: c.line.headers,
	}
	to := called{number: c.called.number, destination: &s.destination}
	n, own := c.engine.directory.OwnNumber(r.Account, s.destination.Value)
	switch {
	case s.destination.Kind == directory.KindUser:
		if u, ok := c.engine.directory.User(r.Account, s.destination.Value); ok {
			to.users = []directory.User{u}
		}
	case s.destination.Kind == directory.KindGroup:
		to.users = c.engine.directory.Members(r.Account, s.destination.Value)
	case s.destination.Kind == directory.KindNumber && own:
		to.users = c.engine.directory.UsersOf(n)
		if line.steps <= mostDiversions && !slices.Contains(line.passed, n.ID()) {
			to.number, to.destination = n, nil
			r.Number = n.Number
			r.App = cmp.Or(n.App, r.App)
		}
	}
	next := c.engine.newCall(r)
	next.called, next.line = to, line
	next.app.outbox = c.app.outbox
	return next
}

// begin has a call of a chain that is registered live. why says in words where it
// comes from.
func (c *Call) begin(why string) {
	arrived := c.save(EventIncoming, Data{Party: &c.record.From, Headers: c.line.headers, Other: c.line.before},
		"call from %s to %s, %s", c.record.From, c.record.To, why)
	c.engine.guard.stay()
	c.engine.goroutines.Go(func() {
		defer c.engine.guard.leave()
		c.main(arrived)
	})
}

// handLeg gives the leg, and what was not looked at of it, to another call, which
// gets it as handed, and says whether that still could take it. What the party
// hears stops, but for the tone that somebody rings; a recording ends. Keys that
// were kept for a verb are dropped.
func (c *Call) handLeg(to *Call) bool {
	c.leaveTalk()
	c.endTape("the call goes on as another") // its end is told by the leg, to that one
	c.party.tapes.leave(c)
	p := c.party
	if p.playing != p.ringback {
		p.playing = 0
		c.StopPlay()
	}
	if !p.hearer.IsZero() {
		_ = c.engine.config.Sound.Unbridge(c.Stream()) // a stream that is gone hears nobody
	}
	p.hearer, p.talking, p.news, p.preview = ID{}, false, alerted{}, 0
	p.alerted = p.ringback != 0 || p.alerted && !p.sound
	with := handed{party: p, token: c.waiting.token}
	if c.line.loan.entered {
		with.lender = c.line.loan.from
	}
	if !p.mailbox.redirect(to.inbox, with) {
		return false
	}
	c.passLoan(to)
	c.engine.hand(p.leg, c.record.ID, to.timeline.call)
	c.party = party{}
	c.publish()
	return true
}

// takeLeg takes the leg of another call. A call that is over meanwhile hangs it up.
func (c *Call) takeLeg(m handed) {
	rings := c.party.alerted && c.line.loan.picked.Child.IsZero() // since before it had a party
	c.line.loan.took = true
	if !m.lender.IsZero() {
		c.line.loan.from, c.line.loan.entered = m.lender, true
	}
	c.party = m.party
	c.waiting.token = max(c.waiting.token, m.token) // a play of before must not be taken for one of ours
	if c.over != "" {
		c.party.leg.Hangup(c.over)
		return
	}
	if rings {
		if err := c.alert(); err != nil {
			c.log.Debug("ringing tone for a party that was handed over", "err", err)
		}
	}
}

// began is when the party came, or for a call of a chain when that of the first did.
func (c *Call) began() time.Time {
	if c.line.since.IsZero() {
		return c.record.StartedAt
	}
	return c.line.since
}

// hearOut waits, before the app is asked, until it was told of the end of the call
// before, but not for ever.
func (c *Call) hearOut(ctx context.Context) error {
	if c.line.told == nil {
		return nil
	}
	_, err := do(ctx, c, func(ctx context.Context) bool {
		patience := time.NewTimer(tellPatience)
		defer patience.Stop()
		select {
		case <-c.line.told:
		case <-patience.C:
		case <-ctx.Done():
		}
		return true
	})
	return err
}

// tellNext lets the next call of the chain ask its app as soon as everything that
// is queued was told.
func (c *Call) tellNext() {
	if told := c.line.next; told != nil {
		c.app.outbox.add(telling{timeline: c.timeline, words: func() []Request { close(told); return nil }})
	}
}
