// SPDX-License-Identifier: MIT

package prompt

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/hajimehoshi/go-mp3"
)

var errNotMP3 = errors.New("the file begins like MP3, but there is no sound in it that can be read: export it again, or send it as WAV")

// readMP3 reads an MP3 file.
func readMP3(r *bufio.Reader) (ulaw, alaw []byte, err error) {
	f, err := openMP3(r)
	if err != nil {
		return nil, nil, err
	}
	return convert(f, f.decoder.SampleRate(), 2)
}

// mp3File is the sound of an MP3 file, always in two channels.
type mp3File struct {
	decoder *mp3.Decoder
	bytes   []byte
}

func openMP3(r *bufio.Reader) (f *mp3File, err error) {
	defer recovered(&err)
	d, err := mp3.NewDecoder(r)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errNotMP3, err)
	}
	return &mp3File{decoder: d, bytes: make([]byte, 8192)}, nil
}

// ReadSamples implements source.
func (f *mp3File) ReadSamples(dst []int16) (n int, err error) {
	defer recovered(&err)
	got, err := io.ReadFull(f.decoder, f.bytes[:min(len(f.bytes), 2*len(dst))])
	for ; 2*n+1 < got; n++ {
		dst[n] = int16(binary.LittleEndian.Uint16(f.bytes[2*n:]))
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// recovered makes an error of a panic of the decoder.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w (%v)", errNotMP3, p)
	}
}
