// SPDX-License-Identifier: MIT

package mp3

import "math"

// values are those of a granule by frequency: 18 of each of 32 subbands.
type values [576]float32

// emphasised is what is added to the scale factors of long blocks on demand
// (ISO/IEC 11172-3 table B.6).
var emphasised = [22]int{11: 1, 12: 1, 13: 1, 14: 1, 15: 2, 16: 2, 17: 3, 18: 3, 19: 3, 20: 2}

// powers are the powers of 4/3 of what is found in the codes.
var powers = func() (p [15 + 1<<13 + 1]float32) {
	for i := range p {
		p[i] = float32(math.Pow(float64(i), 4.0/3))
	}
	return p
}()

// readValues reads the values of a granule, which end at the given bit, and
// scales them. It returns how many there are; all behind them are 0.
func readValues(b *bits, g *granule, s *scales, bands []band, end int, v *values) int {
	steps := stepsOf(g, s, bands)
	regions := regionEnds(g, bands)
	at, in := 0, 0
	// set writes the next value.
	set := func(found int, length uint) {
		if found == 0 {
			v[at] = 0
		} else {
			if length > 0 && found == 15 {
				found += b.read(length)
			}
			v[at] = powers[found] * steps[in]
			if b.bit() == 1 {
				v[at] = -v[at]
			}
		}
		if at++; in+1 < len(bands) && at >= bands[in].to {
			in++
		}
	}
	for at < min(g.pairs, len(v)) && b.at < end {
		region := 0
		for region < 2 && at >= regions[region] {
			region++
		}
		code := &pairCodes[g.tables[region]]
		found := 0
		if code.tree != nil {
			found = code.tree.find(b)
		}
		set(found>>4, code.linear)
		set(found&15, code.linear)
	}
	for at+4 <= len(v) && b.at < end {
		found := quadCodes[g.quads].find(b)
		for i := 3; i >= 0; i-- {
			set(found>>i&1, 0)
		}
		if b.at > end {
			at -= 4 // it was no code, but the rest of the bits
			break
		}
	}
	clear(v[at:])
	return at
}

// regionEnds gives where the first two regions of pairs end.
func regionEnds(g *granule, bands []band) (ends [2]int) {
	first := min(g.regions[0], len(bands))
	second := min(first+g.regions[1], len(bands))
	return [2]int{bands[first-1].to, bands[second-1].to}
}

// stepsOf gives by band what values are multiplied with (ISO/IEC 11172-3
// section 2.4.3.4.7.1).
func stepsOf(g *granule, s *scales, bands []band) (steps [39]float32) {
	unit := 0.5
	if g.coarse {
		unit = 1
	}
	for i, band := range bands {
		scale := s.factor[i]
		gain := g.gain - 210
		if band.window >= 0 {
			gain -= 8 * g.block.gains[band.window]
		} else if g.emphasis {
			scale += emphasised[i]
		}
		steps[i] = float32(math.Exp2(float64(gain)/4 - unit*float64(scale)))
	}
	return steps
}
