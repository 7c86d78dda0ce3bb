// SPDX-License-Identifier: MIT

package jitter_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/callwright/callwright/media/jitter"
	"github.com/callwright/callwright/media/rtp"
)

// Whatever the network does: what the buffer keeps is played exactly once, in
// order, unless it says that it skipped it; what it refuses is never played.
func TestEveryPacketInTimeIsPlayedOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.IntRange(0, 1<<26).Draw(t, "first")
		packets := rapid.IntRange(1, 300).Draw(t, "packets")
		worst := rapid.IntRange(0, 12).Draw(t, "longest delay")
		// arrivals[i] is what comes before frame i is asked for.
		arrivals := make([][]int, packets+worst+40)
		for n := range packets {
			copies := rapid.SampledFrom([]int{1, 1, 1, 1, 1, 1, 0, 2}).Draw(t, "copies")
			for range copies {
				at := n + rapid.IntRange(0, worst).Draw(t, "delay")
				arrivals[at] = append(arrivals[at], n)
			}
		}
		b := newBuffer()
		var kept, played []int
		for _, ns := range arrivals {
			for _, n := range ns {
				h, sound := packet(first + n)
				if b.Put(h, sound) == jitter.Kept {
					kept = append(kept, n)
				}
			}
			if b.Get() == jitter.Played {
				played = append(played, number(b.Frame())-first)
			}
		}
		slices.Sort(kept)
		if !slices.IsSorted(played) || len(slices.Compact(slices.Clone(played))) != len(played) {
			t.Fatalf("played out of order or twice: %v", played)
		}
		if len(slices.Compact(slices.Clone(kept))) != len(kept) {
			t.Fatalf("kept twice: %v", kept)
		}
		for _, n := range played {
			if _, found := slices.BinarySearch(kept, n); !found {
				t.Fatalf("played %d, which was refused", n)
			}
		}
		if len(kept)-len(played) != int(b.Counts.Skipped) {
			t.Fatalf("kept %d, played %d, skipped %d", len(kept), len(played), b.Counts.Skipped)
		}
		if worst <= 1 && len(kept)-len(played) != 0 {
			t.Fatalf("the network was good, and %d packets were not played", len(kept)-len(played))
		}
	})
}

// Arbitrary headers and lengths neither crash nor confuse the buffer.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 160})
	f.Fuzz(func(t *testing.T, script []byte) {
		b := newBuffer()
		for len(script) >= 10 {
			s := script[:10]
			script = script[10:]
			h := rtp.Header{
				Sequence:  uint16(s[0])<<8 | uint16(s[1]),
				Timestamp: uint32(s[2])<<24 | uint32(s[3])<<16 | uint32(s[4])<<8 | uint32(s[5]),
				SSRC:      uint32(s[6] % 2),
				Marker:    s[7]&1 != 0,
			}
			b.Put(h, make([]byte, (int(s[8])<<8|int(s[9]))%(rtp.MaxPayload+1)))
			if s[7]&4 != 0 {
				b.Pause(h.Timestamp)
			}
			if s[7]&2 != 0 {
				b.Get()
			}
			if d := b.Depth(); d > 16 {
				t.Fatalf("%d frames wait", d)
			}
		}
		for range 80 {
			b.Get()
		}
		if d := b.Depth(); d != 0 {
			t.Fatalf("%d frames still wait after all was taken", d)
		}
	})
}
