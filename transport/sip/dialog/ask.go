// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// ErrNotAllowed says that the peer does not take a method.
var ErrNotAllowed = errors.New("the peer does not allow that")

// Reply is what came of a request of ours inside a call.
type Reply struct {
	// Status is that of the final response; 408 if none came, 503 if the
	// request could not be sent.
	Status int
	// Reason says it to a person: "415 Unsupported Media Type".
	Reason string
	// Peer is where it was asked: "192.0.2.1:5060".
	Peer string
	// Body is the session description of an answer to Reinvite or Update.
	Body []byte
}

// OK says whether the request was accepted.
func (r Reply) OK() bool { return r.Status/100 == 2 }

// question is a request of ours inside a call.
type question struct {
	method      sip.RequestMethod
	headers     []sip.Header
	contentType string
	body        []byte
	// refresh says that it is there for the session timer alone, fork is the early
	// dialog that it is for.
	refresh bool
	fork    *fork
	quiet   bool // a REFER that the peer will tell us nothing more of
	tries   int  // that crossed a change of the peer's
	peer    string
	done    func(Reply) // nil when it was called
	// auth and answer go with the ACK of an INVITE: its credentials, and the
	// answer to the offer that the peer made in place of ours.
	auth   []sip.Header
	answer []byte
}

// asks are the requests of ours inside a call.
type asks struct {
	open map[uint32]*question // by CSeq
	// changing is the one that changes the session, and waiting those that are
	// to do so after it, or after what the peer changes.
	changing *question
	waiting  []*question
	retry    *time.Timer // until one is asked again
}

// Info sends something beside the call (RFC 6086). done is told what came of
// it, by the rules of a Handler; it is not called when the call ends before.
// ErrOver says that the call is not in a state in which that can be sent; another
// error that the content type is no header.
func (d *Dialog) Info(contentType string, body []byte, done func(Reply)) error {
	if _, err := (Header{"Content-Type", contentType}).sipHeader(); err != nil {
		return err
	}
	return d.ask(&question{method: sip.INFO, contentType: contentType, body: body, done: done})
}

// Reinvite offers the peer another session (RFC 3261 section 14.1). done is told
// what came of it, as for Info. It waits for its turn while another change is
// under way, and is sent again when it has crossed one of the peer's. An empty
// offer asks for one of the peer's, which the Handler answers.
func (d *Dialog) Reinvite(offer []byte, done func(Reply)) error {
	return d.ask(&question{method: sip.INVITE, contentType: sdpType, body: offer, done: done})
}

// Update does as Reinvite, without an INVITE and so also before the call is
// answered, once a session was settled reliably (RFC 3311). An empty offer
// changes nothing and says where we are. ErrNotAllowed says that the peer takes
// no UPDATE.
func (d *Dialog) Update(offer []byte, done func(Reply)) error {
	q := &question{method: sip.UPDATE, body: offer, done: done}
	if len(offer) > 0 {
		q.contentType = sdpType
	}
	return d.ask(q)
}

func (d *Dialog) ask(q *question) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := &d.peer
	switch {
	case d.phase == confirmed:
	case d.phase == early && q.method == sip.UPDATE && d.out != nil && d.out.settled != nil:
		q.fork = d.out.settled
		p = &q.fork.peer
	case d.phase == early && q.method == sip.UPDATE && d.in != nil && d.in.reliable.settled && d.in.reliable.open == nil:
	default:
		return ErrOver
	}
	if q.method == sip.UPDATE && !p.updates {
		return ErrNotAllowed
	}
	d.ep.lanes.do(d.callID, func() { d.sendQuestion(q) })
	return nil
}

// mayAsk says whether the call is in a state in which a question can be sent.
func (d *Dialog) mayAsk(q *question) bool {
	return d.phase == confirmed || d.phase == early && (q.method == sip.UPDATE || q.method == sip.PRACK) ||
		d.phase == leaving && q.method == sip.NOTIFY // it was asked before
}

// to is whom a question goes to. d.mu is held.
func (d *Dialog) to(q *question) *peer {
	if q.fork != nil && d.phase == early {
		return &q.fork.peer
	}
	return &d.peer
}

// sendQuestion runs in the dialog's lane.
func (d *Dialog) sendQuestion(q *question) {
	d.mu.Lock()
	if !d.mayAsk(q) || !d.takesTurn(q) || !d.offersAfresh(q) {
		d.mu.Unlock()
		return
	}
	req := d.requestTo(d.to(q), q.method)
	if q.changes() {
		req.AppendHeader(d.self.contact.Clone())
		req.AppendHeader(sip.NewHeader("Allow", d.ep.allowed()))
		d.askTimer(req.Request)
	}
	for _, h := range q.headers {
		req.AppendHeader(h)
	}
	if d.out != nil {
		q.auth = d.out.credentials.apply(req.Request)
	}
	if len(q.body) > 0 {
		req.AppendHeader(sip.NewHeader("Content-Type", q.contentType))
	}
	req.SetBody(q.body)
	q.peer = req.Destination()
	seq := req.CSeq().SeqNo
	if d.asks.open == nil {
		d.asks.open = map[uint32]*question{}
	}
	if q.method == sip.INVITE { // the answer to the one before has come through
		maps.DeleteFunc(d.asks.open, func(_ uint32, old *question) bool { return old.done == nil })
	}
	d.asks.open[seq] = q
	d.mu.Unlock()
	_, err := d.ep.begin(req, d.traceSent, func(err error) {
		d.ep.lanes.do(d.callID, func() { d.unanswered(seq, err) })
	})
	if err != nil {
		d.unanswered(seq, err)
	}
}

// unanswered takes the end of a question's transaction, which matters only if
// no final response came before.
func (d *Dialog) unanswered(seq uint32, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.asks.open[seq]
	if q == nil || q.done == nil {
		return
	}
	if reply, ok := noReply(q.method, err); ok {
		reply.Peer = q.peer
		d.replied(seq, q, reply)
	}
}

// noReply is what came of a request whose transaction ended without a response.
// It is false if the response is on its way through the lane.
func noReply(method sip.RequestMethod, err error) (Reply, bool) {
	switch {
	case err == nil || errors.Is(err, sip.ErrTransactionTerminated):
		return Reply{}, false
	case errors.Is(err, sip.ErrTransactionTimeout):
		return Reply{Status: sip.StatusRequestTimeout, Reason: fmt.Sprintf("no answer to %s for %v", method, sip.Timer_F)}, true
	}
	return Reply{Status: sip.StatusServiceUnavailable, Reason: err.Error()}, true
}

// replied tells what came of a question. d.mu is held.
func (d *Dialog) replied(seq uint32, q *question, reply Reply) {
	done := q.done
	if q.done = nil; q.method != sip.INVITE {
		delete(d.asks.open, seq) // an INVITE's answer may come again, for its ACK
	}
	d.passTurn(q)
	d.mu.Unlock() // done may use the dialog
	done(reply)
	d.mu.Lock()
	d.gone(q, reply)
}

// gone hangs up if the peer does not know of the call any more, or is silent when
// the session is to be changed or refreshed (RFC 3261 sections 12.2.1.2 and 14.1).
// d.mu is held.
func (d *Dialog) gone(q *question, reply Reply) {
	switch {
	case d.phase != confirmed:
	case reply.Status == sip.StatusRequestTimeout && q.changes():
		d.leave(Ended{Reason: reply.Reason, By: Timeout, Why: Expired})
	case reply.Status == sip.StatusCallTransactionDoesNotExists && q.method != sip.PRACK && q.method != sip.NOTIFY:
		d.leave(Ended{Reason: fmt.Sprintf("%s: the other side does not know of the call", reply.Reason), By: Timeout, Why: Expired})
	}
}

// onReply takes a response to a question, and says whether it was to one.
func (d *Dialog) onReply(res *sip.Response) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	seq := res.CSeq().SeqNo
	q := d.asks.open[seq]
	if q == nil || q.method != res.CSeq().MethodName {
		return false
	}
	if res.IsProvisional() {
		return true
	}
	if res.IsSuccess() {
		d.agreed(q, seq, res)
	}
	switch {
	case q.done == nil: // it came again
	case d.asksAgain(q, res):
		delete(d.asks.open, seq)
	default:
		d.replied(seq, q, Reply{Status: res.StatusCode, Reason: summary(res), Peer: q.peer, Body: res.Body()})
	}
	return true
}

// agreed takes what a 2xx to a question says of the dialog. d.mu is held.
func (d *Dialog) agreed(q *question, seq uint32, res *sip.Response) {
	if d.out != nil {
		d.out.credentials.answer(res) // nothing more is asked
	}
	q.quiet = q.method == sip.REFER && strings.EqualFold(value(res, "Refer-Sub"), "false")
	if !q.changes() {
		return
	}
	d.to(q).refresh(res)
	again := q.done == nil
	if !again && q.method == sip.INVITE && len(q.body) == 0 {
		q.answer = d.answerTo(res)
	}
	if q.method == sip.INVITE {
		d.acknowledge(seq, q.auth, q.answer)
	}
	if !again && d.phase == confirmed {
		d.takeTimer(res)
	}
}

// asksAgain says whether a refusal is one that another try may get around, and
// sees to it: with credentials, a longer session, another method, or later.
// d.mu is held.
func (d *Dialog) asksAgain(q *question, res *sip.Response) bool {
	if d.phase != confirmed && d.phase != early {
		return false
	}
	switch {
	case d.out != nil && d.out.credentials.answer(res):
	case q.changes() && d.learnLeast(res):
	case q.refresh && d.refusesUpdate(q, res):
	case q.changes() && d.crossed(q, res):
		return true
	default:
		return false
	}
	d.ep.lanes.do(d.callID, func() { d.sendQuestion(q) })
	return true
}
