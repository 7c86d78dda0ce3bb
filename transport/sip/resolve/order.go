// SPDX-License-Identifier: MIT

package resolve

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// portOf is where a transport is spoken if nothing is said (RFC 3261 section 19.1.2,
// RFC 7118 section 5.2).
func portOf(network string) int {
	switch network {
	case "TLS":
		return 5061
	case "WS":
		return 80
	case "WSS":
		return 443
	}
	return 5060
}

// secured gives the transport that a sips: URI means.
func secured(network string) string {
	if network == "WS" || network == "WSS" {
		return "WSS"
	}
	return "TLS"
}

// service is the name under which the SRV records of a transport stand.
func service(network, host string) string {
	prefix := map[string]string{"UDP": "_sip._udp.", "TCP": "_sip._tcp.", "TLS": "_sips._tcp.", "WS": "_sip._ws.", "WSS": "_sips._ws."}
	return prefix[network] + host
}

// choice is a transport, and where its SRV records are.
type choice struct{ network, name string }

// choose gives what NAPTR records say of the transports that we speak, in their
// order (RFC 3263 section 4.1).
func choose(records []dns.RR, networks []string) []choice {
	services := map[string]string{"sip+d2u": "UDP", "sip+d2t": "TCP", "sips+d2t": "TLS", "sip+d2w": "WS", "sips+d2w": "WSS"}
	var usable []*dns.NAPTR
	for _, rr := range records {
		n, ok := rr.(*dns.NAPTR)
		if ok && strings.EqualFold(n.Flags, "s") && slices.Contains(networks, services[strings.ToLower(n.Service)]) {
			usable = append(usable, n)
		}
	}
	slices.SortStableFunc(usable, func(a, b *dns.NAPTR) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Preference, b.Preference))
	})
	var choices []choice
	for _, n := range usable {
		choices = append(choices, choice{services[strings.ToLower(n.Service)], strings.TrimSuffix(n.Replacement, ".")})
	}
	return choices
}

// byWeight puts SRV records into the order in which they are to be tried: by
// priority, and those that are equal as chance and their weights have it (RFC
// 2782). The least of exponential draws is each one's with the chance that its
// weight has, and so are those that follow; one of weight 0 is hardly ever first.
func byWeight(records []dns.RR) []*dns.SRV {
	var all []*dns.SRV
	draws := map[*dns.SRV]float64{}
	for _, rr := range records {
		if s, ok := rr.(*dns.SRV); ok {
			all = append(all, s)
			draws[s] = rand.ExpFloat64() / max(float64(s.Weight), 0.01)
		}
	}
	slices.SortFunc(all, func(a, b *dns.SRV) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(draws[a], draws[b]))
	})
	return all
}

// addressesIn gives the addresses in an answer, also behind aliases.
func addressesIn(records []dns.RR) []netip.Addr {
	var addrs []netip.Addr
	for _, rr := range records {
		var raw []byte
		switch rr := rr.(type) {
		case *dns.A:
			raw = rr.A
		case *dns.AAAA:
			raw = rr.AAAA
		}
		if addr, ok := netip.AddrFromSlice(raw); ok {
			addrs = append(addrs, addr.Unmap())
		}
	}
	return addrs
}
