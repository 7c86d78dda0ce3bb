// SPDX-License-Identifier: MIT

package rtp_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
)

func figures(r *rtp.Reception) (f media.Figures) {
	r.Fill(&f)
	return f
}

func TestReceptionCounts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sequence                  []uint16
		received, lost, duplicate uint64
	}{
		"in order":        {[]uint16{1, 2, 3}, 3, 0, 0},
		"one missing":     {[]uint16{1, 2, 4}, 3, 1, 0},
		"reordered":       {[]uint16{1, 3, 2, 4}, 4, 0, 0},
		"first was late":  {[]uint16{5, 4, 6}, 3, 0, 0},
		"twice":           {[]uint16{1, 2, 2, 1, 3}, 3, 0, 2},
		"wrap":            {[]uint16{65534, 65535, 0, 1}, 4, 0, 0},
		"wrap reordered":  {[]uint16{65535, 1, 0, 2}, 4, 0, 0},
		"wrap with loss":  {[]uint16{65535, 2}, 2, 2, 0},
		"begins again":    {[]uint16{100, 101, 40000, 40001}, 4, 0, 0},
		"loss, new run":   {[]uint16{100, 102, 40000, 40002}, 4, 2, 0},
		"a second's loss": {[]uint16{100, 150}, 2, 49, 0},
	} {
		var r rtp.Reception
		for _, s := range test.sequence {
			r.Packet(rtp.Header{Sequence: s})
		}
		if f := figures(&r); f.Received != test.received || f.Lost != test.lost || f.Duplicate != test.duplicate {
			t.Errorf("%s: %+v, want %+v", name, f, test)
		}
	}
}

func TestReceptionSSRCChange(t *testing.T) {
	t.Parallel()
	var r rtp.Reception
	for i, ssrc := range []uint32{1, 1, 2, 2} {
		if !r.Packet(rtp.Header{Sequence: uint16(7 - i), SSRC: ssrc}) {
			t.Errorf("packet %d is taken for a duplicate", i)
		}
	}
	if f := figures(&r); f.Received != 4 || f.Lost != 0 {
		t.Errorf("%+v", f)
	}
}

// Whatever is lost, doubled and shuffled a little: each number counts once.
func TestReceptionProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Uint16().Draw(t, "first")
		offsets := rapid.SliceOfN(rapid.IntRange(0, 40), 1, 200).Draw(t, "offsets")
		var r rtp.Reception
		seen := map[int]bool{}
		low, high := 1<<30, -1
		for i, o := range offsets {
			at := i + o // never more than 40 back
			fresh := r.Packet(rtp.Header{Sequence: first + uint16(at)})
			if fresh == seen[at] {
				t.Fatalf("packet %d: fresh = %v", at, fresh)
			}
			seen[at] = true
			low, high = min(low, at), max(high, at)
		}
		want := uint64(high - low + 1 - len(seen))
		if f := figures(&r); f.Received != uint64(len(seen)) || f.Lost != want || f.Duplicate != uint64(len(offsets)-len(seen)) {
			t.Fatalf("%+v, want %d received, %d lost", f, len(seen), want)
		}
	})
}

func TestReceptionJitter(t *testing.T) {
	t.Parallel()
	run := func(shake uint32) time.Duration {
		var r rtp.Reception
		for i := range uint32(500) {
			r.Packet(rtp.Header{Sequence: uint16(i)})
			r.Timing(i*160, 1<<31+i*160+i%2*shake)
		}
		return figures(&r).Jitter
	}
	if j := run(0); j != 0 {
		t.Errorf("steady sender: jitter %v", j)
	}
	if j := run(80); j < 9*time.Millisecond || j > 11*time.Millisecond {
		t.Errorf("each second packet 10 ms late: jitter %v", j)
	}
}
