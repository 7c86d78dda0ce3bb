// SPDX-License-Identifier: MIT

package rtcp

import (
	"encoding/binary"
	"errors"
)

// ErrMalformed says that a datagram is no compound RTCP packet (RFC 3550
// appendix A.2).
var ErrMalformed = errors.New("not an rtcp packet")

// Report is what one side tells the other.
type Report struct {
	// SSRC is who reports.
	SSRC uint32
	// Sends says that it sends, and Sender what it has sent.
	Sends  bool
	Sender Sender
	// Hears says that it has heard the other side, and Block how.
	Hears bool
	Block Block
	// Bye says that it sends no more (RFC 3550 section 6.6).
	Bye bool
}

// Sender is what somebody has sent (RFC 3550 section 6.4.1).
type Sender struct {
	Time      NTP
	Timestamp uint32 // the same time on the clock of its RTP packets
	Packets   uint32
	Octets    uint32 // of payload
}

// Block is how somebody hears another (RFC 3550 section 6.4.1).
type Block struct {
	SSRC     uint32 // who is heard
	Fraction uint8  // of 256 packets lost since the report before
	Lost     int32  // packets lost since it was first heard; 24 bits
	Highest  uint32 // sequence number, with how often it began again above
	Jitter   uint32 // in units of the timestamp
	LastSR   Short  // when the last sender report was made, on its sender's clock; 0 without one
	Delay    Short  // from its arrival until now
}

// Types of packets (RFC 3550 section 12.1).
const (
	typeSR   = 200
	typeRR   = 201
	typeSDES = 202
	typeBye  = 203
)

const (
	version    = 2 << 6
	padded     = 1 << 5
	headerSize = 8 // with the SSRC
	senderSize = 20
	blockSize  = 24
	maxBlocks  = 31
	cname      = 1 // the item of a source description that must be there
	// maxLost is the most that fits into the 24 bits of Block.Lost.
	maxLost = 1<<23 - 1
)

// MaxName is the longest name of a source that Append takes.
const MaxName = 64

// MaxSize is the length that a packet of Append may have.
const MaxSize = headerSize + senderSize + blockSize + headerSize + 2 + MaxName + 4 + headerSize

// Append writes the compound packet of r behind b, from the source with the given
// name (CNAME, RFC 7022), of which MaxName bytes count. With room for MaxSize
// bytes it allocates nothing.
func (r *Report) Append(b []byte, name []byte) []byte {
	start, count, kind := len(b), byte(0), byte(typeRR)
	if r.Hears {
		count = 1
	}
	if r.Sends {
		kind = typeSR
	}
	b = binary.BigEndian.AppendUint32(append(b, version|count, kind, 0, 0), r.SSRC)
	if s := &r.Sender; r.Sends {
		b = binary.BigEndian.AppendUint64(b, uint64(s.Time))
		for _, v := range [...]uint32{s.Timestamp, s.Packets, s.Octets} {
			b = binary.BigEndian.AppendUint32(b, v)
		}
	}
	if k := &r.Block; r.Hears {
		lost := uint32(min(max(k.Lost, -maxLost-1), maxLost)) & (1<<24 - 1)
		for _, v := range [...]uint32{k.SSRC, uint32(k.Fraction)<<24 | lost, k.Highest, k.Jitter, uint32(k.LastSR), uint32(k.Delay)} {
			b = binary.BigEndian.AppendUint32(b, v)
		}
	}
	seal(b[start:])

	start = len(b)
	name = name[:min(len(name), MaxName)]
	b = binary.BigEndian.AppendUint32(append(b, version|1, typeSDES, 0, 0), r.SSRC)
	b = append(append(b, cname, byte(len(name))), name...)
	for end := true; end || (len(b)-start)%4 != 0; end = false { // a zero ends the items
		b = append(b, 0)
	}
	seal(b[start:])

	if r.Bye {
		start = len(b)
		b = binary.BigEndian.AppendUint32(append(b, version|1, typeBye, 0, 0), r.SSRC)
		seal(b[start:])
	}
	return b
}

// seal writes the length of a packet into it.
func seal(packet []byte) { binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)/4-1)) }

// Parse reads the compound packet in b as a report about a source, of which all
// blocks about others are left out. It must begin with a report; packets of
// other types, and what is in them, do not matter. The only error is
// ErrMalformed. It allocates nothing.
func Parse(b []byte, about uint32) (Report, error) {
	var r Report
	for first := true; first || len(b) > 0; first = false {
		if len(b) < 4 || b[0]&0xC0 != version {
			return Report{}, ErrMalformed
		}
		kind, size := b[1], 4*(int(binary.BigEndian.Uint16(b[2:]))+1)
		isReport := kind == typeSR || kind == typeRR
		if size > len(b) || first && (!isReport || b[0]&padded != 0) {
			return Report{}, ErrMalformed
		}
		switch {
		case isReport && !r.add(b[:size], first, about):
			return Report{}, ErrMalformed
		case kind == typeBye:
			r.Bye = true
		}
		b = b[size:]
	}
	return r, nil
}

// add takes a sender or receiver report of a compound, and says whether it is
// whole. What the first one says of its sender counts.
func (r *Report) add(b []byte, first bool, about uint32) bool {
	blocks, at := int(b[0]&maxBlocks), headerSize
	sends := b[1] == typeSR
	if sends {
		at += senderSize
	}
	if len(b) < at+blocks*blockSize {
		return false
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }
	if first {
		r.SSRC, r.Sends = word(4), sends
	}
	if first && sends {
		r.Sender = Sender{Time: NTP(binary.BigEndian.Uint64(b[8:])), Timestamp: word(16), Packets: word(20), Octets: word(24)}
	}
	for ; blocks > 0 && !r.Hears; blocks, at = blocks-1, at+blockSize {
		if word(at) != about {
			continue
		}
		r.Hears = true
		r.Block = Block{
			SSRC: about, Fraction: b[at+4], Lost: int32(word(at+4)<<8) >> 8, Highest: word(at + 8),
			Jitter: word(at + 12), LastSR: Short(word(at + 16)), Delay: Short(word(at + 20)),
		}
	}
	return true
}
