// SPDX-License-Identifier: MIT

package resample

import (
	"fmt"
	"math"

	"github.com/callwright/callwright/media"
)

// MinRate and MaxRate are the rates that can be resampled, in samples a second.
const (
	MinRate = 4000
	MaxRate = 192000
)

// maxPhases bounds the size of a filter. All the rates in use need fewer: 320
// for 11025. Others are taken for the nearest that does, which changes length
// and pitch by less than anybody hears.
const maxPhases = 512

// block is how many samples are looked at together.
const block = 4096

// Resampler turns samples at one rate into samples at 8000 a second. Sound
// comes out as early as it went in: the filter's delay is taken away.
type Resampler struct {
	filter   filter
	up, down int // 8000 to the rate, reduced

	source []float32 // what of the source is still needed
	taken  int       // samples of the source taken in
	given  int       // samples given out
	next   int       // index in source of the sample before the next place
	phase  int       // how far behind it the place is, in 1/up
}

// New makes a Resampler for a source of rate samples a second. The error is for
// the customer whose file it is.
func New(rate int) (*Resampler, error) {
	if rate < MinRate || rate > MaxRate {
		return nil, fmt.Errorf("the file has %d samples a second, and %d to %d can be played: export it with a rate of 8000", rate, MinRate, MaxRate)
	}
	r := &Resampler{}
	r.up, r.down = ratio(media.SampleRate, rate)
	if r.up == r.down {
		return r, nil // nothing to do
	}
	r.filter = newFilter(rate, r.up)
	r.next = r.filter.half - 1
	r.source = make([]float32, r.filter.half-1, block+2*r.filter.half) // silence before the beginning
	return r, nil
}

// ratio reduces a/b. If a is then more than maxPhases, it gives the nearest
// fraction with a smaller one.
func ratio(a, b int) (up, down int) {
	g := gcd(a, b)
	if a/g <= maxPhases {
		return a / g, b / g
	}
	best := math.Inf(1)
	for n := 1; n <= maxPhases; n++ {
		m := max(1, int(math.Round(float64(n)*float64(b)/float64(a))))
		if off := math.Abs(float64(m)/float64(n) - float64(b)/float64(a)); off < best {
			best, up, down = off, n, m
		}
	}
	return up, down
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Append takes samples of the source and appends to dst what they bring. It
// returns the extended slice.
func (r *Resampler) Append(dst, samples []int16) []int16 {
	if r.up == r.down {
		return append(dst, samples...)
	}
	for len(samples) > 0 {
		n := min(block, len(samples))
		for _, v := range samples[:n] {
			r.source = append(r.source, float32(v))
		}
		r.taken += n
		samples = samples[n:]
		dst = r.run(dst)
	}
	return dst
}

// Flush appends what is left when the source has ended: together with what came
// before it lasts as long as the source.
func (r *Resampler) Flush(dst []int16) []int16 {
	if r.up == r.down {
		return dst
	}
	r.source = append(r.source, make([]float32, r.filter.half)...)
	dst = r.run(dst)
	r.source, r.next = r.source[:0], r.filter.half-1
	return dst
}

// run gives out all that can be computed, and forgets what is not needed any
// more.
func (r *Resampler) run(dst []int16) []int16 {
	half := r.filter.half
	for r.next+half < len(r.source) && r.given*r.down < r.taken*r.up {
		place := r.source[r.next-half+1 : r.next+half+1]
		dst = append(dst, sample(dot(place, r.filter.phases[r.phase])))
		r.given++
		r.phase += r.down
		r.next += r.phase / r.up
		r.phase %= r.up
	}
	// A place far ahead needs nothing of what is there.
	unneeded := min(r.next-half+1, len(r.source))
	r.source = r.source[:copy(r.source, r.source[unneeded:])]
	r.next -= unneeded
	return dst
}

// dot sums up products. The four sums let the processor work on several at a
// time.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

// sample rounds to what a sample can hold.
func sample(v float32) int16 {
	return int16(math.Round(max(math.MinInt16, min(math.MaxInt16, float64(v)))))
}
