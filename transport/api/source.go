// SPDX-License-Identifier: MIT

package api

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are the networks of reverse proxies of ours: what they say about where a
// request came from is believed.
type proxies []netip.Prefix

func (p proxies) contain(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(a) })
}

// believe has the RemoteAddr of requests be where they came from.
func (p proxies) believe(next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hop := addressOf(r.RemoteAddr); p.contain(hop) {
			if source := p.sourceOf(hop, r.Header); source != hop {
				r.RemoteAddr = netip.AddrPortFrom(source, 0).String()
			}
		}
		next.ServeHTTP(w, r)
	})
}

// sourceOf gives where a request of a proxy came from. Proxies write one header and
// may pass on what a stranger wrote into the other, so that two that say different
// things say nothing.
func (p proxies) sourceOf(hop netip.Addr, h http.Header) netip.Addr {
	said := p.walk(hop, listed(h.Values("X-Forwarded-For"), func(one string) string { return one }))
	also := p.walk(hop, listed(h.Values("Forwarded"), forwardedFor))
	switch {
	case said == hop:
		return also
	case also == hop || also == said:
		return said
	}
	return hop
}

// walk follows a list from its end, where the proxy in front of us wrote, for as
// long as those who wrote are proxies of ours.
func (p proxies) walk(hop netip.Addr, list []string) netip.Addr {
	for i := len(list) - 1; i >= 0 && p.contain(hop); i-- {
		next, ok := node(list[i])
		if !ok {
			break // a name proves nothing
		}
		hop = next
	}
	return hop
}

// listed gives the elements of a header that is a list (RFC 9110 section 5.6.1).
func listed(values []string, read func(string) string) []string {
	var list []string
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			list = append(list, read(strings.TrimSpace(one)))
		}
	}
	return list
}

// forwardedFor gives the "for" of an element of Forwarded (RFC 7239 section 4).
func forwardedFor(element string) string {
	for pair := range strings.SplitSeq(element, ";") {
		if name, value, _ := strings.Cut(strings.TrimSpace(pair), "="); strings.EqualFold(name, "for") {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// node reads an address, which may have a port and brackets (RFC 7239 section 6).
func node(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		a = addressOf(text)
	}
	a = a.Unmap().WithZone("")
	return a, a.IsValid()
}

// addressOf gives the address of one with a port, like 192.0.2.1:5060, as
// http.Request has it.
func addressOf(text string) netip.Addr {
	host, _, err := net.SplitHostPort(text)
	if err != nil {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// SourceOf gives who is at an address like 192.0.2.1:5060, as http.Request has it:
// of IPv6 the network, for everybody has as many addresses there as he likes.
func SourceOf(address string) netip.Addr {
	source := addressOf(address)
	if source.Is6() && !source.IsLoopback() {
		network, _ := source.Prefix(64) // never fails for a length within the address
		return network.Addr()
	}
	return source
}
