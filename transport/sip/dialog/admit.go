// SPDX-License-Identifier: MIT

package dialog

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/shield"
)

// strangersRead is how many packets of unknown sources are read in a second;
// what is beyond is dropped, and a phone sends its request again. Of those that
// are nobody's, strangersAnswered get an answer and strangersLogged a line in
// the log; one source has strangersLoggedOfOne lines in a minute, so that those of
// others are seen beside it.
const (
	strangersRead     = 5000
	strangersAnswered = 20
	strangersLogged   = 5

	strangersLoggedOfOne = 20
)

// worthReading says whether a packet of a stranger is read: its source has a share
// in each second, and scanners have none.
func (e *Endpoint) worthReading(source netip.AddrPort, data []byte) bool {
	now := time.Now()
	switch {
	case !e.shield.Take(source.Addr(), now):
		e.strangers.drop()
		return false
	case shield.Scanner(data):
		e.shield.Refused(source.Addr(), now)
		e.strangers.drop()
		return false
	}
	return true
}

func (e *Endpoint) admits(source netip.AddrPort) bool {
	return e.cfg.Admit == nil || e.isProxy(source.Addr().Unmap()) || e.cfg.Admit(netip.AddrPortFrom(source.Addr().Unmap(), source.Port()))
}

// overdoes says whether a stranger behind a proxy of ours, whose packets are all
// read, sends more than its share.
func (e *Endpoint) overdoes(req *sip.Request, hop netip.AddrPort) bool {
	if !e.isProxy(hop.Addr().Unmap()) {
		return false
	}
	from, now := e.sourceOf(req, hop), time.Now()
	if from.Addr() == hop.Addr().Unmap() || e.cfg.Admit == nil || e.cfg.Admit(from) || e.shield.Take(from.Addr(), now) {
		return false
	}
	e.strangers.drop()
	return true
}

// turnsAway says what to answer a request with instead of letting it in; nil
// lets it in, and a status of 0 drops it without a word.
func (e *Endpoint) turnsAway(req *sip.Request, source netip.AddrPort) *Response {
	no := &Response{Status: sip.StatusForbidden}
	switch {
	case e.cfg.Challenge != nil && e.begins(req):
		no = e.cfg.Challenge(e.newRequest(req, source))
	case e.admits(source) || e.cancels(req):
		return nil
	}
	switch {
	case no == nil:
		return nil
	case no.Status == sip.StatusForbidden && !e.admits(source):
		return e.refusal(req, source, *no)
	case no.Reason != "":
		e.refused(req, source, *no)
	}
	return no
}

// begins says whether a request begins something that may want credentials, or
// has it go on for a long time. An empty tag is none.
func (e *Endpoint) begins(req *sip.Request) bool {
	tag, _ := req.To().Params.Get("tag")
	return req.Method == sip.REGISTER || req.Method == sip.SUBSCRIBE && e.cfg.Subscribe != nil || req.Method == sip.INVITE && tag == ""
}

// cancels says whether a request is the CANCEL of a call that was let in.
func (e *Endpoint) cancels(req *sip.Request) bool {
	return req.Method == sip.CANCEL && e.tx.findServer(cancelled(req)) != nil
}

// refusal refuses a stranger, and drops what is too much of that.
func (e *Endpoint) refusal(req *sip.Request, source netip.AddrPort, no Response) *Response {
	if !e.refused(req, source, no) {
		return &Response{}
	}
	no.Phrase = cmp.Or(no.Phrase, "Forbidden")
	return &no
}

// refused tells that a request was refused, now and then, and says whether it is
// worth an answer.
func (e *Endpoint) refused(req *sip.Request, source netip.AddrPort, no Response) (answer bool) {
	now, known := time.Now(), e.admits(source)
	if !known {
		e.shield.Refused(source.Addr(), now)
	}
	answer, tell, missed := e.strangers.seen(e.sourceOf(req, source).Addr(), known, now)
	if tell && e.cfg.Refused != nil {
		e.cfg.Refused(e.newRequest(req, source), no, missed)
	}
	return answer
}

// strangers counts what unknown sources send in the running second.
type strangers struct {
	mu     sync.Mutex
	second int64
	read   int
	count  int // refused
	logged int // of these, with a line in the log
	missed int // without a line in the log so far
	// told is how many lines each source had in the minute that began then.
	told   map[netip.Addr]int
	minute time.Time
}

// mostTold is how many sources of lines in the log are told apart.
const mostTold = 4096

func newStrangers() *strangers { return &strangers{told: map[netip.Addr]int{}} }

// turn begins a new second if the last is over. s.mu is held.
func (s *strangers) turn(now time.Time) {
	if now.Unix() != s.second {
		s.second, s.read, s.count, s.logged = now.Unix(), 0, 0, 0
	}
	if now.Sub(s.minute) >= time.Minute {
		s.minute = now
		clear(s.told)
	}
}

// flood counts a packet, and says that this second has had its share.
func (s *strangers) flood(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(now)
	s.read++
	if s.read <= strangersRead {
		return false
	}
	s.missed++
	return true
}

// drop counts a packet that is dropped without a word.
func (s *strangers) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missed++
}

// seen counts one request that is refused and says what to do about it. known is
// for sources that are no strangers.
func (s *strangers) seen(source netip.Addr, known bool, now time.Time) (answer, log bool, missed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(now)
	s.count++
	source = shield.Customer(source)
	if s.logged >= strangersLogged || !known && s.told[source] >= strangersLoggedOfOne {
		s.missed++
		return s.count <= strangersAnswered, false, 0
	}
	s.logged++
	if !known && len(s.told) < mostTold {
		s.told[source]++
	}
	missed, s.missed = s.missed, 0
	return s.count <= strangersAnswered, true, missed
}

// murmur is a slog handler that makes everything a debug message. sipgo gets it,
// because it logs as an error what any peer can provoke at will.
type murmur struct{ slog.Handler }

// Enabled says whether debug messages are wanted.
func (h murmur) Enabled(ctx context.Context, _ slog.Level) bool {
	return h.Handler.Enabled(ctx, slog.LevelDebug)
}

// Handle passes a record on as a debug message.
func (h murmur) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the level for what is derived.
func (h murmur) WithAttrs(a []slog.Attr) slog.Handler { return murmur{h.Handler.WithAttrs(a)} }

// WithGroup does the same for groups.
func (h murmur) WithGroup(n string) slog.Handler { return murmur{h.Handler.WithGroup(n)} }
