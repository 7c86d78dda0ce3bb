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

func dial(numbers ...string) verbs.Dial {
	var d verbs.Dial
	for _, n := range numbers {
		d.Targets = append(d.Targets, engine.Target{Address: directory.NumberAddress(n)})
	}
	return d
}

func TestDial(t *testing.T) {
	t.Parallel()
	shown := directory.NumberAddress("+49211999999")
	yes, no := true, false
	as := func(d verbs.Dial, id *directory.Address, anonymous *bool) verbs.Dial {
		d.CallerID, d.Anonymous = id, anonymous
		return d
	}
	runFlows(t, []flow{
		{
			name: "the target hangs up", programs: []engine.Program{{dial(berlin)}},
			targets: map[string]func(*enginetest.Leg){berlin: talksFor(time.Minute)},
			leg:     []string{"progress", "answer", "hangup normal"}, sound: []string{"bridge caller " + berlin},
			told:    []string{"incoming ", "answered " + berlin, "ended normal"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "the caller hangs up", programs: []engine.Program{{dial(berlin)}},
			targets: map[string]func(*enginetest.Leg){berlin: picksUp},
			script:  func(l *enginetest.Leg) { time.Sleep(time.Minute); l.HangUp() },
			leg:     []string{"progress", "answer"}, sound: []string{"bridge caller " + berlin},
			told:    []string{"incoming ", "answered " + berlin, "ended normal"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "keys reach the other side", programs: []engine.Program{{dial(berlin)}},
			targets: map[string]func(*enginetest.Leg){berlin: func(l *enginetest.Leg) {
				picksUp(l)
				time.Sleep(time.Second)
				l.Press("7")
			}},
			script:  func(l *enginetest.Leg) { time.Sleep(time.Minute); l.Press("5#"); time.Sleep(time.Second); l.HangUp() },
			leg:     []string{"progress", "answer"},
			sound:   []string{"bridge caller " + berlin, "digits caller 7", "digits " + berlin + " 5", "digits " + berlin + " #"},
			told:    []string{"incoming ", "answered " + berlin, "ended normal"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "the caller cancels", programs: []engine.Program{{dial(berlin)}},
			targets: map[string]func(*enginetest.Leg){berlin: rings},
			script:  func(l *enginetest.Leg) { time.Sleep(time.Second); l.Cancel() },
			leg:     []string{"progress"},
			told:    []string{"incoming ", "ended cancelled"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "the first of two wins", programs: []engine.Program{{dial(berlin, bonn)}},
			targets: map[string]func(*enginetest.Leg){berlin: rings, bonn: talksFor(time.Minute)},
			leg:     []string{"progress", "answer", "hangup normal"}, sound: []string{"bridge caller " + bonn},
			told:    []string{"incoming ", "answered " + bonn, "ended normal"},
			dialled: []string{berlin + " as +4930111", bonn + " as +4930111"},
		}, {
			name: "both pick up at once", programs: []engine.Program{{dial(berlin, bonn)}},
			targets: map[string]func(*enginetest.Leg){berlin: picksUp, bonn: func(l *enginetest.Leg) {
				time.Sleep(2 * time.Second)
				l.KeepSilent()
				time.Sleep(time.Nanosecond)
				l.Emit(engine.LegAnswered{})
				time.Sleep(time.Second)
				l.End(engine.LegEnded{Cause: engine.CauseElsewhere})
			}},
			script: func(l *enginetest.Leg) { time.Sleep(time.Minute); l.HangUp() },
			leg:    []string{"progress", "answer"}, sound: []string{"bridge caller " + berlin},
			told:    []string{"incoming ", "answered " + berlin, "ended normal"},
			dialled: []string{berlin + " as +4930111", bonn + " as +4930111"},
		}, {
			name: "busy tells more than not found", programs: []engine.Program{{dial(berlin, bonn)}},
			targets: map[string]func(*enginetest.Leg){berlin: refuses(486), bonn: refuses(404)},
			leg:     []string{"hangup busy"},
			told:    []string{"incoming ", "ended busy"},
			dialled: []string{berlin + " as +4930111", bonn + " as +4930111"},
		}, {
			name: "nobody picks up", programs: []engine.Program{{dial(berlin)}},
			targets: map[string]func(*enginetest.Leg){berlin: rings},
			leg:     []string{"progress", "hangup no-answer"},
			told:    []string{"incoming ", "ended no-answer"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "a target that cannot be dialled", programs: []engine.Program{{dial(bonn)}},
			leg:  []string{"hangup not-found"},
			told: []string{"incoming ", "ended not-found"},
		}, {
			name: "another caller id", programs: []engine.Program{{as(dial(berlin), &shown, nil)}},
			targets: map[string]func(*enginetest.Leg){berlin: refuses(503)},
			leg:     []string{"hangup unreachable"},
			told:    []string{"incoming ", "ended unreachable"},
			dialled: []string{berlin + " as +49211999999"},
		}, {
			name: "anonymous", programs: []engine.Program{{as(dial(berlin), &shown, &yes)}},
			targets: map[string]func(*enginetest.Leg){berlin: refuses(603)},
			leg:     []string{"hangup rejected"},
			told:    []string{"incoming ", "ended rejected"},
			dialled: []string{berlin + " as anonymous"},
		}, {
			name: "not anonymous", programs: []engine.Program{{as(dial(berlin), nil, &no)}},
			targets: map[string]func(*enginetest.Leg){berlin: refuses(480)},
			leg:     []string{"hangup offline"},
			told:    []string{"incoming ", "ended offline"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "early media of the only target is heard", programs: []engine.Program{{dial(berlin)}},
			targets: map[string]func(*enginetest.Leg){berlin: func(l *enginetest.Leg) {
				l.Emit(engine.LegRinging{Status: 183, Sound: true})
				time.Sleep(time.Second)
				l.Refuse(404, false)
			}},
			leg: []string{"early media", "hangup not-found"}, sound: []string{"bridge caller " + berlin},
			told:    []string{"incoming ", "ended not-found"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "early media is not taken away by a later 180", programs: []engine.Program{{dial(berlin)}},
			targets: map[string]func(*enginetest.Leg){berlin: func(l *enginetest.Leg) {
				l.Emit(engine.LegRinging{Status: 183, Sound: true})
				l.Emit(engine.LegRinging{Status: 180})
				l.Emit(engine.LegRinging{Status: 183, Sound: true})
				time.Sleep(time.Second)
				l.Refuse(404, false)
			}},
			leg: []string{"early media", "hangup not-found"}, sound: []string{"bridge caller " + berlin},
			told:    []string{"incoming ", "ended not-found"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "nobody is answered for a target's early media", late: true, programs: []engine.Program{{dial(berlin)}},
			targets: map[string]func(*enginetest.Leg){berlin: func(l *enginetest.Leg) {
				l.Emit(engine.LegRinging{Status: 183, Sound: true})
				time.Sleep(time.Second)
				l.Refuse(404, false)
			}},
			leg:     []string{"progress", "hangup not-found"},
			told:    []string{"incoming ", "ended not-found"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "the target hangs up as soon as it has picked up", programs: []engine.Program{{dial(berlin)}},
			targets: map[string]func(*enginetest.Leg){berlin: func(l *enginetest.Leg) {
				l.Emit(engine.LegAnswered{})
				l.HangUp()
			}},
			leg:     []string{"answer", "hangup normal"},
			told:    []string{"incoming ", "answered " + berlin, "ended normal"},
			dialled: []string{berlin + " as +4930111"},
		}, {
			name: "the caller hears our sound, then the ringing tone", programs: []engine.Program{{verbs.Play{URL: "http://app/short.wav"}, dial(berlin)}},
			targets: map[string]func(*enginetest.Leg){berlin: talksFor(time.Minute)},
			leg:     []string{"early media", "answer", "hangup normal"},
			sound:   []string{"play caller http://app/short.wav", "play caller ringback", "stop caller", "bridge caller " + berlin},
			told:    []string{"incoming ", "answered " + berlin, "ended normal"},
			dialled: []string{berlin + " as +4930111"},
		},
	})
}

func TestReject(t *testing.T) {
	t.Parallel()
	runFlows(t, []flow{
		{
			name: "busy", programs: []engine.Program{{verbs.Reject{Cause: engine.CauseBusy}}},
			leg: []string{"hangup busy"}, told: []string{"incoming ", "ended busy"},
		}, {
			name: "rejected", programs: []engine.Program{{verbs.Reject{Cause: engine.CauseRejected}}},
			leg: []string{"hangup rejected"}, told: []string{"incoming ", "ended rejected"},
		},
	})
}

func TestHangup(t *testing.T) {
	t.Parallel()
	runFlows(t, []flow{
		{
			name: "before an answer", programs: []engine.Program{{verbs.Hangup{}}},
			leg: []string{"hangup rejected"}, told: []string{"incoming ", "ended rejected"},
		}, {
			name: "after an answer", late: true, programs: []engine.Program{{verbs.Play{URL: "http://app/short.wav"}, verbs.Hangup{}}},
			leg: []string{"answer", "hangup normal"}, sound: []string{"play caller http://app/short.wav"},
			told: []string{"incoming ", "ended normal"},
		},
	})
}

// What the account settings do with a call that no app directs.
func TestDeliver(t *testing.T) {
	t.Parallel()
	nothing := []engine.Program{{}}
	runFlows(t, []flow{
		{
			name: "users and groups ring, each once", programs: nothing, users: []string{"w1"},
			targets: map[string]func(*enginetest.Leg){"w0": rings, "w1": talksFor(time.Minute)},
			leg:     []string{"progress", "answer", "hangup normal"}, sound: []string{"bridge caller w1"},
			told:    []string{"incoming ", "answered w1", "ended normal"},
			dialled: []string{"w1 as +4930111", "w0 as +4930111"},
		}, {
			name: "busy", programs: nothing, users: []string{"w0"},
			targets: map[string]func(*enginetest.Leg){"w0": refuses(486), "w1": refuses(480)},
			leg:     []string{"hangup busy"}, told: []string{"incoming ", "ended busy"},
			dialled: []string{"w0 as +4930111", "w1 as +4930111"},
		}, {
			name: "nobody is there", programs: nothing,
			leg: []string{"hangup offline"}, told: []string{"incoming ", "ended offline"},
		},
	})
}
