// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// mostForks is of how many phones we keep count that ring for one call of ours.
const mostForks = 16

// fork is an early dialog of a call of ours. A proxy may ring several phones, and
// each has one (RFC 3261 section 12.1.2).
type fork struct {
	peer peer
	rseq uint32 // of its last reliable response, 0 before the first
	body []byte // the session description that it sent last
}

// forked gives the early dialog that a response belongs to, with what it says of
// the way there; nil if it belongs to none. d.mu is held.
func (d *Dialog) forked(res *sip.Response) *fork {
	tag, ok := res.To().Params.Get("tag")
	f := d.out.forks[tag]
	switch {
	case !ok:
		return nil
	case f == nil && len(d.out.forks) == mostForks:
		return nil
	case f == nil:
		f = &fork{peer: d.peer}
		f.peer.to = sip.HeaderClone(res.To()).(*sip.ToHeader)
		f.peer.routes = routesOf(res)
		if d.out.forks == nil {
			d.out.forks = map[string]*fork{}
		}
		d.out.forks[tag] = f
	}
	f.peer.refresh(res)
	return f
}

// confirm acknowledges a reliable response (RFC 3262 section 4). False says that
// it is to be passed over: it came before, or one before it is missing and will
// come again. d.mu is held.
func (d *Dialog) confirm(f *fork, res *sip.Response) bool {
	rseq, err := strconv.ParseUint(strings.TrimSpace(value(res, "RSeq")), 10, 32)
	if f == nil || err != nil || rseq == 0 || f.rseq != 0 && uint32(rseq) != f.rseq+1 {
		return false
	}
	f.rseq = uint32(rseq)
	q := &question{method: sip.PRACK, fork: f, done: func(Reply) {}}
	q.headers = []sip.Header{sip.NewHeader("RAck", fmt.Sprint(rseq, " ", d.out.seq, " ", sip.INVITE))}
	if len(res.Body()) > 0 && d.out.settled != f {
		if d.out.settled = f; len(d.out.body) == 0 {
			q.body, q.contentType = d.answerTo(res), sdpType
		}
	}
	d.ep.lanes.do(d.callID, func() { d.sendQuestion(q) })
	return true
}

// answerTo gives the answer to the offer in a response to an INVITE of ours that
// made none. d.mu is held.
func (d *Dialog) answerTo(res *sip.Response) []byte {
	if len(res.Body()) == 0 {
		return nil
	}
	answer, _ := d.offered(res.Body())
	return answer
}

// offered asks the handler about an offer of the peer's. The call may be over
// when it returns. d.mu is held.
func (d *Dialog) offered(body []byte) (answer []byte, err error) {
	err = ErrNotAllowed
	if d.handler.Offer != nil {
		d.mu.Unlock() // Offer may use the dialog
		answer, err = d.handler.Offer(body)
		d.mu.Lock()
	}
	if err != nil {
		d.ep.log.Info("refused a change of the session", "call_id", d.callID, "err", err)
	}
	return answer, err
}
