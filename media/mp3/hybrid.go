// SPDX-License-Identifier: MIT

package mp3

import "math"

const (
	subbands = 32
	lines    = 18 // of each subband
)

// subbandSamples are the samples of all subbands in a granule, by time.
type subbandSamples [lines][subbands]float32

// hybrid makes subband samples of the values of one channel. It keeps the half
// of each block that the next one is added to.
type hybrid struct {
	overlap [subbands][lines]float32
}

// add transforms values and adds the result to out, at half its strength if
// there are two channels. The values are spoilt. n is how many there are.
func (y *hybrid) add(out *subbandSamples, v *values, n int, shape blockShape, bands []band, strength float32) {
	longBlocks := subbands
	if shape.kind == short {
		longBlocks = 0
		if shape.mixed {
			longBlocks = mixedEnd / lines
		}
		reorder(v, bands)
		n = len(v)
	}
	used := min((n+lines-1)/lines, subbands)
	if longBlocks > 0 {
		used = antialias(v, min(longBlocks, used+1))
		if shape.kind == short {
			used = subbands
		}
	}
	var block [2 * lines]float32
	for sb := range subbands {
		clear(block[:])
		if sb < used {
			in := v[sb*lines : (sb+1)*lines]
			switch {
			case sb >= longBlocks:
				shortBlocks(&block, in)
			case shape.kind == short || shape.switched && shape.mixed && sb < mixedEnd/lines:
				longBlock(&block, in, &longCosines[0])
			default:
				longBlock(&block, in, &longCosines[shape.kind])
			}
		}
		overlap := &y.overlap[sb]
		for t := range lines {
			s := (block[t] + overlap[t]) * strength
			if sb&t&1 == 1 {
				s = -s // frequencies of odd subbands run backwards
			}
			out[t][sb] += s
			overlap[t] = block[lines+t]
		}
	}
}

// reorder brings the values of short blocks into the order of frequency, those
// of the three blocks next to each other.
func reorder(v *values, bands []band) {
	var sorted values
	copy(sorted[:], v[:])
	for i := 0; i < len(bands); i++ {
		if bands[i].window != 0 {
			continue
		}
		from, width := bands[i].from, bands[i].to-bands[i].from
		for k := range width {
			for w := range 3 {
				sorted[from+3*k+w] = v[from+w*width+k]
			}
		}
	}
	*v = sorted
}

// butterflies undo what the neighbouring subbands have in common (ISO/IEC
// 11172-3 table B.9).
var butterflies = func() (b [8]struct{ cs, ca float32 }) {
	for i, c := range [8]float64{-0.6, -0.535, -0.33, -0.185, -0.095, -0.041, -0.0142, -0.0037} {
		b[i].cs = float32(1 / math.Sqrt(1+c*c))
		b[i].ca = float32(c / math.Sqrt(1+c*c))
	}
	return b
}()

// antialias works on the first n subbands, and gives that number.
func antialias(v *values, n int) int {
	for sb := 1; sb < n; sb++ {
		for i, b := range butterflies {
			low, high := &v[sb*lines-1-i], &v[sb*lines+i]
			*low, *high = *low*b.cs-*high*b.ca, *high*b.cs+*low*b.ca
		}
	}
	return n
}

// longCosines are the inverse transform of long blocks with the window of their
// kind (ISO/IEC 11172-3 section 2.4.3.4.10): for each sample what it takes of
// each line. That of kind 2 is not used.
var longCosines = func() (all [4][2 * lines][lines]float32) {
	rise := func(i, n int) float64 { return math.Sin(math.Pi / float64(2*n) * (float64(i) + 0.5)) }
	for kind := range all {
		for i := range all[kind] {
			window := rise(i, lines)
			switch j := 2*lines - 1 - i; { // mirrored
			case kind == 1 && i >= 30, kind == 3 && j >= 30:
				window = 0
			case kind == 1 && i >= 24:
				window = rise(i-18, 6)
			case kind == 3 && j >= 24:
				window = rise(j-18, 6)
			case kind == 1 && i >= 18, kind == 3 && j >= 18:
				window = 1
			}
			for k := range all[kind][i] {
				all[kind][i][k] = float32(window * math.Cos(math.Pi/72*float64((2*i+1+18)*(2*k+1))))
			}
		}
	}
	return all
}()

// shortCosines are the same for short blocks.
var shortCosines = func() (c [12][6]float32) {
	for i := range c {
		for k := range c[i] {
			c[i][k] = float32(math.Sin(math.Pi/12*(float64(i)+0.5)) * math.Cos(math.Pi/24*float64((2*i+1+6)*(2*k+1))))
		}
	}
	return c
}()

func longBlock(block *[2 * lines]float32, in []float32, cosines *[2 * lines][lines]float32) {
	in = in[:lines]
	for i := range block {
		c := &cosines[i]
		var s float32
		for k, v := range in {
			s += v * c[k]
		}
		block[i] = s
	}
}

// shortBlocks adds the three short blocks, each six samples behind the other.
func shortBlocks(block *[2 * lines]float32, in []float32) {
	for w := range 3 {
		for i := range shortCosines {
			c := &shortCosines[i]
			var s float32
			for k := range c {
				s += in[3*k+w] * c[k]
			}
			block[6+6*w+i] += s
		}
	}
}
