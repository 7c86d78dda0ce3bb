// SPDX-License-Identifier: MIT

package prompt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
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
	return fileOf(wav.Format{Encoding: encoding, Channels: 1, SampleRate: media.SampleRate, Bits: bits}, sound)
}

// fileOf builds a WAV file.
func fileOf(f wav.Format, sound []byte) []byte {
	block := f.Channels * f.Bits / 8
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("RIFF"), uint32(36+len(sound)))
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(b, uint16(f.Encoding))
	b = le.AppendUint16(b, f.Channels)
	b = le.AppendUint32(b, f.SampleRate)
	b = le.AppendUint32(b, f.SampleRate*uint32(block))
	b = le.AppendUint16(b, block)
	b = le.AppendUint16(b, f.Bits)
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
	ulaw, alaw := encode(nil, nil, samples)
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
		ulaw, alaw := encode(nil, nil, samples)
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
	page := "\n\t<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"><html><body>404 Not Found</body></html>"
	whole := file(wav.PCM, 16, make([]byte, 320))
	slow := fileOf(wav.Format{Encoding: wav.PCM, Channels: 1, SampleRate: 1000, Bits: 16}, make([]byte, 320))
	tests := []struct {
		name string
		r    io.Reader
		want string
	}{
		{"empty", strings.NewReader(""), "read prompt http://example.com/a.wav: the file is empty; callwright plays WAV and MP3"},
		{"HTML", strings.NewReader(page), "the file is not sound but a web page (HTML): check that its address leads to the sound file itself"},
		{"HTML with a byte order mark", strings.NewReader("\uFEFF<html lang=en>"), "a web page (HTML)"},
		{"JSON", strings.NewReader(`{"error":"no such file"}`), `text that begins with "{\"error\":\"no such file\"}"`},
		{"long text", strings.NewReader(strings.Repeat("ä", 600)), `text that begins with "` + strings.Repeat("ä", 40) + `":`},
		{"AAC", strings.NewReader("\xFF\xF1\x50\x80"), "the file is AAC; " + playable + ": convert it with `ffmpeg -i FILE -ar 8000 -ac 1 -c:a pcm_s16le out.wav`"},
		{"MP2", strings.NewReader("\xFF\xFD\x50\x80"), "the file is MPEG audio of layer II (MP2);"},
		{"Ogg", strings.NewReader("OggS\x00\x02"), "the file is Ogg (Vorbis or Opus);"},
		{"MP4", strings.NewReader("\x00\x00\x00\x20ftypM4A "), "the file is MP4 (M4A);"},
		{"AVI", strings.NewReader("RIFF\x10\x00\x00\x00AVI LIST"), "the file is RIFF, but not WAVE;"},
		{"big-endian", strings.NewReader("RIFX\x00\x00\x00\x10WAVE"), "the file is a big-endian WAV (RIFX);"},
		{"raw µ-law", strings.NewReader("\xFF\xFF\xFF\xFE\xFF\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "neither WAV nor MP3, it begins with the bytes ff ff ff fe ff fe ff ff ff ff ff ff;"},
		{"cut off in the first header", strings.NewReader("RIFF\x10\x00"), "the file is cut off before its sound begins: upload it again"},
		{"ADPCM", bytes.NewReader(fileOf(wav.Format{Encoding: 0x11, Channels: 1, SampleRate: 8000, Bits: 4}, nil)), "the file is 8000 Hz mono ADPCM;"},
		{"too slow", bytes.NewReader(slow), "the file has 1000 samples a second, and 4000 to 192000 can be played"},
		{"broken", io.MultiReader(bytes.NewReader(whole[:20]), iotest.ErrReader(broken)), "connection reset by peer"},
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
	header := fileOf(wav.Format{Encoding: wav.PCM, Channels: 6, SampleRate: 8000, Bits: 32}, nil)
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
	full := fileOf(wav.Format{Encoding: wav.PCM, Channels: 6, SampleRate: 8000, Bits: 32}, make([]byte, MaxSize-44))
	if p, err := Decode("full", bytes.NewReader(full)); err != nil || p.Duration() < 273*time.Second {
		t.Errorf("a file of just the limit: %v", err)
	}
}

// A small file can hold much sound.
func TestDecodeHasALimitOfTime(t *testing.T) {
	t.Parallel()
	for name, format := range map[string]wav.Format{
		"taken over": {Encoding: wav.ULaw, Channels: 1, SampleRate: 8000, Bits: 8},
		"converted":  {Encoding: wav.PCM, Channels: 1, SampleRate: 8000, Bits: 8},
	} {
		n := int(MaxDuration/time.Second) * int(format.SampleRate)
		if p, err := Decode(name, bytes.NewReader(fileOf(format, make([]byte, n)))); err != nil || p.Duration() != MaxDuration {
			t.Errorf("%s, just the limit: %v", name, err)
		}
		if _, err := Decode(name, bytes.NewReader(fileOf(format, make([]byte, n+1)))); !errors.Is(err, errTooLong) {
			t.Errorf("%s, over the limit: %v", name, err)
		}
	}
}

// Any rate and any channels become the one channel of a telephone.
// What wants to know of long files is told once, and can end it.
func TestDecodeLong(t *testing.T) {
	t.Parallel()
	full := errors.New("there is no room")
	for name, kind := range map[string]struct {
		encoding wav.Encoding
		bits     uint16
	}{"PCM": {wav.PCM, 16}, "µ-law": {wav.ULaw, 8}} {
		for _, seconds := range []int{60, 61, 180} {
			sound := file(kind.encoding, kind.bits, make([]byte, seconds*media.SampleRate*int(kind.bits)/8))
			for _, refusal := range []error{nil, full} {
				told := 0
				p, err := Decoder{Long: func() error { told++; return refusal }}.Decode("x", bytes.NewReader(sound))
				long := seconds > 60
				if long != (told == 1) || (long && refusal != nil) != errors.Is(err, full) {
					t.Errorf("%s of %d s: told %d times, got %v", name, seconds, told, err)
				}
				if err == nil && p.Duration() != time.Duration(seconds)*time.Second {
					t.Errorf("%s of %d s sounds for %s", name, seconds, p.Duration())
				}
			}
		}
	}
}

func TestDecodeConverts(t *testing.T) {
	t.Parallel()
	depths := []uint16{8, 16, 24, 32}
	for i, rate := range []uint32{4000, 8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000, 192000} {
		for j, channels := range []uint16{1, 2, 6} {
			f := wav.Format{Encoding: wav.PCM, Channels: channels, SampleRate: rate, Bits: depths[(i+j)%len(depths)]}
			p, err := Decode("x", bytes.NewReader(fileOf(f, sine(f, 1))))
			if err != nil {
				t.Errorf("%v: %v", f, err)
				continue
			}
			if level := levelOf(t, media.PCMA, p.ALaw); p.Duration() != time.Second || math.Abs(level+10) > 0.2 {
				t.Errorf("%v: %v with 440 Hz at %.2f dB, want 1 s at -10", f, p.Duration(), level)
			}
		}
	}
}

// sine codes seconds of 440 Hz at -10 dB as PCM, in all channels.
func sine(f wav.Format, seconds int) (sound []byte) {
	for i := range seconds * int(f.SampleRate) {
		v := int32(math.MaxInt32 * math.Pow(10, -0.5) * math.Sin(2*math.Pi*440*float64(i)/float64(f.SampleRate)))
		b := binary.LittleEndian.AppendUint32(nil, uint32(v))[4-f.Bits/8:]
		if f.Bits == 8 {
			b[0] ^= 0x80
		}
		for range f.Channels {
			sound = append(sound, b...)
		}
	}
	return sound
}

// mp3File reads a file that lame made.
func mp3File(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "mp3", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodeMP3(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"8000-mono.mp3", "22050-mono.mp3", "44100-stereo-vbr-tagged.mp3"} {
		p, err := Decode(name, iotest.HalfReader(bytes.NewReader(mp3File(t, name))))
		if err != nil {
			t.Error(err)
			continue
		}
		samples := make([]int16, 4000)
		codec.Decode(media.PCMU, samples, p.ULaw)
		want := -6.0
		if strings.Contains(name, "stereo") {
			want = -12 // in one of two channels
		}
		if level := tone.Level(samples[1000:], 1000); p.Duration() < 600*time.Millisecond || p.Duration() > 850*time.Millisecond || math.Abs(level-want) > 1 {
			t.Errorf("%s: %v with 1000 Hz at %.1f dB, want %v", name, p.Duration(), level, want)
		}
	}
	// MP3 that is none.
	noise := make([]byte, 20_000)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	for name, r := range map[string]io.Reader{
		"text behind a header": strings.NewReader("\xFF\xFB\x90\x44" + strings.Repeat("this is not MP3, ", 300)),
		"noise":                strings.NewReader("\xFF\xFB\x90\x44" + string(noise)),
		"a tag alone":          strings.NewReader("ID3\x04\x00\x00\x00\x00\x00\x05hello"),
		"a tag and a web page": strings.NewReader("ID3\x04\x00\x00\x00\x00\x00\x05hello<html>"),
	} {
		if _, err := Decode("x", r); !errors.Is(err, errNotMP3) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Channels are mixed to their mean, whatever they are read in.
func TestMixer(t *testing.T) {
	t.Parallel()
	m := mixer{channels: 3}
	got := m.append(nil, []int16{1, 2, 3, math.MaxInt16})
	got = m.append(got, []int16{math.MaxInt16})
	got = m.append(got, []int16{math.MaxInt16, -3, -3})
	if want := []int16{2, math.MaxInt16}; !slices.Equal(got, want) {
		t.Errorf("mixed to %v, want %v", got, want)
	}
}

// FuzzDecode decodes any bytes: they give an error, or whole frames in both
// codings.
func FuzzDecode(f *testing.F) {
	f.Add(file(wav.PCM, 16, make([]byte, 321)))
	f.Add(file(wav.ULaw, 8, []byte{0xFF}))
	f.Add(file(wav.ALaw, 8, []byte{0xD5}))
	f.Add(fileOf(wav.Format{Encoding: wav.PCM, Channels: 2, SampleRate: 44100, Bits: 24}, make([]byte, 601)))
	f.Add(mp3File(f, "8000-mono.mp3"))
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
