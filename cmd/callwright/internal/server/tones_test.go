// SPDX-License-Identifier: MIT

package server_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/transport/sip/phone"
)

// A caller who hears our sound before an answer hears a tone that its app plays,
// and then, while the target rings, the ringing of the country that is set.
func TestRingingWhileTargetsRing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		country string
		hz      float64
		cadence []int // on, off, on … in frames of 20 ms
	}{
		{"de", 425, []int{50, 200, 50}},
		{"gb", 450, []int{20, 10, 20, 100, 20}},
	} {
		t.Run(tt.country, func(t *testing.T) {
			t.Parallel()
			alice, bob := newPhone(t, "+4930111"), newPhone(t, "+4930222222")
			a := newApp(t, func(string, *http.Request) string {
				return `<Response><Play><Url>tone:beep</Url></Play><Dial><Number>+4930222222</Number></Dial></Response>`
			})
			s := start(t, a.URL, func(c *config.Config) { c.Trunks[0].Address, c.Media.Tones = bob.Addr().String(), tt.country })
			out, err := alice.Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
			if err != nil {
				t.Fatal(err)
			}
			in, err := bob.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := in.Ring(); err != nil {
				t.Fatal(err)
			}
			n := len(tt.cadence)
			until(t, "the ringing tone", func() bool { return len(runs(out.Sound(), tt.hz)) > n })
			if got := runs(out.Sound(), 1000); len(got) == 0 || got[0] < 18 || got[0] > 20 {
				t.Errorf("the beep was heard for %v frames, want 20", got)
			}
			got := runs(out.Sound(), tt.hz)[:n]
			for i, want := range tt.cadence {
				if got[i] < want-3 || got[i] > want+3 {
					t.Errorf("the ringing goes %v, want %v", got, tt.cadence)
					break
				}
			}
			if err := in.Answer(); err != nil {
				t.Fatal(err)
			}
			if err := out.WaitAnswer(t.Context()); err != nil {
				t.Fatal(err)
			}
			heard := len(out.Sound())
			until(t, "sound after the answer", func() bool { return len(out.Sound()) > heard+2*media.SampleRate })
			if rang := runs(out.Sound()[heard+media.SampleRate:], tt.hz); len(rang) > 0 {
				t.Errorf("it goes on to ring behind the answer: %v", rang)
			}
			in.Hangup()
			if _, err := out.WaitEnd(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// newPhone switches a phone on.
func newPhone(t *testing.T, user string) *phone.Phone {
	t.Helper()
	p, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: user})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// runs gives for how many frames hz is heard, then is not, and so on, from when
// it is heard first.
func runs(sound []int16, hz float64) (frames []int) {
	on := false
	for frame := range slices.Chunk(sound, media.FrameSize) {
		if heard := tone.Level(frame, hz) > -35; heard != on {
			on = heard
			frames = append(frames, 0)
		}
		if len(frames) > 0 {
			frames[len(frames)-1]++
		}
	}
	return frames
}
