// SPDX-License-Identifier: MIT

package prompt

import (
	"errors"
	"io"

	"github.com/callwright/callwright/media/resample"
)

// source gives the samples of a file; those of several channels alternate.
type source interface {
	// ReadSamples reads up to len(dst) samples. io.EOF comes without any.
	ReadSamples(dst []int16) (int, error)
}

// convert reads all of a source, mixes its channels and resamples it.
func (d Decoder) convert(s source, rate, channels int) (ulaw, alaw []byte, err error) {
	resampler, err := resample.New(rate)
	if err != nil {
		return nil, nil, err
	}
	mix := mixer{channels: channels}
	read := make([]int16, 8192)
	var mono, slow []int16
	long := false
	for {
		n, err := s.ReadSamples(read)
		mono = mix.append(mono[:0], read[:n])
		slow = resampler.Append(slow[:0], mono)
		if err != nil {
			slow = resampler.Flush(slow)
		}
		ulaw, alaw = encode(ulaw, alaw, slow)
		switch {
		case len(ulaw) > maxSamples:
			return nil, nil, errTooLong
		case len(ulaw) > longSamples && !long:
			long = true
			if err := d.Long(); err != nil {
				return nil, nil, err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return ulaw, alaw, nil
		case err != nil:
			return nil, nil, err
		}
	}
}

// mixer makes one channel of several: their mean, so that it is never too loud.
type mixer struct {
	channels int
	sum      int // of the channels so far
	seen     int // channels so far
}

// append takes samples of the channels in turn, and appends those that are
// complete. A sample of which channels are missing waits for the next.
func (m *mixer) append(dst, samples []int16) []int16 {
	if m.channels == 1 {
		return append(dst, samples...)
	}
	for _, v := range samples {
		m.sum += int(v)
		if m.seen++; m.seen == m.channels {
			dst = append(dst, int16(m.sum/m.channels))
			m.sum, m.seen = 0, 0
		}
	}
	return dst
}
