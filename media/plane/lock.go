// SPDX-License-Identifier: MIT

package plane

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
)

const (
	// probation is how long a source that was not announced must go on before
	// the stream is locked to it. Until then the announced one is preferred, and
	// any other once this one has been silent for as long.
	probation = time.Second
	// straggle is for how long packets may still come from where a peer was
	// before it moved.
	straggle = time.Second
	// silent is how long a peer may be silent before it is looked for elsewhere:
	// its router may have changed the port, or the phone its network.
	silent = 400 * time.Millisecond
	// patience is the same for a peer that has said that it will be silent, and
	// until another host is taken for it that is near to it.
	patience = 3 * time.Second
	// convinced is how many packets in a row must come from another port of a
	// peer's address until they are taken for the peer's, if their SSRC is not.
	convinced = 5
)

// loopback4 is where packets within a machine come from if nobody says from where.
var loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// lock is how firmly a stream holds on to one source.
type lock uint8

const (
	deaf     lock = iota // not connected yet: what comes is thrown away
	open                 // the first sound, from wherever, is the peer's
	guessed              // somebody sends who was not announced
	settling             // locked; packets from others may still be queued
	locked               // the kernel lets nobody else through
	lost                 // silent: the same peer may come from elsewhere
)

// connect notes what was settled with the peer.
func (s *shard) connect(st *stream, r media.Remote, k kit) {
	to := rtp.EndpointOf(r.Addr)
	if st.remote.known && r.Addr.Addr().IsUnspecified() {
		to = st.remote.offered // 0.0.0.0 is no place, but puts us on hold (RFC 3264 section 8.4)
	}
	moved := !st.remote.known || to != st.remote.offered
	s.encrypt(st, k.secrets, moved)
	if moved {
		if st.lock == settling || st.lock == locked {
			if st.socket.Disconnect() != nil {
				st.out.errors++
			}
		}
		// A peer that really sent from where it said is not behind a router that
		// changes addresses. It has moved; what still comes from there is old.
		st.in.from.stale = rtp.Endpoint{}
		if st.out.to == st.remote.offered {
			st.in.from.stale = st.remote.offered
		}
		st.lock = open
		st.out.to = to
		st.in.reception.Expect()
	}
	if st.ear != 0 && r.Codec != st.remote.codec {
		s.ears.at(st.ear).attune(r.Codec)
	}
	s.repack(st, r, k.pack)
	st.watchFor(r, moved, s.timing.now)
	st.in.from.last = s.timing.now
	if !st.remote.known {
		st.reports.schedule.Begin(s.timing.now, rand.Float64())
	}
	if moved {
		st.reports.source = rtp.Endpoint{}
	}
	st.reports.mux, st.reports.wanted = r.Mux, rtp.EndpointOf(r.RTCP)
	st.life.tended = s.timing.now
	s.nearby.take(st.remote.nearby)
	st.remote = remote{
		known:   true,
		send:    r.Send,
		receive: r.Receive,
		codec:   r.Codec,
		events:  r.TelephoneEvent,
		offered: to,
	}
	if len(r.Nearby) > 0 {
		st.remote.nearby = s.nearby.put(r.Nearby)
	}
	s.listenForTones(st, k)
}

// latch decides whether the source of a packet is the peer, and locks the
// stream to it (symmetric RTP, RFC 4961).
func (s *shard) latch(st *stream, h rtp.Header, from rtp.Endpoint) bool {
	since := s.timing.now - st.in.from.last // when a packet was taken last
	switch {
	case from != st.out.to && st.secrets == 0 && !s.mayBe(st, from):
		return false
	case st.lock == open && from == st.in.from.stale && since < straggle:
		return false
	case st.lock == lost:
		if !st.isBack(h, from, since) {
			return false
		}
	case from == st.remote.offered:
	case st.lock == guessed && from == st.out.to:
		if s.timing.now-st.in.from.guessed < probation {
			return true
		}
	case st.lock == guessed && since < probation:
		return false
	default:
		st.lock, st.out.to, st.in.from.guessed = guessed, from, s.timing.now
		st.in.reception.Expect()
		s.emit(st, media.Event{Kind: media.Latched, Source: from.AddrPort()})
		return true
	}
	if st.socket.Connect(from) != nil {
		st.out.errors++
		return false
	}
	if from != st.out.to {
		st.in.reception.Expect()
	}
	if st.lock == open || from != st.out.to {
		s.emit(st, media.Event{Kind: media.Latched, Source: from.AddrPort()})
	}
	st.lock, st.out.to = settling, from
	return true
}

// mayBe says whether a source can be the peer: whoever is neither where the
// peer said nor near to where it signals from could be anybody, even if he knows
// its SSRC. Whoever has its key is the peer, wherever he is.
func (s *shard) mayBe(st *stream, from rtp.Endpoint) bool {
	if st.remote.nearby == 0 || from.IP == st.remote.offered.IP || st.isUnbound(from) {
		return true
	}
	host := from.AddrPort().Addr()
	return slices.ContainsFunc(s.nearby.at(st.remote.nearby), func(p netip.Prefix) bool { return p.Contains(host) })
}

// isUnbound says whether a source is that of a peer on this machine that listens on
// all addresses and has announced another: the kernel has its packets come from
// this one. Its port tells it from others here, and nobody elsewhere has the
// address.
func (st *stream) isUnbound(from rtp.Endpoint) bool {
	host := from.AddrPort().Addr()
	return from.Port == st.remote.offered.Port && (host == loopback4 || host == netip.IPv6Loopback())
}

// isBack says whether a packet shows where a peer is that has fallen silent. It
// is where it was, or where it said that it is, or it is known by its key, or by
// its SSRC, which routers leave alone. Else it must go on sending from an address
// that it is known to have or, after a long silence, that is known to be near to
// it: a carrier may go on from another of its machines.
func (st *stream) isBack(h rtp.Header, from rtp.Endpoint, since time.Duration) bool {
	if from == st.out.to || from == st.remote.offered || st.secrets != 0 || st.in.reception.IsFrom(h.SSRC) {
		return true
	}
	known := from.IP == st.out.to.IP || from.IP == st.remote.offered.IP
	if !known && (st.remote.nearby == 0 || since < patience) {
		return false
	}
	w := &st.in.from
	if from != w.other {
		w.other, w.steady = from, 0
	}
	w.steady++
	return w.steady >= convinced
}

// lookAround opens a locked stream for a peer that has fallen silent and may
// come from elsewhere. While it is locked the kernel lets nobody else through.
func (s *shard) lookAround(st *stream) {
	w := &st.in.from
	limit := silent
	if w.paused {
		limit = patience
	}
	if s.timing.now-w.last <= limit || st.socket.Disconnect() != nil {
		return
	}
	st.lock = lost
	w.other, w.steady = rtp.Endpoint{}, 0
}
