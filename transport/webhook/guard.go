// SPDX-License-Identifier: MIT

package webhook

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
)

// A guard decides which addresses may be connected to. It sees the address that
// a name was resolved to, at the moment of connecting, so that a name that
// changes its mind (DNS rebinding) gains nothing.
type guard struct {
	private, loopback bool
}

// kind is who may allow an address.
type kind uint8

const (
	never    kind = iota // nobody
	private              // webhooks.allow_private
	loopback             // a public_url on the loopback
)

// span is a range of addresses that are not public.
type span struct {
	prefix netip.Prefix
	kind   kind
	what   string
}

// spans lists what is not public (the special-purpose registries of IANA, RFC
// 6890, and the metadata services of clouds). The first that holds an address
// counts.
var spans = []span{
	{netip.MustParsePrefix("100.100.100.200/32"), never, "a cloud's metadata service"},
	{netip.MustParsePrefix("168.63.129.16/32"), never, "a cloud's metadata service"},
	{netip.MustParsePrefix("fd00:ec2::/32"), never, "a cloud's metadata service"},
	{netip.MustParsePrefix("fd20:ce::/64"), never, "a cloud's metadata service"},

	{netip.MustParsePrefix("0.0.0.0/8"), never, "no address of a server"},
	{netip.MustParsePrefix("10.0.0.0/8"), private, "on a private network"},
	{netip.MustParsePrefix("100.64.0.0/10"), private, "on a provider's inner network"},
	{netip.MustParsePrefix("127.0.0.0/8"), loopback, "this machine itself"},
	{netip.MustParsePrefix("169.254.0.0/16"), never, "a link-local address"},
	{netip.MustParsePrefix("172.16.0.0/12"), private, "on a private network"},
	{netip.MustParsePrefix("192.0.0.0/24"), never, "a reserved address"},
	{netip.MustParsePrefix("192.0.2.0/24"), never, "an address for documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), never, "a reserved address"},
	{netip.MustParsePrefix("192.168.0.0/16"), private, "on a private network"},
	{netip.MustParsePrefix("198.18.0.0/15"), private, "on a test network"},
	{netip.MustParsePrefix("198.51.100.0/24"), never, "an address for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), never, "an address for documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), never, "a multicast address"},
	{netip.MustParsePrefix("240.0.0.0/4"), never, "a reserved address"},

	{netip.MustParsePrefix("::/128"), never, "no address of a server"},
	{netip.MustParsePrefix("::1/128"), loopback, "this machine itself"},
	{netip.MustParsePrefix("2001::/23"), never, "a reserved address"}, // Teredo and others
	{netip.MustParsePrefix("2001:db8::/32"), never, "an address for documentation"},
	{netip.MustParsePrefix("3fff::/20"), never, "an address for documentation"},
	{netip.MustParsePrefix("fc00::/7"), private, "on a private network"},
	{netip.MustParsePrefix("fe80::/10"), never, "a link-local address"},
	{netip.MustParsePrefix("ff00::/8"), never, "a multicast address"},
}

// globalUnicast is where all public IPv6 addresses are (RFC 4291 section 2.4).
var globalUnicast = netip.MustParsePrefix("2000::/3")

// EgressError says that a URL leads to an address that requests are not sent
// to, and which setting would change that.
type EgressError struct {
	Addr netip.Addr
	// What says in words what kind of address it is.
	What string
	kind kind
}

// Error gives the sentence.
func (e *EgressError) Error() string {
	head := fmt.Sprintf("%s is %s, where requests are not sent", e.Addr, e.What)
	switch e.kind {
	case private:
		return head + "; to allow private networks set webhooks.allow_private: true"
	case loopback:
		return head + `; it is allowed only while the host of http.public_url is a loopback address (public_url: "http://127.0.0.1:8080")`
	}
	return head + "; give a URL whose host has a public address"
}

// check gives an EgressError for an address that is not allowed.
func (g guard) check(addr netip.Addr) error {
	plain := embedded(addr.WithZone(""))
	for _, s := range spans {
		if !s.prefix.Contains(plain) {
			continue
		}
		if s.kind == private && g.private || s.kind == loopback && g.loopback {
			return nil
		}
		return &EgressError{Addr: addr, What: s.what, kind: s.kind}
	}
	if plain.Is6() && !globalUnicast.Contains(plain) {
		return &EgressError{Addr: addr, What: "a reserved address", kind: never}
	}
	return nil
}

// embedded gives the IPv4 address that an IPv6 address leads to: mapped (RFC
// 4291 section 2.5.5.2), NAT64 (RFC 6052 section 2.1), 6to4 (RFC 3056 section
// 2). Other forms, obsolete or of local use, lie outside 2000::/3.
func embedded(addr netip.Addr) netip.Addr {
	addr = addr.Unmap()
	if addr.Is4() {
		return addr
	}
	b := addr.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case netip.MustParsePrefix("2002::/16").Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return addr
}

// control is a net.Dialer's ControlContext: the last word before connecting.
func (g guard) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("connect by %s: only TCP is used", network)
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("read address to connect to: %w", err)
	}
	return g.check(to.Addr())
}
