// SPDX-License-Identifier: MIT

package engine_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs"
)

// talks is a house where somebody who calls is put through to a number that
// talks for as long as it is let.
func talks(t *testing.T, c engine.Config) *enginetest.House {
	dial := engine.Program{verbs.Dial{Targets: []engine.Target{{Address: outside}}}}
	h := house(t, &phrase{programs: []engine.Program{dial, dial, dial, dial}}, func(into *engine.Config) {
		into.Limits, into.Talked = c.Limits, c.Talked
	})
	h.Target(outside.Value, func(l *enginetest.Leg) { l.Emit(engine.LegAnswered{}) })
	return h
}

// rung are the records of the targets that were rung.
func rung(h *enginetest.House) []engine.Record {
	return slices.DeleteFunc(h.Journal.Records(), func(r engine.Record) bool { return r.Parent.IsZero() })
}

// What calls by trunks last in a day is added up over all of them, and over a
// restart; when it is enough they end, and no new one begins until midnight.
func TestLimitMinutesPerDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // the clock begins at midnight (UTC)
		h := talks(t, engine.Config{Limits: engine.Limits{MinutesPerDay: 60}, Talked: 10 * time.Minute})
		h.Call(t, caller, called, number)
		time.Sleep(10 * time.Minute)
		h.Call(t, caller, called, number)
		time.Sleep(19 * time.Minute) // 10, 29 and 19 minutes
		if n := h.Engine.Living(); n != 4 {
			t.Fatalf("%d calls and targets live, want 4", n)
		}
		time.Sleep(time.Minute + time.Second)
		if n := h.Engine.Living(); n != 0 {
			t.Fatalf("%d calls and targets live when an hour was talked", n)
		}
		for _, r := range rung(h) {
			if r.Cause != engine.CauseForbidden || r.Trunk != "trunk" {
				t.Errorf("a target by trunk %q ended with %s", r.Trunk, r.Cause)
			}
			problems := h.Journal.Events(r.ID, engine.EventProblem)
			if len(problems) != 1 || !strings.Contains(problems[0].Text, "limits.minutes_per_day: calls by trunks have lasted 60 minutes today") {
				t.Errorf("its timeline says %v", problems)
			}
		}
		h.Call(t, caller, called, number)
		synctest.Wait()
		if last := rung(h)[2]; last.Cause != engine.CauseForbidden || last.AnsweredAt != nil {
			t.Errorf("the next target: %s, answered at %v; want it not rung", last.Cause, last.AnsweredAt)
		}
		time.Sleep(24 * time.Hour) // to the same time of the next day
		h.Call(t, caller, called, number)
		synctest.Wait()
		if last := rung(h)[3]; last.State != engine.StateAnswered {
			t.Errorf("a target of the next day is %s, want answered", last.State)
		}
		h.Close(t)
	})
}

// A call that talks over midnight costs each day its part.
func TestMinutesPerDayOverMidnight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := talks(t, engine.Config{Limits: engine.Limits{MinutesPerDay: 60}})
		time.Sleep(23*time.Hour + 10*time.Minute)
		h.Call(t, caller, called, number)
		time.Sleep(50*time.Minute + 59*time.Minute)
		if n := h.Engine.Living(); n != 2 {
			t.Fatalf("%d calls and targets live 59 minutes after midnight, want 2", n)
		}
		time.Sleep(2 * time.Minute)
		if n := h.Engine.Living(); n != 0 {
			t.Errorf("%d calls and targets live 61 minutes after midnight", n)
		}
		h.Close(t)
	})
}

// Emergency calls cost no minutes, and are not ended for others.
func TestEmergencyPassesMinutesPerDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &phrase{programs: []engine.Program{{verbs.Dial{Targets: []engine.Target{{Address: ambulance}}}}}}
		h := house(t, p, func(c *engine.Config) { c.Limits, c.Talked = engine.Limits{MinutesPerDay: 1}, time.Minute })
		h.Target("112", func(l *enginetest.Leg) { l.Emit(engine.LegAnswered{}); time.Sleep(time.Hour); l.HangUp() })
		h.Call(t, caller, called, number)
		time.Sleep(2 * time.Hour)
		if got := ends(t, h); !slices.Equal(got, []engine.Cause{engine.CauseNormal, engine.CauseNormal}) {
			t.Errorf("causes %v, want two normal ends", got)
		}
		h.Close(t)
	})
}
