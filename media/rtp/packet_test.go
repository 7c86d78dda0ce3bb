// SPDX-License-Identifier: MIT

package rtp_test

import (
	"bytes"
	"testing"

	pion "github.com/pion/rtp"
	"pgregory.net/rapid"

	"github.com/callwright/callwright/media/rtp"
)

func TestHeaderAgainstPion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := rtp.Header{
			Marker:      rapid.Bool().Draw(t, "marker"),
			PayloadType: rapid.Uint8Range(0, 63).Draw(t, "payload type"),
			Sequence:    rapid.Uint16().Draw(t, "sequence"),
			Timestamp:   rapid.Uint32().Draw(t, "timestamp"),
			SSRC:        rapid.Uint32().Draw(t, "ssrc"),
		}
		payload := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "payload")
		b := make([]byte, rtp.HeaderSize, 300)
		h.Put(b)
		b = append(b, payload...)

		var theirs pion.Packet
		if err := theirs.Unmarshal(b); err != nil {
			t.Fatalf("pion cannot read what we wrote: %v", err)
		}
		if theirs.Marker != h.Marker || theirs.PayloadType != h.PayloadType || theirs.SequenceNumber != h.Sequence ||
			theirs.Timestamp != h.Timestamp || theirs.SSRC != h.SSRC || !bytes.Equal(theirs.Payload, payload) {
			t.Fatalf("pion read %+v, we wrote %+v", theirs.Header, h)
		}
		theirs.CSRC = rapid.SliceOfN(rapid.Uint32(), 0, 15).Draw(t, "csrc")
		if rapid.Bool().Draw(t, "extension") {
			if err := theirs.SetExtension(1, []byte{1, 2, 3}); err != nil {
				t.Fatal(err)
			}
		}
		if rapid.Bool().Draw(t, "padding") {
			theirs.Padding, theirs.PaddingSize = true, 4
		}
		wire, err := theirs.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var p rtp.Parser
		got, sound, err := p.Parse(wire)
		if err != nil || got != h || !bytes.Equal(sound, payload) {
			t.Fatalf("parse = %+v, %x, %v; want %+v, %x", got, sound, err, h, payload)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	plain := func(change func([]byte) []byte) []byte {
		b := make([]byte, 172)
		rtp.Header{}.Put(b)
		return change(b)
	}
	for name, b := range map[string][]byte{
		"nothing":          {},
		"short":            plain(func(b []byte) []byte { return b[:11] }),
		"version 1":        plain(func(b []byte) []byte { b[0] = 0x40; return b }),
		"stun":             plain(func(b []byte) []byte { b[0] = 0; return b }),
		"rtcp":             plain(func(b []byte) []byte { b[1] = 200; return b }),
		"csrc beyond end":  plain(func(b []byte) []byte { b[0] = 0x8F; return b[:20] }),
		"extension cut":    plain(func(b []byte) []byte { b[0] = 0x90; b[14], b[15] = 0xFF, 0xFF; return b }),
		"padding too long": plain(func(b []byte) []byte { b[0] = 0xA0; b[171] = 255; return b }),
		"giant":            make([]byte, 1500),
	} {
		if name == "giant" {
			rtp.Header{}.Put(b)
		}
		var p rtp.Parser
		if h, payload, err := p.Parse(b); err == nil {
			t.Errorf("%s: parsed as %+v with %d bytes", name, h, len(payload))
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	b := make([]byte, 172)
	rtp.Header{SSRC: 1}.Put(b)
	extended, err := (&pion.Packet{Header: pion.Header{Version: 2, CSRC: []uint32{1, 2}}, Payload: b[12:]}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var p rtp.Parser
	for name, packet := range map[string][]byte{"plain": b, "csrc": extended} {
		if n := testing.AllocsPerRun(100, func() { _, _, _ = p.Parse(packet) }); n != 0 {
			t.Errorf("%s: %v allocations a packet", name, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	b := make([]byte, 172)
	rtp.Header{Marker: true, PayloadType: 8, Sequence: 65535, Timestamp: 1 << 31, SSRC: 7}.Put(b)
	f.Add(b)
	f.Add([]byte{0x92, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0xBE, 0xDE, 0, 1, 0x10, 1, 0, 0, 5})
	f.Add([]byte{0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		var p rtp.Parser
		h, payload, err := p.Parse(b)
		var theirs pion.Packet
		failed := theirs.Unmarshal(bytes.Clone(b))
		if err != nil {
			return // we may refuse more: RTCP, giants
		}
		if failed != nil {
			t.Fatalf("we read %x, pion does not: %v", b, failed)
		}
		if h.Sequence != theirs.SequenceNumber || h.SSRC != theirs.SSRC || h.PayloadType != theirs.PayloadType || !bytes.Equal(payload, theirs.Payload) {
			t.Fatalf("we read %+v %x, pion %+v %x", h, payload, theirs.Header, theirs.Payload)
		}
	})
}
