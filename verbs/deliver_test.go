// SPDX-License-Identifier: MIT

package verbs_test

import (
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
	"github.com/callwright/callwright/verbs/builtin"
)

// settings are those of a number, and what comes of a call to it that no app
// directs.
type settings struct {
	name    string
	number  directory.Number
	by      string // the user who calls out; else the call comes in
	targets map[string]func(*enginetest.Leg)
	script  func(*enginetest.Leg)
	limits  engine.Limits
	dialled []string // who was rung, and when
	calls   []string // the calls of the chain with their causes, and who answered
	said    []string // of transfers, in the timelines
}

// sendsOn has a phone send the call on (302).
func sendsOn(contacts ...string) func(*enginetest.Leg) {
	return func(l *enginetest.Leg) {
		l.End(engine.LegEnded{Cause: engine.CauseUnreachable, Remote: true, Text: "302 Moved Temporarily", Contacts: contacts})
	}
}

const second = "+4921112399"

func (s settings) run(t *testing.T) {
	s.number.Number, s.number.Account = called.Value, directory.DefaultAccount
	entries := directory.Entries{
		Users:   []directory.User{{ID: "w0", Name: "Alice", CallerID: "+4930000"}, {ID: "w1"}, {ID: "w2"}},
		Groups:  []directory.Group{{ID: "g0", Users: []string{"w1", "w2"}}},
		Numbers: []directory.Number{s.number, {Number: second, Users: []string{"w2"}, OnBusy: called.Value, OnOffline: "voicemail"}},
	}
	h := enginetest.New(t, entries, map[string]engine.Dialect{"": builtin.AccountSettings{}}, func(c *engine.Config) { c.Limits = s.limits })
	var mu sync.Mutex // targets ring side by side
	var dialled []string
	start := time.Now()
	for _, tt := range []string{"w0", "w1", "w2", berlin, bonn} {
		script := s.targets[tt]
		if script == nil {
			continue
		}
		h.Target(tt, func(l *enginetest.Leg) {
			mu.Lock()
			dialled = append(dialled, tt+" after "+time.Since(start).String())
			mu.Unlock()
			script(l)
		})
	}
	arrival := engine.Arrival{From: caller, To: called, Number: s.number}
	if s.by != "" {
		u := directory.User{ID: s.by, Account: directory.DefaultAccount}
		arrival = engine.Arrival{Account: u.Account, Caller: u, From: u.Address(), To: called}
	}
	leg, err := h.Arrive(arrival)
	if err != nil {
		t.Fatal(err)
	}
	if s.script != nil {
		s.script(leg)
	}
	time.Sleep(5 * time.Minute)
	var calls, said []string
	for _, r := range h.Journal.Records() {
		for _, e := range h.Journal.Events(r.ID, engine.EventTransfer) {
			said = append(said, e.Text)
		}
		if !r.Parent.IsZero() {
			continue
		}
		line := string(r.Cause)
		if r.AnsweredBy != nil {
			line += " " + string(r.AnsweredBy.Kind) + " " + r.AnsweredBy.Value
		}
		calls = append(calls, line)
	}
	slices.Sort(dialled)
	for _, d := range []struct {
		what      string
		want, got []string
	}{{"dialled", s.dialled, dialled}, {"calls", s.calls, calls}} {
		if diff := cmp.Diff(d.want, d.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", d.what, diff)
		}
	}
	for _, want := range s.said {
		if !slices.Contains(said, want) {
			t.Errorf("the timelines do not say %q but %q", want, said)
		}
	}
	h.Close(t)
}

// The timeline of a call says what became of each target, by which rule the call went
// on, and why. Calls are written as whom they are to: those of targets, and the next of
// the chain as "next".
func TestDeliverSaysWhy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		number  directory.Number
		targets map[string]func(*enginetest.Leg)
		rows    []string
	}{
		{"nobody picks up", directory.Number{VoicemailAfter: "3s", Users: []string{"w0", "w1"}},
			map[string]func(*enginetest.Leg){"w0": refuses(486), "w1": rings}, []string{
				"Deliver to Alice (w0), w1; no longer than 3s; busy: voicemail; offline: voicemail; no answer: voicemail",
				"Alice (w0): busy: 486 (call w0)", "w1: no-answer (call w1)",
				"is forwarded to the voicemail of w0 as call next: nobody picked up within 3s (voicemail_after)",
			}},
		{"busy", directory.Number{OnBusy: berlin, VoicemailAfter: "3s", Users: []string{"w0"}},
			map[string]func(*enginetest.Leg){"w0": refuses(486), berlin: picksUp}, []string{
				"Deliver to Alice (w0); no longer than 3s; busy: " + berlin + "; offline: voicemail; no answer: voicemail",
				"Alice (w0): busy: 486 (call w0)", "is forwarded to " + berlin + " as call next: busy (on_busy)",
			}},
		{"refused", directory.Number{OnNoAnswer: berlin, Users: []string{"w0"}},
			map[string]func(*enginetest.Leg){"w0": refuses(603), berlin: picksUp}, []string{
				"Deliver to Alice (w0); no answer: " + berlin,
				"Alice (w0): rejected: 603 (call w0)", "is forwarded to " + berlin + " as call next: refused (on_no_answer)",
			}},
		{"nobody is there", directory.Number{OnOffline: berlin, Users: []string{"w0"}},
			map[string]func(*enginetest.Leg){berlin: picksUp}, []string{
				"Deliver to Alice (w0); offline: " + berlin,
				"Alice (w0): not-found: no such target (call w0)", "is forwarded to " + berlin + " as call next: nobody could be reached: not-found (on_offline)",
			}},
		{"the phone sends it on", directory.Number{Users: []string{"w0"}},
			map[string]func(*enginetest.Leg){"w0": sendsOn("w1"), "w1": picksUp}, []string{
				"Deliver to Alice (w0)", "Alice (w0): forwarded: 302 Moved Temporarily: the call is forwarded to w1 (call w0)",
				"is forwarded to w1 as call next: the phone that rang sends it there",
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tt.number.Number, tt.number.Account = called.Value, directory.DefaultAccount
				h := enginetest.New(t, directory.Entries{
					Users: []directory.User{{ID: "w0", Name: "Alice"}, {ID: "w1"}}, Numbers: []directory.Number{tt.number},
				}, map[string]engine.Dialect{"": builtin.AccountSettings{}})
				for to, script := range tt.targets {
					h.Target(to, script)
				}
				leg := h.Call(t, caller, called, tt.number)
				time.Sleep(10 * time.Second)
				leg.HangUp()
				time.Sleep(5 * time.Minute)
				h.Close(t)
				var rows []string
				records := h.Journal.Records()
				for _, e := range h.Journal.Events(records[0].ID, engine.EventVerb, engine.EventTarget, engine.EventTransfer) {
					for _, r := range records {
						as := r.To.Value
						if r.Parent.IsZero() {
							as = "next"
						}
						e.Text = strings.ReplaceAll(e.Text, r.ID.String(), as)
					}
					rows = append(rows, e.Text)
				}
				if diff := cmp.Diff(tt.rows, rows); diff != "" {
					t.Errorf("the timeline (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestDeliverByRules(t *testing.T) {
	t.Parallel()
	users := func(n directory.Number, users ...string) directory.Number {
		n.Users = users
		return n
	}
	leaves := func(l *enginetest.Leg) { time.Sleep(30 * time.Second); l.HangUp() }
	for _, s := range []settings{
		{
			name: "voicemail after a while", number: users(directory.Number{VoicemailAfter: "20s"}, "w0"), script: leaves,
			targets: map[string]func(*enginetest.Leg){"w0": rings},
			dialled: []string{"w0 after 0s"}, calls: []string{"forwarded", "normal voicemail w0"},
		}, {
			name: "voicemail of who is busy", number: users(directory.Number{VoicemailAfter: "20s"}, "w1"), script: leaves,
			targets: map[string]func(*enginetest.Leg){"w1": refuses(486)},
			dialled: []string{"w1 after 0s"}, calls: []string{"forwarded", "normal voicemail w1"},
		}, {
			name: "voicemail of a group", number: directory.Number{VoicemailAfter: "20s", Groups: []string{"g0"}}, script: leaves,
			targets: map[string]func(*enginetest.Leg){"w1": refuses(480), "w2": rings},
			dialled: []string{"w1 after 0s", "w2 after 0s"}, calls: []string{"forwarded", "normal voicemail w1"},
		}, {
			name: "voicemail of a number that rings nobody", number: directory.Number{OnOffline: "voicemail"}, script: leaves,
			calls: []string{"forwarded", "normal voicemail " + called.Value},
		}, {
			name: "who picks up in time gets no message", number: users(directory.Number{VoicemailAfter: "20s"}, "w0"), script: leaves,
			targets: map[string]func(*enginetest.Leg){"w0": picksUp},
			dialled: []string{"w0 after 0s"}, calls: []string{"normal user w0"},
		}, {
			name: "a rule comes before voicemail", number: users(directory.Number{VoicemailAfter: "20s", OnBusy: berlin}, "w0"), script: leaves,
			targets: map[string]func(*enginetest.Leg){"w0": refuses(486), berlin: picksUp},
			dialled: []string{berlin + " after 0s", "w0 after 0s"}, calls: []string{"forwarded", "normal number " + berlin},
		}, {
			name: "offline", number: users(directory.Number{OnOffline: berlin, OnBusy: bonn}, "w0"),
			targets: map[string]func(*enginetest.Leg){"w0": refuses(480), berlin: refuses(486), bonn: picksUp},
			dialled: []string{berlin + " after 0s", "w0 after 0s"}, calls: []string{"forwarded", "busy"},
		}, {
			name: "no answer, after the time to ring", number: users(directory.Number{OnNoAnswer: berlin, RingTime: "7s"}, "w0"), script: leaves,
			targets: map[string]func(*enginetest.Leg){"w0": rings, berlin: picksUp},
			dialled: []string{berlin + " after 7s", "w0 after 0s"}, calls: []string{"forwarded", "normal number " + berlin},
		}, {
			name: "refused is not answered", number: users(directory.Number{OnNoAnswer: berlin}, "w0"),
			targets: map[string]func(*enginetest.Leg){"w0": refuses(603), berlin: refuses(480)},
			dialled: []string{berlin + " after 0s", "w0 after 0s"}, calls: []string{"forwarded", "offline"},
		}, {
			name: "one busy, one who does not answer", number: users(directory.Number{OnBusy: bonn, OnNoAnswer: berlin, RingTime: "7s"}, "w0", "w1"),
			targets: map[string]func(*enginetest.Leg){"w0": refuses(486), "w1": rings, berlin: refuses(486), bonn: picksUp},
			dialled: []string{berlin + " after 7s", "w0 after 0s", "w1 after 0s"}, calls: []string{"forwarded", "busy"},
		}, {
			name: "no rule", number: users(directory.Number{OnNoAnswer: berlin}, "w0"),
			targets: map[string]func(*enginetest.Leg){"w0": refuses(486), berlin: picksUp},
			dialled: []string{"w0 after 0s"}, calls: []string{"busy"},
		}, {
			name: "a user calls a number of ours", number: users(directory.Number{VoicemailAfter: "20s"}, "w0"), by: "w1", script: leaves,
			targets: map[string]func(*enginetest.Leg){"w0": rings},
			dialled: []string{"w0 after 0s"}, calls: []string{"forwarded", "normal voicemail w0"},
		}, {
			name: "a user calls a number of ours that goes on to one outside", number: users(directory.Number{OnBusy: bonn}, "w0"), by: "w1",
			targets: map[string]func(*enginetest.Leg){"w0": refuses(486), bonn: refuses(480)},
			dialled: []string{bonn + " after 0s", "w0 after 0s"}, calls: []string{"forwarded", "offline"},
		}, {
			name: "the caller gives up", number: users(directory.Number{VoicemailAfter: "20s"}, "w0"),
			script:  func(l *enginetest.Leg) { time.Sleep(10 * time.Second); l.Cancel() },
			targets: map[string]func(*enginetest.Leg){"w0": rings},
			dialled: []string{"w0 after 0s"}, calls: []string{"cancelled"},
		}, {
			name: "to a number of ours, by its own rules, and not back", number: users(directory.Number{OnBusy: second}, "w0"),
			targets: map[string]func(*enginetest.Leg){"w0": refuses(486), "w2": refuses(486)},
			dialled: []string{"w0 after 0s", "w0 after 0s", "w2 after 0s"}, calls: []string{"forwarded", "forwarded", "busy"},
		}, {
			name: "to a number outside that may not be called", number: users(directory.Number{OnBusy: berlin}, "w0"),
			limits:  engine.Limits{Prefixes: []string{"+44"}},
			targets: map[string]func(*enginetest.Leg){"w0": refuses(486), berlin: picksUp},
			dialled: []string{"w0 after 0s"}, calls: []string{"forwarded", "forbidden"},
		}, {
			name: "a phone that rings alone sends the call on", number: users(directory.Number{}, "w0"), script: leaves,
			targets: map[string]func(*enginetest.Leg){"w0": sendsOn("sip:eve@elsewhere", "w1"), "w1": picksUp},
			dialled: []string{"w0 after 0s", "w1 after 0s"}, calls: []string{"forwarded", "normal user w1"},
			said: []string{
				`does not follow Alice (w0) to sip:eve@elsewhere: "sip:eve@elsewhere" is no user, group or number that w0 could dial`,
				"Alice (w0) sends the call on to w1",
			},
		}, {
			name: "to a number outside", number: users(directory.Number{OnBusy: bonn}, "w0"),
			targets: map[string]func(*enginetest.Leg){"w0": sendsOn(berlin), berlin: refuses(486)},
			dialled: []string{berlin + " after 0s", "w0 after 0s"}, calls: []string{"forwarded", "busy"},
		}, {
			name: "to nobody that may be, so the rule holds", number: users(directory.Number{OnOffline: bonn}, "w0"), script: leaves,
			targets: map[string]func(*enginetest.Leg){"w0": sendsOn("112", "sip:eve@elsewhere"), bonn: picksUp},
			dialled: []string{bonn + " after 0s", "w0 after 0s"}, calls: []string{"forwarded", "normal number " + bonn},
			said: []string{"does not follow Alice (w0) to 112: no call is sent on to an emergency service"},
		}, {
			name: "one phone of several is followed inside", number: users(directory.Number{}, "w0", "w1"), script: leaves,
			targets: map[string]func(*enginetest.Leg){"w0": sendsOn("w2"), "w1": rings, "w2": picksUp},
			dialled: []string{"w0 after 0s", "w1 after 0s", "w2 after 0s"}, calls: []string{"normal user w2"},
		}, {
			name: "phones that send the call to each other", number: users(directory.Number{}, "w0"),
			targets: map[string]func(*enginetest.Leg){"w0": sendsOn("w1"), "w1": sendsOn("w0")},
			dialled: []string{"w0 after 0s", "w0 after 0s", "w0 after 0s", "w1 after 0s", "w1 after 0s", "w1 after 0s"},
			calls:   []string{"forwarded", "forwarded", "forwarded", "forwarded", "forwarded", "unreachable"},
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, s.run)
		})
	}
}
