// SPDX-License-Identifier: MIT

package mp3

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/callwright/callwright/media/tone"
)

// file reads a file of testdata. They were made by lame.
func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decoded decodes all of a file.
func decoded(t testing.TB, r io.Reader) ([]int16, int) {
	t.Helper()
	d, err := NewDecoder(r)
	if err != nil {
		t.Fatal(err)
	}
	var samples []int16
	for buffer := make([]int16, 1000); ; {
		n, err := d.ReadSamples(buffer)
		samples = append(samples, buffer[:n]...)
		switch {
		case errors.Is(err, io.EOF) && n == 0:
			return samples, d.Rate()
		case err != nil:
			t.Fatalf("%d samples and %v", n, err)
		}
	}
}

// level measures a tone in the middle of samples of any rate.
func level(samples []int16, rate int, hz float64) float64 {
	return tone.Level(samples[len(samples)/4:len(samples)*3/4], hz*8000/float64(rate))
}

// Files of every version, of one channel and of two, with tags, checksums and
// changing bit rates hold the tone that was put into them.
func TestDecode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		rate int
		want map[float64]float64 // dB by Hz
	}{
		{"8000-mono.mp3", 8000, map[float64]float64{1000: -6, 2000: -70}},
		{"11025-mono.mp3", 11025, map[float64]float64{1000: -6, 2000: -70}},
		{"16000-stereo-abr-checked.mp3", 16000, map[float64]float64{1000: -6, 2000: -70}},
		{"22050-mono.mp3", 22050, map[float64]float64{1000: -6, 2000: -70}},
		{"44100-stereo-vbr-tagged.mp3", 44100, map[float64]float64{1000: -12, 2000: -12, 3000: -60}}, // one in each channel
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			samples, rate := decoded(t, iotest.HalfReader(bytes.NewReader(file(t, tt.name))))
			if seconds := float64(len(samples)) / float64(rate); rate != tt.rate || seconds < 0.6 || seconds > 0.85 {
				t.Errorf("%d samples of %d a second", len(samples), rate)
			}
			for hz, want := range tt.want {
				if got := level(samples, rate, hz); want > -50 && math.Abs(got-want) > 1 || want < -50 && got > want {
					t.Errorf("%v Hz are at %.2f dB, want %v", hz, got, want)
				}
			}
		})
	}
}

// Short blocks give, within rounding, what another decoder (that of ffmpeg)
// makes of them.
func TestShortBlocks(t *testing.T) {
	t.Parallel()
	const delay = 1105 // of encoder and decoder, which the other leaves out
	reference := file(t, "44100-mono-clicks.s16")
	samples, _ := decoded(t, bytes.NewReader(file(t, "44100-mono-clicks.mp3")))
	for i := range len(reference) / 2 {
		want := int16(binary.LittleEndian.Uint16(reference[2*i:]))
		if got := samples[delay+i]; got < want-2 || got > want+2 {
			t.Fatalf("sample %d is %d, want %d", i, got, want)
		}
	}
}

// A file that is cut off, or damaged, is played as far as it goes, and what is
// around the frames is not sound.
func TestDamage(t *testing.T) {
	t.Parallel()
	whole := file(t, "22050-mono.mp3")
	all, rate := decoded(t, bytes.NewReader(whole))
	tag := append([]byte("ID3\x04\x00\x00\x00\x00\x02\x01"), make([]byte, 257)...)
	junk := bytes.Repeat([]byte("\xFF\xFB\x90\x44 is no frame, "), 40)
	for name, tt := range map[string]struct {
		file []byte
		lost int // samples at most
	}{
		"tags before":      {slices.Concat(tag, tag, whole), 0},
		"tags behind":      {slices.Concat(whole, []byte("APETAGEX"), make([]byte, 40), []byte("TAG"), make([]byte, 125)), 0},
		"junk before":      {slices.Concat(junk, whole), 0},
		"junk behind":      {slices.Concat(whole, junk), 0},
		"junk in between":  {slices.Concat(whole[:1300], junk, whole[1300:]), 5 * 576},
		"cut off":          {whole[:len(whole)-150], 3 * 576},
		"beginning gone":   {whole[400:], 8 * 576},
		"a frame is wrong": {slices.Concat(whole[:1400], bytes.Repeat([]byte{0xAA}, 60), whole[1460:]), 5 * 576},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := decoded(t, bytes.NewReader(tt.file))
			if len(got) > len(all)+576 || len(got) < len(all)-tt.lost {
				t.Errorf("%d samples, want up to %d less than %d", len(got), tt.lost, len(all))
			}
			if tt.lost == 0 && !slices.Equal(got[len(got)-len(all):], all) {
				t.Error("it is another sound")
			}
			if l := level(got, rate, 1000); l < -9 || l > -5 {
				t.Errorf("1000 Hz are at %.1f dB", l)
			}
		})
	}
}

func TestNoFrames(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"empty":           "",
		"short":           "\xFF\xFB",
		"one header":      "\xFF\xFB\x90\x44",
		"text behind it":  "\xFF\xFB\x90\x44" + strings.Repeat("this is not MP3, ", 300),
		"only a tag":      "ID3\x04\x00\x00\x00\x00\x00\x05hello",
		"a tag that lies": "ID3\x04\x00\x00\x7F\x7F\x7F\x7Fhello",
		"zeros":           string(make([]byte, 5000)),
		"layer II":        strings.Repeat("\xFF\xFD\x90\x44"+string(make([]byte, 414)), 5),
		"free bit rate":   strings.Repeat("\xFF\xFB\x00\x44"+string(make([]byte, 414)), 5),
	} {
		if _, err := NewDecoder(strings.NewReader(data)); !errors.Is(err, ErrNoFrames) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := errors.New("connection reset")
	if _, err := NewDecoder(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("broken: %v", err)
	}
	d, err := NewDecoder(io.MultiReader(bytes.NewReader(file(t, "8000-mono.mp3")[:1000]), iotest.ErrReader(broken)))
	for buffer := make([]int16, 1000); err == nil; {
		_, err = d.ReadSamples(buffer)
	}
	if !errors.Is(err, broken) {
		t.Errorf("broken in the sound: %v", err)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	for h, want := range map[header][3]int{ // rate, size, channels
		0xFFFB9044: {44100, 417, 2},
		0xFFFB9244: {44100, 418, 2},
		0xFFFBE0C4: {44100, 1044, 1},
		0xFFFB1844: {32000, 144, 2},
		0xFFF34044: {22050, 104, 2}, // 32 kbit/s
		0xFFF342C4: {22050, 105, 1},
		0xFFE348C4: {8000, 288, 1},
		0xFFE3E8C4: {8000, 1440, 1},
	} {
		if !h.isValid() || h.rate() != want[0] || h.size() != want[1] || h.channels() != want[2] {
			t.Errorf("%08X: %d Hz, %d bytes, %d channels, want %v", uint32(h), h.rate(), h.size(), h.channels(), want)
		}
	}
	for _, h := range []header{0, 0xFFFFFFFF, 0xFFEB9044, 0xFFFD9044, 0xFFF99044, 0xFFFBF044, 0xFFFB0044, 0xFFFB9C44} {
		if h.isValid() {
			t.Errorf("%08X is taken for a header", uint32(h))
		}
	}
}

// Bands that are coded once for both channels are as loud in each as they say.
func TestIntensity(t *testing.T) {
	t.Parallel()
	const joint, low = 0xFFFB9050, 0xFFF34050
	for _, tt := range []struct {
		h           header
		factor      int
		most        bool
		code        int
		left, right float64
	}{
		{joint, 0, false, 0, 0, 1},
		{joint, 3, false, 0, 0.5, 0.5},
		{joint, 6, false, 0, 1, 0},
		{joint, 7, true, 0, 1, 0}, // not coded so: left stays left
		{low, 0, false, 0, 1, 1},
		{low, 1, false, 0, math.Exp2(-0.25), 1},
		{low, 2, false, 0, 1, math.Exp2(-0.25)},
		{low, 3, false, 1, math.Exp2(-1), 1},
	} {
		bands := bandsOf(tt.h, blockShape{})
		var left, right values
		for i := range left {
			left[i] = 1
		}
		right[0] = 0.25 // the first band is not coded so
		s := &scales{}
		for i := range s.factor {
			s.factor[i], s.most[i] = tt.factor, tt.most
		}
		g := &granule{scaleCode: tt.code}
		split(tt.h, channelValues{g, s, bands, &left}, channelValues{g, s, bands, &right})
		if left[0] != 1 || right[0] != 0.25 {
			t.Errorf("%+v: the first band became %v and %v", tt, left[0], right[0])
		}
		for _, i := range []int{bands[1].from, 300, 575} {
			if math.Abs(float64(left[i])-tt.left) > 1e-6 || math.Abs(float64(right[i])-tt.right) > 1e-6 {
				t.Errorf("%+v: value %d became %v and %v", tt, i, left[i], right[i])
			}
		}
	}
}

// The bands of every shape cover all values, one after another.
func TestBands(t *testing.T) {
	t.Parallel()
	for _, h := range []header{0xFFFB9044, 0xFFFB9444, 0xFFFB9844, 0xFFF34044, 0xFFF34444, 0xFFF34844, 0xFFE34044, 0xFFE34444, 0xFFE34844} {
		for _, shape := range []blockShape{{}, {kind: short}, {kind: short, mixed: true}} {
			at := 0
			for _, band := range bandsOf(h, shape) {
				if band.from != at || band.to <= at {
					t.Errorf("%d Hz, %+v: band %+v behind %d", h.rate(), shape, band, at)
				}
				at = band.to
			}
			if at != len(values{}) {
				t.Errorf("%d Hz, %+v: bands end at %d", h.rate(), shape, at)
			}
		}
	}
}

// FuzzDecoder decodes anything. Nothing may panic, and no more sound may come
// out than so many bytes can hold.
func FuzzDecoder(f *testing.F) {
	names, err := filepath.Glob("testdata/*.mp3")
	if err != nil || len(names) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:min(len(b), 1500)])
		b[len(b)/2] ^= 0xFF
		f.Add(b)
		joint := bytes.Clone(b)
		for i := 0; i+4 < len(joint); i++ {
			if joint[i] == 0xFF && joint[i+1]&0xE0 == 0xE0 {
				joint[i+3] = 0x70 // intensity, and sum and difference
			}
		}
		f.Add(joint)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := NewDecoder(bytes.NewReader(data))
		if err != nil {
			return
		}
		total := 0
		for buffer := make([]int16, 700); err == nil; {
			var n int
			n, err = d.ReadSamples(buffer)
			total += n
		}
		if !errors.Is(err, io.EOF) || total > 1152*(len(data)/24+1) {
			t.Errorf("%d samples of %d bytes, then %v", total, len(data), err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	data := file(b, "44100-stereo-vbr-tagged.mp3")
	for b.Loop() {
		decoded(b, bytes.NewReader(data))
	}
}
