// SPDX-License-Identifier: MIT

package tone

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/media"
)

// patternLevel is how loud the sines of a step are together, in dB relative to
// full scale: as loud as a speaker.
const patternLevel = ZeroDBm0 - 15

// What a pattern may be.
const (
	lowest, highest = 50, 3600 // Hz
	mostSines       = 4
	mostSteps       = 64
	// MaxPattern is how long a pattern may last.
	MaxPattern = time.Minute
)

// Step is one part of a Pattern: the sines of Hz together, or a pause.
type Step struct {
	Hz       []float64
	Duration time.Duration
}

// Pattern is tones and pauses one after another.
type Pattern []Step

// Parse reads a pattern in the notation "480+620/500,0/500": Hz, those that
// sound together with a plus between them, or 0 for a pause; then for how many
// milliseconds; and so on after a comma.
func Parse(notation string) (Pattern, error) {
	var p Pattern
	var whole time.Duration
	for part := range strings.SplitSeq(notation, ",") {
		step, err := parseStep(part)
		if err != nil {
			return nil, err
		}
		p = append(p, step)
		if whole += step.Duration; whole > MaxPattern || len(p) > mostSteps {
			return nil, fmt.Errorf("%.40q is too long: a tone lasts up to %v, in up to %d parts", notation, MaxPattern, mostSteps)
		}
	}
	return p, nil
}

func parseStep(part string) (Step, error) {
	sines, length, _ := strings.Cut(part, "/")
	millis, err := strconv.Atoi(length)
	if err != nil || millis < 1 || millis > int(MaxPattern/time.Millisecond) {
		return Step{}, fmt.Errorf("%.40q is no tone: write Hz and milliseconds, like 1000/500", part)
	}
	step := Step{Duration: time.Duration(millis) * time.Millisecond}
	if sines == "0" {
		return step, nil
	}
	for sine := range strings.SplitSeq(sines, "+") {
		hz, err := strconv.ParseFloat(sine, 64)
		if err != nil || !(hz >= lowest && hz <= highest) {
			return Step{}, fmt.Errorf("%.40q is no frequency: write a number of Hz from %d to %d, or 0 for a pause", sine, lowest, highest)
		}
		step.Hz = append(step.Hz, hz)
	}
	if len(step.Hz) > mostSines {
		return Step{}, fmt.Errorf("%.40q are too many frequencies at once: keep %d", sines, mostSines)
	}
	return step, nil
}

// Duration is how long the pattern lasts.
func (p Pattern) Duration() (whole time.Duration) {
	for _, s := range p {
		whole += s.Duration
	}
	return whole
}

// Samples makes the sound, 8000 samples a second.
func (p Pattern) Samples() []int16 {
	var samples []int16
	for _, s := range p {
		sound := make([]int16, s.Duration*media.SampleRate/time.Second)
		for _, hz := range s.Hz {
			Add(sound, 0, hz, patternLevel-10*math.Log10(float64(len(s.Hz))))
		}
		samples = append(samples, sound...)
	}
	return samples
}
