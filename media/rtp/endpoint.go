// SPDX-License-Identifier: MIT

package rtp

import "net/netip"

// Endpoint is an address and port without pointers, so that it can lie in
// memory that is not scanned. IPv4 addresses are kept as IPv4-mapped IPv6.
// Zones are not kept. The zero value is no endpoint.
type Endpoint struct {
	IP   [16]byte
	Port uint16
}

// EndpointOf turns an address into an Endpoint.
func EndpointOf(a netip.AddrPort) Endpoint {
	if !a.IsValid() {
		return Endpoint{}
	}
	return Endpoint{IP: a.Addr().As16(), Port: a.Port()}
}

// AddrPort turns e back; an IPv4-mapped address becomes IPv4.
func (e Endpoint) AddrPort() netip.AddrPort {
	if e == (Endpoint{}) {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(netip.AddrFrom16(e.IP).Unmap(), e.Port)
}

// ipv4 is the address as an IPv4 socket wants it.
func (e Endpoint) ipv4() [4]byte { return [4]byte(e.IP[12:]) }
