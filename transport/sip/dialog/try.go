// SPDX-License-Identifier: MIT

package dialog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/resolve"
)

// tries are the places that a request of ours can go to. One that cannot be
// reached is followed by the next, and for an INVITE also one that says nothing
// for 8·T1 or answers 503 (RFC 3263 section 4.3). Only the lane of the call
// touches them.
type tries struct {
	hop hop
	// places are those that are left; the first is being tried. known says that
	// they were found out.
	places []resolve.Place
	known  bool
	timer  *time.Timer // until the next is tried
	// failures is what came of those that were tried.
	failures []error
	// left are the INVITEs that nobody has answered, by CSeq; those of taken were
	// taken back.
	left  map[uint32]*outbound
	taken map[uint32]bool
}

// more says whether there is another place after the one that is being tried.
func (t *tries) more() bool { return len(t.places) > 1 }

func (t *tries) stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
}

// next gives the way to the first place that is left and can be reached. It may
// wait for the DNS and for a connection, until ctx ends.
func (e *Endpoint) next(ctx context.Context, t *tries) (*way, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*e.cfg.connect)
	defer cancel()
	if !t.known {
		places, err := e.places(ctx, t.hop)
		if err != nil {
			return nil, err
		}
		t.places, t.known = places, true
	}
	for {
		limit := e.cfg.connect
		if t.more() {
			limit = hurriedTimeout
		}
		w, err := e.open(ctx, t.places[0], t.hop.client, limit)
		if err == nil {
			return w, nil
		}
		if !t.more() {
			return nil, fmt.Errorf("%s%w", t.told(""), err)
		}
		t.failures = append(t.failures, err)
		t.places = t.places[1:]
	}
}

// waitFor has the next place tried when this one says nothing. d.mu is held.
func (d *Dialog) waitFor(seq uint32) {
	t := &d.out.tries
	if !t.more() {
		return
	}
	patience := 8 * d.ep.cfg.T1
	t.timer = time.AfterFunc(patience, func() {
		d.ep.lanes.do(d.callID, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.phase == early && d.out.seq == seq && !d.out.heard {
				d.out.leave(seq)
				d.out.tx.Terminate()
				d.tryNext(fmt.Errorf("%s said nothing for %v", t.places[0], patience))
			}
		})
	})
}

// leave keeps an INVITE in mind that nobody has answered, but may yet.
func (o *outgoing) leave(seq uint32) {
	if o.tries.left == nil {
		o.tries.left, o.tries.taken = map[uint32]*outbound{}, map[uint32]bool{}
	}
	o.tries.left[seq] = o.req
}

// tryNext sends the INVITE to the next place. There must be one. d.mu is held.
func (d *Dialog) tryNext(why error) {
	t := &d.out.tries
	t.stop()
	d.ep.resolver.Failed(t.places[0])
	t.failures = append(t.failures, why)
	t.places = t.places[1:]
	d.out.seq, d.out.forks, d.out.settled = d.self.seq+1, nil, nil
	d.ep.lanes.do(d.callID, d.sendInvite)
}

// failed takes that an INVITE got no final response, and says whether it goes to
// another place. d.mu is held.
func (d *Dialog) failed(why error) bool {
	if d.phase != early || d.out.heard || !d.out.tries.more() {
		return false
	}
	d.tryNext(why)
	return true
}

// moves says whether a refusal has us try another place, which knows nothing of
// the trouble of this one. d.mu is held.
func (d *Dialog) moves(res *sip.Response) bool {
	if d.phase != early || res.StatusCode != sip.StatusServiceUnavailable || !d.out.tries.more() || len(d.out.forks) > 0 {
		return false
	}
	d.tryNext(fmt.Errorf("%s answered %s", d.out.tries.places[0], summary(res)))
	return true
}

// passed takes a response to an INVITE that was given up before. Who rings now is
// told not to; who picked up is hung up on. d.mu is held.
func (d *Dialog) passed(res *sip.Response) {
	seq := res.CSeq().SeqNo
	invite := d.out.tries.left[seq]
	switch {
	case res.IsSuccess() && seq < d.out.seq:
		d.ep.stray(res, d)
	case invite == nil:
	case res.IsProvisional() && !d.out.tries.taken[seq]:
		d.out.tries.taken[seq] = true
		d.ep.lanes.do(d.callID, func() { d.sendCancel(invite) })
	case res.StatusCode >= 300: // its transaction, which would acknowledge that, is gone
		ack := along(invite, sip.ACK)
		ack.ReplaceHeader(sip.HeaderClone(res.To()))
		d.ep.lanes.do(d.callID, func() { _ = d.ep.send(ack, d.traceSent) })
	}
}

// told says what came of all places that were tried, and of the last.
func (t *tries) told(last string) string {
	var b strings.Builder
	for _, f := range t.failures {
		b.WriteString(f.Error() + "; ")
	}
	return b.String() + last
}
