// SPDX-License-Identifier: MIT

package engine

import (
	"errors"
	"slices"

	"github.com/callwright/callwright/directory"
)

// mostDiversions is how often one call is sent on by those that it reaches.
const mostDiversions = 5

// stop is a place that a child rings, and how many diversions led there.
type stop struct {
	request    DialRequest
	diversions int
}

// reach rings a target and, where that sends the call on (a 3xx), those that it
// names, one after the other. It tells the parent what becomes of it, until the
// call is over. A *DialError says why nobody was reached.
func (c *Call) reach(request DialRequest) error {
	var best *DialError
	seen := []Target{request.Target}
	for stops := []stop{{request, c.line.steps}}; len(stops) > 0; {
		s := stops[0]
		stops = stops[1:]
		refused, err := c.attempt(s.request)
		var no *DialError
		switch {
		case refused != nil && c.line.handsUp:
			if to, ok := c.sentOn(s, refused.Contacts); ok {
				c.line.sentTo = to
				return refuseTransfer(CauseForwarded, "%s: the call is forwarded to %s", refused.Text, to)
			}
			return &DialError{Cause: refused.Cause, Err: errors.New(refused.Text)}
		case refused != nil:
			next := c.diversions(s, refused.Contacts, &seen)
			if stops = append(next, stops...); len(next) > 0 {
				continue
			}
			no = &DialError{Cause: refused.Cause, Err: errors.New(refused.Text)}
		case !errors.As(err, &no):
			return err
		case s.diversions > c.line.steps: // the first is why the call ends
			c.log.Warn("diversion not followed: "+no.Error(), "to", s.request.Target.String())
			c.note(EventTransfer, Data{Cause: no.Cause}, "%s is not rung: %s", s.request.Target, no)
		}
		if best == nil || no.Cause.Better(best.Cause) {
			best = no
		}
	}
	return best
}

// attempt rings one place until the call is over, or gives how it refused.
func (c *Call) attempt(request DialRequest) (*LegEnded, error) {
	if err := c.mayRing(request.Target); err != nil {
		return nil, err
	}
	leg, err := c.engine.config.Dialer.Dial(request)
	if err != nil {
		return nil, err
	}
	c.setLeg(leg)
	for {
		m, err := c.Await(c.engine.ctx, func(m Message) bool {
			switch m.(type) {
			case legAlerted, legAnswered, legRefused, parted:
				return true
			}
			return false
		})
		if err != nil {
			return nil, err
		}
		switch m := m.(type) {
		case legRefused:
			return &m.LegEnded, nil
		case parted:
			c.finishWith(m.cause)
			return nil, &EndedError{Cause: c.over}
		}
		c.report(m, request.Target.Address)
	}
}

// setLeg has the call live on a leg, its first or the next one that it tries.
func (c *Call) setLeg(leg Leg) {
	if c.party.leg != nil {
		c.engine.unbind(c.party.leg)
	}
	c.party.leg, c.party.gone = leg, nil
	c.engine.bind(leg, c.record.ID)
	c.party.mailbox = listen(leg, c.inbox)
}

// diversions gives the places to be rung because a stop sent the call on, the
// best first. What it named and is not followed stands in the timeline.
func (c *Call) diversions(s stop, contacts []string, seen *[]Target) []stop {
	if len(contacts) > 0 && s.diversions == mostDiversions {
		c.note(EventTransfer, Data{}, "does not follow %s to %s: it was sent on %d times", s.request.Target, contacts[0], mostDiversions)
		return nil
	}
	by, targets := c.named(s, contacts)
	var next []stop
	for _, target := range targets {
		for _, place := range c.places([]Target{target}) {
			if slices.ContainsFunc(*seen, place.same) || len(*seen) >= mostPlaces {
				c.note(EventTransfer, Data{}, "does not follow %s to %s: it was rung already, or too many were", s.request.Target, place)
				continue
			}
			c.note(EventTransfer, Data{Party: &place.Address}, "%s sends the call on to %s", s.request.Target, place)
			*seen = append(*seen, place)
			request := s.request
			request.Target, request.Diversion = place, c.diverter(s.request.Target.Address, by)
			next = append(next, stop{request, s.diversions + 1})
		}
	}
	return next
}

// named gives whom a party that sends the call on may send it to, and who it is.
func (c *Call) named(s stop, contacts []string) (by directory.User, targets []Target) {
	by, _ = c.engine.directory.User(c.record.Account, userID(s.request.Target.Address))
	for _, contact := range contacts {
		target, no := c.mayReach(by, contact)
		if no == nil && c.engine.directory.Emergency(target.Address) {
			no = refuseTransfer(CauseForbidden, "no call is sent on to an emergency service")
		}
		if no != nil {
			c.log.Warn("diversion not followed: "+no.Error(), "by", s.request.Target.String(), "to", contact)
			c.note(EventTransfer, Data{Cause: no.Cause}, "does not follow %s to %s: %s", s.request.Target, contact, no)
			continue
		}
		targets = append(targets, target)
	}
	return by, targets
}

// sentOn gives where a party that rings alone sends the call on: the best of what it
// names that may be.
func (c *Call) sentOn(s stop, contacts []string) (directory.Address, bool) {
	_, targets := c.named(s, contacts)
	if len(targets) == 0 {
		return directory.Address{}, false
	}
	to := targets[0]
	c.note(EventTransfer, Data{Party: &to.Address}, "%s sends the call on to %s", s.request.Target, to)
	return to.Address, true
}

// diverter is how the party that sends a call on is told to those it is sent to
// (RFC 5806): its number, or a User without one by its id.
func (c *Call) diverter(party directory.Address, by directory.User) string {
	if number := c.engine.directory.CallerID(by); by.ID != "" && number != "" {
		return number
	}
	return party.Value
}

// userID is the id of the User that a party is, or empty.
func userID(a directory.Address) string {
	if a.Kind == directory.KindUser {
		return a.Value
	}
	return ""
}
