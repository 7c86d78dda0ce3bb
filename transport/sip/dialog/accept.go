// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"
)

// acceptance is a 200 of ours to an INVITE that waits for its ACK. It is
// repeated after T1, 2·T1, 4·T1 … up to T2, on any transport, because there may
// be an unreliable one further on, and given up after 64·T1 (RFC 3261 section
// 13.3.1.4).
type acceptance struct {
	tx       *serverTx
	res      *sip.Response
	seq      uint32
	offers   bool // an offer of ours, to which the ACK has the answer
	interval time.Duration
	until    time.Time
	timer    *time.Timer
}

func (a *acceptance) stop() {
	if a != nil {
		a.timer.Stop()
	}
}

// accept sends a 200 and waits for its ACK. d.mu is held.
func (d *Dialog) accept(tx *serverTx, res *sip.Response, req *sip.Request) error {
	tx.answered.Store(true)
	if err := tx.Respond(res); err != nil {
		return fmt.Errorf("send 200: %w", err)
	}
	t1 := d.ep.cfg.T1
	a := &acceptance{
		tx: tx, res: res, seq: req.CSeq().SeqNo, offers: len(req.Body()) == 0 && len(res.Body()) > 0,
		interval: t1, until: time.Now().Add(64 * t1),
	}
	a.timer = time.AfterFunc(a.interval, func() { d.repeat(a) })
	d.await = a
	return nil
}

// repeat sends the 200 again, or gives up.
func (d *Dialog) repeat(a *acceptance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.await != a {
		return
	}
	if !time.Now().Before(a.until) {
		d.unacknowledged()
		return
	}
	if err := a.tx.Connection().WriteMsg(a.res); err != nil {
		d.ep.log.Debug("repeat 200", "call_id", d.callID, "err", err)
	}
	a.interval = min(2*a.interval, d.ep.cfg.T2)
	a.timer.Reset(min(a.interval, max(time.Until(a.until), 0)))
}

// unacknowledged ends the call because no ACK came. d.mu is held.
func (d *Dialog) unacknowledged() {
	d.await = nil
	d.settle()
	if d.phase == confirmed {
		d.leave(Ended{
			Reason: fmt.Sprintf("our answer was not acknowledged for %v", 64*d.ep.cfg.T1), By: Timeout, Why: Unacknowledged,
		})
		return
	}
	d.ep.lanes.do(d.callID, d.sendBye)
}

// onAck takes the ACK for a 200 of ours, or a repetition of it.
func (d *Dialog) onAck(r *inbound) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.await != nil && d.await.seq == r.CSeq().SeqNo {
		d.acknowledged(r.Body())
	}
}

// acknowledged says that the peer knows of our 200. d.mu is held.
func (d *Dialog) acknowledged(body []byte) {
	d.await.stop()
	d.await = nil
	d.nextChange()
	first := d.in != nil
	d.settle()
	if d.phase == confirmed && (first || len(body) > 0) {
		d.emit(Confirmed{Body: body})
	}
	if d.bye.wanted {
		d.ep.lanes.do(d.callID, d.sendBye)
	}
}
