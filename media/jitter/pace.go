// SPDX-License-Identifier: MIT

package jitter

// pace is how long sound waits, and what has been seen that should change it.
type pace struct {
	target   uint8  // frames that should wait when a talk spurt begins
	strange  uint8  // packets in a row that point far away or have another SSRC
	waited   uint8  // frames of silence given while filling
	missing  uint8  // frames in a row that were not there
	spare    uint8  // the fewest frames left after a turn, in this window
	turns    uint16 // turns of this window that are over
	shorten  bool   // the wait can be a frame shorter: leave out a quiet one
	overdue  bool   // no quiet one came for a whole window: leave out any
	lengthen uint8  // frames that the wait should grow by where it is quiet
}

// window is how many frames, 10 s, the network must have been good before the
// wait gets shorter. It gets longer at once.
const window = 500

// slower raises what should wait.
func (p *pace) slower(frames int) {
	p.target = uint8(min(maxDepth, int(p.target)+frames))
	p.begin()
}

// late notes a packet that came after its turn: the wait should have been
// longer, and will be from the next quiet frame on.
func (p *pace) late() {
	if p.target < maxDepth {
		p.lengthen++
	}
	p.slower(1)
}

func (p *pace) begin() { p.turns, p.spare, p.shorten, p.overdue = 0, slots, false, false }

// turn notes how many frames were left after one turn.
func (p *pace) turn(left int) {
	if p.turns == 0 {
		p.spare = slots
	}
	p.spare = uint8(min(int(p.spare), left))
	p.turns++
	if p.turns < window {
		return
	}
	spare, pending := p.spare, p.shorten
	p.begin()
	switch {
	case spare == 0:
	case p.lengthen > 0:
		p.lengthen-- // the one makes up for the other
		p.target = max(1, p.target-1)
	default:
		// A sender whose clock is fast adds to the wait without end, and music
		// is never quiet.
		p.target = max(1, p.target-1)
		p.shorten, p.overdue = true, pending
	}
}
