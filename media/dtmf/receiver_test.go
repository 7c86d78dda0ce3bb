// SPDX-License-Identifier: MIT

package dtmf

import (
	"encoding/binary"
	"slices"
	"testing"
)

// heardPacket is one packet as the receiver is given it.
type heardPacket struct {
	payload   []byte
	timestamp uint32
	marker    bool
}

// packet builds the packet of a key.
func packet(key byte, timestamp uint32, duration uint16, flags ...string) heardPacket {
	code, ok := Code(key)
	if !ok {
		panic("no such key")
	}
	b := payload{code: code, duration: duration, end: slices.Contains(flags, "end")}.bytes()
	return heardPacket{payload: b[:], timestamp: timestamp, marker: slices.Contains(flags, "marker")}
}

// press builds all packets of a key that lies steps of 160 samples long.
func press(key byte, timestamp uint32, steps int) []heardPacket {
	packets := []heardPacket{packet(key, timestamp, 160, "marker")}
	for i := 2; i < steps; i++ {
		packets = append(packets, packet(key, timestamp, uint16(160*i)))
	}
	end := packet(key, timestamp, uint16(160*steps), "end")
	return append(packets, end, end, end)
}

// listen gives the keys that a receiver tells of these packets.
func listen(r *Receiver, packets ...heardPacket) string {
	var told []byte
	for _, p := range packets {
		if key, ok := r.Packet(p.payload, p.timestamp, p.marker); ok {
			told = append(told, key)
		}
	}
	return string(told)
}

func TestReceiver(t *testing.T) {
	t.Parallel()
	five := press('5', 8000, 6)
	reversed := slices.Clone(five)
	slices.Reverse(reversed)

	tests := []struct {
		name    string
		packets []heardPacket
		want    string
	}{
		{"nothing", nil, ""},
		{"one key", five, "5"},
		{"only the first packet", five[:1], "5"},
		{"first packet lost", five[1:], "5"},
		{"only one end packet", five[7:], "5"},
		{"every packet twice", slices.Concat(five, five), "5"},
		{"backwards", reversed, "5"},
		{"two keys", slices.Concat(press('1', 0, 5), press('2', 1600, 5)), "12"},
		{"same key twice", slices.Concat(press('1', 0, 5), press('1', 1600, 5)), "11"},
		{
			"same key twice, the ends and the second start lost",
			[]heardPacket{
				packet('1', 0, 160, "marker"), packet('1', 0, 320),
				packet('1', 1600, 320), packet('1', 1600, 480),
			},
			"11",
		},
		{
			"late packets of the key before",
			slices.Concat(press('1', 0, 5), press('2', 1600, 5)[:2], press('1', 0, 5)[3:], press('2', 1600, 5)[2:]),
			"12",
		},
		{
			"late packets of three keys before",
			slices.Concat(press('1', 0, 5), press('2', 1600, 5), press('3', 3200, 5), press('4', 4800, 5), press('1', 0, 5)),
			"1234",
		},
		{
			"same time, another key",
			slices.Concat(press('1', 0, 5), press('2', 0, 5)),
			"12",
		},
		{
			"timestamp wraps",
			slices.Concat(press('1', 0xFFFFFFF0, 5), press('1', 1584, 5)),
			"11",
		},
		{
			"sender starts over with older timestamps",
			slices.Concat(press('1', 900000, 5), press('1', 100, 5)),
			"11",
		},
		{
			"no key before the first, at time zero",
			press('0', 0, 5),
			"0",
		},
		{
			"duration zero in the first packet",
			[]heardPacket{packet('7', 40, 0, "marker"), packet('7', 40, 160), packet('7', 40, 320, "end")},
			"7",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := listen(new(Receiver), tt.packets...); got != tt.want {
				t.Errorf("told %q, want %q", got, tt.want)
			}
		})
	}
}

// A key may be held for longer than a duration can say (RFC 4733 section
// 2.5.1.3).
func TestReceiverLongKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		packets []heardPacket
		want    string
	}{
		{"three segments", []heardPacket{
			packet('5', 1000, 160, "marker"), packet('5', 1000, 0xFFFF),
			packet('5', 1000+0xFFFF, 160), packet('5', 1000+0xFFFF, 0xFFFF),
			packet('5', 1000+2*0xFFFF, 160), packet('5', 1000+2*0xFFFF, 320, "end"),
		}, "5"},
		{"segments counted in whole frames", []heardPacket{
			packet('5', 1000, 160, "marker"), packet('5', 1000, 65440),
			packet('5', 1000+65440, 160), packet('5', 1000+65440, 320, "end"),
		}, "5"},
		{"last packets of the segment lost", []heardPacket{
			packet('5', 1000, 160, "marker"), packet('5', 1000, 64000),
			packet('5', 1000+0xFFFF, 480),
		}, "5"},
		{"late packet of the first segment", []heardPacket{
			packet('5', 1000, 0xFFFE), packet('5', 1000+0xFFFF, 160), packet('5', 1000, 0xFFFF),
			packet('5', 1000+0xFFFF, 320, "end"),
		}, "5"},
		{"first segment ended: the key was pressed again", []heardPacket{
			packet('5', 1000, 0xFFFF, "end"), packet('5', 1000+0xFFFF, 160),
		}, "55"},
		{"first segment ended in a packet of its own", []heardPacket{
			packet('5', 1000, 0xFFFF), packet('5', 1000, 0xFFFF, "end"), packet('5', 1000+0xFFFF, 160),
		}, "55"},
		{"marker: the key was pressed again", []heardPacket{
			packet('5', 1000, 0xFFFF), packet('5', 1000+0xFFFF, 160, "marker"),
		}, "55"},
		{"another key", []heardPacket{
			packet('5', 1000, 0xFFFF), packet('6', 1000+0xFFFF, 160),
		}, "56"},
		{"short key, end lost, pressed again as late as a segment would be", []heardPacket{
			packet('5', 1000, 800), packet('5', 1000+0xFFFF, 160),
		}, "55"},
		{"long key, end lost, pressed again later", []heardPacket{
			packet('5', 1000, 0xFFFF), packet('5', 1000+0xFFFF+4000, 160),
		}, "55"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := listen(new(Receiver), tt.packets...); got != tt.want {
				t.Errorf("told %q, want %q", got, tt.want)
			}
		})
	}
}

// sipp moves its timestamp on by only 400 a key while it reports durations up
// to 1600, in 10 packets and 3 ends.
func TestReceiverTakesWhatSippSends(t *testing.T) {
	t.Parallel()
	var packets []heardPacket
	for i, key := range []byte("1559#**0") {
		packets = append(packets, press(key, 5000+uint32(i)*400, 10)...)
	}
	if got := listen(new(Receiver), packets...); got != "1559#**0" {
		t.Errorf("told %q, want %q", got, "1559#**0")
	}
}

func TestReceiverIgnoresWhatIsNoKey(t *testing.T) {
	t.Parallel()
	tests := map[string][]byte{
		"nil":        nil,
		"too short":  {1, 0x0A, 0},
		"hook flash": {16, 0x0A, 0, 160},
		"fax tone":   {32, 0x0A, 0, 160},
		"last code":  {255, 0xFF, 0xFF, 0xFF},
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if key, ok := new(Receiver).Packet(b, 0, true); ok {
				t.Errorf("told %q", key)
			}
		})
	}
}

// Bytes behind the first event do not make a packet unreadable.
func TestReceiverTakesLongerPayloads(t *testing.T) {
	t.Parallel()
	if key, ok := new(Receiver).Packet([]byte{9, 0x8A, 3, 32, 0, 0, 0, 0}, 0, false); !ok || key != '9' {
		t.Errorf("told %q, %v", key, ok)
	}
}

func TestKeysAndCodes(t *testing.T) {
	t.Parallel()
	for code := range 256 {
		key, ok := Key(uint8(code))
		if want := code < 16; ok != want {
			t.Errorf("Key(%d) = %q, %v", code, key, ok)
			continue
		}
		if back, ok2 := Code(key); ok && (!ok2 || int(back) != code) {
			t.Errorf("Code(%q) = %d, %v, want %d", key, back, ok2, code)
		}
	}
	for key, want := range map[byte]uint8{'0': 0, '9': 9, '*': 10, '#': 11, 'A': 12, 'd': 15} {
		if got, ok := Code(key); !ok || got != want {
			t.Errorf("Code(%q) = %d, %v, want %d", key, got, ok, want)
		}
	}
	for _, key := range []byte("E e~\x00\xff+") {
		if code, ok := Code(key); ok {
			t.Errorf("Code(%q) = %d, want none", key, code)
		}
	}
}

// FuzzReceiver feeds packets cut from any bytes: seven each, for marker,
// timestamp offset and payload. A key told must be one, and no packet is news
// when it comes again at once.
func FuzzReceiver(f *testing.F) {
	f.Add([]byte{1, 0, 0, 5, 0x0A, 0, 160, 0, 0, 0, 5, 0x8A, 3, 32})
	f.Add([]byte{1, 0, 0, 5, 0x0A, 0xFF, 0xFF, 0, 0xFF, 0xFF, 5, 0x0A, 0, 160})
	f.Add([]byte{0, 0, 0, 16, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Receiver
		for ; len(data) >= 7; data = data[7:] {
			marker := data[0]&1 != 0
			timestamp := uint32(binary.BigEndian.Uint16(data[1:]))
			length := min(int(data[0]>>1), PayloadSize)
			p := data[3 : 7-length]
			key, ok := r.Packet(p, timestamp, marker)
			if _, isKey := Code(key); ok && !isKey {
				t.Fatalf("told %q, which is no key", key)
			}
			if key, ok := r.Packet(p, timestamp, marker); ok {
				t.Fatalf("told %q again for the same packet", key)
			}
		}
	})
}
