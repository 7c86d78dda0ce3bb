// SPDX-License-Identifier: MIT

package tone

import (
	"math"

	"github.com/callwright/callwright/media"
)

// Silence is the level, in dB relative to full scale, that stands for no sound
// at all. Nothing measures lower.
const Silence = -120

// Level measures how loud hz, between 0 and 4000, sounds in samples, in dB
// relative to full scale. It is Goertzel's algorithm behind a Hann window: the
// level is right within 0.1 dB in sound of 20 ms or longer, and tones more than
// 16000/len(samples) Hz away, 100 Hz for 20 ms, hardly disturb it.
func Level(samples []int16, hz float64) float64 {
	return goertzel(windowed(samples), hz)
}

// Levels measures how loud hz sounds in each 20 ms of samples, as Level does.
// What is left at the end and shorter than 20 ms is not measured.
func Levels(samples []int16, hz float64) []float64 {
	levels := make([]float64, 0, len(samples)/media.FrameSize)
	for ; len(samples) >= media.FrameSize; samples = samples[media.FrameSize:] {
		levels = append(levels, Level(samples[:media.FrameSize], hz))
	}
	return levels
}

// windowed weighs samples with a Hann window, scaled so that a sine of full
// scale has the power 1 in goertzel.
func windowed(samples []int16) []float64 {
	w := make([]float64, len(samples))
	n := float64(len(samples))
	for i, v := range samples {
		hann := 1 - math.Cos(2*math.Pi*(float64(i)+0.5)/n)
		w[i] = float64(v) * hann * 2 / (n * fullScale)
	}
	return w
}

// goertzel gives the level of one frequency in windowed samples.
func goertzel(w []float64, hz float64) float64 {
	c := 2 * math.Cos(2*math.Pi*hz/media.SampleRate)
	var s1, s2 float64
	for _, v := range w {
		s1, s2 = v+c*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - c*s1*s2
	return 10 * math.Log10(max(power, 1e-12))
}
