// SPDX-License-Identifier: MIT

package recorder_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/peer"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/prompt"
	"github.com/callwright/callwright/media/recorder"
	"github.com/callwright/callwright/media/tone"
)

// waits is for how long nothing must be heard in these tests.
const waits = 5 * time.Second

// hush is digital silence.
func hush(d time.Duration) []int16 { return make([]int16, d*media.SampleRate/time.Second) }

// hiss is noise of a level in dBov.
func hiss(d time.Duration, level float64) []int16 {
	chance := rand.New(rand.NewPCG(1, 1))
	loud := math.MaxInt16 * math.Pow(10, level/20)
	sound := hush(d)
	for i := range sound {
		sound[i] = int16(loud * chance.NormFloat64())
	}
	return sound
}

// hum is a tone.
func hum(d time.Duration, level float64) []int16 {
	return tone.Make(int(d*media.SampleRate/time.Second), level, 440)
}

// softer makes sound softer, in dB.
func softer(sound []int16, by float64) []int16 {
	quiet := make([]int16, len(sound))
	for i, v := range sound {
		quiet[i] = int16(math.Round(float64(v) * math.Pow(10, -by/20)))
	}
	return quiet
}

// over has a sound with another in its background.
func over(sound, background []int16) []int16 {
	mixed := make([]int16, len(sound))
	for i, v := range sound {
		mixed[i] = v + background[i%len(background)]
	}
	return mixed
}

// said is what espeak-ng makes of a text.
func said(t *testing.T, text, voice string) []int16 {
	t.Helper()
	peer.Need(t, "espeak-ng", "espeak-ng")
	file, err := peer.Command(t, "espeak-ng", "--stdout", "-v", voice, text).Output()
	if err != nil {
		t.Fatal(err)
	}
	p, err := prompt.Decode(text, strings.NewReader(string(file)))
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]int16, len(p.ALaw))
	codec.Decode(media.PCMA, samples, p.ALaw)
	return samples
}

// take records sound until the recording ends by itself or there is no more of it,
// and gives what came of it and how much was taken. All of it may wait for the
// disk: it is less than a minute.
func take(t *testing.T, c media.Codec, o media.RecordOptions, sound []int16) (recorder.Result, time.Duration, []int16) {
	t.Helper()
	r, results, path := setup(t)
	o.Path = path
	rec := r.Start(o, into(results))
	var frame, none [media.FrameSize]byte
	taken := time.Duration(0)
	for more := true; more && len(sound) >= media.FrameSize; sound = sound[media.FrameSize:] {
		codec.Encode(c, frame[:], sound)
		more = rec.Add(c, &frame, &none)
		taken += media.FrameDuration
	}
	rec.Stop()
	result := <-results
	return result, taken, read(t, path)[0]
}

// A recording ends when nothing was heard for a time, whatever nothing sounds like,
// and not before; what follows behind the last sound is not in the file.
func TestSilence(t *testing.T) {
	t.Parallel()
	hello := said(t, "Hello, this is Alice. Please call me back when you have got a moment. It is about the parcel that came on Friday.", "en-gb")
	guten := said(t, "Guten Tag, hier ist Bob. Bitte rufen Sie mich zurück, es geht um die Rechnung vom letzten Monat.", "de+f2")
	pause := hush(2 * time.Second)
	long := hush(20 * time.Second)
	length := func(sound ...[]int16) time.Duration {
		return time.Duration(len(slices.Concat(sound...))) * time.Second / media.SampleRate
	}
	for _, tt := range []struct {
		name  string
		sound []int16
		// ends is when the recording ends by silence; 0 is not at all.
		ends time.Duration
		// heard is how much sound is in it, file how long it is.
		heard, file time.Duration
		off         time.Duration // by how much these may be off
	}{
		{name: "nothing at all", sound: long, ends: waits},
		{name: "hiss only", sound: hiss(20*time.Second, -45), ends: waits, off: 100 * time.Millisecond},
		{name: "loud hiss only", sound: hiss(20*time.Second, -35), ends: waits, off: 100 * time.Millisecond},
		{
			name: "speech", sound: slices.Concat(hello, long),
			ends: length(hello) + waits, heard: length(hello), file: length(hello) + 500*time.Millisecond, off: time.Second,
		}, {
			name: "soft speech", sound: slices.Concat(softer(hello, 20), long),
			ends: length(hello) + waits, heard: length(hello), file: length(hello) + 500*time.Millisecond, off: 1500 * time.Millisecond,
		}, {
			name: "speech with pauses", sound: slices.Concat(hello, pause, guten, pause, hello, long),
			ends:  length(hello, pause, guten, pause, hello) + waits,
			heard: length(hello, guten, hello), file: length(hello, pause, guten, pause, hello) + 500*time.Millisecond, off: 2 * time.Second,
		}, {
			name: "speech with pauses before a hiss", sound: over(slices.Concat(hello, pause, guten, pause, hello, long), hiss(7*time.Second, -45)),
			ends:  length(hello, pause, guten, pause, hello) + waits,
			heard: length(hello, guten, hello), file: length(hello, pause, guten, pause, hello) + 500*time.Millisecond, off: 2 * time.Second,
		}, {
			name: "a hiss that begins behind speech", sound: slices.Concat(hello, hiss(20*time.Second, -42)),
			ends: length(hello) + 3*time.Second + waits, heard: length(hello) + 3*time.Second, file: length(hello) + 3500*time.Millisecond, off: 2 * time.Second,
		}, {
			name: "clicks", sound: slices.Concat(hello, pause, hum(40*time.Millisecond, -10), pause, hum(20*time.Millisecond, -10), long),
			ends: length(hello) + waits, heard: length(hello), file: length(hello) + 500*time.Millisecond, off: time.Second,
		}, {
			name: "a tone", sound: hum(20*time.Second, -15), heard: 20 * time.Second, file: 20 * time.Second,
		}, {
			name: "speech that is cut off", sound: hello, heard: length(hello), file: length(hello), off: time.Second,
		},
	} {
		for _, c := range []media.Codec{media.PCMA, media.PCMU} {
			t.Run(fmt.Sprintf("%s in %s", tt.name, c), func(t *testing.T) {
				t.Parallel()
				result, taken, file := take(t, c, media.RecordOptions{Silence: waits}, tt.sound)
				near := func(what string, got, want time.Duration) {
					t.Helper()
					if d := got - want; d < -tt.off || d > tt.off {
						t.Errorf("%s is %s, want %s", what, got, want)
					}
				}
				ends, want := tt.ends, media.RecordSilent
				if ends == 0 {
					ends, want = length(tt.sound), media.RecordStopped
				}
				near("the end", taken, ends)
				near("what was heard", result.Heard, tt.heard)
				near("the length of the file", length(file), tt.file)
				if result.Err != nil || result.Reason != want || result.Duration != length(file) {
					t.Errorf("got %+v, want reason %d and %s", result, want, length(file))
				}
			})
		}
	}
}

// The longest that a recording may be ends it with that reason.
func TestFull(t *testing.T) {
	t.Parallel()
	result, taken, file := take(t, media.PCMA, media.RecordOptions{MaxDuration: 2 * time.Second, Silence: waits}, hum(5*time.Second, -15))
	if result.Reason != media.RecordFull || taken != 2*time.Second || len(file) != 2*media.SampleRate || result.Heard != 2*time.Second {
		t.Errorf("got %+v after %s", result, taken)
	}
}

// A file whose end nobody was told is as long, and as much is heard in it, as when
// it was recorded. What is no file of ours is an error.
func TestLook(t *testing.T) {
	t.Parallel()
	for _, what := range []media.RecordWhat{media.RecordSaid, media.RecordStereo} {
		r, results, path := setup(t)
		rec := r.Start(media.RecordOptions{Path: path, What: what}, into(results))
		var none [media.FrameSize]byte
		for i := range none {
			none[i] = codec.Silence(media.PCMU)
		}
		for range 50 {
			rec.Add(media.PCMU, &none, &none)
		}
		for _, f := range frames(media.PCMU, 100, 440) {
			rec.Add(media.PCMU, &f, &none)
		}
		rec.Stop()
		<-results
		length, heard, err := recorder.Look(path)
		if err != nil || length != 3*time.Second || heard != 2*time.Second {
			t.Errorf("%d: %s, of which %s are heard, %v; want 3 and 2 seconds", what, length, heard, err)
		}
	}
	broken := filepath.Join(t.TempDir(), "broken.wav")
	if err := os.WriteFile(broken, []byte("RIFF"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{broken, broken + ".none"} {
		if _, _, err := recorder.Look(path); err == nil {
			t.Errorf("%s was read", path)
		}
	}
}
