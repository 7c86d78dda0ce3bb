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
			r.Packet(rtp.Header{Sequence: s}, true)
		}
		if f := figures(&r); f.Received != test.received || f.Lost != test.lost || f.Duplicate != test.duplicate {
			t.Errorf("%s: %+v, want %+v", name, f, test)
		}
	}
}

// arrival is a packet in the tests of sources; what is no sound is a key.
type arrival struct {
	ssrc     uint32
	sequence uint16
	key      bool
	marker   bool
	want     rtp.Verdict
}

func TestReceptionOfSources(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arrivals                  []arrival
		received, lost, duplicate uint64
	}{
		"another source goes on": {
			[]arrival{
				{ssrc: 1, sequence: 7, want: rtp.Anew}, {ssrc: 1, sequence: 9},
				{ssrc: 2, sequence: 5, want: rtp.Beside}, {ssrc: 2, sequence: 6, want: rtp.Beside},
				{ssrc: 2, sequence: 7, want: rtp.Anew}, {ssrc: 2, sequence: 7, want: rtp.Duplicate}, {ssrc: 2, sequence: 8},
			}, 6, 1, 1,
		},
		"another source begins to talk": {
			[]arrival{
				{ssrc: 1, sequence: 7, want: rtp.Anew},
				{ssrc: 2, sequence: 5, marker: true, want: rtp.Beside}, {ssrc: 2, sequence: 6, want: rtp.Anew},
			}, 3, 0, 0,
		},
		"stray packets": {
			[]arrival{
				{ssrc: 1, sequence: 7, want: rtp.Anew},
				{ssrc: 2, sequence: 500, marker: true, want: rtp.Beside}, {ssrc: 1, sequence: 8},
				{ssrc: 2, sequence: 501, want: rtp.Beside}, {ssrc: 3, sequence: 1, want: rtp.Beside},
				{ssrc: 2, sequence: 502, want: rtp.Beside}, {ssrc: 3, sequence: 2, want: rtp.Beside}, {ssrc: 1, sequence: 9},
			}, 8, 0, 0,
		},
		"keys of their own source": {
			[]arrival{
				{ssrc: 1, sequence: 7, want: rtp.Anew},
				{ssrc: 2, sequence: 1, key: true, marker: true, want: rtp.Beside}, {ssrc: 2, sequence: 2, key: true, want: rtp.Beside},
				{ssrc: 2, sequence: 3, key: true, want: rtp.Beside}, {ssrc: 2, sequence: 4, key: true, want: rtp.Beside},
				{ssrc: 1, sequence: 8},
			}, 6, 0, 0,
		},
		"keys before any sound": {
			[]arrival{
				{ssrc: 2, sequence: 1, key: true, want: rtp.Anew}, {ssrc: 2, sequence: 2, key: true},
				{ssrc: 1, sequence: 7, want: rtp.Anew}, {ssrc: 2, sequence: 3, key: true, want: rtp.Beside}, {ssrc: 1, sequence: 8},
			}, 5, 0, 0,
		},
		"two sources at once": {
			[]arrival{
				{ssrc: 1, sequence: 7, want: rtp.Anew}, {ssrc: 2, sequence: 7, want: rtp.Beside},
				{ssrc: 1, sequence: 8}, {ssrc: 2, sequence: 8, want: rtp.Beside},
				{ssrc: 1, sequence: 9}, {ssrc: 2, sequence: 9, want: rtp.Beside}, {ssrc: 1, sequence: 10},
			}, 7, 0, 0,
		},
	} {
		var r rtp.Reception
		for i, a := range test.arrivals {
			h := rtp.Header{Sequence: a.sequence, SSRC: a.ssrc, Marker: a.marker}
			if got := r.Packet(h, !a.key); got != a.want {
				t.Errorf("%s: packet %d has verdict %v, want %v", name, i, got, a.want)
			}
		}
		if f := figures(&r); f.Received != test.received || f.Lost != test.lost || f.Duplicate != test.duplicate {
			t.Errorf("%s: %+v, want %d received, %d lost, %d duplicate", name, f, test.received, test.lost, test.duplicate)
		}
	}
}

// A peer that has come from elsewhere is heard from its first packet on, and
// not in place of what it goes on with.
func TestReceptionExpects(t *testing.T) {
	t.Parallel()
	var r rtp.Reception
	r.Packet(rtp.Header{Sequence: 7, SSRC: 1}, true)
	r.Expect()
	if got := r.Packet(rtp.Header{Sequence: 1, SSRC: 2}, false); got != rtp.Beside {
		t.Errorf("a key: verdict %v", got)
	}
	if got := r.Packet(rtp.Header{Sequence: 1, SSRC: 3}, true); got != rtp.Anew || !r.IsFrom(3) {
		t.Errorf("sound of another source: verdict %v", got)
	}
	r.Expect()
	if got := r.Packet(rtp.Header{Sequence: 2, SSRC: 3}, true); got != rtp.Fresh {
		t.Errorf("sound of the same source: verdict %v", got)
	}
	if got := r.Packet(rtp.Header{Sequence: 2, SSRC: 4}, true); got != rtp.Beside {
		t.Errorf("sound of a third source: verdict %v", got)
	}
}

// The jitter is that of the source that is heard now.
func TestReceptionJitterBeginsAnew(t *testing.T) {
	t.Parallel()
	var r rtp.Reception
	for i := range uint32(500) {
		r.Packet(rtp.Header{Sequence: uint16(i)}, true)
		r.Timing(i*160, i*160+i%2*80)
	}
	r.Expect()
	for i := range uint32(10) {
		r.Packet(rtp.Header{Sequence: uint16(i), SSRC: 2}, true)
		r.Timing(1<<20+i*160, i*160)
	}
	if j := figures(&r).Jitter; j != 0 {
		t.Errorf("jitter %v after a steady source has taken over", j)
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
			verdict := r.Packet(rtp.Header{Sequence: first + uint16(at)}, true)
			if (verdict == rtp.Duplicate) != seen[at] {
				t.Fatalf("packet %d: verdict %v", at, verdict)
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
			r.Packet(rtp.Header{Sequence: uint16(i)}, true)
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

// Timestamps may leap as far as they can: that is no jitter.
func TestReceptionJitterOfLeaps(t *testing.T) {
	t.Parallel()
	for _, leap := range []uint32{media.SampleRate, 1 << 20, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - media.SampleRate} {
		var r rtp.Reception
		for i := range uint32(100) {
			r.Packet(rtp.Header{Sequence: uint16(i)}, true)
			r.Timing(i*leap, 0)
		}
		if j := figures(&r).Jitter; j != 0 {
			t.Errorf("leaps of %d: jitter %v", leap, j)
		}
	}
}
