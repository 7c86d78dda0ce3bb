// SPDX-License-Identifier: MIT

package jitter_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/jitter"
)

// minutes is how long ten minutes are, in frames.
const minutes = int(10 * time.Minute / media.FrameDuration)

// A sender whose clock is not quite ours, and who is never quiet: over ten
// minutes the wait stays short, and single frames are left out or made up.
func TestClockDrift(t *testing.T) {
	t.Parallel()
	for _, ppm := range []float64{200, -200, 50, -50} {
		b := newBuffer()
		deepest, sent, made := 0, 0, 0
		var skipped, atOnce uint64
		for now := range minutes {
			for float64(sent)*(1-ppm/1e6) <= float64(now) {
				put(b, sent)
				sent++
			}
			if b.Get() != jitter.Played && now > 1 {
				made++
			}
			deepest = max(deepest, b.Depth())
			atOnce = max(atOnce, b.Counts.Skipped-skipped)
			skipped = b.Counts.Skipped
		}
		if deepest > 3 || atOnce > 1 || made+int(skipped) > 8 || b.Counts.Late > 0 {
			t.Errorf("%g ppm: up to %d frames waited, %d were left out, %d of them at once, %d made up, counts %+v",
				ppm, deepest, skipped, atOnce, made, b.Counts)
		}
	}
}

// What a network does now and then to one packet must not add up to a long
// silence when the sender is quiet at last.
func TestWaitGrowsOnce(t *testing.T) {
	t.Parallel()
	b := newBuffer()
	late := -1
	for now := range minutes {
		switch {
		case now%1100 == 1099: // every 22 s one packet is 100 ms late
			late = now
		case late >= 0 && now == late+5:
			put(b, late)
			fallthrough
		default:
			put(b, now)
		}
		b.Get()
	}
	if b.Counts.Late == 0 {
		t.Fatal("no packet was late")
	}
	before := b.Counts.Concealed
	for now := range 100 {
		h, sound := packet(minutes + now)
		for i := range sound {
			sound[i] = silence
		}
		b.Put(h, sound)
		b.Get()
	}
	if n := b.Counts.Concealed - before; n > 6 {
		t.Errorf("%d frames were made up at once", n)
	}
}
