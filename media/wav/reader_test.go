// SPDX-License-Identifier: MIT

package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// chunk builds one chunk of a file, padded to even length.
func chunk(name string, body ...byte) string {
	b := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body)))
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return string(b)
}

// riff builds a file of chunks.
func riff(chunks ...string) string {
	body := "WAVE" + strings.Join(chunks, "")
	return string(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body)))) + body
}

// format builds the body of a fmt chunk, with what is appended to it.
func format(f Format, more ...byte) []byte {
	block := uint32(f.Channels) * uint32(f.Bits) / 8
	b := binary.LittleEndian.AppendUint16(nil, uint16(f.Encoding))
	b = binary.LittleEndian.AppendUint16(b, f.Channels)
	b = binary.LittleEndian.AppendUint32(b, f.SampleRate)
	b = binary.LittleEndian.AppendUint32(b, f.SampleRate*block)
	b = binary.LittleEndian.AppendUint16(b, uint16(block))
	b = binary.LittleEndian.AppendUint16(b, f.Bits)
	return append(b, more...)
}

// extensibleWith builds what an extensible format has behind the short one.
func extensibleWith(e Encoding, tail string) []byte {
	more := []byte{22, 0, 16, 0, 4, 0, 0, 0}
	more = binary.LittleEndian.AppendUint16(more, uint16(e))
	return append(more, tail...)
}

// floats codes floating point.
func floats(values ...float32) (sound []byte) {
	for _, v := range values {
		sound = binary.LittleEndian.AppendUint32(sound, math.Float32bits(v))
	}
	return sound
}

var (
	pcm8k  = Format{Encoding: PCM, Channels: 1, SampleRate: 8000, Bits: 16}
	ulaw8k = Format{Encoding: ULaw, Channels: 1, SampleRate: 8000, Bits: 8}
	alaw8k = Format{Encoding: ALaw, Channels: 1, SampleRate: 8000, Bits: 8}
	cd     = Format{Encoding: PCM, Channels: 2, SampleRate: 44100, Bits: 16}
)

// unknownSize makes the data chunk, the last in file, and the RIFF header claim
// other sizes.
func unknownSize(file string, riffSize, dataSize uint32) string {
	b := []byte(file)
	binary.LittleEndian.PutUint32(b[4:], riffSize)
	binary.LittleEndian.PutUint32(b[strings.LastIndex(file, "data")+4:], dataSize)
	return string(b)
}

func TestReaderReadsSamples(t *testing.T) {
	t.Parallel()
	fmtPCM := chunk("fmt ", format(pcm8k)...)
	sound := chunk("data", 1, 0, 0xFE, 0xFF, 0, 0x80)
	samples := []int16{1, -2, math.MinInt16}
	ext := pcm8k
	ext.Encoding = extensible

	tests := []struct {
		name   string
		file   string
		format Format
		want   []int16
	}{
		{"plain", riff(fmtPCM, sound), pcm8k, samples},
		{"µ-law", riff(chunk("fmt ", format(ulaw8k, 0, 0)...), chunk("fact", 3, 0, 0, 0), chunk("data", 0xFF, 0x00, 0x80)), ulaw8k, []int16{0, -32124, 32124}},
		{"A-law", riff(chunk("fmt ", format(alaw8k)...), chunk("data", 0xD5, 0x55)), alaw8k, []int16{8, -8}},
		{"stereo", riff(chunk("fmt ", format(cd)...), chunk("data", 1, 0, 2, 0)), cd, []int16{1, 2}},
		{"8 bits", riff(chunk("fmt ", format(Format{PCM, 1, 8000, 8})...), chunk("data", 0x80, 0x00, 0xFF, 0x81)), Format{PCM, 1, 8000, 8}, []int16{0, math.MinInt16, 0x7F00, 0x100}},
		{"24 bits", riff(chunk("fmt ", format(Format{PCM, 1, 8000, 24})...), chunk("data", 0x7F, 1, 0, 0x80, 1, 0, 0xFF, 0xFF, 0x7F, 0, 0, 0x80, 9)), Format{PCM, 1, 8000, 24}, []int16{1, 2, math.MaxInt16, math.MinInt16}},
		{"32 bits", riff(chunk("fmt ", format(Format{PCM, 1, 8000, 32})...), chunk("data", 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F)), Format{PCM, 1, 8000, 32}, []int16{-2, math.MaxInt16}},
		{"12 bits in two bytes", riff(chunk("fmt ", format(Format{PCM, 1, 8000, 12})...), chunk("data", 0x10, 0)), Format{PCM, 1, 8000, 12}, []int16{16}},
		{"floating point", riff(chunk("fmt ", format(Format{Float, 1, 8000, 32})...), chunk("data", floats(0, 0.5, -1, 1, -7, float32(math.NaN()), float32(math.Inf(1)))...)), Format{Float, 1, 8000, 32}, []int16{0, 16384, math.MinInt16, math.MaxInt16, math.MinInt16, 0, math.MaxInt16}},
		{"64-bit floating point", riff(chunk("fmt ", format(Format{Float, 1, 8000, 64})...), chunk("data", 0, 0, 0, 0, 0, 0, 0xE0, 0x3F)), Format{Float, 1, 8000, 64}, []int16{16384}},
		{"extensible 24 bits", riff(chunk("fmt ", format(Format{extensible, 1, 48000, 24}, extensibleWith(PCM, extensibleTail)...)...), chunk("data", 0, 1, 0)), Format{PCM, 1, 48000, 24}, []int16{1}},
		{"extensible", riff(chunk("fmt ", format(ext, extensibleWith(PCM, extensibleTail)...)...), sound), pcm8k, samples},
		{"chunks between", riff(chunk("LIST", 1, 2, 3, 4), fmtPCM, chunk("bext", make([]byte, 9000)...), sound, chunk("LIST", 9, 9)), pcm8k, samples},
		{"odd chunk with padding", riff(chunk("junk", 1, 2, 3), fmtPCM, sound), pcm8k, samples},
		{"odd chunk without padding", riff("junk\x03\x00\x00\x00abc", fmtPCM, sound), pcm8k, samples},
		{"odd format", riff(chunk("fmt ", format(pcm8k, 0)...), sound), pcm8k, samples},
		{"long format", riff(chunk("fmt ", format(pcm8k, make([]byte, 100)...)...), sound), pcm8k, samples},
		{"sound cut off", riff(fmtPCM, sound)[:riffHeader+chunkHeader+shortFormat+chunkHeader+5], pcm8k, samples[:2]},
		{"size never filled in: all bits", unknownSize(riff(fmtPCM, sound), math.MaxUint32, math.MaxUint32), pcm8k, samples},
		{"size never filled in: as sox and espeak-ng", unknownSize(riff(fmtPCM, sound), 0x7FFFF024, 0x7FFFF000), pcm8k, samples},
		{"size never filled in: zero", unknownSize(riff(fmtPCM, sound), 0, 0), pcm8k, samples},
		{"really empty", riff(fmtPCM, chunk("data"), chunk("LIST", 1, 2)), pcm8k, []int16{}},
		{"RIFF size wrong", unknownSize(riff(fmtPCM, sound), 7, 6), pcm8k, samples},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := NewReader(iotest.OneByteReader(strings.NewReader(tt.file)))
			if err != nil {
				t.Fatal(err)
			}
			if r.Format() != tt.format {
				t.Errorf("format %+v, want %+v", r.Format(), tt.format)
			}
			got, err := r.Samples()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("samples (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReaderExplainsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	fmtPCM := chunk("fmt ", format(pcm8k)...)
	tests := []struct {
		name, file, want string
	}{
		{"empty", "", "cut off before its sound"},
		{"AVI", "RIFF\x10\x00\x00\x00AVI LIST", "not a WAV file"},
		{"something else", "<!DOCTYPE html>", "not a WAV file"},
		{"cut off in the first header", "RIFF\x10\x00", "the file is cut off before its sound begins: upload it again"},
		{"cut off in the format", riff(fmtPCM)[:30], "cut off before its sound"},
		{"format longer than the file", riff("fmt \xFF\xFF\xFF\xFF", string(format(pcm8k))), "cut off before its sound"},
		{"format too short", riff(chunk("fmt ", 1, 0, 1, 0), chunk("data", 1, 1)), "does not say how its sound is coded"},
		{"no format", riff(chunk("data", 1, 1), fmtPCM), "does not say how its sound is coded"},
		{"no data", riff(fmtPCM), "without sound in it"},
		{"chunk longer than the file", riff(fmtPCM, "LIST\xFF\xFF\xFF\xFF", "data"), "without sound in it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := NewReader(strings.NewReader(tt.file))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error\n%v\nwant one that says\n%s", err, tt.want)
			}
		})
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	file := riff(chunk("LIST", make([]byte, 600)...), chunk("fmt ", format(pcm8k)...), chunk("data", make([]byte, 9000)...))
	for _, n := range []int{0, 5, 700, 2000} {
		r, err := NewReader(io.MultiReader(strings.NewReader(file[:n]), iotest.ErrReader(broken)))
		if err == nil {
			_, err = r.Samples()
		}
		if !errors.Is(err, broken) {
			t.Errorf("broken after %d bytes: %v", n, err)
		}
	}
}

// What a header claims costs nothing. The test runs alone, since it counts what
// the process allocates.
func TestReaderBelievesNoLength(t *testing.T) {
	lies := map[string]string{
		"format": riff("fmt \xFF\xFF\xFF\xFF", string(format(pcm8k))),
		"chunk":  riff(chunk("fmt ", format(pcm8k)...), "LIST\xFF\xFF\xFF\xFF"),
		"sound":  riff(chunk("fmt ", format(pcm8k)...), "data\xFF\xFF\xFF\xFF", "1234"),
	}
	for name, file := range lies {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if r, err := NewReader(strings.NewReader(file)); err == nil {
			_, _ = r.Samples()
		}
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		if allocated > 1<<18 {
			t.Errorf("a lie about the %s costs %d bytes", name, allocated)
		}
	}
}

func TestReadable(t *testing.T) {
	t.Parallel()
	for _, f := range []Format{
		pcm8k, ulaw8k, alaw8k, cd, {ULaw, 1, 8000, 16}, {ALaw, 2, 8000, 0}, {PCM, 1, 8000, 8}, {PCM, 6, 48000, 24},
		{PCM, 1, 8000, 12}, {PCM, 32, 192000, 32}, {Float, 1, 44100, 32}, {Float, 2, 44100, 64},
	} {
		if err := f.Readable(); err != nil {
			t.Errorf("%v: %v", f, err)
		}
	}
	for want, f := range map[string]Format{
		"the file is 8000 Hz mono ADPCM;":                  {0x11, 1, 8000, 4},
		"the file is 8000 Hz stereo GSM 6.10;":             {0x31, 2, 8000, 0},
		"the file is 8000 Hz mono MP3;":                    {0x55, 1, 8000, 0},
		"the file is 8000 Hz mono 64-bit PCM;":             {PCM, 1, 8000, 64},
		"the file is 8000 Hz mono 16-bit floating point;":  {Float, 1, 8000, 16},
		"the file is 0 Hz 0-channel format 0xABCD;":        {0xABCD, 0, 0, 0},
		"the file claims to have 0 channels: export it":    {PCM, 0, 8000, 16},
		"the file claims to have 65535 channels: export":   {PCM, math.MaxUint16, 8000, 16},
		"convert it with `sox in.wav -r 8000 -c 1 -b 16 -": {PCM, 1, 8000, 0},
	} {
		if err := f.Readable(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// An extensible format whose identifier is none of the family keeps its tag.
func TestReaderUnknownExtensible(t *testing.T) {
	t.Parallel()
	ext := pcm8k
	ext.Encoding = extensible
	for _, more := range [][]byte{extensibleWith(PCM, "no such family"), nil, {0, 0}} {
		r, err := NewReader(strings.NewReader(riff(chunk("fmt ", format(ext, more...)...), chunk("data", 1, 2))))
		if err != nil {
			t.Fatal(err)
		}
		if r.Format().Encoding != extensible || r.Format().Readable() == nil {
			t.Errorf("taken for %v", r.Format())
		}
		if _, err := r.Samples(); err == nil {
			t.Error("samples of an unknown encoding were read")
		}
	}
}

// FuzzReader reads any bytes. Whatever they are, no more sound comes out than
// went in, and what is called playable can be read.
func FuzzReader(f *testing.F) {
	f.Add([]byte(riff(chunk("fmt ", format(pcm8k)...), chunk("data", 1, 2, 3, 4))))
	f.Add([]byte(riff(chunk("fmt ", format(ulaw8k, 0, 0)...), chunk("fact", 1, 0, 0, 0), chunk("data", 1))))
	f.Add([]byte(riff("junk\x03\x00\x00\x00abc", chunk("fmt ", format(alaw8k)...), "data\xFF\xFF\xFF\xFFxyz")))
	ext := pcm8k
	ext.Encoding = extensible
	f.Add([]byte(riff(chunk("fmt ", format(ext, extensibleWith(PCM, extensibleTail)...)...), chunk("data", 1, 2))))
	for _, seed := range []Format{{PCM, 2, 48000, 24}, {PCM, 1, 11025, 8}, {Float, 1, 44100, 32}, {Float, 1, 44100, 64}, {PCM, 1, 96000, 32}} {
		f.Add([]byte(riff(chunk("fmt ", format(seed)...), chunk("data", make([]byte, 49)...))))
	}
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader(bytes.NewReader(data))
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("an error that says nothing")
			}
			return
		}
		samples, err := r.Samples()
		if (r.Format().Readable() == nil) != (err == nil) {
			t.Fatalf("%v is readable: %v; but reading it: %v", r.Format(), r.Format().Readable(), err)
		}
		if len(samples) > len(data) {
			t.Fatalf("%d samples from %d bytes", len(samples), len(data))
		}
	})
}
