// SPDX-License-Identifier: MIT

package dialog

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/stream"
)

// allow is the Allow header: what a dialog of ours understands.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY"

// drainRetryAfter is for how many seconds nobody should ask again whether we are
// there: another run of ours is soon up.
const drainRetryAfter = "5"

// takePacket takes a packet of UDP. It must not block.
func (e *Endpoint) takePacket(s *socket, source netip.AddrPort, data []byte) {
	if data = e.filter(s, source, data); len(data) > 0 {
		e.take(data, "UDP", source, s)
	}
}

// takeMessage takes a message of a connection. It must not block.
func (e *Endpoint) takeMessage(c *stream.Conn, data []byte) {
	if !e.take(data, c.Network(), c.Peer(), c) {
		_ = c.Close() // whoever sends such things has nothing to say
	}
}

// take takes every message, in the order in which they came, and puts it into the
// lane of its call. False says that it is none.
func (e *Endpoint) take(data []byte, network string, source netip.AddrPort, conn sip.Connection) bool {
	msg, err := e.parser.ParseSIP(data)
	if err != nil {
		e.quiet.Debug("read SIP message", "source", source, "network", network, "error", err)
		return false
	}
	if msg.CallID() == nil || e.closing.Load() {
		return true // without a Call-ID (RFC 3261 section 8.1.1) no answer would find its way
	}
	msg.SetTransport(network)
	msg.SetSource(source.String())
	switch m := msg.(type) {
	case *sip.Request:
		e.lanes.do(m.CallID().Value(), func() { e.onRequest(m, source, conn) })
	case *sip.Response:
		e.lanes.do(m.CallID().Value(), func() { e.onResponse(m) })
	}
	return true
}

// inbound is a request as it came: with the connection to answer by, and its
// place in the call.
type inbound struct {
	*sip.Request
	conn   sip.Connection
	source netip.AddrPort
	tag    string // of To: ours, if the request is inside a dialog
}

func (e *Endpoint) onRequest(req *sip.Request, source netip.AddrPort, conn sip.Connection) {
	if req.Via() == nil {
		return
	}
	answerTo(req, source)
	r := &inbound{Request: req, conn: conn, source: source}
	if status, phrase := malformed(req); status != 0 {
		e.reply(r, status, phrase)
		return
	}
	r.tag, _ = req.To().Params.Get("tag")
	if begins(req) || !req.IsAck() && !strings.Contains(r.tag, e.secret) {
		if no := e.turnsAway(req, source); no != nil {
			if no.Status != 0 {
				e.reply(r, no.Status, no.Phrase, no.headers()...)
			}
			return
		}
	}
	e.route(r)
}

// answerTo notes in the request where its responses go: to where it came from,
// at the port that Via names unless it asks for the very source (RFC 3261
// section 18.2.2, RFC 3581 section 4).
func answerTo(req *sip.Request, source netip.AddrPort) {
	via := req.Via()
	if via.Params.Has("rport") || sip.IsReliable(req.Transport()) {
		return
	}
	from := source.Addr().Unmap().String()
	if strings.Trim(via.Host, "[]") != from {
		via.Params.Add("received", from)
	}
	port := via.Port
	if port == 0 {
		port = sip.DefaultUdpPort
	}
	req.SetSource(net.JoinHostPort(from, strconv.Itoa(port)))
}

// malformed says what is wrong with a request that sipgo's parser let pass.
func malformed(req *sip.Request) (status int, phrase string) {
	switch {
	case req.SipVersion != "SIP/2.0":
		return sip.StatusVersionNotSupported, "Version Not Supported"
	case req.From() == nil:
		return sip.StatusBadRequest, "Missing From Header"
	case req.To() == nil:
		return sip.StatusBadRequest, "Missing To Header"
	case req.CSeq() == nil:
		return sip.StatusBadRequest, "Missing CSeq Header"
	case req.CSeq().MethodName != req.Method:
		return sip.StatusBadRequest, "CSeq Method Differs"
	case !req.From().Params.Has("tag"):
		return sip.StatusBadRequest, "Missing From Tag"
	case !strings.HasPrefix(branch(req), sip.RFC3261BranchMagicCookie):
		return sip.StatusBadRequest, "Via Branch Without Magic Cookie"
	}
	return 0, ""
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
	key, err := sip.ServerTxKeyMake(r.Request)
	if err != nil {
		return // malformed has seen to it
	}
	if tx := e.tx.findServer(key); tx != nil {
		if d := tx.dialog.Load(); d != nil {
			d.heard(r.Request)
		}
		_ = tx.Receive(r.Request) // a repetition: sipgo repeats the response
		return
	}
	if r.Method == sip.OPTIONS && r.tag == "" {
		if e.draining.Load() {
			e.reply(r, sip.StatusServiceUnavailable, "Service Unavailable", sip.NewHeader("Retry-After", drainRetryAfter))
			return
		}
		e.reply(r, sip.StatusOK, "OK", abilities()...)
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
		e.log.Debug("SIP transaction", "request", summary(r.Request), "error", err)
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
		_ = tx.Respond(e.response(r.Request, "", sip.StatusMethodNotAllowed, "Method Not Allowed", nil, sip.NewHeader("Allow", allow)))
	default:
		_ = tx.Respond(e.response(r.Request, "", sip.StatusNotImplemented, "Not Implemented", nil, sip.NewHeader("Allow", allow)))
	}
}

// onAck takes an ACK: for an answer it belongs to the dialog, for a refusal to
// the transaction of the INVITE. Some peers give the first the branch of the
// second.
func (e *Endpoint) onAck(r *inbound, d *Dialog) {
	key, _ := sip.ServerTxKeyMake(r.Request)
	tx := e.tx.findServer(key)
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
	key, _ := cancelled(r.Request)
	tx := e.tx.findServer(key)
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
		e.log.Debug("answer CANCEL", "error", err)
	}
	d.onCancel(tx)
}

// cancelled gives the key of the transaction that a CANCEL is for (RFC 3261
// section 9.2).
func cancelled(req *sip.Request) (string, error) {
	cseq := req.CSeq()
	cseq.MethodName = sip.INVITE
	defer func() { cseq.MethodName = sip.CANCEL }()
	return sip.ServerTxKeyMake(req)
}

// reply answers a request without a transaction.
func (e *Endpoint) reply(r *inbound, status int, phrase string, headers ...sip.Header) {
	if r.IsAck() {
		return
	}
	if err := r.conn.WriteMsg(e.response(r.Request, "", status, phrase, nil, headers...)); err != nil {
		e.log.Debug("answer SIP request", "request", summary(r.Request), "error", err)
	}
}

// response makes a response with our tag, or with any tag if that is empty.
func (e *Endpoint) response(req *sip.Request, tag string, status int, phrase string, body []byte, headers ...sip.Header) *sip.Response {
	res := sip.NewResponseFromRequest(req, status, phrase, nil)
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
	if res.CSeq() == nil || res.From() == nil || res.To() == nil || res.Via() == nil {
		return
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
	case res.CSeq().MethodName == sip.REGISTER, res.CSeq().MethodName == sip.OPTIONS:
		e.answered(tag, res)
	case strings.HasPrefix(tag, e.secret) && res.CSeq().MethodName == sip.INVITE && res.IsSuccess():
		e.stray(res, nil)
	}
}
