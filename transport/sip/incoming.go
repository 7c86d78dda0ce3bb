// SPDX-License-Identifier: MIT

package sip

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/sdp"
)

// retryAfter is how many seconds a caller should wait when there was no room.
const retryAfter = "5"

// refuse says why a call does not get through: to the caller, and the reason to
// the operator, with what did not match and what to do.
func refuse(status int, phrase, reason string) *dialog.Response {
	return &dialog.Response{Status: status, Phrase: phrase, Reason: reason}
}

// causeOfRefusal is why a call ends that is refused with a status, for its record.
func causeOfRefusal(status int) engine.Cause {
	switch status {
	case 403:
		return engine.CauseForbidden
	case 404:
		return engine.CauseNotFound
	case 488:
		return engine.CauseNoCodec
	case 503:
		return engine.CauseOverload
	}
	return engine.CauseRejected
}

// incoming makes a leg of a new call and hands it to the engine, or refuses it.
func (s *Server) incoming(d *dialog.Dialog, in dialog.Invitation) dialog.Handler {
	<-s.started // the engine may ring somebody at once
	leg, arrival, no := s.accept(d, in)
	if no == nil {
		return leg.handler()
	}
	if no.Reason != "" {
		s.log.Warn("call refused: "+no.Reason, "status", no.Status, "from", in.From.URI, "to", in.To.URI, "source", in.Source)
		s.calls.Refuse(arrival, engine.Refusal{Cause: causeOfRefusal(no.Status), Status: no.Status, Source: in.Source.String(), Reason: no.Reason})
	}
	if no.Status == 503 {
		no.Headers = append(no.Headers, dialog.Header{Name: "Retry-After", Value: retryAfter})
	}
	d.Hangup(no.Status, no.Phrase, no.Headers...)
	if leg != nil {
		return leg.handler() // closes the stream when the dialog has ended
	}
	return dialog.Handler{Event: func(dialog.Event) {}}
}

// refused tells of a request that did not get as far as a call.
func (s *Server) refused(r dialog.Request, no dialog.Response, missed int) {
	reason := no.Reason
	if reason == "" {
		_, reason = s.gate.trunkOf(r)
	}
	s.log.Warn("refused: "+reason, "request", r.Method+" "+r.URI, "status", no.Status,
		"from", r.From.URI, "source", r.Source, "not_logged_before", missed)
	if no.Reason = reason; r.Method == "INVITE" {
		s.keep(r, directory.User{}, no)
	}
}

// keep has a record made of a call that did not get as far as one.
func (s *Server) keep(r dialog.Request, of directory.User, no dialog.Response) {
	if s.calls == nil {
		return
	}
	in, to := dialog.Invitation{Request: r}, called(dialog.Party{URI: r.URI})
	s.calls.Refuse(engine.Arrival{Account: of.Account, From: caller(in, false), To: to},
		engine.Refusal{Cause: causeOfRefusal(no.Status), Status: no.Status, Source: r.Source.String(), Reason: no.Reason})
}

// accept finds out what a call is for and gives its leg to the engine. With a
// refusal the leg may be nil.
func (s *Server) accept(d *dialog.Dialog, in dialog.Invitation) (*Leg, engine.Arrival, *dialog.Response) {
	arrival, how, no := s.arrival(in)
	arrival.MaxForwards = in.MaxForwards
	if no != nil {
		if arrival.From.Kind == "" {
			arrival.From, arrival.To = caller(in, false), called(in.To)
		}
		return nil, arrival, no
	}
	if arrival.Caller.ID != "" {
		d.Pin()
	}
	leave, err := s.enter(d, how.of)
	if err != nil {
		return nil, arrival, refuse(503, "Service Unavailable", err.Error())
	}
	leg, err := s.hear(in, how)
	if err != nil {
		leave()
		return nil, arrival, refuse(503, "Service Unavailable", "no way for its sound: "+err.Error())
	}
	leg.dialog, leg.leave, leg.trunk, leg.account = d, leave, arrival.Trunk, arrival.Account
	if len(in.Body) > 0 {
		leg.answer, leg.remote, err = leg.session.Answer(in.Body)
		switch {
		case errors.Is(err, sdp.ErrNoCommonCodec), errors.Is(err, sdp.ErrSecrecy):
			return leg, arrival, refuse(488, "Not Acceptable Here", how.explain(err).Error())
		case err != nil:
			return leg, arrival, refuse(400, "Bad Session Description", err.Error())
		}
	}
	if err := s.calls.Arrive(leg, arrival); errors.Is(err, engine.ErrNoCall) {
		return leg, arrival, refuse(481, "Call/Transaction Does Not Exist", "the call that it is to replace is over")
	} else if err != nil {
		return leg, arrival, refuse(503, "Service Unavailable", err.Error())
	}
	return leg, arrival, nil
}

// enter counts a call, if it comes by a trunk.
func (s *Server) enter(d *dialog.Dialog, id directory.EntryID) (leave func(), err error) {
	if t, ok := s.cfg.Directory.Trunk(id.Account, id.ID); ok && id.Kind == directory.EntryTrunk {
		d.Secure(security(t.TLS))
		return s.trunks.Enter(t, false)
	}
	return func() {}, nil
}

// hear makes the leg of a call, with a stream for its sound.
func (s *Server) hear(in dialog.Invitation, how terms) (*Leg, error) {
	leg, local, err := s.openStream(0)
	if err != nil {
		return nil, err
	}
	session, err := s.newSession(local, in.Source.String(), how, isSecured(in.Network, ""))
	if err != nil {
		return nil, errors.Join(err, s.cfg.Media.CloseStream(leg.stream))
	}
	leg.speak(session, how, s.vigilOver(in.Source.String(), how))
	return leg, nil
}

// arrival finds out who calls whom, and how sound and keys go to the caller.
func (s *Server) arrival(in dialog.Invitation) (a engine.Arrival, how terms, no *dialog.Response) {
	user, challenge := s.gate.enter(in.Request)
	if challenge != nil {
		return a, how, challenge
	}
	replaces := in.Header("Replaces")
	switch {
	case user.ID != "" && len(replaces) > 0:
		a = engine.Arrival{Account: user.Account, Caller: user, From: fromOf(user, in), To: called(in.To)}
		return s.instead(a, replaces, termsOfUser(user))
	case user.ID != "":
		a, no = s.fromUser(user, in)
		return a, termsOfUser(user), no
	}
	trunk, stranger := s.gate.trunkOf(in.Request)
	if stranger != "" {
		return a, how, refuse(403, "Forbidden", stranger)
	}
	if len(replaces) > 0 {
		a = engine.Arrival{Account: trunk.Account, Trunk: trunk.Name, From: caller(in, true), To: called(in.To)}
		return s.instead(a, replaces, termsOfTrunk(trunk))
	}
	to := in.To
	if _, ok := s.trunks.Of(dialog.UserPart(in.URI)); ok {
		to = meant(in)
	}
	number, no := s.number(trunk, dialog.UserPart(to.URI))
	return engine.Arrival{
		Account: cmp.Or(number.Account, trunk.Account), Trunk: trunk.Name, From: caller(in, true), To: called(to),
		Diversion: diversion(in), Headers: extensions(in), Number: number,
	}, termsOfTrunk(trunk), no
}

// number finds what was dialled, or says what comes nearest.
func (s *Server) number(trunk directory.Trunk, dialled string) (directory.Number, *dialog.Response) {
	if n, ok := s.cfg.Directory.Number(trunk.Account, dialled); ok {
		return n, nil
	}
	if trunk.App != "" {
		return directory.Number{Number: directory.NormalizeNumber(dialled), Account: trunk.Account, App: trunk.App}, nil
	}
	reason := fmt.Sprintf("number %q is not configured", dialled)
	if nearest := s.cfg.Directory.NearestNumber(trunk.Account, dialled); nearest != "" {
		reason += fmt.Sprintf(", the nearest one is %q", nearest)
	}
	return directory.Number{}, refuse(404, "Not Found", reason)
}

// called is the party that a URI names: a number if it can be one.
func called(p dialog.Party) directory.Address {
	user := dialog.UserPart(p.URI)
	if !directory.IsNumber(user) {
		return directory.Address{Kind: directory.KindSIP, Value: p.URI, Name: p.Name}
	}
	a := directory.NumberAddress(user)
	a.Name = p.Name
	return a
}
