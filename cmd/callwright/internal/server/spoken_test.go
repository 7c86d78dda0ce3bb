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
	heard := hearingOf(call)
	heard.tone(t, 1000) // the beep
	speakUntil(t, call, 700, "the greeting to be recorded", func() bool {
		return loud(written(filepath.Join(folder, "*.wav")), 700) >= message
	})
	if err := call.SendDigits(t.Context(), "#"); err != nil {
		t.Fatal(err)
	}
	heard.tone(t, 700) // the greeting
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
	heard = hearingOf(caller)
	heard.tone(t, 700)  // the greeting
	heard.tone(t, 1000) // the beep
	speakUntil(t, caller, 1500, "the message to be recorded", func() bool {
		return loud(written(filepath.Join(folder, "voicemail-*.wav")), 1500) >= message
	})
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
	hearingOf(call).tone(t, 1500)
	if _, err := call.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
	until(t, "the message to be read", func() bool {
		_, text := askV2(t, s, "GET", "/history/"+id, "")
		return strings.Contains(text, `"read":true`)
	})
}
