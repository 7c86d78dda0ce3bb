// SPDX-License-Identifier: MIT

package dialog

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// strangersAnswered is how many requests of unknown sources get an answer in a
// second, strangersLogged how many a line in the log. The rest is dropped.
const (
	strangersAnswered = 20
	strangersLogged   = 5
)

// filter sees every packet before sipgo does. It must not return an error,
// because that would stop the listener; nil drops the packet. sipgo keeps some
// memory for each source address it has seen for as long as the listener lives,
// so strangers on UDP are turned away here already.
func (e *Endpoint) filter(props sip.TransportReadProps, data []byte) ([]byte, error) {
	from, ok := props.RemoteAddr.(*net.UDPAddr)
	if !ok {
		return data, nil // a stream is no messages yet; see receive
	}
	source := from.AddrPort()
	if e.admits(source) || bytes.Contains(data, []byte(e.secret)) {
		return data, nil
	}
	if e.strangers.flood(time.Now()) {
		return nil, nil // not worth reading
	}
	msg, err := sip.ParseMessage(data)
	if req, ok := msg.(*sip.Request); err == nil && ok && e.refuses(req, source) {
		res := sip.NewResponseFromRequest(req, sip.StatusForbidden, "Forbidden", nil)
		for _, l := range e.listeners {
			if l.packets != nil && l.packets.LocalAddr().String() == props.LocalAddr.String() {
				_, _ = l.packets.WriteTo([]byte(res.String()), from)
			}
		}
	}
	return nil, nil
}

func (e *Endpoint) admits(source netip.AddrPort) bool {
	return e.cfg.Admit == nil || e.cfg.Admit(netip.AddrPortFrom(source.Addr().Unmap(), source.Port()))
}

// refuses says whether a stranger's request is to be answered with 403, and
// writes the line in the log.
func (e *Endpoint) refuses(req *sip.Request, source netip.AddrPort) bool {
	if req.IsAck() || req.Via() == nil {
		return false
	}
	answer, log, missed := e.strangers.seen(time.Now())
	if log {
		e.log.Warn("refused with 403: its source is unknown; to take its calls, add the address to allow_from of a trunk",
			"request", summary(req), "source", source.Addr().Unmap(), "not_logged_before", missed)
	}
	return answer
}

// strangers counts requests of unknown sources in the running second.
type strangers struct {
	mu     sync.Mutex
	second int64
	count  int
	missed int // without a line in the log so far
}

func newStrangers() *strangers { return &strangers{} }

// flood says that this second has had its share, and counts what is dropped.
func (s *strangers) flood(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Unix() != s.second || s.count < strangersAnswered {
		return false
	}
	s.missed++
	return true
}

// seen counts one request and says what to do about it.
func (s *strangers) seen(now time.Time) (answer, log bool, missed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Unix() != s.second {
		s.second, s.count = now.Unix(), 0
	}
	s.count++
	if s.count > strangersLogged {
		s.missed++
		return s.count <= strangersAnswered, false, 0
	}
	missed, s.missed = s.missed, 0
	return true, true, missed
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
