// SPDX-License-Identifier: MIT

package jitter

// Outcome is where a frame comes from.
type Outcome uint8

// Where a frame can come from.
const (
	Silent    Outcome = iota // nobody speaks
	Played                   // the sender
	Concealed                // made up in place of one that is missing
)

// concealments is how many frames are made up in a row, each 6 dB softer than
// the one before it, until silence is less of a disturbance.
const concealments = 4

// Frame is the frame that the last Get gave. It is good until the next one and
// must not be changed.
func (b *Buffer) Frame() *[frame]byte {
	if b.given < slots {
		return &b.ring[b.given].sound
	}
	return &b.made
}

// Get moves on to the next frame, for Frame to give. It must be called once
// every 20 ms.
func (b *Buffer) Get() Outcome {
	if b.state == filling {
		if b.Depth() < int(b.pace.target) && b.pace.waited+1 < b.pace.target {
			b.pace.waited++
			return b.hush()
		}
		b.state = playing
		b.pace.begin()
		b.pace.lengthen = 0
	}
	if b.state == idle {
		return b.hush()
	}
	if b.Depth() > maxDepth+slack {
		b.skip(b.Depth() - int(b.pace.target))
	}
	s := b.at(b.turn)
	if s == nil || s.have != full && b.Depth() == 1 {
		return b.missing() // or its second half is still to come
	}
	if (b.pace.shorten || b.pace.lengthen > 0) && (b.pace.overdue || b.isQuiet(s)) {
		if b.pace.lengthen > 0 {
			b.pace.lengthen--
			return b.conceal()
		}
		b.pace.shorten, b.pace.overdue = false, false
		if b.Depth() > 1 {
			b.skip(1)
			if s = b.at(b.turn); s == nil {
				return b.missing()
			}
		}
	}
	b.given = uint8(b.turn % slots)
	b.pace.missing = 0
	b.advance(1)
	b.heard.sequence, b.heard.upTo = s.sequence, b.clock
	b.pace.turn(b.Depth())
	return Played
}

func (b *Buffer) advance(frames int) {
	b.turn += uint32(frames)
	b.clock += uint32(frames * frame)
}

// skip leaves frames out.
func (b *Buffer) skip(frames int) {
	b.Counts.Skipped += b.kept(b.turn + uint32(frames))
	b.advance(frames)
	b.heard.upTo = b.clock
}

// missing makes up for a frame that is not there.
func (b *Buffer) missing() Outcome {
	if b.Depth() == 0 && b.pace.missing >= maxDepth {
		// The sender has stopped, or has nothing to say. It begins anew.
		b.state = idle
		return b.hush()
	}
	announced := b.pause.covers(b.clock)
	if announced && b.Depth() == 0 {
		b.state = idle // and when it speaks again, it begins anew
		return b.hush()
	}
	paused := announced || b.senderPaused()
	b.advance(1)
	if int32(b.end-b.turn) < 0 {
		b.end = b.turn
	}
	if paused {
		return b.hush()
	}
	b.pace.missing = min(b.pace.missing+1, maxDepth)
	return b.conceal()
}

// senderPaused tells silence that the sender left out from packets that were
// lost: then the packet after the gap follows the one before it.
func (b *Buffer) senderPaused() bool {
	for t := b.turn + 1; int32(b.end-t) > 0; t++ {
		if s := b.at(t); s != nil {
			return s.sequence == b.heard.sequence+1
		}
	}
	return false
}

// hush gives silence.
func (b *Buffer) hush() Outcome {
	for i := range b.made {
		b.made[i] = b.silence
	}
	b.given = slots
	return Silent
}

// conceal gives the frame given last again, softer. G.711 is logarithmic: 16
// codes nearer to silence are 6 dB, so nothing needs decoding.
func (b *Buffer) conceal() Outcome {
	b.Counts.Concealed++
	if b.pace.missing > concealments {
		b.hush()
		return Concealed
	}
	for i, c := range b.Frame() {
		magnitude := (c ^ b.silence) & 0x7F
		magnitude -= min(magnitude, 16)
		b.made[i] = c&0x80 | (magnitude^b.silence)&0x7F
	}
	b.given = slots
	return Concealed
}

// isQuiet says that all of a frame is below about -50 dBm0.
func (b *Buffer) isQuiet(s *slot) bool {
	const quiet = 0x18
	for _, c := range s.sound {
		if (c^b.silence)&0x7F > quiet {
			return false
		}
	}
	return true
}
