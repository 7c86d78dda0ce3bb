// SPDX-License-Identifier: MIT

package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs"
)

// An app that answers a question with what leads straight back to it is asked more and
// more slowly; one whose documents take their time never waits.
func TestAppThatGoesRoundInCircles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		refuses  time.Duration // after which the target is busy
		rung     int           // how often in a minute
		problems int
	}{
		// 21 at once, then behind 0.25, 0.5, 1, 2 and 4 s, and one each 5 s: 52.25 s are left.
		{"at once", 0, 21 + 5 + 10, 1},
		{"after a second", time.Second, 60, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				again := engine.Program{verbs.Dial{Targets: []engine.Target{{Address: outside}}, OnNoAnswer: "http://app/again"}}
				var programs []engine.Program
				for range 200 {
					programs = append(programs, again)
				}
				h := plans(t, nil, programs...)
				h.Target(outside.Value, func(l *enginetest.Leg) { time.Sleep(tt.refuses); l.Refuse(486, false) })
				in := h.Call(t, caller, called, number)
				time.Sleep(time.Minute - time.Millisecond)
				if n := len(h.Dialled()); n != tt.rung {
					t.Errorf("%d rung in a minute, want %d", n, tt.rung)
				}
				problems := h.Journal.Events(h.Journal.Records()[0].ID, engine.EventProblem)
				if len(problems) != tt.problems || tt.problems > 0 && !strings.Contains(problems[0].Text, "the app is asked more slowly now") {
					t.Errorf("problems: %v", fmt.Sprint(problems))
				}
				in.HangUp()
				time.Sleep(2 * time.Second)
				h.Close(t)
				ends(t, h)
			})
		})
	}
}
