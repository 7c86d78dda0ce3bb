// SPDX-License-Identifier: MIT

package engine

import (
	"errors"
	"fmt"

	"github.com/callwright/callwright/media"
)

// What an API may ask of a call at the wrong moment.
var (
	// ErrRecording says that the call is being recorded already.
	ErrRecording = errors.New("the call is being recorded already")
	// ErrNotRecording says that the call is not being recorded.
	ErrNotRecording = errors.New("the call is not being recorded")
	// ErrNoSound says that the call has no sound yet, or no more.
	ErrNoSound = errors.New("the call has no sound yet; it must be answered, or hear early media")
)

// order has a living call do something on its own goroutine, and gives what came
// of it: ErrEmergency for a call to an emergency service, of which every order of an
// API asks there, where nothing can change in between. The error is that, ErrNoCall,
// or what do gave.
func (e *Engine) order(id ID, do func(*Call) error) error {
	result := make(chan error, 1)
	spare := func(c *Call) error {
		if c.urgent() {
			return ErrEmergency
		}
		return do(c)
	}
	if err := e.send(id, command{of: id, do: spare, result: result}); err != nil {
		return err
	}
	return <-result
}

// obey carries a command out, unless the call is over. Whoever gave it waits,
// so it is always answered.
func (c *Call) obey(m command) {
	if c.over == CauseForwarded && m.of != c.timeline.call && c.engine.send(m.of, m) == nil {
		return // that one has been told by now who has the party instead
	}
	if c.over != "" {
		m.result <- ErrNoCall
		return
	}
	if h := c.move.handover; h != nil && h.chained != nil && (h.enters() || c.party.leg == nil) {
		if c.engine.send(h.chained.timeline.call, m) != nil { // it has the party, or is all that goes on
			m.result <- ErrNoCall
		}
		return
	}
	m.result <- guarded(func() error { return m.do(c) })
}

// Record begins to record a living call and gives the path of the WAV file. The
// errors are ErrNoCall, ErrEmergency, ErrNoSound and ErrRecording.
func (e *Engine) Record(id ID, what media.RecordWhat) (path string, err error) {
	err = e.order(id, func(c *Call) error {
		path, err = c.startRecording(id, what)
		return err
	})
	return path, err
}

// PauseRecording leaves out of a recording what is said until it is called with
// false. The errors are ErrNoCall, ErrEmergency and ErrNotRecording.
func (e *Engine) PauseRecording(id ID, pause bool) error {
	return e.order(id, func(c *Call) error { return c.pauseTape(pause) })
}

// StopRecording ends a recording; the file is complete when the timeline says
// so. The errors are ErrNoCall, ErrEmergency and ErrNotRecording.
func (e *Engine) StopRecording(id ID) error {
	return e.order(id, func(c *Call) error { return c.StopTape() })
}

// EndCall hangs a living call up for its account, which cannot end one to an emergency
// service: Hangup is the operator's. The error is ErrNoCall or ErrEmergency.
func (e *Engine) EndCall(id ID) error {
	return e.order(id, func(c *Call) error {
		end := hangUp{cause: CauseNormal, asParty: true}
		if named := e.find(id); named != nil && named != c { // the end of that one is told first
			c.line.loan.took, c.line.loan.ended = true, named.ended
			named.inbox.put(end)
		}
		c.hungUp(end)
		return nil
	})
}

// SendDigits sends keys (0-9 * # A-D) to the party of a living call and, if the call
// is no child, to who talks with it. While nobody hears anything yet they wait for
// that. The error is ErrNoCall, ErrEmergency, ErrNoSound, ErrKeys, or what the leg says.
func (e *Engine) SendDigits(id ID, digits string) error {
	return e.order(id, func(c *Call) error {
		switch {
		case c.party.leg != nil && (c.party.sound || c.Answered()):
			return c.sendKeys(digits)
		case c.mayTalk():
			return c.sendAhead(digits)
		}
		return ErrNoSound
	})
}

func (c *Call) sendKeys(digits string) error {
	if err := c.party.leg.SendDigits(digits); err != nil {
		return fmt.Errorf("send digits: %w", err)
	}
	c.note(EventSent, Data{Digits: digits}, "sent digits %s", digits)
	if c.parent == nil && c.party.talking {
		c.across(func(other *Call) { other.relay(digits) })
	}
	return nil
}
