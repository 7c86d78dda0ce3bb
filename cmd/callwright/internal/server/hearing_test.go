// SPDX-License-Identifier: MIT

package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/transport/sip/phone"
)

// hearing is what a call hears from a moment on. A tone that comes and goes while
// the test itself waits for the processor is not missed.
type hearing struct {
	call *phone.Call
	at   int // how many samples are behind it
}

// hearingOf hears a call from its beginning on, fromNow on from now on.
func hearingOf(c *phone.Call) *hearing { return &hearing{call: c} }

func fromNow(c *phone.Call) *hearing { return &hearing{c, len(c.Sound())} }

// tone waits for 100 ms of a tone, behind what was found before.
func (h *hearing) tone(t *testing.T, hz float64) {
	t.Helper()
	h.find(t, fmt.Sprintf("%g Hz", hz), func(frame []int16) bool { return tone.Level(frame, hz) >= phone.Level-10 })
}

// silence waits for 100 ms of silence that came, behind what was found before.
func (h *hearing) silence(t *testing.T) {
	t.Helper()
	h.find(t, "silence", func(frame []int16) bool {
		for _, v := range frame {
			if v > 100 || v < -100 {
				return false
			}
		}
		return true
	})
}

func (h *hearing) find(t *testing.T, what string, is func(frame []int16) bool) {
	t.Helper()
	run := 0
	until(t, what+" to be heard", func() bool {
		sound := h.call.Sound()
		for ; run < 5 && h.at+media.FrameSize <= len(sound); h.at += media.FrameSize {
			if run++; !is(sound[h.at:][:media.FrameSize]) {
				run = 0
			}
		}
		return run == 5
	})
}

// all sees that all calls hear a tone when something is done, however short it is.
func (b *switchboard) all(hz float64, do func() error, calls ...*phone.Call) {
	b.t.Helper()
	ears := make([]*hearing, len(calls))
	for i, c := range calls {
		ears[i] = fromNow(c)
	}
	b.must(do())
	for _, ear := range ears {
		ear.tone(b.t, hz)
	}
}

// loud counts the frames of a sound in which a phone's tone is heard.
func loud(sound []int16, hz float64) (frames int) {
	for _, l := range tone.Levels(sound, hz) {
		if l > phone.Level-6 {
			frames++
		}
	}
	return frames
}

// speakUntil has a phone play a tone until something has come of it: what the
// server has heard, and not how long that took.
func speakUntil(t *testing.T, c *phone.Call, hz float64, what string, done func() bool) {
	t.Helper()
	until(t, what, func() bool {
		if err := c.Play(t.Context(), tone.Make(media.SampleRate/2, phone.Level, hz)); err != nil {
			t.Fatal(err)
		}
		return done()
	})
}

// written is the sound of the only file of a pattern so far: it may still be
// being written, and what its header tells is behind then.
func written(pattern string) (sound []int16) {
	const header = 44
	files, _ := filepath.Glob(pattern)
	if len(files) != 1 {
		return nil
	}
	b, _ := os.ReadFile(files[0])
	for i := header; i+1 < len(b); i += 2 {
		sound = append(sound, int16(b[i])|int16(b[i+1])<<8)
	}
	return sound
}

// lasts is how long a sound is.
func lasts(sound []int16) time.Duration {
	return time.Duration(len(sound)) * time.Second / media.SampleRate
}
