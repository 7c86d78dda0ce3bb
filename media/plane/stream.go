// SPDX-License-Identifier: MIT

package plane

import (
	"fmt"
	"strings"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/dtmf"
	"github.com/callwright/callwright/media/rtp"
)

// stream is one direction-pair of sound with one peer: at most one source is
// heard on it (digits, else a prompt, else its peer, else silence), and what it
// receives goes to its peer and its recording. It holds no pointers; whatever
// has some is in a table of the shard.
type stream struct {
	id      media.StreamID
	self    ref // where it is in the slab
	socket  rtp.Socket
	reports reports
	watch   watch
	remote  remote
	lock    lock
	in      incoming
	out     outgoing
	playing playing
	keys    dtmf.Sender
	peer    ref // the stream it is bridged with
	ear     ref // in shard.ears, while somebody listens
	secrets ref // in shard.secrets, while it is encrypted
	life    life
}

// remote is what was settled with the peer.
type remote struct {
	known   bool
	send    bool // it wants to hear us
	receive bool // it wants to be heard
	codec   media.Codec
	events  uint8 // payload type of telephone-event, 0 for none
	offered rtp.Endpoint
	nearby  ref // in shard.nearby, if it may not come from anywhere
}

// incoming is what is known of what is received.
type incoming struct {
	reception rtp.Reception
	keys      dtmf.Receiver
	typed     time.Duration // when the keys told so far can have been typed
	from      whence
	foreign   uint32
	malformed uint32
	refused   uint32    // not the peer's, as its key shows
	counts    earCounts // of ears that were put away
	finder    ref       // in shard.finders, while keys come as tones
	round     uint8
	muted     bool // nobody hears it
	behind    bool // more may wait than one packet
}

// whence is what is known of where packets come from.
type whence struct {
	last    time.Duration // when a packet was taken last
	guessed time.Duration // when the stream took to a source that was not announced
	stale   rtp.Endpoint  // where the peer was before it moved
	other   rtp.Endpoint  // who sends while the peer is lost
	steady  uint8         // packets of other in a row
	paused  bool          // the peer has said that it will be silent
}

// earCounts are what a jitter buffer has counted.
type earCounts struct{ late, concealed uint64 }

// outgoing is the one run of packets that is sent.
type outgoing struct {
	to        rtp.Endpoint
	ssrc      uint32
	timestamp uint32
	sequence  uint16
	talking   bool // the last frame was sent and no silence
	halves    bool // each frame goes in two packets, 10 ms each
	pack      ref  // in shard.packs, while several go in one
	sent      uint64
	earlier   uint64 // those of them that another source sent
	octets    uint32 // of the payload of the others
	errors    uint64
}

// playing is the prompt that is heard.
type playing struct {
	prompt ref // in shard.prompts
	loop   bool
	at     int
	token  uint64
}

// life is where the stream stands in its shard.
type life struct {
	bin     uint8         // in which millisecond of 20 it is stepped
	place   int32         // and as which of its bin
	told    uint32        // events so far
	due     time.Duration // when the next step is its turn
	tended  time.Duration // when it is to be looked after again
	tape    ref           // in shard.tapes
	tapes   uint8         // recordings that are not complete on disk
	closing bool
	paused  bool // what is said is left out of the recording
}

// nominalWait is how long the sound of a peer would wait that nobody listens to.
const nominalWait = 2 * media.FrameDuration

// figures are the counts of the stream so far.
func (s *shard) figures(st *stream) (f media.Figures) {
	st.in.reception.Fill(&f)
	f.Sent, f.SendErrors = st.out.sent, st.out.errors
	f.Foreign, f.Malformed = uint64(st.in.foreign), uint64(st.in.malformed)
	f.Suite, f.Refused = s.suite(st), uint64(st.in.refused)
	f.Late, f.Concealed = st.in.counts.late, st.in.counts.concealed
	wait := nominalWait
	if st.ear != 0 {
		ear := s.ears.at(st.ear)
		f.Late += ear.Counts.Late + ear.Counts.Skipped
		f.Concealed += ear.Counts.Concealed
		wait = ear.Wait()
	}
	st.rate(&f, wait)
	return f
}

// describe writes the live chain of the stream.
func (s *shard) describe(st *stream) string {
	if !st.remote.known {
		return "not connected"
	}
	source := "silence"
	switch {
	case st.keys.Busy():
		source = "digits"
	case st.playing.prompt != 0:
		source = "prompt " + s.prompts.at(st.playing.prompt).Name
	case st.peer != 0:
		source = fmt.Sprintf("stream %d", s.streams.at(st.peer).id)
	}
	var sinks []string
	if st.peer != 0 {
		sinks = append(sinks, fmt.Sprintf("stream %d", s.streams.at(st.peer).id))
	}
	if st.life.tape != 0 {
		sinks = append(sinks, "recorder")
	}
	chain := fmt.Sprintf("%s %v <- %s", strings.ToLower(st.remote.codec.String()), st.out.to.AddrPort(), source)
	if by := s.suite(st); by != "" {
		chain += " (" + by + ")"
	}
	if !st.remote.send {
		chain += " (held)"
	}
	if st.in.muted {
		chain += " (muted)"
	}
	if len(sinks) > 0 {
		chain += "; -> " + strings.Join(sinks, " + ")
	}
	return chain
}
