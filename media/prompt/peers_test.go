// SPDX-License-Identifier: MIT

package prompt

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/media/wav"
)

// peers skips the test without CALLWRIGHT_PEERS=1; with it, programs have to be
// there.
func peers(t *testing.T) {
	t.Helper()
	if os.Getenv("CALLWRIGHT_PEERS") != "1" {
		t.Skip("set CALLWRIGHT_PEERS=1 to test with real files of sox and lame")
	}
}

// run runs a program that makes sound files.
func run(t *testing.T, program string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s(it is in the package %s)", program, strings.Join(args, " "), err, out, program)
	}
}

// tones is a file of two seconds of 900 Hz at -10 dB and, where the rate allows
// that, 5150 Hz, of which 2850 Hz would be the alias.
func tones(t *testing.T, path string, rate int) {
	t.Helper()
	format := wav.Format{Encoding: wav.PCM, Channels: 1, SampleRate: uint32(rate), Bits: 16}
	var sound []int16
	for i := range 2 * rate {
		v := math.Sin(2 * math.Pi * 900 * float64(i) / float64(rate))
		if rate > 11025 {
			v += math.Sin(2 * math.Pi * 5150 * float64(i) / float64(rate))
		}
		sound = append(sound, int16(math.MaxInt16*math.Pow(10, -0.5)*v))
	}
	if err := os.WriteFile(path, fileOf(format, linear(sound)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// judge says how the prompt of such a file sounds.
func judge(t *testing.T, path string) string {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Decode(filepath.Base(path), bytes.NewReader(file))
	if err != nil {
		t.Error(err)
		return err.Error()
	}
	samples := make([]int16, len(p.ALaw))
	codec.Decode(media.PCMA, samples, p.ALaw)
	middle := samples[media.SampleRate/2 : media.SampleRate*3/2]
	level, alias := tone.Level(middle, 900), tone.Level(middle, 2850)
	verdict := fmt.Sprintf("%.2f s, %.1f dB, alias %.0f dB", p.Duration().Seconds(), level, alias)
	if d := p.Duration(); d < 2*time.Second || d > 2300*time.Millisecond || math.Abs(level+10) > 0.6 || alias > -50 {
		t.Errorf("%s: %s", filepath.Base(path), verdict)
	}
	return verdict
}

// Every format of WAV, in every rate in use, with one channel and with two.
func TestFilesOfSox(t *testing.T) {
	t.Parallel()
	peers(t)
	dir := t.TempDir()
	for name, coding := range map[string][]string{
		"8 bits":  {"-b", "8"},
		"16 bits": {"-b", "16"},
		"24 bits": {"-b", "24"},
		"32 bits": {"-b", "32"},
		"float":   {"-e", "floating-point", "-b", "32"},
		"µ-law":   {"-e", "mu-law"},
		"A-law":   {"-e", "a-law"},
	} {
		for _, rate := range []int{8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000} {
			plain := filepath.Join(dir, fmt.Sprintf("%s %d plain.wav", name, rate))
			tones(t, plain, rate)
			for _, channels := range []string{"1", "2"} {
				path := filepath.Join(dir, fmt.Sprintf("%s %d %s.wav", name, rate, channels))
				run(t, "sox", slices.Concat([]string{"-D", plain, "-c", channels}, coding, []string{path})...)
				t.Logf("%-30s %s", filepath.Base(path), judge(t, path))
			}
		}
	}
}

// MP3 in every rate, with one channel and two, with constant and with changing
// bit rates, with tags before and behind.
func TestFilesOfLame(t *testing.T) {
	t.Parallel()
	peers(t)
	dir := t.TempDir()
	for _, rate := range []int{8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000} {
		for _, channels := range []string{"1", "2"} {
			mono, plain := filepath.Join(dir, fmt.Sprintf("%d.wav", rate)), filepath.Join(dir, fmt.Sprintf("%d %s.wav", rate, channels))
			tones(t, mono, rate)
			run(t, "sox", mono, "-c", channels, plain)
			for name, coding := range map[string][]string{
				"32k":      {"--cbr", "-b", "32"},
				"128k":     {"--cbr", "-b", "128"},
				"abr":      {"--abr", "64", "-p"},
				"vbr tags": {"-V4", "--tt", "Greeting", "--ta", "Nobody", "--add-id3v2", "--pad-id3v2-size", "3000"},
				"v1 tag":   {"-V2", "--tt", "Greeting", "--id3v1-only"},
				"stereo":   {"-m", "s", "-b", "96"},
			} {
				path := filepath.Join(dir, fmt.Sprintf("%s %d %s.mp3", name, rate, channels))
				if channels == "1" && name == "stereo" {
					continue
				}
				run(t, "lame", append(append([]string{"--quiet", "--resample", fmt.Sprint(float64(rate) / 1000)}, coding...), plain, path)...)
				t.Logf("%-30s %s", filepath.Base(path), judge(t, path))
			}
		}
	}
}
