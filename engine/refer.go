// SPDX-License-Identifier: MIT

package engine

import (
	"errors"
	"fmt"

	"github.com/callwright/callwright/directory"
)

var (
	// ErrNoTransfer says that the party of a call cannot be sent to somebody else: it
	// is not in an answered call, or its phone is none that can be asked to.
	ErrNoTransfer = errors.New("the party cannot be transferred: it must have answered")
	// ErrTransferring says that a transfer is under way.
	ErrTransferring = errors.New("a transfer of this call is under way; wait for its end")
)

// Refer asks the party of a living call to call somebody else (REFER): a number,
// or a user or group of its account. When it says that it has reached that, the
// call ends with CauseTransferred; the timeline tells. The error is ErrNoCall,
// ErrEmergency, ErrNoTransfer, or a *DialError if the party may not be sent there.
func (e *Engine) Refer(id ID, to string) error {
	return e.order(id, func(c *Call) error { return c.sendAway(to) })
}

func (c *Call) sendAway(to string) error {
	leg, can := c.party.leg.(Transfer)
	if !can || !c.Answered() || c.move.leaving() || c.move.handover != nil {
		return ErrNoTransfer
	}
	party, err := c.mayBeSent(to)
	if err != nil {
		return err
	}
	if err := leg.Refer(party); errors.Is(err, ErrLegGone) {
		return ErrNoTransfer
	} else if err != nil {
		return fmt.Errorf("refer to %s: %w", party, err)
	}
	c.note(EventTransfer, Data{Party: &party}, "is asked to call %s", party)
	return nil
}

// mayBeSent finds whom the party is to call, who must be one that the account
// could ring by Dial. Behind a trunk only numbers are known.
func (c *Call) mayBeSent(to string) (directory.Address, error) {
	d, account := c.engine.directory, c.record.Account
	outside := c.party.leg.Info().Trunk != "" // its phone is not one of ours
	if party, ok := d.Party(account, to); ok && !outside {
		return party, nil
	}
	if !directory.IsNumber(to) {
		return directory.Address{}, refuseTransfer(CauseNotFound, "%q is nobody to whom this party can be sent", to)
	}
	party := directory.NumberAddress(to)
	if _, ours := d.InsideNumber(account, party.Value); ours || d.Emergency(party) {
		return party, nil
	}
	if no := c.mayLeave(party); no != nil {
		return directory.Address{}, no
	}
	return party, nil
}

// referredOn takes how it goes with what Refer asked of the party.
func (c *Call) referredOn(ev LegTransfer) {
	c.note(EventTransfer, Data{Status: ev.Status}, "the party says of its transfer: %s", ev.Text)
	c.move.referred = !ev.Final || ev.Status/100 == 2
	if ev.Final && c.move.referred {
		c.finishWith(CauseTransferred)
	}
}
