// SPDX-License-Identifier: MIT

package codec

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/zaf/g711"

	"github.com/callwright/callwright/media"
)

var codecs = []media.Codec{media.PCMU, media.PCMA}

// everySample returns all 65,536 samples there are.
func everySample() []int16 {
	samples := make([]int16, 0, 1<<16)
	for v := math.MinInt16; v <= math.MaxInt16; v++ {
		samples = append(samples, int16(v))
	}
	return samples
}

// everyByte returns all 256 bytes there are.
func everyByte() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func TestEncodeIsBitExact(t *testing.T) {
	t.Parallel()
	want := map[media.Codec]func(int16) uint8{
		media.PCMU: g711.EncodeUlawFrame,
		media.PCMA: g711.EncodeAlawFrame,
	}
	samples := everySample()
	for _, c := range codecs {
		got := make([]byte, len(samples))
		if n := Encode(c, got, samples); n != len(samples) {
			t.Fatalf("%v: Encode = %d, want %d", c, n, len(samples))
		}
		for i, v := range samples {
			if w := want[c](v); got[i] != w {
				t.Fatalf("%v: sample %d became %#02x, want %#02x", c, v, got[i], w)
			}
		}
	}
}

func TestDecodeIsBitExact(t *testing.T) {
	t.Parallel()
	want := map[media.Codec]func(uint8) int16{
		media.PCMU: g711.DecodeUlawFrame,
		media.PCMA: g711.DecodeAlawFrame,
	}
	coded := everyByte()
	for _, c := range codecs {
		got := make([]int16, len(coded))
		if n := Decode(c, got, coded); n != len(coded) {
			t.Fatalf("%v: Decode = %d, want %d", c, n, len(coded))
		}
		for i, b := range coded {
			if w := want[c](b); got[i] != w {
				t.Fatalf("%v: byte %#02x became %d, want %d", c, b, got[i], w)
			}
		}
	}
}

func TestTranscodeIsBitExact(t *testing.T) {
	t.Parallel()
	src := everyByte()
	tests := []struct {
		from, to media.Codec
		want     []byte
	}{
		{media.PCMU, media.PCMU, src},
		{media.PCMA, media.PCMA, src},
		{media.PCMU, media.PCMA, g711.Ulaw2Alaw(src)},
		{media.PCMA, media.PCMU, g711.Alaw2Ulaw(src)},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%v to %v", tt.from, tt.to), func(t *testing.T) {
			t.Parallel()
			dst := make([]byte, len(src))
			if n := Transcode(dst, src, tt.from, tt.to); n != len(src) || !bytes.Equal(dst, tt.want) {
				t.Errorf("Transcode = %d\n got %x\nwant %x", n, dst, tt.want)
			}
			same := bytes.Clone(src)
			Transcode(same, same, tt.from, tt.to)
			if !bytes.Equal(same, tt.want) {
				t.Errorf("in place\n got %x\nwant %x", same, tt.want)
			}
		})
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	for _, c := range codecs {
		sample := make([]int16, 1)
		Decode(c, sample, []byte{Silence(c)})
		// A-law has no zero: its quietest codes are +8 and -8.
		if sample[0] < 0 || sample[0] > 8 {
			t.Errorf("silence of %v sounds: sample %d", c, sample[0])
		}
	}
}

// A slice that is too short must bound the work, not end the program.
func TestUnequalLengths(t *testing.T) {
	t.Parallel()
	for _, c := range codecs {
		other := media.PCMU + media.PCMA - c
		samples := []int16{7, 7, 7}
		if n := Decode(c, samples, []byte{0}); n != 1 || samples[1] != 7 {
			t.Errorf("%v: Decode of one byte = %d, %v", c, n, samples)
		}
		if n := Encode(c, make([]byte, 2), samples); n != 2 {
			t.Errorf("%v: Encode into two bytes = %d", c, n)
		}
		if n := Transcode(make([]byte, 3), []byte{1, 2}, c, other); n != 2 {
			t.Errorf("%v: Transcode of two bytes = %d", c, n)
		}
		if n := Decode(c, nil, nil) + Encode(c, nil, nil) + Transcode(nil, nil, c, other); n != 0 {
			t.Errorf("%v: nothing in gave %d out", c, n)
		}
	}
}

// The power of a tone is that of its samples, in both codings nearly the same.
func TestPower(t *testing.T) {
	t.Parallel()
	samples := make([]int16, media.FrameSize)
	for i := range samples {
		samples[i] = int16(10000 * math.Sin(2*math.Pi*float64(i)/16)) // 500 Hz, ten times
	}
	coded := make([]byte, media.FrameSize)
	for _, c := range codecs {
		Encode(c, coded, samples)
		if got := Power(c, coded); math.Abs(float64(got)/5e7-1) > 0.02 {
			t.Errorf("%v: %d, want half of 10000 squared", c, got)
		}
		if got := Power(c, bytes.Repeat([]byte{Silence(c)}, media.FrameSize)); got > 64 {
			t.Errorf("%v: silence has %d", c, got)
		}
		if got := Power(c, nil); got != 0 {
			t.Errorf("%v: nothing has %d", c, got)
		}
	}
}

// Not parallel: AllocsPerRun counts the allocations of the whole program.
func TestNoAllocation(t *testing.T) {
	samples := make([]int16, media.FrameSize)
	coded := make([]byte, media.FrameSize)
	for _, c := range codecs {
		other := media.PCMU + media.PCMA - c
		got := testing.AllocsPerRun(100, func() {
			Decode(c, samples, coded)
			Encode(c, coded, samples)
			Transcode(coded, coded, c, other)
			Power(c, coded)
		})
		if got != 0 {
			t.Errorf("%v: %v allocations per frame, want 0", c, got)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	benchmark(b, func(c media.Codec, samples []int16, coded []byte) { Decode(c, samples, coded) })
}

func BenchmarkEncode(b *testing.B) {
	benchmark(b, func(c media.Codec, samples []int16, coded []byte) { Encode(c, coded, samples) })
}

func BenchmarkTranscode(b *testing.B) {
	benchmark(b, func(c media.Codec, _ []int16, coded []byte) {
		Transcode(coded, coded, c, media.PCMU+media.PCMA-c)
	})
}

func benchmark(b *testing.B, frame func(media.Codec, []int16, []byte)) {
	for _, c := range codecs {
		b.Run(c.String(), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(media.FrameSize)
			samples := make([]int16, media.FrameSize)
			for i := range samples {
				samples[i] = int16(i * 401)
			}
			coded := make([]byte, media.FrameSize)
			for b.Loop() {
				frame(c, samples, coded)
			}
		})
	}
}
