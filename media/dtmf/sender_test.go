// SPDX-License-Identifier: MIT

package dtmf

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/media"
)

// play steps the sender until it is idle and gives one word a frame.
func play(s *Sender, timestamp uint32) (frames []string) {
	for ; s.Busy(); timestamp += media.FrameSize {
		p, ok := s.Step(timestamp, false)
		if !ok {
			frames = append(frames, "sound")
			continue
		}
		said, _ := parse(p.Payload[:])
		key, _ := Key(said.code)
		word := fmt.Sprintf("%c at %d for %d", key, p.Timestamp, said.duration)
		if p.Marker {
			word += " marker"
		}
		if said.end {
			word += " end"
		}
		frames = append(frames, word)
	}
	return frames
}

func TestSenderPlaysOneKeyAfterAnother(t *testing.T) {
	t.Parallel()
	var s Sender
	if err := s.Queue("1#"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1 at 4000 for 160 marker",
		"1 at 4000 for 320",
		"1 at 4000 for 480",
		"1 at 4000 for 640",
		"1 at 4000 for 800 end",
		"1 at 4000 for 800 end",
		"1 at 4000 for 800 end",
		"sound", "sound", "sound",
		"# at 5600 for 160 marker",
		"# at 5600 for 320",
		"# at 5600 for 480",
		"# at 5600 for 640",
		"# at 5600 for 800 end",
		"# at 5600 for 800 end",
		"# at 5600 for 800 end",
		"sound", "sound", "sound",
	}
	if diff := cmp.Diff(want, play(&s, 4000)); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
	if p, ok := s.Step(9000, false); ok {
		t.Errorf("an idle sender sends %+v", p)
	}
}

// The bytes of RFC 4733 section 2.3, figure 1: event, end bit with volume,
// duration in network order.
func TestSenderPayloadBytes(t *testing.T) {
	t.Parallel()
	var s Sender
	if err := s.Queue("9"); err != nil {
		t.Fatal(err)
	}
	var got [][PayloadSize]byte
	for s.Busy() {
		if p, ok := s.Step(0, false); ok {
			got = append(got, p.Payload)
		}
	}
	want := [][PayloadSize]byte{
		{9, 10, 0x00, 0xA0}, {9, 10, 0x01, 0x40}, {9, 10, 0x01, 0xE0}, {9, 10, 0x02, 0x80},
		{9, 0x8A, 0x03, 0x20}, {9, 0x8A, 0x03, 0x20}, {9, 0x8A, 0x03, 0x20},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("payloads (-want +got):\n%s", diff)
	}
}

func TestSenderQueue(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("1", QueueSize)
	tests := []struct {
		name   string
		digits string
		want   error
	}{
		{"nothing", "", nil},
		{"all keys", keys + "abcd", nil},
		{"as many as fit", full, nil},
		{"one too many", full + "1", ErrQueueFull},
		{"letter", "12x4", ErrNotKey},
		{"not ASCII", "1\u0131", ErrNotKey},
		{"not UTF-8", "1\xff", ErrNotKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var s Sender
			if err := s.Queue(tt.digits); !errors.Is(err, tt.want) {
				t.Fatalf("Queue = %v, want %v", err, tt.want)
			}
			if tt.want != nil && s.Busy() {
				t.Error("keys of a refused string are queued")
			}
			if got, want := hear(&s), strings.ToUpper(tt.digits); tt.want == nil && got != want {
				t.Errorf("played %q, want %q", got, want)
			}
		})
	}
}

// hear plays the sender to its end into a receiver.
func hear(s *Sender) string {
	var r Receiver
	var told []byte
	for timestamp := uint32(0); s.Busy(); timestamp += media.FrameSize {
		if p, ok := s.Step(timestamp, false); ok {
			if key, ok := r.Packet(p.Payload[:], p.Timestamp, p.Marker); ok {
				told = append(told, key)
			}
		}
	}
	return string(told)
}

// Keys queued while others play go on behind them, also around the end of the
// ring.
func TestSenderQueueWhilePlaying(t *testing.T) {
	t.Parallel()
	var s Sender
	var r Receiver
	var sent, told []byte
	for timestamp := uint32(0); timestamp < 500*1600; timestamp += media.FrameSize {
		if !s.Busy() || timestamp%8000 == 0 && len(sent) < 300 {
			more := keys[len(sent)%7 : len(sent)%7+3]
			if err := s.Queue(more); err != nil {
				t.Fatal(err)
			}
			sent = append(sent, more...)
		}
		if p, ok := s.Step(timestamp, false); ok {
			if key, ok := r.Packet(p.Payload[:], p.Timestamp, p.Marker); ok {
				told = append(told, key)
			}
		}
	}
	if len(told) < 2*QueueSize || !strings.HasPrefix(string(sent), string(told)) {
		t.Errorf("told %d keys that differ from the %d sent\n%s\n%s", len(told), len(sent), told, sent)
	}
}

// Not parallel: AllocsPerRun counts the allocations of the whole program.
func TestNoAllocation(t *testing.T) {
	var s Sender
	var r Receiver
	if got := testing.AllocsPerRun(100, func() {
		if !s.Busy() {
			_ = s.Queue("159#")
		}
		if p, ok := s.Step(0, false); ok {
			r.Packet(p.Payload[:], p.Timestamp, p.Marker)
		}
	}); got != 0 {
		t.Errorf("%v allocations per frame, want 0", got)
	}
}

// FuzzNetwork sends keys through a network that loses, repeats and delays
// packets as the bytes say, but leaves one packet of each key and lets none
// overtake a whole key. All keys must arrive, once and in order.
func FuzzNetwork(f *testing.F) {
	f.Add("1", []byte{})
	f.Add("11*#A0", []byte{0, 1, 2, 3, 0, 0, 0, 0, 0, 3, 2, 1})
	f.Add("5555", []byte{0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2})
	f.Fuzz(func(t *testing.T, digits string, network []byte) {
		var s Sender
		if s.Queue(digits) != nil {
			return
		}
		fate := func() byte {
			if len(network) == 0 {
				return 1
			}
			b := network[0]
			network = network[1:]
			return b % 4
		}
		var r Receiver
		var told []byte
		deliver := func(packets []Packet) {
			for _, p := range packets {
				if key, ok := r.Packet(p.Payload[:], p.Timestamp, p.Marker); ok {
					told = append(told, key)
				}
			}
		}
		var onTime, late, overdue []Packet
		for timestamp := uint32(0); s.Busy(); timestamp += media.FrameSize {
			if p, ok := s.Step(timestamp, false); ok {
				switch fate() {
				case 0: // lost
				case 1:
					onTime = append(onTime, p)
				case 2:
					onTime = append(onTime, p, p)
				case 3:
					late = append(late, p)
				}
				continue
			}
			if s.frame != toneFrames+endFrames+1 {
				continue
			}
			// The pause begins: what was late of this key comes behind the next.
			if len(onTime) == 0 {
				onTime, late = late, nil
			}
			if len(onTime) == 0 {
				end := payload{code: s.queue[s.head], end: true, duration: 800}
				onTime = []Packet{{Payload: end.bytes(), Timestamp: s.start}}
			}
			deliver(onTime)
			deliver(overdue)
			onTime, late, overdue = nil, nil, late
		}
		deliver(overdue)
		if want := strings.ToUpper(digits); string(told) != want {
			t.Fatalf("told %q, want %q", told, want)
		}
	})
}
