// SPDX-License-Identifier: MIT

package tone

import (
	"math"

	"github.com/callwright/callwright/media"
)

// ZeroDBm0 is the level of a 0 dBm0 sine, in dB relative to full scale: the
// loudest sine that G.711 can carry has +3.17 dBm0 in µ-law and +3.14 in A-law
// (ITU-T G.711 section 3). A speaker is around ZeroDBm0-15.
const ZeroDBm0 = -3.17

// fullScale is the amplitude of a sine of 0 dB.
const fullScale = math.MaxInt16

// Add adds a sine of hz to what dst already holds, so that several calls make a
// chord. level is in dB relative to full scale. start is the number of samples
// since the sine began: frames made one after another join without a click.
// Sums too loud for a sample are clipped.
func Add(dst []int16, start int, hz, level float64) {
	amplitude := fullScale * math.Pow(10, level/20)
	cycles := hz / media.SampleRate
	for i := range dst {
		_, phase := math.Modf(cycles * float64(start+i))
		v := float64(dst[i]) + amplitude*math.Sin(2*math.Pi*phase)
		dst[i] = int16(math.Round(max(math.MinInt16, min(math.MaxInt16, v))))
	}
}

// Make returns n samples in which all of the given sines sound, each at level
// dB relative to full scale.
func Make(n int, level float64, hz ...float64) []int16 {
	samples := make([]int16, n)
	for _, f := range hz {
		Add(samples, 0, f, level)
	}
	return samples
}
