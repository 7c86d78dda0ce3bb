// SPDX-License-Identifier: MIT

package prompt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/media/wav"
)

// file builds a mono WAV file, 8000 Hz, around sound that is coded already.
func file(encoding wav.Encoding, bits uint16, sound []byte) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("RIFF"), uint32(36+len(sound)))
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(b, uint16(encoding))
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, media.SampleRate)
	b = le.AppendUint32(b, media.SampleRate*uint32(bits)/8)
	b = le.AppendUint16(b, bits/8)
	b = le.AppendUint16(b, bits)
	b = le.AppendUint32(append(b, "data"...), uint32(len(sound)))
	return append(b, sound...)
}

// linear codes samples as 16-bit PCM.
func linear(samples []int16) (sound []byte) {
	for _, v := range samples {
		sound = binary.LittleEndian.AppendUint16(sound, uint16(v))
	}
	return sound
}

func TestDecode(t *testing.T) {
	t.Parallel()
	const seconds = 2
	samples := tone.Make(seconds*media.SampleRate, -10, 440)
	ulaw, alaw := encode(samples)
	tests := []struct {
		name string
		file []byte
	}{
		{"linear", file(wav.PCM, 16, linear(samples))},
		{"µ-law", file(wav.ULaw, 8, ulaw)},
		{"A-law", file(wav.ALaw, 8, alaw)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := Decode("hello.wav", iotest.HalfReader(bytes.NewReader(tt.file)))
			if err != nil {
				t.Fatal(err)
			}
			if p.Name != "hello.wav" || p.Duration() != seconds*time.Second || len(p.ULaw) != len(p.ALaw) {
				t.Errorf("prompt %q of %v, %d and %d bytes", p.Name, p.Duration(), len(p.ULaw), len(p.ALaw))
			}
			// Sound that came as G.711 is not coded twice.
			if tt.name != "A-law" && !bytes.Equal(p.ULaw, ulaw) {
				t.Error("µ-law is not that of the file")
			}
			if tt.name != "µ-law" && !bytes.Equal(p.ALaw, alaw) {
				t.Error("A-law is not that of the file")
			}
			for _, level := range []float64{levelOf(t, media.PCMU, p.ULaw), levelOf(t, media.PCMA, p.ALaw)} {
				if level < -10.2 || level > -9.8 {
					t.Errorf("440 Hz sounds at %.2f dB, want -10", level)
				}
			}
		})
	}
}

// levelOf measures 440 Hz in the first second of coded sound.
func levelOf(t *testing.T, c media.Codec, coded []byte) float64 {
	t.Helper()
	samples := make([]int16, media.SampleRate)
	if n := codec.Decode(c, samples, coded); n != len(samples) {
		t.Fatalf("%v: only %d samples", c, n)
	}
	return tone.Level(samples, 440)
}

func TestLastFrameIsFilledWithSilence(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 159, 160, 161, 320, 1000} {
		samples := tone.Make(n, -10, 1333)
		decoded, err := Decode("x", bytes.NewReader(file(wav.PCM, 16, linear(samples))))
		if err != nil {
			t.Fatal(err)
		}
		ulaw, alaw := encode(samples)
		rest := (media.FrameSize - n%media.FrameSize) % media.FrameSize
		ulaw = append(ulaw, bytes.Repeat([]byte{0xFF}, rest)...)
		alaw = append(alaw, bytes.Repeat([]byte{0xD5}, rest)...)
		for _, p := range []*media.Prompt{decoded, FromSamples("x", samples)} {
			if !bytes.Equal(p.ULaw, ulaw) || !bytes.Equal(p.ALaw, alaw) {
				t.Errorf("%d samples became %d and %d bytes, or others", n, len(p.ULaw), len(p.ALaw))
			}
		}
	}
}

// A prompt without a frame would make a loop of nothing.
func TestPromptIsNeverEmpty(t *testing.T) {
	t.Parallel()
	if p := FromSamples("nothing", nil); p.Duration() != media.FrameDuration {
		t.Errorf("a prompt of no samples lasts %v", p.Duration())
	}
	for _, sound := range [][]byte{nil, {1}} {
		if _, err := Decode("nothing.wav", bytes.NewReader(file(wav.PCM, 16, sound))); !errors.Is(err, errNoSound) {
			t.Errorf("a file with %d bytes of sound: %v", len(sound), err)
		}
	}
}

func TestDecodeExplains(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset by peer")
	stereo := file(wav.PCM, 16, make([]byte, 320))
	stereo[22] = 2
	tests := []struct {
		name string
		r    io.Reader
		want string
	}{
		{"stereo", bytes.NewReader(stereo), "read prompt http://example.com/a.wav: the file is 8000 Hz stereo 16-bit PCM; callwright plays mono 8000 Hz WAV"},
		{"8 bits", bytes.NewReader(file(wav.PCM, 8, make([]byte, 160))), "the file is 8000 Hz mono 8-bit PCM;"},
		{"web page", strings.NewReader("<html>"), "a web page (HTML)"},
		{"nothing", strings.NewReader(""), "the file is empty"},
		{"broken", io.MultiReader(bytes.NewReader(stereo[:20]), iotest.ErrReader(broken)), "connection reset by peer"},
		{"broken in the sound", io.MultiReader(bytes.NewReader(file(wav.ULaw, 8, make([]byte, 160))[:99]), iotest.ErrReader(broken)), "connection reset by peer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := Decode("http://example.com/a.wav", tt.r)
			if p != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error\n%v\nwant one that says\n%s", err, tt.want)
			}
		})
	}
}

// endless gives zeros for ever and counts them.
type endless struct{ given int }

func (e *endless) Read(p []byte) (int, error) {
	clear(p)
	e.given += len(p)
	return len(p), nil
}

func TestDecodeHasALimit(t *testing.T) {
	t.Parallel()
	header := file(wav.ULaw, 8, nil)
	binary.LittleEndian.PutUint32(header[40:], 0xFFFFFFFF)
	junk := append(bytes.Clone(header[:12]), "junk\xFF\xFF\xFF\xFF"...)
	for name, start := range map[string][]byte{"sound": header, "chunks": junk} {
		var e endless
		_, err := Decode(name, io.MultiReader(bytes.NewReader(start), &e))
		if !errors.Is(err, errTooLarge) {
			t.Errorf("endless %s: %v", name, err)
		}
		if e.given > MaxSize+1 {
			t.Errorf("endless %s: %d bytes were read", name, e.given)
		}
	}
	full := file(wav.ULaw, 8, make([]byte, MaxSize-44))
	if p, err := Decode("full", bytes.NewReader(full)); err != nil || len(p.ULaw) < MaxSize-44 {
		t.Errorf("a file of just the limit: %v", err)
	}
}

// FuzzDecode decodes any bytes: they give an error, or whole frames in both
// codings.
func FuzzDecode(f *testing.F) {
	f.Add(file(wav.PCM, 16, make([]byte, 321)))
	f.Add(file(wav.ULaw, 8, []byte{0xFF}))
	f.Add(file(wav.ALaw, 8, []byte{0xD5}))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode("x", bytes.NewReader(data))
		if (p == nil) == (err == nil) {
			t.Fatalf("prompt %v and error %v", p, err)
		}
		if err != nil {
			return
		}
		if len(p.ULaw) == 0 || len(p.ULaw)%media.FrameSize != 0 || len(p.ULaw) != len(p.ALaw) {
			t.Fatalf("%d bytes of µ-law, %d of A-law", len(p.ULaw), len(p.ALaw))
		}
	})
}
