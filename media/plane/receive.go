// SPDX-License-Identifier: MIT

package plane

import (
	"syscall"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/rtp"
)

const (
	// burst is the most that is read from one stream in one step, so that a
	// flood on one port does not hold up the others.
	burst = 32
	// sweep is in which of its rounds a stream is read until nothing is left,
	// after as many rounds in a row at first. In the others one read is enough
	// unless more came lately, or less than a frame: most senders send as often
	// as we read.
	sweep = 16
	// timed is in which of its rounds it is asked when the packets of a stream came,
	// for the jitter: that costs more than reading them.
	timed = 4
	// keyTime is the least that a key takes: no dialler is faster. keysLate is for
	// how long the network may hold keys back and bring them all at once. What is
	// beyond is no typing, and each key costs more than the packet that tells it.
	keyTime  = 50 * time.Millisecond
	keysLate = 2 * time.Second
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
	n, short := 0, false
	for n < limit {
		size, from, ok := s.read(st)
		if !ok {
			break
		}
		n++
		if size < 0 || !s.take(st, s.wire.in[:size], from) {
			limit = burst // what was waited for may be behind it
		}
		short = size < rtp.HeaderSize+media.FrameSize
	}
	st.in.behind = n != 1 || short
	if st.lock == locked && st.remote.receive {
		s.lookAround(st)
	}
}

// read reads one datagram. Not ok means that nothing is there; a negative size
// that there was only news of a packet of ours that nobody took.
func (s *shard) read(st *stream) (size int, from rtp.Endpoint, ok bool) {
	var waited time.Duration
	var e syscall.Errno
	if s.wire.timed = st.lock != locked || st.in.round%timed == 0; s.wire.timed {
		size, from, waited, e = st.socket.RecvWaited(s.wire.in[:])
	} else {
		size, e = st.socket.Recv(s.wire.in[:])
	}
	s.wire.arrived = s.timing.now - waited
	switch {
	case e == 0 && st.lock == locked:
		return size, st.out.to, true
	case e == 0:
		return size, from, true
	case rtp.Refused(e):
		st.out.errors++
		return -1, from, true
	case st.lock == settling:
		st.lock = locked // what was queued from others is gone
	}
	return 0, from, false
}

// take takes one datagram. It reports false when that was nothing to be heard,
// although the peer may be.
func (s *shard) take(st *stream, datagram []byte, from rtp.Endpoint) bool {
	if st.lock == deaf {
		return true
	}
	if isReport(datagram) {
		s.takeReport(st, datagram, from, s.wire.arrived)
		return false
	}
	if !st.remote.receive {
		return true
	}
	if st.lock == settling && from != st.out.to {
		st.in.foreign++
		return false
	}
	datagram, ok := s.unsealRTP(st, datagram)
	if !ok {
		return false
	}
	h, payload, err := s.wire.parser.Parse(datagram)
	if err != nil {
		st.in.malformed++
		return false
	}
	kind := st.remote.kindOf(h.PayloadType)
	if st.lock != settling && st.lock != locked {
		if kind == unknown {
			st.in.malformed++ // nothing that was agreed on; no reason to trust it
			return false
		}
		if !s.latch(st, h, from) {
			st.in.foreign++
			return false
		}
	}
	st.in.from.last, st.in.from.paused = s.timing.now, kind == noise
	return s.hear(st, h, kind, payload)
}

// hear takes a packet of the peer, and reports false when it came before or is of
// another source.
func (s *shard) hear(st *stream, h rtp.Header, kind kind, payload []byte) bool {
	verdict := st.in.reception.Packet(h, kind == sound)
	switch verdict {
	case rtp.Duplicate:
		return false
	case rtp.Beside:
		if kind != key {
			return false
		}
	case rtp.Anew:
		if st.ear != 0 {
			s.ears.at(st.ear).attune(st.remote.codec)
		}
	}
	switch kind {
	case sound:
		if s.wire.timed {
			st.in.reception.Timing(h.Timestamp, uint32(s.wire.arrived/(time.Second/media.SampleRate)))
		}
		if st.ear != 0 {
			// A peer may send whatever it has offered, and change without a word
			// (RFC 3264 section 5.1): it need not code as we do.
			codec.Transcode(payload, payload, media.Codec(h.PayloadType), st.remote.codec)
			s.ears.at(st.ear).Put(h, payload)
		}
	case noise:
		if st.ear != 0 {
			s.ears.at(st.ear).Pause(h.Timestamp)
		}
	case key:
		if digit, ok := st.in.keys.Packet(payload, h.Timestamp, h.Marker); ok {
			s.press(st, digit)
		}
	}
	return true
}

// press tells of a key, unless they come faster than anybody can press them.
func (s *shard) press(st *stream, digit byte) {
	if st.in.typed > s.timing.now+keysLate {
		st.in.malformed++
		return
	}
	st.in.typed = max(st.in.typed, s.timing.now) + keyTime
	s.emit(st, media.Event{Kind: media.Digit, Digit: digit, Way: media.ByEvent})
}

// kind is what a packet carries.
type kind uint8

const (
	unknown kind = iota
	sound
	key
	// noise says how the background sounds while the peer is silent (RFC 3389).
	// It is heard as silence: noise of our making would be recorded, and would be
	// passed on, as if the peer had been heard.
	noise
)

// comfortNoise is the static payload type of noise (RFC 3389 section 4). Peers
// send it without having offered it.
const comfortNoise = 13

// kindOf says what the packets of a payload type carry.
func (r *remote) kindOf(payloadType uint8) kind {
	switch {
	case payloadType == uint8(media.PCMU) || payloadType == uint8(media.PCMA):
		return sound
	case r.events != 0 && payloadType == r.events:
		return key
	case payloadType == comfortNoise:
		return noise
	}
	return unknown
}
