// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"
)

// onInviteResponse takes a response to an INVITE of ours.
func (d *Dialog) onInviteResponse(res *sip.Response) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case res.CSeq().SeqNo != d.out.seq:
		d.passed(res)
	case res.IsProvisional():
		d.onProvisional(res)
	case res.IsSuccess():
		d.onAnswer(res)
	default:
		d.onRefusal(res)
	}
}

func (d *Dialog) onProvisional(res *sip.Response) {
	d.out.heard = true
	if d.out.wanted && !d.out.sent {
		d.out.sent = true
		invite := d.out.req
		d.ep.lanes.do(d.callID, func() { d.sendCancel(invite) })
	}
	if d.phase != early || res.StatusCode <= sip.StatusTrying {
		return
	}
	f := d.forked(res)
	if requires(res, option100rel) && !d.confirm(f, res) {
		return
	}
	if f != nil && len(res.Body()) > 0 {
		f.body = res.Body()
	}
	d.emit(Ringing{Status: res.StatusCode, Body: res.Body()})
}

// onAnswer takes a 2xx. The first one makes the call; another fork's, and one
// that crossed our CANCEL, are taken and hung up. d.mu is held.
func (d *Dialog) onAnswer(res *sip.Response) {
	tag, _ := res.To().Params.Get("tag")
	switch {
	case d.out.winner == "" && d.phase == early:
		d.out.winner = tag
		d.phase, d.out.credentials.tries = confirmed, 0
		if d.out.timer != nil {
			d.out.timer.Stop()
		}
		d.answered(res)
	case d.out.winner != "" && tag == d.out.winner:
		d.acknowledge(d.out.seq, d.out.auth, d.out.answer) // a repetition: our ACK was lost
	default:
		d.ep.stray(res, d)
		if d.out.winner == "" {
			d.finish(d.bye.ended)
			d.release()
		}
	}
}

// answered makes the call of its first 2xx. d.mu is held.
func (d *Dialog) answered(res *sip.Response) {
	settled := d.out.settled
	body := d.establish(res)
	d.out.credentials.answer(res) // nothing more is asked
	d.takeTimer(res)
	if settled == nil && len(d.out.body) == 0 {
		d.out.answer, body = d.answerTo(res), nil
	}
	d.acknowledge(d.out.seq, d.out.auth, d.out.answer)
	if d.phase != over {
		d.emit(Answered{Body: body})
	}
	d.out.body, d.out.headers, d.out.forks, d.out.settled = nil, nil, nil, nil
}

// establish makes a dialog of a 2xx (RFC 3261 section 12.1.2), and gives the
// session description that holds: its own, or what the phone said while it rang.
// d.mu is held.
func (d *Dialog) establish(res *sip.Response) []byte {
	body := res.Body()
	if f := d.out.forks[d.out.winner]; f != nil {
		d.peer = f.peer
		if len(body) == 0 {
			body = f.body
		}
	}
	d.peer.to = sip.HeaderClone(res.To()).(*sip.ToHeader)
	d.peer.routes = routesOf(res)
	d.peer.refresh(res)
	d.out.req = nil
	return body
}

// routesOf gives the route set of a response: its Record-Route, backwards.
func routesOf(res *sip.Response) []sip.Uri {
	var routes []sip.Uri
	for _, h := range res.GetHeaders("Record-Route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			routes = append([]sip.Uri{*rr.Address.Clone()}, routes...)
		}
	}
	return routes
}

// acknowledge sends the ACK for a 2xx. It has the CSeq number and the
// credentials of the INVITE (RFC 3261 section 13.2.2.4). d.mu is held, but not all
// the time.
func (d *Dialog) acknowledge(seq uint32, auth []sip.Header, answer []byte) {
	ack := d.request(sip.ACK)
	ack.CSeq().SeqNo = seq
	for _, h := range auth {
		ack.AppendHeader(h)
	}
	if len(answer) > 0 {
		ack.AppendHeader(sip.NewHeader("Content-Type", sdpType))
		ack.SetBody(answer)
	}
	d.mu.Unlock() // it may wait for the DNS and for a connection
	err := d.ep.send(ack, d.traceSent)
	d.mu.Lock()
	if err != nil {
		d.ep.log.Warn("acknowledge answer", "call_id", d.callID, "err", err)
	}
}

// onRefusal takes a final response of 300 or more; its ACK is the transaction's.
// d.mu is held.
func (d *Dialog) onRefusal(res *sip.Response) {
	switch {
	case d.phase == over:
		d.release()
		return
	case d.out.winner != "":
		return // somebody has picked up
	}
	if d.moves(res) {
		return
	}
	if d.phase == early && (d.out.credentials.answer(res) || d.learnLeast(res)) {
		// What still comes of this INVITE, such as a second 401 because it was sent
		// twice, says nothing of the next one.
		d.out.seq, d.out.forks, d.out.settled = d.self.seq+1, nil, nil
		d.ep.lanes.do(d.callID, d.sendInvite)
		return
	}
	if d.phase == leaving {
		d.finish(d.bye.ended)
	} else {
		later, _, _ := secondsOf(value(res, "Retry-After"))
		d.finish(Ended{
			Status: res.StatusCode, Reason: summary(res), By: Remote,
			Contacts: contacts(res), RetryAfter: time.Duration(later) * time.Second,
		})
	}
	d.release()
}

// inviteOver takes the end of an INVITE's transaction, which matters only if no
// final response came before.
func (d *Dialog) inviteOver(seq uint32, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.out.seq != seq || d.out.winner != "" || d.phase == confirmed {
		return
	}
	unreached := errors.Is(err, sip.ErrTransactionTimeout) || errors.Is(err, sip.ErrTransactionTransport)
	if unreached && d.failed(err) {
		return
	}
	switch {
	case d.phase == leaving:
		d.finish(d.bye.ended)
	case errors.Is(err, sip.ErrTransactionTimeout):
		d.finish(Ended{Status: sip.StatusRequestTimeout,
			Reason: d.out.tries.told(fmt.Sprintf("no answer to INVITE from %s for %v", d.out.req.Destination(), sip.Timer_B)), By: Timeout, Why: Silent})
	case errors.Is(err, sip.ErrTransactionTransport):
		d.finish(Ended{Status: sip.StatusServiceUnavailable, Reason: d.out.tries.told(err.Error()), By: Timeout, Why: Unreachable})
	case d.phase == early:
		return // a challenge that is being answered
	}
	d.release()
}
