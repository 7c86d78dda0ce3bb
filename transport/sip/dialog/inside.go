// SPDX-License-Identifier: MIT

package dialog

import (
	"github.com/emiago/sipgo/sip"
)

// statusUnavailable is 480.
const statusUnavailable = sip.StatusTemporarilyUnavailable

// acceptInfo is the Accept header of what may be in an INFO.
const acceptInfo = "application/dtmf-relay, application/dtmf"

// onRequest takes a request inside the dialog (RFC 3261 section 12.2.2).
func (d *Dialog) onRequest(r *inbound, tx *serverTx) {
	d.mu.Lock()
	defer d.mu.Unlock()
	answer := func(status int, phrase string, headers ...sip.Header) {
		if err := tx.Respond(d.ep.response(r.Request, d.tag, status, phrase, nil, headers...)); err != nil {
			d.ep.log.Debug("answer inside dialog", "call_id", d.callID, "request", summary(r.Request), "error", err)
		}
	}
	from, _ := r.From().Params.Get("tag")
	if tag, known := d.peer.to.Params.Get("tag"); known && tag != from {
		answer(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
		return
	}
	if r.CSeq().SeqNo < d.peer.seq {
		answer(sip.StatusInternalServerError, "CSeq Out Of Order")
		return
	}
	d.peer.seq = r.CSeq().SeqNo
	switch r.Method {
	case sip.BYE:
		answer(sip.StatusOK, "OK")
		d.onBye()
	case sip.INVITE, sip.UPDATE:
		d.onOffer(r, tx, answer)
	case sip.INFO:
		d.onInfo(r, answer)
	case sip.REFER, sip.NOTIFY, sip.SUBSCRIBE, sip.MESSAGE, sip.PRACK, sip.REGISTER, sip.PUBLISH:
		answer(sip.StatusMethodNotAllowed, "Method Not Allowed", sip.NewHeader("Allow", allow))
	default:
		answer(sip.StatusNotImplemented, "Not Implemented", sip.NewHeader("Allow", allow))
	}
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
func (d *Dialog) onInfo(r *inbound, answer func(int, string, ...sip.Header)) {
	status := sip.StatusUnsupportedMediaType
	switch {
	case d.phase != early && d.phase != confirmed:
		answer(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
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
		answer(status, "OK")
	case sip.StatusUnsupportedMediaType:
		answer(status, "Unsupported Media Type", sip.NewHeader("Accept", acceptInfo))
	default:
		answer(status, "Bad Request")
	}
}

// onOffer takes a re-INVITE or an UPDATE: the peer wants to change the session,
// to move (a new Contact), or to see whether we are still there. d.mu is held.
func (d *Dialog) onOffer(r *inbound, tx *serverTx, answer func(int, string, ...sip.Header)) {
	switch {
	case d.phase == early:
		answer(sip.StatusRequestPending, "Request Pending")
		return
	case d.phase != confirmed:
		answer(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
		return
	case !carriesSDP(r.Request):
		answer(sip.StatusUnsupportedMediaType, "Unsupported Media Type", sip.NewHeader("Accept", "application/sdp"))
		return
	}
	if d.await != nil { // who goes on has seen our answer
		d.acknowledged(nil)
	}
	var body []byte
	if r.Method == sip.INVITE || len(r.Body()) > 0 {
		var err error = ErrOver
		if d.handler.Offer != nil {
			d.mu.Unlock() // Offer may use the dialog
			body, err = d.handler.Offer(r.Body())
			d.mu.Lock()
		}
		if err != nil || d.phase != confirmed {
			d.ep.log.Info("refused a change of the session with 488", "call_id", d.callID, "error", err)
			answer(sip.StatusNotAcceptableHere, "Not Acceptable Here")
			return
		}
	}
	if c := r.Contact(); c != nil {
		d.peer.target = *c.Address.Clone()
	}
	ok := d.respond(r.Request, sip.StatusOK, "OK", body)
	err := error(nil)
	if r.Method == sip.INVITE {
		err = d.accept(tx, ok, r.CSeq().SeqNo)
	} else {
		err = tx.Respond(ok)
	}
	if err != nil {
		d.ep.log.Debug("answer inside dialog", "call_id", d.callID, "error", err)
	}
}
