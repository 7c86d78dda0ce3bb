// SPDX-License-Identifier: MIT

package testcall

import (
	"math"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
)

const (
	// step is how far the frequencies are apart that are tried first, in Hz: what
	// 20 ms can tell apart.
	step = 50
	// purity is by how many dB a tone may be softer than all that sounds.
	purity = 2.5
	// shortest is how long a tone must last, most is how many are told.
	shortest = 200 * time.Millisecond
	most     = 8
)

// heardTone is one tone that was heard.
type heardTone struct {
	hz, level    float64
	at, duration time.Duration
}

// tones finds stretches of a sound that are a single sine.
func tones(sound []int16) (found []heardTone) {
	begin, last := 0, 0.0
	end := func(at int) {
		if d := samples(at - begin); last > 0 && d >= shortest && len(found) < most {
			hz, level := refine(sound[begin:at], last)
			found = append(found, heardTone{hz, level, samples(begin), d})
		}
		begin = at
	}
	at := 0
	for ; at+media.FrameSize <= len(sound); at += media.FrameSize {
		hz := pitch(sound[at : at+media.FrameSize])
		if hz == 0 || last == 0 || math.Abs(hz-last) > step {
			end(at)
			last = hz
		}
	}
	end(at)
	return found
}

// pitch gives about the frequency of a frame that is a single sine, else 0.
func pitch(frame []int16) float64 {
	all := loudness(frame)
	if all < audible {
		return 0
	}
	best, level := 0.0, float64(tone.Silence)
	for hz := 2.0 * step; hz < media.SampleRate/2; hz += step {
		if l := tone.Level(frame, hz); l > level {
			best, level = hz, l
		}
	}
	if level < all-purity {
		return 0
	}
	return best
}

// refine gives the frequency of a tone to 1 Hz, and its level, by listening to
// up to a second of it.
func refine(sound []int16, about float64) (hz, level float64) {
	sound = sound[:min(len(sound), media.SampleRate)]
	level = tone.Silence
	for f := about - step; f <= about+step; f++ {
		if l := tone.Level(sound, f); l > level {
			hz, level = f, l
		}
	}
	return hz, level
}
