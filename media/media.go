// SPDX-License-Identifier: MIT

package media

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// SampleRate is the rate of all sound in callwright, in samples a second
// (G.711, RFC 3551 section 4.5.14).
const SampleRate = 8000

// FrameDuration is the length of one frame, the step of the media clock.
const FrameDuration = 20 * time.Millisecond

// FrameSize is the number of samples, and of G.711 bytes, in one frame.
const FrameSize = 160

// StreamID names one open stream of a plane. The zero value names none. An id
// is not used again while anyone could still hold it.
type StreamID uint64

// ErrNoStream says that a stream is closed, or never was.
var ErrNoStream = errors.New("no such stream is open")

// Codec is how sound is coded on the wire. The value is the static RTP payload
// type (RFC 3551 section 6).
type Codec uint8

// The codecs that every telephone speaks.
const (
	PCMU Codec = 0 // G.711 µ-law
	PCMA Codec = 8 // G.711 A-law
)

// String gives the encoding name of RFC 3551.
func (c Codec) String() string {
	switch c {
	case PCMU:
		return "PCMU"
	case PCMA:
		return "PCMA"
	}
	return fmt.Sprintf("payload type %d", uint8(c))
}

// StreamOptions is what a plane needs to know when it opens a stream.
type StreamOptions struct {
	// Deliver is told everything that happens on the stream, in order, on a
	// goroutine of the plane. It must not block. Required.
	Deliver func(Event)
	// Near names a stream that this one will be bridged with, so that both can
	// be placed on one shard. Zero means anywhere.
	Near StreamID
}

// Remote is what an offer and its answer settled about one stream.
type Remote struct {
	// Addr is where the peer wants to be sent to. If packets come from elsewhere
	// and none from there, the stream follows them (symmetric RTP, RFC 4961).
	Addr netip.AddrPort
	// Codec is how both sides code sound.
	Codec Codec
	// TelephoneEvent is the payload type of telephone-event/8000 (RFC 4733),
	// or 0 when it was not negotiated.
	TelephoneEvent uint8
	// Send says whether the peer wants to hear us, Receive whether it sends
	// (RFC 3264 section 5.1; a held peer neither hears nor is heard).
	Send, Receive bool
	// PacketTime is how much sound the peer wishes in one packet (a=ptime, RFC
	// 8866 section 6.4); 0 when it did not say. What it sends may have any.
	PacketTime time.Duration
	// Ours encrypts what we send and Theirs is what the peer encrypts with (RFC
	// 4568: each side chooses its own). Both are nil for plain RTP, and neither
	// if not.
	Ours, Theirs *Keys
	// Mux says that RTCP comes on the port of RTP (RFC 5761); RTCP is where the
	// peer wants it else. An invalid one is the port above Addr's.
	Mux  bool
	RTCP netip.AddrPort
	// Nearby are the networks that the peer's packets may come from besides
	// Addr's host, such as the host that it signals from. The stream neither hears
	// nor follows others, unless they have its key. None lets it follow anybody.
	// They are never changed.
	Nearby []netip.Prefix
	// LossAfter is for how long a peer that sends may be silent until Lost is
	// told; 0 is for ever. It counts while Receive is true.
	LossAfter time.Duration
}

// Suite is how packets are encrypted and authenticated.
type Suite uint8

// The suites (RFC 4568 section 6.2, RFC 7714 section 14.2).
const (
	AES128SHA1x80 Suite = iota + 1 // AES_CM_128_HMAC_SHA1_80
	AES128SHA1x32                  // AES_CM_128_HMAC_SHA1_32
	AES128GCM                      // AEAD_AES_128_GCM
)

// String gives the name of the suite in a=crypto.
func (s Suite) String() string {
	switch s {
	case AES128SHA1x80:
		return "AES_CM_128_HMAC_SHA1_80"
	case AES128SHA1x32:
		return "AES_CM_128_HMAC_SHA1_32"
	case AES128GCM:
		return "AEAD_AES_128_GCM"
	}
	return fmt.Sprintf("suite %d", uint8(s))
}

// Lengths gives how many bytes the master key and the master salt of the suite
// have; 0 of a suite that is not known.
func (s Suite) Lengths() (key, salt int) {
	switch s {
	case AES128SHA1x80, AES128SHA1x32:
		return 16, 14
	case AES128GCM:
		return 16, 12
	}
	return 0, 0
}

// Keys are what one side encrypts its packets with (RFC 3711). They are never
// changed once they are made.
type Keys struct {
	Suite Suite
	// Key is the master key and Salt the master salt, as long as Lengths says.
	Key, Salt []byte
}

// Equal says whether both are the same keys, or none.
func (k *Keys) Equal(other *Keys) bool {
	if k == nil || other == nil {
		return k == other
	}
	return k.Suite == other.Suite && bytes.Equal(k.Key, other.Key) && bytes.Equal(k.Salt, other.Salt)
}

// DigitWay is how a key reaches the other side.
type DigitWay uint8

// The ways of a key.
const (
	ByEvent DigitWay = iota + 1 // telephone-event packets (RFC 4733)
	ByTone                      // two tones in the sound (ITU-T Q.23)
	ByInfo                      // SIP INFO, beside the sound (RFC 6086)
)

// String names the way as the configuration does.
func (w DigitWay) String() string {
	switch w {
	case ByEvent:
		return "telephone-event"
	case ByTone:
		return "inband"
	case ByInfo:
		return "info"
	}
	return fmt.Sprintf("digit way %d", uint8(w))
}

// Prompt is sound made ready to be played: whole frames, in both codings, so
// that playing it costs a copy. A Prompt is never changed once it is made and
// is shared by all calls that play it.
type Prompt struct {
	// Name says where it came from, for logs and timelines.
	Name string
	// Text is what is said in it, where it was made of text.
	Text string
	// ULaw and ALaw hold the same sound, 8000 bytes a second. Their lengths are
	// equal and a multiple of FrameSize.
	ULaw, ALaw []byte
}

// Duration is how long the prompt sounds.
func (p *Prompt) Duration() time.Duration {
	return time.Duration(len(p.ULaw)) * time.Second / SampleRate
}

// PlayOptions say how a prompt is played.
type PlayOptions struct {
	// Token comes back in the PlayEnded event of this play, so that a late end
	// of an earlier play is not taken for this one's.
	Token uint64
	// Loop plays the prompt again and again until it is stopped.
	Loop bool
}

// RecordWhat is whose sound is recorded.
type RecordWhat uint8

// What of a stream can be recorded.
const (
	RecordSaid   RecordWhat = iota // what the party says, in one channel
	RecordHeard                    // what the party hears, in one channel
	RecordStereo                   // what it says on the left, what it hears on the right
	RecordMixed                    // both added up in one channel
)

// RecordOptions say what of a stream is recorded, and where to.
type RecordOptions struct {
	// Token comes back in the RecordEnded event.
	Token uint64
	// Path is the WAV file to write. It must not exist.
	Path string
	// What is recorded.
	What RecordWhat
	// MaxDuration ends the recording; 0 means no limit.
	MaxDuration time.Duration
	// Silence is for how long nothing must be heard of the party for the recording
	// to end; 0 is for ever. With it, what follows behind the last sound is left out
	// of the file but for half a second, and Event.Heard is told. Hiss and the like
	// are silence.
	Silence time.Duration
}

// RecordEnd is what ended a recording.
type RecordEnd uint8

// What ends a recording.
const (
	RecordStopped RecordEnd = iota // StopRecord, another recording, or the end of the stream
	RecordSilent                   // nothing was heard for RecordOptions.Silence
	RecordFull                     // RecordOptions.MaxDuration
)

// EventKind is what happened on a stream.
type EventKind uint8

// What can happen on a stream.
const (
	// Latched: packets come, and the stream sends to their source. It is told
	// again when the source is another one.
	Latched EventKind = iota + 1
	// Digit: the peer pressed a key. Told once a key, when it is first seen.
	Digit
	// PlayEnded: a play came to its end, was stopped or was replaced.
	PlayEnded
	// DigitsSent: all digits given to SendDigits are on the wire, or too many
	// were waiting for these to be taken.
	DigitsSent
	// RecordEnded: a recording is complete on disk, or failed.
	RecordEnded
	// Lost: nothing came for Remote.LossAfter. It is told once until something
	// comes again.
	Lost
	// Closed: the stream is gone, its port free. Always the last event.
	Closed
)

// Event is something that happened on a stream.
type Event struct {
	Stream StreamID
	Kind   EventKind
	// At is when it happened on the media clock.
	At time.Time
	// Digit is one of 0-9 * # A-D, for Digit, and Way how it came.
	Digit byte
	Way   DigitWay
	// Token is that of the play or recording that ended.
	Token uint64
	// Completed says of PlayEnded that the prompt was heard to its end.
	Completed bool
	// Source is where packets come from, for Latched.
	Source netip.AddrPort
	// Duration is how long was recorded, for RecordEnded, or nothing was heard,
	// for Lost.
	Duration time.Duration
	// Reason is what ended a recording, for RecordEnded, and Heard for how long the
	// party was heard in it, if RecordOptions.Silence was set.
	Reason RecordEnd
	Heard  time.Duration
	// Err says why a recording failed, for RecordEnded, or why digits were not
	// taken, for DigitsSent.
	Err error
	// Figures are the stream's counts, for Closed.
	Figures Figures
}

// Figures are the counts of one stream over its life.
type Figures struct {
	Sent       uint64        `json:"sent"`      // packets sent
	Received   uint64        `json:"received"`  // packets taken from the peer
	Lost       uint64        `json:"lost"`      // packets that never came
	Late       uint64        `json:"late"`      // packets that came after their turn
	Duplicate  uint64        `json:"duplicate"` // packets that came again
	Foreign    uint64        `json:"foreign"`   // packets from somebody else, dropped
	Malformed  uint64        `json:"malformed"` // datagrams that are no RTP, dropped
	Concealed  uint64        `json:"concealed"` // frames made up for missing ones
	Jitter     time.Duration `json:"jitter_ns"` // interarrival jitter (RFC 3550 section 6.4.1)
	SendErrors uint64        `json:"send_errors"`
	// Suite names how the stream is encrypted; empty is not at all. Refused are
	// packets that were encrypted with other keys, or came again.
	Suite   string `json:"suite,omitempty"`
	Refused uint64 `json:"refused,omitempty"`
	// RoundTrip is the time to the peer and back, and PeerLost and PeerJitter
	// how it hears us, as its last RTCP report says; 0 without any.
	RoundTrip  time.Duration `json:"round_trip_ns,omitempty"`
	PeerLost   uint64        `json:"peer_lost,omitempty"`
	PeerJitter time.Duration `json:"peer_jitter_ns,omitempty"`
	// MOS is how well the peer was heard, from 1 to 4.5, as estimated by the
	// E-model (ITU-T G.107) from loss, jitter and round trip; 0 when nothing was
	// heard.
	MOS float64 `json:"mos,omitempty"`
}

// String gives the counts in one line, those that are zero left out.
func (f Figures) String() string {
	s := fmt.Sprintf("%d packets sent, %d received, jitter %s", f.Sent, f.Received, f.Jitter.Round(100*time.Microsecond))
	for _, c := range []struct {
		n    uint64
		what string
	}{
		{f.Lost, "lost"}, {f.Late, "late"}, {f.Duplicate, "duplicate"}, {f.Foreign, "foreign"},
		{f.Malformed, "malformed"}, {f.Refused, "not authentic"}, {f.Concealed, "concealed"}, {f.SendErrors, "not sent"},
	} {
		if c.n > 0 {
			s += fmt.Sprintf(", %d %s", c.n, c.what)
		}
	}
	return s + f.judged()
}

// judged says how good the two sides were heard, as far as is known.
func (f Figures) judged() (s string) {
	if f.RoundTrip > 0 {
		s += fmt.Sprintf(", round trip %s", f.RoundTrip.Round(100*time.Microsecond))
	}
	if f.PeerLost > 0 || f.PeerJitter > 0 {
		s += fmt.Sprintf(", the peer lost %d with jitter %s", f.PeerLost, f.PeerJitter.Round(100*time.Microsecond))
	}
	if f.MOS > 0 {
		s += fmt.Sprintf(", MOS %.1f", f.MOS)
	}
	return s
}
