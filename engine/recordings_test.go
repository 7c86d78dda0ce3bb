// SPDX-License-Identifier: MIT

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
)

// lamp keeps what phones are told of messages.
type lamp chan string

func (l lamp) Indicate(account, user string, unheard, heard int) {
	l <- fmt.Sprintf("%s/%s: %d new, %d old", account, user, unheard, heard)
}

// told gives what phones were told since it was asked last.
func (l lamp) told() (all []string) {
	for len(l) > 0 {
		all = append(all, <-l)
	}
	return all
}

// archive is a house that keeps recordings.
func archive(t *testing.T, p *phrase, folder string) (*enginetest.House, lamp) {
	t.Helper()
	l := make(lamp, 100)
	mine := directory.Entries{Apps: entries.Apps, Users: []directory.User{{ID: "w0"}}}
	h := enginetest.New(t, mine, map[string]engine.Dialect{"": p, "phrase": p}, func(c *engine.Config) {
		c.Recordings, c.Indicator, c.Kept = folder, l, c.Journal.(engine.Recordings)
		c.AudioURL = func(r engine.Recording) string { return "http://server/" + r.ID.String() }
	})
	return h, l
}

// A message is heard, unheard and deleted, its file too; phones are told each time
// something changes. Other accounts do not find it.
func TestMarkAndDeleteRecordings(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h, phones := archive(t, &phrase{}, folder)
		message := engine.Recording{ID: engine.NewID(), Account: "default", Kind: engine.RecordingMessage, Box: "w0", File: "a.wav"}
		talk := engine.Recording{ID: engine.NewID(), Account: "default", Kind: engine.RecordingCall, File: "gone.wav"}
		number := engine.Recording{ID: engine.NewID(), Account: "default", Kind: engine.RecordingMessage, Box: "+4921112345", File: "b.wav"}
		h.Journal.Append(engine.RecordingSaved{Recording: message}, engine.RecordingSaved{Recording: talk}, engine.RecordingSaved{Recording: number})
		path := filepath.Join(folder, message.File)
		if err := os.WriteFile(path, []byte("RIFF"), 0o600); err != nil {
			t.Fatal(err)
		}
		mark := func(r engine.Recording, heard bool) func() error {
			return func() error { return h.Engine.MarkRecording(t.Context(), "default", r.ID, heard) }
		}
		remove := func(account string, r engine.Recording) func() error {
			return func() error { return h.Engine.DeleteRecording(t.Context(), account, r.ID) }
		}
		for _, step := range []struct {
			name string
			do   func() error
			err  error
			told []string
		}{
			{"heard", mark(message, true), nil, []string{"default/w0: 0 new, 1 old"}},
			{"heard again", mark(message, true), nil, nil},
			{"unheard", mark(message, false), nil, []string{"default/w0: 1 new, 0 old"}},
			{"that of a number has no phones", mark(number, true), nil, nil},
			{"another account", remove("other", message), fs.ErrNotExist, nil},
			{"deleted", remove("default", message), nil, []string{"default/w0: 0 new, 0 old"}},
			{"heard when it is gone", mark(message, true), fs.ErrNotExist, nil},
			{"deleted twice", remove("default", message), fs.ErrNotExist, nil},
			{"one whose file is gone", remove("default", talk), nil, nil},
		} {
			err := step.do()
			synctest.Wait()
			if diff := cmp.Diff(step.told, phones.told()); diff != "" || !errors.Is(err, step.err) {
				t.Errorf("%s: error %v, want %v; phones were told (-want +got):\n%s", step.name, err, step.err, diff)
			}
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the file is still there: %v", err)
		}
		if left := h.Journal.Tapes(); len(left) != 1 || left[0].HeardAt == nil {
			t.Errorf("what is left is %+v", left)
		}
		h.Close(t)
	})
}

// What happens to messages while the database is away is told to phones when it is
// back; a server that stops before does not wait for that.
func TestIndicateWhenTheDatabaseIsBack(t *testing.T) {
	t.Parallel()
	for _, back := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			phones, gone := make(lamp, 10), make(chan struct{})
			h := enginetest.New(t, directory.Entries{Users: []directory.User{{ID: "w0"}}}, nil, func(c *engine.Config) {
				c.Indicator, c.Kept = phones, enginetest.Away{Recordings: c.Journal.(engine.Recordings), Back: gone}
			})
			message := engine.Recording{ID: engine.NewID(), Account: "default", Kind: engine.RecordingMessage, Box: "w0"}
			h.Journal.Append(engine.RecordingSaved{Recording: message})
			if err := h.Engine.MarkRecording(t.Context(), "default", message.ID, true); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			if told := phones.told(); told != nil {
				t.Errorf("phones were told %q while nothing could be counted", told)
			}
			if back {
				close(gone)
				synctest.Wait()
				if diff := cmp.Diff([]string{"default/w0: 0 new, 1 old"}, phones.told()); diff != "" {
					t.Errorf("phones were told (-want +got):\n%s", diff)
				}
			}
			h.Close(t)
		})
	}
}

// A recording of a call is kept with its end, also when the call ends under it, and
// the app is told where it lies; one that cannot be written, or holds nothing, is not.
func TestRecordingsAreKept(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		end   func(h *enginetest.House, id engine.ID, l *enginetest.Leg)
		texts []string // behind the first, that it begins
		kept  time.Duration
	}{
		{"it is stopped", func(h *enginetest.House, id engine.ID, _ *enginetest.Leg) {
			if err := h.Engine.StopRecording(id); err != nil {
				panic(err)
			}
		}, []string{"recorded 1.0 s"}, time.Second},
		{"the caller hangs up", func(_ *enginetest.House, _ engine.ID, l *enginetest.Leg) { l.HangUp() }, []string{"recorded 1.0 s"}, time.Second},
		{"the server stops", func(h *enginetest.House, _ engine.ID, _ *enginetest.Leg) {
			now, cancel := context.WithCancel(context.Background())
			cancel()
			h.Engine.Shutdown(now, time.Minute)
		}, []string{"recorded 1.0 s"}, time.Second},
		{"the disk fills up", func(h *enginetest.House, _ engine.ID, l *enginetest.Leg) {
			h.Sound.Recorded(l.Info().Stream, media.Event{Duration: 3 * time.Second, Err: errors.New("no space left")})
		}, []string{"recording failed: no space left; 3.0 s are kept"}, 3 * time.Second},
		{"there is no folder", func(h *enginetest.House, _ engine.ID, l *enginetest.Leg) {
			h.Sound.Recorded(l.Info().Stream, media.Event{Err: errors.New("no such folder")})
		}, []string{"recording failed: no such folder"}, 0},
		{"nothing comes", func(h *enginetest.House, _ engine.ID, l *enginetest.Leg) {
			h.Sound.Recorded(l.Info().Stream, media.Event{})
		}, []string{"nothing was recorded"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				h, _ := archive(t, &phrase{programs: []engine.Program{{act(openSound), act(wait)}}}, folder)
				leg := h.Call(t, caller, called, number)
				synctest.Wait()
				id := h.Journal.Records()[0].ID
				if _, err := h.Engine.Record(id, media.RecordMixed); err != nil {
					t.Fatal(err)
				}
				tt.end(h, id, leg)
				time.Sleep(time.Second)
				var texts []string
				urls := ""
				for _, e := range h.Journal.Events(id, engine.EventRecording, engine.EventRecorded)[1:] {
					texts, urls = append(texts, e.Text), urls+e.Data.URL
				}
				if diff := cmp.Diff(tt.texts, texts); diff != "" {
					t.Errorf("the timeline says (-want +got):\n%s", diff)
				}
				tapes := h.Journal.Tapes()
				switch {
				case tt.kept == 0 && len(tapes) == 0 && urls == "":
				case tt.kept == 0 || len(tapes) != 1:
					t.Errorf("kept is %+v", tapes)
				default:
					r := tapes[0]
					if r.Kind != engine.RecordingCall || r.Call != id || r.Duration != tt.kept || r.From != caller || r.To != called || r.Box != "" || urls != "http://server/"+r.ID.String() {
						t.Errorf("kept is %+v, at %q", r, urls)
					}
				}
				h.Close(t)
			})
		})
	}
}

// What was being recorded when the server died is kept when it starts again, once:
// a message in its box, but no half greeting. What is no file of the call's, or known, stays as it is.
func TestRecordingsAfterACrash(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h, phones := archive(t, &phrase{}, folder)
		by := directory.Address{Kind: directory.KindVoicemail, Value: "w0"}
		id := engine.NewID()
		died := engine.Record{
			ID: id, Chain: id, Account: "default", App: "app", Number: number.Number, Direction: engine.In,
			From: caller, To: called, State: engine.StateAnswered, AnsweredBy: &by, StartedAt: time.Now(),
		}
		message, talk, known := engine.NewID(), engine.NewID(), engine.NewID()
		h.Journal.Append(engine.RecordingSaved{Recording: engine.Recording{ID: known, Account: "default", Kind: engine.RecordingCall, Call: id, Duration: time.Hour, StartedAt: died.StartedAt.Add(-time.Hour)}})
		for _, name := range []string{
			fmt.Sprintf("voicemail-%s-%s.wav", id, message), fmt.Sprintf("call-%s-%s.wav", id, talk), fmt.Sprintf("call-%s-%s.wav", id, known),
			fmt.Sprintf("greeting-%s-%s.wav", id, engine.NewID()), fmt.Sprintf("fax-%s-%s.wav", id, engine.NewID()), fmt.Sprintf("call-%s-.wav", id), fmt.Sprintf("call-%s-%s.wav", engine.NewID(), engine.NewID()),
		} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte("RIFF"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		h.Engine.Recover(died, engine.Event{Call: id, Seq: 9, At: died.StartedAt.Add(30 * time.Second)})
		synctest.Wait()
		var got []string
		for _, r := range h.Journal.Tapes() {
			got = append(got, fmt.Sprintf("%s of %q, %s, began %s later", r.Kind, r.Box, r.Duration, r.StartedAt.Sub(died.StartedAt).Round(time.Second)))
			if r.Call != id || r.Account != "default" || r.ID != known && (r.From != caller || !strings.Contains(r.File, r.ID.String())) {
				t.Errorf("kept is %+v", r)
			}
		}
		if cutOff, err := filepath.Glob(filepath.Join(folder, "greeting-*")); err != nil || len(cutOff) > 0 {
			t.Errorf("half a greeting is still there: %s, %v", cutOff, err)
		}
		slices.Sort(got[1:])
		if diff := cmp.Diff([]string{
			`call of "", 1h0m0s, began -1h0m0s later`, `call of "", 1s, began 0s later`, `voicemail of "w0", 1s, began 0s later`,
		}, got); diff != "" {
			t.Errorf("kept is (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"default/w0: 1 new, 0 old"}, phones.told()); diff != "" {
			t.Errorf("phones were told (-want +got):\n%s", diff)
		}
		if n := len(h.Journal.Events(id, engine.EventEnded)); n != 1 {
			t.Errorf("%d terminal events", n)
		}
		h.Close(t)
	})
}

// What was recorded of a call until its party was transferred is told as that call's,
// though the party has another by then.
func TestRecordingOfATransfer(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, func(c *engine.Config) { c.Recordings, c.Kept = folder, c.Journal.(*enginetest.Journal) }, bob)
		callIn(t, h)
		must(t, h.Engine.RecordTalk(t.Context(), talk(t, h).ID, true, false), blind(h, "w2"))
		synctest.Wait()
		must(t, h.Engine.RecordTalk(t.Context(), talk(t, h).ID, true, false)) // before the file of the first is complete
		time.Sleep(time.Second)
		h.Close(t)
		equal(t, "the app", pushes(h), []string{
			"incoming 0", "answered 0", "incoming 2", "answered 2", "ended 0", "recorded 0", "recorded 2", "ended 2",
		})
		for i, call := range []int{0, 2} {
			id := h.Journal.Records()[call].ID
			equal(t, "kept", h.Journal.Tapes()[i].Call, id)
			equal(t, "the timeline", len(h.Journal.Events(id, engine.EventRecorded)), 1)
		}
	})
}

// A recording is of the same two: it ends when one of both talks with another one, to
// whomever and however the call is transferred, and one that waits for its announcement
// is given up. The timeline says so, and the next may be asked for.
func TestTransfersEndRecordings(t *testing.T) {
	t.Parallel()
	const another, consults = "the recording ends: the other side is another one", "the recording ends: one of both talks with another one"
	x, alice := engine.Arrival{From: caller, To: called, Number: number, Account: directory.DefaultAccount},
		engine.Arrival{To: outside, Account: directory.DefaultAccount, Caller: directory.User{ID: "w0", Account: directory.DefaultAccount, App: "app"}}
	for _, tt := range []struct {
		name    string
		arrival engine.Arrival
		target  directory.Address
		to      string
		consult bool
		says    string // empty: the call itself ends
	}{
		{"to a user", x, bob, "w2", false, "the recording ends: the call goes on as another"},
		{"to a number outside", x, bob, "+493077", false, another},
		{"attended, to a user", x, bob, "w2", true, consults},
		{"attended, to a number outside", x, bob, "+493077", true, consults},
		{"attended, by a user who called out", alice, outside, "w2", true, consults},
		{"to a number outside, by a user who called out", alice, outside, "+493077", false, ""},
	} {
		for _, announced := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, ", announced ", announced), func(t *testing.T) {
				t.Parallel()
				folder := t.TempDir()
				synctest.Test(t, func(t *testing.T) {
					h := desks(t, func(c *engine.Config) {
						c.Recordings, c.Kept = folder, c.Journal.(*enginetest.Journal)
						c.Notice = &media.Prompt{Name: "notice", ULaw: make([]byte, 80000), ALaw: make([]byte, 80000)}
					}, tt.target)
					h.Target("+493077", pickUp)
					if _, err := h.Arrive(tt.arrival); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
					id := h.Journal.Records()[0].ID
					must(t, h.Engine.RecordTalk(t.Context(), id, true, announced))
					time.Sleep(time.Second)
					must(t, h.Engine.Transfer(id, engine.TransferOrder{To: tt.to, Attended: tt.consult}))
					time.Sleep(20 * time.Second) // longer than the announcement
					var rows []string
					for _, e := range h.Journal.Events(id, engine.EventRecording) {
						if !strings.HasPrefix(e.Text, "recording into") {
							rows = append(rows, e.Text)
						}
					}
					switch {
					case announced:
						equal(t, "the timeline", rows, []string{"not recorded: its announcement was cut off"})
					case tt.says != "":
						equal(t, "the timeline", rows, []string{tt.says})
					}
					kept := 1
					if announced {
						kept = 0
					}
					equal(t, "recordings", len(h.Journal.Tapes()), kept)
					for _, shown := range h.Engine.Talks(directory.DefaultAccount) {
						if shown.Recording {
							t.Errorf("still recorded: %+v", shown)
						}
					}
					h.Close(t)
				})
			})
		}
	}
}

// A message that was taken just before the server stops: phones are told of it, and a
// database that is away is not waited for. Neither cuts off what the app is told.
func TestStopBehindAMessage(t *testing.T) {
	t.Parallel()
	for _, away := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			phones := make(lamp, 10)
			takes := act(func(ctx context.Context, c *engine.Call) (engine.Next, error) {
				if _, err := c.BoxFull(ctx, "w0"); err != nil {
					return engine.Next{}, err
				}
				if err := c.OpenSound(); err != nil {
					return engine.Next{}, err
				}
				if _, err := c.TakeMessage("w0", engine.MessageLimits{}); err != nil {
					return engine.Next{}, err
				}
				return wait(ctx, c)
			})
			p := &phrase{programs: []engine.Program{{takes}}}
			h := enginetest.New(t, directory.Entries{Apps: entries.Apps, Users: []directory.User{{ID: "w0"}}}, map[string]engine.Dialect{"": p, "phrase": p}, func(c *engine.Config) {
				c.Messages.Most, c.Indicator, c.Kept = 5, phones, c.Journal.(engine.Recordings)
				if away {
					c.Kept = enginetest.Away{Recordings: c.Kept, Back: make(chan struct{})}
				}
			})
			h.App.Answer(func(r engine.Request) engine.Reply {
				time.Sleep(2 * time.Second)
				return engine.Reply{URL: r.URL, Status: 200}
			})
			in := h.Call(t, caller, called, number)
			time.Sleep(10 * time.Second)
			in.HangUp()
			began := time.Now()
			h.Close(t)
			if took := time.Since(began); took != 4*time.Second {
				t.Errorf("away %t: it took %v to stop, want the four seconds of telling the app of the message and the end", away, took)
			}
			equal(t, "the app", pushes(h), []string{"incoming 0", "recorded 0", "ended 0"})
			var want []string
			if !away {
				want = []string{"default/w0: 1 new, 0 old"}
			}
			equal(t, "the phones", phones.told(), want)
			ends(t, h)
		})
	}
}
