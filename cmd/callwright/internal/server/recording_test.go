// SPDX-License-Identifier: MIT

package server_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	say := func(hz float64) { // bob says it for a second, and more if need be
		t.Helper()
		if err := in.Play(t.Context(), tone.Make(3*media.SampleRate/2, phone.Level, hz)); err != nil {
			t.Fatal(err)
		}
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
	path, err := s.Engine.Record(id, media.RecordStereo)
	if err != nil {
		t.Fatal(err)
	}
	say(1000)
	if err := s.Engine.PauseRecording(id, true); err != nil {
		t.Fatal(err)
	}
	say(2000)
	if err := in.Play(t.Context(), make([]int16, media.SampleRate/2)); err != nil { // what is on its way arrives
		t.Fatal(err)
	}
	if err := s.Engine.PauseRecording(id, false); err != nil {
		t.Fatal(err)
	}
	say(1000)
	out.Hangup()
	until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })

	sides := readStereo(t, path)
	if filepath.Dir(path) != folder {
		t.Errorf("recorded into %s, want a file in %s", path, folder)
	}
	seconds := float64(len(sides[0])) / media.SampleRate
	if seconds < 2.5 || seconds > 3.5 {
		t.Errorf("%.1f s were recorded, want the 3 s around the pause", seconds)
	}
	for hz, want := range map[float64][2]bool{440: {true, false}, 1000: {false, true}, 2000: {false, false}} {
		for side, sound := range sides {
			frames := 0
			for _, l := range tone.Levels(sound, hz) {
				if l > phone.Level-6 {
					frames++
				}
			}
			if heard := frames > 100; heard != want[side] || !heard && frames > 5 {
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
	for i := 0; i+1 < len(b); i += 2 {
		sides[i/2%2] = append(sides[i/2%2], int16(b[i])|int16(b[i+1])<<8)
	}
	return sides
}
