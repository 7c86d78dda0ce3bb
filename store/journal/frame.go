// SPDX-License-Identifier: MIT

package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
)

// A segment begins with the eight bytes of opening; the last of them is the
// version of the format. Frames follow without a gap, one for the changes that
// were appended together:
//
//	4 bytes  marker
//	4 bytes  length of the text
//	4 bytes  number of changes
//	4 bytes  CRC-32 (Castagnoli) of the two numbers and the text
//	n bytes  the changes as JSON
//
// Numbers have their lowest byte first. The marker is not UTF-8 and so never
// part of a text: behind a damage, the next frame is found by it.
const (
	opening   = "CWJRNL\n\x01"
	marker    = "\xc5CWJ"
	frameHead = 16
)

// errNewer: a later callwright wrote the segment.
var errNewer = errors.New("it was written by a newer callwright; start that version until the journal is empty")

// frame is what was appended together.
type frame struct {
	text    []byte
	changes int
}

// appendFrame appends a frame to a buffer.
func appendFrame(to []byte, f frame) []byte {
	to = append(to, marker...)
	to = binary.LittleEndian.AppendUint32(to, uint32(len(f.text)))
	to = binary.LittleEndian.AppendUint32(to, uint32(f.changes))
	to = binary.LittleEndian.AppendUint32(to, checksum(to[len(to)-8:], f.text))
	return append(to, f.text...)
}

func checksum(numbers, text []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once by the library
	return crc32.Update(crc32.Checksum(numbers, table), table, text)
}

// frameAt reads the frame that begins at an offset. torn says that it goes on
// behind the end of the segment.
func frameAt(segment []byte, at int) (f frame, end int, torn, ok bool) {
	rest := segment[at:]
	if len(rest) < frameHead {
		return f, 0, strings.HasPrefix(marker, string(rest[:min(len(rest), len(marker))])), false
	}
	if string(rest[:len(marker)]) != marker {
		return f, 0, false, false
	}
	length := uint64(binary.LittleEndian.Uint32(rest[4:]))
	if length > uint64(len(rest)-frameHead) {
		return f, 0, true, false
	}
	text := rest[frameHead : frameHead+int(length)]
	if binary.LittleEndian.Uint32(rest[12:]) != checksum(rest[4:12], text) {
		return f, 0, false, false
	}
	return frame{text, int(binary.LittleEndian.Uint32(rest[8:]))}, at + frameHead + int(length), false, true
}

// nextFrame gives the first whole frame at or behind an offset, and where it
// begins and ends.
func nextFrame(segment []byte, at int) (f frame, start, end int, ok bool) {
	for start = at; start < len(segment); {
		if f, end, _, ok = frameAt(segment, start); ok {
			return f, start, end, true
		}
		further := bytes.Index(segment[start+1:], []byte(marker))
		if further < 0 {
			break
		}
		start += 1 + further
	}
	return frame{}, 0, 0, false
}

// survey is what is found in a segment.
type survey struct {
	begin   int   // where the first frame may be
	changes int   // in all whole frames
	damage  []int // offsets at which something else than a frame begins
	torn    int   // offset of a frame that was not written to its end; -1 for none
}

// look reads through a segment.
func look(segment []byte) (survey, error) {
	s := survey{begin: len(opening), torn: -1}
	version := len(opening) - 1
	switch {
	case len(segment) < len(opening) && strings.HasPrefix(opening, string(segment)):
		s.begin, s.torn = 0, 0
		return s, nil
	case len(segment) < len(opening) || string(segment[:version]) != opening[:version]:
		s.begin = 0 // the opening is damaged; there may be frames all the same
	case segment[version] > opening[version]:
		return s, errNewer
	}
	for at := s.begin; at < len(segment); {
		f, start, end, ok := nextFrame(segment, at)
		if !ok {
			if _, _, torn, _ := frameAt(segment, at); torn || len(bytes.Trim(segment[at:], "\x00")) == 0 {
				s.torn = at
			} else {
				s.damage = append(s.damage, at)
			}
			break
		}
		if start > at {
			s.damage = append(s.damage, at)
		}
		s.changes += f.changes
		at = end
	}
	return s, nil
}
