// SPDX-License-Identifier: MIT

package verbs_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs"
)

func TestPlay(t *testing.T) {
	t.Parallel()
	long, short := verbs.Play{URL: "http://app/long.wav"}, verbs.Play{URL: "http://app/short.wav"}
	runFlows(t, []flow{
		{
			name: "one file as early media", programs: []engine.Program{{short, verbs.Hangup{}}},
			leg: []string{"early media", "hangup rejected"}, sound: []string{"play caller http://app/short.wav"},
			told: []string{"incoming ", "ended rejected"},
		}, {
			name: "one file on an answered call", late: true, programs: []engine.Program{{short, verbs.Hangup{}}},
			leg: []string{"answer", "hangup normal"}, sound: []string{"play caller http://app/short.wav"},
			told: []string{"incoming ", "ended normal"},
		}, {
			name: "several files one after the other", programs: []engine.Program{{short, long, verbs.Hangup{}}},
			leg:   []string{"early media", "hangup rejected"},
			sound: []string{"play caller http://app/short.wav", "play caller http://app/long.wav"},
			told:  []string{"incoming ", "ended rejected"},
		}, {
			name: "a file that cannot be played is passed over", programs: []engine.Program{{verbs.Play{URL: "http://app/none.wav"}, short, verbs.Hangup{}}},
			leg: []string{"early media", "hangup rejected"}, sound: []string{"play caller http://app/short.wav"},
			told: []string{"incoming ", "ended rejected"},
		}, {
			name: "the caller gives up", programs: []engine.Program{{long}},
			script: func(l *enginetest.Leg) { time.Sleep(3 * time.Second); l.Cancel() },
			leg:    []string{"early media"}, sound: []string{"play caller http://app/long.wav"},
			told: []string{"incoming ", "ended cancelled"},
		}, {
			name: "then the call is delivered", programs: []engine.Program{{short}}, users: []string{"w0"},
			targets: map[string]func(*enginetest.Leg){"w0": talksFor(time.Minute), "w1": rings},
			leg:     []string{"early media", "answer", "hangup normal"},
			sound:   []string{"play caller http://app/short.wav", "play caller ringback", "stop caller", "bridge caller w0"},
			told:    []string{"incoming ", "answered w0", "ended normal"},
			dialled: []string{"w0 as +4930111", "w1 as +4930111"},
		},
	})
}

func TestPlayString(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://me:secret@app.example/hello.wav?a=1": "Play https://me:xxxxx@app.example/hello.wav?a=1",
		"http://app/%zz": "Play a URL that cannot be read",
	} {
		if got := (verbs.Play{URL: url}).String(); got != want {
			t.Errorf("%s is shown as %q, want %q", url, got, want)
		}
	}
}
