// SPDX-License-Identifier: MIT

package verbs_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs"
)

func TestGather(t *testing.T) {
	t.Parallel()
	gather := verbs.Gather{OnData: "http://app/dtmf", MaxDigits: 4, Timeout: 3 * time.Second}
	prompted := gather
	prompted.Prompts = []verbs.Prompt{verbs.Play{URL: "http://app/long.wav"}}
	spoken := gather
	spoken.Prompts = []verbs.Prompt{
		verbs.Say{Text: "unspeakable"}, verbs.Play{URL: "http://app/short.wav"}, verbs.Say{Text: "a long text", Language: "de-DE"},
	}
	broken := gather
	broken.Prompts = []verbs.Prompt{verbs.Play{URL: "http://app/none.wav"}}
	runFlows(t, []flow{
		{
			name: "all digits", programs: []engine.Program{{gather}},
			script: func(l *enginetest.Leg) { l.Press("12*#") },
			leg:    []string{"early media", "hangup rejected"},
			told:   []string{"incoming ", "gathered 12*#", "ended rejected"},
		}, {
			name: "digits beyond the last are not counted", programs: []engine.Program{{gather}},
			script: func(l *enginetest.Leg) { l.Press("123456") },
			leg:    []string{"early media", "hangup rejected"},
			told:   []string{"incoming ", "gathered 1234", "ended rejected"},
		}, {
			name: "nothing pressed", programs: []engine.Program{{gather}},
			leg:  []string{"early media", "hangup rejected"},
			told: []string{"incoming ", "gathered ", "ended rejected"},
		}, {
			name: "the time-out counts anew from each digit", programs: []engine.Program{{gather}},
			script: func(l *enginetest.Leg) {
				for _, d := range "12" {
					time.Sleep(2 * time.Second)
					l.Press(string(d))
				}
				time.Sleep(4 * time.Second)
				l.Press("3")
			},
			leg:  []string{"early media", "hangup rejected"},
			told: []string{"incoming ", "gathered 12", "ended rejected"},
		}, {
			name: "the first digit stops the prompt", programs: []engine.Program{{prompted}},
			script: func(l *enginetest.Leg) {
				time.Sleep(time.Second)
				l.Press("1")
				time.Sleep(time.Second)
				l.Press("234")
			},
			leg:   []string{"early media", "hangup rejected"},
			sound: []string{"play caller http://app/long.wav", "stop caller"},
			told:  []string{"incoming ", "gathered 1234", "ended rejected"},
		}, {
			name: "texts and files are prompts alike", programs: []engine.Program{{spoken}},
			script: func(l *enginetest.Leg) {
				time.Sleep(5 * time.Second) // 1 s of file, then the second text
				l.Press("1234")
			},
			leg:   []string{"early media", "hangup rejected"},
			sound: []string{"play caller http://app/short.wav", "play caller speech:de-DE", "stop caller"},
			told:  []string{"incoming ", "gathered 1234", "ended rejected"},
		}, {
			name: "digits that come while the prompt is fetched count", programs: []engine.Program{{prompted}}, fetch: 2 * time.Second,
			script: func(l *enginetest.Leg) {
				time.Sleep(time.Second)
				l.Press("12")
				time.Sleep(2 * time.Second)
				l.Press("34")
			},
			leg:   []string{"early media", "hangup rejected"},
			sound: []string{"play caller http://app/long.wav", "stop caller"},
			told:  []string{"incoming ", "gathered 1234", "ended rejected"},
		}, {
			name: "the time-out counts from the end of the prompt", programs: []engine.Program{{prompted}},
			script: func(l *enginetest.Leg) {
				time.Sleep(12 * time.Second) // 10 s of prompt, 2 of 3 s of time-out
				l.Press("7")
			},
			leg: []string{"early media", "hangup rejected"}, sound: []string{"play caller http://app/long.wav"},
			told: []string{"incoming ", "gathered 7", "ended rejected"},
		}, {
			name: "a prompt that cannot be played leaves the time-out", programs: []engine.Program{{broken}},
			script: func(l *enginetest.Leg) { time.Sleep(2 * time.Second); l.Press("9") },
			leg:    []string{"early media", "hangup rejected"},
			told:   []string{"incoming ", "gathered 9", "ended rejected"},
		}, {
			name: "a menu loop", programs: []engine.Program{{gather}, {gather}},
			script: func(l *enginetest.Leg) {
				l.Press("1111")
				time.Sleep(time.Second)
				l.Press("2222")
			},
			leg:  []string{"early media", "hangup rejected"},
			told: []string{"incoming ", "gathered 1111", "gathered 2222", "ended rejected"},
		}, {
			name: "the caller gives up", programs: []engine.Program{{prompted}},
			script: func(l *enginetest.Leg) { l.Press("1"); time.Sleep(time.Second); l.HangUp() },
			leg:    []string{"early media"},
			sound:  []string{"play caller http://app/long.wav", "stop caller"},
			told:   []string{"incoming ", "ended cancelled"},
		},
	})
}
