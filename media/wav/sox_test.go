// SPDX-License-Identifier: MIT

package wav

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/media/tone"
)

// sox runs sox and gives what it prints. Without CALLWRIGHT_PEERS=1 the test is
// skipped; with it, sox has to be there.
func sox(t *testing.T, args ...string) []byte {
	t.Helper()
	if os.Getenv("CALLWRIGHT_PEERS") != "1" {
		t.Skip("set CALLWRIGHT_PEERS=1 to test with real sox files")
	}
	cmd := exec.CommandContext(t.Context(), "sox", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("sox %s: %v\n%s(it is in the package sox)", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// What sox writes must be read, from files and from pipes.
func TestReaderTakesWhatSoxWrites(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		want Format
	}{
		"linear":  {[]string{"-r", "8000", "-c", "1", "-b", "16"}, pcm8k},
		"µ-law":   {[]string{"-r", "8000", "-c", "1", "-e", "mu-law"}, ulaw8k},
		"A-law":   {[]string{"-r", "8000", "-c", "1", "-e", "a-law"}, alaw8k},
		"stereo":  {[]string{"-r", "44100", "-c", "2", "-b", "16"}, cd},
		"8 bits":  {[]string{"-r", "8000", "-c", "1", "-b", "8"}, Format{PCM, 1, 8000, 8}},
		"24 bits": {[]string{"-r", "8000", "-c", "1", "-b", "24"}, Format{PCM, 1, 8000, 24}},
		"32 bits": {[]string{"-r", "8000", "-c", "1", "-b", "32"}, Format{PCM, 1, 8000, 32}},
		"float":   {[]string{"-r", "8000", "-c", "1", "-e", "floating-point", "-b", "32"}, Format{Float, 1, 8000, 32}},
		"double":  {[]string{"-r", "8000", "-c", "1", "-e", "floating-point", "-b", "64"}, Format{Float, 1, 8000, 64}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := slices.Concat([]string{"-n"}, tt.args, []string{"-t", "wav", "-", "synth", "1", "sine", "440", "gain", "-6"})
			r, err := NewReader(bytes.NewReader(sox(t, args...)))
			if err != nil {
				t.Fatal(err)
			}
			if r.Format() != tt.want {
				t.Fatalf("format %v, want %v", r.Format(), tt.want)
			}
			samples, err := r.Samples()
			if err != nil {
				t.Fatal(err)
			}
			if tt.want.SampleRate != 8000 {
				return // it is measured when it is resampled
			}
			if level := tone.Level(samples, 440); len(samples) != 8000 || level < -6.2 || level > -5.8 {
				t.Errorf("%d samples with 440 Hz at %.2f dB, want 8000 at -6", len(samples), level)
			}
		})
	}
}

// The command that our error suggests must lead to a file that can be played.
func TestSuggestedCommand(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-r", "8000", "-c", "1", "-e", "ms-adpcm"},
		{"-r", "44100", "-c", "2", "-e", "ima-adpcm"},
		{"-r", "8000", "-c", "1", "-e", "gsm-full-rate"},
	} {
		dir := t.TempDir()
		in, out := filepath.Join(dir, "in.wav"), filepath.Join(dir, "out.wav")
		sox(t, slices.Concat([]string{"-n"}, args, []string{in, "synth", "1", "sine", "440"})...)
		file, err := os.ReadFile(in)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		_, hint, found := strings.Cut(r.Format().Readable().Error(), "`sox ")
		if !found {
			t.Fatalf("no command for %v", r.Format())
		}
		command := strings.Fields(strings.TrimSuffix(hint, "`"))
		for i, arg := range command {
			command[i] = strings.NewReplacer("in.wav", in, "out.wav", out).Replace(arg)
		}
		sox(t, command...)
		if file, err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
		if r, err = NewReader(bytes.NewReader(file)); err != nil {
			t.Fatal(err)
		}
		if err := r.Format().Readable(); err != nil {
			t.Errorf("%v: after the suggested command: %v", args, err)
		}
	}
}

// What we write must be read by sox.
func TestSoxTakesWhatWriterWrites(t *testing.T) {
	t.Parallel()
	want := tone.Make(12001, -6, 440)
	for _, encoding := range []Encoding{PCM, ULaw, ALaw} {
		path := filepath.Join(t.TempDir(), "sound.wav")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		w, err := NewWriter(file, encoding, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteSamples(want); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		raw := sox(t, path, "-t", "raw", "-e", "signed-integer", "-b", "16", "-L", "-")
		got := make([]int16, len(raw)/2)
		if _, err := binary.Decode(raw, binary.LittleEndian, got); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || encoding == PCM && !slices.Equal(got, want) {
			t.Errorf("%v: sox read %d samples of %d, or others", encoding, len(got), len(want))
		}
		if level := tone.Level(got, 440); level < -6.2 || level > -5.8 {
			t.Errorf("%v: sox read 440 Hz at %.2f dB, want -6", encoding, level)
		}
	}
}
