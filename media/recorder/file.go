// SPDX-License-Identifier: MIT

package recorder

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/wav"
)

// file is the side of a recording that touches the disk.
type file struct {
	path   string
	what   media.RecordWhat
	ended  func(Result)
	free   func(folder string) (bytes uint64, err error)
	f      *os.File
	w      *wav.Writer
	frames int64
	over   bool // ended was told
}

// take writes a chunk, and makes the file before the first and completes it
// after the last one.
func (f *file) take(c *chunk) {
	if f.over {
		return
	}
	if f.f == nil {
		if err := f.create(); err != nil {
			f.end(Result{Err: err})
			return
		}
	}
	if err := f.write(c); err != nil {
		f.end(Result{Err: err})
		return
	}
	if c.last {
		r := c.recording.result() // nothing is added to it behind the last chunk
		if err := f.cut(r.Duration); err != nil && r.Err == nil {
			r.Err = err
		}
		f.end(r)
	}
}

// cut takes away what stands behind a length.
func (f *file) cut(length time.Duration) error {
	frames := int64(length / media.FrameDuration)
	if frames >= f.frames {
		return nil
	}
	f.frames = frames
	return f.w.Cut(int64(length) / int64(time.Second/media.SampleRate))
}

// create makes the file, and the folder if need be. It must not exist: a
// recording never overwrites one.
func (f *file) create() (err error) {
	folder := filepath.Dir(f.path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make folder for recording: %w", err)
	}
	if free, err := f.free(folder); err == nil && free < leastFree {
		return fmt.Errorf("%w: %d MiB", ErrFull, free>>20)
	}
	f.f, err = os.OpenFile(f.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make recording: %w", err)
	}
	channels := 1
	if f.what == media.RecordStereo {
		channels = 2
	}
	f.w, err = wav.NewWriter(f.f, wav.PCM, channels)
	return err
}

// write decodes a chunk and writes it in one piece.
func (f *file) write(c *chunk) error {
	if c.size == 0 {
		return nil
	}
	var (
		samples [chunkSize]int16
		out     [2 * chunkSize]byte
	)
	n := codec.Decode(c.codec, samples[:], c.sound[:c.size])
	switch f.what {
	case media.RecordStereo:
		n = interleave(out[:], samples[:n])
	case media.RecordMixed:
		n = mix(out[:], samples[:n])
	default:
		for i, v := range samples[:n] {
			binary.LittleEndian.PutUint16(out[2*i:], uint16(v))
		}
	}
	channels := 1
	if f.what == media.RecordStereo {
		channels = 2
	}
	if _, err := f.w.Write(out[:2*n]); err != nil {
		return err
	}
	f.frames += int64(n / channels / media.FrameSize)
	return nil
}

// interleave writes samples of two sides, whose frames alternate, as those of
// two channels, which alternate one by one, and says how many there are.
func interleave(out []byte, samples []int16) int {
	for i, v := range samples {
		frame, at := i/media.FrameSize, i%media.FrameSize
		place := 2*(frame/2*media.FrameSize+at) + frame%2
		binary.LittleEndian.PutUint16(out[2*place:], uint16(v))
	}
	return len(samples)
}

// mix adds up the samples of two sides, whose frames alternate, and says how
// many come of it. What is louder than can be written is as loud as can be.
func mix(out []byte, samples []int16) int {
	for i := range len(samples) / 2 {
		at := i/media.FrameSize*2*media.FrameSize + i%media.FrameSize
		sum := int(samples[at]) + int(samples[at+media.FrameSize])
		sum = max(math.MinInt16, min(math.MaxInt16, sum))
		binary.LittleEndian.PutUint16(out[2*i:], uint16(sum))
	}
	return len(samples) / 2
}

// end completes the file and tells what came of it, which is r but for the length
// and what fails now.
func (f *file) end(r Result) {
	f.over = true
	if f.w != nil {
		if err := f.w.Close(); r.Err == nil {
			r.Err = err
		}
	}
	if f.f != nil {
		if err := f.f.Close(); r.Err == nil && err != nil {
			r.Err = fmt.Errorf("complete recording: %w", err)
		}
	}
	r.Duration = time.Duration(f.frames) * media.FrameDuration
	f.ended(r)
}
