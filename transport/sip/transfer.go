// SPDX-License-Identifier: MIT

package sip

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// onRefer takes what the party asks for with a REFER: the engine decides whom it
// may reach. As for a call, only the user of the address counts; one without is
// no party of ours.
func (l *Leg) onRefer(ask dialog.Referral) {
	ev := engine.LegReferred{ID: ask.ID, To: cmp.Or(dialog.UserPart(ask.To), ask.To), Asked: ask.To, Replaces: ask.Replaces != nil}
	if ask.Replaces != nil {
		if owner, no := l.replaced(*ask.Replaces); no == nil {
			ev.Other, _ = owner.(engine.Leg)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell(ev)
}

// Notify tells the party how it goes with what it asked for.
func (l *Leg) Notify(id uint32, status int, phrase string) {
	d, _ := l.reached()
	d.Notify(id, status, phrase)
}

// Refer asks the party to call somebody else: at the trunk that it is behind, or
// here.
func (l *Leg) Refer(to directory.Address) error {
	d, trunk := l.reached()
	err := d.Refer(d.Place(to.Value, trunk != ""), func(r dialog.Referred) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.tell(engine.LegTransfer{Status: r.Status, Final: r.Final, Text: r.Reason})
	})
	if errors.Is(err, dialog.ErrReferring) {
		return fmt.Errorf("%w: %w", engine.ErrNoTransfer, err)
	}
	return gone(err)
}

// reached is the dialog that the party is reached by, and the trunk if it is by
// one.
func (l *Leg) reached() (d *dialog.Dialog, trunk string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dialog, l.trunk
}

// replacing is what a call is that is to take the place of one of ours (RFC 3891
// section 3). Whoever asks was let in as a user or a trunk of account, and only
// what is of that account can be replaced.
func (s *Server) replacing(header []string, account string) (*Leg, *dialog.Response) {
	if len(header) != 1 {
		return nil, refuse(400, "Want One Replaces Header", "it has several Replaces headers, of which at most one is allowed")
	}
	named, err := dialog.ParseReplaces(header[0])
	if err != nil {
		return nil, refuse(400, "Bad Replaces Header", err.Error())
	}
	owner, no := s.endpoint.Replaced(named)
	if no != nil {
		no.Reason = fmt.Sprintf("the call that it is to replace (Replaces: %s) is not there, or not as it must be", named)
		return nil, no
	}
	leg, ok := owner.(*Leg)
	if !ok || leg.account != account {
		return nil, refuse(481, "Call/Transaction Does Not Exist",
			fmt.Sprintf("the call that it is to replace is not of its account %q, and accounts see nothing of each other", account))
	}
	return leg, nil
}

// instead completes what arrives to take the place of another call.
func (s *Server) instead(a engine.Arrival, header []string, how terms) (engine.Arrival, terms, *dialog.Response) {
	leg, no := s.replacing(header, a.Account)
	if no == nil {
		a.Replaces = leg
	}
	return a, how, no
}

var _ engine.Transfer = (*Leg)(nil)
