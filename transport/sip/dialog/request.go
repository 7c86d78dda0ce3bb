// SPDX-License-Identifier: MIT

package dialog

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Request is one that begins something: a REGISTER, a SUBSCRIBE, or the INVITE of a
// call; or a NOTIFY outside of calls.
type Request struct {
	Method string
	// URI is the Request-URI.
	URI string
	// Hop is the other end of the socket that it came by, and Network which:
	// "UDP", "TCP", "TLS", "WS" or "WSS". Answers and what follows in a dialog go there. Source is
	// where it came from: the Hop or, behind proxies of ours, where those say
	// that they got it. Its port may be 0.
	Hop, Source netip.AddrPort
	Network     string
	// Names are those in the certificate that the Hop has shown; none if it has
	// shown none that we trust.
	Names []string
	// To is who is meant, From who says so.
	To, From Party
	CallID   string
	CSeq     uint32
	// Header gives the values of a header, in order, and Extensions the headers
	// whose names begin with "X-".
	Header     func(name string) []string
	Extensions func() []Header
}

// newRequest tells of a request that is not malformed.
func (e *Endpoint) newRequest(req *sip.Request, hop netip.AddrPort) Request {
	hop = netip.AddrPortFrom(hop.Addr().Unmap(), hop.Port())
	network := sip.NetworkToUpper(req.Transport())
	var names []string
	if c := e.streams.Find(network, hop); c != nil {
		names = c.Names()
	}
	return Request{
		Method: string(req.Method), URI: req.Recipient.String(),
		Hop: hop, Source: e.sourceOf(req, hop), Network: network, Names: names,
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
		Extensions: func() []Header {
			var extensions []Header
			for _, h := range req.Headers() {
				if h := (Header{h.Name(), h.Value()}); h.IsExtension() {
					extensions = append(extensions, h)
				}
			}
			return extensions
		},
	}
}

// sourceOf gives where a request came from: what a proxy of ours says is
// believed, and nobody else. Each writes into the Via below its own where it got
// the request from, if that is not what stands there (RFC 3261 section 18.2.1,
// RFC 3581 section 4).
func (e *Endpoint) sourceOf(req *sip.Request, hop netip.AddrPort) netip.AddrPort {
	vias := req.GetHeaders("Via")
	for i := 1; i < len(vias) && e.isProxy(hop.Addr()); i++ {
		via, ok := vias[i].(*sip.ViaHeader)
		if !ok {
			break
		}
		host, port := via.Host, via.Port
		if received, ok := via.Params.Get("received"); ok {
			host = received
		}
		if rport, ok := via.Params.Get("rport"); ok {
			if n, err := strconv.ParseUint(rport, 10, 16); err == nil {
				port = int(n)
			}
		}
		addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if err != nil {
			break // a name proves nothing
		}
		hop = netip.AddrPortFrom(addr.Unmap().WithZone(""), uint16(port))
	}
	return hop
}

func (e *Endpoint) isProxy(a netip.Addr) bool {
	return slices.ContainsFunc(e.cfg.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Response is what a request is answered with.
type Response struct {
	Status  int
	Phrase  string
	Headers []Header
	// Source is where one came from that we were given.
	Source netip.AddrPort
	// Reason is for the operator: what did not match, and what to change. One
	// without is nothing to be told of, such as a challenge.
	Reason string
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
