// SPDX-License-Identifier: MIT

package server_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/wav"
	"github.com/callwright/callwright/transport/sip/phone"
)

const voicemail = `<Response onAnswer="%[1]s" onHangup="%[1]s"><Dial><Voicemail/></Dial></Response>`

// A caller whom an app sends to voicemail is answered, hears the tone, and what it
// says until it hangs up is in the file.
func TestVoicemailUntilTheCallerHangsUp(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(base string, _ *http.Request) string { return fmt.Sprintf(voicemail, base) })
	folder := filepath.Join(t.TempDir(), "recordings")
	s := start(t, a.URL, func(c *config.Config) { c.Recordings = folder })
	alice := newPhone(t, "+4930111")
	call, err := alice.Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := call.WaitAnswer(t.Context()); err != nil {
		t.Fatal(err)
	}
	beep := hearingOf(call)
	beep.tone(t, 1000)
	beep.silence(t)
	speak(t, call, folder)
	call.Hangup()
	until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
	files, err := filepath.Glob(filepath.Join(folder, "voicemail-*.wav"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the recordings are %v, %v", files, err)
	}
	sound := readMono(t, files[0])
	if n := loud(sound, voiceHz); n < message {
		t.Errorf("the caller is heard in %d frames of the file, want %d", n, message)
	}
	var messages []engine.Recording
	until(t, "the message to be stored", func() bool {
		messages, _, err = s.Store.Recordings(t.Context(), engine.RecordingFilter{Account: directory.DefaultAccount}, 10, "")
		return err == nil && len(messages) == 1
	})
	if m := messages[0]; m.Kind != engine.RecordingMessage || m.Box != "+4921112345" || m.File != filepath.Base(files[0]) ||
		(m.Duration-lasts(sound)).Abs() > media.FrameDuration {
		t.Errorf("the message is %+v", m)
	}
	until(t, "the events", func() bool { return a.count("hangup normalClearing") == 1 && a.count("answer") == 1 })
}

// readMono reads a file of one channel of 16 bits.
func readMono(t *testing.T, path string) (sound []int16) {
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
	if r.Format().Channels != 1 {
		t.Fatalf("%d channels, want 1", r.Format().Channels)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(b); i += 2 {
		sound = append(sound, int16(b[i])|int16(b[i+1])<<8)
	}
	return sound
}
