// SPDX-License-Identifier: MIT

package dialog

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/intake"
	"github.com/callwright/callwright/transport/sip/stream"
)

// sender sends the answer to what cannot be parsed.
type sender func(answer []byte, to netip.AddrPort) error

// takePacket takes a packet of UDP. It must not block. Strangers are turned away
// here already.
func (e *Endpoint) takePacket(s *socket, source netip.AddrPort, data []byte) {
	known := e.admits(source)
	// Sources of UDP may be made up, so all strangers together have a share as well.
	if !known && (!e.worthReading(source, data) || e.strangers.flood(time.Now())) {
		return
	}
	msg, _ := e.parse(data, "UDP", source, s.send)
	if msg == nil || !known && !bytes.Contains(data, []byte(e.secret)) && !e.letsIn(msg, source, s) {
		return
	}
	e.take(msg, source, s)
}

// letsIn says whether the message of a stranger is let in, and answers it if it is
// not.
func (e *Endpoint) letsIn(msg sip.Message, source netip.AddrPort, s *socket) bool {
	req, ok := msg.(*sip.Request)
	if !ok || req.IsAck() {
		return false
	}
	no := e.turnsAway(req, source)
	if no != nil && no.Status != 0 {
		answerTo(req, source)
		e.reply(&inbound{Request: req, conn: s, source: source}, no.Status, no.Phrase, no.headers()...)
	}
	return no == nil
}

// takeMessage takes a message of a connection. It must not block. A stranger who
// sends more than its share loses the connection.
func (e *Endpoint) takeMessage(c *stream.Conn, data []byte) {
	if !e.admits(c.Peer()) && !e.worthReading(c.Peer(), data) {
		_ = c.Close()
		return
	}
	msg, isSIP := e.parse(data, c.Network(), c.Peer(), sendBy(c))
	switch {
	case msg != nil:
		e.take(msg, c.Peer(), c)
	case !isSIP:
		_ = c.Close() // whoever sends such things has nothing to say
	}
}

// refuseStream takes a message whose end cannot be found.
func (e *Endpoint) refuseStream(c *stream.Conn, v intake.Verdict) {
	e.refuseBytes(v, c.Network(), c.Peer(), sendBy(c))
}

func sendBy(c *stream.Conn) sender {
	return func(answer []byte, _ netip.AddrPort) error { return c.Send(answer) }
}

// parse gives the message that bytes are. If there is none, it says whether they
// are SIP at least; they are answered and told of then.
func (e *Endpoint) parse(data []byte, network string, source netip.AddrPort, send sender) (msg sip.Message, isSIP bool) {
	v := intake.Check(data)
	if v.Message == nil {
		e.refuseBytes(v, network, source, send)
		return nil, v.IsSIP()
	}
	msg, err := e.parser.ParseSIP(v.Message)
	if err != nil {
		e.quiet.Debug("parse SIP message", "source", source, "network", network, "err", err)
		return nil, true
	}
	msg.SetTransport(network)
	msg.SetSource(source.String())
	return msg, true
}

// refuseBytes answers what cannot be parsed. A few in a second are told of.
// Strangers who do not even speak SIP are neither.
func (e *Endpoint) refuseBytes(v intake.Verdict, network string, source netip.AddrPort, send sender) {
	if v.Reason == "" {
		return
	}
	known, now := e.admits(source), time.Now()
	if !known {
		e.shield.Refused(source.Addr(), now)
	}
	worth, tell, missed := e.strangers.seen(source.Addr(), known, now)
	switch uri, caller, call := v.Invite(); {
	case !tell || !known && !v.IsSIP():
	case call && e.cfg.Refused != nil:
		e.cfg.Refused(e.misunderstood(uri, caller, network, source),
			Response{Status: v.Status, Phrase: v.Phrase, Reason: "it is not understood: " + v.Reason}, missed)
	default:
		e.log.Warn("SIP message not understood: "+v.Reason, "message", v.Summary(), "answered", v.Status,
			"source", source, "network", network, "not_logged_before", missed)
	}
	answer, to := v.Answer(source, network != "UDP", e.cfg.Product)
	if answer == nil || !known && !worth {
		return
	}
	if err := send(answer, to); err != nil {
		e.log.Debug("answer what is not understood", "source", source, "network", network, "err", err)
	}
}

// misunderstood is what can be told of an INVITE that cannot be parsed.
func (e *Endpoint) misunderstood(uri, caller, network string, source netip.AddrPort) Request {
	r := Request{
		Method: string(sip.INVITE), URI: uri, Hop: source, Source: source, Network: network,
		Header: func(string) []string { return nil },
	}
	if parties := ParseParties([]string{caller}); len(parties) > 0 {
		r.From = parties[0]
	}
	return r
}

// take puts a message into the lane of its call, in the order in which they came.
func (e *Endpoint) take(msg sip.Message, source netip.AddrPort, conn sip.Connection) {
	if e.closing.Load() {
		return
	}
	switch m := msg.(type) {
	case *sip.Request:
		e.lanes.do(m.CallID().Value(), func() { e.onRequest(m, source, conn) })
	case *sip.Response:
		e.lanes.do(m.CallID().Value(), func() { e.onResponse(m) })
	}
}
