// SPDX-License-Identifier: MIT

package verbs_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/verbs"
)

// lamps are what phones were told of messages.
type lamps struct {
	mu  sync.Mutex
	was []string
}

func (l *lamps) Indicate(account, user string, unheard, heard int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.was = append(l.was, fmt.Sprintf("%s/%s %d new %d old", account, user, unheard, heard))
}

func (l *lamps) told() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.was)
}

// warnings logs what an operator should see: the level, the sentence and the error.
func warnings(to *strings.Builder) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.LevelKey, slog.MessageKey, "err":
			return a
		}
		return slog.Attr{}
	}}))
}

// boxOnly is a dialect that answers every call with the voicemail.
type boxOnly struct{ *recital }

func (boxOnly) Parse(engine.CallInfo, engine.Event, engine.Reply) (engine.Document, []engine.Problem) {
	return engine.Document{Program: engine.Program{verbs.Voicemail{}}}, nil
}

// Callers who come at once leave no more messages than a box may hold, and who hangs
// up before the tone takes no place away.
func TestVoicemailForMany(t *testing.T) {
	t.Parallel()
	there := make(chan struct{})
	close(there)
	t.Run("the database is there", func(t *testing.T) { t.Parallel(); voicemailForMany(t, there) })
	t.Run("the database is away", func(t *testing.T) { t.Parallel(); voicemailForMany(t, nil) })
}

func voicemailForMany(t *testing.T, back chan struct{}) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		number := directory.Number{Number: called.Value, Account: directory.DefaultAccount, App: "app", Users: []string{"w0"}}
		entries := directory.Entries{
			Apps:  []directory.App{{Key: "app", Dialect: "recital", EarlyMedia: true}},
			Users: []directory.User{{ID: "w0", Greeting: "/greetings/w0.wav"}},
		}
		dialect := boxOnly{&recital{}}
		h := enginetest.New(t, entries, map[string]engine.Dialect{"recital": dialect, "": dialect}, func(c *engine.Config) {
			c.Messages.Most, c.Recordings, c.Kept = 2, folder, enginetest.Away{Recordings: c.Journal.(*enginetest.Journal), Back: back}
		})
		for _, sound := range []string{"tone:beep", "tone:info", "tone:425/100,0/100,425/100", "/greetings/w0.wav"} {
			h.Prompts[sound] = time.Second
		}
		call := func(n int) (legs []*enginetest.Leg) {
			for range n {
				legs = append(legs, h.Call(t, caller, called, number))
			}
			return legs
		}
		hangUp := func(after time.Duration, legs []*enginetest.Leg) {
			time.Sleep(after)
			synctest.Wait()
			for _, l := range legs {
				l.HangUp()
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		hangUp(500*time.Millisecond, call(2)) // they do not wait for the tone
		hangUp(10*time.Second, call(5))
		if n := len(h.Journal.Tapes()); n != 2 {
			t.Errorf("%d messages were taken, want 2", n)
		}
		hangUp(10*time.Second, call(2))
		if n := len(h.Journal.Tapes()); n != 2 {
			t.Errorf("%d messages are in a box of 2", n)
		}
		h.Close(t)
		full := 0
		for _, r := range h.Journal.Records() {
			full += len(h.Journal.Events(r.ID, engine.EventProblem))
		}
		if full != 5 {
			t.Errorf("%d callers were told that the box is full, want 5", full)
		}
	})
}

// german is what is said in German to callers of who has no greeting.
const german = "Ihr Anruf kann gerade nicht angenommen werden. Bitte hinterlassen Sie nach dem Ton eine Nachricht."

// Whatever ends a message: it is kept if somebody said something, in the right box,
// and phones and app are told; and the caller hears what is due.
func TestVoicemail(t *testing.T) {
	t.Parallel()
	const (
		beep, end, lost = "play caller tone:beep", "play caller tone:425/100,0/100,425/100", "play caller tone:congestion"
		tape            = "record caller"
	)
	whole := media.Event{Duration: 7 * time.Second, Heard: 5 * time.Second}
	silent := func(ev media.Event) media.Event { ev.Reason = media.RecordSilent; return ev }
	for _, tt := range []struct {
		name     string
		user     directory.User // w0, whose number is called; without an id the number rings nobody
		before   engine.Program
		verb     verbs.Voicemail
		full     bool                                         // the box holds as many messages as it may
		script   func(h *enginetest.House, l *enginetest.Leg) // when it is recorded
		leg      []string
		sound    []string
		box      string // of the message that is kept
		told     []string
		lamps    []string
		problems []string
		logged   string // what an operator sees of it
		ended    string // the last row, if it says more than the cause
	}{
		{
			name: "the caller hangs up", user: directory.User{ID: "w0", Greeting: "/greetings/w0.wav"},
			script: func(_ *enginetest.House, l *enginetest.Leg) { l.HangUp() },
			leg:    []string{"answer"}, sound: []string{"play caller /greetings/w0.wav", beep, tape},
			box: "w0", told: []string{"incoming ", "answered w0", "recorded w0", "ended normal"}, lamps: []string{"default/w0 1 new 0 old"},
		}, {
			name: "nothing more is heard", user: directory.User{ID: "w0", Greeting: "https://app/w0.wav"},
			script: func(h *enginetest.House, l *enginetest.Leg) { h.Sound.Recorded(l.Info().Stream, silent(whole)) },
			leg:    []string{"answer", "hangup normal"}, sound: []string{"play caller https://app/w0.wav", beep, tape, end},
			box: "w0", told: []string{"incoming ", "answered w0", "recorded w0", "ended normal"}, lamps: []string{"default/w0 1 new 0 old"},
		}, {
			name: "a key that ends it, after one that does not", user: directory.User{ID: "w0", GreetingText: "a text", Language: "en-GB"},
			script: func(_ *enginetest.House, l *enginetest.Leg) { l.Press("5"); time.Sleep(time.Second); l.Press("##") },
			leg:    []string{"answer", "hangup normal"}, sound: []string{"play caller speech:en-GB", beep, tape, "stop recording caller", end},
			box: "w0", told: []string{"incoming ", "answered w0", "recorded w0", "ended normal"}, lamps: []string{"default/w0 1 new 0 old"},
		}, {
			name: "nobody says anything", user: directory.User{ID: "w0", GreetingText: "a text"},
			script: func(h *enginetest.House, l *enginetest.Leg) {
				h.Sound.Recorded(l.Info().Stream, silent(media.Event{Duration: time.Second, Heard: 900 * time.Millisecond}))
			},
			leg: []string{"answer", "hangup normal"}, sound: []string{"play caller speech:de-AT", beep, tape, end},
			told: []string{"incoming ", "answered w0", "ended normal"},
		}, {
			name: "the disk is full", user: directory.User{ID: "w0", GreetingText: "a text"},
			script: func(h *enginetest.House, l *enginetest.Leg) {
				h.Sound.Recorded(l.Info().Stream, media.Event{Duration: time.Minute, Heard: time.Minute, Err: errors.New("no space left")})
			},
			leg: []string{"answer", "hangup failed"}, sound: []string{"play caller speech:de-AT", beep, tape, lost},
			told:     []string{"incoming ", "answered w0", "ended failed"},
			problems: []string{"the message in the voicemail of w0 is lost: no space left: look after the folder of recordings and its disk"},
			logged:   `level=ERROR msg="a recording failed: look after the folder of recordings and its disk" err="no space left"` + "\n",
			ended:    "failed: the message is lost: no space left",
		}, {
			name: "the greeting is not there", user: directory.User{ID: "w0", Greeting: "/greetings/none.wav", Language: "de"},
			script: func(_ *enginetest.House, l *enginetest.Leg) { l.HangUp() },
			leg:    []string{"answer"}, sound: []string{"play caller speech:de", beep, tape},
			box: "w0", told: []string{"incoming ", "answered w0", "recorded w0", "ended normal"}, lamps: []string{"default/w0 1 new 0 old"},
			problems: []string{"/greetings/none.wav: there is no sound file"},
		}, {
			name: "nor can it be spoken", user: directory.User{ID: "w0", Greeting: "http://app/none.wav", GreetingText: "???"},
			script: func(_ *enginetest.House, l *enginetest.Leg) { l.HangUp() },
			leg:    []string{"answer"}, sound: []string{beep, tape},
			box: "w0", told: []string{"incoming ", "answered w0", "recorded w0", "ended normal"}, lamps: []string{"default/w0 1 new 0 old"},
			problems: []string{"http://app/none.wav: there is no sound file", `"???" cannot be spoken`},
		}, {
			name:   "the number rings nobody, after early media",
			before: engine.Program{verbs.Play{URL: "http://app/short.wav"}},
			script: func(_ *enginetest.House, l *enginetest.Leg) { l.HangUp() },
			leg:    []string{"early media", "answer"}, sound: []string{"play caller http://app/short.wav", "play caller speech:de-AT", beep, tape},
			box: called.Value, told: []string{"incoming ", "answered " + called.Value, "recorded", "ended normal"},
		}, {
			name: "somebody else's", user: directory.User{ID: "w0"}, verb: verbs.Voicemail{Box: "w1"},
			script: func(_ *enginetest.House, l *enginetest.Leg) { l.HangUp() },
			leg:    []string{"answer"}, sound: []string{"play caller speech:fr", beep, tape},
			box: "w1", told: []string{"incoming ", "answered w1", "recorded w1", "ended normal"}, lamps: []string{"default/w1 1 new 0 old"},
		}, {
			name: "the box is full", user: directory.User{ID: "w0", GreetingText: "a text"}, full: true,
			leg: []string{"answer", "hangup normal"}, sound: []string{"play caller tone:info"},
			told:     []string{"incoming ", "answered w0", "ended normal"},
			problems: []string{"the voicemail of w0 is full and takes no message: delete some of its 2, or raise voicemail.max_messages"},
			logged:   `level=WARN msg="a voicemail is full and takes no message: delete some, or raise voicemail.max_messages"` + "\n",
		}, {
			name: "nobody's", user: directory.User{ID: "w0", GreetingText: "a text"}, verb: verbs.Voicemail{Box: "w9"},
			script: func(_ *enginetest.House, l *enginetest.Leg) { l.HangUp() },
			leg:    []string{"answer"}, sound: []string{"play caller speech:de-AT", beep, tape},
			box: "w0", told: []string{"incoming ", "answered w0", "recorded w0", "ended normal"}, lamps: []string{"default/w0 1 new 0 old"},
			problems: []string{`there is no user "w9": the voicemail of who was called answers; write the id of a user, like w0`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				entries := directory.Entries{
					Apps:  []directory.App{{Key: "app", Dialect: "recital", EarlyMedia: true}},
					Users: []directory.User{{ID: "w1", Language: "fr", GreetingText: "a long text"}},
				}
				number := directory.Number{Number: called.Value, Account: directory.DefaultAccount, App: "app"}
				if tt.user.ID != "" {
					entries.Users, number.Users = append(entries.Users, tt.user), []string{tt.user.ID}
				}
				dialect := &recital{programs: []engine.Program{append(tt.before, tt.verb)}}
				phones, log := &lamps{}, &strings.Builder{}
				h := enginetest.New(t, entries, map[string]engine.Dialect{"recital": dialect, "": dialect}, func(c *engine.Config) {
					c.Messages.Most, c.Logger = 2, warnings(log)
					c.Recordings, c.Kept, c.Indicator, c.Language = folder, c.Journal.(*enginetest.Journal), phones, "de-AT"
				})
				for _, sound := range []string{
					"tone:beep", "tone:congestion", "tone:info", "tone:425/100,0/100,425/100",
					"/greetings/w0.wav", "https://app/w0.wav", "http://app/short.wav",
				} {
					h.Prompts[sound] = time.Second
				}
				h.Speaker["a text"], h.Speaker["a long text"], h.Speaker[german] = time.Second, time.Second, time.Second
				if tt.full {
					h.Journal.Append(
						engine.RecordingSaved{Recording: engine.Recording{ID: engine.NewID(), Account: "default", Kind: engine.RecordingMessage, Box: "w0"}},
						engine.RecordingSaved{Recording: engine.Recording{ID: engine.NewID(), Account: "default", Kind: engine.RecordingMessage, Box: "w0", HeardAt: new(time.Time)}})
				}
				leg := h.Call(t, caller, called, number)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				file := ""
				if !tt.full {
					file = written(t, h, folder)
					tt.script(h, leg)
				}
				time.Sleep(10 * time.Second)
				synctest.Wait()
				h.Close(t)

				var told, problems []string
				for _, r := range h.App.Asked() {
					told = append(told, r.Name)
				}
				r := h.Journal.Records()[0]
				for _, e := range h.Journal.Events(r.ID, engine.EventProblem) {
					problems = append(problems, e.Text)
				}
				box := ""
				for _, m := range h.Journal.Tapes() {
					if m.Call.IsZero() {
						continue // it was there before
					}
					box += m.Box
					if m.Kind != engine.RecordingMessage || m.Call != r.ID || m.From != caller || m.To != called || m.Duration == 0 || m.HeardAt != nil {
						t.Errorf("the message is %+v", m)
					}
				}
				for _, d := range []struct {
					what      string
					want, got any
				}{
					{"the caller's leg", tt.leg, leg.Did()}, {"sound", tt.sound, h.Sound.Did()}, {"the app was told", tt.told, told},
					{"phones were told", tt.lamps, phones.told()}, {"problems", tt.problems, problems}, {"messages", tt.box, box},
					{"the log", tt.logged, log.String()},
				} {
					if diff := cmp.Diff(d.want, d.got); diff != "" {
						t.Errorf("%s (-want +got):\n%s", d.what, diff)
					}
				}
				if ended := h.Journal.Events(r.ID, engine.EventEnded)[0]; tt.ended != "" && ended.Text != tt.ended {
					t.Errorf("the last row says %q, want %q", ended.Text, tt.ended)
				}
				if r.AnsweredBy == nil || r.AnsweredBy.Kind != directory.KindVoicemail {
					t.Errorf("answered by %v", r.AnsweredBy)
				}
				if _, err := os.Stat(file); (err == nil) != (tt.box != "") {
					t.Errorf("the file is there: %t, want %t (%v)", err == nil, tt.box != "", err)
				}
			})
		})
	}
}

// A number outside has no voicemail: a call that a user makes there is delivered, but
// where the verb names a user.
func TestVoicemailOfNobody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, box, problem string
		answered           directory.Address
	}{
		{"of who was called", "", berlin + " has no voicemail", directory.NumberAddress(berlin)},
		{"of a user who is none", "w9", berlin + " has no voicemail", directory.NumberAddress(berlin)},
		{"of a user", "w0", "", directory.Address{Kind: directory.KindVoicemail, Value: "w0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dialect := &recital{programs: []engine.Program{{verbs.Voicemail{Box: tt.box}}}}
				h := enginetest.New(t, directory.Entries{
					Apps:  []directory.App{{Key: "app", Dialect: "recital", EarlyMedia: true}},
					Users: []directory.User{{ID: "w0", App: "app"}},
				}, map[string]engine.Dialect{"recital": dialect})
				h.Target(berlin, talksFor(time.Minute))
				user := directory.User{ID: "w0", Account: directory.DefaultAccount, App: "app"}
				leg, err := h.Arrive(engine.Arrival{To: directory.NumberAddress(berlin), Account: directory.DefaultAccount, Caller: user})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				leg.HangUp()
				time.Sleep(time.Minute)
				r := h.Journal.Records()[0]
				if r.AnsweredBy == nil || *r.AnsweredBy != tt.answered {
					t.Errorf("answered by %v, want %v", r.AnsweredBy, tt.answered)
				}
				problems := h.Journal.Events(r.ID, engine.EventProblem)
				if tt.problem != "" && (len(problems) != 1 || !strings.Contains(problems[0].Text, tt.problem)) {
					t.Errorf("problems %v, want one: %s", problems, tt.problem)
				}
				h.Close(t)
			})
		})
	}
}

// written makes the file that the call's recording goes into, and gives its path.
func written(t *testing.T, h *enginetest.House, folder string) string {
	t.Helper()
	for _, e := range h.Journal.Events(h.Journal.Records()[0].ID, engine.EventRecording) {
		if strings.HasPrefix(e.Data.File, "voicemail-") {
			path := filepath.Join(folder, e.Data.File)
			if err := os.WriteFile(path, []byte("RIFF"), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
	}
	t.Fatal("nothing is recorded")
	return ""
}
