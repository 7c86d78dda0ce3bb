// SPDX-License-Identifier: MIT

package mp3

import "math"

// synthesis makes sound of subband samples (ISO/IEC 11172-3 section 2.4.3.2.2).
type synthesis struct {
	// vectors are the 16 last, each of 64 numbers; newest is the index of the
	// last of all.
	vectors [16][64]float32
	newest  int
}

// cosines are for the numbers 0 to 15 and 33 to 48 of a vector, of which all
// others follow, and for the first half of the subbands: in the other half they
// are the same, with another sign for odd numbers.
var cosines = func() (c [32][16]float32) {
	for i := range c {
		for k := range c[i] {
			c[i][k] = float32(math.Cos(math.Pi / 64 * float64((16+vectorNumber(i))*(2*k+1))))
		}
	}
	return c
}()

// vectorNumber is which number of a vector the row i of cosines is for.
func vectorNumber(i int) int {
	if i < 16 {
		return i
	}
	return i + 17
}

// next makes 32 samples of one sample of each subband, where 1 is full scale.
func (y *synthesis) next(in *[subbands]float32, out []int16) {
	y.newest = (y.newest + 15) % 16
	y.transform(in, &y.vectors[y.newest])
	var sums [subbands]float32
	for i := range 8 {
		even := y.vectors[(y.newest+2*i)%16][:32]
		odd := y.vectors[(y.newest+2*i+1)%16][32:]
		first, second := window[64*i:64*i+32], window[64*i+32:64*i+64]
		for j := range sums {
			sums[j] += even[j]*first[j] + odd[j]*second[j]
		}
	}
	for j, s := range sums {
		out[j] = int16(math.Round(max(math.MinInt16, min(math.MaxInt16, float64(s)*-math.MinInt16))))
	}
}

// transform computes a vector.
func (y *synthesis) transform(in *[subbands]float32, v *[64]float32) {
	var sum, difference [16]float32
	for k := range sum {
		sum[k], difference[k] = in[k]+in[31-k], in[k]-in[31-k]
	}
	for i := range cosines {
		c, from := &cosines[i], &sum
		n := vectorNumber(i)
		if n%2 == 1 {
			from = &difference
		}
		var s float32
		for k := range c {
			s += from[k] * c[k]
		}
		switch {
		case n == 0:
			v[0], v[32] = s, -s
		case n < 16:
			v[n], v[32-n] = s, -s
		default:
			v[n], v[96-n] = s, s
		}
	}
	v[16] = 0
}

// window is the synthesis window.
var window = func() (w [512]float32) {
	for i, v := range halfWindow {
		w[i] = float32(v) / 65536
		if i > 0 && i%64 == 0 {
			w[512-i] = w[i]
		} else if i > 0 {
			w[512-i] = -w[i]
		}
	}
	return w
}()

// halfWindow is the first half of the synthesis window of ISO/IEC 11172-3 table
// B.3, in 65536ths. The other half is the same backwards, with the other sign
// but at each 64th place.
var halfWindow = [257]int32{
	0, -1, -1, -1, -1, -1, -1, -2, -2, -2, -2, -3, -3, -4, -4, -5,
	-5, -6, -7, -7, -8, -9, -10, -11, -13, -14, -16, -17, -19, -21, -24, -26,
	-29, -31, -35, -38, -41, -45, -49, -53, -58, -63, -68, -73, -79, -85, -91, -97,
	-104, -111, -117, -125, -132, -139, -147, -154, -161, -169, -176, -183, -190, -196, -202, -208,
	213, 218, 222, 225, 227, 228, 228, 227, 224, 221, 215, 208, 200, 189, 177, 163,
	146, 127, 106, 83, 57, 29, -2, -36, -72, -111, -153, -197, -244, -294, -347, -401,
	-459, -519, -581, -645, -711, -779, -848, -919, -991, -1064, -1137, -1210, -1283, -1356, -1428, -1498,
	-1567, -1634, -1698, -1759, -1817, -1870, -1919, -1962, -2001, -2032, -2057, -2075, -2085, -2087, -2080, -2063,
	2037, 2000, 1952, 1893, 1822, 1739, 1644, 1535, 1414, 1280, 1131, 970, 794, 605, 402, 185,
	-45, -288, -545, -814, -1095, -1388, -1692, -2006, -2330, -2663, -3004, -3351, -3705, -4063, -4425, -4788,
	-5153, -5517, -5879, -6237, -6589, -6935, -7271, -7597, -7910, -8209, -8491, -8755, -8998, -9219, -9416, -9585,
	-9727, -9838, -9916, -9959, -9966, -9935, -9863, -9750, -9592, -9389, -9139, -8840, -8492, -8092, -7640, -7134,
	6574, 5959, 5288, 4561, 3776, 2935, 2037, 1082, 70, -998, -2122, -3300, -4533, -5818, -7154, -8540,
	-9975, -11455, -12980, -14548, -16155, -17799, -19478, -21189, -22929, -24694, -26482, -28289, -30112, -31947, -33791, -35640,
	-37489, -39336, -41176, -43006, -44821, -46617, -48390, -50137, -51853, -53534, -55178, -56778, -58333, -59838, -61289, -62684,
	-64019, -65290, -66494, -67629, -68692, -69679, -70590, -71420, -72169, -72835, -73415, -73908, -74313, -74630, -74856, -74992,
	75038,
}
