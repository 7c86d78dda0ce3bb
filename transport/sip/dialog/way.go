// SPDX-License-Identifier: MIT

package dialog

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/resolve"
	"github.com/callwright/callwright/transport/sip/secure"
	"github.com/callwright/callwright/transport/sip/stream"
)

const (
	// connectTimeout is how long a connection may take to come about, and
	// hurriedTimeout how long if there is another way.
	connectTimeout = 5 * time.Second
	hurriedTimeout = 2 * time.Second
)

// hop is where a request goes next.
type hop struct {
	to resolve.Target
	// client is what TLS is secured with, and name what the certificate there
	// must be for if all that is known is an address.
	client secure.Client
	name   string
	// heard says that the peer was heard from there. Behind a NAT it is reached by
	// that transport only.
	heard bool
}

// hopTo says where a request goes that is sent to uri next, by network if that
// does not say.
func hopTo(uri sip.Uri, network string) hop {
	if t, ok := uri.UriParams.Get("transport"); ok {
		network = sip.NetworkToUpper(t)
	}
	sips := uri.Scheme == "sips"
	switch {
	case sips && (network == stream.WS || network == stream.WSS):
		network = stream.WSS
	case sips:
		network = stream.TLS
	}
	return hop{to: resolve.Target{Host: strings.Trim(uri.Host, "[]"), Port: uri.Port, Network: network, Secure: sips}}
}

// address says it to a person.
func (h hop) address() string {
	if h.to.Port == 0 {
		return h.to.Host
	}
	return net.JoinHostPort(h.to.Host, strconv.Itoa(h.to.Port))
}

// outbound is a request of ours, and where it goes.
type outbound struct {
	*sip.Request
	hop hop
	way *way // once it is known
}

// compose makes a request with what each must have (RFC 3261 section 8.1.1) but
// Via, which is written when its way is known.
func (e *Endpoint) compose(method sip.RequestMethod, uri sip.Uri, from *sip.FromHeader, to *sip.ToHeader, callID string, seq uint32) *sip.Request {
	req := sip.NewRequest(method, uri)
	forwards, id := sip.MaxForwardsHeader(maxForwards), sip.CallIDHeader(callID)
	req.AppendHeader(&forwards)
	req.AppendHeader(sip.HeaderClone(from))
	req.AppendHeader(sip.HeaderClone(to))
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: method})
	if e.cfg.Product != "" {
		req.AppendHeader(sip.NewHeader("User-Agent", e.cfg.Product))
	}
	req.SetBody(nil)
	return req
}

// direct prepares a request to be sent to a hop.
func (e *Endpoint) direct(req *sip.Request, h hop) *outbound {
	via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: h.to.Network}
	via.Params.Add("branch", sip.RFC3261BranchMagicCookie+e.newTag())
	via.Params.Add("rport", "")
	req.PrependHeader(via)
	req.SetDestination(h.address())
	return &outbound{Request: req, hop: h}
}

// way is how a request gets to a place.
type way struct {
	conn  sip.Connection
	place resolve.Place
	// host and port are how the place reaches us; own says that it is by conn
	// alone.
	host string
	port int
	own  bool
}

// take has a request leave by the way.
func (w *way) take(req *outbound) {
	req.way = w
	via := req.Via()
	via.Transport, via.Host, via.Port = w.place.Network, w.host, w.port
	if w.own {
		via.Params.Add("alias", "") // RFC 5923 section 5
	}
	req.SetTransport(w.place.Network)
	req.SetDestination(w.place.Addr.String())
}

// contact is how the place reaches us inside a dialog, by a sips: URI if the
// dialog has such ones.
func (w *way) contact(user string, sips bool) *sip.ContactHeader {
	u := sip.Uri{Scheme: "sip", User: user, Host: w.host, Port: w.port}
	network := w.place.Network
	switch {
	case sips && network == stream.TLS:
		network = "UDP" // which sips says nothing of; TLS is meant
	case sips && network == stream.WSS:
		network = stream.WS
	}
	if sips {
		u.Scheme = "sips"
	}
	if network != "UDP" {
		u.UriParams.Add("transport", sip.NetworkToLower(network))
	}
	return &sip.ContactHeader{Address: u}
}

// places gives where a hop may lead, in the order in which it is to be tried. It
// may ask the DNS.
func (e *Endpoint) places(ctx context.Context, h hop) ([]resolve.Place, error) {
	all, err := e.resolver.Places(ctx, h.to)
	if err != nil {
		return nil, err
	}
	usable := slices.DeleteFunc(slices.Clone(all), func(p resolve.Place) bool {
		return p.Network == "UDP" && e.listenerFor(p) == nil || !isNetwork(p.Network)
	})
	if len(usable) == 0 {
		return nil, noSocket(all[0])
	}
	if _, err := netip.ParseAddr(h.to.Host); err == nil && h.name != "" {
		for i := range usable {
			usable[i].Name = h.name
		}
	}
	return usable, nil
}

func noSocket(p resolve.Place) error {
	if !isNetwork(p.Network) {
		return fmt.Errorf("%s is not spoken here; write transport=udp, tcp, tls, ws or wss", p.Network)
	}
	return fmt.Errorf("no socket of ours can reach %s by %s; add a %s:// address to sip.listen",
		p.Addr, p.Network, sip.NetworkToLower(p.Network))
}

// reach gives the way to the first place of a hop that can be reached.
func (e *Endpoint) reach(h hop) (*way, error) { return e.next(e.ctx, &tries{hop: h}) }

// open gives the way to a place: our socket for UDP, an open or new connection
// for all others.
func (e *Endpoint) open(ctx context.Context, p resolve.Place, client secure.Client, limit time.Duration) (*way, error) {
	w := &way{place: p}
	if p.Network == "UDP" {
		l := e.listenerFor(p)
		if l == nil {
			return nil, noSocket(p)
		}
		w.conn = aimed{l.packets, p.Addr}
	} else {
		limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("nothing came back for %v", limit))
		defer cancel()
		c, err := e.streams.Dial(limited, stream.Target{Network: p.Network, Addr: p.Addr, Name: p.Name, Client: client, From: e.from(p)})
		if err != nil && ctx.Err() == nil { // nobody has lost interest
			e.resolver.Failed(p)
		}
		if err != nil {
			return nil, err
		}
		w.conn = c
	}
	return w, e.name(w)
}

// back gives the way back by which a request came.
func (e *Endpoint) back(r *inbound) (*way, error) {
	p := resolve.Place{Network: sip.NetworkToUpper(r.Transport()), Addr: r.source}
	w := &way{conn: r.conn, place: p}
	return w, e.name(w)
}

// name finds out how the place at the other end of a way reaches us.
func (e *Endpoint) name(w *way) error {
	if l := e.listenerFor(w.place); l != nil {
		ours, err := l.towards(w.place.Addr)
		if err != nil {
			return err
		}
		w.host, w.port = ours.String(), int(l.addr.Port())
	} else if c, ok := w.conn.(*stream.Conn); ok { // then by this connection only
		w.own, w.host, w.port = true, c.Local().Addr().WithZone("").String(), int(c.Local().Port())
	} else {
		return noSocket(w.place)
	}
	if e.cfg.Advertise != "" {
		w.host = e.cfg.Advertise
	}
	return nil
}

// listenerFor gives the listener that a place is reached from, or reaches us by;
// nil if there is none. Of several it is the one on the interface that leads
// there.
func (e *Endpoint) listenerFor(p resolve.Place) *listener {
	var found []*listener
	for _, l := range e.listeners {
		if l.network == p.Network && l.addr.Addr().Is4() == p.Addr.Addr().Unmap().Is4() {
			found = append(found, l)
		}
	}
	if len(found) > 1 {
		if ours, err := Towards(p.Addr.String()); err == nil {
			for _, l := range found {
				if l.addr.Addr().WithZone("") == ours {
					return l
				}
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

// from is the address that connections with a place leave from: the one that we
// listen on, by which peers may know us. The zero value leaves it to the system,
// as on a machine where we listen on all addresses.
func (e *Endpoint) from(p resolve.Place) netip.Addr {
	peer := p.Addr.Addr().Unmap()
	for _, p.Network = range []string{p.Network, stream.TCP, "UDP"} {
		if l := e.listenerFor(p); l != nil {
			if ours := l.addr.Addr(); !ours.IsUnspecified() && ours.IsLoopback() == peer.IsLoopback() {
				return ours
			}
			break
		}
	}
	return netip.Addr{}
}

// towards gives the address of a listener as a peer sees it.
func (l *listener) towards(peer netip.AddrPort) (netip.Addr, error) {
	if ours := l.addr.Addr(); !ours.IsUnspecified() {
		return ours.WithZone(""), nil
	}
	return Towards(peer.String())
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

// Host is the address by which a peer reaches us that was heard by a network from an
// address.
func (e *Endpoint) Host(network, peer string) (string, error) {
	address, err := netip.ParseAddrPort(peer)
	if err != nil {
		return "", err
	}
	w := &way{place: resolve.Place{Network: network, Addr: address}}
	if c := e.streams.Find(network, address); c != nil {
		w.conn = c
	}
	err = e.name(w)
	return w.host, err
}

// Connected says whether a connection with a peer is open: "TCP", "TLS", "WS" or
// "WSS", and its address.
func (e *Endpoint) Connected(network, peer string) bool {
	address, err := netip.ParseAddrPort(peer)
	return err == nil && e.streams.Find(network, address) != nil
}

// Resolve gives the places that a SIP URI leads to, those to be tried first in
// front (RFC 3263). It waits for the DNS, but only for some seconds.
func (e *Endpoint) Resolve(ctx context.Context, uri string) ([]resolve.Place, error) {
	u, err := parseURI(uri)
	if err != nil {
		return nil, err
	}
	return e.places(ctx, hopTo(u, ""))
}
