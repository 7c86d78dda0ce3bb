// SPDX-License-Identifier: MIT

package plane

import (
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/clock"
	"github.com/callwright/callwright/media/internal/mpsc"
	"github.com/callwright/callwright/media/recorder"
	"github.com/callwright/callwright/media/rtcp"
	"github.com/callwright/callwright/media/rtp"
)

const (
	// bins is how many groups the streams of a shard are spread over, one for
	// each millisecond of a frame.
	bins = int(media.FrameDuration / time.Millisecond)
	// coarse is how many bins are stepped at once: 5 ms between wake-ups cost
	// the least. A shard with many streams steps each bin by itself, so that
	// what it sends does not come in bursts.
	coarse = 5
	// crowded is from how many streams on a shard is crowded, and calm below
	// how many it is no more.
	crowded, calm = 800, 700
	// unevenness is how many more streams than the emptiest a bin may have and
	// still take one that belongs to a stream in it.
	unevenness = 16
	// hopeless is how late the clock may be before the time is given up rather
	// than caught up with.
	hopeless = 60 * time.Millisecond
)

// shard carries some of the streams. All of it but the queue, the outbox's ring
// and stop belongs to its own goroutine; load belongs to the plane's lock.
type shard struct {
	commands mpsc.Queue[command]
	stop     atomic.Bool
	load     int
	timing   timing
	streams  slab
	index    map[media.StreamID]ref
	bins     [bins][]ref
	tables
	moving moving
	outbox outbox
	wire   wire
}

// tables are what streams have that holds pointers, or that only some need.
type tables struct {
	prompts table[*media.Prompt]
	ears    table[*ear]
	finders table[*finder]
	packs   table[*pack]
	tapes   table[*recorder.Recording]
	nearby  table[[]netip.Prefix]
	secrets table[*secrets]
}

// timing is where a shard is in time.
type timing struct {
	clock   clock.Clock
	next    time.Duration // when the next bins are to be stepped
	now     time.Duration // when the present step began
	width   int           // bins stepped at once
	stepped int           // streams that are in a bin
}

// wire is what is needed to take one packet apart and to make one.
type wire struct {
	parser  rtp.Parser
	in      [2048]byte
	arrived time.Duration // when what is there came, if that is timed, or when it was read
	timed   bool
	out     [rtp.HeaderSize + media.FrameSize]byte
	sent    frame // the sound that was sent last, for recordings
	hushed  frame // what is heard of a stream that is muted
	sealed  [2048]byte
	report  [rtcp.MaxSize]byte
}

func newShard(c clock.Clock, wake chan<- struct{}) *shard {
	return &shard{
		timing: timing{clock: c, width: coarse},
		index:  make(map[media.StreamID]ref),
		moving: moving{coming: make(map[media.StreamID]struct{})},
		outbox: outbox{wake: wake},
	}
}

// run steps the shard until it is stopped. The thread is never unlocked: with
// its priority it must not serve anybody else, and it ends with the goroutine.
func (s *shard) run() {
	runtime.LockOSThread()
	clock.TuneThread()
	for !s.stop.Load() {
		s.timing.clock.SleepUntil(s.timing.next)
		s.step(s.timing.clock.Now())
	}
}

// step does all that is due at a time of the clock. A late shard does all that
// it has missed at once, so that no frame is left out.
func (s *shard) step(now time.Duration) {
	s.timing.now = now
	s.obey()
	if now-s.timing.next > hopeless {
		s.outbox.late(now - s.timing.next)
		s.timing.next = now.Truncate(media.FrameDuration)
	}
	for s.timing.next <= now {
		s.tick()
	}
	s.outbox.flush()
}

// tick steps the streams of the next bins.
func (s *shard) tick() {
	first := int(s.timing.next/time.Millisecond) % bins
	if first%coarse == 0 {
		switch {
		case s.timing.stepped > crowded:
			s.timing.width = 1
		case s.timing.stepped == 0 && first == 0:
			s.timing.width = bins // nobody is there: one look in 20 ms is enough
		case s.timing.stepped < calm || s.timing.width == bins:
			s.timing.width = coarse
		}
	}
	for bin := first; bin < first+s.timing.width; bin++ {
		for _, i := range s.bins[bin] {
			s.stepStream(s.streams.at(i))
		}
	}
	s.timing.next += time.Duration(s.timing.width) * time.Millisecond
}

// stepStream carries a stream over one frame. A bridged stream is read when its
// peer needs the frame, so that it is not kept waiting for its own turn.
func (s *shard) stepStream(st *stream) {
	heard := st
	if st.peer != 0 {
		heard = s.streams.at(st.peer)
	}
	s.receive(heard)
	if heard.ear != 0 {
		outcome := s.ears.at(heard.ear).Get()
		if heard.in.finder != 0 {
			s.findKey(heard, outcome)
		}
	}
	s.transmit(st)
	if st.life.tape != 0 {
		s.addToRecording(st)
	}
	st.life.due = s.timing.next + media.FrameDuration
	if s.timing.now >= st.life.tended {
		s.tend(st)
	}
}

// emptiest is the bin that has the fewest streams.
func (s *shard) emptiest() int {
	best := 0
	for i := range bins {
		// 0, 5, 10, 15, 1, 6 …: few streams are spread as far as many.
		bin := i*coarse%bins + i/(bins/coarse)
		if len(s.bins[bin]) < len(s.bins[best]) {
			best = bin
		}
	}
	return best
}

// enter puts a stream into a bin.
func (s *shard) enter(st *stream, bin int) {
	st.life.bin, st.life.place = uint8(bin), int32(len(s.bins[bin]))
	s.bins[bin] = append(s.bins[bin], st.self)
	s.timing.stepped++
}

// leave takes a stream out of its bin.
func (s *shard) leave(st *stream) {
	bin := s.bins[st.life.bin]
	last := bin[len(bin)-1]
	bin[st.life.place] = last
	s.streams.at(last).life.place = st.life.place
	s.bins[st.life.bin] = bin[:len(bin)-1]
	s.timing.stepped--
}
