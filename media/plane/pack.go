// SPDX-License-Identifier: MIT

package plane

import (
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
)

// half is the size of half a frame, 10 ms.
const half = media.FrameSize / 2

// pack gathers frames for a peer that wishes several in one packet.
type pack struct {
	header rtp.Header // of the first frame
	size   int        // samples that are there
	full   int        // samples that make a packet
	packet [rtp.HeaderSize + 3*media.FrameSize]byte
}

// packs says whether a packet time takes more than one frame, and whether we
// can send it so. Others are left at 20 ms: the time is a wish (RFC 8866 section
// 6.4), and who receives must take any.
func packs(wish time.Duration) bool {
	return wish == 2*media.FrameDuration || wish == 3*media.FrameDuration
}

// repack makes a stream send in packets as long as the peer wishes. What was
// gathered for other packets is left out.
func (s *shard) repack(st *stream, r media.Remote, spare *pack) {
	st.out.halves = r.PacketTime == media.FrameDuration/2
	if spare == nil {
		s.packs.take(st.out.pack)
		st.out.pack = 0
		return
	}
	if st.out.pack == 0 {
		st.out.pack = s.packs.put(spare)
	}
	p := s.packs.at(st.out.pack)
	if full := int(r.PacketTime / (time.Second / media.SampleRate)); p.full != full || r.Codec != st.remote.codec {
		p.full, p.size = full, 0
	}
}

// sendSound sends the frame that lies ready on the wire, in packets as the peer
// wishes.
func (s *shard) sendSound(st *stream, h rtp.Header) {
	switch {
	case st.out.pack != 0:
		s.packFrame(st, h)
	case st.out.halves:
		s.sendPacket(st, h, s.wire.out[:rtp.HeaderSize+half])
		h.Marker = false
		h.Timestamp += half
		// What comes before the second half is sent already, and makes room for
		// its header.
		s.sendPacket(st, h, s.wire.out[half:])
	default:
		s.sendPacket(st, h, s.wire.out[:])
	}
}

// packFrame adds the frame that lies ready on the wire, and sends the packet
// when it is full. What begins a talk spurt begins a packet.
func (s *shard) packFrame(st *stream, h rtp.Header) {
	p := s.packs.at(st.out.pack)
	if h.Marker && st.out.sent > 0 {
		s.flushPack(st)
	}
	if p.size == 0 {
		p.header = h
	}
	p.size += copy(p.packet[rtp.HeaderSize+p.size:], s.wire.out[rtp.HeaderSize:])
	if p.size >= p.full {
		s.flushPack(st)
	}
}

// flushPack sends what was gathered, as before a key.
func (s *shard) flushPack(st *stream) {
	if st.out.pack == 0 {
		return
	}
	p := s.packs.at(st.out.pack)
	if p.size > 0 {
		s.sendPacket(st, p.header, p.packet[:rtp.HeaderSize+p.size])
		p.size = 0
	}
}

// unpacked forgets what was gathered.
func (s *shard) unpacked(st *stream) {
	if st.out.pack != 0 {
		s.packs.at(st.out.pack).size = 0
	}
}
