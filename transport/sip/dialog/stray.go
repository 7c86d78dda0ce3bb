// SPDX-License-Identifier: MIT

package dialog

import (
	"github.com/emiago/sipgo/sip"
)

// stray takes a 2xx to an INVITE of ours that nobody waits for: another fork
// answered first, or the call was cancelled or given up. The peer is in a call
// with us nevertheless, so it gets its ACK and then a BYE (RFC 3261 section
// 13.2.2.4). All that is needed for both stands in the response itself.
// d is the dialog whose timeline this belongs to, or nil.
func (e *Endpoint) stray(res *sip.Response, d *Dialog) {
	trace := func(sip.Message) {}
	if d != nil {
		trace = d.traceSent
	}
	target := *res.To().Address.Clone()
	if c := res.Contact(); c != nil {
		target = *c.Address.Clone()
	}
	tag, _ := res.From().Params.Get("tag")
	lost := &Dialog{ep: e, callID: res.CallID().Value(), tag: tag}
	lost.self = self{from: sip.HeaderClone(res.From()).(*sip.FromHeader), seq: res.CSeq().SeqNo}
	lost.peer = peer{
		to: sip.HeaderClone(res.To()).(*sip.ToHeader), target: target,
		routes: routesOf(res), network: sip.NetworkToUpper(res.Transport()),
	}
	if d != nil {
		lost.peer.flow, lost.peer.pinned = d.peer.flow, d.peer.pinned
		lost.peer.client, lost.peer.name = d.peer.client, d.peer.name
	}
	ack, bye := lost.request(sip.ACK), lost.request(sip.BYE)
	e.lanes.do(lost.callID, func() {
		if err := e.send(ack, trace); err != nil {
			e.log.Warn("acknowledge an answer nobody waits for", "call_id", lost.callID, "err", err)
		}
		if _, err := e.begin(bye, trace, func(error) {}); err != nil {
			e.log.Warn("hang up an answer nobody waits for", "call_id", lost.callID, "err", err)
		}
	})
}
