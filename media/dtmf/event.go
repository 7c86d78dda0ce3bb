// SPDX-License-Identifier: MIT

package dtmf

import (
	"encoding/binary"
	"strings"
)

// keys in the order of their event codes, 0 to 15 (RFC 4733 section 3.2).
const keys = "0123456789*#ABCD"

// PayloadSize is the length of one event in a payload, in bytes (RFC 4733
// section 2.3).
const PayloadSize = 4

// maxDuration is the longest duration that fits into a payload. A key held for
// longer is reported in segments (RFC 4733 section 2.5.1.3).
const maxDuration = 0xFFFF

// endBit marks the packets that report the end of an event. It shares its byte
// with the volume.
const endBit = 0x80

// Key gives the key, one of 0-9 * # A-D, that has this event code. ok is false
// for all the events that are no keys.
func Key(code uint8) (key byte, ok bool) {
	if int(code) >= len(keys) {
		return 0, false
	}
	return keys[code], true
}

// Code gives the event code of a key, one of 0-9 * # A-D or a-d.
func Code(key byte) (code uint8, ok bool) {
	if key >= 'a' && key <= 'd' {
		key -= 'a' - 'A'
	}
	i := strings.IndexByte(keys, key)
	return uint8(i), i >= 0
}

// payload is what a telephone-event packet says (RFC 4733 section 2.3).
type payload struct {
	code     uint8
	end      bool
	volume   uint8  // power below 0 dBm0, in dB
	duration uint16 // since the event began, in samples
}

// parse reads the first event of a packet. Later ones, which only senders that
// pack events back to back would write, are not looked at: between two keys
// there is always a pause.
func parse(b []byte) (p payload, ok bool) {
	if len(b) < PayloadSize {
		return payload{}, false
	}
	return payload{
		code:     b[0],
		end:      b[1]&endBit != 0,
		volume:   b[1] & 0x3F,
		duration: binary.BigEndian.Uint16(b[2:]),
	}, true
}

// bytes writes the payload as it goes on the wire.
func (p payload) bytes() (b [PayloadSize]byte) {
	b[0] = p.code
	b[1] = p.volume
	if p.end {
		b[1] |= endBit
	}
	binary.BigEndian.PutUint16(b[2:], p.duration)
	return b
}
