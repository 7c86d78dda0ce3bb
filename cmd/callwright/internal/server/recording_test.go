// SPDX-License-Identifier: MIT

package server_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/media/wav"
	"github.com/callwright/callwright/transport/sip/phone"
)

// A recording of a caller who is connected has both sides, and nothing of what
// was said in a pause.
func TestRecordACall(t *testing.T) {
	t.Parallel()
	bob := newPhone(t, "+4930222222")
	alice, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: "+4930111", Tone: 440})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { alice.Close() })
	a := newApp(t, func(string, *http.Request) string {
		return `<Response><Dial><Number>+4930222222</Number></Dial></Response>`
	})
	folder := filepath.Join(t.TempDir(), "recordings")
	s := start(t, a.URL, func(c *config.Config) { c.Trunks[0].Address, c.Recordings = bob.Addr().String(), folder })
	out, err := alice.Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := bob.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Answer(); err != nil {
		t.Fatal(err)
	}
	if err := out.WaitAnswer(t.Context()); err != nil {
		t.Fatal(err)
	}
	var records []engine.Record
	until(t, "both calls to be recorded", func() bool {
		records, _, err = s.Store.Calls(t.Context(), 10, "")
		return err != nil || len(records) == 2
	})
	if err != nil {
		t.Fatal(err)
	}
	id := records[0].ID
	if !records[0].Parent.IsZero() {
		id = records[1].ID
	}
	begins := time.Now()
	path, err := s.Engine.Record(id, media.RecordStereo)
	if err != nil {
		t.Fatal(err)
	}
	say := func(hz float64) { // bob says it until a second of it is there
		t.Helper()
		speakUntil(t, in, hz, fmt.Sprintf("%g Hz to be recorded", hz), func() bool { return loud(stereo(written(path))[1], hz) >= 50 })
	}
	say(1000)
	if err := s.Engine.PauseRecording(id, true); err != nil {
		t.Fatal(err)
	}
	pauses := time.Now()
	for _, sound := range [][]int16{tone.Make(3*media.SampleRate/2, phone.Level, 2000), make([]int16, media.SampleRate/2)} {
		if err := in.Play(t.Context(), sound); err != nil {
			t.Fatal(err)
		}
	}
	fromNow(out).silence(t) // what was on its way has arrived
	goesOn := time.Now()
	if err := s.Engine.PauseRecording(id, false); err != nil {
		t.Fatal(err)
	}
	say(1500)
	out.Hangup()
	until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
	most := pauses.Sub(begins) + time.Since(goesOn)

	sides := readStereo(t, path)
	if filepath.Dir(path) != folder {
		t.Errorf("recorded into %s, want a file in %s", path, folder)
	}
	if got := lasts(sides[0]); got > most {
		t.Errorf("%s were recorded, want no more than the %s around the pause", got, most)
	}
	for hz, want := range map[float64][2]bool{440: {true, false}, 1000: {false, true}, 1500: {false, true}, 2000: {false, false}} {
		for side, sound := range sides {
			frames := loud(sound, hz)
			if heard := frames >= 50; heard != want[side] || !heard && frames > 5 {
				t.Errorf("channel %d has %g Hz in %d frames; want it there: %t", side, hz, frames, want[side])
			}
		}
	}
	_, events, err := s.Store.Call(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range events {
		if e.Kind == engine.EventRecording || e.Kind == engine.EventRecorded {
			text, _, _ := strings.Cut(e.Text, " into ")
			told = append(told, text)
		}
	}
	if len(told) != 4 || told[0] != "recording" || told[1] != "recording pauses" || told[2] != "recording goes on" {
		t.Errorf("the timeline says %q", told)
	}
}

// readStereo reads a file of two channels of 16 bits.
func readStereo(t *testing.T, path string) (sides [2][]int16) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := wav.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if r.Format().Channels != 2 {
		t.Fatalf("%d channels, want 2", r.Format().Channels)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var both []int16
	for i := 0; i+1 < len(b); i += 2 {
		both = append(both, int16(b[i])|int16(b[i+1])<<8)
	}
	return stereo(both)
}

// stereo takes two channels apart.
func stereo(both []int16) (sides [2][]int16) {
	for i, v := range both {
		sides[i%2] = append(sides[i%2], v)
	}
	return sides
}
