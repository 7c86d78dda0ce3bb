// SPDX-License-Identifier: MIT

package dtmf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/callwright/callwright/internal/peer"
	"github.com/callwright/callwright/media"
)

// resonance is one formant of a voice.
type resonance struct{ hz, goal, wide, y1, y2 float64 }

// ring moves the formant towards its goal, as a mouth moves, and gives what it
// makes of v.
func (r *resonance) ring(v float64) float64 {
	r.hz += (r.goal - r.hz) / 400 // 50 ms
	decay := math.Exp(-math.Pi * r.wide / media.SampleRate)
	y := v + 2*decay*math.Cos(2*math.Pi*r.hz/media.SampleRate)*r.y1 - decay*decay*r.y2
	r.y2, r.y1 = r.y1, y
	return y
}

// voice makes sound like speech: pulses of a gliding pitch through three
// formants that move from vowel to vowel, with hisses and pauses between.
func voice(n int, seed uint64) []int16 {
	random := rand.New(rand.NewPCG(seed, 7))
	sound := make([]int16, n)
	formants := [3]resonance{{hz: 500, wide: 60}, {hz: 1500, wide: 90}, {hz: 2500, wide: 150}}
	base := 80 + 170*random.Float64() // from a bass to a child
	out, phase, pitch, goal := 0.0, 0.0, base, base
	left, sort := 0, 0
	for i := range sound {
		if left--; left < 0 {
			left = 400 + random.IntN(1600) // 50 to 250 ms
			sort = random.IntN(8)          // mostly vowels
			goal = base * (0.8 + 0.5*random.Float64())
			formants[0].goal = 250 + 650*random.Float64()
			formants[1].goal = 700 + 1800*random.Float64()
			formants[2].goal = 2200 + 1000*random.Float64()
		}
		pitch += (goal - pitch) / 800
		out *= 0.8 // the source has less of what is higher
		switch sort {
		case 0: // a pause
		case 1: // a hiss
			out += random.NormFloat64() * 0.1
		default:
			if phase += pitch / media.SampleRate; phase >= 1 {
				phase -= 1 + 0.02*(random.Float64()-0.5) // no throat is a clock
				out++
			}
		}
		heard := out
		for k := range formants {
			heard = formants[k].ring(heard)
		}
		sound[i] = int16(math.Tanh(heard/200) * 20000)
	}
	return sound
}

func TestDetectorRefusesVoices(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		if got := detect(media.PCMU, voice(60*media.SampleRate, seed)); got != "" {
			t.Errorf("voice %d: %q", seed, got)
		}
	}
}

// speech is text that takes a minute to read.
const speech = `Welcome, and thank you for calling. Our office is open from Monday to Friday, from nine in the
morning until five in the afternoon. If you know the extension of the person whom you want to speak with, press it now, followed
by the hash key. For questions about an invoice, press one. For sales, press two. To hear this again, press star. All of our
colleagues are busy at the moment. You are number eleven in the queue. Please stay on the line, we will be with you as soon as we
can. Who is calling, please? Could you spell the name for me? Yes, that is A, B, C, D, and then zero, nine, eight, seven, six,
five, four, three, two, one. No, no, no, oh no, I see. Mmm. Aaah. Ooh, you do? Who knew. We two will do it too, while you wait
in the hall. Really? Really, really. He he he. Ha ha ha ha. Low moaning owls go home alone. Eerie eels feel uneasy.`

// speak gives what espeak-ng makes of the text, at 8000 samples a second.
func speak(t testing.TB, text string, voice string, pitch, speed int) []int16 {
	t.Helper()
	peer.Need(t, "espeak-ng", "espeak-ng")
	peer.Need(t, "sox", "sox")
	said, err := peer.Command(t, "espeak-ng", "--stdout", "-v", voice, "-p", fmt.Sprint(pitch), "-s", fmt.Sprint(speed), text).Output()
	if err != nil {
		t.Fatal(err)
	}
	sox := peer.Command(t, "sox", "-t", "wav", "--ignore-length", "-", "-r", "8000", "-c", "1", "-b", "16", "-e", "signed", "-L", "-t", "raw", "-", "norm", "-3")
	sox.Stdin = bytes.NewReader(said)
	raw, err := sox.Output()
	if err != nil {
		t.Fatal(err)
	}
	sound := make([]int16, len(raw)/2)
	for i := range sound {
		sound[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return sound
}

func TestDetectorRefusesSpeech(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		voice        string
		pitch, speed int
	}{
		{"en-us", 50, 160}, {"en-us+f2", 70, 150}, {"en-us+f4", 99, 200}, {"en-us+m3", 10, 120},
		{"en-gb+whisper", 50, 160}, {"en-gb+croak", 40, 140}, {"de", 60, 170}, {"it+f3", 80, 180},
	} {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			t.Parallel()
			sound := speak(t, speech, v.voice, v.pitch, v.speed)
			for _, c := range bothCodecs {
				if got := detect(c, sound); got != "" {
					t.Errorf("%v: %q in %d s", c, got, len(sound)/media.SampleRate)
				}
			}
			t.Logf("%d s", len(sound)/media.SampleRate)
		})
	}
}
