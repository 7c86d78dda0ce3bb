// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/resolve"
	"github.com/callwright/callwright/transport/sip/secure"
)

// ErrOver says that a call is not in a state any more in which what was asked
// makes sense: answered already, cancelled, or over.
var ErrOver = errors.New("the call is past that")

// farewell is how long Hangup waits for the peer before it tells Ended.
const farewell = 2 * time.Second

// phase is how far a dialog is.
type phase uint8

const (
	early     phase = iota // the INVITE has no final response
	confirmed              // it was answered
	leaving                // we hung up and wait for the peer to agree
	over                   // Ended was told; the rest is clearing up
)

// Dialog is one call, incoming or outgoing. Its methods may be called from any
// goroutine.
type Dialog struct {
	ep      *Endpoint
	handler Handler
	callID  string
	tag     string // ours
	self    self
	peer    peer

	mu      sync.Mutex
	phase   phase
	in      *incoming   // an INVITE that came, until it is settled
	out     *outgoing   // an INVITE of ours
	await   *acceptance // a 200 of ours that waits for its ACK
	asks    asks
	session session
	bye     goodbye
	refers  refers
}

// self is how we appear in a dialog.
type self struct {
	from    *sip.FromHeader // with our tag
	contact *sip.ContactHeader
	seq     uint32 // CSeq of our last request
}

// goodbye is the end of a call in the making.
type goodbye struct {
	wanted  bool // as soon as the peer has acknowledged
	ended   Ended
	headers []sip.Header
	timer   *time.Timer
	tries   int
}

// trace tells a message to the handler. It may be called with d.mu held.
func (d *Dialog) trace(m sip.Message, sent bool) {
	msg := Message{At: time.Now(), Sent: sent, Summary: summary(m), Peer: m.Source()}
	if sent {
		msg.Peer = m.Destination()
	}
	d.ep.lanes.do(d.callID, func() {
		if d.handler.Trace != nil {
			d.handler.Trace(msg)
		}
	})
}

// heard tells a message that came. It may not be called with d.mu held: an answer
// of ours that it is the answer to is told first.
func (d *Dialog) heard(m sip.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trace(m, false)
}

func (d *Dialog) traceSent(m sip.Message) { d.trace(m, true) }

// emit tells an event. It may be called with d.mu held.
func (d *Dialog) emit(ev Event) {
	d.ep.lanes.do(d.callID, func() {
		if d.handler.Event != nil {
			d.handler.Event(ev)
		}
	})
}

// summary is the start line without the version.
func summary(m sip.Message) string {
	switch m := m.(type) {
	case *sip.Request:
		return string(m.Method) + " " + m.Recipient.String()
	case *sip.Response:
		return strconv.Itoa(m.StatusCode) + " " + m.Reason
	}
	return ""
}

// finish tells Ended, once. d.mu is held.
func (d *Dialog) finish(ended Ended) {
	if d.phase == over {
		return
	}
	d.phase = over
	d.emit(ended)
}

// release forgets the dialog. d.mu is held.
func (d *Dialog) release() {
	if d.bye.timer != nil {
		d.bye.timer.Stop()
	}
	if d.out != nil {
		d.out.tries.stop()
		if d.out.timer != nil {
			d.out.timer.Stop()
		}
	}
	d.await.stop()
	if d.asks.retry != nil {
		d.asks.retry.Stop()
	}
	d.session.stop()
	d.await, d.asks = nil, asks{}
	d.settle()
	d.ep.dialogs.remove(d)
}

// settle forgets the INVITE that began the dialog. d.mu is held.
func (d *Dialog) settle() {
	if d.in != nil {
		d.in.reliable.stop()
		d.ep.dialogs.settle(d.in.key)
		d.in = nil
	}
}

// Hangup ends the call, whatever its state: refuses it with a status, cancels it
// or says BYE. Ended follows at the latest two seconds later. The headers go
// with what is sent, for example a Reason; one that is no header is left out.
func (d *Dialog) Hangup(status int, phrase string, headers ...Header) {
	var hs []sip.Header
	for _, h := range headers {
		if sh, err := h.sipHeader(); err == nil {
			hs = append(hs, sh)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.phase == leaving || d.phase == over:
	case d.phase == early && d.in != nil:
		d.reject(status, phrase, hs)
		d.finish(Ended{Status: status, Reason: fmt.Sprintf("answered with %d %s", status, phrase), By: Local})
		d.release()
	case d.phase == early:
		d.bye.headers = hs
		d.cancel(Ended{Status: sip.StatusRequestTerminated, Reason: "cancelled", By: Local})
	default:
		d.bye.headers = hs
		d.leave(Ended{Reason: "hung up", By: Local})
	}
}

// leave says BYE and tells ended when the peer has answered it, or soon after.
// An answer of ours that is not acknowledged yet must be first (RFC 3261
// section 15). d.mu is held.
func (d *Dialog) leave(ended Ended) {
	d.phase = leaving
	d.bye.ended = ended
	d.session.stop()
	d.bye.timer = time.AfterFunc(farewell, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.finish(ended)
	})
	if d.await != nil {
		d.bye.wanted = true
		return
	}
	d.ep.lanes.do(d.callID, d.sendBye)
}

// sendBye runs in the dialog's lane.
func (d *Dialog) sendBye() {
	d.mu.Lock()
	d.bye.wanted = false
	d.bye.tries++
	req := d.request(sip.BYE)
	for _, h := range d.bye.headers {
		req.AppendHeader(h)
	}
	if d.out != nil {
		d.out.credentials.apply(req.Request)
	}
	d.mu.Unlock()
	_, err := d.ep.begin(req, d.traceSent, func(error) {
		d.ep.lanes.do(d.callID, func() { d.byeOver(req.CSeq().SeqNo) })
	})
	if err != nil {
		d.ep.log.Warn("say BYE", "call_id", d.callID, "err", err)
		d.byeOver(req.CSeq().SeqNo)
	}
}

// byeOver ends the dialog after a BYE of ours, if that was the last one.
func (d *Dialog) byeOver(seq uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if seq == d.self.seq {
		d.finish(d.bye.ended)
		d.release()
	}
}

func (d *Dialog) onResponse(res *sip.Response) {
	if d.onReply(res) {
		return
	}
	switch res.CSeq().MethodName {
	case sip.INVITE:
		if d.out != nil {
			d.onInviteResponse(res)
		}
	case sip.BYE:
		d.mu.Lock()
		tag, _ := d.peer.to.Params.Get("tag")
		if from, _ := res.To().Params.Get("tag"); res.IsProvisional() || from != tag {
			d.mu.Unlock() // the other is for a BYE to another fork
			return
		}
		again := d.out != nil && d.bye.tries < 2 && d.out.credentials.answer(res)
		d.mu.Unlock()
		if again {
			d.sendBye()
			return
		}
		d.byeOver(res.CSeq().SeqNo)
	}
}

// abandon ends the dialog without waiting for anything.
func (d *Dialog) abandon() {
	d.Hangup(sip.StatusServiceUnavailable, "Service Unavailable")
	d.mu.Lock()
	defer d.mu.Unlock()
	d.finish(Ended{Reason: "the SIP endpoint was closed", By: Local})
	if d.bye.wanted {
		d.ep.lanes.do(d.callID, d.sendBye)
	}
	// What Hangup has put into the lane still runs, and may arm no timer.
	d.ep.lanes.do(d.callID, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.release()
	})
}

// request makes the next request inside the dialog (RFC 3261 section 12.2.1.1).
// d.mu is held.
func (d *Dialog) request(method sip.RequestMethod) *outbound { return d.requestTo(&d.peer, method) }

// requestTo makes it for one of several early dialogs. d.mu is held.
func (d *Dialog) requestTo(p *peer, method sip.RequestMethod) *outbound {
	if method != sip.ACK {
		d.self.seq++
	}
	return d.ep.inside(p, method, d.self.from, d.callID, d.self.seq)
}

// inside makes a request inside a dialog with a peer (RFC 3261 section 12.2.1.1).
func (e *Endpoint) inside(p *peer, method sip.RequestMethod, from *sip.FromHeader, callID string, seq uint32) *outbound {
	uri, routes := p.target, slices.Clone(p.routes)
	if len(routes) > 0 && !routes[0].UriParams.Has("lr") { // a strict router
		uri, routes = routes[0], append(routes[1:], p.target)
	}
	req := e.compose(method, uri, from, p.to, callID, seq)
	req.Recipient.Headers = nil // a peer's URI may ask for a Route of its choice (RFC 3261 section 19.1.5)
	for _, r := range slices.Backward(routes) {
		req.PrependHeader(&sip.RouteHeader{Address: *r.Clone()})
	}
	next := uri
	if len(p.routes) > 0 {
		next = p.routes[0]
	}
	h := hopTo(next, p.network)
	if len(p.routes) == 0 {
		h = p.byFlow(e, h)
	}
	h.client, h.name = p.client, p.name
	return e.direct(req, h)
}

// byFlow gives the way that the call came by in place of the one that its URIs
// say, where it is to be used.
func (p *peer) byFlow(e *Endpoint, h hop) hop {
	switch {
	case !p.flow.IsValid():
	case p.network == "UDP" && p.pinned, p.network != "UDP" && (p.pinned || h.to.Network == p.network) && e.streams.Find(p.network, p.flow) != nil:
		h.to = resolve.Target{Host: p.flow.Addr().String(), Port: int(p.flow.Port()), Network: p.network}
		h.heard = true
	}
	return h
}

// Secure says what connections to the peer by TLS are secured with, if there must
// be new ones.
func (d *Dialog) Secure(client secure.Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.peer.client = client
}

// Pin has what we send inside the call go to where it came from, whatever the
// peer's Contact says: behind a NAT that leads nowhere.
func (d *Dialog) Pin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.peer.pinned = true
}
