// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"fmt"

	"github.com/emiago/sipgo/sip"
)

// Reply is what came of a request of ours inside a call.
type Reply struct {
	// Status is that of the final response; 408 if none came, 503 if the
	// request could not be sent.
	Status int
	// Reason says it to a person: "415 Unsupported Media Type".
	Reason string
	// Peer is where it was asked: "192.0.2.1:5060".
	Peer string
	// Body is the session description of an answer to Reinvite.
	Body []byte
}

// OK says whether the request was accepted.
func (r Reply) OK() bool { return r.Status/100 == 2 }

// question is a request of ours inside a call.
type question struct {
	method      sip.RequestMethod
	contentType string
	body        []byte
	tries       int
	peer        string
	auth        []sip.Header // its credentials, for the ACK
	done        func(Reply)  // nil when it was called
}

// Info sends something beside the call (RFC 6086). done is told what came of
// it, by the rules of a Handler; it is not called when the call ends before.
// ErrOver says that the call is not in a state in which that can be sent.
func (d *Dialog) Info(contentType string, body []byte, done func(Reply)) error {
	return d.ask(&question{method: sip.INFO, contentType: contentType, body: body, done: done})
}

// Reinvite offers the peer another session (RFC 3261 section 14.1). done is told
// what came of it, as for Info.
func (d *Dialog) Reinvite(offer []byte, done func(Reply)) error {
	return d.ask(&question{method: sip.INVITE, contentType: "application/sdp", body: offer, done: done})
}

func (d *Dialog) ask(q *question) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phase != confirmed {
		return ErrOver
	}
	d.ep.lanes.do(d.callID, func() { d.sendQuestion(q) })
	return nil
}

// sendQuestion runs in the dialog's lane.
func (d *Dialog) sendQuestion(q *question) {
	d.mu.Lock()
	if d.phase != confirmed {
		d.mu.Unlock()
		return
	}
	q.tries++
	req := d.request(q.method)
	if q.method == sip.INVITE {
		req.AppendHeader(d.self.contact.Clone())
		req.AppendHeader(sip.NewHeader("Allow", allow))
	}
	if d.out != nil {
		q.auth = d.out.credentials.apply(req)
	}
	req.AppendHeader(sip.NewHeader("Content-Type", q.contentType))
	req.SetBody(q.body)
	q.peer = req.Destination()
	seq := req.CSeq().SeqNo
	if d.asked == nil {
		d.asked = map[uint32]*question{}
	}
	d.asked[seq] = q
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
	q := d.asked[seq]
	if q == nil || q.done == nil {
		return
	}
	reply := Reply{Status: sip.StatusServiceUnavailable, Peer: q.peer}
	switch {
	case errors.Is(err, sip.ErrTransactionTimeout):
		reply.Status, reply.Reason = sip.StatusRequestTimeout, fmt.Sprintf("no answer to %s for %v", q.method, sip.Timer_F)
	case err != nil:
		reply.Reason = err.Error()
	default:
		return // its response is on its way through the lane
	}
	d.replied(seq, q, reply)
}

// replied tells what came of a question. d.mu is held.
func (d *Dialog) replied(seq uint32, q *question, reply Reply) {
	done := q.done
	if q.done = nil; q.method != sip.INVITE {
		delete(d.asked, seq) // an INVITE's answer may come again, for its ACK
	}
	d.mu.Unlock() // done may use the dialog
	done(reply)
	d.mu.Lock()
}

// onReply takes a response to a question, and says whether it was to one.
func (d *Dialog) onReply(res *sip.Response) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	seq := res.CSeq().SeqNo
	q := d.asked[seq]
	if q == nil || q.method != res.CSeq().MethodName {
		return false
	}
	if res.IsProvisional() {
		return true
	}
	if q.method == sip.INVITE && res.IsSuccess() {
		if c := res.Contact(); c != nil {
			d.peer.target = *c.Address.Clone()
		}
		d.acknowledge(seq, q.auth)
	}
	switch {
	case q.done == nil: // it came again
	case d.phase == confirmed && d.out != nil && q.tries < 2 && d.out.credentials.answer(res):
		delete(d.asked, seq)
		d.ep.lanes.do(d.callID, func() { d.sendQuestion(q) })
	default:
		d.replied(seq, q, Reply{Status: res.StatusCode, Reason: summary(res), Peer: q.peer, Body: res.Body()})
	}
	return true
}
