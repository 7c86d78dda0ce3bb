// SPDX-License-Identifier: MIT

package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
)

// maxHeader is the length of the longest header that Writer writes.
const maxHeader = 58

// maxSound is how much sound a file can hold: its lengths have 32 bits.
const maxSound = math.MaxUint32 - maxHeader - 1

// ErrFull says that a file has reached the 4 GiB that a WAV file can have.
var ErrFull = errors.New("a WAV file cannot grow over 4 GiB")

// errClosed is returned by writes after Close.
var errClosed = errors.New("write to a closed WAV file")

// Writer writes 8000 Hz sound into a WAV file. From the start the file is a
// valid one, and its header is brought up to date with each second of sound: if
// the process is killed, less than the last second is missing. It is not safe
// for concurrent use.
type Writer struct {
	w        io.WriteSeeker
	encoding Encoding
	channels int
	sound    int64 // bytes of sound in the file
	told     int64 // bytes of sound that the header tells of
	err      error // the first failure; nothing is written after it
	closed   bool
	buf      [1024]byte
}

// NewWriter writes the header of an empty file at the start of w, which should
// be empty. Encoding is PCM, of 16 bits, ULaw or ALaw; channels is 1 or 2.
func NewWriter(w io.WriteSeeker, encoding Encoding, channels int) (*Writer, error) {
	if encoding != PCM && encoding != ULaw && encoding != ALaw {
		return nil, fmt.Errorf("write WAV file: cannot code %v", encoding)
	}
	if channels != 1 && channels != 2 {
		return nil, fmt.Errorf("write WAV file: %d channels instead of 1 or 2", channels)
	}
	ww := &Writer{w: w, encoding: encoding, channels: channels}
	if err := ww.writeHeader(); err != nil {
		return nil, fmt.Errorf("write WAV header: %w", err)
	}
	return ww, nil
}

// Write adds sound that is coded as the file is, in whole samples of all
// channels. Once it has failed, it always fails.
func (w *Writer) Write(p []byte) (int, error) {
	if w.closed {
		return 0, errClosed
	}
	if w.err != nil {
		return 0, w.err
	}
	if w.sound+int64(len(p)) > maxSound {
		w.err = ErrFull
		return 0, w.err
	}
	n, err := w.w.Write(p)
	w.sound += int64(n)
	if err != nil {
		w.err = fmt.Errorf("write WAV file: %w", err)
		return n, w.err
	}
	if w.sound-w.told >= int64(w.blockSize())*media.SampleRate {
		if err := w.writeHeader(); err != nil {
			w.err = fmt.Errorf("write WAV header: %w", err)
		}
	}
	return n, w.err
}

// WriteSamples codes samples and adds them. Those of two channels alternate.
func (w *Writer) WriteSamples(samples []int16) error {
	size := w.sampleSize()
	for len(samples) > 0 {
		n := min(len(samples), len(w.buf)/size)
		switch w.encoding {
		case ULaw:
			codec.Encode(media.PCMU, w.buf[:], samples[:n])
		case ALaw:
			codec.Encode(media.PCMA, w.buf[:], samples[:n])
		default:
			for i, v := range samples[:n] {
				binary.LittleEndian.PutUint16(w.buf[2*i:], uint16(v))
			}
		}
		if _, err := w.Write(w.buf[:n*size]); err != nil {
			return err
		}
		samples = samples[n:]
	}
	return nil
}

// Cut takes away what stands behind the first samples of all channels, where w can
// truncate what it writes to, as an *os.File.
func (w *Writer) Cut(samples int64) error {
	file, ok := w.w.(interface{ Truncate(size int64) error })
	switch {
	case w.closed:
		return errClosed
	case w.err != nil:
		return w.err
	case !ok:
		return errors.New("what the WAV file is written to cannot be made shorter")
	}
	w.sound = min(w.sound, samples*int64(w.blockSize()))
	if err := w.writeHeader(); err != nil {
		w.err = fmt.Errorf("write WAV header: %w", err)
		return w.err
	}
	if err := file.Truncate(int64(len(w.header())) + w.sound); err != nil {
		w.err = fmt.Errorf("make WAV file shorter: %w", err)
	}
	return w.err
}

// Close completes the file. It does not close what the file is written to. It
// returns the first error of the whole writing; what was written before it is
// in the file nevertheless. Further calls return the same.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.sound%2 == 1 {
		if _, err := w.w.Write([]byte{0}); err != nil && w.err == nil {
			w.err = fmt.Errorf("write WAV file: %w", err)
		}
	}
	if err := w.writeHeader(); err != nil && w.err == nil {
		w.err = fmt.Errorf("write WAV header: %w", err)
	}
	return w.err
}

// writeHeader writes the header for the sound that is in the file, in one
// piece, and goes back to the end of the sound.
func (w *Writer) writeHeader() error {
	h := w.header()
	if _, err := w.w.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := w.w.Write(h); err != nil {
		return err
	}
	if _, err := w.w.Seek(int64(len(h))+w.sound, io.SeekStart); err != nil {
		return err
	}
	w.told = w.sound
	return nil
}

// header gives all that stands before the sound.
func (w *Writer) header() []byte {
	le := binary.LittleEndian
	block := w.blockSize()
	h := make([]byte, 0, maxHeader)
	h = append(h, "RIFF\x00\x00\x00\x00WAVEfmt "...)
	if w.encoding == PCM {
		h = le.AppendUint32(h, shortFormat)
	} else {
		h = le.AppendUint32(h, shortFormat+2)
	}
	h = le.AppendUint16(h, uint16(w.encoding))
	h = le.AppendUint16(h, uint16(w.channels))
	h = le.AppendUint32(h, media.SampleRate)
	h = le.AppendUint32(h, uint32(media.SampleRate*block))
	h = le.AppendUint16(h, uint16(block))
	h = le.AppendUint16(h, uint16(8*w.sampleSize()))
	if w.encoding != PCM {
		// What is not linear has the size of its extension, and the number of
		// samples a channel.
		h = le.AppendUint16(h, 0)
		h = append(h, "fact\x04\x00\x00\x00"...)
		h = le.AppendUint32(h, uint32(w.sound/int64(block)))
	}
	h = append(h, "data"...)
	h = le.AppendUint32(h, uint32(w.sound))
	le.PutUint32(h[4:], uint32(int64(len(h)-chunkHeader)+w.sound+w.sound%2))
	return h
}

// sampleSize is the length of one sample in bytes.
func (w *Writer) sampleSize() int {
	if w.encoding == PCM {
		return 2
	}
	return 1
}

// blockSize is the length of one sample of each channel in bytes.
func (w *Writer) blockSize() int { return w.sampleSize() * w.channels }
