// SPDX-License-Identifier: MIT

package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/media/tone"
)

// disk is a file in memory that can run full and break.
type disk struct {
	data []byte
	pos  int
	size int   // 0 = endless
	seek error // what seeking returns
}

var errDiskFull = errors.New("no space left on device")

func (d *disk) Write(p []byte) (int, error) {
	n := len(p)
	if d.size > 0 {
		n = min(n, max(0, d.size-d.pos))
	}
	if grow := d.pos + n - len(d.data); grow > 0 {
		d.data = append(d.data, make([]byte, grow)...)
	}
	copy(d.data[d.pos:], p[:n])
	d.pos += n
	if n < len(p) {
		return n, errDiskFull
	}
	return n, nil
}

func (d *disk) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekStart || d.seek != nil {
		return 0, errors.Join(d.seek, errors.ErrUnsupported)
	}
	d.pos = int(offset)
	return offset, nil
}

// read gives what a file holds.
func read(t *testing.T, file []byte) (Format, []int16) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	samples, err := r.Samples()
	if err != nil {
		t.Fatal(err)
	}
	return r.Format(), samples
}

func TestWriterHeader(t *testing.T) {
	t.Parallel()
	tests := []struct {
		encoding Encoding
		channels int
		want     string
	}{
		{PCM, 2, "RIFF\x2C\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x40\x1F\x00\x00\x00\x7D\x00\x00\x04\x00\x10\x00" +
			"data\x08\x00\x00\x00\x01\x00\x02\x00\x03\x00\x04\x00"},
		{ULaw, 1, "RIFF\x36\x00\x00\x00WAVEfmt \x12\x00\x00\x00\x07\x00\x01\x00\x40\x1F\x00\x00\x40\x1F\x00\x00\x01\x00\x08\x00\x00\x00" +
			"fact\x04\x00\x00\x00\x04\x00\x00\x00data\x04\x00\x00\x00\xFF\xFF\xFF\xFE"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.encoding, tt.channels), func(t *testing.T) {
			t.Parallel()
			var d disk
			w, err := NewWriter(&d, tt.encoding, tt.channels)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.WriteSamples([]int16{1, 2, 3, 4}); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(d.data)); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
		})
	}
}

// What is written must be read back, also through a real file, and linear sound
// without any change.
func TestWriterRoundTrip(t *testing.T) {
	t.Parallel()
	want := tone.Make(20001, -6, 440, 1000)
	for _, encoding := range []Encoding{PCM, ULaw, ALaw} {
		t.Run(encoding.String(), func(t *testing.T) {
			t.Parallel()
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
			for part := range slices.Chunk(want, 777) {
				if err := w.WriteSamples(part); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(data)%2 != 0 {
				t.Errorf("a file of %d bytes: the data chunk is not padded", len(data))
			}
			format, got := read(t, data)
			if err := format.Readable(); err != nil {
				t.Error(err)
			}
			if len(got) != len(want) || encoding == PCM && !slices.Equal(got, want) {
				t.Fatalf("%d samples came back for %d, or others", len(got), len(want))
			}
			for _, hz := range []float64{440, 1000} {
				if level := tone.Level(got[:8000], hz); level < -6.2 || level > -5.8 {
					t.Errorf("%v Hz came back at %.2f dB, want -6", hz, level)
				}
			}
		})
	}
}

// A process that is killed between any two writes leaves a file that can be
// read and lacks less than a second.
func TestWriterFileIsAlwaysReadable(t *testing.T) {
	t.Parallel()
	for _, channels := range []int{1, 2} {
		var d disk
		w, err := NewWriter(&d, PCM, channels)
		if err != nil {
			t.Fatal(err)
		}
		written := tone.Make(channels*40000, -6, 440)
		for end := 0; end <= len(written); end += channels * 160 {
			if end > 0 {
				if err := w.WriteSamples(written[end-channels*160 : end]); err != nil {
					t.Fatal(err)
				}
			}
			format, got := read(t, d.data)
			if int(format.Channels) != channels || !slices.Equal(got, written[:len(got)]) {
				t.Fatalf("after %d samples the file holds others: %v", end, format)
			}
			if lacks := end - len(got); lacks >= channels*8000 {
				t.Fatalf("after %d samples the file lacks %d", end, lacks)
			}
		}
	}
}

// What is cut off is not in the file, which is as short, and more can be added.
func TestWriterCut(t *testing.T) {
	t.Parallel()
	for _, channels := range []int{1, 2} {
		f, err := os.Create(filepath.Join(t.TempDir(), "a.wav"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w, err := NewWriter(f, PCM, channels)
		if err != nil {
			t.Fatal(err)
		}
		sound := tone.Make(channels*20000, -6, 440)
		if err := errors.Join(w.WriteSamples(sound), w.Cut(30000), w.Cut(12000), w.WriteSamples(sound[:channels*5]), w.Close()); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Concat(sound[:channels*12000], sound[:channels*5])
		if _, got := read(t, data); !slices.Equal(got, want) || len(data) != 44+2*len(want) {
			t.Errorf("%d samples are in a file of %d bytes, want %d", len(got), len(data), len(want))
		}
		if err := w.Cut(1); !errors.Is(err, errClosed) {
			t.Errorf("a file that is complete was cut: %v", err)
		}
	}
	w, err := NewWriter(&disk{}, PCM, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Cut(0); err == nil {
		t.Error("what cannot be made shorter was cut")
	}
}

func TestWriterFullDisk(t *testing.T) {
	t.Parallel()
	d := disk{size: 44 + 30000}
	w, err := NewWriter(&d, PCM, 1)
	if err != nil {
		t.Fatal(err)
	}
	sound := tone.Make(16000, -6, 440)
	if err := w.WriteSamples(sound); !errors.Is(err, errDiskFull) {
		t.Fatalf("WriteSamples = %v", err)
	}
	if _, err := w.Write([]byte{1, 2}); !errors.Is(err, errDiskFull) {
		t.Errorf("Write after a failure = %v", err)
	}
	if err := w.Close(); !errors.Is(err, errDiskFull) {
		t.Errorf("Close = %v", err)
	}
	if _, got := read(t, d.data); !slices.Equal(got, sound[:15000]) {
		t.Errorf("%d samples are in the file, want the 15000 that fitted", len(got))
	}
}

func TestWriterRefuses(t *testing.T) {
	t.Parallel()
	if _, err := NewWriter(&disk{}, 0x55, 1); err == nil {
		t.Error("an encoding that cannot be written was taken")
	}
	if _, err := NewWriter(&disk{}, PCM, 0); err == nil {
		t.Error("a file without channels was begun")
	}
	broken := errors.New("broken pipe")
	if _, err := NewWriter(&disk{seek: broken}, PCM, 1); !errors.Is(err, broken) {
		t.Errorf("NewWriter on a pipe = %v", err)
	}
	w, err := NewWriter(&disk{}, PCM, 1)
	if err != nil {
		t.Fatal(err)
	}
	w.sound = maxSound - 3
	if _, err := w.Write(make([]byte, 4)); !errors.Is(err, ErrFull) {
		t.Errorf("Write beyond 4 GiB = %v", err)
	}
}

func TestWriterCloseTwice(t *testing.T) {
	t.Parallel()
	var d disk
	w, err := NewWriter(&d, ULaw, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteSamples([]int16{1}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	if len(d.data) != maxHeader+2 {
		t.Errorf("the file has %d bytes, want a header of %d, one sample and its padding", len(d.data), maxHeader)
	}
	if size := binary.LittleEndian.Uint32(d.data[4:]); int(size) != len(d.data)-chunkHeader {
		t.Errorf("the header tells of %d bytes behind it, of %d", size, len(d.data)-chunkHeader)
	}
	if err := w.WriteSamples([]int16{1}); !errors.Is(err, errClosed) {
		t.Errorf("write after Close = %v", err)
	}
}
