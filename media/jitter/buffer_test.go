// SPDX-License-Identifier: MIT

package jitter_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/jitter"
	"github.com/callwright/callwright/media/rtp"
)

const silence = 0xFF // µ-law

// packet makes the nth packet of 20 ms; its sound tells n, and is loud.
func packet(n int) (rtp.Header, []byte) {
	sound := make([]byte, media.FrameSize)
	binary.BigEndian.PutUint32(sound, uint32(n))
	return rtp.Header{Sequence: uint16(n), Timestamp: uint32(n * media.FrameSize), SSRC: 1}, sound
}

// number reads what packet has written.
func number(frame *[media.FrameSize]byte) int { return int(binary.BigEndian.Uint32(frame[:])) }

func newBuffer() *jitter.Buffer {
	b := new(jitter.Buffer)
	b.Reset(silence)
	return b
}

func put(b *jitter.Buffer, ns ...int) {
	for _, n := range ns {
		h, sound := packet(n)
		b.Put(h, sound)
	}
}

// get takes frames and writes them as packet numbers, "." for silence and "~"
// for what is made up.
func get(b *jitter.Buffer, frames int) (heard []string) {
	for range frames {
		switch b.Get() {
		case jitter.Silent:
			heard = append(heard, ".")
		case jitter.Concealed:
			heard = append(heard, "~")
		case jitter.Played:
			heard = append(heard, fmt.Sprint(number(b.Frame())))
		}
	}
	return heard
}

func TestBuffer(t *testing.T) {
	t.Parallel()
	const first = 65534 // the sequence wraps in every case
	at := func(ns ...int) (abs []int) {
		for _, n := range ns {
			abs = append(abs, first+n)
		}
		return abs
	}
	for name, test := range map[string]struct {
		arrivals [][]int // before each frame
		want     string
		counts   jitter.Counts
	}{
		"steady":       {[][]int{{0}, {1}, {2}, {3}}, "[. 0 1 2]", jitter.Counts{}},
		"burst":        {[][]int{{0, 1, 2}, {}, {}, {3}}, "[0 1 2 3]", jitter.Counts{}},
		"reordered":    {[][]int{{0}, {2}, {1}, {3}, {4}}, "[. 0 1 2 3]", jitter.Counts{}},
		"first slower": {[][]int{{1}, {0}, {2}, {3}}, "[. 0 1 2]", jitter.Counts{}},
		"twice":        {[][]int{{0, 0}, {1}, {1, 0}, {2}}, "[. 0 1 2]", jitter.Counts{Duplicate: 3}},
		"lost":         {[][]int{{0}, {1}, {3}, {4}, {5}}, "[. 0 1 ~ 3]", jitter.Counts{Concealed: 1}},
		"late, nothing is lost": {
			[][]int{{0}, {1}, {3}, {4}, {2, 5}, {6}, {7}}, "[. 0 1 ~ 2 3 4]",
			jitter.Counts{Concealed: 1},
		},
		"too late": {
			[][]int{{0}, {1}, {3}, {4}, {5}, {2, 6}, {7}}, "[. 0 1 ~ 3 4 5]",
			jitter.Counts{Concealed: 1, Late: 1},
		},
		"stalled, nothing is lost": {
			[][]int{{0}, {1}, {}, {}, {}, {2, 3, 4, 5}, {6}, {7}}, "[. 0 1 ~ ~ 2 3 4]",
			jitter.Counts{Concealed: 2},
		},
		"stops": {
			[][]int{{0, 1}, {}, {}, {}, {}, {}, {}, {}, {}, {}}, "[0 1 ~ ~ ~ ~ ~ ~ . .]",
			jitter.Counts{Concealed: 6},
		},
		"after all is over": {
			[][]int{{0}, {2}, {}, {}, {}, {}, {}, {}, {}, {}, {1}, {}, {}}, "[. 0 ~ 2 ~ ~ ~ ~ ~ ~ . . .]",
			jitter.Counts{Concealed: 7, Late: 1},
		},
		"long stall, catches up": {
			[][]int{{0, 1}, {}, {}, {}, {}, {}, {}, {}, {}, {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, {14}},
			"[0 1 ~ ~ ~ ~ ~ ~ . 12 13]",
			jitter.Counts{Concealed: 6, Skipped: 10},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBuffer()
			var heard []string
			for _, ns := range test.arrivals {
				put(b, at(ns...)...)
				for _, h := range get(b, 1) {
					var n int
					if _, err := fmt.Sscan(h, &n); err == nil {
						h = fmt.Sprint(n - first)
					}
					heard = append(heard, h)
				}
			}
			if got := fmt.Sprint(heard); got != test.want {
				t.Errorf("heard %s, want %s", got, test.want)
			}
			if b.Counts != test.counts {
				t.Errorf("counts %+v, want %+v", b.Counts, test.counts)
			}
		})
	}
}

func TestSenderPauses(t *testing.T) {
	t.Parallel()
	b := newBuffer()
	put(b, 0, 1)
	// The next packet follows in sequence, but 3 frames later in time.
	h, sound := packet(5)
	h.Sequence = 2
	b.Put(h, sound)
	if got := fmt.Sprint(get(b, 6)); got != "[0 1 . . . 5]" {
		t.Errorf("heard %s", got)
	}
	if b.Counts.Concealed != 0 {
		t.Errorf("%d frames made up in a pause of the sender", b.Counts.Concealed)
	}
}

func TestSenderBeginsAnew(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*rtp.Header){
		"new ssrc":          func(h *rtp.Header) { h.SSRC = 2; h.Marker = true },
		"clock leaps ahead": func(h *rtp.Header) { h.Timestamp += 1 << 20; h.Marker = true },
		"clock leaps back":  func(h *rtp.Header) { h.Timestamp -= 1 << 30; h.Marker = true },
	} {
		b := newBuffer()
		put(b, 0, 1)
		get(b, 2)
		for n := 2; n < 5; n++ {
			h, sound := packet(n)
			change(&h)
			h.Marker = h.Marker && n == 2
			b.Put(h, sound)
		}
		if got := fmt.Sprint(get(b, 3)); got != "[2 3 4]" {
			t.Errorf("%s: heard %s", name, got)
		}
	}
}

// One stray packet with a mad timestamp must not disturb; three in a row are a
// new clock.
func TestStrangeTimestamps(t *testing.T) {
	t.Parallel()
	b := newBuffer()
	put(b, 0, 1)
	stray, sound := packet(9)
	stray.Timestamp += 1 << 24
	if v := b.Put(stray, sound); v != jitter.Late {
		t.Errorf("stray packet: verdict %v", v)
	}
	put(b, 2)
	if got := fmt.Sprint(get(b, 3)); got != "[0 1 2]" {
		t.Errorf("heard %s", got)
	}
	for n := 3; n < 8; n++ {
		h, sound := packet(n)
		h.Timestamp += 1 << 24
		b.Put(h, sound)
	}
	if got := fmt.Sprint(get(b, 3)); got != "[5 6 7]" {
		t.Errorf("after the clock changed: heard %s", got)
	}
}

// Of two senders at once one is heard, and the other when that one has ended.
func TestTwoSenders(t *testing.T) {
	t.Parallel()
	b := newBuffer()
	from := func(ssrc uint32, n int) {
		h, sound := packet(n)
		h.SSRC = ssrc
		b.Put(h, sound)
	}
	for n := range 50 {
		from(1, n)
		from(2, 1000+n)
		if got, want := fmt.Sprint(get(b, 1)), fmt.Sprint([]int{n - 1}); n > 0 && got != want {
			t.Fatalf("heard %s, want %s", got, want)
		}
	}
	for n := 50; n < 60; n++ {
		from(2, 1000+n)
		get(b, 1)
	}
	from(2, 1060)
	if got := get(b, 1)[0]; got != "1059" {
		t.Errorf("after the one has ended: heard %s", got)
	}
}

// Packets of any length carry the same run of samples through.
func TestPacketTimes(t *testing.T) {
	t.Parallel()
	for _, size := range []int{40, 80, 100, 160, 200, 240, 320, 480} {
		b := newBuffer()
		sample := func(i int) byte { return byte(i % 97) } // loud
		var heard []byte
		sent, sequence := 0, uint16(0)
		for now := 0; now < 200*media.FrameSize; now += media.FrameSize {
			for sent+size <= now+media.FrameSize { // a packet leaves when it is full
				payload := make([]byte, size)
				for i := range payload {
					payload[i] = sample(sent + i)
				}
				if v := b.Put(rtp.Header{Sequence: sequence, Timestamp: uint32(sent)}, payload); v != jitter.Kept {
					t.Fatalf("%d bytes: verdict %v", size, v)
				}
				sequence++
				sent += size
			}
			if b.Get() == jitter.Played {
				heard = append(heard, b.Frame()[:]...)
			}
		}
		for i, c := range heard {
			if c != sample(i) {
				t.Fatalf("%d bytes: sample %d is %d, want %d", size, i, c, sample(i))
			}
		}
		if len(heard) < 190*media.FrameSize {
			t.Errorf("%d bytes: only %d frames heard", size, len(heard)/media.FrameSize)
		}
	}
}

func TestWaitAdapts(t *testing.T) {
	t.Parallel()
	b := newBuffer()
	quiet := slices.Repeat([]byte{silence}, media.FrameSize)
	n := 0
	send := func() {
		b.Put(rtp.Header{Sequence: uint16(n), Timestamp: uint32(n * media.FrameSize)}, quiet)
		n++
	}
	round := func(packets int) {
		for range packets {
			send()
		}
		b.Get()
	}
	for range 4 { // the network stalls for 80 ms, again and again
		for range 20 {
			round(1)
		}
		for range 4 {
			round(0)
		}
		round(5)
	}
	if d := b.Depth(); d < 4 || d > 6 {
		t.Errorf("after stalls %d frames wait, want 4 to 6", d)
	}
	if b.Counts.Skipped != 0 {
		t.Errorf("%d frames skipped while the network was bad", b.Counts.Skipped)
	}
	for range 6 * 500 {
		round(1)
	}
	if d := b.Depth(); d > 1 {
		t.Errorf("after a minute of good network %d frames wait", d)
	}
}

func TestConcealmentFades(t *testing.T) {
	t.Parallel()
	for _, silence := range []byte{0xFF, 0xD5} {
		b := new(jitter.Buffer)
		b.Reset(silence)
		loud := slices.Repeat([]byte{silence ^ 0x75, silence ^ 0xF5}, media.FrameSize/2) // + and -
		b.Put(rtp.Header{}, loud)
		b.Put(rtp.Header{Sequence: 1, Timestamp: media.FrameSize}, loud)
		b.Get()
		b.Get()
		for i, want := range []byte{0x65, 0x55, 0x45, 0x35, 0, 0} {
			if o := b.Get(); o != jitter.Concealed {
				t.Fatalf("frame %d: outcome %v", i, o)
			}
			f := b.Frame()
			if f[0] != silence^want || (want != 0 && f[1] != silence^want^0x80) {
				t.Errorf("silence %#x, frame %d: samples %#x %#x, magnitude should be %#x", silence, i, f[0], f[1], want)
			}
		}
	}
}

func TestBufferAllocatesNothing(t *testing.T) {
	b := newBuffer()
	n := 0
	sound := make([]byte, 240)
	if a := testing.AllocsPerRun(200, func() {
		if n%10 == 9 {
			b.Pause(uint32(n * 240))
		}
		b.Put(rtp.Header{Sequence: uint16(n), Timestamp: uint32(n * 240)}, sound)
		n++
		b.Get()
	}); a != 0 {
		t.Errorf("%v allocations a frame", a)
	}
}

// Half a frame waits for its other half rather than being played with a hole.
func TestHalfFrames(t *testing.T) {
	t.Parallel()
	b := newBuffer()
	loud := make([]byte, 80)
	half := func(n int) { b.Put(rtp.Header{Sequence: uint16(n), Timestamp: uint32(n * 80)}, loud) }
	next := 0
	for _, halves := range []int{2, 1, 2, 2, 2, 2} { // one packet is 20 ms late
		for range halves {
			half(next)
			next++
		}
		if b.Get() == jitter.Played && slices.Contains(b.Frame()[:], silence) {
			t.Errorf("before packet %d a frame with a hole was played", next)
		}
	}
	if b.Counts.Late != 0 || b.Counts.Skipped != 0 {
		t.Errorf("counts %+v", b.Counts)
	}
}
