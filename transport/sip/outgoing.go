// SPDX-License-Identifier: MIT

package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/resolve"
	"github.com/callwright/callwright/transport/sip/secure"
	"github.com/callwright/callwright/transport/sip/trunk"
)

// route is how a target is reached.
type route struct {
	uri   string // whom to call
	host  string // where its number lives, for From
	trunk directory.Trunk
	terms terms
	// network and flow are where it was heard, if it is to be reached there.
	network, flow string
}

// String names the way for a timeline.
func (r route) String() string {
	if r.trunk.Name == "" {
		return r.uri
	}
	return "trunk " + strconv.Quote(r.trunk.Name)
}

// at names a user at the route's host, as From shows it: without a port (RFC
// 3261 section 20.20).
func (r route) at(user string) string {
	host := r.host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if strings.Contains(host, ":") {
		host = "[" + strings.Trim(host, "[]") + "]"
	}
	return "sip:" + dialog.EscapeUser(user) + "@" + host
}

// Dial begins to ring a target. If there are several ways to it, they are tried
// one after the other.
func (s *Server) Dial(r engine.DialRequest) (engine.Leg, error) {
	ways, err := s.ways(r)
	if err != nil {
		return nil, err
	}
	leg, local, err := s.openStream(r.Near)
	if err != nil {
		return nil, &engine.DialError{Cause: engine.CauseOverload, Err: fmt.Errorf("ring %s: %w", r.Target, err)}
	}
	leg.out, leg.account = true, r.Account
	leg.tries = &tries{server: s, request: r, local: local, left: ways, must: s.cfg.Directory.Emergency(r.Target.Address)}
	leg.mu.Lock() // until the dialog is there, its first event waits
	defer leg.mu.Unlock()
	if err := leg.advance(); err != nil {
		cause := engine.CauseUnreachable
		if errors.Is(err, trunk.ErrFull) {
			cause = engine.CauseOverload
		}
		// Nobody listens to this leg; its stream ends for itself.
		return nil, &engine.DialError{Cause: cause, Err: errors.Join(
			fmt.Errorf("ring %s: %w", r.Target, err), s.cfg.Media.CloseStream(leg.stream))}
	}
	return leg, nil
}

// ways finds the ways to a target, in the order in which they are to be tried: a
// number by trunks, a user at its phone.
func (s *Server) ways(r engine.DialRequest) ([]route, error) {
	switch t := r.Target; t.Address.Kind {
	case directory.KindNumber:
		trunks := s.cfg.Directory.TrunksOut(r.Account)
		if len(trunks) == 0 {
			return nil, &engine.DialError{Cause: engine.CauseUnreachable, Err: fmt.Errorf(
				"%s cannot be called: no trunk has an address (trunks[].address)", t)}
		}
		if !s.cfg.Directory.Emergency(t.Address) {
			trunks = s.trunks.Order(trunks)
		}
		ways := make([]route, len(trunks))
		for i, one := range trunks {
			ways[i] = routeByTrunk(one, t.Address.Value)
		}
		return ways, nil
	case directory.KindUser:
		way, err := s.routeToUser(r.Account, t)
		return []route{way}, err
	case directory.KindGroup:
		return nil, &engine.DialError{Cause: engine.CauseOffline, Err: fmt.Errorf("nobody of group %s is there: no phone of theirs is registered", t)}
	}
	return nil, &engine.DialError{Cause: engine.CauseNotFound, Err: fmt.Errorf("%s is neither a number nor a user", r.Target)}
}

// routeByTrunk is the way to a number by a trunk.
func routeByTrunk(t directory.Trunk, number string) route {
	return route{
		uri: "sip:" + dialog.EscapeUser(number) + "@" + t.Address, host: hostOf(t.Address), trunk: t, terms: termsOfTrunk(t),
	}
}

// hostOf is the host and port of "host:port;transport=tcp".
func hostOf(address string) string {
	host, _, _ := strings.Cut(address, ";")
	return host
}

// whereabouts are where a way leads.
type whereabouts struct {
	// places are to be tried one after the other; none if the other side is to be
	// reached where it was heard.
	places []resolve.Place
	peer   string // the first of them, with its port
	// secured says that what is signalled to all of them is encrypted.
	secured bool
}

// whereabouts finds out where a way leads. It may wait for the DNS, for some
// seconds.
func (s *Server) whereabouts(ctx context.Context, way route) (at whereabouts, err error) {
	if way.flow != "" {
		return whereabouts{peer: way.flow, secured: isSecured(way.network, way.uri)}, nil
	}
	at.places, err = s.endpoint.Resolve(ctx, way.uri)
	if err != nil {
		return at, fmt.Errorf("%w: %w", errNoWay, err)
	}
	at.peer = at.places[0].Addr.String()
	at.secured = !slices.ContainsFunc(at.places, func(p resolve.Place) bool { return !isSecured(p.Network, way.uri) })
	return at, nil
}

// security is what connections to a trunk are secured with.
func security(t directory.TrunkTLS) secure.Client {
	return secure.Client{Cert: t.Cert, Key: t.Key, CA: t.CA, ServerName: t.ServerName}
}

// warnOfFiles says which trunks cannot be reached because of their files, and the
// calls of which are all refused because nobody is asked for a certificate. It is
// no reason not to start: others can.
func (s *Server) warnOfFiles() {
	clients := secure.NewClients(s.log)
	for _, t := range s.cfg.Directory.Trunks() {
		if _, err := clients.Config(security(t.TLS), "any.invalid"); err != nil {
			s.log.Error(fmt.Sprintf("trunk %q cannot be reached by TLS: %v", t.Name, err))
		}
		if t.TLS.ClientName != "" && s.cfg.TLS.ClientCA == "" {
			s.log.Error(fmt.Sprintf("all calls of %s will be refused: it has tls.client_name, but no peer is asked for a certificate; "+
				"set sip.tls.client_ca to the PEM file of who signed it", t.EntryID()))
		}
	}
}
