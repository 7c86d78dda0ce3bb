// SPDX-License-Identifier: MIT

package sip

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// register answers a REGISTER that the gate has let in.
func (s *Server) register(r dialog.Request) dialog.Response {
	<-s.started // the registrar may ask who is connected
	user, no := s.gate.enter(r)
	switch {
	case no != nil:
		return *no
	case user.ID == "": // not let in by the gate
		return *s.gate.challenge(r, false)
	}
	res := dialog.Response{Status: 403, Phrase: "Users Register Only Themselves"}
	if name := dialog.UserPart(r.To.URI); name == user.Username || name == user.ID {
		before := s.registrar.Places(user.Account, user.ID)
		if res = s.registrar.Register(user, r); res.Status == 200 {
			s.light(user, before)
		}
	}
	if res.Status >= 400 && s.gate.throttle.Odd(r.Source.Addr(), res.Phrase) {
		s.log.Warn("registration refused; more of this source are not logged for a minute",
			"status", res.Status, "reason", res.Phrase, "user", user.ID, "to", r.To.URI, "source", r.Source)
	}
	return res
}

// fromUser says what a user's call is: who calls is known by the credentials,
// and nothing of what From says is believed but that the user wants to be
// withheld. The engine knows what number the user shows.
func (s *Server) fromUser(user directory.User, in dialog.Invitation) (engine.Arrival, *dialog.Response) {
	a := engine.Arrival{Account: user.Account, Caller: user, From: fromOf(user, in), Headers: extensions(in)}
	dialled := dialog.UserPart(in.To.URI)
	to, number, ok := s.cfg.Directory.Dialled(user, dialled)
	a.To, a.Dialled = to, dialled
	app, _ := s.cfg.Directory.App(user.App)
	trunk := len(s.cfg.Directory.TrunksOut(user.Account)) > 0
	switch {
	case number.Number != "" && app.OutgoingURL == "":
		a.Account, a.Number = number.Account, number
		return a, nil
	case ok && (number.Number != "" || to.Kind != directory.KindNumber || s.cfg.Directory.Emergency(to)):
		return a, nil
	case ok && (trunk || app.OutgoingURL != ""):
		return a, nil
	}
	reason := fmt.Sprintf("%s dialled %q, which is no user, group or number", user.ID, dialled)
	if ok {
		reason = fmt.Sprintf("%s dialled %q, which is not configured, and no trunk has an address", user.ID, dialled)
	}
	if nearest := s.cfg.Directory.NearestNumber(user.Account, dialled); nearest != "" {
		reason += fmt.Sprintf("; the nearest number is %q", nearest)
	}
	return engine.Arrival{Account: user.Account, Caller: user}, refuse(404, "Not Found", reason)
}

// fromOf is who a user calls as: itself, or nobody if it wishes.
func fromOf(user directory.User, in dialog.Invitation) directory.Address {
	if caller(in, false).Kind == directory.KindAnonymous {
		return directory.Anonymous()
	}
	return user.Address()
}

// Contacts gives where a user's phones are: those that are registered, and the
// one that is configured.
func (s *Server) Contacts(account, user string) []string {
	var contacts []string
	for _, p := range s.registrar.Places(account, user) {
		if s.reachable(p) {
			contacts = append(contacts, p.Contact)
		}
	}
	if u, ok := s.cfg.Directory.User(account, user); ok && u.Contact != "" && !slices.Contains(contacts, u.Contact) {
		contacts = append(contacts, u.Contact)
	}
	return contacts
}

// Registrations gives where all users' phones are registered.
func (s *Server) Registrations() []directory.Registration { return s.registrar.All() }

// reachable says whether a phone can be rung where it registered from: over the
// connection that it opened or, if it is not behind a NAT, over a new one.
func (s *Server) reachable(p directory.Registration) bool {
	network, address := flow(p)
	if network == "UDP" || s.endpoint.Connected(network, address) {
		return true
	}
	from, err := netip.ParseAddrPort(address)
	_, host, _ := strings.Cut(p.Contact, "@")
	contact, err2 := netip.ParseAddrPort(hostOf(host))
	return err == nil && err2 == nil && from.Addr() == contact.Addr()
}

// flow is where a registration came from: by which transport, "UDP" or another,
// and from which address.
func flow(p directory.Registration) (network, address string) {
	network, address, _ = strings.Cut(p.Source, ":")
	return strings.ToUpper(network), address
}

// routeToUser finds the way to one of a user's phones, or to any if contact is
// empty.
func (s *Server) routeToUser(account string, t engine.Target) (route, error) {
	user, _ := s.cfg.Directory.User(account, t.Address.Value)
	for _, p := range s.registrar.Places(account, t.Address.Value) {
		if s.reachable(p) && (t.Contact == "" || t.Contact == p.Contact) {
			way := route{uri: p.Contact, terms: termsOfUser(user)}
			way.network, way.host = flow(p)
			way.flow = way.host
			return way, nil
		}
	}
	if user.Contact != "" && (t.Contact == "" || t.Contact == user.Contact) {
		_, address, _ := strings.Cut(user.Contact, "@")
		return route{uri: user.Contact, host: hostOf(address), terms: termsOfUser(user)}, nil
	}
	return route{}, &engine.DialError{Cause: engine.CauseOffline, Err: fmt.Errorf(
		"%s is not there: no phone is registered, and none is configured (users[].contact)", t)}
}

var _ engine.Location = (*Server)(nil)
