// SPDX-License-Identifier: MIT

package recorder

import (
	"math"
	"time"

	"github.com/callwright/callwright/media"
)

// The loudness at which sound begins depends on how loud it is when nobody speaks:
// a hiss is not a voice. These are mean squares of samples, as codec.Power gives
// them; 1<<30 is the most there can be (0 dBov).
const (
	// leastPower is silence whatever is below it: -50 dBov. mostPower is sound
	// whatever is above: -30 dBov.
	leastPower, mostPower = 1 << 30 / 100_000, 1 << 30 / 1000
	// above is how much louder than the hiss a voice is: 8 dB. Once it is heard it
	// may be half as loud.
	above, softer = 6, 2
)

const (
	// attack is how many frames in a row must be loud: a click is shorter.
	attack = 3
	// breath is how many quiet ones belong to what is said around them, and are kept
	// behind the last sound: half a second.
	breath = int64(500 * time.Millisecond / media.FrameDuration)
	// window is over how many frames the softest is looked for, twice. Everybody who
	// speaks takes a breath in so long a time.
	window = 75
)

// listener tells sound from silence, frame by frame.
type listener struct {
	patience int64 // frames of silence that are enough
	frames   int64 // so far
	heard    int64 // of them that were sound, with the short pauses between
	last     int64 // one beyond the last of these
	loud     uint8 // frames in a row that are loud, up to attack
	// softest is the power of the softest frame in this window, before that of the
	// one before.
	softest, before uint64
}

func newListener(silence time.Duration) *listener {
	frames := (silence + media.FrameDuration - 1) / media.FrameDuration
	return &listener{patience: int64(frames), softest: math.MaxUint64, before: math.MaxUint64}
}

// bored takes the power of the next frame and says whether there was nothing but
// silence for long enough.
func (l *listener) bored(power uint64) bool {
	if l.frames%window == 0 {
		l.before, l.softest = l.softest, math.MaxUint64
	}
	l.frames++
	l.softest = min(l.softest, power)
	enough := min(max(above*min(l.softest, l.before, mostPower), leastPower), mostPower)
	if l.loud == attack {
		enough /= softer
	}
	switch {
	case power < enough:
		l.loud = 0
	case l.loud < attack-1:
		l.loud++
	default:
		began := l.frames - 1
		if l.loud < attack {
			began = l.frames - attack
			l.loud = attack
		}
		if began-l.last <= breath && l.heard > 0 {
			began = l.last // the pause was a breath
		}
		l.heard += l.frames - began
		l.last = l.frames
	}
	return l.frames-l.last >= l.patience
}

// keep is how many frames are worth being kept.
func (l *listener) keep() int64 {
	if l.heard == 0 {
		return 0
	}
	return min(l.frames, l.last+breath)
}
