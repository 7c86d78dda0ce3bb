// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Invitation is what a new call says about itself. Its To is who is called, by
// the Request-URI.
type Invitation struct {
	Request
	// Body is the session description offered; empty asks for an offer of ours.
	Body []byte
	// MaxForwards is how many hops the call may still take (RFC 3261 section
	// 20.22).
	MaxForwards int
}

// incoming is an INVITE that is not settled.
type incoming struct {
	req *sip.Request
	tx  *serverTx
	key string // in the registry
	// final is our 200, for a repetition that comes after the transaction.
	final    *sip.Response
	reliable reliable
}

// inviteKey identifies a request beyond its transaction (RFC 3261 section
// 8.2.2.2).
func inviteKey(req *sip.Request) string {
	tag, _ := req.From().Params.Get("tag")
	return req.CallID().Value() + " " + tag + " " + strconv.FormatUint(uint64(req.CSeq().SeqNo), 10)
}

// onInvite begins a new incoming call.
func (e *Endpoint) onInvite(r *inbound, tx *serverTx) {
	refuse := func(status int, phrase string, headers ...sip.Header) {
		_ = tx.Respond(e.response(r.Request, e.newTag(), status, phrase, nil, headers...))
	}
	if e.cfg.Incoming == nil {
		refuse(statusUnavailable, "Temporarily Unavailable")
		return
	}
	if no := unfit(r.Request); no != nil {
		e.refused(r.Request, r.source, *no)
		refuse(no.Status, no.Phrase, no.headers()...)
		return
	}
	if tooShort(r.Request) {
		refuse(statusTooShort, "Session Interval Too Small", minSE())
		return
	}
	back, err := e.back(r)
	if err != nil {
		e.log.Error("answer INVITE", "err", err)
		refuse(sip.StatusInternalServerError, "Server Internal Error")
		return
	}
	d := &Dialog{ep: e, callID: r.CallID().Value(), tag: e.newTag()}
	d.in = &incoming{req: r.Request, tx: tx, key: inviteKey(r.Request)}
	d.in.reliable.required = requires(r.Request, option100rel)
	d.in.reliable.supported = supports(r.Request, option100rel)
	from, to := r.To().AsFrom(), r.From().AsTo()
	from.Params.Add("tag", d.tag)
	d.self = self{from: &from, contact: back.contact(r.Recipient.User, r.Recipient.Scheme == "sips")}
	d.peer = peer{to: &to, seq: r.CSeq().SeqNo, network: back.place.Network, flow: r.source}
	d.peer.refresh(r.Request)
	if r.Contact() == nil { // as RFC 2543 allows
		d.peer.target, d.peer.pinned = *r.From().Address.Clone(), true
	}
	for _, h := range r.GetHeaders("Record-Route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			d.peer.routes = append(d.peer.routes, *rr.Address.Clone())
		}
	}
	if !e.dialogs.add(d, d.in.key) {
		refuse(sip.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	tx.dialog.Store(d)
	d.heard(r.Request)
	invitation := Invitation{Request: e.newRequest(r.Request, r.source), Body: r.Body(), MaxForwards: maxForwards}
	if h := r.MaxForwards(); h != nil {
		invitation.MaxForwards = int(h.Val())
	}
	invitation.To.URI = invitation.URI
	handler := e.cfg.Incoming(d, invitation)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.handler = handler
}

// carriesSDP says whether the body of a request is one that we can read, or
// none.
func carriesSDP(req *sip.Request) bool {
	if len(req.Body()) == 0 {
		return true
	}
	if req.ContentType() == nil {
		return false
	}
	kind, _, _ := strings.Cut(req.ContentType().Value(), ";")
	return strings.EqualFold(strings.TrimSpace(kind), sdpType)
}

// respond makes a response to an INVITE or UPDATE that says how to reach us.
func (d *Dialog) respond(req *sip.Request, status int, phrase string, body []byte, headers ...sip.Header) *sip.Response {
	ours := []sip.Header{d.self.contact.Clone(), sip.NewHeader("Allow", d.ep.allowed()), sip.NewHeader("Supported", supported)}
	return d.ep.response(req, d.tag, status, phrase, body, append(ours, headers...)...)
}

// Progress tells the caller that its call is being dealt with: 180 when somebody
// is alerted, 183 with a session description for early media. A caller that can
// acknowledge it gets a session description for certain (RFC 3262).
func (d *Dialog) Progress(status int, phrase string, body []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phase != early || d.in == nil || d.in.reliable.answer != nil {
		return ErrOver
	}
	if err := d.progress(status, phrase, body); err != nil {
		return fmt.Errorf("send %d: %w", status, err)
	}
	return nil
}

// Answer picks up the call. The 200 is repeated until the caller acknowledges
// it, which is told as Confirmed; a caller that never does gets a BYE after 64
// times T1 (RFC 3261 section 13.3.1.4). It waits until an earlier session
// description has got through (RFC 3262 section 3), and has none then.
func (d *Dialog) Answer(body []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phase != early || d.in == nil || d.in.reliable.answer != nil {
		return ErrOver
	}
	r := &d.in.reliable
	if r.settled {
		body = nil
	}
	ok := d.respond(d.in.req, sip.StatusOK, "OK", body, d.giveTimer(d.in.req)...)
	if r.settled && (r.open != nil || len(r.waiting) > 0) {
		r.answer = ok
		return nil
	}
	return d.pickUp(ok)
}

// pickUp sends our 200. d.mu is held.
func (d *Dialog) pickUp(ok *sip.Response) error {
	if err := d.accept(d.in.tx, ok, d.in.req); err != nil {
		return err
	}
	d.in.reliable.stop()
	d.phase = confirmed
	d.in.final = ok
	return nil
}

// reject refuses the INVITE. d.mu is held.
func (d *Dialog) reject(status int, phrase string, headers []sip.Header) {
	if status < 300 || status > 699 {
		status, phrase = statusUnavailable, "Temporarily Unavailable"
	}
	res := d.ep.response(d.in.req, d.tag, status, phrase, nil, headers...)
	if err := d.in.tx.Respond(res); err != nil {
		d.ep.log.Debug("refuse call", "call_id", d.callID, "err", err)
	}
}

// repeated takes an INVITE that is not new but whose transaction is gone, or
// that came by another way (482, RFC 3261 section 8.2.2.2).
func (d *Dialog) repeated(e *Endpoint, r *inbound, key string) {
	d.heard(r.Request)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.in == nil:
	case d.in.tx.Key() != key:
		e.reply(r, sip.StatusLoopDetected, "Loop Detected")
	case d.in.final != nil:
		_ = traced{r.conn, d.traceSent}.WriteMsg(d.in.final)
	}
}

// onCancel takes a CANCEL, which is answered already. After a final response of
// ours it has no effect (RFC 3261 section 9.2).
func (d *Dialog) onCancel(tx *serverTx) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phase != early || d.in == nil || d.in.tx != tx {
		return
	}
	d.reject(sip.StatusRequestTerminated, "Request Terminated", nil)
	d.finish(Ended{Status: sip.StatusRequestTerminated, Reason: "cancelled by the caller", By: Remote})
	d.release()
}

// lost ends a call that was not answered yet when the caller's connection ended:
// no answer would reach it.
func (d *Dialog) lost(tx *serverTx, why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phase != early || d.in == nil || d.in.tx != tx {
		return
	}
	d.finish(Ended{Status: sip.StatusRequestTerminated, Reason: "given up by the caller: " + why.Error(), By: Remote, Why: Unreachable})
	d.release()
}
