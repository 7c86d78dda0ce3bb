// SPDX-License-Identifier: MIT

package plane

import (
	"syscall"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/rtp"
)

// transmit sends the next frame of a stream. Time goes on in all cases, so that
// one run of timestamps holds over all sources and all pauses.
func (s *shard) transmit(st *stream) {
	st.out.timestamp += media.FrameSize
	if !st.remote.known {
		return
	}
	if st.keys.Busy() && s.transmitKey(st) {
		return
	}
	sound := (*frame)(s.wire.out[rtp.HeaderSize:])
	talking := s.fill(st, sound)
	if !st.remote.send {
		hush(&s.wire.sent, st.remote.codec)
		st.out.talking = false
		return
	}
	if st.life.tape != 0 {
		s.wire.sent = *sound
	}
	s.sendPacket(st, rtp.Header{
		// The first packet after silence or a pause (RFC 3551 section 4.1).
		Marker:      st.out.sent == 0 || talking && !st.out.talking,
		PayloadType: uint8(st.remote.codec),
		Timestamp:   st.out.timestamp,
	}, len(sound))
	st.out.talking = talking
}

// fill writes the next frame of what the stream is to say, and reports whether
// it is more than silence.
func (s *shard) fill(st *stream, sound *frame) bool {
	switch {
	case st.playing.prompt != 0:
		prompt := s.prompts.at(st.playing.prompt)
		coded := prompt.ULaw
		if st.remote.codec == media.PCMA {
			coded = prompt.ALaw
		}
		if st.playing.at < len(coded) {
			st.playing.at += copy(sound[:], coded[st.playing.at:])
		} else {
			hush(sound, st.remote.codec) // a prompt without sound
		}
		if st.playing.at >= len(coded) {
			st.playing.at = 0
			if !st.playing.loop {
				s.endPlay(st, true)
			}
		}
		return true
	case st.peer != 0:
		peer := s.streams.at(st.peer)
		codec.Transcode(sound[:], s.ears.at(peer.ear).Frame()[:], peer.remote.codec, st.remote.codec)
		return true
	}
	hush(sound, st.remote.codec)
	return false
}

// transmitKey sends the next packet of the key that is being sent. It reports
// false in the pause between two keys.
func (s *shard) transmitKey(st *stream) bool {
	p, ok := st.keys.Step(st.out.timestamp)
	if !st.keys.Busy() {
		s.emit(st, media.Event{Kind: media.DigitsSent})
	}
	if !ok {
		return false
	}
	hush(&s.wire.sent, st.remote.codec)
	st.out.talking = false
	if !st.remote.send || st.remote.events == 0 {
		return true
	}
	copy(s.wire.out[rtp.HeaderSize:], p.Payload[:])
	s.sendPacket(st, rtp.Header{Marker: p.Marker, PayloadType: st.remote.events, Timestamp: p.Timestamp}, len(p.Payload))
	return true
}

// sendPacket sends the packet whose payload lies ready on the wire.
func (s *shard) sendPacket(st *stream, h rtp.Header, size int) {
	h.SSRC, h.Sequence = st.out.ssrc, st.out.sequence
	h.Put(s.wire.out[:])
	st.out.sequence++
	packet := s.wire.out[:rtp.HeaderSize+size]
	e := write(st, packet)
	if e != 0 && rtp.Refused(e) {
		// The kernel tells of an earlier packet here, and did not send this one.
		st.out.errors++
		e = write(st, packet)
	}
	if e != 0 {
		st.out.errors++
		return
	}
	st.out.sent++
}

func write(st *stream, packet []byte) syscall.Errno {
	if st.lock == settling || st.lock == locked {
		return st.socket.Send(packet)
	}
	return st.socket.SendTo(packet, st.out.to)
}
