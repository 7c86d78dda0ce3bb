// SPDX-License-Identifier: MIT

package dtmf

import (
	"errors"
	"fmt"

	"github.com/callwright/callwright/media"
)

// How a key is played, in frames of 20 ms.
const (
	toneFrames = 5 // 100 ms, above the 40 ms that ITU-T Q.24 asks for
	gapFrames  = 5 // 100 ms from the end of one key to the start of the next
	// hushFrames is the pause after tones, 60 ms of silence. Other sound could
	// hide the end of the key from whoever listens.
	hushFrames = 3
	// endFrames is how often the end is told, since a lost end would leave the
	// key down (RFC 4733 section 2.5.1.4). The repeats fall into the gap.
	endFrames = 3
	// volume is the power we claim, in dB below 0 dBm0.
	volume = 10
)

// QueueSize is how many keys a Sender can hold.
const QueueSize = 64

// ErrQueueFull says that the keys given to a Sender do not fit beside those
// that it still has to play.
var ErrQueueFull = fmt.Errorf("more than %d keys are waiting to be sent", QueueSize)

// ErrNotKey says that a string holds something that is no key.
var ErrNotKey = errors.New("not a key: use 0-9, *, # and A-D")

// Sender plays keys, as telephone-event packets or as tones. The zero value is
// ready and has nothing to play. It is not safe for concurrent use.
type Sender struct {
	queue [QueueSize]uint8 // event codes, a ring
	head  uint8            // the key that is played
	count uint8            // keys in the queue, the played one included
	frame uint8            // frames of the played key that are behind us
	start uint32           // timestamp of the played key
	tones bool             // the played key is sent as tones
}

// Packet is what is to be sent in one frame in place of sound.
type Packet struct {
	// Tones, if any, are sound to be sent with the timestamp of the frame, and Key
	// is what they are. The rest is for telephone-event.
	Tones     *Tones
	Key       byte
	Payload   [PayloadSize]byte
	Timestamp uint32 // for the RTP header: when the key began
	Marker    bool   // for the RTP header: the first packet of a key
}

// Queue adds keys to those to be played: all of them, or none if it returns
// ErrNotKey or ErrQueueFull.
func (s *Sender) Queue(digits string) error {
	for _, r := range digits {
		if _, ok := Code(byte(r)); r > 0x7F || !ok {
			return fmt.Errorf("send %q: %q is %w", digits, r, ErrNotKey)
		}
	}
	if len(digits) > QueueSize-int(s.count) {
		return fmt.Errorf("send %q: %w", digits, ErrQueueFull)
	}
	for i := range len(digits) {
		code, _ := Code(digits[i])
		s.queue[(s.head+s.count)%QueueSize] = code
		s.count++
	}
	return nil
}

// Busy says whether anything is left to play. The pause after the last key
// belongs to it, so that keys queued later keep their distance.
func (s *Sender) Busy() bool { return s.count > 0 }

// Step plays the next 20 ms and must be called once a frame while Busy.
// timestamp is the RTP timestamp of the frame. inBand says that a key that
// begins with it is to be sent as tones; one that has begun goes on as it did.
// ok is false when no key sounds in the frame: then sound may be sent.
func (s *Sender) Step(timestamp uint32, inBand bool) (p Packet, ok bool) {
	if s.count == 0 {
		return Packet{}, false
	}
	if s.frame == 0 {
		s.start, s.tones = timestamp, inBand
	}
	frame, code, tones := s.frame, s.queue[s.head], s.tones
	if s.frame++; s.frame == toneFrames+gapFrames || tones && s.frame == toneFrames+hushFrames {
		s.frame = 0
		s.head = (s.head + 1) % QueueSize
		s.count--
	}
	switch {
	case tones:
		return Packet{Tones: tonesOf(code, frame), Key: keys[code]}, true
	case frame+1 >= toneFrames+endFrames:
		return Packet{}, false
	}
	return Packet{
		Payload: payload{
			code:     code,
			end:      frame+1 >= toneFrames,
			volume:   volume,
			duration: media.FrameSize * uint16(min(frame+1, toneFrames)),
		}.bytes(),
		Timestamp: s.start,
		Marker:    frame == 0,
	}, true
}
