// SPDX-License-Identifier: MIT

package dialog

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Referral is what the peer asks for with a REFER inside the call (RFC 3515).
type Referral struct {
	// ID names it to Notify.
	ID uint32
	// To is the URI of whom its other side is to be connected with.
	To string
	// Replaces, if not nil, is the call in which that one is.
	Replaces *Replaces
}

// Referred says how it goes with a REFER of ours.
type Referred struct {
	// Status is that of the response, or what the peer notified us of.
	Status int
	// Final says that nothing more is told.
	Final bool
	// Reason says it to a person: "486 Busy Here".
	Reason string
}

// ErrReferring says that a REFER of ours is not settled yet.
var ErrReferring = errors.New("the other side is being referred already")

// refers are the transfers that the sides of a call ask each other for.
type refers struct {
	// open are those of the peer's that it is to be notified of.
	open map[uint32]bool
	// told is told of the one of ours; ever says that there was one.
	told func(Referred)
	ever bool
}

// fragType is the type of a NOTIFY about a REFER (RFC 3515 section 2.4.4).
const fragType = "message/sipfrag;version=2.0"

// statusBadEvent is that of RFC 6665 section 4.1.3.
const statusBadEvent = 489

// referTime is how long a peer may expect to be notified, in seconds.
const referTime = 120

// onRefer takes a REFER. What it asks for is tried, whatever it is, and the
// peer is told how that goes. d.mu is held.
func (d *Dialog) onRefer(r *inbound, answer answerer) {
	ask, replaces, status, phrase := d.referral(r)
	if status != sip.StatusAccepted {
		answer(status, phrase, nil)
		return
	}
	headers := []sip.Header{d.self.contact.Clone()}
	if quiet := value(r.Request, "Refer-Sub"); strings.HasPrefix(strings.ToLower(quiet), "false") { // RFC 4488
		headers = append(headers, sip.NewHeader("Refer-Sub", "false"))
	} else {
		if d.refers.open == nil {
			d.refers.open = map[uint32]bool{}
		}
		d.refers.open[ask.ID] = true
	}
	ask.Replaces = replaces
	answer(status, phrase, nil, headers...)
	d.mu.Unlock() // Refer may use the dialog
	d.Notify(ask.ID, sip.StatusTrying, "Trying")
	d.handler.Refer(ask)
	d.mu.Lock()
}

// mostReferrals is how many transfers of a peer's may be tried at once.
const mostReferrals = 4

// referral reads a REFER, or says what to answer in place of 202. d.mu is held.
func (d *Dialog) referral(r *inbound) (ask Referral, replaces *Replaces, status int, phrase string) {
	values := append(r.GetHeaders("Refer-To"), r.GetHeaders("r")...)
	switch {
	case d.phase != confirmed || d.handler.Refer == nil:
		return ask, nil, sip.StatusGlobalDecline, "Decline"
	case len(values) != 1: // RFC 3515 section 2.4.2
		return ask, nil, sip.StatusBadRequest, "Want One Refer-To Header"
	case len(d.refers.open) >= mostReferrals:
		return ask, nil, sip.StatusBusyHere, "Busy Here"
	}
	to, err := parseReferTo(values[0].Value())
	if err != nil {
		return ask, nil, sip.StatusBadRequest, "Bad Refer-To Header"
	}
	if to.method != "" {
		return ask, nil, sip.StatusGlobalDecline, "Decline"
	}
	if to.replaces != "" {
		named, err := ParseReplaces(to.replaces)
		if err != nil {
			return ask, nil, sip.StatusBadRequest, "Bad Replaces Header"
		}
		replaces = &named
	}
	return Referral{ID: r.CSeq().SeqNo, To: to.uri}, replaces, sip.StatusAccepted, "Accepted"
}

// Notify tells the peer how it goes with what it asked for: with 100 that it is
// tried, then a 1xx, then once a final status, also just before Hangup. A peer
// that does not want to know, or has been told of the end, is told nothing.
func (d *Dialog) Notify(id uint32, status int, phrase string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.refers.open[id] {
		return
	}
	state := "active;expires=" + strconv.Itoa(referTime)
	if status >= 200 {
		state = "terminated;reason=noresource"
		delete(d.refers.open, id)
	}
	if d.phase != confirmed {
		return
	}
	q := &question{
		method: sip.NOTIFY, contentType: fragType, body: fmt.Appendf(nil, "SIP/2.0 %d %s\r\n", status, phrase),
		headers: []sip.Header{
			d.self.contact.Clone(), sip.NewHeader("Event", fmt.Sprintf("refer;id=%d", id)), sip.NewHeader("Subscription-State", state),
		},
		done: func(r Reply) {
			if !r.OK() {
				d.ep.log.Debug("the peer was not told how its transfer goes", "call_id", d.callID, "reason", r.Reason)
			}
		},
	}
	d.ep.lanes.do(d.callID, func() { d.sendQuestion(q) })
}

// Refer asks the peer to call somebody else (REFER). told is told how that goes,
// by the rules of a Handler, up to the final word; not when the call ends before.
// The errors are ErrOver, ErrReferring and ErrNotAllowed.
func (d *Dialog) Refer(to string, told func(Referred)) error {
	target, err := parseURI(to)
	if err != nil {
		return fmt.Errorf("refer: %w", err)
	}
	d.mu.Lock()
	if d.refers.told != nil {
		d.mu.Unlock()
		return ErrReferring
	}
	contact := d.self.contact.Clone()
	d.refers.told, d.refers.ever = told, true
	d.mu.Unlock()
	q := &question{method: sip.REFER, headers: []sip.Header{
		contact, sip.NewHeader("Refer-To", "<"+target.String()+">"), sip.NewHeader("Referred-By", "<"+contact.Address.String()+">"),
	}}
	q.done = func(r Reply) {
		// A peer that tells nothing more leaves it at having agreed (RFC 4488).
		d.tellReferred(Referred{Status: r.Status, Reason: r.Reason, Final: !r.OK() || q.quiet})
	}
	if err := d.ask(q); err != nil {
		d.mu.Lock()
		d.refers.told = nil
		d.mu.Unlock()
		return err
	}
	return nil
}

// Place is the URI of a user where the peer lives, or where we do, as the peer
// knows it.
func (d *Dialog) Place(user string, theirs bool) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := *d.self.contact.Address.Clone()
	if theirs {
		to := d.peer.to.Address
		u = sip.Uri{Scheme: "sip", Host: to.Host, Port: to.Port}
	}
	u.User = EscapeUser(user)
	return u.String()
}

// tellReferred tells how it goes with a REFER of ours.
func (d *Dialog) tellReferred(r Referred) {
	d.mu.Lock()
	told := d.refers.told
	if r.Final {
		d.refers.told = nil
	}
	d.mu.Unlock()
	if told != nil {
		told(r)
	}
}

// onNotify takes a NOTIFY, which can only be about a REFER of ours. d.mu is held.
func (d *Dialog) onNotify(r *inbound, answer answerer) {
	event, _, _ := strings.Cut(cmp.Or(value(r.Request, "Event"), value(r.Request, "o")), ";")
	status, reason, ok := fragment(r.Body())
	state, _, _ := strings.Cut(value(r.Request, "Subscription-State"), ";")
	over := strings.EqualFold(strings.TrimSpace(state), "terminated")
	switch {
	case !strings.EqualFold(strings.TrimSpace(event), "refer"):
		answer(statusBadEvent, "Bad Event", nil, sip.NewHeader("Allow-Events", "refer"))
		return
	case !d.refers.ever:
		answer(sip.StatusCallTransactionDoesNotExists, "Subscription Does Not Exist", nil)
		return
	case !ok && !over:
		answer(sip.StatusBadRequest, "Bad Message Fragment", nil)
		return
	}
	answer(sip.StatusOK, "OK", nil)
	if !ok {
		status, reason = sip.StatusRequestTimeout, "the other side does not say what came of it"
	}
	d.mu.Unlock() // who is told may use the dialog
	d.tellReferred(Referred{Status: status, Reason: reason, Final: over || status >= 200})
	d.mu.Lock()
}

// fragment reads the start line of a response (RFC 3420).
func fragment(body []byte) (status int, reason string, ok bool) {
	line, _, _ := strings.Cut(strings.TrimLeft(string(body), "\r\n"), "\n")
	version, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	code, phrase, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(code)
	if !strings.EqualFold(version, "SIP/2.0") || err != nil || len(code) != 3 || n < 100 || n > 699 {
		return 0, "", false
	}
	return n, strings.TrimSpace(code + " " + Printable(phrase)), true
}
