// SPDX-License-Identifier: MIT

package verbs_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/verbs/builtin"
)

// everyFile plays a second of silence for every file.
type everyFile struct{}

func (everyFile) Prompt(_ context.Context, path string) (*media.Prompt, error) {
	if strings.Contains(path, "gone") {
		return nil, errors.New("there is no such file")
	}
	sound := make([]byte, media.SampleRate)
	return &media.Prompt{Name: path, ULaw: sound, ALaw: sound}, nil
}

// greetings are those that were set.
type greetings struct {
	set []string
	err error
}

func (g *greetings) SetGreeting(_ context.Context, account, user, path string) error {
	g.set = append(g.set, account+"/"+user+" "+path)
	return g.err
}

// session is a call that an API begins to the phone of w0, who picks up.
func session(t *testing.T, g *greetings, program func(*enginetest.House) engine.Program) (*enginetest.House, *enginetest.Leg) {
	t.Helper()
	entries := directory.Entries{Users: []directory.User{{ID: "w0", Name: "Alice"}}}
	h := enginetest.New(t, entries, map[string]engine.Dialect{"": builtin.AccountSettings{}}, func(c *engine.Config) {
		c.Recordings, c.Kept, c.Files, c.Greetings = "/recordings", c.Journal.(*enginetest.Journal), everyFile{}, g
	})
	h.Prompts["tone:beep"] = time.Second
	h.Phones["w0"] = []string{"phone"}
	h.Target("phone", func(l *enginetest.Leg) { l.Emit(engine.LegAnswered{}) })
	if _, err := h.Engine.Originate(engine.Origination{Caller: directory.Address{Kind: directory.KindUser, Value: "w0"}, Program: program(h)}); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return h, h.Dialled()[0].Leg
}

// plays are the files that a phone was played.
func plays(h *enginetest.House) (names []string) {
	for _, did := range h.Sound.Did() {
		if _, file, ok := strings.Cut(did, "play phone "); ok {
			names = append(names, filepath.Base(file))
		}
	}
	return names
}

func TestPlayback(t *testing.T) {
	t.Parallel()
	for name, heard := range map[string]bool{"message.wav": true, "gone.wav": false} {
		synctest.Test(t, func(t *testing.T) {
			message := engine.Recording{ID: engine.NewID(), Account: directory.DefaultAccount, Kind: engine.RecordingMessage, Box: "w0", File: name}
			h, leg := session(t, &greetings{}, func(h *enginetest.House) engine.Program {
				h.Journal.Append(engine.RecordingSaved{Recording: message})
				return builtin.PlayMessage(message)
			})
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if got := plays(h); heard != slices.Equal(got, []string{name}) || !slices.Contains(leg.Did(), "hangup normal") {
				t.Errorf("heard %v, and the phone was told %v", got, leg.Did())
			}
			h.Close(t)
			tapes := h.Journal.Tapes()
			if marked := tapes[len(tapes)-1].HeardAt != nil; marked != heard {
				t.Errorf("%s is marked as heard: %v", name, marked)
			}
		})
	}
}

func TestSpeakGreeting(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		set    bool
		err    error // of setting it
		script func(*enginetest.House, *enginetest.Leg)
		hears  int // files, the tone among them
		sets   bool
	}{
		{"a key ends it", true, nil, func(_ *enginetest.House, l *enginetest.Leg) { l.Press("1#") }, 2, true},
		{"silence ends it", true, nil, func(h *enginetest.House, l *enginetest.Leg) {
			h.Sound.Recorded(l.Info().Stream, media.Event{Duration: 3 * time.Second, Heard: 2 * time.Second, Reason: media.RecordSilent})
		}, 2, true},
		{"it is for no voicemail", false, nil, func(_ *enginetest.House, l *enginetest.Leg) { l.Press("#") }, 2, false},
		{"it cannot be set", true, errors.New("the disk is full"), func(_ *enginetest.House, l *enginetest.Leg) { l.Press("#") }, 2, true},
		{"it cannot be recorded", true, nil, func(h *enginetest.House, l *enginetest.Leg) {
			h.Sound.Recorded(l.Info().Stream, media.Event{Err: errors.New("the disk is full")})
		}, 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := &greetings{err: tt.err}
				h, leg := session(t, g, func(*enginetest.House) engine.Program { return builtin.SpeakGreeting("w0", tt.set) })
				time.Sleep(2 * time.Second)
				synctest.Wait()
				tt.script(h, leg)
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if got := plays(h); len(got) != tt.hears {
					t.Errorf("heard %v", got)
				}
				if tt.sets != (len(g.set) == 1 && strings.HasPrefix(g.set[0], "default/w0 /recordings/")) {
					t.Errorf("set %v", g.set)
				}
				h.Close(t)
				problems := h.Journal.Events(h.Journal.Records()[0].ID, engine.EventProblem)
				if tt.err != nil != slices.ContainsFunc(problems, func(e engine.Event) bool {
					return strings.Contains(e.Text, "callers of w0 do not hear the greeting: the disk is full")
				}) {
					t.Errorf("complained %v", problems)
				}
			})
		})
	}
}
