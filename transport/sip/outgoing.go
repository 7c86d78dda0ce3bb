// SPDX-License-Identifier: MIT

package sip

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// route is how a target is reached.
type route struct {
	uri   string // whom to call
	host  string // where its number lives, for From
	trunk engine.Trunk
	terms terms
	// network and flow are where it was heard, if it is to be reached there.
	network, flow string
}

// peer is where the target is reached, with a port.
func (r route) peer() string {
	if _, _, err := net.SplitHostPort(r.host); err == nil {
		return r.host
	}
	return net.JoinHostPort(strings.Trim(r.host, "[]"), "5060")
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

// Dial begins to ring a target.
func (s *Server) Dial(r engine.DialRequest) (engine.Leg, error) {
	way, err := s.route(r.Account, r.Target)
	if err != nil {
		return nil, err
	}
	leg, err := s.openLeg(way.peer(), r.Near, way.terms, isPrivate(way.network, way.uri))
	if err != nil {
		cause := engine.CauseOverload
		if errors.Is(err, errNoWay) {
			cause = engine.CauseUnreachable
		}
		return nil, &engine.DialError{Cause: cause, Err: fmt.Errorf("ring %s: %w", r.Target, err)}
	}
	leg.out, leg.trunk = true, way.trunk.Name
	from, headers := s.shown(r, way)
	leg.mu.Lock() // until the dialog is there, its first event waits
	defer leg.mu.Unlock()
	leg.dialog, err = s.endpoint.Call(dialog.Call{
		To: way.uri, From: from, Headers: headers, Body: leg.session.Offer(),
		Username: way.trunk.Username, Password: way.trunk.Password,
		Network: way.network, Flow: way.flow, MaxForwards: r.MaxForwards,
	}, leg.handler())
	if err != nil {
		// Nobody listens to this leg; its stream ends for itself.
		return nil, &engine.DialError{Cause: engine.CauseUnreachable, Err: errors.Join(
			fmt.Errorf("ring %s: %w", r.Target, err), s.cfg.Media.CloseStream(leg.stream))}
	}
	return leg, nil
}

// route finds the way to a target: a number by the trunk, a user at its phone.
func (s *Server) route(account string, t engine.Target) (route, error) {
	switch t.Address.Kind {
	case engine.KindNumber:
		trunks := s.cfg.Directory.TrunksOut(account)
		if len(trunks) == 0 {
			return route{}, &engine.DialError{Cause: engine.CauseUnreachable, Err: fmt.Errorf(
				"%s cannot be called: no trunk has an address (trunks[].address)", t)}
		}
		trunk := trunks[0]
		return route{uri: "sip:" + dialog.EscapeUser(t.Address.Value) + "@" + trunk.Address, host: hostOf(trunk.Address), trunk: trunk, terms: termsOfTrunk(trunk)}, nil
	case engine.KindUser:
		return s.routeToUser(account, t)
	case engine.KindGroup:
		return route{}, &engine.DialError{Cause: engine.CauseOffline, Err: fmt.Errorf("nobody of group %s is there: no phone of theirs is registered", t)}
	}
	return route{}, &engine.DialError{Cause: engine.CauseNotFound, Err: fmt.Errorf("%s is neither a number nor a user", t)}
}

// hostOf is the host and port of "host:port;transport=tcp".
func hostOf(address string) string {
	host, _, _ := strings.Cut(address, ";")
	return host
}

// shown is who the target sees calling. Somebody who wants to stay unknown is
// anonymous in From and asks for it in Privacy (RFC 3323).
func (s *Server) shown(r engine.DialRequest, way route) (dialog.Party, []dialog.Header) {
	var headers []dialog.Header
	if r.Diversion != "" {
		headers = append(headers, dialog.Header{
			Name: "Diversion", Value: "<" + way.at(r.Diversion) + ">",
		})
	}
	switch {
	case r.From.Kind == engine.KindAnonymous:
		headers = append(headers, dialog.Header{Name: "Privacy", Value: "id"})
		return dialog.Party{Name: "Anonymous", URI: "sip:anonymous@anonymous.invalid"}, headers
	case r.From.Kind == engine.KindNumber:
		return dialog.Party{Name: r.From.Name, URI: way.at(r.From.Value)}, headers
	case way.trunk.From != "":
		return dialog.Party{URI: way.at(way.trunk.From)}, headers
	}
	// Our user, or a caller from elsewhere: shown at our own place, because what
	// it called itself may be no SIP URI.
	user := r.From.Value
	if r.From.Kind == engine.KindSIP {
		user = userPart(user)
	}
	return dialog.Party{Name: r.From.Name, URI: way.at(cmp.Or(user, "unknown"))}, headers
}
