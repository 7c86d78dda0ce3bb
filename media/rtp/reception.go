// SPDX-License-Identifier: MIT

package rtp

import (
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtcp"
)

// maxDropout is how far a sequence number may run ahead before the sender is
// taken to have started anew, and maxMisorder how far it may lie back (RFC 3550
// appendix A.1).
const (
	maxDropout  = 3000
	maxMisorder = 64
)

// stranger is what a packet of sound from another source than the one that is
// heard counts, and heralded what one counts that begins a talk spurt. When
// those that come in a row count believed, the sender has become another one. A
// packet that went astray has not, and a phone that sends its keys with an SSRC
// of their own goes on.
const (
	stranger = 1
	heralded = 2
	believed = 3
)

// Verdict is what a packet is to a Reception.
type Verdict uint8

// What a packet can be.
const (
	Fresh     Verdict = iota // the first of its number
	Anew                     // fresh, and the first of another source
	Duplicate                // its number came before
	Beside                   // of another source than the one that is heard
)

// Reception counts what comes from a peer (RFC 3550 appendices A.1, A.3 and
// A.8). It tells the source that is to be heard, which has an SSRC, from others
// that send to the same port. The zero value is ready to use; it holds no
// pointers.
type Reception struct {
	received  uint64 // packets, each counted once
	duplicate uint64 // packets that came again
	missed    uint64 // packets lost in earlier runs of the sender

	base, highest uint32 // first and highest sequence number, extended to 32 bits
	inRun         uint32 // packets of this run
	seen          uint64 // bit n is set when highest-n has come
	ssrc          uint32
	started       bool
	sounded       bool // this source has sent sound
	open          bool // the next sound may be of any source

	other   uint32 // the last source beside the one that is heard
	strange uint8  // what its sound in a row counts

	told progress // with the last report

	transit uint32 // arrival minus timestamp of the last packet
	timed   bool   // transit is known
	jitter  uint32 // in sixteenths of a sample
}

// progress is how far a run of packets had come.
type progress struct{ expected, received uint32 }

// Packet counts one packet and says what it is. A great leap of the sequence
// begins a new run, and so does another source once its sound is believed.
func (r *Reception) Packet(h Header, sound bool) Verdict {
	if r.started && h.SSRC != r.ssrc && !r.believes(h, sound) {
		r.received++
		return Beside
	}
	ahead := h.Sequence - uint16(r.highest)
	back := uint16(r.highest) - h.Sequence
	verdict := Fresh
	switch {
	case !r.started, h.SSRC != r.ssrc:
		r.begin(h)
		r.ssrc, r.sounded = h.SSRC, false
		verdict = Anew
	case ahead > maxDropout && back >= maxMisorder:
		r.begin(h)
	case ahead == 0 || ahead > maxDropout:
		if r.seen&(1<<back) != 0 {
			r.duplicate++
			return Duplicate
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
	r.strange = 0
	if sound {
		r.sounded, r.open = true, false
	}
	r.inRun++
	r.received++
	return verdict
}

// believes says whether a packet of another source shows that the sender has
// become that one. Keys never do.
func (r *Reception) believes(h Header, sound bool) bool {
	if !sound {
		return false
	}
	if h.SSRC != r.other {
		r.other, r.strange = h.SSRC, 0
	}
	r.strange += stranger
	if h.Marker {
		r.strange += heralded - stranger
	}
	return r.open || !r.sounded || r.strange >= believed
}

// Expect says that the peer has come from elsewhere, or will: the next sound is
// heard whatever source it names.
func (r *Reception) Expect() { r.open = true }

// IsFrom reports whether this is the SSRC of the source that is heard.
func (r *Reception) IsFrom(ssrc uint32) bool { return r.started && r.ssrc == ssrc }

func (r *Reception) begin(h Header) {
	r.missed += r.lostInRun()
	r.base = 1<<16 | uint32(h.Sequence) // room below for packets from before
	r.highest, r.inRun, r.seen = r.base, 0, 1
	r.started, r.timed, r.jitter = true, false, 0
	r.told = progress{}
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
		// A leap of a second is a new talk spurt or a new clock, not jitter. The
		// greatest of all has no positive value.
		if d >= 0 && d < media.SampleRate {
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

// Block says how the source is heard that is heard now, for a report to it, and
// begins the count of the next one (RFC 3550 section 6.4.1 and appendix A.3). Of
// a source that has sent nothing since the last report there is none.
func (r *Reception) Block() (b rtcp.Block, ok bool) {
	if !r.started || r.inRun == r.told.received {
		return b, false
	}
	now := progress{expected: r.highest - r.base + 1, received: r.inRun}
	expected, received := now.expected-r.told.expected, now.received-r.told.received
	r.told = now
	b = rtcp.Block{
		SSRC: r.ssrc, Lost: int32(now.expected - now.received),
		Highest: r.highest - 1<<16, // without the room below
		Jitter:  r.jitter >> 4,
	}
	if int32(expected-received) > 0 {
		b.Fraction = uint8((expected - received) << 8 / expected)
	}
	return b, true
}

// Fill writes the counts to f.
func (r *Reception) Fill(f *media.Figures) {
	f.Received = r.received
	f.Duplicate = r.duplicate
	f.Lost = r.missed + r.lostInRun()
	f.Jitter = time.Duration(r.jitter) * time.Second / (16 * media.SampleRate)
}
