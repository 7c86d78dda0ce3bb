// SPDX-License-Identifier: MIT

package resample

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
)

// rates are those that files have.
var rates = []int{4000, 6000, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 37800, 44056, 44100, 48000, 88200, 96000, 176400, 192000}

// sine makes n samples of a sine at any rate.
func sine(rate, n int, hz, level float64) []int16 {
	samples := make([]int16, n)
	for i := range samples {
		samples[i] = int16(math.Round(math.MaxInt16 * math.Pow(10, level/20) * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	return samples
}

// whole resamples all of a source at once.
func whole(t testing.TB, rate int, source []int16) []int16 {
	t.Helper()
	r, err := New(rate)
	if err != nil {
		t.Fatal(err)
	}
	return r.Flush(r.Append(nil, source))
}

// middle leaves out what the ends of a sound disturb.
func middle(samples []int16) []int16 { return samples[400 : len(samples)-400] }

// What a telephone carries passes unchanged.
func TestPassBand(t *testing.T) {
	t.Parallel()
	for _, rate := range rates {
		for _, hz := range []float64{50, 300, 1000, 2000, 3000, 3400} {
			if hz > 3400.0/8000*float64(rate) {
				continue
			}
			got := middle(whole(t, rate, sine(rate, rate, hz, -6)))
			if level := tone.Level(got, hz); math.Abs(level+6) > 0.05 {
				t.Errorf("%d Hz: a tone of %.0f Hz changed by %.3f dB", rate, hz, level+6)
			}
		}
	}
}

// What is above 4000 Hz does not come back below it.
func TestAliases(t *testing.T) {
	t.Parallel()
	worst := float64(tone.Silence)
	for _, rate := range rates {
		for _, hz := range []float64{4000.5, 4100, 4500, 5000, 5400, 7000, 7999, 9000, 11000, 15000, 20000, 30000, 47000, 80000, 95000} {
			if hz >= float64(rate)/2 {
				continue
			}
			level := loudness(middle(whole(t, rate, sine(rate, rate, hz, -1))))
			worst = max(worst, level)
			if level > -75 {
				t.Errorf("%d Hz: of a tone of %.1f Hz there is %.1f dB left", rate, hz, level)
			}
		}
	}
	t.Logf("the loudest alias is at %.1f dB", worst)
}

// loudness is the level of all that sounds.
func loudness(samples []int16) float64 {
	power := 0.0
	for _, v := range samples {
		power += float64(v) * float64(v)
	}
	power /= float64(len(samples)) * math.MaxInt16 * math.MaxInt16 / 2
	return 10 * math.Log10(max(power, 1e-12))
}

// Rates under 8000 leave no mirror images above half of them.
func TestImages(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{4000, 6000} {
		hz := 0.4 * float64(rate)
		got := middle(whole(t, rate, sine(rate, rate, hz, -1)))
		if level := tone.Level(got, float64(rate)-hz); level > -75 {
			t.Errorf("%d Hz: the image of %.0f Hz is at %.1f dB", rate, hz, level)
		}
	}
}

// A constant stays what it is, and silence stays silence.
func TestConstant(t *testing.T) {
	t.Parallel()
	for _, rate := range rates {
		for _, v := range []int16{0, 1, -1, 1000, math.MaxInt16, math.MinInt16} {
			for i, got := range middle(whole(t, rate, slices.Repeat([]int16{v}, rate))) {
				if got != v {
					t.Fatalf("%d Hz: sample %d is %d, want %d", rate, i, got, v)
				}
			}
		}
		sum := 0
		got := middle(whole(t, rate, sine(rate, rate, 1000, -6)))
		for _, v := range got {
			sum += int(v)
		}
		if mean := float64(sum) / float64(len(got)); math.Abs(mean) > 1 {
			t.Errorf("%d Hz: a sine has the mean %.2f", rate, mean)
		}
	}
}

// Sound comes out as long, and as early, as it went in.
func TestLengthAndPlace(t *testing.T) {
	t.Parallel()
	for _, rate := range append(rates, 44099, 8001, 191999) {
		for _, n := range []int{0, 1, 2, 100, rate, rate + 1} {
			want := float64(n) * media.SampleRate / float64(rate)
			if got := len(whole(t, rate, make([]int16, n))); math.Abs(float64(got)-want) > 1.5 {
				t.Errorf("%d Hz: %d samples became %d, want %.1f", rate, n, got, want)
			}
		}
		click := make([]int16, rate)
		for i := range rate / 1000 {
			click[rate/2+i] = math.MaxInt16 // for a millisecond, at half a second
		}
		got := whole(t, rate, click)
		loudest := slices.Index(got, slices.Max(got))
		if loudest < 4000 || loudest > 4008 {
			t.Errorf("%d Hz: a click of sample 4000 to 4008 is loudest at %d", rate, loudest)
		}
	}
}

// How the source is cut into pieces makes no difference.
func TestPieces(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, rate := range rates {
		source := sine(rate, rate/2, 1000, -3)
		want := whole(t, rate, source)
		r, err := New(rate)
		if err != nil {
			t.Fatal(err)
		}
		var got []int16
		for rest := source; len(rest) > 0; {
			n := min(len(rest), random.IntN(200))
			got = r.Append(got, rest[:n])
			rest = rest[n:]
		}
		if got = r.Flush(got); !slices.Equal(got, want) {
			t.Errorf("%d Hz: in pieces it is another sound", rate)
		}
		if held := cap(r.source); held > 2*block+2*r.filter.half {
			t.Errorf("%d Hz: %d samples are held", rate, held)
		}
	}
}

// Sound at its limits is cut off, not turned over.
func TestLoud(t *testing.T) {
	t.Parallel()
	square := make([]int16, 48000)
	for i, v := range sine(48000, 48000, 997, 0) {
		square[i] = math.MaxInt16
		if v < 0 {
			square[i] = math.MinInt16
		}
	}
	got := middle(whole(t, 48000, square))
	if level := tone.Level(got, 997); level < 1 || level > 2.1 {
		t.Errorf("the fundamental of a square wave is at %.2f dB, want 2.1 less what is cut off", level)
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{-1, 0, 1, 3999, 192001, math.MaxInt32} {
		if _, err := New(rate); err == nil {
			t.Errorf("a rate of %d was taken", rate)
		}
	}
	for rate := MinRate; rate <= MaxRate; rate += 997 {
		up, down := ratio(media.SampleRate, rate)
		if off := float64(down)/float64(up)*media.SampleRate/float64(rate) - 1; up > maxPhases || math.Abs(off) > 0.0005 {
			t.Errorf("%d Hz: %d/%d is off by %g", rate, up, down, off)
		}
	}
}

func BenchmarkResample(b *testing.B) {
	for name, rate := range map[string]int{"16000": 16000, "44100": 44100, "48000": 48000, "192000": 192000} {
		b.Run(name, func(b *testing.B) {
			source := sine(rate, rate, 1000, -6)
			for b.Loop() {
				whole(b, rate, source)
			}
		})
	}
}
