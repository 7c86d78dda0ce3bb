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

// minExpires is the shortest session in seconds that anybody may ask us for, and
// that we may ask for (RFC 4028 section 4). maxExpires is where we stop to count.
const (
	minExpires = 90
	maxExpires = 1 << 30
)

// mostRaises is how often a peer may want a longer session than the one before.
const mostRaises = 2

// session is the session timer of a call (RFC 4028): one side, the refresher,
// has the other answer something halfway. Whoever hears nothing until shortly
// before the end says BYE.
type session struct {
	// expires is how many seconds the session lasts if nobody refreshes it; 0 is
	// for ever. least is what a 422 has asked for, and raised how often one did.
	expires, least int
	raised         int
	ours           bool // we refresh
	refresh, end   *time.Timer
	round          int // counts how often the clock was wound up
}

// stop stops the clock.
func (s *session) stop() {
	if s.refresh != nil {
		s.refresh.Stop()
	}
	if s.end != nil {
		s.end.Stop()
	}
	s.refresh, s.end = nil, nil
}

// askTimer says in an INVITE or UPDATE of ours how long we want the session to
// last, and who is to refresh it: until that is settled the peer may choose (RFC
// 4028 sections 7.1 and 7.4). d.mu is held.
func (d *Dialog) askTimer(req *sip.Request) {
	req.AppendHeader(sip.NewHeader("Supported", supported))
	seconds, refresher := d.session.expires, ""
	switch {
	case seconds == 0 && d.ep.expires == 0:
		return
	case seconds == 0:
		seconds = d.ep.expires
	case d.session.ours:
		refresher = ";refresher=uac"
	default:
		refresher = ";refresher=uas"
	}
	least := max(minExpires, d.session.least)
	req.AppendHeader(sip.NewHeader("Session-Expires", strconv.Itoa(max(seconds, least))+refresher))
	req.AppendHeader(sip.NewHeader("Min-SE", strconv.Itoa(least)))
}

// tooShort says whether a request asks for a session that is shorter than we
// allow, and can be told so (RFC 4028 section 9).
func tooShort(req *sip.Request) bool {
	seconds, _, ok := sessionExpires(req)
	return ok && seconds < minExpires && supports(req, optionTimer)
}

// minSE is the header that goes with 422.
func minSE() sip.Header { return sip.NewHeader("Min-SE", strconv.Itoa(minExpires)) }

// giveTimer settles the timer of a session that a request of the peer's begins
// or refreshes, and gives what our 2xx says of it (RFC 4028 section 9). d.mu is
// held.
func (d *Dialog) giveTimer(req *sip.Request) []sip.Header {
	speaks := supports(req, optionTimer)
	seconds, refresher, asked := sessionExpires(req)
	least, _, _ := secondsOf(value(req, "Min-SE"))
	least = max(least, minExpires)
	ours := max(d.ep.expires, d.session.expires)
	switch {
	case asked && d.ep.expires > 0 && d.ep.expires < seconds:
		seconds = max(d.ep.expires, least) // shorter is allowed, longer is not
	case asked:
		seconds = max(seconds, least) // the peer of an old proxy can ask for less
	case speaks && ours > 0:
		seconds = max(ours, least)
	}
	// Who supports no timer cannot refresh: a proxy has asked in its place.
	mine := !speaks || refresher == "uas"
	d.clock(seconds, mine)
	switch {
	case seconds == 0:
		return nil
	case mine:
		return []sip.Header{sip.NewHeader("Session-Expires", fmt.Sprint(seconds, ";refresher=uas"))}
	}
	return []sip.Header{
		sip.NewHeader("Session-Expires", fmt.Sprint(seconds, ";refresher=uac")), sip.NewHeader("Require", optionTimer),
	}
}

// takeTimer takes what the peer's 2xx to an INVITE or UPDATE of ours says of the
// timer (RFC 4028 section 7.2). d.mu is held.
func (d *Dialog) takeTimer(res *sip.Response) {
	seconds, refresher, ok := sessionExpires(res)
	if ok {
		seconds = max(seconds, minExpires) // or it would keep us busy
	}
	d.clock(seconds, refresher != "uas")
}

// learnLeast takes a 422, and says whether it makes sense to ask again (RFC 4028
// section 7.3).
func (d *Dialog) learnLeast(res *sip.Response) bool {
	least, _, ok := secondsOf(value(res, "Min-SE"))
	if res.StatusCode != statusTooShort || !ok || least <= max(d.session.least, minExpires) || d.session.raised == mostRaises {
		return false
	}
	d.session.least = least
	d.session.raised++
	return true
}

// statusTooShort is 422 Session Interval Too Small.
const statusTooShort = 422

// clock winds the session up, from now. d.mu is held.
func (d *Dialog) clock(seconds int, ours bool) {
	d.session.stop()
	d.session.expires, d.session.ours = seconds, ours
	d.session.round++
	if seconds == 0 || d.phase == leaving || d.phase == over {
		return
	}
	lasts, round := time.Duration(seconds)*d.ep.cfg.second, d.session.round
	if ours {
		// Calls that begin together are not refreshed together.
		early := time.Duration(rand.Int64N(int64(lasts / 20)))
		d.session.refresh = time.AfterFunc(lasts/2-early, func() { d.refresh(round) })
	}
	// The BYE goes a third of the time before the end, or 32 seconds (section 10).
	d.session.end = time.AfterFunc(lasts-min(32*d.ep.cfg.second, lasts/3), func() { d.expire(round) })
}

// refresh has the peer say that it is still there: by an UPDATE, which changes
// nothing else, where it takes that (RFC 4028 section 7.4).
func (d *Dialog) refresh(round int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phase != confirmed || d.session.round != round {
		return
	}
	q := &question{refresh: true, method: sip.UPDATE, done: func(Reply) {}}
	if !d.peer.updates {
		d.refreshByInvite(q)
	}
	d.ep.lanes.do(d.callID, func() { d.sendQuestion(q) })
}

// refreshByInvite has a question refresh the session by an INVITE: with an offer,
// for which the peer's answer is told as Confirmed.
func (d *Dialog) refreshByInvite(q *question) {
	q.method, q.contentType = sip.INVITE, sdpType
	q.done = func(r Reply) {
		if r.OK() {
			d.emit(Confirmed{Body: r.Body})
		}
	}
}

// refusesUpdate says that the peer takes no UPDATE after all, and has the question
// be an INVITE. d.mu is held.
func (d *Dialog) refusesUpdate(q *question, res *sip.Response) bool {
	refused := res.StatusCode == sip.StatusMethodNotAllowed || res.StatusCode == sip.StatusNotImplemented
	if q.method != sip.UPDATE || !refused {
		return false
	}
	d.peer.updates = false
	d.refreshByInvite(q)
	return true
}

// expire hangs up on a peer that gives no sign of life.
func (d *Dialog) expire(round int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phase != confirmed || d.session.round != round {
		return
	}
	who := "the other side did not refresh"
	if d.session.ours {
		who = "the other side did not let us refresh"
	}
	d.leave(Ended{Reason: fmt.Sprintf("%s the session of %d s", who, d.session.expires), By: Timeout, Why: Expired})
}

// sessionExpires reads the Session-Expires header, by its name or its compact
// form. One that is no number of seconds is none.
func sessionExpires(m sip.Message) (seconds int, refresher string, ok bool) {
	s := value(m, "Session-Expires")
	if s == "" {
		s = value(m, "x")
	}
	seconds, params, ok := secondsOf(s)
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "refresher") {
			refresher = strings.ToLower(strings.TrimSpace(value))
		}
	}
	return seconds, refresher, ok
}

// secondsOf reads seconds and what stands behind a semicolon; a comment, which
// Retry-After may have, is passed over.
func secondsOf(s string) (seconds int, params string, ok bool) {
	digits, params, _ := strings.Cut(s, ";")
	digits, _, _ = strings.Cut(digits, "(")
	n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 63)
	if err != nil {
		return 0, "", false
	}
	return int(min(n, maxExpires)), params, true
}
