// SPDX-License-Identifier: MIT

package prompt

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/tone"
)

// Every tone of every country lasts long enough and can be looped: what was
// filled up would be a gap.
func TestTones(t *testing.T) {
	t.Parallel()
	tones := NewTones("de")
	for _, country := range tone.Countries() {
		for _, name := range tone.Names() {
			p, err := tones.Prompt(country + "/" + name)
			if err != nil {
				t.Error(err)
				continue
			}
			cadence, err := tone.Parse(tone.Of(country, name))
			if err != nil {
				t.Fatal(err)
			}
			d := p.Duration()
			if d < toneDuration || d > 10*time.Second || d%cadence.Duration() != 0 || p.Name != "tone:"+country+"/"+name {
				t.Errorf("%q lasts %v, with a cadence of %v", p.Name, d, cadence.Duration())
			}
			if again, _ := tones.Prompt(country + "/" + name); again != p {
				t.Errorf("%s/%s was made twice", country, name)
			}
		}
	}
}

func TestTonesByName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		country, name, want string
		hz                  float64
		duration            time.Duration
	}{
		{"de", "busy", "tone:de/busy", 425, 3840 * time.Millisecond},
		{"eu", "busy", "tone:eu/busy", 425, 3 * time.Second},
		{"de", "us/busy", "tone:us/busy", 620, 3 * time.Second},
		{"gb", "busy", "tone:gb/busy", 400, 3 * time.Second},
		{"us", "ringing", "tone:us/ringing", 480, 6 * time.Second},
		{"de", "beep", "tone:beep", 1000, 400 * time.Millisecond},
		{"de", "1000/500", "tone:1000/500", 1000, 500 * time.Millisecond},
		{"de", "0/100,440+480/210", "tone:0/100,440+480/210", 480, 320 * time.Millisecond},
	} {
		p, err := NewTones(tt.country).Prompt(tt.name)
		if err != nil {
			t.Error(err)
			continue
		}
		samples := make([]int16, len(p.ALaw))
		codec.Decode(media.PCMA, samples, p.ALaw)
		begin := slices.IndexFunc(samples, func(v int16) bool { return v > 100 })
		level := tone.Level(samples[begin:begin+1600], tt.hz)
		if p.Name != tt.want || p.Duration() != tt.duration || math.Abs(level-tone.ZeroDBm0+16.5) > 1.7 {
			t.Errorf("%s: %q of %v, %v Hz at %.1f dB", tt.name, p.Name, p.Duration(), tt.hz, level)
		}
	}
	one, err := NewTones("de").Prompt("de/busy")
	if err != nil {
		t.Fatal(err)
	}
	if other, _ := NewTones("de").Prompt("busy"); !bytes.Equal(one.ULaw, other.ULaw) {
		t.Error("busy is not that of the country")
	}
}

func TestTonesExplain(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":         "there is no tone",
		"ringin":   `there is no tone "ringin": write beep, busy, congestion, info, ringing, one of these of a country (at, au, ch, de,`,
		"xx/busy":  `there is no tone "xx/busy"`,
		"de/beep":  `there is no tone "de/beep"`,
		"/busy":    "there is no tone",
		"1000":     "write Hz and milliseconds, like 1000/500",
		"1000/0":   "write Hz and milliseconds, like 1000/500",
		"30000/10": "write a number of Hz from 50 to 3600",
	} {
		if _, err := NewTones("eu").Prompt(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}
