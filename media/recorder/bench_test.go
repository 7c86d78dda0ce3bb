// SPDX-License-Identifier: MIT

package recorder

import (
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/tone"
)

// BenchmarkListener measures what it costs a shard to listen to one frame for
// silence, of which a stream has 50 in a second, and copying it to the recording as a
// measure.
func BenchmarkListener(b *testing.B) {
	sound := make([]byte, 500*media.FrameSize)
	codec.Encode(media.PCMA, sound, tone.Make(len(sound), -10, 440))
	frame := func(i int) []byte {
		at := i % 500 * media.FrameSize
		return sound[at : at+media.FrameSize]
	}
	b.Run("listen", func(b *testing.B) {
		l := newListener(time.Hour)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			l.bored(codec.Power(media.PCMA, frame(i)))
		}
	})
	b.Run("copy", func(b *testing.B) {
		var to [media.FrameSize]byte
		for i := 0; b.Loop(); i++ {
			copy(to[:], frame(i))
		}
	})
}
