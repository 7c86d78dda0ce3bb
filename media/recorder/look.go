// SPDX-License-Identifier: MIT

package recorder

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/wav"
)

// Look gives how long a file is that a Recorder has written, and for how long
// somebody is heard in it: of one whose end nobody was told.
func Look(path string) (length, heard time.Duration, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, fmt.Errorf("look at recording: %w", err)
	}
	defer f.Close()
	r, err := wav.NewReader(f)
	if err != nil {
		return 0, 0, fmt.Errorf("look at recording: %w", err)
	}
	if err := r.Format().Readable(); err != nil {
		return 0, 0, fmt.Errorf("look at recording: %w", err)
	}
	frame := make([]int16, media.FrameSize*int(r.Format().Channels))
	l := newListener(time.Hour)
	for {
		n, err := fill(r, frame)
		if n == 0 && errors.Is(err, io.EOF) {
			return time.Duration(l.frames) * media.FrameDuration, time.Duration(l.heard) * media.FrameDuration, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, 0, fmt.Errorf("look at recording: %w", err)
		}
		l.bored(power(frame[:n]))
	}
}

// fill reads as much as fits, or all that is left.
func fill(r *wav.Reader, frame []int16) (n int, err error) {
	for n < len(frame) && err == nil {
		var more int
		more, err = r.ReadSamples(frame[n:])
		n += more
	}
	return n, err
}

// power is the mean square of samples, as codec.Power gives it of coded ones.
func power(samples []int16) (sum uint64) {
	for _, v := range samples {
		sum += uint64(int64(v) * int64(v))
	}
	return sum / uint64(len(samples))
}
