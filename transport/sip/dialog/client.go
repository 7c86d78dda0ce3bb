// SPDX-License-Identifier: MIT

package dialog

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Call is a call to be made.
type Call struct {
	// To is who is called: "sip:100@192.0.2.1:5060;transport=tcp". The call
	// goes where it points.
	To string
	// From is who calls.
	From Party
	// Headers go with the INVITE: P-Asserted-Identity, Privacy, Diversion, X-….
	Headers []Header
	// Body is the session description offered.
	Body []byte
	// Username and Password answer a digest challenge.
	Username, Password string
	// Network and Flow, if set, are where the call goes instead of where To
	// points, and everything inside it: "UDP" or "TCP", and an address from which
	// the peer was heard.
	Network, Flow string
	// RingTimeout cancels the call if nobody answers; 0 means never.
	RingTimeout time.Duration
}

// outgoing is an INVITE of ours.
type outgoing struct {
	credentials credentials
	// headers and body are sent again after a challenge.
	headers []sip.Header
	body    []byte
	seq     uint32
	req     *sip.Request // sent last; nil once it is answered
	auth    []sip.Header // its credentials, for the ACK
	tx      *sip.ClientTx
	ring    time.Duration
	// timer cancels a call that rings too long, and later gives up a cancelled
	// one.
	timer *time.Timer
	// heard says that a provisional response came: only then may a CANCEL be
	// sent (RFC 3261 section 9.1). sent says that it was.
	heard, wanted, sent bool
	// winner is the To tag of the fork that answered.
	winner string
}

// Call begins a call. The error says what is wrong with what was given;
// everything that happens on the way is told to the handler.
func (e *Endpoint) Call(c Call, h Handler) (*Dialog, error) {
	target, err := parseURI(c.To)
	if err != nil {
		return nil, fmt.Errorf("called party: %w", err)
	}
	d := &Dialog{ep: e, handler: h, callID: token(16), tag: e.newTag()}
	from, err := c.From.from(d.tag)
	if err != nil {
		return nil, fmt.Errorf("calling party: %w", err)
	}
	d.out = &outgoing{body: c.Body, ring: c.RingTimeout, credentials: credentials{username: c.Username, password: c.Password}}
	for _, header := range c.Headers {
		sh, err := header.sipHeader()
		if err != nil {
			return nil, err
		}
		d.out.headers = append(d.out.headers, sh)
	}
	d.self.from = from
	to := sip.Uri{Scheme: "sip", User: target.User, Host: target.Host, Port: target.Port}
	d.peer = peer{
		to: &sip.ToHeader{Address: to}, target: target,
		network: cmp.Or(c.Network, "UDP"), flow: c.Flow, pinned: c.Flow != "",
	}
	network, address := hop(target, d.peer.network)
	network, address = d.byFlow(network, address)
	if d.self.contact, err = e.contactFor(from.Address.User, network, address); err != nil {
		return nil, err
	}
	if !e.dialogs.add(d, "") {
		return nil, errors.New("the SIP endpoint is closed")
	}
	e.lanes.do(d.callID, d.sendInvite)
	return d, nil
}

// sendInvite runs in the dialog's lane.
func (d *Dialog) sendInvite() {
	d.mu.Lock()
	if d.phase != early {
		d.mu.Unlock()
		return
	}
	req := d.request(sip.INVITE)
	req.AppendHeader(d.self.contact.Clone())
	req.AppendHeader(sip.NewHeader("Allow", allow))
	for _, h := range d.out.headers {
		req.AppendHeader(h)
	}
	d.out.auth = d.out.credentials.apply(req)
	if len(d.out.body) > 0 {
		req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		req.SetBody(d.out.body)
	}
	d.out.req, d.out.seq, d.out.heard = req, d.self.seq, false
	if d.out.ring > 0 && d.out.timer == nil {
		d.out.timer = time.AfterFunc(d.out.ring, d.rangTooLong)
	}
	d.mu.Unlock()

	seq := req.CSeq().SeqNo
	tx, err := d.ep.begin(req, d.traceSent, func(err error) {
		d.ep.lanes.do(d.callID, func() { d.inviteOver(seq, err) })
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.finish(Ended{Status: sip.StatusServiceUnavailable, Reason: err.Error(), By: Local})
		d.release()
		return
	}
	d.out.tx = tx
}

func (d *Dialog) rangTooLong() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phase == early {
		d.cancel(Ended{
			Status: sip.StatusRequestTimeout, Reason: fmt.Sprintf("not answered for %v", d.out.ring), By: Timeout,
		})
	}
}

// cancel takes the INVITE back: at once if the peer was heard of, else when it
// is. ended is told when the peer agrees, or soon after. d.mu is held.
func (d *Dialog) cancel(ended Ended) {
	d.phase = leaving
	d.bye.ended = ended
	d.out.wanted = true
	if d.out.timer != nil {
		d.out.timer.Stop()
	}
	d.bye.timer = time.AfterFunc(farewell, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.finish(ended)
	})
	d.out.timer = time.AfterFunc(64*d.ep.cfg.T1, d.giveUp)
	if d.out.heard {
		d.out.sent = true
		d.ep.lanes.do(d.callID, d.sendCancel)
	}
}

// giveUp forgets a cancelled INVITE that never got its final response.
func (d *Dialog) giveUp() {
	d.mu.Lock()
	tx := d.out.tx
	d.finish(d.bye.ended)
	d.release()
	d.mu.Unlock()
	if tx != nil {
		tx.Terminate()
	}
}

// sendCancel runs in the dialog's lane (RFC 3261 section 9.1).
func (d *Dialog) sendCancel() {
	d.mu.Lock()
	invite := d.out.req
	req := sip.NewRequest(sip.CANCEL, *invite.Recipient.Clone())
	req.AppendHeader(invite.Via().Clone())
	sip.CopyHeaders("Route", invite, req)
	forwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&forwards)
	req.AppendHeader(sip.HeaderClone(invite.From()))
	req.AppendHeader(sip.HeaderClone(invite.To()))
	req.AppendHeader(sip.HeaderClone(invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	for _, h := range d.bye.headers {
		req.AppendHeader(h)
	}
	req.SetBody(nil)
	req.Laddr = invite.Laddr
	req.SetTransport(invite.Transport())
	req.SetDestination(invite.Destination())
	d.mu.Unlock()
	if _, err := d.ep.begin(req, d.traceSent, func(error) {}); err != nil {
		d.ep.log.Warn("cancel call", "call_id", d.callID, "error", err)
	}
}

// onInviteResponse takes a response to an INVITE of ours.
func (d *Dialog) onInviteResponse(res *sip.Response) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if res.CSeq().SeqNo != d.out.seq {
		return // a repetition of what we have dealt with, a challenge
	}
	switch {
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
		d.ep.lanes.do(d.callID, d.sendCancel)
	}
	if d.phase == early && res.StatusCode > sip.StatusTrying {
		d.emit(Ringing{Status: res.StatusCode, Body: res.Body()})
	}
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
		d.establish(res)
		d.acknowledge(d.out.seq, d.out.auth)
		d.emit(Answered{Body: res.Body()})
		d.out.body, d.out.headers = nil, nil
	case d.out.winner != "" && tag == d.out.winner:
		d.acknowledge(d.out.seq, d.out.auth) // a repetition: our ACK was lost
	default:
		d.ep.stray(res, d)
		if d.out.winner == "" {
			d.finish(d.bye.ended)
			d.release()
		}
	}
}

// establish makes a dialog of a 2xx (RFC 3261 section 12.1.2). d.mu is held.
func (d *Dialog) establish(res *sip.Response) {
	d.peer.to = sip.HeaderClone(res.To()).(*sip.ToHeader)
	d.peer.routes = routesOf(res)
	if c := res.Contact(); c != nil {
		d.peer.target = *c.Address.Clone()
	}
	d.peer.network = d.out.req.Transport()
	d.out.req = nil
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
// credentials of the INVITE (RFC 3261 section 13.2.2.4). d.mu is held.
func (d *Dialog) acknowledge(seq uint32, auth []sip.Header) {
	ack := d.request(sip.ACK)
	ack.CSeq().SeqNo = seq
	for _, h := range auth {
		ack.AppendHeader(h)
	}
	if err := d.ep.send(ack, d.traceSent); err != nil {
		d.ep.log.Warn("acknowledge answer", "call_id", d.callID, "error", err)
	}
}

// onRefusal takes a final response of 300 or more; its ACK is the transaction's.
// d.mu is held.
func (d *Dialog) onRefusal(res *sip.Response) {
	if d.out.winner != "" || d.phase == over {
		d.release()
		return
	}
	if d.phase == early && d.out.credentials.answer(res) {
		d.ep.lanes.do(d.callID, d.sendInvite)
		return
	}
	if d.phase == leaving {
		d.finish(d.bye.ended)
	} else {
		d.finish(Ended{Status: res.StatusCode, Reason: summary(res), By: Remote})
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
	switch {
	case d.phase == leaving:
		d.finish(d.bye.ended)
	case errors.Is(err, sip.ErrTransactionTimeout):
		d.finish(Ended{Status: sip.StatusRequestTimeout,
			Reason: fmt.Sprintf("no answer to INVITE from %s for %v", d.out.req.Destination(), sip.Timer_B), By: Timeout})
	case errors.Is(err, sip.ErrTransactionTransport):
		d.finish(Ended{Status: sip.StatusServiceUnavailable, Reason: err.Error(), By: Timeout})
	case d.phase == early:
		return // a challenge that is being answered
	}
	d.release()
}
