// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"slices"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
)

// The frequencies of keys, in Hz, and where each key is (ITU-T Q.23).
var (
	lows  = []float64{697, 770, 852, 941}
	highs = []float64{1209, 1336, 1477, 1633}
)

const pad = "123A456B789C*0#D"

// What counts as a key in the sound: both tones that loud for two frames, and
// the others of their groups so much softer.
const (
	keyLevel  = -35.0
	keyBelow  = 6.0
	keyFrames = 2
)

// ToneOptions say how keys sound. The zero value is a good phone.
type ToneOptions struct {
	// Hold is how long a key sounds, and the pause behind it; 100 ms if it is
	// zero.
	Hold time.Duration
	// Noise is what is heard beside the keys, again and again.
	Noise []int16
}

// SendTones presses keys in the sound itself, and waits until they are said.
func (c *Call) SendTones(ctx context.Context, digits string, o ToneOptions) error {
	sound, err := Tones(digits, o)
	if err != nil {
		return err
	}
	return c.Play(ctx, sound)
}

// Tones is the sound of keys.
func Tones(digits string, o ToneOptions) ([]int16, error) {
	if err := areKeys(digits); err != nil {
		return nil, err
	}
	if o.Hold == 0 {
		o.Hold = keyHold
	}
	n := samples(o.Hold)
	sound := make([]int16, 2*n*len(digits))
	for i := range sound {
		if len(o.Noise) > 0 {
			sound[i] = o.Noise[i%len(o.Noise)]
		}
	}
	for i := range len(digits) {
		at := slices.Index([]byte(pad), digits[i])
		for _, hz := range []float64{lows[at/4], highs[at%4]} {
			tone.Add(sound[2*n*i:][:n], 0, hz, Level)
		}
	}
	return sound, nil
}

// keysIn gives the keys that are in a sound. It looks at whole frames, so a key
// must last three to be found for sure.
func keysIn(sound []int16) string {
	var found []byte
	run, last := 0, byte(0)
	for frame := range slices.Chunk(sound, media.FrameSize) {
		key := keyIn(frame)
		if run++; key != last {
			run, last = 1, key
		}
		if key != 0 && run == keyFrames {
			found = append(found, key)
		}
	}
	return string(found)
}

// keyIn gives the key that sounds in a frame, or 0.
func keyIn(frame []int16) byte {
	low, ok := loudest(frame, lows)
	high, both := loudest(frame, highs)
	if !ok || !both {
		return 0
	}
	return pad[4*low+high]
}

// loudest says which of some frequencies sounds, if one clearly does.
func loudest(frame []int16, group []float64) (which int, ok bool) {
	levels := make([]float64, len(group))
	for i, hz := range group {
		levels[i] = tone.Level(frame, hz)
	}
	best := slices.Max(levels)
	which = slices.Index(levels, best)
	slices.Sort(levels)
	return which, best > keyLevel && levels[len(levels)-2] < best-keyBelow
}

// WaitDigits waits until the other side has pressed n keys in one way.
func (c *Call) WaitDigits(ctx context.Context, way media.DigitWay, n int) error {
	return c.wait(ctx, "keys by "+way.String(), func() bool { return len(c.ear.keysBy(way)) >= n })
}

// DigitsBy gives the keys that the other side pressed in one way.
func (c *Call) DigitsBy(way media.DigitWay) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ear.keysBy(way)
}

func (e *ear) keysBy(way media.DigitWay) string {
	switch way {
	case media.ByTone:
		return keysIn(e.sound)
	case media.ByInfo:
		return e.infos.String()
	}
	return e.digits.String()
}

// Digits gives the keys that the other side pressed by telephone-event.
func (c *Call) Digits() string { return c.DigitsBy(media.ByEvent) }
