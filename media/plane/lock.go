// SPDX-License-Identifier: MIT

package plane

import (
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
	// silent is how long a peer may be silent before it is looked for at another
	// port: its router may have changed the port, or the phone its network.
	silent = 3 * time.Second
)

// lock is how firmly a stream holds on to one source.
type lock uint8

const (
	deaf     lock = iota // not connected yet: what comes is thrown away
	open                 // the first sound, from wherever, is the peer's
	guessed              // somebody sends who was not announced
	settling             // locked; packets from others may still be queued
	locked               // the kernel lets nobody else through
	lost                 // silent for long: the same peer may come from elsewhere
)

// connect notes what was settled with the peer.
func (s *shard) connect(st *stream, r media.Remote, k kit) {
	to := rtp.EndpointOf(r.Addr)
	if st.remote.known && r.Addr.Addr().IsUnspecified() {
		to = st.remote.offered // 0.0.0.0 is no place, but puts us on hold (RFC 3264 section 8.4)
	}
	if !st.remote.known || to != st.remote.offered {
		if st.lock == settling || st.lock == locked {
			if st.socket.Disconnect() != nil {
				st.out.errors++
			}
		}
		// A peer that really sent from where it said is not behind a router that
		// changes addresses. It has moved; what still comes from there is old.
		st.in.stale = rtp.Endpoint{}
		if st.out.to == st.remote.offered {
			st.in.stale = st.remote.offered
		}
		st.lock = open
		st.out.to = to
	}
	if st.ear != 0 && r.Codec != st.remote.codec {
		s.ears.at(st.ear).attune(r.Codec)
	}
	s.repack(st, r, k.pack)
	st.in.last = s.timing.now
	st.remote = remote{
		known:   true,
		send:    r.Send,
		receive: r.Receive,
		codec:   r.Codec,
		events:  r.TelephoneEvent,
		offered: to,
	}
	s.listenForTones(st, k)
}

// latch decides whether the source of a packet is the peer, and locks the
// stream to it (symmetric RTP, RFC 4961).
func (s *shard) latch(st *stream, h rtp.Header, from rtp.Endpoint) bool {
	since := s.timing.now - st.in.last // when a packet was taken last
	switch {
	case st.lock == open && from == st.in.stale && since < straggle:
		return false
	case st.lock == lost:
		// Routers that change the port leave address and SSRC alone.
		if from.IP != st.out.to.IP && from.IP != st.remote.offered.IP && !st.in.reception.IsFrom(h.SSRC) {
			return false
		}
	case from == st.remote.offered:
	case st.lock == guessed && from == st.out.to:
		if s.timing.now-st.in.guessed < probation {
			return true
		}
	case st.lock == guessed && since < probation:
		return false
	default:
		st.lock, st.out.to, st.in.guessed = guessed, from, s.timing.now
		s.emit(st, media.Event{Kind: media.Latched, Source: from.AddrPort()})
		return true
	}
	if st.socket.Connect(from) != nil {
		st.out.errors++
		return false
	}
	if st.lock == open || from != st.out.to {
		s.emit(st, media.Event{Kind: media.Latched, Source: from.AddrPort()})
	}
	st.lock, st.out.to = settling, from
	return true
}

// lookAround opens a locked stream for a peer that comes from elsewhere.
func (s *shard) lookAround(st *stream) {
	if st.socket.Disconnect() == nil {
		st.lock = lost
	}
}
