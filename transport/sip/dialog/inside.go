// SPDX-License-Identifier: MIT

package dialog

import (
	"github.com/emiago/sipgo/sip"
)

// statusUnavailable is 480.
const statusUnavailable = sip.StatusTemporarilyUnavailable

// answerer answers a request inside the dialog.
type answerer func(status int, phrase string, body []byte, headers ...sip.Header)

// onRequest takes a request inside the dialog (RFC 3261 section 12.2.2).
func (d *Dialog) onRequest(r *inbound, tx *serverTx) {
	d.mu.Lock()
	defer d.mu.Unlock()
	answer := func(status int, phrase string, body []byte, headers ...sip.Header) {
		if err := tx.Respond(d.ep.response(r.Request, d.tag, status, phrase, body, headers...)); err != nil {
			d.ep.log.Debug("answer inside dialog", "call_id", d.callID, "request", summary(r.Request), "err", err)
		}
	}
	p, f := d.sender(r)
	switch {
	case p == nil:
		answer(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist", nil)
		return
	case r.CSeq().SeqNo < p.seq:
		answer(sip.StatusInternalServerError, "CSeq Out Of Order", nil)
		return
	}
	p.seq = r.CSeq().SeqNo
	if no := unsupported(r.Request); no != "" && r.Method != sip.BYE {
		answer(sip.StatusBadExtension, "Bad Extension", nil, sip.NewHeader("Unsupported", no))
		return
	}
	switch r.Method {
	case sip.BYE:
		answer(sip.StatusOK, "OK", nil)
		d.onBye()
	case sip.INVITE, sip.UPDATE:
		d.onChange(r, tx, f, answer)
	case sip.PRACK:
		d.onPrack(r, answer)
	case sip.INFO:
		d.onInfo(r, answer)
	case sip.OPTIONS:
		answer(sip.StatusOK, "OK", nil, d.ep.abilities()...)
	case sip.REFER:
		d.onRefer(r, answer)
	case sip.NOTIFY:
		d.onNotify(r, answer)
	case sip.SUBSCRIBE, sip.MESSAGE, sip.REGISTER, sip.PUBLISH:
		answer(sip.StatusMethodNotAllowed, "Method Not Allowed", nil, sip.NewHeader("Allow", d.ep.allowed()))
	default:
		answer(sip.StatusNotImplemented, "Not Implemented", nil, sip.NewHeader("Allow", d.ep.allowed()))
	}
}

// abilities are the headers of an answer to OPTIONS (RFC 3261 section 11.2).
func (e *Endpoint) abilities() []sip.Header {
	return append([]sip.Header{
		sip.NewHeader("Allow", e.allowed()), sip.NewHeader("Accept", sdpType), sip.NewHeader("Supported", supported),
	}, e.events()...)
}

// sender gives the side of the dialog that a request comes from, and the early
// dialog if it is one of a call of ours; nil if it is none of them. d.mu is held.
func (d *Dialog) sender(r *inbound) (*peer, *fork) {
	from, _ := r.From().Params.Get("tag")
	if d.out != nil && d.phase == early {
		if f := d.out.forks[from]; f != nil {
			return &f.peer, f
		}
		return nil, nil
	}
	if tag, _ := d.peer.to.Params.Get("tag"); tag != from {
		return nil, nil
	}
	return &d.peer, nil
}

// onBye ends the dialog: the peer hung up. A caller that says BYE has seen our
// answer, whatever became of its ACK. d.mu is held.
func (d *Dialog) onBye() {
	switch {
	case d.phase == leaving: // we did too
		d.finish(d.bye.ended)
	case d.phase == early && d.in != nil: // RFC 3261 section 15.1.2
		d.reject(sip.StatusRequestTerminated, "Request Terminated", nil)
		d.finish(Ended{Status: sip.StatusRequestTerminated, Reason: "the caller hung up before an answer", By: Remote})
	default:
		d.bye.wanted = false
		if d.await != nil {
			d.acknowledged(nil)
		}
		d.finish(Ended{Reason: "the other side hung up", By: Remote})
	}
	d.release()
}

// onInfo takes an INFO, which is a keep-alive when it is empty. d.mu is held.
func (d *Dialog) onInfo(r *inbound, answer answerer) {
	status := sip.StatusUnsupportedMediaType
	switch {
	case d.phase != early && d.phase != confirmed:
		answer(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist", nil)
		return
	case len(r.Body()) == 0:
		status = sip.StatusOK
	case d.handler.Info != nil && r.ContentType() != nil:
		d.mu.Unlock() // Info may use the dialog
		status = d.handler.Info(r.ContentType().Value(), r.Body())
		d.mu.Lock()
	}
	switch status {
	case sip.StatusOK:
		answer(status, "OK", nil)
	case sip.StatusUnsupportedMediaType:
		answer(status, "Unsupported Media Type", nil, sip.NewHeader("Accept", d.handler.InfoTypes))
	default:
		answer(status, "Bad Request", nil)
	}
}

// onChange takes a re-INVITE or an UPDATE: the peer wants to change the session,
// to move (a new Contact), or to see whether we are still there. f is the early
// dialog that it is for, if it is for one of a call of ours. d.mu is held.
func (d *Dialog) onChange(r *inbound, tx *serverTx, f *fork, answer answerer) {
	switch status := d.busy(r, f); {
	case d.phase != early && d.phase != confirmed:
		answer(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist", nil)
		return
	case !carriesSDP(r.Request):
		answer(sip.StatusUnsupportedMediaType, "Unsupported Media Type", nil, sip.NewHeader("Accept", sdpType))
		return
	case tooShort(r.Request):
		answer(statusTooShort, "Session Interval Too Small", nil, minSE())
		return
	case status == sip.StatusRequestPending:
		answer(status, "Request Pending", nil)
		return
	case status != 0:
		answer(status, "Server Internal Error", nil, later())
		return
	}
	if d.phase == confirmed && d.await != nil { // who goes on has seen our answer
		d.acknowledged(nil)
	}
	var body []byte
	if r.Method == sip.INVITE || len(r.Body()) > 0 {
		var err error
		if body, err = d.offered(r.Body()); err != nil || d.phase != early && d.phase != confirmed {
			answer(sip.StatusNotAcceptableHere, "Not Acceptable Here", nil)
			return
		}
	}
	d.changed(r, tx, f, body)
}

// changed says yes to a re-INVITE or an UPDATE. d.mu is held.
func (d *Dialog) changed(r *inbound, tx *serverTx, f *fork, body []byte) {
	p, timer := &d.peer, []sip.Header(nil)
	if f != nil && d.phase == early {
		p = &f.peer
	}
	p.refresh(r.Request)
	if d.phase == confirmed {
		timer = d.giveTimer(r.Request)
	}
	ok := d.respond(r.Request, sip.StatusOK, "OK", body, timer...)
	err := error(nil)
	if r.Method == sip.INVITE {
		err = d.accept(tx, ok, r.Request)
	} else {
		err = tx.Respond(ok)
	}
	if err != nil {
		d.ep.log.Debug("answer inside dialog", "call_id", d.callID, "err", err)
	}
}
