// SPDX-License-Identifier: MIT

package verbs_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs"
)

// rungFor is a target with a delay and a timeout.
func rungFor(number string, delay, timeout time.Duration) engine.Target {
	return engine.Target{Address: directory.NumberAddress(number), Delay: delay, Timeout: timeout}
}

// refusesAfter rings and then refuses.
func refusesAfter(d time.Duration, status int) func(*enginetest.Leg) {
	return func(l *enginetest.Leg) {
		l.Emit(engine.LegRinging{Status: 180})
		time.Sleep(d)
		l.Refuse(status, false)
	}
}

// Targets ring at once or one after the other, and each as long as it may.
func TestDialHunts(t *testing.T) {
	t.Parallel()
	hunt := func(targets ...engine.Target) engine.Program { return engine.Program{verbs.Dial{Targets: targets}} }
	runFlows(t, []flow{
		{
			name: "the second is never rung when the first picks up", programs: []engine.Program{hunt(rungFor(berlin, 0, 0), rungFor(bonn, 3*time.Second, 0))},
			targets: map[string]func(*enginetest.Leg){berlin: talksFor(time.Minute), bonn: rings},
			leg:     []string{"progress", "answer", "hangup normal"}, sound: []string{"bridge caller " + berlin},
			told:    []string{"incoming ", "answered " + berlin, "ended normal"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "the second rings as well after its delay", programs: []engine.Program{hunt(rungFor(bonn, 3*time.Second, 0), rungFor(berlin, 0, 0))},
			targets: map[string]func(*enginetest.Leg){berlin: picksUpAfter(10 * time.Second), bonn: talksFor(time.Minute)}, // 2 s after 3 s
			leg:     []string{"progress", "answer", "hangup normal"}, sound: []string{"bridge caller " + bonn},
			told:    []string{"incoming ", "answered " + bonn, "ended normal"},
			dialled: []string{berlin + " as +4930111", bonn + " as +4930111"},
		}, {
			name: "the first may still pick up then", programs: []engine.Program{hunt(rungFor(berlin, 0, 0), rungFor(bonn, 3*time.Second, 0))},
			targets: map[string]func(*enginetest.Leg){berlin: picksUpAfter(4 * time.Second), bonn: rings},
			script:  func(l *enginetest.Leg) { time.Sleep(time.Minute); l.HangUp() },
			leg:     []string{"progress", "answer"}, sound: []string{"bridge caller " + berlin},
			told:    []string{"incoming ", "answered " + berlin, "ended normal"},
			dialled: []string{berlin + " as +4930111", bonn + " as +4930111"},
		}, {
			name: "nobody waits for nothing: the next rings when all have refused", programs: []engine.Program{hunt(rungFor(berlin, 0, 0), rungFor(bonn, 50*time.Second, 0))},
			targets: map[string]func(*enginetest.Leg){berlin: refuses(486), bonn: talksFor(time.Minute)},
			script:  func(l *enginetest.Leg) { time.Sleep(30 * time.Second); l.HangUp() },
			leg:     []string{"progress", "answer"}, sound: []string{"bridge caller " + bonn},
			told:    []string{"incoming ", "answered " + bonn, "ended normal"},
			dialled: []string{berlin + " as +4930111", bonn + " as +4930111"},
		}, {
			name: "a delay of the only one is none", programs: []engine.Program{hunt(rungFor(berlin, 50*time.Second, 0))},
			targets: map[string]func(*enginetest.Leg){berlin: picksUp},
			script:  func(l *enginetest.Leg) { time.Sleep(30 * time.Second); l.HangUp() },
			leg:     []string{"progress", "answer"}, sound: []string{"bridge caller " + berlin},
			told:    []string{"incoming ", "answered " + berlin, "ended normal"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "a timeout of each makes a row of them", programs: []engine.Program{hunt(rungFor(berlin, 0, 5*time.Second), rungFor(bonn, time.Minute, 5*time.Second))},
			targets: map[string]func(*enginetest.Leg){berlin: picksUpAfter(6 * time.Second), bonn: picksUpAfter(4 * time.Second)},
			script:  func(l *enginetest.Leg) { time.Sleep(30 * time.Second); l.HangUp() },
			leg:     []string{"progress", "answer"}, sound: []string{"bridge caller " + bonn},
			told:    []string{"incoming ", "answered " + bonn, "ended normal"},
			dialled: []string{berlin + " as +4930111", bonn + " as +4930111"},
		}, {
			name: "the timeouts of all are over", programs: []engine.Program{hunt(rungFor(berlin, 0, 5*time.Second), rungFor(bonn, 0, 8*time.Second))},
			targets: map[string]func(*enginetest.Leg){berlin: rings, bonn: rings},
			script: func(l *enginetest.Leg) {
				time.Sleep(9 * time.Second)
				l.HangUp() // it has been refused before
			},
			leg: []string{"progress", "hangup no-answer"}, told: []string{"incoming ", "ended no-answer"},
			dialled: []string{berlin + " as +4930111", bonn + " as +4930111"},
		}, {
			name: "what is over ends the one that waits, too", programs: []engine.Program{{verbs.Dial{
				Targets: []engine.Target{rungFor(berlin, 0, 0), rungFor(bonn, 20*time.Second, 0)}, RingTime: 10 * time.Second}}},
			targets: map[string]func(*enginetest.Leg){berlin: rings, bonn: picksUp},
			leg:     []string{"progress", "hangup no-answer"}, told: []string{"incoming ", "ended no-answer"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "busy tells more than nobody", programs: []engine.Program{hunt(rungFor(berlin, 0, 0), rungFor(bonn, 3*time.Second, 2*time.Second))},
			targets: map[string]func(*enginetest.Leg){berlin: refusesAfter(4*time.Second, 486), bonn: rings},
			leg:     []string{"progress", "hangup busy"}, told: []string{"incoming ", "ended busy"},
			dialled: []string{berlin + " as +4930111", bonn + " as +4930111"},
		},
	})
}

// When nobody is reached the app is asked, or the program goes on.
func TestDialGoesOn(t *testing.T) {
	t.Parallel()
	first := dial(berlin)
	asked, goesOn := first, first
	asked.OnNoAnswer, goesOn.GoOn = "http://app/missed", true
	say := verbs.Say{Text: "a text"}
	runFlows(t, []flow{
		{
			name: "the app is asked", programs: []engine.Program{{asked}, {dial(bonn)}},
			targets: map[string]func(*enginetest.Leg){berlin: refuses(486), bonn: talksFor(time.Minute)},
			leg:     []string{"progress", "answer", "hangup normal"}, sound: []string{"bridge caller " + bonn},
			told:    []string{"incoming ", "unanswered ", "answered " + bonn, "ended normal"},
			dialled: []string{berlin + " as +4930111", bonn + " as +4930111"},
		}, {
			name: "not when somebody picks up", programs: []engine.Program{{asked}, {dial(bonn)}},
			targets: map[string]func(*enginetest.Leg){berlin: talksFor(time.Minute)},
			leg:     []string{"progress", "answer", "hangup normal"}, sound: []string{"bridge caller " + berlin},
			told:    []string{"incoming ", "answered " + berlin, "ended normal"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "not when the caller gives up", programs: []engine.Program{{asked}, {dial(bonn)}},
			targets: map[string]func(*enginetest.Leg){berlin: rings},
			script:  func(l *enginetest.Leg) { time.Sleep(time.Second); l.Cancel() },
			leg:     []string{"progress"}, told: []string{"incoming ", "ended cancelled"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "the next verb runs, and the caller hears ringing again", programs: []engine.Program{{say, goesOn, say, dial(bonn)}},
			targets: map[string]func(*enginetest.Leg){berlin: refusesAfter(time.Second, 404), bonn: talksFor(time.Minute)},
			leg:     []string{"early media", "answer", "hangup normal"},
			sound: []string{
				"play caller speech:", "play caller ringback", "stop caller", "play caller speech:", "play caller ringback", "stop caller", "bridge caller " + bonn,
			},
			told:    []string{"incoming ", "answered " + bonn, "ended normal"},
			dialled: []string{berlin + " as +4930111", bonn + " as +4930111"},
		}, {
			name: "not behind a conversation", programs: []engine.Program{{goesOn, say}},
			targets: map[string]func(*enginetest.Leg){berlin: talksFor(time.Minute)},
			leg:     []string{"progress", "answer", "hangup normal"}, sound: []string{"bridge caller " + berlin},
			told:    []string{"incoming ", "answered " + berlin, "ended normal"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "nobody to ring", programs: []engine.Program{{verbs.Dial{GoOn: true}, say, verbs.Hangup{}}},
			leg: []string{"early media", "hangup rejected"}, sound: []string{"play caller speech:"},
			told: []string{"incoming ", "ended rejected"},
		},
	})
}

func TestDialString(t *testing.T) {
	t.Parallel()
	d := verbs.Dial{
		Targets:  []engine.Target{rungFor(berlin, 0, 20*time.Second), rungFor(bonn, 1500*time.Millisecond, 0)},
		RingTime: 30 * time.Second, OnNoAnswer: "http://app/missed",
	}
	if got, want := d.String(), "Dial +493022222222 for 20s, +492288888888 after 1.5s; no longer than 30s; ask when nobody is reached"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := (verbs.Dial{Targets: d.Targets[:1], GoOn: true}).String(), "Dial +493022222222 for 20s; go on when nobody is reached"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
