// SPDX-License-Identifier: MIT

package dtmf

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/tone"
)

var bothCodecs = []media.Codec{media.PCMU, media.PCMA}

// pressed is how a key sounds.
type pressed struct {
	key         byte
	long, pause time.Duration
	row, column float64 // levels in dBm0
	rowOff      float64 // as a part of the frequency
	columnOff   float64
}

// plain is a key as phones send it.
func plain(key byte) pressed {
	return pressed{key: key, long: 100 * time.Millisecond, pause: 100 * time.Millisecond, row: -10, column: -8}
}

func samples(d time.Duration) int { return int(d * media.SampleRate / time.Second) }

// add puts the key into sound from a sample on.
func (p pressed) add(sound []int16, at int) {
	code, _ := Code(p.key)
	row, column := pitchesOf(code)
	part := sound[at : at+samples(p.long)]
	tone.Add(part, 0, row.hz*(1+p.rowOff), p.row+tone.ZeroDBm0)
	tone.Add(part, 0, column.hz*(1+p.columnOff), p.column+tone.ZeroDBm0)
}

// press gives the sound of keys, each after its pause; it begins with as many
// samples of silence as shift says and ends with 200 ms of it.
func pressAll(shift int, keys ...pressed) []int16 {
	n := shift + 1600
	for _, k := range keys {
		n += samples(k.long + k.pause)
	}
	sound := make([]int16, n)
	at := shift
	for _, k := range keys {
		k.add(sound, at)
		at += samples(k.long + k.pause)
	}
	return sound
}

// noise adds white noise of a level in dBm0.
func noise(sound []int16, level float64, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	deviation := math.Sqrt(zeroDBm0 * math.Pow(10, level/10))
	for i := range sound {
		v := float64(sound[i]) + random.NormFloat64()*deviation
		sound[i] = int16(max(math.MinInt16, min(math.MaxInt16, v)))
	}
}

// detect gives the keys found in sound that is coded and decoded on the way.
func detect(c media.Codec, sound []int16) string {
	var d Detector
	var told []byte
	var frame [media.FrameSize]byte
	for ; len(sound) >= len(frame); sound = sound[len(frame):] {
		codec.Encode(c, frame[:], sound)
		if key, ok := d.Sound(c, &frame); ok {
			told = append(told, key)
		}
	}
	return string(told)
}

func TestDetectorHearsEveryKey(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*pressed){
		"plain":                  func(*pressed) {},
		"40 ms":                  func(p *pressed) { p.long = 40 * time.Millisecond },
		"40 ms after 40 ms":      func(p *pressed) { p.long, p.pause = 40*time.Millisecond, 40*time.Millisecond },
		"50 ms after 50 ms":      func(p *pressed) { p.long, p.pause = 50*time.Millisecond, 50*time.Millisecond },
		"a second":               func(p *pressed) { p.long = time.Second },
		"0 dBm0":                 func(p *pressed) { p.row, p.column = 0, 0 },
		"-3 dBm0":                func(p *pressed) { p.row, p.column = -3, -3 },
		"-20 dBm0":               func(p *pressed) { p.row, p.column = -20, -20 },
		"-29 dBm0":               func(p *pressed) { p.row, p.column = -29, -29 },
		"-29 dBm0 for 40 ms":     func(p *pressed) { p.row, p.column, p.long = -29, -29, 40*time.Millisecond },
		"row 8 dB louder":        func(p *pressed) { p.row, p.column = -8, -16 },
		"column 4 dB louder":     func(p *pressed) { p.row, p.column = -12, -8 },
		"1.5 % high":             func(p *pressed) { p.rowOff, p.columnOff = 0.015, 0.015 },
		"1.5 % low":              func(p *pressed) { p.rowOff, p.columnOff = -0.015, -0.015 },
		"1.5 % apart":            func(p *pressed) { p.rowOff, p.columnOff = -0.015, 0.015 },
		"1.5 % off for 40 ms":    func(p *pressed) { p.rowOff, p.columnOff, p.long = 0.015, -0.015, 40*time.Millisecond },
		"low, twisted, off":      func(p *pressed) { p.row, p.column, p.rowOff, p.columnOff = -21, -29, 0.015, -0.015 },
		"low, twisted back, off": func(p *pressed) { p.row, p.column, p.rowOff, p.columnOff = -29, -25, -0.015, 0.015 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all []pressed
			for _, key := range []byte(keys) {
				p := plain(key)
				change(&p)
				all = append(all, p, p)
			}
			var want strings.Builder
			for _, k := range all {
				want.WriteByte(k.key)
			}
			for _, c := range bothCodecs {
				for shift := 0; shift < media.FrameSize; shift += 23 {
					if got := detect(c, pressAll(shift, all...)); got != want.String() {
						t.Fatalf("%v, %d samples into a frame: %q, want %q", c, shift, got, want.String())
					}
				}
			}
		})
	}
}

func TestDetectorHearsThroughNoise(t *testing.T) {
	t.Parallel()
	const times = 20
	missed, total := 0, 0
	for seed := range uint64(times) {
		for _, c := range bothCodecs {
			var all []pressed
			for _, key := range []byte(keys) {
				p := plain(key)
				p.long, p.pause, p.row, p.column = 50*time.Millisecond, 50*time.Millisecond, -15, -15
				all = append(all, p)
			}
			sound := pressAll(int(seed)*8, all...)
			noise(sound, -12-15, seed) // both tones together have -12 dBm0
			got := detect(c, sound)
			total += len(keys)
			if got != keys {
				t.Errorf("%v, seed %d: %q", c, seed, got)
				missed += len(keys) - len(got)
			}
		}
	}
	t.Logf("%d of %d keys missed", missed, total)
}

func TestDetectorRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*pressed){
		"23 ms":                func(p *pressed) { p.long = 23 * time.Millisecond },
		"23 ms, twisted":       func(p *pressed) { p.long, p.row = 23*time.Millisecond, -16 },
		"too soft":             func(p *pressed) { p.row, p.column = -40, -40 },
		"row too high":         func(p *pressed) { p.rowOff = 0.035 },
		"row too low":          func(p *pressed) { p.rowOff = -0.035 },
		"column too high":      func(p *pressed) { p.columnOff = 0.035 },
		"column too low":       func(p *pressed) { p.columnOff = -0.035 },
		"both too high":        func(p *pressed) { p.rowOff, p.columnOff = 0.035, 0.035 },
		"both too low":         func(p *pressed) { p.rowOff, p.columnOff = -0.035, -0.035 },
		"row 13 dB louder":     func(p *pressed) { p.row, p.column = -5, -18 },
		"column 9 dB louder":   func(p *pressed) { p.row, p.column = -17, -8 },
		"a row without column": func(p *pressed) { p.column = -80 },
		"a column without row": func(p *pressed) { p.row = -80 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all []pressed
			for _, key := range []byte(keys) {
				p := plain(key)
				change(&p)
				all = append(all, p)
			}
			for _, c := range bothCodecs {
				for shift := 0; shift < media.FrameSize; shift += 23 {
					if got := detect(c, pressAll(shift, all...)); got != "" {
						t.Fatalf("%v, %d samples into a frame: %q", c, shift, got)
					}
				}
			}
		})
	}
}

// An interruption of 10 ms does not make two keys of one (ITU-T Q.24).
func TestDetectorHearsAcrossADropOut(t *testing.T) {
	t.Parallel()
	for _, key := range []byte(keys) {
		p := plain(key)
		p.long = 200 * time.Millisecond
		for shift := 0; shift < media.FrameSize; shift += 23 {
			sound := pressAll(shift, p)
			clear(sound[shift+700:][:80])
			if got := detect(media.PCMU, sound); got != string(key) {
				t.Fatalf("%q, %d samples into a frame: %q", key, shift, got)
			}
		}
	}
}

// The echo of a key, fading through the pause, does not make one key of two.
func TestDetectorHearsThroughEcho(t *testing.T) {
	t.Parallel()
	for _, key := range []byte(keys) {
		p := plain(key)
		p.long, p.pause = 60*time.Millisecond, 45*time.Millisecond
		sound := pressAll(0, p, p, p)
		echo := slices.Clone(sound)
		for i := range echo[:len(echo)-240] {
			sound[i+240] += echo[i] / 4 // 30 ms later and 12 dB softer
		}
		if got, want := detect(media.PCMU, sound), strings.Repeat(string(key), 3); got != want {
			t.Errorf("%q: %q", want, got)
		}
	}
}

// Nor does something else that is as loud.
func TestDetectorTellsKeysApartFromWhatIsBetween(t *testing.T) {
	t.Parallel()
	for _, key := range []byte(keys) {
		p := plain(key)
		sound := pressAll(0, p, p)
		noise(sound[800:1600], -6, 1)
		if got, want := detect(media.PCMU, sound), strings.Repeat(string(key), 2); got != want {
			t.Errorf("%q: %q", want, got)
		}
	}
}

// A tone of a third frequency beside the two, such as the harmonic of a voice,
// makes it no key.
func TestDetectorRefusesAThirdTone(t *testing.T) {
	t.Parallel()
	for _, hz := range []float64{200, 400, 1050, 1394, 1540, 1882, 2418, 3000} {
		for _, key := range []byte(keys) {
			sound := pressAll(0, plain(key))
			tone.Add(sound, 0, hz, -9+tone.ZeroDBm0)
			if got := detect(media.PCMU, sound); got != "" {
				t.Errorf("%q with %g Hz: %q", key, hz, got)
			}
		}
	}
}

// Tones that telephones make otherwise are no keys.
func TestDetectorRefusesOtherTones(t *testing.T) {
	t.Parallel()
	for name, hz := range map[string][]float64{
		"dial tone, North America": {350, 440}, "dial tone, Europe": {425}, "ringing": {440, 480}, "busy": {480, 620},
		"information 1": {950}, "information 2": {1400}, "information 3": {1800}, "fax call": {1100}, "fax answer": {2100},
		"MF 700 900": {700, 900}, "MF 1300 1500": {1300, 1500}, "MF 900 1300": {900, 1300}, "coin": {1700, 2200},
		"beep": {1000}, "the notes a' and e''": {880, 1318.5}, "two rows": {697, 941}, "two columns": {1209, 1477},
	} {
		for _, c := range bothCodecs {
			sound := make([]int16, 8000)
			for _, f := range hz {
				tone.Add(sound, 0, f, -10+tone.ZeroDBm0)
			}
			if got := detect(c, sound); got != "" {
				t.Errorf("%s, %v: %q", name, c, got)
			}
		}
	}
}

func TestDetectorRefusesNoise(t *testing.T) {
	t.Parallel()
	for _, level := range []float64{-35, -20, -10, -5} {
		sound := make([]int16, 60*media.SampleRate)
		noise(sound, level, 9)
		if got := detect(media.PCMU, sound); got != "" {
			t.Errorf("noise of %g dBm0: %q", level, got)
		}
	}
}

func TestDetectorAllocatesNothing(t *testing.T) {
	sound := pressAll(0, plain('5'), plain('6'))
	coded := make([]byte, len(sound))
	codec.Encode(media.PCMU, coded, sound)
	var d Detector
	at := 0
	if a := testing.AllocsPerRun(100, func() {
		d.Sound(media.PCMU, (*[media.FrameSize]byte)(coded[at:]))
		at = (at + media.FrameSize) % (len(coded) - media.FrameSize)
	}); a != 0 {
		t.Errorf("%v allocations a frame", a)
	}
}

func BenchmarkDetector(b *testing.B) {
	held := pressed{key: '5', long: time.Second, row: -10, column: -10}
	long := make([]int16, media.SampleRate)
	held.add(long, 0)
	loud := make([]int16, media.SampleRate)
	noise(loud, -15, 1)
	for name, sound := range map[string][]int16{
		"silence": make([]int16, media.SampleRate), "noise": loud, "key held": long, "speech": voice(10*media.SampleRate, 1),
		"beep of 1336 Hz": tone.Make(media.SampleRate, -15, 1336),
	} {
		b.Run(name, func(b *testing.B) {
			coded := make([]byte, len(sound))
			codec.Encode(media.PCMU, coded, sound)
			var d Detector
			at := 0
			for b.Loop() {
				d.Sound(media.PCMU, (*[media.FrameSize]byte)(coded[at:]))
				if at += media.FrameSize; at+media.FrameSize > len(coded) {
					at = 0
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/frame")
		})
	}
}
