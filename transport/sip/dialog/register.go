// SPDX-License-Identifier: MIT

package dialog

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/secure"
)

// Asking is how a peer is asked for something outside of any call.
type Asking struct {
	// To is the peer, "sip:192.0.2.1:5060;transport=tcp", and User who asks: for a
	// REGISTER whose address it is about.
	To, User string
	// Username and Password answer a digest challenge.
	Username, Password string
	// TLS is what connections by TLS are secured with.
	TLS secure.Client
}

// Asker asks a peer outside of any call, time and again: with one Call-ID, a CSeq
// that counts (RFC 3261 section 10.2.4) and a nonce as long as it lasts. It asks
// one thing at a time.
type Asker struct {
	ep          *Endpoint
	target      sip.Uri
	hop         hop
	from        *sip.FromHeader
	callID      string
	seq         uint32
	credentials credentials
	// to is the other side of its subscription, once there is one.
	to *sip.ToHeader
	// lost is closed when the connection has ended that the last registration
	// came by; forget has nobody wait for that.
	lost   chan struct{}
	forget func()
}

// Asker makes one. The error says what is wrong with what was given.
func (e *Endpoint) Asker(a Asking) (*Asker, error) {
	target, err := parseURI(a.To)
	if err != nil {
		return nil, fmt.Errorf("who is asked: %w", err)
	}
	from, err := Party{URI: a.User}.from(e.newTag())
	if err != nil {
		return nil, fmt.Errorf("who asks: %w", err)
	}
	h := hopTo(target, "")
	h.client = a.TLS
	return &Asker{
		ep: e, target: target, hop: h, from: from, callID: token(16),
		credentials: credentials{username: a.Username, password: a.Password}, forget: func() {},
	}, nil
}

// Lost gives what is closed when the connection has ended by which we registered
// last. Who calls us back over it cannot any more. Over UDP it never is.
func (a *Asker) Lost() <-chan struct{} { return a.lost }

// Register asks a registrar to know the user at contacts for some seconds, or to
// forget them with 0 (RFC 3261 section 10.2). A contact is "<sip:alice@192.0.2.7>"
// or "*"; none asks what is known. The answer is the final response. The error is
// that none came, at the latest when the transaction gives up.
func (a *Asker) Register(ctx context.Context, contacts []string, expires int) (Response, error) {
	var headers []sip.Header
	for _, c := range contacts {
		h, err := Header{"Contact", c}.sipHeader()
		if err != nil {
			return Response{}, err
		}
		headers = append(headers, h)
	}
	return a.ask(ctx, sip.REGISTER, append(headers, sip.NewHeader("Expires", strconv.Itoa(expires))))
}

// Options asks whether the peer is there (RFC 3261 section 11). The answer is as
// for Register.
func (a *Asker) Options(ctx context.Context) (Response, error) {
	return a.ask(ctx, sip.OPTIONS, []sip.Header{sip.NewHeader("Accept", sdpType)})
}

// Subscribe asks to be notified of an event for some seconds, or once with 0 (RFC
// 6665). What follows on a yes refreshes that subscription or, with 0, ends it. The
// answer is as for Register; notifications go to Config.Notified.
func (a *Asker) Subscribe(ctx context.Context, event string, expires int, more ...Header) (Response, error) {
	contact, err := a.Contact(ctx, a.from.Address.User)
	if err != nil {
		return Response{}, err
	}
	var headers []sip.Header
	for _, h := range append([]Header{{"Event", event}, {"Contact", contact}, {"Expires", strconv.Itoa(expires)}}, more...) {
		sh, err := h.sipHeader()
		if err != nil {
			return Response{}, err
		}
		headers = append(headers, sh)
	}
	return a.ask(ctx, sip.SUBSCRIBE, headers)
}

// Contact is where the peer reaches us as a user: "<sip:user@192.0.2.7:5060>". It may
// wait for the DNS and for a connection.
func (a *Asker) Contact(ctx context.Context, user string) (string, error) {
	w, err := a.ep.next(ctx, &tries{hop: a.hop})
	if err != nil {
		return "", err
	}
	return w.contact(user, a.target.Scheme == "sips").Value(), nil
}

// ask asks, and once more with credentials as often as that makes sense.
func (a *Asker) ask(ctx context.Context, method sip.RequestMethod, headers []sip.Header) (Response, error) {
	tag, _ := a.from.Params.Get("tag")
	defer a.ep.asking.Delete(tag)
	for {
		a.seq++
		req := a.request(method, headers)
		var err error
		if req.way, err = a.ep.next(ctx, &tries{hop: a.hop}); err != nil {
			return Response{}, fmt.Errorf("%s to %s: %w", method, a.target.String(), err)
		}
		answer, over := make(chan *sip.Response, 1), make(chan error, 1)
		a.ep.asking.Store(tag, awaited{a.seq, answer})
		tx, err := a.ep.begin(req, func(sip.Message) {}, func(err error) { over <- err })
		if err != nil {
			return Response{}, err
		}
		res, err := a.ep.final(ctx, a.callID, answer, over)
		if err != nil {
			tx.Terminate()
			return Response{}, fmt.Errorf("%s to %s: %w", method, a.target.String(), err)
		}
		if a.credentials.answer(res) {
			continue
		}
		if method == sip.SUBSCRIBE && res.IsSuccess() {
			a.joins(res)
		}
		if method == sip.REGISTER {
			a.forget()
			lost := make(chan struct{})
			a.lost, a.forget = lost, onClose(req.way.conn, func(error) { close(lost) })
		}
		return responseOf(res), nil
	}
}

// joins takes that a SUBSCRIBE was accepted: what follows is inside its dialog.
func (a *Asker) joins(res *sip.Response) {
	a.to = res.To()
	if c := res.Contact(); c != nil {
		a.target = *c.Address.Clone()
	}
}

// request makes a request that is ready to be sent.
func (a *Asker) request(method sip.RequestMethod, headers []sip.Header) *outbound {
	to := &sip.ToHeader{Address: *a.from.Address.Clone()}
	switch {
	case a.to != nil:
		to = a.to
	case method != sip.REGISTER:
		to.Address = sip.Uri{Scheme: a.target.Scheme, User: a.target.User, Host: a.target.Host, Port: a.target.Port}
	}
	req := a.ep.compose(method, *a.target.Clone(), a.from, to, a.callID, a.seq)
	for _, h := range headers {
		req.AppendHeader(h)
	}
	a.credentials.apply(req)
	return a.ep.direct(req, a.hop)
}

// awaited is the final response to the request with a CSeq number.
type awaited struct {
	seq    uint32
	answer chan *sip.Response
}

// final waits for a final response. over is told how its transaction ended.
func (e *Endpoint) final(ctx context.Context, callID string, answer <-chan *sip.Response, over <-chan error) (*sip.Response, error) {
	var ended error
	select {
	case res := <-answer:
		return res, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case ended = <-over:
	}
	// The response that ended the transaction may still be on its way through the
	// lane.
	passed := make(chan struct{})
	if e.lanes.do(callID, func() { close(passed) }) {
		<-passed
	}
	select {
	case res := <-answer:
		return res, nil
	default:
	}
	if ended == nil || errors.Is(ended, sip.ErrTransactionTerminated) { // as sipgo tells of any end that is no failure
		return nil, ErrOver // the endpoint was closed
	}
	return nil, ended
}

// answered takes a response to what an Asker asked. Repetitions, also of what
// was answered to an earlier request, must not stand in the way of the one that
// is awaited.
func (e *Endpoint) answered(tag string, res *sip.Response) {
	of, ok := e.asking.Load(tag)
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
	r.Source, _ = netip.ParseAddrPort(res.Source())
	for _, h := range res.Headers() {
		r.Headers = append(r.Headers, Header{Name: h.Name(), Value: h.Value()})
	}
	return r
}
