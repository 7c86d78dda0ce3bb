// SPDX-License-Identifier: MIT

package resample

import (
	"math"

	"github.com/callwright/callwright/media"
)

const (
	// pass and stop are the edges of the filter, in Hz: below pass sound goes
	// through, above stop nothing does. Rates under 8000 have edges in
	// proportion.
	pass, stop = 3400.0, 4000.0
	// attenuation is how much what is above stop is softened, in dB. 16 bits
	// can tell 96 dB apart, G.711 some 38.
	attenuation = 80.0
)

// filter is a low-pass in as many phases as there are places between two
// samples of the source where a sample can come out.
type filter struct {
	// half is how many samples of the source count on each side of a place.
	half int
	// phases hold 2*half coefficients each: those of phase p are for a place
	// p/len(phases) behind the middle.
	phases [][]float32
}

// newFilter designs the filter for a source of rate samples a second, in the
// given number of phases. The length and the shape of the window are Kaiser's
// estimates (J. F. Kaiser, "Nonrecursive digital filter design using the
// I0-sinh window function", 1974).
func newFilter(rate, phases int) filter {
	narrow := min(1, float64(rate)/media.SampleRate) * media.SampleRate / float64(rate)
	low, high := pass/media.SampleRate*narrow, stop/media.SampleRate*narrow // in cycles a sample of the source
	taps := (attenuation - 7.95) / (14.36 * (high - low))
	beta := 0.1102 * (attenuation - 8.7)
	cutoff := (low + high) / 2

	f := filter{half: int(math.Ceil(taps / 2)), phases: make([][]float32, phases)}
	for p := range f.phases {
		coefficients := make([]float64, 2*f.half)
		sum := 0.0
		for i := range coefficients {
			// Coefficient i is for the sample that lies i-(half-1) behind the one
			// before the place.
			distance := float64(i-(f.half-1)) - float64(p)/float64(phases)
			coefficients[i] = sinc(2*cutoff*distance) * kaiser(distance/float64(f.half), beta)
			sum += coefficients[i]
		}
		f.phases[p] = make([]float32, len(coefficients))
		for i, c := range coefficients {
			f.phases[p][i] = float32(c / sum) // each phase passes a constant unchanged
		}
	}
	return f
}

// sinc is the ideal low-pass.
func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the window's weight at x, which is 0 in its middle and 1 or -1 at
// its ends, but for a factor: it goes out when the sum is made 1.
func kaiser(x, beta float64) float64 {
	if x < -1 || x > 1 {
		return 0
	}
	return bessel(beta * math.Sqrt(1-x*x))
}

// bessel is the modified Bessel function of the first kind and order zero, by
// its series.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-10*sum; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}
