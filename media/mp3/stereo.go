// SPDX-License-Identifier: MIT

package mp3

import "math"

// channelValues are the values of one channel's granule and how they were coded.
type channelValues struct {
	granule *granule
	scales  *scales
	bands   []band
	values  *values
}

// split makes left and right of two channels that were coded together
// (ISO/IEC 11172-3 section 2.4.3.4.9, ISO/IEC 13818-3 section 2.4.3.2). Low
// bands may be sum and difference; in the bands of high frequencies, where the
// right channel has nothing, the left one may stand for both, and the right
// one's scale factors say how loud it is in each.
func split(h header, left, right channelValues) {
	above := [3]int{len(right.bands), len(right.bands), len(right.bands)}
	if h.intensity() {
		above = silentAbove(right)
	}
	for i, band := range right.bands {
		l, r := left.values[band.from:band.to], right.values[band.from:band.to]
		if i >= above[max(band.window, 0)] {
			if kl, kr, ok := shares(h, right, i, above[max(band.window, 0)]); ok {
				for k, v := range l {
					l[k], r[k] = v*kl, v*kr
				}
				continue
			}
		}
		if h.midSide() {
			for k := range l {
				l[k], r[k] = (l[k]+r[k])*math.Sqrt2/2, (l[k]-r[k])*math.Sqrt2/2
			}
		}
	}
}

// silentAbove gives, for each of the three short blocks, the first band from
// which on there is nothing. Long blocks count as the first.
func silentAbove(c channelValues) (above [3]int) {
	for i, band := range c.bands {
		for _, v := range c.values[band.from:band.to] {
			if v != 0 {
				above[max(band.window, 0)] = i + 1
			}
		}
	}
	if c.bands[0].window < 0 { // long bands are below all the short ones
		highest := max(above[0], above[1], above[2])
		above = [3]int{highest, highest, highest}
	}
	return above
}

// shares gives how loud a band is in each channel; ok is false if it is not
// coded by intensity. above is the first band that may be.
func shares(h header, right channelValues, i, above int) (inLeft, inRight float32, ok bool) {
	step, coded := 1, 21 // bands with a scale factor
	if right.bands[len(right.bands)-1].window >= 0 {
		step, coded = 3, len(right.bands)-3
	}
	if i >= coded {
		i -= step // the last has no factor, and takes that of the one before
	}
	place := 3 * (1 - h.low()) // as loud in both
	if i >= above {
		if right.scales.most[i] {
			return 0, 0, false
		}
		place = right.scales.factor[i]
	}
	switch {
	case h.low() == 1:
		quarters := (place + 1) / 2 * (1 + right.granule.scaleCode&1) // of a power of two
		softer := float32(math.Exp2(-float64(quarters) / 4))
		if place%2 == 1 {
			return softer, 1, true
		}
		return 1, softer, true
	case place == 6:
		return 1, 0, true
	}
	ratio := math.Tan(float64(place) * math.Pi / 12)
	return float32(ratio / (1 + ratio)), float32(1 / (1 + ratio)), true
}
