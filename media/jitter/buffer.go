// SPDX-License-Identifier: MIT

package jitter

import (
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
)

const (
	slots   = 16                // frames in the ring: 320 ms, in less than 3 kB
	history = 4                 // frames behind the turn that tell late from duplicate
	frame   = media.FrameSize   // samples, and bytes, in a frame
	granule = frame / 32        // samples for which one bit says that they came
	full    = uint32(1<<32 - 1) // all granules of a frame came

	startDepth = 2 // frames that wait at first: 40 ms
	maxDepth   = 6 // and at most: 120 ms
	// slack is how many frames above maxDepth may wait for a moment, as after a
	// packet of 60 ms, before sound is skipped.
	slack = 3
	// strangers is how many packets in a row must point far away, or come from
	// another sender, before they are believed rather than what came before: a
	// server on the way may send two at once.
	strangers = 3
)

// Verdict is what became of a packet.
type Verdict uint8

// What can become of a packet.
const (
	Kept      Verdict = iota // it will be heard
	Late                     // its turn is over
	Duplicate                // all of it was there already
)

// Counts are what a Buffer has seen over its life.
type Counts struct {
	Late      uint64 // packets that came after their turn
	Duplicate uint64 // packets that came again
	Concealed uint64 // frames made up because none was there
	Skipped   uint64 // frames kept but left out, to shorten the wait
}

type state uint8

const (
	idle    state = iota // nothing is known; the next packet sets the clock
	filling              // frames are gathered before the first is played
	playing
)

// slot is one frame. It is valid when turn is the one asked for.
type slot struct {
	turn     uint32
	have     uint32 // a bit for each granule that came
	sequence uint16 // of the packet that wrote last
	sound    [frame]byte
}

// Buffer puts the packets of one sender in order. Make one ready with Reset. It
// is not safe for concurrent use.
type Buffer struct {
	ring    [slots]slot
	made    [frame]byte // a frame made up: softened, or silence
	given   uint8       // which slot the frame given last is in, or slots for made
	silence byte
	state   state
	ssrc    uint32
	clock   uint32 // timestamp of the first sample of turn
	turn    uint32 // number of the next frame to be given
	end     uint32 // one beyond the newest turn that is there
	heard   heard
	pause   pause
	pace    pace
	Counts  Counts
}

// heard is up to where a sender has been heard, to which there is no way back.
type heard struct {
	known    bool
	sequence uint16 // of the last packet
	upTo     uint32 // the timestamp after its last sample
}

// Reset forgets all sound. Silence is the byte that stands for silence in the
// codec of the packets. The counts stay.
func (b *Buffer) Reset(silence byte) {
	*b = Buffer{silence: silence, Counts: b.Counts, pace: pace{target: startDepth}}
	b.hush()
}

// Put takes a packet of sound. The payload is copied.
func (b *Buffer) Put(h rtp.Header, payload []byte) Verdict {
	if len(payload) == 0 {
		return Kept // keep-alive of RFC 6263: nothing to be heard
	}
	if b.state == idle && (h.SSRC != b.ssrc || b.sinceHeard(h) >= 0) {
		b.begin(h)
	}
	ahead := b.place(h)
	if h.SSRC != b.ssrc || b.sinceHeard(h) <= -slots*frame || ahead+len(payload) > (slots-history)*frame {
		b.pace.strange++
		if b.pace.strange < strangers && !h.Marker {
			b.Counts.Late++
			return Late
		}
		b.begin(h)
		ahead = 0
	}
	b.pace.strange = 0
	b.pause.end(h.Timestamp)
	if ahead < 0 {
		ahead = b.turnBack(ahead)
	}
	return b.write(h, ahead, payload)
}

// place is where the packet begins, in samples from the current turn.
func (b *Buffer) place(h rtp.Header) int { return int(int32(h.Timestamp - b.clock)) }

// sinceHeard is where the packet begins, in samples from what was heard last.
func (b *Buffer) sinceHeard(h rtp.Header) int {
	if !b.heard.known {
		return 0
	}
	return int(int32(h.Timestamp - b.heard.upTo))
}

// begin sets the clock by a packet. What was kept and not yet given is lost.
func (b *Buffer) begin(h rtp.Header) {
	b.Counts.Skipped += b.kept(b.end)
	b.made, b.given = *b.Frame(), slots // its slot is free from now on
	since := b.sinceHeard(h)
	if h.SSRC != b.ssrc || !b.heard.known || since < 0 || since > slots*frame {
		b.heard = heard{known: true, upTo: h.Timestamp - slots*frame} // it began anew
	}
	b.state = filling
	b.ssrc = h.SSRC
	b.clock = h.Timestamp
	b.turn += 2 * slots // no old frame can be mistaken for a new one
	b.end = b.turn
	b.pace.waited, b.pace.missing = 0, 0
}

// kept counts the frames from the turn up to the given one that are there.
func (b *Buffer) kept(upTo uint32) (n uint64) {
	for t := b.turn; int32(upTo-t) > 0; t++ {
		if b.at(t) != nil {
			n++
		}
	}
	return n
}

// turnBack makes the current turn earlier if a packet asks for it by beginning
// ahead (< 0) samples from it, and nothing has been heard since. That happens
// when the first packets come in the wrong order, and when all have been slow:
// the wait grows, and nothing is lost. It returns the new distance.
func (b *Buffer) turnBack(ahead int) int {
	back := (-ahead + frame - 1) / frame
	if back > maxDepth || int32(b.clock-uint32(back*frame)-b.heard.upTo) < 0 {
		return ahead
	}
	b.turn -= uint32(back)
	b.clock -= uint32(back * frame)
	if int32(b.end-b.turn) < 0 {
		b.end = b.turn
	}
	if b.state == playing {
		b.pace.slower(back)
	}
	return ahead + back*frame
}

// write copies what is not too late of a packet that begins ahead samples from
// the current turn into the ring.
func (b *Buffer) write(h rtp.Header, ahead int, payload []byte) Verdict {
	fresh, known := false, true
	for len(payload) > 0 {
		turns := floorDiv(ahead, frame)
		offset := ahead - turns*frame
		n := min(frame-offset, len(payload))
		turn := b.turn + uint32(turns)
		bits := span(offset, n)
		s := &b.ring[turn%slots]
		switch {
		case turns < 0:
			known = known && s.turn == turn && s.have&bits == bits
		case s.turn != turn || s.have == 0:
			s.turn, s.have = turn, 0
			if bits != full { // what does not come is silence
				for i := range s.sound {
					s.sound[i] = b.silence
				}
			}
			fallthrough
		default:
			if s.have&bits != bits {
				known, fresh = false, true
				s.have |= bits
				s.sequence = h.Sequence
				copy(s.sound[offset:], payload[:n])
			}
			if int32(turn+1-b.end) > 0 {
				b.end = turn + 1
			}
		}
		payload, ahead = payload[n:], ahead+n
	}
	switch {
	case fresh:
		return Kept
	case known:
		b.Counts.Duplicate++
		return Duplicate
	}
	b.Counts.Late++
	if ahead > -maxDepth*frame {
		b.pace.late()
	}
	return Late
}

// span is the bits of the granules from offset on for n samples.
func span(offset, n int) uint32 {
	first, last := offset/granule, (offset+n-1)/granule
	return full << first & (full >> (31 - last))
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// at gives the frame of a turn, or nil when nothing of it came.
func (b *Buffer) at(turn uint32) *slot {
	if s := &b.ring[turn%slots]; s.turn == turn && s.have != 0 {
		return s
	}
	return nil
}

// Wait is for how long sound waits at the beginning of a talk spurt.
func (b *Buffer) Wait() time.Duration { return time.Duration(b.pace.target) * media.FrameDuration }

// Depth is how many frames wait, those missing between them included.
func (b *Buffer) Depth() int { return max(0, int(int32(b.end-b.turn))) }
