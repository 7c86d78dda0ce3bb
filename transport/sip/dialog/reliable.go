// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// reliable is how provisional responses to an INVITE get through for certain
// (RFC 3262): each is repeated until the caller has acknowledged it by a PRACK,
// and the next one waits for that.
type reliable struct {
	// supported and required are what the caller said of 100rel.
	supported, required bool
	seq                 uint32 // RSeq of the last
	open                *provisional
	waiting             []*sip.Response
	// settled says that our session description went with one.
	settled bool
	// answer is a 200 of ours that waits for a session description to get
	// through.
	answer *sip.Response
}

// provisional is a reliable response that waits for its PRACK.
type provisional struct {
	res      *sip.Response
	seq      uint32
	interval time.Duration
	until    time.Time
	timer    *time.Timer
}

// stop has nothing repeated any more.
func (r *reliable) stop() {
	if r.open != nil {
		r.open.timer.Stop()
		r.open = nil
	}
	r.waiting = nil
}

// carries says whether a provisional response is to be sent reliably: where the
// caller insists on it, and where a session description is lost with it.
func (r *reliable) carries(body []byte) bool {
	return r.required || r.supported && len(body) > 0
}

// progress sends a provisional response. d.mu is held.
func (d *Dialog) progress(status int, phrase string, body []byte) error {
	r := &d.in.reliable
	if r.settled {
		body = nil // said already, and what was settled since may be newer
	}
	if !r.carries(body) {
		return d.in.tx.Respond(d.respond(d.in.req, status, phrase, body))
	}
	if len(d.in.req.Body()) == 0 && len(body) == 0 {
		// A caller who made no offer wants ours in the first reliable response
		// (RFC 3261 section 13.2.1). It can do without this one.
		return nil
	}
	if r.seq == 0 {
		r.seq = rand.Uint32N(1 << 31) // RFC 3262 section 3
	}
	r.settled = r.settled || len(body) > 0
	res := d.respond(d.in.req, status, phrase, body, sip.NewHeader("Require", option100rel))
	if r.open != nil {
		r.waiting = append(r.waiting, res)
		return nil
	}
	return d.promise(res)
}

// promise sends a response until it is acknowledged. d.mu is held.
func (d *Dialog) promise(res *sip.Response) error {
	r, t1 := &d.in.reliable, d.ep.cfg.T1
	r.seq++
	res.AppendHeader(sip.NewHeader("RSeq", strconv.FormatUint(uint64(r.seq), 10)))
	p := &provisional{res: res, seq: r.seq, interval: t1, until: time.Now().Add(64 * t1)}
	p.timer = time.AfterFunc(p.interval, func() { d.repeatProvisional(p) })
	r.open = p
	return d.in.tx.Respond(res)
}

// repeatProvisional sends it again after T1, 2·T1, 4·T1 …, or gives the call up
// after 64·T1 (RFC 3262 section 3).
func (d *Dialog) repeatProvisional(p *provisional) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.in == nil || d.in.reliable.open != p {
		return
	}
	if !time.Now().Before(p.until) {
		d.unprovisioned(p)
		return
	}
	if err := d.in.tx.Connection().WriteMsg(p.res); err != nil {
		d.ep.log.Debug("repeat provisional response", "call_id", d.callID, "err", err)
	}
	p.interval *= 2
	p.timer.Reset(min(p.interval, max(time.Until(p.until), 0)))
}

// unprovisioned refuses a call whose caller acknowledges nothing. d.mu is held.
func (d *Dialog) unprovisioned(p *provisional) {
	d.in.reliable.stop()
	if d.phase != early {
		return
	}
	reason := fmt.Sprintf("our %d was not acknowledged for %v", p.res.StatusCode, 64*d.ep.cfg.T1)
	d.reject(sip.StatusGatewayTimeout, "Server Time-out", nil)
	d.finish(Ended{Status: sip.StatusGatewayTimeout, Reason: reason, By: Timeout, Why: Unacknowledged})
	d.release()
}

// onPrack takes the acknowledgement of a reliable response; it may bring an offer
// (RFC 3262 sections 3 and 5). d.mu is held.
func (d *Dialog) onPrack(r *inbound, answer answerer) {
	var body []byte
	switch {
	case d.in == nil || d.in.reliable.open == nil || !acknowledges(r.Request, d.in.reliable.open.seq, d.in.req.CSeq().SeqNo):
		answer(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist", nil)
		return
	case !carriesSDP(r.Request):
		answer(sip.StatusUnsupportedMediaType, "Unsupported Media Type", nil, sip.NewHeader("Accept", sdpType))
		return
	}
	open := d.in.reliable.open
	open.timer.Stop()
	d.in.reliable.open = nil
	switch {
	case len(r.Body()) == 0:
	case len(d.in.req.Body()) == 0 && len(open.res.Body()) > 0: // the answer to our offer
		d.emit(Confirmed{Body: r.Body()})
	default:
		var err error
		if body, err = d.offered(r.Body()); err != nil {
			answer(sip.StatusNotAcceptableHere, "Not Acceptable Here", nil)
			return
		}
	}
	answer(sip.StatusOK, "OK", body)
	d.provisioned()
}

// provisioned goes on when a reliable response has got through. d.mu is held.
func (d *Dialog) provisioned() {
	if d.in == nil || d.phase != early {
		return
	}
	r, err := &d.in.reliable, error(nil)
	switch {
	case len(r.waiting) > 0:
		next := r.waiting[0]
		r.waiting = r.waiting[1:]
		err = d.promise(next)
	case r.answer != nil:
		err = d.pickUp(r.answer)
	}
	if err != nil {
		d.ep.log.Debug("answer INVITE", "call_id", d.callID, "err", err)
	}
}

// acknowledges says whether a PRACK is for the response with an RSeq to the
// INVITE with a CSeq number (RFC 3262 section 7.2).
func acknowledges(prack *sip.Request, rseq, cseq uint32) bool {
	fields := strings.Fields(value(prack, "RAck"))
	return len(fields) == 3 && fields[2] == string(sip.INVITE) &&
		fields[0] == strconv.FormatUint(uint64(rseq), 10) && fields[1] == strconv.FormatUint(uint64(cseq), 10)
}
