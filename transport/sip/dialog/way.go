// SPDX-License-Identifier: MIT

package dialog

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/stream"
)

// connectTimeout is how long a connection to a peer may take to come about.
const connectTimeout = 5 * time.Second

// local says what to write into Via and Contact for a peer, and which of our
// sockets to use. network is "UDP" or "TCP".
func (e *Endpoint) local(network, peer string) (host string, port int, bind sip.Addr, err error) {
	host, _, err = net.SplitHostPort(peer)
	if err != nil {
		return "", 0, bind, fmt.Errorf("SIP address %q: %w", peer, err)
	}
	remote, parseErr := netip.ParseAddr(host)
	for _, l := range e.listeners {
		ours := l.addr.Addr()
		if l.network != network || parseErr == nil && ours.Is4() != remote.Unmap().Is4() {
			continue
		}
		if network == "UDP" {
			bind = sip.Addr{IP: net.IP(ours.AsSlice()), Port: int(l.addr.Port())}
		}
		switch {
		case e.cfg.Advertise != "":
			host = e.cfg.Advertise
		case ours.IsUnspecified():
			interfaceTo, err := Towards(peer)
			if err != nil {
				return "", 0, bind, err
			}
			host = interfaceTo.String()
		default:
			host = ours.WithZone("").String()
		}
		return host, int(l.addr.Port()), bind, nil
	}
	return "", 0, bind, noSocket(network, peer)
}

func noSocket(network, peer string) error {
	return fmt.Errorf("no socket of ours can reach %s by %s; add a %s:// address to sip.listen",
		peer, network, sip.NetworkToLower(network))
}

// Towards gives our address on the interface that leads to a peer ("host:port").
// Connecting a UDP socket asks the routing table and sends nothing.
func Towards(peer string) (netip.Addr, error) {
	c, err := net.Dial("udp", peer)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("find the interface to %s: %w", peer, err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().WithZone(""), nil
}

// Connected says whether a connection with a peer is open: "TCP", "TLS", "WS" or
// "WSS", and its address.
func (e *Endpoint) Connected(network, peer string) bool {
	address, err := netip.ParseAddrPort(peer)
	return err == nil && e.streams.Find(network, address) != nil
}

// connect gives the connection by which a request goes: our socket for UDP, an
// open or new connection for all others. It may have to ask the DNS.
func (e *Endpoint) connect(req *sip.Request) (sip.Connection, error) {
	ctx, cancel := context.WithTimeout(e.ctx, connectTimeout)
	defer cancel()
	network := sip.NetworkToUpper(req.Transport())
	name, peer, err := find(ctx, req.Destination())
	if err != nil {
		return nil, fmt.Errorf("reach %s by %s: %w", req.Destination(), network, err)
	}
	if network != "UDP" {
		c, err := e.streams.Dial(ctx, stream.Target{Network: network, Addr: peer, Name: name})
		if err != nil {
			return nil, err
		}
		if via := req.Via(); via.Host == "" {
			via.Host, via.Port = c.Local().Addr().String(), int(c.Local().Port())
		}
		return c, nil
	}
	for _, l := range e.listeners {
		if l.packets != nil && l.addr.Addr().Is4() == peer.Addr().Is4() {
			return aimed{l.packets, peer}, nil
		}
	}
	return nil, noSocket(network, peer.String())
}

// find gives the host of an address and where it is.
func find(ctx context.Context, address string) (host string, at netip.AddrPort, err error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", at, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return "", at, err
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil {
			return "", at, err
		}
		addr = addrs[0]
	}
	return host, netip.AddrPortFrom(addr.Unmap(), uint16(port)), nil
}
