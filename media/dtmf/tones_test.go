// SPDX-License-Identifier: MIT

package dtmf

import (
	"slices"
	"testing"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/tone"
)

// sing plays the sender to its end as tones and gives the sound.
func sing(t *testing.T, s *Sender, c media.Codec) (sound []byte) {
	t.Helper()
	for s.Busy() {
		p, ok := s.Step(0, true)
		if !ok || p.Tones == nil {
			t.Fatal("a frame without tones")
		}
		sound = append(sound, p.Tones.Coded(c)[:]...)
	}
	return sound
}

func TestSenderSings(t *testing.T) {
	t.Parallel()
	for _, c := range bothCodecs {
		var s Sender
		if err := s.Queue(keys); err != nil {
			t.Fatal(err)
		}
		sound := sing(t, &s, c)
		const each = (toneFrames + hushFrames) * media.FrameSize
		if len(sound) != len(keys)*each {
			t.Fatalf("%v: %d samples of sound, want %d", c, len(sound), len(keys)*each)
		}
		for code := range uint8(len(keys)) {
			part := make([]int16, each)
			codec.Decode(c, part, sound[int(code)*each:])
			row, column := pitchesOf(code)
			for i, level := range tone.Levels(part[:toneFrames*media.FrameSize], row.hz) {
				if level < rowLevel+tone.ZeroDBm0-0.5 || level > rowLevel+tone.ZeroDBm0+0.5 {
					t.Errorf("%v, key %c: the row is at %.1f dB in frame %d", c, keys[code], level, i)
				}
			}
			if level := tone.Level(part[:toneFrames*media.FrameSize], column.hz); level < columnLevel+tone.ZeroDBm0-0.5 || level > columnLevel+tone.ZeroDBm0+0.5 {
				t.Errorf("%v, key %c: the column is at %.1f dB", c, keys[code], level)
			}
			if slices.Max(part[toneFrames*media.FrameSize:]) > 8 {
				t.Errorf("%v, key %c: the pause is not silent", c, keys[code])
			}
		}
		samples := make([]int16, len(sound))
		codec.Decode(c, samples, sound)
		if got := detect(c, samples); got != keys {
			t.Errorf("%v: the detector hears %q, want %q", c, got, keys)
		}
	}
}

// A key goes on as it began, whatever is agreed on meanwhile.
func TestSenderKeepsTheWayOfAKey(t *testing.T) {
	t.Parallel()
	var s Sender
	if err := s.Queue("12"); err != nil {
		t.Fatal(err)
	}
	for frame := range toneFrames + hushFrames {
		if p, ok := s.Step(0, frame == 0); !ok || p.Tones == nil {
			t.Fatalf("frame %d of a key that began as tones is none", frame)
		}
	}
	for frame := range toneFrames + gapFrames {
		if p, _ := s.Step(0, frame > 0); p.Tones != nil {
			t.Fatalf("frame %d of a key that began as an event is a tone", frame)
		}
	}
	if s.Busy() {
		t.Error("busy after both keys")
	}
}
