// SPDX-License-Identifier: MIT

package jitter_test

import (
	"fmt"
	"testing"

	"github.com/callwright/callwright/media"
)

// A pause that was announced is silent and not made up, whatever comes when.
func TestAnnouncedPause(t *testing.T) {
	t.Parallel()
	const noise = -1 // a packet of comfort noise at the time of the frame
	for name, test := range map[string]struct {
		arrivals  [][]int
		want      string
		concealed uint64
	}{
		"pause":          {[][]int{{0}, {1}, {noise}, {}, {}, {}, {}, {}, {8}, {9}, {10}}, "[. 0 1 . . . . . . 8 9]", 0},
		"noise again":    {[][]int{{0}, {1}, {noise}, {}, {noise}, {}, {noise}, {}, {8}, {9}, {10}}, "[. 0 1 . . . . . . 8 9]", 0},
		"short":          {[][]int{{0}, {1}, {noise}, {3}, {4}, {5}}, "[. 0 1 . 3 4]", 0},
		"noise lost":     {[][]int{{0}, {1}, {}, {3}, {4}, {5}}, "[. 0 1 ~ 3 4]", 1},
		"loss after it":  {[][]int{{0}, {1}, {noise}, {}, {}, {}, {6}, {7}, {}, {9}, {10}, {11}}, "[. 0 1 . . . . 6 7 ~ 9 10]", 1},
		"noise at first": {[][]int{{noise}, {}, {}, {3}, {4}, {5}}, "[. . . . 3 4]", 0},
	} {
		b := newBuffer()
		var heard []string
		sequence := uint16(65530)
		for turn, ns := range test.arrivals {
			for _, n := range ns {
				if n == noise {
					b.Pause(uint32(turn * media.FrameSize))
				} else {
					h, sound := packet(n)
					h.Sequence = sequence
					b.Put(h, sound)
				}
				sequence++
			}
			if len(ns) == 0 && name != "pause" && name != "noise again" {
				sequence++ // a packet that was lost
			}
			heard = append(heard, get(b, 1)...)
		}
		if got := fmt.Sprint(heard); got != test.want || b.Counts.Concealed != test.concealed {
			t.Errorf("%s: heard %s, want %s; %d made up, want %d", name, got, test.want, b.Counts.Concealed, test.concealed)
		}
	}
}

// Noise that comes in the wrong order still says where nothing was sent.
func TestAnnouncedPauseReordered(t *testing.T) {
	t.Parallel()
	b := newBuffer()
	put(b, 0, 1)
	h, sound := packet(5)
	h.Sequence = 3
	b.Put(h, sound)
	b.Pause(2 * media.FrameSize)
	if got := fmt.Sprint(get(b, 6)); got != "[0 1 . . . 5]" {
		t.Errorf("heard %s", got)
	}
}
