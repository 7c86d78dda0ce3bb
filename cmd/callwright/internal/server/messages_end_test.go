// SPDX-License-Identifier: MIT

package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/directory"
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
		c.Voicemail = config.Voicemail{MaxLength: time.Minute, Silence: time.Minute, MaxMessages: 10}
		if adjust != nil {
			adjust(c)
		}
	})
}

// leave calls, and hears the greeting and the beep.
func leave(t *testing.T, s *server.Server, alice *phone.Phone) *phone.Call {
	t.Helper()
	call, err := alice.Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := call.WaitAnswer(t.Context()); err != nil {
		t.Fatal(err)
	}
	greeted(t, call)
	return call
}

// greeted waits for the greeting, the beep and its end.
func greeted(t *testing.T, call *phone.Call) {
	t.Helper()
	heard := hearingOf(call)
	heard.tone(t, greetingHz)
	heard.tone(t, 1000)
	heard.silence(t)
}

// message is how many frames of a voice are a message: 1.5 s.
const message = 75

// speak says something until a message of it is in the file.
func speak(t *testing.T, call *phone.Call, folder string) {
	t.Helper()
	speakUntil(t, call, voiceHz, "the message to be recorded", func() bool {
		return loud(written(filepath.Join(folder, "voicemail-*.wav")), voiceHz) >= message
	})
}

// Each way in which a message ends: what the caller hears then, what is kept, and
// what the app is told.
func TestMessagesEnd(t *testing.T) {
	t.Parallel()
	const endHz, congestionHz = 425, 425
	silence := func(c *config.Config) { c.Voicemail.Silence = 3 * time.Second }
	presses := func(keys string) func(*phone.Call) error {
		return func(c *phone.Call) error { return c.SendDigits(t.Context(), keys) }
	}
	for _, tt := range []struct {
		name   string
		adjust func(*config.Config)
		speaks bool
		end    func(*phone.Call) error
		hears  float64 // after the message; 0 if the caller hung up
		says   string  // the timeline
	}{
		{name: "silence", adjust: silence, speaks: true, hears: endHz, says: "until nothing more was heard"},
		{name: "key", speaks: true, end: presses("1#"), hears: endHz, says: "message of"},
		{
			name: "length", adjust: func(c *config.Config) { c.Voicemail.MaxLength = 3 * time.Second },
			end: speakToTheEnd, hears: endHz, says: "the longest there may be",
		},
		{name: "hang-up", speaks: true, end: func(c *phone.Call) error { c.Hangup(); return nil }, says: "message of"},
		{name: "nothing said", adjust: silence, hears: endHz, says: "no message: 0.0 s of sound are not kept"},
		{
			name: "hardly anything said", adjust: silence,
			end: func(c *phone.Call) error {
				return c.Play(t.Context(), tone.Make(3*media.SampleRate/10, phone.Level, voiceHz))
			}, hears: endHz, says: "s of sound are not kept",
		},
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
			call := leave(t, s, newPhone(t, "+4930111"))
			if tt.speaks {
				speak(t, call, folder)
			}
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
			want := 0
			switch {
			case tt.name == "length":
				want = 1
				if m := checkMessage(t, s, folder, message/2); m.Duration > 3*time.Second {
					t.Errorf("the message is %s long", m.Duration)
				}
			case tt.speaks:
				want = 1
				checkMessage(t, s, folder, message)
			default:
				checkNoMessage(t, s, folder)
			}
			until(t, "the hangup", func() bool { return a.count("hangup normalClearing")+a.count("hangup congestion") == 1 })
			until(t, "the event", func() bool { return a.count("voicemail") == want })
		})
	}
}

// speakToTheEnd speaks until the other side hangs up.
func speakToTheEnd(c *phone.Call) error {
	err := c.Play(context.Background(), tone.Make(60*media.SampleRate, phone.Level, voiceHz))
	if ended := (*phone.EndedError)(nil); !errors.As(err, &ended) {
		return fmt.Errorf("the call should have been ended: %w", err)
	}
	return nil
}

// checkNoMessage sees that nothing is kept.
func checkNoMessage(t *testing.T, s *server.Server, folder string) {
	t.Helper()
	messages, _, err := s.Store.Recordings(t.Context(), engine.RecordingFilter{Account: directory.DefaultAccount}, 10, "")
	if err != nil || len(messages) != 0 {
		t.Errorf("kept is %+v, %v", messages, err)
	}
	until(t, "the file to be deleted", func() bool {
		files, err := filepath.Glob(filepath.Join(folder, "*.wav"))
		return err == nil && len(files) == 0
	})
}

// checkMessage sees that there is one message, and its file, in which a voice is
// heard in so many frames, and hardly anything behind it.
func checkMessage(t *testing.T, s *server.Server, folder string, frames int) engine.Recording {
	t.Helper()
	messages, _, err := s.Store.Recordings(t.Context(), engine.RecordingFilter{Account: directory.DefaultAccount}, 10, "")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.wav"))
	if err != nil || len(messages) != 1 || len(files) != 1 {
		t.Fatalf("the messages are %+v, the files %v, %v", messages, files, err)
	}
	m, sound := messages[0], readMono(t, files[0])
	if m.Kind != engine.RecordingMessage || m.Box != "w0" || (m.Duration-lasts(sound)).Abs() > media.FrameDuration {
		t.Errorf("the message is %+v, and its file %s long", m, lasts(sound))
	}
	if n := loud(sound, voiceHz); n < frames {
		t.Errorf("the caller is heard in %d frames of the file, want %d", n, frames)
	}
	if behind := sound[max(len(sound)-6*media.SampleRate/10, 0):]; loud(behind, voiceHz) == 0 {
		t.Error("there is more than half a second of silence at the end")
	}
	return m
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
	call := leave(t, s, newPhone(t, "+4930111"))
	speak(t, call, folder)
	now, cancel := context.WithCancel(t.Context())
	cancel()
	s.Drain(now)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := call.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
	checkMessage(t, mailbox(t, a, folder, same), folder, message)
	until(t, "the app to be told", func() bool { return a.count("voicemail") > 0 })
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
	id, by := engine.NewID(), directory.Address{Kind: directory.KindVoicemail, Value: "w0"}
	first.Store.Append(engine.RecordSaved{Record: engine.Record{
		ID: id, Chain: id, Account: directory.DefaultAccount, App: "app", Number: "+4921112345", Direction: engine.In,
		From: directory.NumberAddress("+4930111"), To: directory.NumberAddress("+4921112345"), State: engine.StateAnswered,
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
	checkMessage(t, second, folder, 2*int(time.Second/media.FrameDuration))
	if err := second.Stop(); err != nil {
		t.Fatal(err)
	}
	checkMessage(t, mailbox(t, a, folder, same), folder, 2*int(time.Second/media.FrameDuration)) // and once only
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
	if err := call.WaitAnswer(t.Context()); err != nil {
		t.Fatal(err)
	}
	greeted(t, call)
	speak(t, call, folder)
	call.Hangup()
	until(t, "the event", func() bool { return a.count("voicemail") == 1 })
	checkMessage(t, s, folder, message)
	until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
	said := timeline(t, s)
	if early, answer := strings.Index(said, "-> 183 "), strings.Index(said, "-> 200 "); early < 0 || answer < early {
		t.Errorf("the caller has heard nothing before the answer:\n%s", said)
	}
}
