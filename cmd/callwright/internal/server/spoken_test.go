// SPDX-License-Identifier: MIT

package server_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/transport/sip/phone"
)

// asked has the API of sipgate ring a phone, which picks up.
func asked(t *testing.T, s *server.Server, p *phone.Phone, path, body string) *phone.Call {
	t.Helper()
	if status, text := askV2(t, s, "POST", path, body); status != 200 {
		t.Fatalf("%s %s: got %d %s", path, body, status, text)
	}
	call, err := p.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := call.Answer(); err != nil {
		t.Fatal(err)
	}
	return call
}

// A user speaks the greeting of its voicemail by telephone; who calls hears it and
// leaves a message; and the user hears that by telephone and fetches it by its link.
func TestGreetingAndMessageByTelephone(t *testing.T) {
	t.Parallel()
	desk := newPhone(t, "w0")
	folder := filepath.Join(t.TempDir(), "recordings")
	a := newApp(t, nil)
	a.Close() // the settings of the number decide
	s := start(t, a.URL, withToken, func(c *config.Config) {
		c.Recordings, c.Users[0].Contact, c.Numbers[0].OnNoAnswer, c.Numbers[0].OnBusy = folder, desk.URI(), "voicemail", "voicemail"
		c.HTTP.PublicURL = "http://127.0.0.1"
	})
	call := asked(t, s, desk, "/sessions/voicemail/recording", `{"deviceId":"e0","targetId":"v0"}`)
	if err := call.WaitTone(t.Context(), 1000, phone.Level-10); err != nil {
		t.Fatalf("no beep: %v", err)
	}
	if err := call.Play(t.Context(), tone.Make(2*media.SampleRate, phone.Level, 700)); err != nil {
		t.Fatal(err)
	}
	if err := call.SendDigits(t.Context(), "#"); err != nil {
		t.Fatal(err)
	}
	if err := call.WaitTone(t.Context(), 700, phone.Level-10); err != nil {
		t.Errorf("the greeting is not heard: %v", err)
	}
	if _, err := call.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
	if greeting := s.Settings.Entries().Users[0].Greeting; filepath.Dir(greeting) != folder {
		t.Errorf("the greeting is %q", greeting)
	}

	alice := newPhone(t, "+4930111")
	caller, err := alice.Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rung, err := desk.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rung.Reject(486, "Busy Here")
	for _, hz := range []float64{700, 1000} { // the greeting, the beep
		if err := caller.WaitTone(t.Context(), hz, phone.Level-10); err != nil {
			t.Fatalf("%v Hz are not heard: %v", hz, err)
		}
	}
	if err := caller.Play(t.Context(), tone.Make(2*media.SampleRate, phone.Level, 1500)); err != nil {
		t.Fatal(err)
	}
	caller.Hangup()
	var id, link string
	until(t, "the message", func() bool {
		_, text := askV2(t, s, "GET", "/history?types=VOICEMAIL", "")
		if m := regexp.MustCompile(`"id":"([0-9A-F]{32})".*"recordingUrl":"http://127.0.0.1/v2([^"]+)"`).FindStringSubmatch(text); m != nil {
			id, link = m[1], m[2]
		}
		return id != "" && strings.Contains(text, `"read":false`)
	})
	if status, sound := askV2(t, s, "GET", link, ""); status != 200 || !strings.HasPrefix(sound, "RIFF") || len(sound) < 2*media.SampleRate {
		t.Errorf("the link leads to %d with %d bytes", status, len(sound))
	}
	call = asked(t, s, desk, "/sessions/voicemail/play", `{"deviceId":"e0","datadId":"`+id+`"}`)
	if err := call.WaitTone(t.Context(), 1500, phone.Level-10); err != nil {
		t.Errorf("the message is not heard: %v", err)
	}
	if _, err := call.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
	until(t, "the message to be read", func() bool {
		_, text := askV2(t, s, "GET", "/history/"+id, "")
		return strings.Contains(text, `"read":true`)
	})
}
