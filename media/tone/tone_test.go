// SPDX-License-Identifier: MIT

package tone

import (
	"math"
	"slices"
	"testing"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
)

// near fails the test unless got is within tolerance of want.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.2f, want %.2f ± %.2f", what, got, want, tolerance)
	}
}

func TestMakeHasTheLevelAsked(t *testing.T) {
	t.Parallel()
	// Of four samples a cycle, the second is right on the peak.
	peak := slices.Max(Make(80, 0, 2000))
	if peak != math.MaxInt16 {
		t.Errorf("a full-scale sine has the amplitude %d, want %d", peak, math.MaxInt16)
	}
	peak = slices.Max(Make(80, -20, 2000))
	if peak != 3277 {
		t.Errorf("a sine of -20 dB has the amplitude %d, want 3277", peak)
	}
}

func TestAddJoinsFrames(t *testing.T) {
	t.Parallel()
	want := Make(10*media.FrameSize, -10, 440, 1000)
	got := make([]int16, len(want))
	for start := 0; start < len(got); start += media.FrameSize {
		frame := got[start : start+media.FrameSize]
		Add(frame, start, 440, -10)
		Add(frame, start, 1000, -10)
	}
	if !slices.Equal(got, want) {
		t.Error("tones made in frames differ from tones made at once")
	}
}

func TestAddClips(t *testing.T) {
	t.Parallel()
	samples := Make(800, 0, 1000, 1000)
	if top, bottom := slices.Max(samples), slices.Min(samples); top != math.MaxInt16 || bottom != math.MinInt16 {
		t.Errorf("twice full scale goes from %d to %d", bottom, top)
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()
	for _, n := range []int{160, 205, 800, 8000} {
		for _, hz := range []float64{300, 440, 697, 1000, 1209, 1633, 2100, 3400} {
			for _, level := range []float64{0, -3.17, -13, -40} {
				near(t, "level", Level(Make(n, level, hz), hz), level, 0.1)
			}
		}
	}
}

func TestLevelTellsTonesApart(t *testing.T) {
	t.Parallel()
	both := Make(media.FrameSize, -10, 440)
	Add(both, 0, 1000, -30)
	near(t, "440 Hz", Level(both, 440), -10, 0.1)
	near(t, "1000 Hz beside 440 Hz", Level(both, 1000), -30, 0.1)
	if got := Level(Make(media.FrameSize, -10, 440), 1000); got > -60 {
		t.Errorf("1000 Hz in a tone of 440 Hz is %.1f dB", got)
	}
}

func TestLevelOfNothing(t *testing.T) {
	t.Parallel()
	for _, samples := range [][]int16{nil, {}, make([]int16, 1), make([]int16, 160)} {
		if got := Level(samples, 1000); got != Silence {
			t.Errorf("level of %d zeros = %v", len(samples), got)
		}
	}
}

// What crosses G.711 must still measure as what it was.
func TestLevelAfterG711(t *testing.T) {
	t.Parallel()
	for _, c := range []media.Codec{media.PCMU, media.PCMA} {
		samples := Make(800, ZeroDBm0-10, 1000)
		coded := make([]byte, len(samples))
		codec.Encode(c, coded, samples)
		codec.Decode(c, samples, coded)
		near(t, c.String(), Level(samples, 1000), ZeroDBm0-10, 0.2)
		if got := Level(samples, 440); got > -50 {
			t.Errorf("%v: 440 Hz in a tone of 1000 Hz is %.1f dB", c, got)
		}
	}
}

// The figure that ZeroDBm0 stands for: this µ-law sequence is 0 dBm0 at 1000 Hz
// by definition (ITU-T G.711 tables 5 and 6).
func TestZeroDBm0(t *testing.T) {
	t.Parallel()
	sequences := map[media.Codec][]byte{
		media.PCMU: {0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E},
		media.PCMA: {0x34, 0x21, 0x21, 0x34, 0xB4, 0xA1, 0xA1, 0xB4},
	}
	for c, sequence := range sequences {
		samples := make([]int16, 800)
		codec.Decode(c, samples, slices.Repeat(sequence, 100))
		near(t, c.String(), Level(samples, 1000), ZeroDBm0, 0.1)
	}
}

func TestLevelsSeeAGap(t *testing.T) {
	t.Parallel()
	samples := Make(5*media.FrameSize+100, -10, 440)
	clear(samples[2*media.FrameSize : 3*media.FrameSize])
	got := Levels(samples, 440)
	if len(got) != 5 {
		t.Fatalf("%d levels, want 5", len(got))
	}
	for i, level := range got {
		want := -10.0
		if i == 2 {
			want = Silence
		}
		near(t, "level", level, want, 0.1)
	}
	if got := Levels(samples[:media.FrameSize-1], 440); len(got) != 0 {
		t.Errorf("levels of less than a frame: %v", got)
	}
}
