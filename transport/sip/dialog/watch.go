// SPDX-License-Identifier: MIT

package dialog

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Watcher is told of something outside of calls by NOTIFY, one after the other: who
// asked for it by SUBSCRIBE (RFC 6665), or a peer that has not asked.
type Watcher struct {
	ep     *Endpoint
	callID string
	tag    string // ours
	event  string // the Event header
	// The lane of the Call-ID alone touches the rest.
	self self
	peer peer
	// open has what waits for an answer, by CSeq.
	open map[uint32]notice
}

// notice is a NOTIFY of ours.
type notice struct {
	peer string
	done func(Reply)
}

// Notice is who is notified without having asked, and of what.
type Notice struct {
	// Event is the package: "message-summary".
	Event string
	// To is the URI of whom, and From who says so.
	To   string
	From Party
	// Network and Flow are where the peer was heard (see Call).
	Network, Flow string
}

// Watcher makes one of a peer that has not asked. The error says what is wrong
// with what was given.
func (e *Endpoint) Watcher(n Notice) (*Watcher, error) {
	w := &Watcher{ep: e, callID: token(16), tag: e.newTag(), event: n.Event, open: map[uint32]notice{}}
	target, err := parseURI(n.To)
	if err != nil {
		return nil, fmt.Errorf("who is notified: %w", err)
	}
	if w.self.from, err = n.From.from(w.tag); err != nil {
		return nil, fmt.Errorf("who notifies: %w", err)
	}
	to := sip.Uri{Scheme: target.Scheme, User: target.User, Host: target.Host, Port: target.Port}
	w.peer = peer{to: &sip.ToHeader{Address: to}, target: target, network: n.Network}
	if n.Flow != "" {
		if w.peer.flow, err = netip.ParseAddrPort(n.Flow); err != nil {
			return nil, fmt.Errorf("who is notified: %w", err)
		}
		w.peer.pinned = true
	}
	return w, nil
}

// watcher finds one by our tag and the Call-ID; nil if there is none.
func (e *Endpoint) watcher(tag, callID string) *Watcher {
	if w, ok := e.watchers.Load(tag); ok && w.(*Watcher).callID == callID {
		return w.(*Watcher)
	}
	return nil
}

// allowed is what the Allow header has.
func (e *Endpoint) allowed() string {
	if e.cfg.Subscribe == nil {
		return allow
	}
	return allow + ", " + string(sip.SUBSCRIBE)
}

// events is the Allow-Events header (RFC 6665 section 8.2.2), if there is anything
// to watch.
func (e *Endpoint) events() []sip.Header {
	if e.cfg.Subscribe == nil {
		return nil
	}
	return []sip.Header{sip.NewHeader("Allow-Events", e.cfg.Events)}
}

// onSubscribe takes a SUBSCRIBE, of a new Watcher or of one that goes on.
func (e *Endpoint) onSubscribe(r *inbound, tx *serverTx) {
	refuse := func(no Response) {
		if no.Reason != "" {
			e.refused(r.Request, r.source, no)
		}
		_ = tx.Respond(e.response(r.Request, "", no.Status, no.Phrase, nil, no.headers()...))
	}
	if no := e.unwatchable(r.Request); no != nil {
		refuse(*no)
		return
	}
	back, err := e.back(r)
	if err != nil {
		e.log.Error("answer SUBSCRIBE", "err", err)
		refuse(Response{Status: sip.StatusInternalServerError, Phrase: "Server Internal Error"})
		return
	}
	w, isNew := e.watcher(r.tag, r.CallID().Value()), r.tag == ""
	switch {
	case isNew:
		w = e.newWatcher(r)
	case w == nil, !w.goesOn(r):
		refuse(Response{Status: sip.StatusCallTransactionDoesNotExists, Phrase: "Subscription Does Not Exist"})
		return
	case r.CSeq().SeqNo <= w.peer.seq:
		refuse(Response{Status: sip.StatusInternalServerError, Phrase: "CSeq Out Of Order"})
		return
	}
	w.peer.seq = r.CSeq().SeqNo
	e.watchers.Store(w.tag, w)
	res := e.cfg.Subscribe(w, e.newRequest(r.Request, r.source))
	switch {
	case res.Status/100 == 2:
		w.peer.network, w.peer.flow = back.place.Network, r.source
		w.peer.refresh(r.Request)
	case isNew:
		w.Forget()
	}
	contact := back.contact(r.Recipient.User, r.Recipient.Scheme == "sips")
	_ = tx.Respond(e.response(r.Request, w.tag, res.Status, res.Phrase, nil, append(res.headers(), contact)...))
}

// unwatchable says what to answer a SUBSCRIBE with that nobody can be notified by.
func (e *Endpoint) unwatchable(req *sip.Request) *Response {
	name, _, _ := strings.Cut(eventOf(req), ";")
	name = strings.TrimSpace(name)
	switch {
	case !has(split(e.cfg.Events), name): // RFC 6665 section 4.2.1.3
		no := &Response{
			Status: statusBadEvent, Phrase: "Bad Event", Headers: []Header{{"Allow-Events", e.cfg.Events}},
			Reason: fmt.Sprintf("it wants to watch the event %q, and there is only %s; switch the other off in the phone", Printable(name), e.cfg.Events),
		}
		return no
	case req.Contact() == nil || req.Contact().Address.Wildcard:
		return &Response{
			Status: sip.StatusBadRequest, Phrase: "Missing Contact Header",
			Reason: "it has no Contact, so nobody could say where to notify (RFC 6665 section 4.1.2.1)",
		}
	}
	return nil
}

// eventOf is the Event header of a request.
func eventOf(req *sip.Request) string { return cmp.Or(value(req, "Event"), value(req, "o")) }

// newWatcher is the sender of a SUBSCRIBE that begins a dialog (RFC 6665 section
// 4.4.1).
func (e *Endpoint) newWatcher(r *inbound) *Watcher {
	w := &Watcher{ep: e, callID: r.CallID().Value(), tag: e.newTag(), event: eventOf(r.Request), open: map[uint32]notice{}}
	from, to := r.To().AsFrom(), r.From().AsTo()
	from.Params.Add("tag", w.tag)
	w.self.from = &from
	w.peer = peer{to: &to, pinned: true}
	for _, h := range r.GetHeaders("Record-Route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			w.peer.routes = append(w.peer.routes, *rr.Address.Clone())
		}
	}
	return w
}

// goesOn says whether a SUBSCRIBE inside the dialog is the Watcher's, for what it
// watches.
func (w *Watcher) goesOn(r *inbound) bool {
	theirs, _ := w.peer.to.Params.Get("tag")
	from, _ := r.From().Params.Get("tag")
	return from == theirs && strings.EqualFold(eventOf(r.Request), w.event)
}

// Notify tells the Watcher something, over the connection by which it was heard
// last if that is open still. The headers are Subscription-State and what there is
// to say of the body. done is told what came of it, from a goroutine that must not
// be held up; it is not called once the Endpoint is closed. ctx bounds how long a
// way is looked for.
func (w *Watcher) Notify(ctx context.Context, body []byte, done func(Reply), headers ...Header) {
	w.ep.watchers.Store(w.tag, w)
	w.ep.lanes.do(w.callID, func() { w.send(ctx, body, done, headers) })
}

// Forget ends it: what it is asked or answers from now on belongs to nothing.
func (w *Watcher) Forget() { w.ep.watchers.Delete(w.tag) }

// send runs in the lane.
func (w *Watcher) send(ctx context.Context, body []byte, done func(Reply), headers []Header) {
	w.self.seq++
	seq := w.self.seq
	req := w.ep.inside(&w.peer, sip.NOTIFY, w.self.from, w.callID, seq)
	n := notice{peer: req.Destination(), done: done}
	fail := func(err error) { done(Reply{Status: sip.StatusServiceUnavailable, Reason: err.Error(), Peer: n.peer}) }
	way, err := w.ep.next(ctx, &tries{hop: req.hop})
	if err != nil {
		fail(err)
		return
	}
	req.way = way
	req.AppendHeader(way.contact(w.self.from.Address.User, w.peer.target.Scheme == "sips"))
	req.AppendHeader(sip.NewHeader("Event", w.event))
	for _, h := range append(headers, Header{"Allow", w.ep.allowed()}) {
		sh, err := h.sipHeader()
		if err != nil {
			fail(err)
			return
		}
		req.AppendHeader(sh)
	}
	req.SetBody(body)
	w.open[seq] = n
	if _, err = w.ep.begin(req, func(sip.Message) {}, func(err error) {
		w.ep.lanes.do(w.callID, func() { w.unanswered(seq, err) })
	}); err != nil {
		w.replied(seq, Reply{Status: sip.StatusServiceUnavailable, Reason: err.Error()})
	}
}

// unanswered takes the end of the transaction of a NOTIFY.
func (w *Watcher) unanswered(seq uint32, err error) {
	if reply, ok := noReply(sip.NOTIFY, err); ok {
		w.replied(seq, reply)
	}
}

// onResponse takes the response to a NOTIFY.
func (w *Watcher) onResponse(res *sip.Response) {
	if !res.IsProvisional() {
		w.replied(res.CSeq().SeqNo, Reply{Status: res.StatusCode, Reason: summary(res)})
	}
}

// replied tells what came of a NOTIFY, once.
func (w *Watcher) replied(seq uint32, reply Reply) {
	if n, ok := w.open[seq]; ok {
		delete(w.open, seq)
		reply.Peer = n.peer
		n.done(reply)
	}
}
