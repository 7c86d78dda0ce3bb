// SPDX-License-Identifier: MIT

package server_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/media/wav"
	"github.com/callwright/callwright/transport/sip/phone"
)

// greetingHz is what the greeting of w0 sounds like, voiceHz the caller.
const greetingHz, voiceHz = 500, 700

// greeting writes a sound file of a second.
func greeting(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "greeting.wav")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := wav.NewWriter(f, wav.PCM, 1)
	if err == nil {
		err = w.WriteSamples(tone.Make(media.SampleRate, phone.Level, greetingHz))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// mailbox is a server whose number belongs to w0 and goes to voicemail.
func mailbox(t *testing.T, a *app, folder string, adjust func(*config.Config)) *server.Server {
	t.Helper()
	return start(t, a.URL, func(c *config.Config) {
		c.Recordings, c.Users, c.Numbers[0].Users = folder, []config.User{{ID: "w0", Greeting: greeting(t)}}, []string{"w0"}
		c.Apps[0].EventsURL = a.URL
		c.Voicemail = config.Voicemail{MaxLength: time.Minute, Silence: 2 * time.Second, MaxMessages: 10}
		if adjust != nil {
			adjust(c)
		}
	})
}

// speak calls, hears the greeting and the beep, and says something for a time.
func speak(t *testing.T, s *server.Server, alice *phone.Phone, d time.Duration) *phone.Call {
	t.Helper()
	call, err := alice.Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := call.WaitAnswer(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, hz := range []float64{greetingHz, 1000} {
		if err := call.WaitTone(t.Context(), hz, phone.Level-10); err != nil {
			t.Fatalf("%g Hz are not heard: %v", hz, err)
		}
	}
	if err := call.WaitSilence(t.Context(), 200*time.Millisecond, -50); err != nil {
		t.Fatal(err)
	}
	if d > 0 {
		// Who speaks for longer than there is time for is hung up meanwhile.
		if err := call.Play(t.Context(), tone.Make(int(d*media.SampleRate/time.Second), phone.Level, voiceHz)); err != nil && d < 3*time.Second {
			t.Fatal(err)
		}
	}
	return call
}

// Each way in which a message ends: what the caller hears then, what is kept, and
// what the app is told.
func TestMessagesEnd(t *testing.T) {
	t.Parallel()
	const endHz, congestionHz = 425, 425
	for _, tt := range []struct {
		name   string
		adjust func(*config.Config)
		speaks time.Duration
		end    func(*phone.Call) error
		hears  float64 // after the message; 0 if the caller hung up
		length time.Duration
		says   string // the timeline
	}{
		{name: "silence", speaks: 2 * time.Second, hears: endHz, length: 2500 * time.Millisecond, says: "until nothing more was heard"},
		{
			name: "key", speaks: 2 * time.Second, hears: endHz, length: 2 * time.Second, says: "message of",
			end: func(c *phone.Call) error { return c.SendDigits(t.Context(), "1#") },
		},
		{
			name: "length", adjust: func(c *config.Config) { c.Voicemail.MaxLength = 2 * time.Second },
			speaks: 3 * time.Second, hears: endHz, length: 2 * time.Second, says: "the longest there may be",
		},
		{name: "hang-up", speaks: 2 * time.Second, length: 2 * time.Second, end: func(c *phone.Call) error { c.Hangup(); return nil }, says: "message of"},
		{name: "nothing said", hears: endHz, says: "no message: 0.0 s of sound are not kept"},
		{name: "hardly anything said", speaks: 300 * time.Millisecond, hears: endHz, says: "no message: 0.3 s of sound are not kept"},
		{
			name: "no folder", adjust: func(c *config.Config) {
				c.Recordings = filepath.Join(c.Recordings, "file", "folder")
			}, hears: congestionHz, says: "not a directory: look after the folder of recordings and its disk",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			a := newApp(t, func(base string, _ *http.Request) string { return fmt.Sprintf(voicemail, base) })
			s := mailbox(t, a, folder, tt.adjust)
			call := speak(t, s, newPhone(t, "+4930111"), tt.speaks)
			if tt.end != nil {
				if err := tt.end(call); err != nil {
					t.Fatal(err)
				}
			}
			if tt.hears > 0 {
				if _, err := call.WaitEnd(t.Context()); err != nil {
					t.Error(err)
				}
				frames := 0
				for _, l := range tone.Levels(call.Sound(), tt.hears) {
					if l > phone.Level-15 {
						frames++
					}
				}
				if frames < 8 {
					t.Errorf("%g Hz are heard in %d frames at the end", tt.hears, frames)
				}
			}
			until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
			if said := timeline(t, s); !strings.Contains(said, tt.says) {
				t.Errorf("the timeline does not say %q:\n%s", tt.says, said)
			}
			checkMessage(t, s, folder, tt.length)
			want := 0
			if tt.length > 0 {
				want = 1
			}
			until(t, "the hangup", func() bool { return a.count("hangup normalClearing")+a.count("hangup congestion") == 1 })
			until(t, "the event", func() bool { return a.count("voicemail") == want })
		})
	}
}

// checkMessage sees that there is one message of a length, and its file, or neither.
func checkMessage(t *testing.T, s *server.Server, folder string, length time.Duration) {
	t.Helper()
	messages, _, err := s.Store.Recordings(t.Context(), engine.RecordingFilter{Account: engine.DefaultAccount}, 10, "")
	if err != nil {
		t.Fatal(err)
	}
	files := func() []string {
		files, err := filepath.Glob(filepath.Join(folder, "*.wav"))
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	if length == 0 {
		until(t, "the file to be deleted", func() bool { return len(files()) == 0 })
		if len(messages) != 0 {
			t.Errorf("kept is %+v", messages)
		}
		return
	}
	if len(messages) != 1 || len(files()) != 1 {
		t.Fatalf("the messages are %+v, the files %v", messages, files())
	}
	m := messages[0]
	if off := m.Duration - length; m.Kind != engine.RecordingMessage || m.Box != "w0" || off < -400*time.Millisecond || off > 700*time.Millisecond {
		t.Errorf("the message is %+v, want %s", m, length)
	}
	spoken := 0
	for _, l := range tone.Levels(readMono(t, files()[0]), voiceHz) {
		if l > phone.Level-6 {
			spoken++
		}
	}
	if spoken < 70 { // a busy machine loses some
		t.Errorf("the caller is heard in %d frames of the file, want about 100", spoken)
	}
}

// A server that is stopped while somebody leaves a message keeps what was said so
// far, and finds it when it starts again.
func TestMessageWhenTheServerStops(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(base string, _ *http.Request) string { return fmt.Sprintf(voicemail, base) })
	folder, data := t.TempDir(), t.TempDir()
	same := func(c *config.Config) {
		c.Database, c.DataDir = "sqlite:"+filepath.Join(data, "callwright.db"), data
	}
	s := mailbox(t, a, folder, same)
	call := speak(t, s, newPhone(t, "+4930111"), 2*time.Second)
	now, cancel := context.WithCancel(t.Context())
	cancel()
	s.Drain(now)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := call.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
	checkMessage(t, mailbox(t, a, folder, same), folder, 2*time.Second)
	if n := a.count("voicemail"); n != 1 {
		t.Errorf("the app was told of %d messages", n)
	}
}

// A server that was killed while somebody left a message finds the file when it
// starts again: the message is in its box, and its app is told.
func TestMessageWhenTheServerIsKilled(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(string, *http.Request) string { return "" })
	folder, data := t.TempDir(), t.TempDir()
	same := func(c *config.Config) {
		c.Database, c.DataDir = "sqlite:"+filepath.Join(data, "callwright.db"), data
	}
	first := mailbox(t, a, folder, same)
	id, by := engine.NewID(), engine.Address{Kind: engine.KindVoicemail, Value: "w0"}
	first.Store.Append(engine.RecordSaved{Record: engine.Record{
		ID: id, Chain: id, Account: engine.DefaultAccount, App: "app", Number: "+4921112345", Direction: engine.In,
		From: engine.NumberAddress("+4930111"), To: engine.NumberAddress("+4921112345"), State: engine.StateAnswered,
		AnsweredBy: &by, StartedAt: time.Now(),
	}})
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(folder, fmt.Sprintf("voicemail-%s-%s.wav", id, engine.NewID())))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := wav.NewWriter(f, wav.PCM, 1) // it is never closed, and its last second is lost
	if err == nil {
		err = w.WriteSamples(tone.Make(5*media.SampleRate/2, phone.Level, voiceHz))
	}
	if err != nil {
		t.Fatal(err)
	}
	second := mailbox(t, a, folder, same)
	until(t, "the event", func() bool { return a.count("voicemail") == 1 })
	checkMessage(t, second, folder, 2*time.Second)
	if err := second.Stop(); err != nil {
		t.Fatal(err)
	}
	checkMessage(t, mailbox(t, a, folder, same), folder, 2*time.Second) // and once only
}

// A caller who hears early media first is answered all the same when the voicemail
// takes the call.
func TestVoicemailBehindEarlyMedia(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(string, *http.Request) string {
		return `<Response><Play><Url>tone:600/1000</Url></Play><Dial><Voicemail/></Dial></Response>`
	})
	folder := t.TempDir()
	s := mailbox(t, a, folder, nil)
	call, err := newPhone(t, "+4930111").Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := call.WaitTone(t.Context(), 600, phone.Level-10); err != nil {
		t.Fatal(err)
	}
	until(t, "the call to be ringing", func() bool {
		records, _, err := s.Store.Calls(t.Context(), 1, "")
		return err == nil && len(records) == 1 && records[0].State == engine.StateRinging
	})
	if err := call.WaitAnswer(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, hz := range []float64{greetingHz, 1000} {
		if err := call.WaitTone(t.Context(), hz, phone.Level-10); err != nil {
			t.Fatalf("%g Hz are not heard: %v", hz, err)
		}
	}
	if err := call.WaitSilence(t.Context(), 200*time.Millisecond, -50); err != nil {
		t.Fatal(err)
	}
	if err := call.Play(t.Context(), tone.Make(2*media.SampleRate, phone.Level, voiceHz)); err != nil {
		t.Fatal(err)
	}
	call.Hangup()
	until(t, "the event", func() bool { return a.count("voicemail") == 1 })
	checkMessage(t, s, folder, 2*time.Second)
}
