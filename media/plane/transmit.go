// SPDX-License-Identifier: MIT

package plane

import (
	"syscall"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/dtmf"
	"github.com/callwright/callwright/media/rtp"
)

// transmit sends the next frame of a stream. Time goes on in all cases, so that
// one run of timestamps holds over all sources and all pauses.
func (s *shard) transmit(st *stream) {
	st.out.timestamp += media.FrameSize
	if !st.remote.known {
		return
	}
	sound := (*frame)(s.wire.out[rtp.HeaderSize:])
	key, isKey := s.nextKey(st)
	talking := true
	switch {
	case !isKey:
		talking = s.fill(st, sound)
	case key.Tones == nil:
		s.transmitKey(st, key)
		return
	default:
		*sound = *key.Tones.Coded(st.remote.codec)
		s.expectEcho(st, key.Key)
	}
	if !st.remote.send {
		hush(&s.wire.sent, st.remote.codec)
		s.unpacked(st)
		st.out.talking = false
		return
	}
	if st.life.tape != 0 {
		s.wire.sent = *sound
	}
	s.sendSound(st, rtp.Header{
		// The first packet after silence or a pause (RFC 3551 section 4.1).
		Marker:      st.out.sent == 0 || talking && !st.out.talking,
		PayloadType: uint8(st.remote.codec),
		Timestamp:   st.out.timestamp,
	})
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
		codec.Transcode(sound[:], s.said(peer)[:], peer.remote.codec, st.remote.codec)
		return true
	}
	hush(sound, st.remote.codec)
	return false
}

// nextKey gives what is to be sent of the key that is being sent, if there is
// one. It reports false in the pause between two telephone-events.
func (s *shard) nextKey(st *stream) (key dtmf.Packet, ok bool) {
	if !st.keys.Busy() {
		return key, false
	}
	key, ok = st.keys.Step(st.out.timestamp, st.remote.events == 0)
	if !st.keys.Busy() {
		s.emit(st, media.Event{Kind: media.DigitsSent})
	}
	return key, ok
}

// transmitKey sends a telephone-event packet.
func (s *shard) transmitKey(st *stream, key dtmf.Packet) {
	hush(&s.wire.sent, st.remote.codec)
	st.out.talking = false
	if !st.remote.send || st.remote.events == 0 {
		return
	}
	s.flushPack(st)
	size := copy(s.wire.out[rtp.HeaderSize:], key.Payload[:])
	h := rtp.Header{Marker: key.Marker, PayloadType: st.remote.events, Timestamp: key.Timestamp}
	s.sendPacket(st, h, s.wire.out[:rtp.HeaderSize+size])
}

// sendPacket sends a packet whose payload is there and whose header is not.
func (s *shard) sendPacket(st *stream, h rtp.Header, packet []byte) {
	h.SSRC, h.Sequence = st.out.ssrc, st.out.sequence
	h.Put(packet)
	st.out.sequence++
	octets := uint32(len(packet) - rtp.HeaderSize)
	packet, ok := s.sealRTP(st, packet)
	if !ok {
		st.out.errors++
		return
	}
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
	st.out.octets += octets
}

func write(st *stream, packet []byte) syscall.Errno {
	if st.lock == settling || st.lock == locked {
		return st.socket.Send(packet)
	}
	return st.socket.SendTo(packet, st.out.to)
}
