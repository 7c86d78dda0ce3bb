// SPDX-License-Identifier: MIT

package mp3

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// lame runs lame. Without CALLWRIGHT_PEERS=1 the test is skipped; with it, lame
// has to be there.
func lame(t *testing.T, args ...string) {
	t.Helper()
	if os.Getenv("CALLWRIGHT_PEERS") != "1" {
		t.Skip("set CALLWRIGHT_PEERS=1 to test against lame")
	}
	if out, err := exec.CommandContext(t.Context(), "lame", append([]string{"--quiet"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("lame %s: %v\n%s(it is in the package lame)", strings.Join(args, " "), err, out)
	}
}

// music is two seconds of what is hard to code: noise that comes and goes at
// once on the left, a rising tone on the right. It is coded as raw samples.
func music(rate int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var raw []byte
	for i := range 2 * rate {
		at := float64(i) / float64(rate)
		left := 0.05 * random.NormFloat64()
		if i*7/rate%2 == 1 {
			left *= 4
		}
		right := 0.4 * math.Sin(2*math.Pi*at*(200+at*float64(rate)/8))
		for _, v := range []float64{left, right} {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(int16(32767*max(-1, min(1, v)))))
		}
	}
	return raw
}

// What lame codes, we decode as lame does.
func TestAgainstLame(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000} {
		for _, mode := range []string{"-m m --cbr -b 32", "-m m --cbr -b 64", "-m j --abr 56 -p", "-m s -V2", "-m j --cbr -b 160", "-m f --cbr -b 48"} {
			t.Run(fmt.Sprint(rate, " ", mode), func(t *testing.T) {
				t.Parallel()
				base := filepath.Join(t.TempDir(), "x")
				if err := os.WriteFile(base+".raw", music(rate), 0o600); err != nil {
					t.Fatal(err)
				}
				hz := fmt.Sprint(float64(rate) / 1000)
				lame(t, append(strings.Fields(mode), "-r", "-s", hz, "--resample", hz, base+".raw", base+".mp3")...)
				lame(t, "--decode", "-t", base+".mp3", base+".out")
				ours, err := os.ReadFile(base + ".mp3")
				if err != nil {
					t.Fatal(err)
				}
				theirs, err := os.ReadFile(base + ".out")
				if err != nil {
					t.Fatal(err)
				}
				got, _ := decoded(t, bytes.NewReader(ours))
				channels := 2
				if strings.Contains(mode, "-m m") {
					channels = 1
				}
				if snr := likeness(got, mixed(theirs, channels)); snr < 70 {
					t.Errorf("what differs is only %.1f dB softer", snr)
				}
			})
		}
	}
}

// mixed gives the mean of the channels of raw samples.
func mixed(raw []byte, channels int) (samples []float64) {
	for ; len(raw) >= 2*channels; raw = raw[2*channels:] {
		sum := 0.0
		for c := range channels {
			sum += float64(int16(binary.LittleEndian.Uint16(raw[2*c:])))
		}
		samples = append(samples, sum/float64(channels))
	}
	return samples
}

// likeness gives by how many dB what differs is softer than the sound, where the
// two lie over each other best: who decodes may leave out the delay.
func likeness(got []int16, want []float64) float64 {
	snr := func(from, to, shift int) float64 {
		sound, differs := 1e-9, 1e-9
		for i := from; i < to && i+shift < len(got); i++ {
			if i+shift >= 0 {
				sound += want[i] * want[i]
				differs += (want[i] - float64(got[i+shift])) * (want[i] - float64(got[i+shift]))
			}
		}
		return 10 * math.Log10(sound/differs)
	}
	best, at := math.Inf(-1), 0
	for shift := -3000; shift <= 3000; shift++ {
		if s := snr(6000, 6500, shift); s > best {
			best, at = s, shift
		}
	}
	return snr(3000, len(want)-3000, at)
}
