// SPDX-License-Identifier: MIT

package verbs_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs"
	"github.com/callwright/callwright/verbs/builtin"
)

func TestSay(t *testing.T) {
	t.Parallel()
	say := verbs.Say{Text: "a text", Language: "de-DE"}
	runFlows(t, []flow{
		{
			name: "texts and a file one after the other", programs: []engine.Program{{say, verbs.Play{URL: "http://app/short.wav"}, say, verbs.Hangup{}}},
			leg:   []string{"early media", "hangup rejected"},
			sound: []string{"play caller speech:de-DE", "play caller http://app/short.wav", "play caller speech:de-DE"},
			told:  []string{"incoming ", "ended rejected"},
		}, {
			name: "a text that cannot be spoken is passed over", programs: []engine.Program{{verbs.Say{Text: "unspeakable"}, say, verbs.Hangup{}}},
			leg: []string{"early media", "hangup rejected"}, sound: []string{"play caller speech:de-DE"},
			told: []string{"incoming ", "ended rejected"},
		}, {
			name: "the caller gives up", programs: []engine.Program{{verbs.Say{Text: "a long text"}}},
			script: func(l *enginetest.Leg) { time.Sleep(3 * time.Second); l.Cancel() },
			leg:    []string{"early media"}, sound: []string{"play caller speech:"},
			told: []string{"incoming ", "ended cancelled"},
		},
	})
}

// What was said, and what could not be, is on the timeline.
func TestSayTimeline(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 300)
	for name, tt := range map[string]struct {
		mute bool // nobody speaks
		say  verbs.Say
		kind engine.EventKind
		want string
	}{
		"spoken":      {false, verbs.Say{Text: "a text", Language: "de-DE"}, engine.EventPrompt, `say "a text" (speech:de-DE, 1.0 s)`},
		"long":        {false, verbs.Say{Text: long}, engine.EventPrompt, `say "` + long[:400] + `…" (speech:, 1.0 s)`},
		"unspeakable": {false, verbs.Say{Text: "x"}, engine.EventProblem, `"x" cannot be spoken`},
		"no speaker":  {true, verbs.Say{Text: "a text"}, engine.EventProblem, "this server speaks no text: have its operator set speech.provider, or play a sound file"},
		"the verb":    {false, verbs.Say{Text: long, Language: "de-DE", Voice: "de+f2"}, engine.EventVerb, `Say "` + long[:120] + `…" in de-DE by de+f2`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dialect := &recital{programs: []engine.Program{{tt.say, verbs.Hangup{}}}}
				h := enginetest.New(t, directory.Entries{Apps: []directory.App{{Key: "app", Dialect: "recital", EarlyMedia: true}}},
					map[string]engine.Dialect{"recital": dialect, "": builtin.AccountSettings{}},
					func(c *engine.Config) {
						if tt.mute {
							c.Speaker = nil
						}
					})
				h.Speaker["a text"], h.Speaker[long] = time.Second, time.Second
				h.Call(t, caller, called, directory.Number{Number: called.Value, Account: directory.DefaultAccount, App: "app"})
				time.Sleep(time.Minute)
				synctest.Wait()
				events := h.Journal.Events(h.Journal.Records()[0].ID, tt.kind)
				if len(events) == 0 {
					t.Fatal("nothing of it is on the timeline")
				}
				if diff := cmp.Diff(tt.want, events[0].Text); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				h.Close(t)
			})
		})
	}
}
