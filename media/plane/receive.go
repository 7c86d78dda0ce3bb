// SPDX-License-Identifier: MIT

package plane

import (
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
)

const (
	// burst is the most that is read from one stream in one step, so that a
	// flood on one port does not hold up the others.
	burst = 32
	// sweep is in which of its rounds a stream is read until nothing is left,
	// after as many rounds in a row at first. In the others one read is enough
	// unless more came lately: most senders send as often as we read.
	sweep = 16
	// silent is how long a peer may be silent before it is looked for at another
	// port: its router may have changed the port, or the phone its network.
	silent = 3 * time.Second
)

// lock is how firmly a stream holds on to one source.
type lock uint8

const (
	deaf     lock = iota // not connected yet: what comes is thrown away
	open                 // the first sound, from wherever, is the peer's
	settling             // locked; packets from others may still be queued
	locked               // the kernel lets nobody else through
	lost                 // silent for long: the same peer may come from elsewhere
)

// receive reads what has come for a stream.
func (s *shard) receive(st *stream) {
	limit := 1
	if st.in.behind || st.in.round <= sweep {
		limit = burst
	}
	if st.in.round++; st.in.round >= 2*sweep {
		st.in.round = sweep
	}
	n := 0
	for n < limit {
		size, from, ok := s.read(st)
		if !ok {
			break
		}
		n++
		if size >= 0 {
			s.take(st, s.wire.in[:size], from)
		}
	}
	st.in.behind = n != 1
	if n == 0 && st.lock == locked && st.remote.receive && s.timing.now-st.in.last > silent {
		s.lookAround(st)
	}
}

// read reads one datagram. Not ok means that nothing is there; a negative size
// that there was only news of a packet of ours that nobody took.
func (s *shard) read(st *stream) (size int, from rtp.Endpoint, ok bool) {
	if st.lock == locked {
		n, e := st.socket.Recv(s.wire.in[:])
		if e == 0 {
			return n, st.out.to, true
		}
		if rtp.Refused(e) {
			st.out.errors++
			return -1, from, true
		}
		return 0, from, false
	}
	n, from, e := st.socket.RecvFrom(s.wire.in[:])
	switch {
	case e == 0:
		return n, from, true
	case rtp.Refused(e):
		st.out.errors++
		return -1, from, true
	case st.lock == settling:
		st.lock = locked // what was queued from others is gone
	}
	return 0, from, false
}

// take takes one datagram.
func (s *shard) take(st *stream, datagram []byte, from rtp.Endpoint) {
	if st.lock == deaf || !st.remote.receive {
		return
	}
	if st.lock == settling && from != st.out.to {
		st.in.foreign++
		return
	}
	h, payload, err := s.wire.parser.Parse(datagram)
	if err != nil {
		st.in.malformed++
		return
	}
	sound := h.PayloadType == uint8(st.remote.codec)
	key := st.remote.events != 0 && h.PayloadType == st.remote.events
	if st.lock == open || st.lock == lost {
		if !sound && !key {
			st.in.malformed++ // nothing that was agreed on; no reason to trust it
			return
		}
		if !s.latch(st, h, from) {
			st.in.foreign++
			return
		}
	}
	st.in.last = s.timing.now
	if !st.in.reception.Packet(h) {
		return
	}
	switch {
	case sound:
		st.in.reception.Timing(h.Timestamp, uint32(s.timing.now/(time.Second/media.SampleRate)))
		if st.ear != 0 {
			s.ears.at(st.ear).Put(h, payload)
		}
	case key:
		if digit, ok := st.in.keys.Packet(payload, h.Timestamp, h.Marker); ok {
			s.emit(st, media.Event{Kind: media.Digit, Digit: digit})
		}
	}
}

// latch locks a stream to the source of a packet (symmetric RTP, RFC 4961). A
// stream that has lost its peer follows only one of the same address or the
// same SSRC: a router that has changed the port leaves those alone.
func (s *shard) latch(st *stream, h rtp.Header, from rtp.Endpoint) bool {
	if st.lock == open && from == st.in.stale {
		return false
	}
	if st.lock == lost && from.IP != st.out.to.IP && !st.in.reception.IsFrom(h.SSRC) {
		return false
	}
	if st.socket.Connect(from) != nil {
		st.out.errors++
		return false
	}
	if st.lock == open || from != st.out.to {
		s.emit(st, media.Event{Kind: media.Latched, Source: from.AddrPort()})
	}
	st.lock = settling
	st.out.to = from
	return true
}

// lookAround opens a locked stream for a peer that comes from elsewhere.
func (s *shard) lookAround(st *stream) {
	if st.socket.Disconnect() == nil {
		st.lock = lost
	}
}

// connect notes what was settled with the peer.
func (s *shard) connect(st *stream, r media.Remote) {
	to := rtp.EndpointOf(r.Addr)
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
	st.in.last = s.timing.now
	st.remote = remote{
		known:   true,
		send:    r.Send,
		receive: r.Receive,
		codec:   r.Codec,
		events:  r.TelephoneEvent,
		offered: to,
	}
}
