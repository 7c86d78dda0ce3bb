// SPDX-License-Identifier: MIT

package dialog

import (
	"net/netip"

	"github.com/emiago/sipgo/sip"
)

// Request is one that begins something: a REGISTER, or the INVITE of a call.
type Request struct {
	Method string
	// URI is the Request-URI.
	URI string
	// Source is where it came from, Network how: "UDP" or "TCP".
	Source  netip.AddrPort
	Network string
	// To is who is meant, From who says so.
	To, From Party
	CallID   string
	CSeq     uint32
	// Header gives the values of a header, in order.
	Header func(name string) []string
}

// newRequest tells of a request that is not malformed.
func newRequest(req *sip.Request, source netip.AddrPort) Request {
	return Request{
		Method: string(req.Method), URI: req.Recipient.String(),
		Source: netip.AddrPortFrom(source.Addr().Unmap(), source.Port()), Network: sip.NetworkToUpper(req.Transport()),
		To:     Party{unquote(req.To().DisplayName), req.To().Address.String()},
		From:   Party{unquote(req.From().DisplayName), req.From().Address.String()},
		CallID: req.CallID().Value(), CSeq: req.CSeq().SeqNo,
		Header: func(name string) []string {
			var values []string
			for _, h := range req.GetHeaders(name) {
				values = append(values, h.Value())
			}
			return values
		},
	}
}

// Response is what a request is answered with.
type Response struct {
	Status  int
	Phrase  string
	Headers []Header
}

// headers gives those of a response that are headers, in sipgo's form.
func (r Response) headers() []sip.Header {
	var all []sip.Header
	for _, h := range r.Headers {
		if sh, err := h.sipHeader(); err == nil {
			all = append(all, sh)
		}
	}
	return all
}
