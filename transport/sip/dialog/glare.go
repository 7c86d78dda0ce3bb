// SPDX-License-Identifier: MIT

package dialog

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"
)

// mostTries is how often a change of the session is sent that crosses the peer's.
const mostTries = 5

// mostPause is how many seconds we wait at most before we try again what the
// peer wants to be asked later.
const mostPause = 10

// changes says whether a question may change the session. Only one at a time
// does (RFC 3261 section 14.1, RFC 3311 section 5.1).
func (q *question) changes() bool { return q.method == sip.INVITE || q.method == sip.UPDATE }

// takesTurn says whether a question may be sent now. One that may not waits
// until the change before it is done, ours or the peer's. d.mu is held.
func (d *Dialog) takesTurn(q *question) bool {
	if !q.changes() {
		return true
	}
	if d.await != nil || d.asks.changing != nil && d.asks.changing != q {
		if d.asks.changing == q {
			d.asks.changing = nil
		}
		d.asks.waiting = append(d.asks.waiting, q)
		return false
	}
	d.asks.changing = q
	return true
}

// passTurn lets the next change begin when one is done. d.mu is held.
func (d *Dialog) passTurn(q *question) {
	if d.asks.changing == q {
		d.asks.changing = nil
	}
	d.nextChange()
}

// nextChange begins a change that waits, if nothing is in its way. d.mu is held.
func (d *Dialog) nextChange() {
	if d.await != nil || d.asks.changing != nil || len(d.asks.waiting) == 0 {
		return
	}
	q := d.asks.waiting[0]
	d.asks.waiting = d.asks.waiting[1:]
	d.ep.lanes.do(d.callID, func() { d.sendQuestion(q) })
}

// offersAfresh makes the offer of an INVITE that refreshes the session, which is
// not to change it. d.mu is held.
func (d *Dialog) offersAfresh(q *question) bool {
	if !q.refresh || q.method != sip.INVITE {
		return true
	}
	var err error
	if q.body, err = d.offered(nil); err != nil || !d.mayAsk(q) {
		d.passTurn(q)
		return false
	}
	return true
}

// crossed takes the refusal of a change that crossed one of the peer's (491), or
// that it wants to be asked later, and has it sent again: after 2.1 to 4 seconds
// if we made the call, else after up to 2, so that the two do not cross again
// (RFC 3261 section 14.1). The RFC's seconds are two of its T1. d.mu is held.
func (d *Dialog) crossed(q *question, res *sip.Response) bool {
	later, _, asked := secondsOf(value(res, "Retry-After"))
	var pause time.Duration
	switch {
	case q.tries >= mostTries:
		return false
	case res.StatusCode == sip.StatusRequestPending && d.out != nil:
		pause = d.ep.cfg.T1 / 50 * time.Duration(210+rand.IntN(191))
	case res.StatusCode == sip.StatusRequestPending:
		pause = d.ep.cfg.T1 / 50 * time.Duration(rand.IntN(201))
	case res.StatusCode == sip.StatusInternalServerError && asked && later <= mostPause:
		pause = time.Duration(later) * d.ep.cfg.second
	default:
		return false
	}
	q.tries++
	d.asks.retry = time.AfterFunc(pause, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.asks.retry = nil
		d.ep.lanes.do(d.callID, func() { d.sendQuestion(q) })
	})
	return true
}

// busy says how to refuse an INVITE or UPDATE that comes while another change of
// the session is under way (RFC 3261 section 14.2, RFC 3311 section 5.2); 0 is
// not at all. f is the early dialog that it is for, if it is for one. d.mu is held.
func (d *Dialog) busy(r *inbound, f *fork) (status int) {
	offers := r.Method == sip.INVITE || len(r.Body()) > 0
	ours := d.asks.changing != nil && d.asks.retry == nil && (r.Method == sip.INVITE || d.asks.changing.offers())
	switch {
	case !offers:
		return 0
	case d.phase == early && d.in != nil && (r.Method == sip.INVITE || !d.in.reliable.settled):
		return sip.StatusInternalServerError // theirs waits for us
	case d.phase == early && d.out != nil && (r.Method == sip.INVITE || f == nil || f != d.out.settled):
		return sip.StatusRequestPending // ours waits for them
	case ours, d.await != nil && d.await.offers:
		return sip.StatusRequestPending
	}
	return 0
}

func (q *question) offers() bool { return len(q.body) > 0 }

// later is the Retry-After header of a 500: any time within ten seconds.
func later() sip.Header { return sip.NewHeader("Retry-After", strconv.Itoa(rand.IntN(mostPause+1))) }
