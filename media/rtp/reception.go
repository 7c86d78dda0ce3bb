// SPDX-License-Identifier: MIT

package rtp

import (
	"time"

	"github.com/callwright/callwright/media"
)

// maxDropout is how far a sequence number may run ahead before the sender is
// taken to have started anew, and maxMisorder how far it may lie back (RFC 3550
// appendix A.1).
const (
	maxDropout  = 3000
	maxMisorder = 64
)

// Reception counts what comes from one sender (RFC 3550 appendices A.1, A.3 and
// A.8). The zero value is ready to use; it holds no pointers.
type Reception struct {
	received  uint64 // packets, each counted once
	duplicate uint64 // packets that came again
	missed    uint64 // packets lost in earlier runs of the sender

	base, highest uint32 // first and highest sequence number, extended to 32 bits
	inRun         uint32 // packets of this run
	seen          uint64 // bit n is set when highest-n has come
	ssrc          uint32
	started       bool

	transit uint32 // arrival minus timestamp of the last packet
	timed   bool   // transit is known
	jitter  uint32 // in sixteenths of a sample
}

// Packet counts one packet and reports whether it is the first of its number. A
// new SSRC or a great leap of the sequence begins a new run.
func (r *Reception) Packet(h Header) (fresh bool) {
	ahead := h.Sequence - uint16(r.highest)
	back := uint16(r.highest) - h.Sequence
	switch {
	case !r.started, h.SSRC != r.ssrc, ahead > maxDropout && back >= maxMisorder:
		r.begin(h)
	case ahead == 0 || ahead > maxDropout:
		if r.seen&(1<<back) != 0 {
			r.duplicate++
			return false
		}
		r.seen |= 1 << back
		// A packet from before the first one widens the run.
		if first := r.highest - uint32(back); int32(first-r.base) < 0 {
			r.base = first
		}
	default:
		r.seen = r.seen<<ahead | 1 // a shift of 64 and more leaves zero
		r.highest += uint32(ahead)
	}
	r.inRun++
	r.received++
	return true
}

// IsFrom reports whether the packets have carried this SSRC lately.
func (r *Reception) IsFrom(ssrc uint32) bool { return r.started && r.ssrc == ssrc }

func (r *Reception) begin(h Header) {
	r.missed += r.lostInRun()
	r.base = 1<<16 | uint32(h.Sequence) // room below for packets from before
	r.highest, r.inRun, r.seen = r.base, 0, 1
	r.ssrc, r.started, r.timed = h.SSRC, true, false
}

// Timing notes when a packet of sound with the given timestamp arrived, as a
// count of samples on the receiver's clock, for the interarrival jitter.
func (r *Reception) Timing(timestamp, arrival uint32) {
	transit := arrival - timestamp
	if r.timed {
		d := int32(transit - r.transit)
		if d < 0 {
			d = -d
		}
		// A leap of a second is a new talk spurt or a new clock, not jitter.
		if d < media.SampleRate {
			r.jitter += uint32(d) - (r.jitter+8)>>4
		}
	}
	r.transit, r.timed = transit, true
}

func (r *Reception) lostInRun() uint64 {
	if !r.started {
		return 0
	}
	return uint64(r.highest - r.base + 1 - r.inRun)
}

// Fill writes the counts to f.
func (r *Reception) Fill(f *media.Figures) {
	f.Received = r.received
	f.Duplicate = r.duplicate
	f.Lost = r.missed + r.lostInRun()
	f.Jitter = time.Duration(r.jitter) * time.Second / (16 * media.SampleRate)
}
