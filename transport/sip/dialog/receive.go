// SPDX-License-Identifier: MIT

package dialog

import (
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/intake"
	"github.com/callwright/callwright/transport/sip/stream"
)

// allow is what a dialog of ours understands, as the Allow header has it.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY"

// drainRetryAfter is for how many seconds nobody should ask again whether we are
// there: another run of ours is soon up.
const drainRetryAfter = "5"

// inbound is a request as it came: with the connection to answer by, and its
// place in the call.
type inbound struct {
	*sip.Request
	conn   sip.Connection
	source netip.AddrPort
	tag    string // of To: ours, if the request is inside a dialog
}

func (e *Endpoint) onRequest(req *sip.Request, source netip.AddrPort, conn sip.Connection) {
	answerTo(req, source)
	r := &inbound{Request: req, conn: conn, source: source}
	r.tag, _ = req.To().Params.Get("tag")
	if e.begins(req) || !req.IsAck() && !strings.Contains(r.tag, e.secret) {
		if e.overdoes(req, source) {
			return
		}
		if no := e.turnsAway(req, source); no != nil {
			if no.Status != 0 {
				e.reply(r, no.Status, no.Phrase, no.headers()...)
			}
			return
		}
	}
	if c, ok := conn.(*stream.Conn); ok && !req.IsAck() {
		c.Welcome()
	}
	e.route(r)
}

// answerTo notes in the request where its responses go (RFC 3261 section 18.2.2).
func answerTo(req *sip.Request, source netip.AddrPort) {
	if sip.IsReliable(req.Transport()) {
		return
	}
	via := req.Via()
	rport := via.Params.Has("rport")
	way := intake.WayBack(via.Host, via.Port, rport, source)
	if way.Received && !rport {
		via.Params.Add("received", source.Addr().Unmap().String())
	}
	req.SetSource(way.To.String())
}

func branch(m sip.Message) string {
	b, _ := m.Via().Params.Get("branch")
	return b
}

// route finds what a request belongs to.
func (e *Endpoint) route(r *inbound) {
	d := e.dialogs.find(r.tag, r.CallID().Value())
	switch r.Method {
	case sip.ACK:
		e.onAck(r, d)
		return
	case sip.CANCEL:
		e.onCancel(r)
		return
	}
	key := serverKey(r.Request)
	if tx := e.tx.findServer(key); tx != nil {
		if d := tx.dialog.Load(); d != nil {
			d.heard(r.Request)
		}
		_ = tx.Receive(r.Request) // a repetition: sipgo repeats the response
		return
	}
	if no := e.breaks(r); no != nil {
		if r.Method != sip.OPTIONS { // some ask with Max-Forwards 0 every few seconds whether we are there
			e.refused(r.Request, r.source, *no)
		}
		e.reply(r, no.Status, no.Phrase, no.headers()...)
		return
	}
	if r.Method == sip.OPTIONS && r.tag == "" {
		if e.draining.Load() {
			e.reply(r, sip.StatusServiceUnavailable, "Service Unavailable", sip.NewHeader("Retry-After", drainRetryAfter))
			return
		}
		e.reply(r, sip.StatusOK, "OK", e.abilities()...)
		return
	}
	if r.Method == sip.INVITE && r.tag == "" {
		if earlier := e.dialogs.invited(inviteKey(r.Request)); earlier != nil {
			earlier.repeated(e, r, key)
			return
		}
	}
	if d != nil {
		d.heard(r.Request)
	}
	tx, err := e.answer(key, r, d)
	if err != nil {
		e.log.Debug("SIP transaction", "request", summary(r.Request), "err", err)
		return
	}
	switch {
	case d != nil:
		d.onRequest(r, tx)
	case r.tag == "" && r.Method == sip.INVITE:
		e.onInvite(r, tx)
	case r.Method == sip.REGISTER && e.cfg.Register != nil:
		res := e.cfg.Register(e.newRequest(r.Request, r.source))
		_ = tx.Respond(e.response(r.Request, "", res.Status, res.Phrase, nil, res.headers()...))
	case r.Method == sip.SUBSCRIBE && e.cfg.Subscribe != nil:
		e.onSubscribe(r, tx)
	case r.Method == sip.NOTIFY && e.cfg.Notified != nil:
		res := e.cfg.Notified(e.newRequest(r.Request, r.source), r.Body())
		_ = tx.Respond(e.response(r.Request, "", res.Status, res.Phrase, nil, res.headers()...))
	default:
		e.refuse(r, tx)
	}
}

// refuse answers a request that belongs to nothing here.
func (e *Endpoint) refuse(r *inbound, tx *serverTx) {
	switch r.Method {
	case sip.INVITE, sip.BYE, sip.INFO, sip.UPDATE, sip.PRACK, sip.NOTIFY, sip.REFER, sip.OPTIONS:
		_ = tx.Respond(e.response(r.Request, "", sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist", nil))
	case sip.REGISTER, sip.SUBSCRIBE, sip.MESSAGE, sip.PUBLISH:
		_ = tx.Respond(e.response(r.Request, "", sip.StatusMethodNotAllowed, "Method Not Allowed", nil, sip.NewHeader("Allow", e.allowed())))
	default:
		_ = tx.Respond(e.response(r.Request, "", sip.StatusNotImplemented, "Not Implemented", nil, sip.NewHeader("Allow", e.allowed())))
	}
}

// onAck takes an ACK: for an answer it belongs to the dialog, for a refusal to
// the transaction of the INVITE. Some peers give the first the branch of the
// second.
func (e *Endpoint) onAck(r *inbound, d *Dialog) {
	tx := e.tx.findServer(serverKey(r.Request))
	if d == nil && tx != nil {
		d = tx.dialog.Load()
	}
	if d != nil {
		d.heard(r.Request)
	}
	switch {
	case tx != nil && !tx.answered.Load():
		tx.acknowledged(r.Request)
	case d != nil:
		d.onAck(r)
	}
}

// onCancel takes a CANCEL. It is answered without a transaction: that costs
// nothing, and a repetition gets the same answer.
func (e *Endpoint) onCancel(r *inbound) {
	tx := e.tx.findServer(cancelled(r.Request))
	var d *Dialog
	if tx != nil {
		d = tx.dialog.Load()
	}
	if d == nil {
		e.reply(r, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
		return
	}
	d.heard(r.Request)
	ok := e.response(r.Request, d.tag, sip.StatusOK, "OK", nil)
	if err := (traced{r.conn, d.traceSent}).WriteMsg(ok); err != nil {
		e.log.Debug("answer CANCEL", "err", err)
	}
	d.onCancel(tx)
}

// reply answers a request without a transaction.
func (e *Endpoint) reply(r *inbound, status int, phrase string, headers ...sip.Header) {
	if r.IsAck() {
		return
	}
	if err := r.conn.WriteMsg(e.response(r.Request, "", status, phrase, nil, headers...)); err != nil {
		e.log.Debug("answer SIP request", "request", summary(r.Request), "err", err)
	}
}

// response makes a response with our tag, or with any tag if that is empty.
func (e *Endpoint) response(req *sip.Request, tag string, status int, phrase string, body []byte, headers ...sip.Header) *sip.Response {
	res := sip.NewResponseFromRequest(req, status, Printable(phrase), nil)
	if to := res.To(); to != nil && tag != "" && status != sip.StatusTrying {
		to.Params.Add("tag", tag)
	}
	if e.cfg.Product != "" {
		res.AppendHeader(sip.NewHeader("Server", e.cfg.Product))
	}
	for _, h := range headers {
		res.AppendHeader(h)
	}
	if len(body) > 0 {
		res.AppendHeader(sip.NewHeader("Content-Type", sdpType))
	}
	res.SetBody(body)
	return res
}

// onResponse takes a response: to its transaction, and to its dialog.
func (e *Endpoint) onResponse(res *sip.Response) {
	if len(res.GetHeaders("Via")) != 1 || !strings.HasPrefix(branch(res), sip.RFC3261BranchMagicCookie+e.secret) {
		return // not to a request of ours (RFC 3261 sections 8.1.3.3 and 18.1.2)
	}
	tag, _ := res.From().Params.Get("tag")
	d := e.dialogs.find(tag, res.CallID().Value())
	if d != nil {
		d.heard(res)
	}
	key, err := sip.ClientTxKeyMake(res)
	if err != nil {
		return
	}
	if tx := e.tx.findClient(key); tx != nil {
		if res.CSeq().MethodName == sip.INVITE && res.StatusCode >= 300 {
			// The transaction sends the ACK. It must leave before what comes
			// of the refusal, such as an INVITE with credentials.
			receive(tx, res)
		} else {
			go receive(tx, res)
		}
	}
	switch {
	case d != nil:
		d.onResponse(res)
	case res.CSeq().MethodName == sip.REGISTER, res.CSeq().MethodName == sip.OPTIONS, res.CSeq().MethodName == sip.SUBSCRIBE:
		e.answered(tag, res)
	case res.CSeq().MethodName == sip.NOTIFY:
		if w := e.watcher(tag, res.CallID().Value()); w != nil {
			w.onResponse(res)
		}
	case strings.HasPrefix(tag, e.secret) && res.CSeq().MethodName == sip.INVITE && res.IsSuccess():
		e.stray(res, nil)
	}
}
