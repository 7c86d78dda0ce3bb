// SPDX-License-Identifier: MIT

package dialog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/resolve"
	"github.com/callwright/callwright/transport/sip/secure"
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
	// points, and everything inside it: "UDP" or another transport, and an address
	// from which the peer was heard.
	Network, Flow string
	// Places, if set, are where the call goes, one after the other, instead of
	// where To points (see Endpoint.Resolve).
	Places []resolve.Place
	// TLS is what connections by TLS are secured with.
	TLS secure.Client
	// MaxForwards is how many hops the call may take (RFC 3261 section 20.22); 0
	// means 70.
	MaxForwards int
	// RingTimeout cancels the call if nobody answers; 0 means never.
	RingTimeout time.Duration
}

// outgoing is an INVITE of ours.
type outgoing struct {
	credentials credentials
	// headers, body and forwards are sent again after a challenge.
	headers  []sip.Header
	body     []byte
	forwards uint32
	tries    tries
	seq      uint32
	req      *outbound    // sent last; nil once it is answered
	auth     []sip.Header // its credentials, for the ACK
	tx       *clientTx
	ring     time.Duration
	// timer cancels a call that rings too long, and later gives up a cancelled
	// one. hurry ends the wait for the DNS or a connection.
	timer *time.Timer
	hurry context.CancelFunc
	// heard says that a provisional response came: only then may a CANCEL be
	// sent (RFC 3261 section 9.1). sent says that it was.
	heard, wanted, sent bool
	// winner is the To tag of the fork that answered.
	winner string
	// answer is ours to an offer that came in place of an answer.
	answer []byte
	// forks are the early dialogs by To tag; settled is the one with which offer
	// and answer were exchanged reliably.
	forks   map[string]*fork
	settled *fork
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
	d.out = &outgoing{
		body: c.Body, ring: c.RingTimeout, forwards: uint32(cmp.Or(c.MaxForwards, maxForwards)),
		credentials: credentials{username: c.Username, password: c.Password},
	}
	for _, header := range c.Headers {
		sh, err := header.sipHeader()
		if err != nil {
			return nil, err
		}
		d.out.headers = append(d.out.headers, sh)
	}
	d.self.from = from
	to := sip.Uri{Scheme: target.Scheme, User: target.User, Host: target.Host, Port: target.Port}
	d.peer = peer{
		to: &sip.ToHeader{Address: to}, target: target, network: c.Network, client: c.TLS,
	}
	if c.Flow != "" {
		if d.peer.flow, err = netip.ParseAddrPort(c.Flow); err != nil {
			return nil, fmt.Errorf("called party: %w", err)
		}
		d.peer.pinned = true
	}
	if err := d.aim(c.Places); err != nil {
		return nil, err
	}
	if !e.dialogs.add(d, "") {
		return nil, errors.New("the SIP endpoint is closed")
	}
	e.lanes.do(d.callID, d.sendInvite)
	return d, nil
}

// aim says where the INVITE goes: to places, or where it points. An address that
// cannot be reached is an error; names are looked up later.
func (d *Dialog) aim(places []resolve.Place) error {
	h := d.peer.byFlow(d.ep, hopTo(d.peer.target, d.peer.network))
	h.client = d.peer.client
	d.out.tries = tries{hop: h, places: places, known: len(places) > 0}
	if _, err := netip.ParseAddr(h.to.Host); err != nil || d.out.tries.known {
		return nil
	}
	_, err := d.ep.places(d.ep.ctx, h)
	return err
}

// sendInvite runs in the dialog's lane.
func (d *Dialog) sendInvite() {
	d.mu.Lock()
	ctx, stop := context.WithCancel(d.ep.ctx)
	defer stop()
	if d.out.hurry = stop; d.phase != early {
		stop()
	}
	d.mu.Unlock()
	way, err := d.ep.next(ctx, &d.out.tries)
	d.mu.Lock()
	switch {
	case d.phase == leaving && d.out.req == nil: // it never left
		d.finish(d.bye.ended)
		d.release()
		fallthrough
	case d.phase != early:
		d.mu.Unlock()
		return
	case err != nil:
		d.finish(Ended{Status: sip.StatusServiceUnavailable, Reason: err.Error(), By: Local, Why: Unreachable})
		d.release()
		d.mu.Unlock()
		return
	}
	req := d.inviteBy(way)
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
	switch {
	case err == nil:
		d.out.tx = tx
		d.waitFor(seq)
	case !d.failed(err):
		d.finish(Ended{Status: sip.StatusServiceUnavailable, Reason: d.out.tries.told(err.Error()), By: Local, Why: Unreachable})
		d.release()
	}
}

// inviteBy makes the INVITE that goes by a way. d.mu is held.
func (d *Dialog) inviteBy(way *way) *outbound {
	d.self.contact = way.contact(d.self.from.Address.User, d.peer.target.Scheme == "sips")
	d.peer.network, d.peer.name = way.place.Network, way.place.Name
	req := d.request(sip.INVITE)
	req.way = way
	*req.MaxForwards() = sip.MaxForwardsHeader(d.out.forwards)
	req.AppendHeader(d.self.contact.Clone())
	req.AppendHeader(sip.NewHeader("Allow", d.ep.allowed()))
	d.askTimer(req.Request)
	for _, h := range d.out.headers {
		req.AppendHeader(h)
	}
	d.out.auth = d.out.credentials.apply(req.Request)
	if len(d.out.body) > 0 {
		req.AppendHeader(sip.NewHeader("Content-Type", sdpType))
		req.SetBody(d.out.body)
	}
	return req
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
	if d.out.hurry != nil {
		d.out.hurry()
	}
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
		invite := d.out.req
		d.ep.lanes.do(d.callID, func() { d.sendCancel(invite) })
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
func (d *Dialog) sendCancel(invite *outbound) {
	req := along(invite, sip.CANCEL)
	d.mu.Lock()
	for _, h := range d.bye.headers {
		req.AppendHeader(h)
	}
	d.mu.Unlock()
	if _, err := d.ep.begin(req, d.traceSent, func(error) {}); err != nil {
		d.ep.log.Warn("cancel call", "call_id", d.callID, "err", err)
	}
}

// along makes the CANCEL or the ACK that goes the way of an INVITE, as part of its
// transaction (RFC 3261 sections 9.1 and 17.1.1.3).
func along(invite *outbound, method sip.RequestMethod) *outbound {
	req := sip.NewRequest(method, *invite.Recipient.Clone())
	req.AppendHeader(invite.Via().Clone())
	sip.CopyHeaders("Route", invite.Request, req)
	forwards := sip.MaxForwardsHeader(maxForwards)
	req.AppendHeader(&forwards)
	req.AppendHeader(sip.HeaderClone(invite.From()))
	req.AppendHeader(sip.HeaderClone(invite.To()))
	req.AppendHeader(sip.HeaderClone(invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: method})
	req.SetBody(nil)
	return &outbound{Request: req, hop: invite.hop, way: invite.way}
}
