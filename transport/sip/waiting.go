// SPDX-License-Identifier: MIT

package sip

import (
	"cmp"
	"slices"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/mwi"
)

// newLamps makes what tells phones that messages wait.
func (s *Server) newLamps() *mwi.Lamps {
	return mwi.New(mwi.Config{
		Mailboxes: s.cfg.Mailboxes, Log: s.log, Phones: s.phones, Unasked: s.unasked,
		May: func(account, user string) bool {
			u, ok := s.cfg.Directory.User(account, user)
			return ok && u.Username != ""
		},
	})
}

// Indicate has a user's phones show how many messages wait.
func (s *Server) Indicate(account, user string, unheard, heard int) {
	if s.lamps != nil {
		s.lamps.Indicate(account, user, unheard, heard)
	}
}

// subscribe answers a SUBSCRIBE that the gate has let in.
func (s *Server) subscribe(w *dialog.Watcher, r dialog.Request) dialog.Response {
	<-s.started
	user, no := s.gate.enter(r)
	switch {
	case no != nil:
		return *no
	case user.ID == "": // not let in by the gate
		return *s.gate.challenge(r, false)
	}
	res := s.lamps.Subscribe(user, w, r)
	if res.Reason != "" && s.gate.throttle.Odd(r.Source.Addr(), res.Phrase) {
		s.log.Warn("subscription refused: "+res.Reason+"; more of this source are not logged for a minute",
			"status", res.Status, "user", user.ID, "source", r.Source)
	}
	return res
}

// light tells those of a user's phones that messages wait that have just
// registered, or registered anew: a phone that goes on does so with the same
// Call-ID (RFC 3261 section 10.2.4).
func (s *Server) light(user directory.User, before []directory.Registration) {
	if s.lamps == nil {
		return
	}
	var contacts []string
	for _, p := range s.registrar.Places(user.Account, user.ID) {
		if !slices.ContainsFunc(before, func(b directory.Registration) bool { return b.Contact == p.Contact && b.CallID == p.CallID }) {
			contacts = append(contacts, p.Contact)
		}
	}
	if len(contacts) > 0 {
		s.lamps.Registered(user.Account, user.ID, contacts)
	}
}

// phones gives where a user is registered and can be reached.
func (s *Server) phones(account, user string) []directory.Registration {
	return slices.DeleteFunc(s.registrar.Places(account, user), func(p directory.Registration) bool { return !s.reachable(p) })
}

// unasked is the way to a phone that has not subscribed, and the name of its
// messages: the user at our address, as far as the phone can know it.
func (s *Server) unasked(p directory.Registration) (mwi.Watcher, string, error) {
	network, at := flow(p)
	host, err := s.endpoint.Host(network, at)
	if err != nil {
		return nil, "", err
	}
	user, _ := s.cfg.Directory.User(p.Account, p.User)
	account := route{host: host}.at(cmp.Or(user.Username, user.ID))
	w, err := s.endpoint.Watcher(dialog.Notice{Event: mwi.Event, To: p.Contact, From: dialog.Party{URI: account}, Network: network, Flow: at})
	return w, account, err
}

var (
	_ engine.Indicator = (*Server)(nil)
	_ mwi.Watcher      = (*dialog.Watcher)(nil)
	_ mwi.Mailboxes    = engine.Recordings(nil)
)
