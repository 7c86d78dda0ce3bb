// SPDX-License-Identifier: MIT

package recorder

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/wav"
)

// file is the side of a recording that touches the disk.
type file struct {
	path   string
	both   bool
	ended  func(Result)
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
			f.end(err)
			return
		}
	}
	if err := f.write(c); err != nil {
		f.end(err)
		return
	}
	if c.last {
		var err error
		if c.recording.slow { // set before the last chunk was pushed
			err = ErrTooSlow
		}
		f.end(err)
	}
}

// create makes the file. It must not exist: a recording never overwrites one.
func (f *file) create() (err error) {
	f.f, err = os.OpenFile(f.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make recording: %w", err)
	}
	channels := 1
	if f.both {
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
	step, frames := 1, n/media.FrameSize
	if f.both {
		step, frames = 2, frames/2
	}
	for i, v := range samples[:n] {
		frame, at := i/media.FrameSize, i%media.FrameSize
		// One channel: as it is. Two: frames alternate here, samples there.
		place := (frame/step*media.FrameSize+at)*step + frame%step
		binary.LittleEndian.PutUint16(out[2*place:], uint16(v))
	}
	f.frames += int64(frames)
	_, err := f.w.Write(out[:2*n])
	return err
}

// end completes the file and tells what came of it, once.
func (f *file) end(err error) {
	f.over = true
	if f.w != nil {
		if e := f.w.Close(); err == nil {
			err = e
		}
	}
	if f.f != nil {
		if e := f.f.Close(); err == nil && e != nil {
			err = fmt.Errorf("complete recording: %w", e)
		}
	}
	f.ended(Result{Duration: time.Duration(f.frames) * media.FrameDuration, Err: err})
}
