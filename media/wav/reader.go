// SPDX-License-Identifier: MIT

package wav

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
)

// The lengths of what a file consists of, in bytes.
const (
	riffHeader       = 12 // "RIFF", the length of the rest, "WAVE"
	chunkHeader      = 8  // the name of a chunk, the length of its body
	shortFormat      = 16 // the least that a format holds
	extensibleFormat = 40 // the most of a format that we look at
)

// codedBlock is how many bytes are read and decoded together, a multiple of
// the size of every sample.
const codedBlock = 24 * 1024

// extensibleTail is the end of all the identifiers in extensible formats that
// begin with an encoding.
const extensibleTail = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71"

var (
	errNotWAV  = errors.New("the file is not a WAV file")
	errCutOff  = errors.New("the file is cut off before its sound begins: upload it again")
	errNoSound = errors.New("the file is a WAV file without sound in it (no data chunk): export it again")
	errFormat  = errors.New("the file is a WAV file that does not say how its sound is coded (no fmt chunk before the data): export it again")
)

// Reader reads the sound of one WAV file. It is an io.Reader of the sound as it
// is coded in the file, up to the end that the file claims or really has,
// whichever comes first: lengths in headers are often wrong, since programs
// that write into a pipe do not know them.
type Reader struct {
	r      *bufio.Reader
	format Format
	left   int64  // bytes of sound that the file still claims to have
	coded  []byte // for ReadSamples
}

// NewReader reads up to the first byte of sound. What it returns for a file
// that is no WAV, or a broken one, is for the customer whose file it is; errors
// of r are passed on.
func NewReader(r io.Reader) (*Reader, error) {
	br := bufio.NewReader(r)
	head, err := br.Peek(riffHeader)
	if err != nil {
		return nil, atEnd(err, errCutOff)
	}
	if string(head[:4]) != "RIFF" || string(head[8:12]) != "WAVE" {
		return nil, errNotWAV
	}
	riffSize := binary.LittleEndian.Uint32(head[4:])
	if _, err := br.Discard(riffHeader); err != nil {
		return nil, err
	}
	wr := &Reader{r: br}
	size, err := wr.findSound()
	if err != nil {
		return nil, err
	}
	wr.left = int64(size)
	if size == 0 && (riffSize == 0 || riffSize == math.MaxUint32) {
		// The writer never came back to fill in the lengths.
		wr.left = math.MaxInt64
	}
	return wr, nil
}

// findSound reads up to the body of the data chunk, takes the format on the
// way and skips all else. It returns the size that the data chunk claims.
func (r *Reader) findSound() (size uint32, err error) {
	known := false
	for {
		var header [chunkHeader]byte
		if _, err := io.ReadFull(r.r, header[:]); err != nil {
			return 0, atEnd(err, errNoSound)
		}
		size := binary.LittleEndian.Uint32(header[4:])
		switch string(header[:4]) {
		case "data":
			if !known {
				return 0, errFormat
			}
			return size, nil
		case "fmt ":
			if err := r.readFormat(size); err != nil {
				return 0, err
			}
			known = true
		default:
			if _, err := io.CopyN(io.Discard, r.r, int64(size)); err != nil {
				return 0, atEnd(err, errNoSound)
			}
		}
		if size%2 == 1 {
			r.skipPadding()
		}
	}
}

// readFormat reads the body of the fmt chunk.
func (r *Reader) readFormat(size uint32) error {
	if size < shortFormat {
		return errFormat
	}
	var b [extensibleFormat]byte
	n := min(size, extensibleFormat)
	if _, err := io.ReadFull(r.r, b[:n]); err != nil {
		return atEnd(err, errCutOff)
	}
	if _, err := io.CopyN(io.Discard, r.r, int64(size-n)); err != nil {
		return atEnd(err, errCutOff)
	}
	r.format = Format{
		Encoding:   Encoding(binary.LittleEndian.Uint16(b[0:])),
		Channels:   binary.LittleEndian.Uint16(b[2:]),
		SampleRate: binary.LittleEndian.Uint32(b[4:]),
		Bits:       binary.LittleEndian.Uint16(b[14:]),
	}
	if r.format.Encoding == extensible && n == extensibleFormat && bytes.HasSuffix(b[:], []byte(extensibleTail)) {
		r.format.Encoding = Encoding(binary.LittleEndian.Uint16(b[24:]))
	}
	return nil
}

// skipPadding skips the byte that makes the length of a chunk even. Some
// writers forget it: then there stands the name of the next chunk.
func (r *Reader) skipPadding() {
	if b, err := r.r.Peek(1); err == nil && b[0] == 0 {
		_, _ = r.r.Discard(1) // it is in the buffer
	}
}

// atEnd gives end instead of the errors that say that the file is over.
func atEnd(err, end error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return end
	}
	return err
}

// Format says how the sound is coded.
func (r *Reader) Format() Format { return r.format }

// Read reads sound as it is coded in the file.
func (r *Reader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.r.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	return n, err
}

// ReadSamples reads samples of any format that is readable, decodes them to 16
// bits and returns how many it read; io.EOF comes alone, when there are no more.
// Samples of several channels alternate. A sample that is cut in two is left
// out.
func (r *Reader) ReadSamples(dst []int16) (int, error) {
	if err := r.format.Readable(); err != nil {
		return 0, err
	}
	if r.coded == nil {
		r.coded = make([]byte, codedBlock)
	}
	size := r.format.sampleSize()
	want := min(len(dst), len(r.coded)/size) * size
	got, err := io.ReadFull(r, r.coded[:want])
	n := r.format.decode(dst, r.coded[:got])
	if n > 0 {
		err = atEnd(err, nil)
	}
	return n, atEnd(err, io.EOF)
}

// Samples reads the rest of the sound, all of it, as ReadSamples does.
func (r *Reader) Samples() ([]int16, error) {
	samples := []int16{}
	for {
		samples = slices.Grow(samples, codedBlock)
		n, err := r.ReadSamples(samples[len(samples):cap(samples)])
		samples = samples[:len(samples)+n]
		switch {
		case errors.Is(err, io.EOF):
			return samples, nil
		case err != nil:
			return nil, err
		}
	}
}
