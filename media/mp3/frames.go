// SPDX-License-Identifier: MIT

package mp3

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// frames finds the frames in a file, between tags and whatever else.
type frames struct {
	r     *bufio.Reader
	first header // of the first frame, 0 before that
	lost  bool   // something else was skipped since the last frame
}

// next gives the next whole frame, valid until it is called again. io.EOF is
// returned when there are no more.
func (f *frames) next() (header, []byte, error) {
	for {
		head, err := f.r.Peek(10)
		if len(head) < 4 {
			return 0, nil, err
		}
		h := header(binary.BigEndian.Uint32(head))
		switch {
		case len(head) == 10 && string(head[:3]) == "ID3":
			if err := f.skipTag(head); err != nil {
				return 0, nil, err
			}
			continue
		case h.isValid() && (f.first == 0 || (h^f.first)&same == 0):
			frame, err := f.take(h)
			if frame != nil || err != nil {
				return h, frame, err
			}
		}
		f.lost = true
		_, _ = f.r.Discard(1) // it is in the buffer
	}
}

// skipTag skips a tag (ID3v2.4 section 3.1). Its length has 7 bits in each byte.
func (f *frames) skipTag(head []byte) error {
	size := int64(0)
	for _, b := range head[6:] {
		size = size<<7 | int64(b&0x7F)
	}
	_, err := io.CopyN(io.Discard, f.r, int64(len(head))+size)
	return err
}

// take gives the frame that begins here, or nil if this is none after all. The
// first frame, and the first after something else, must be followed by another.
func (f *frames) take(h header) ([]byte, error) {
	size := h.size()
	b, err := f.r.Peek(size + 4)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case len(b) < size:
		if f.first == 0 || f.lost {
			return nil, nil
		}
		return nil, io.EOF // the last one is cut off
	case (f.first == 0 || f.lost) && !follows(b[size:], h):
		return nil, nil
	}
	if f.first == 0 {
		f.first = h
	}
	f.lost = false
	frame := append([]byte(nil), b[:size]...)
	_, err = f.r.Discard(size)
	return frame, err
}

// follows says whether what is behind a frame looks like it: another frame, a
// tag, or the end of the file.
func follows(rest []byte, h header) bool {
	if len(rest) < 4 {
		return true
	}
	next := header(binary.BigEndian.Uint32(rest))
	if next.isValid() && (next^h)&same == 0 {
		return true
	}
	for _, tag := range []string{"TAG", "APE", "ID3", "LYR"} {
		if strings.HasPrefix(string(rest), tag) {
			return true
		}
	}
	return false
}
