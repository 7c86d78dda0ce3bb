// SPDX-License-Identifier: MIT

package rtp

import (
	"encoding/binary"
	"errors"

	pion "github.com/pion/rtp"
)

// HeaderSize is the length of an RTP header without CSRC list and extension.
const HeaderSize = 12

// MaxPayload is the longest payload taken from a packet: 100 ms of G.711. It
// leaves room above the 60 ms that the longest packets in use carry.
const MaxPayload = 800

// ErrMalformed says that a datagram is not an RTP packet.
var ErrMalformed = errors.New("not an rtp packet")

// Header is what callwright uses of an RTP header (RFC 3550 section 5.1).
type Header struct {
	Marker      bool
	PayloadType uint8
	Sequence    uint16
	Timestamp   uint32
	SSRC        uint32
}

// Put writes h as a plain 12-byte header to the start of b, which must be at
// least HeaderSize long.
func (h Header) Put(b []byte) {
	_ = b[HeaderSize-1]
	b[0] = 0x80
	b[1] = h.PayloadType
	if h.Marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], h.Sequence)
	binary.BigEndian.PutUint32(b[4:], h.Timestamp)
	binary.BigEndian.PutUint32(b[8:], h.SSRC)
}

// Parser reads packets. It keeps what the slow path needs from one packet to
// the next, so each goroutine has its own. The zero value is ready to use.
type Parser struct {
	slow pion.Packet
}

// Parse reads the packet in b. The payload is a part of b. Plain packets are
// read here; those with CSRC list, extension or padding go to pion/rtp. RTCP on
// the same port (RFC 5761 section 4) is no RTP packet.
func (p *Parser) Parse(b []byte) (Header, []byte, error) {
	if len(b) < HeaderSize || b[0]>>6 != 2 || (b[1] >= 192 && b[1] <= 223) {
		return Header{}, nil, ErrMalformed
	}
	payload := b[HeaderSize:]
	if b[0] != 0x80 {
		if err := p.slow.Unmarshal(b); err != nil {
			return Header{}, nil, ErrMalformed
		}
		payload = p.slow.Payload
	}
	if len(payload) > MaxPayload {
		return Header{}, nil, ErrMalformed
	}
	return Header{
		Marker:      b[1]&0x80 != 0,
		PayloadType: b[1] & 0x7F,
		Sequence:    binary.BigEndian.Uint16(b[2:]),
		Timestamp:   binary.BigEndian.Uint32(b[4:]),
		SSRC:        binary.BigEndian.Uint32(b[8:]),
	}, payload, nil
}
