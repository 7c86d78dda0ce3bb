// SPDX-License-Identifier: MIT

package plane

import (
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/jitter"
)

// frame is 20 ms of sound, coded as the stream is that it belongs to.
type frame = [media.FrameSize]byte

// ear is what makes a stream heard by others. A stream that only plays has
// none.
type ear struct{ jitter.Buffer }

// attune forgets what was heard and makes the ear ready for a codec.
func (e *ear) attune(c media.Codec) { e.Reset(codec.Silence(c)) }

// said is the frame that the ear of a stream has given, or silence while the stream
// is muted.
func (s *shard) said(st *stream) *frame {
	if st.in.muted {
		hush(&s.wire.hushed, st.remote.codec)
		return &s.wire.hushed
	}
	return s.ears.at(st.ear).Frame()
}

// hush fills a frame with silence.
func hush(f *frame, c media.Codec) {
	silence := codec.Silence(c)
	for i := range f {
		f[i] = silence
	}
}
