// SPDX-License-Identifier: MIT

package rtcp

import (
	"errors"
	"fmt"

	pion "github.com/pion/rtcp"
)

// ErrMalformed says that a datagram is no compound RTCP packet (RFC 3550
// appendix A.2).
var ErrMalformed = errors.New("not an rtcp packet")

// Report is what one side tells the other.
type Report struct {
	// SSRC is who reports.
	SSRC uint32
	// Sender says what it has sent; nil if it sends nothing.
	Sender *Sender
	// Block is how it hears the other side; nil if it has heard nothing.
	Block *Block
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

// maxLost is the most that fits into the 24 bits of Block.Lost.
const maxLost = 1<<23 - 1

// Marshal gives the compound packet of r, from the source with the given name
// (CNAME, RFC 7022).
func (r *Report) Marshal(name string) ([]byte, error) {
	var blocks []pion.ReceptionReport
	if b := r.Block; b != nil {
		blocks = []pion.ReceptionReport{{
			SSRC: b.SSRC, FractionLost: b.Fraction, TotalLost: uint32(min(max(b.Lost, -maxLost-1), maxLost)) & (1<<24 - 1),
			LastSequenceNumber: b.Highest, Jitter: b.Jitter, LastSenderReport: uint32(b.LastSR), Delay: uint32(b.Delay),
		}}
	}
	var packets [3]pion.Packet
	if s := r.Sender; s != nil {
		packets[0] = &pion.SenderReport{
			SSRC: r.SSRC, NTPTime: uint64(s.Time), RTPTime: s.Timestamp, PacketCount: s.Packets, OctetCount: s.Octets, Reports: blocks,
		}
	} else {
		packets[0] = &pion.ReceiverReport{SSRC: r.SSRC, Reports: blocks}
	}
	packets[1] = pion.NewCNAMESourceDescription(r.SSRC, name)
	n := 2
	if r.Bye {
		packets[2] = &pion.Goodbye{Sources: []uint32{r.SSRC}}
		n = 3
	}
	b, err := pion.Marshal(packets[:n])
	if err != nil {
		return nil, fmt.Errorf("make rtcp report: %w", err)
	}
	return b, nil
}

// Parse reads the compound packet in b as a report about a source, of which all
// blocks about others are left out. It must begin with a report; packets of
// other types, and what is wrong inside them, do not matter. The only error is
// ErrMalformed.
func Parse(b []byte, about uint32) (Report, error) {
	var r Report
	for first := true; first || len(b) > 0; first = false {
		var h pion.Header
		if h.Unmarshal(b) != nil {
			return Report{}, ErrMalformed
		}
		size := 4 * (int(h.Length) + 1)
		isReport := h.Type == pion.TypeSenderReport || h.Type == pion.TypeReceiverReport
		if size > len(b) || first && (!isReport || h.Padding) {
			return Report{}, ErrMalformed
		}
		if err := r.add(h, b[:size], first, about); err != nil {
			return Report{}, ErrMalformed
		}
		b = b[size:]
	}
	return r, nil
}

// add takes one packet of a compound. What the first one says of its sender
// counts.
func (r *Report) add(h pion.Header, b []byte, first bool, about uint32) error {
	switch h.Type {
	case pion.TypeSenderReport:
		var p pion.SenderReport
		if err := p.Unmarshal(b); err != nil {
			return err
		}
		if first {
			r.SSRC = p.SSRC
			r.Sender = &Sender{Time: NTP(p.NTPTime), Timestamp: p.RTPTime, Packets: p.PacketCount, Octets: p.OctetCount}
		}
		r.hear(p.Reports, about)
	case pion.TypeReceiverReport:
		var p pion.ReceiverReport
		if err := p.Unmarshal(b); err != nil {
			return err
		}
		if first {
			r.SSRC = p.SSRC
		}
		r.hear(p.Reports, about)
	case pion.TypeGoodbye:
		r.Bye = true
	}
	return nil
}

// hear takes the block that is about a source.
func (r *Report) hear(blocks []pion.ReceptionReport, about uint32) {
	for _, b := range blocks {
		if b.SSRC != about || r.Block != nil {
			continue
		}
		r.Block = &Block{
			SSRC: b.SSRC, Fraction: b.FractionLost, Lost: int32(b.TotalLost<<8) >> 8, Highest: b.LastSequenceNumber,
			Jitter: b.Jitter, LastSR: Short(b.LastSenderReport), Delay: Short(b.Delay),
		}
	}
}
