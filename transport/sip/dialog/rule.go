// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// breaks says what to answer a well-formed request with that RFC 3261 forbids to
// be dealt with, unless it is inside a dialog; nil if there is none. The order is
// that of section 8.2, with section 16.3 before it, because a call may go on from
// here. Proxy-Require is not for us: we are no proxy (section 20.29).
func (e *Endpoint) breaks(r *inbound) *Response {
	if r.tag != "" {
		return nil
	}
	if hops := r.MaxForwards(); hops != nil && hops.Val() == 0 {
		return &Response{Status: sip.StatusTooManyHops, Phrase: "Too Many Hops", Reason: "it has been passed on too often (Max-Forwards is 0); look for a loop on its way here"}
	}
	if r.Method == sip.INVITE && e.returns(r.Request) {
		return &Response{Status: sip.StatusLoopDetected, Phrase: "Loop Detected", Reason: "it is a call that went out from here and was sent back; see where the trunk routes its number"}
	}
	if no := unsupported(r.Request); no != "" {
		return &Response{
			Status: sip.StatusBadExtension, Phrase: "Bad Extension", Headers: []Header{{"Unsupported", no}},
			Reason: "it requires " + no + "; understood are " + supported + ", so the caller must do without it",
		}
	}
	return nil
}

// returns says whether a request has been here before: whether a Via of it is
// ours.
func (e *Endpoint) returns(req *sip.Request) bool {
	for _, h := range req.GetHeaders("Via") {
		if via, ok := h.(*sip.ViaHeader); ok {
			if b, _ := via.Params.Get("branch"); strings.HasPrefix(b, sip.RFC3261BranchMagicCookie+e.secret) {
				return true
			}
		}
	}
	return false
}

// unfit says what to answer an INVITE with that cannot become a call, if there is
// anything.
func unfit(req *sip.Request) *Response {
	switch {
	case req.Contact() == nil && req.From().Params.Has("tag"): // RFC 2543 knew neither
		return &Response{
			Status: sip.StatusBadRequest, Phrase: "Missing Contact Header",
			Reason: "it has no Contact, so nobody could say where the caller is to be reached (RFC 3261 section 8.1.1.8)",
		}
	case !carriesSDP(req):
		return &Response{
			Status: sip.StatusUnsupportedMediaType, Phrase: "Unsupported Media Type", Headers: []Header{{"Accept", sdpType}},
			Reason: "its body is not " + sdpType,
		}
	case !acceptsSDP(req):
		return &Response{
			Status: sip.StatusNotAcceptable, Phrase: "Not Acceptable",
			Reason: "its Accept has not " + sdpType + ", and the answer to a call is that",
		}
	}
	return nil
}

// acceptsSDP says whether a session description may stand in an answer (RFC 3261
// section 20.1).
func acceptsSDP(req *sip.Request) bool {
	kinds := list(req, "Accept", "")
	for _, k := range kinds {
		k, _, _ = strings.Cut(k, ";")
		switch strings.ToLower(strings.TrimSpace(k)) {
		case sdpType, "application/*", "*/*":
			return true
		}
	}
	return len(kinds) == 0
}

// serverKey identifies the transaction of a request (RFC 3261 section 17.2.3).
// Requests of RFC 2543 may have no tag, which sipgo wants.
func serverKey(req *sip.Request) string {
	if key, err := sip.ServerTxKeyMake(req); err == nil {
		return key
	}
	method := req.CSeq().MethodName
	if method == sip.ACK {
		method = sip.INVITE
	}
	return fmt.Sprint(method, " ", req.CSeq().SeqNo, " ", req.CallID().Value(), " ", req.Via().Value())
}

// cancelled identifies the transaction that a CANCEL is for (RFC 3261 section
// 9.2).
func cancelled(req *sip.Request) string {
	cseq := req.CSeq()
	cseq.MethodName = sip.INVITE
	defer func() { cseq.MethodName = sip.CANCEL }()
	return serverKey(req)
}
