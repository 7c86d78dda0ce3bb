// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/emiago/sipgo/sip"
)

// Registration is what is asked of a registrar (RFC 3261 section 10.2).
type Registration struct {
	// To is the registrar, "sip:192.0.2.1:5060;transport=tcp", and User whose
	// address it is about.
	To, User string
	// Contacts are where the user is, "<sip:alice@192.0.2.7>", "*", or none to
	// ask what is known; Expires is for how many seconds, 0 to be forgotten.
	Contacts []string
	Expires  int
	// Username and Password answer a digest challenge.
	Username, Password string
}

// Register asks a registrar and gives its final response. The error is that none
// came, at the latest when the transaction gives up.
func (e *Endpoint) Register(r Registration) (Response, error) {
	target, err := parseURI(r.To)
	if err != nil {
		return Response{}, fmt.Errorf("registrar: %w", err)
	}
	tag, callID := e.newTag(), token(16)
	from, err := Party{URI: r.User}.from(tag)
	if err != nil {
		return Response{}, fmt.Errorf("who registers: %w", err)
	}
	defer e.registering.Delete(tag)
	credentials := credentials{username: r.Username, password: r.Password}
	for seq := uint32(1); ; seq++ {
		req := r.request(target, from, callID, seq)
		network, address := hop(target, "UDP")
		e.direct(req, network, address)
		credentials.apply(req)
		answer, over := make(chan *sip.Response, 1), make(chan error, 1)
		e.registering.Store(tag, awaited{seq, answer})
		if _, err := e.begin(req, func(sip.Message) {}, func(err error) { over <- err }); err != nil {
			return Response{}, err
		}
		res, err := e.final(callID, answer, over)
		if err != nil {
			return Response{}, fmt.Errorf("register at %s: %w", r.To, err)
		}
		if !credentials.answer(res) {
			return responseOf(res), nil
		}
	}
}

// request makes a REGISTER.
func (r Registration) request(target sip.Uri, from *sip.FromHeader, callID string, seq uint32) *sip.Request {
	req := sip.NewRequest(sip.REGISTER, target)
	forwards, id := sip.MaxForwardsHeader(70), sip.CallIDHeader(callID)
	req.AppendHeader(&forwards)
	req.AppendHeader(sip.HeaderClone(from))
	req.AppendHeader(&sip.ToHeader{Address: *from.Address.Clone()})
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: sip.REGISTER})
	for _, c := range r.Contacts {
		req.AppendHeader(sip.NewHeader("Contact", c))
	}
	req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(r.Expires)))
	req.SetBody(nil)
	return req
}

// awaited is the final response to the REGISTER with a CSeq number.
type awaited struct {
	seq    uint32
	answer chan *sip.Response
}

// final waits for a final response. over is told how its transaction ended.
func (e *Endpoint) final(callID string, answer <-chan *sip.Response, over <-chan error) (*sip.Response, error) {
	select {
	case res := <-answer:
		return res, nil
	case err := <-over:
		if err != nil && !errors.Is(err, sip.ErrTransactionTerminated) {
			return nil, err
		}
	}
	// That is how sipgo tells of any end that is no failure. The response that
	// ended the transaction may still be on its way through the lane.
	passed := make(chan struct{})
	if e.lanes.do(callID, func() { close(passed) }) {
		<-passed
	}
	select {
	case res := <-answer:
		return res, nil
	default:
		return nil, ErrOver // the endpoint was closed
	}
}

// registered takes a response to a REGISTER of ours. Repetitions, also of what
// was answered to an earlier one, must not stand in the way of the one that is
// awaited.
func (e *Endpoint) registered(tag string, res *sip.Response) {
	of, ok := e.registering.Load(tag)
	if !ok || res.IsProvisional() || res.CSeq().SeqNo != of.(awaited).seq {
		return
	}
	select {
	case of.(awaited).answer <- res:
	default: // a repetition of what nobody has looked at yet
	}
}

func responseOf(res *sip.Response) Response {
	r := Response{Status: res.StatusCode, Phrase: res.Reason}
	for _, h := range res.Headers() {
		r.Headers = append(r.Headers, Header{Name: h.Name(), Value: h.Value()})
	}
	return r
}
