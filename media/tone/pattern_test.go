// SPDX-License-Identifier: MIT

package tone

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/media"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for notation, want := range map[string]Pattern{
		"1000/500":          {{[]float64{1000}, 500 * time.Millisecond}},
		"480+620/500,0/250": {{[]float64{480, 620}, 500 * time.Millisecond}, {nil, 250 * time.Millisecond}},
		"350.5/1,0/59999":   {{[]float64{350.5}, time.Millisecond}, {nil, 59999 * time.Millisecond}},
	} {
		got, err := Parse(notation)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", notation, err, diff)
		}
	}
	for notation, want := range map[string]string{
		"":                                 "write Hz and milliseconds",
		"busy":                             "write Hz and milliseconds",
		"1000":                             "write Hz and milliseconds",
		"1000/":                            "write Hz and milliseconds",
		"1000/0":                           "write Hz and milliseconds",
		"1000/-5":                          "write Hz and milliseconds",
		"1000/500,":                        `"" is no tone`,
		"1000/99999999999999999999":        "write Hz and milliseconds",
		"/500":                             `"" is no frequency`,
		"20/500":                           "from 50 to 3600",
		"4000/500":                         "from 50 to 3600",
		"NaN/500":                          "from 50 to 3600",
		"440+x/500":                        `"x" is no frequency`,
		"440+0/500":                        `"0" is no frequency`,
		"440/60000,0/1":                    "lasts up to 1m0s",
		"1+2+3+4+5/10":                     "from 50 to 3600",
		"100+200+300+400+500/10":           "keep 4",
		strings.Repeat("0/1,", 64) + "0/1": "up to 64 parts",
	} {
		if p, err := Parse(notation); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want %s", notation, p, err, want)
		}
	}
}

// FuzzParse parses anything: it fails, or can be made into sound as long as it
// says.
func FuzzParse(f *testing.F) {
	f.Add("480+620/500,0/500")
	f.Add(Beep)
	f.Add("1e3/7,+/")
	f.Fuzz(func(t *testing.T, notation string) {
		p, err := Parse(notation)
		if err != nil {
			return
		}
		if n := len(p.Samples()); p.Duration() > MaxPattern || n != int(p.Duration()*media.SampleRate/time.Second) {
			t.Errorf("%d samples of %v", n, p.Duration())
		}
	})
}

// sounds says in which of the 20 ms pieces all frequencies sound, each as loud
// as it should be, and in which nothing does. Pieces with an edge in them are
// neither.
func sounds(t *testing.T, samples []int16, step Step, what string) {
	t.Helper()
	want := patternLevel - 10*math.Log10(float64(max(1, len(step.Hz))))
	if len(step.Hz) == 0 {
		for _, v := range samples {
			if v != 0 {
				t.Fatalf("%s: a pause is not silent", what)
			}
		}
		return
	}
	for _, hz := range step.Hz {
		if got := Level(samples, hz); math.Abs(got-want) > 0.5 {
			t.Errorf("%s: %v Hz are at %.1f dB, want %.1f", what, hz, got, want)
		}
	}
	if got := Level(samples, 2500); got > want-40 {
		t.Errorf("%s: 2500 Hz are at %.1f dB", what, got)
	}
}

// Every tone of every country sounds as its cadence says.
func TestCountries(t *testing.T) {
	t.Parallel()
	if len(Countries()) < 14 || len(Names()) != 4 {
		t.Fatalf("countries %v, tones %v", Countries(), Names())
	}
	for _, country := range Countries() {
		if len(countries[country]) != len(Names()) {
			t.Errorf("%s has %d tones", country, len(countries[country]))
		}
		for _, name := range Names() {
			p, err := Parse(Of(country, name))
			if err != nil {
				t.Errorf("%s/%s: %v", country, name, err)
				continue
			}
			rest := p.Samples()
			for _, step := range p {
				n := int(step.Duration * media.SampleRate / time.Second)
				sounds(t, rest[:n], step, country+"/"+name)
				rest = rest[n:]
			}
			if len(rest) != 0 {
				t.Errorf("%s/%s: %d samples too many", country, name, len(rest))
			}
		}
	}
}

// What callers know best, written down once more: on and off in milliseconds,
// found by ear.
func TestCadences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		country, name string
		want          []int // on, off, on …
	}{
		{"de", Ringing, []int{1000, 4000}},
		{"de", Busy, []int{480, 480}},
		{"eu", Congestion, []int{200, 200}},
		{"us", Ringing, []int{2000, 4000}},
		{"gb", Ringing, []int{400, 200, 400, 2000}},
		{"at", Ringing, []int{1000, 5000}},
		{"fr", Ringing, []int{1500, 3500}},
		{"jp", Ringing, []int{1000, 2000}},
		{"se", Congestion, []int{240, 760}}, // in whole pieces of 20 ms
	} {
		p, err := Parse(Of(tt.country, tt.name))
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		on := false
		samples := p.Samples()
		for ; len(samples) >= media.FrameSize; samples = samples[media.FrameSize:] {
			sounding := 0
			for _, v := range samples[:media.FrameSize] {
				if v != 0 {
					sounding++
				}
			}
			if was := on; len(got) == 0 || was != (sounding > media.FrameSize/2) {
				on = !was
				got = append(got, 0)
			}
			got[len(got)-1] += 20
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s/%s (-want +got):\n%s", tt.country, tt.name, diff)
		}
	}
}
