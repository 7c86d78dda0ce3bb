// SPDX-License-Identifier: MIT

package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
)

// sendOn has a target send the call on.
func sendOn(contacts ...string) func(*enginetest.Leg) {
	return func(l *enginetest.Leg) {
		l.End(engine.LegEnded{Cause: engine.CauseUnreachable, Remote: true, Text: "302 Moved Temporarily", Contacts: contacts})
	}
}

// rang are the places that were dialled, with the number in Diversion.
func rang(h *enginetest.House) []string {
	var places []string
	for _, d := range h.Dialled() {
		places = append(places, strings.TrimSpace(d.Request.Target.String()+" "+d.Request.Diversion))
	}
	return places
}

func TestDiversion(t *testing.T) {
	t.Parallel()
	busy := func(l *enginetest.Leg) { l.Refuse(486, false) }
	for _, tt := range []struct {
		name    string
		target  directory.Address
		scripts map[string]func(*enginetest.Leg)
		rang    []string
		rows    []string
		answers string // "" when nobody did
		cause   engine.Cause
	}{
		{
			name: "to another user", target: bob,
			scripts: map[string]func(*enginetest.Leg){"phone w1": sendOn("w2")},
			rang:    []string{"Bob (w1)", "Carol (w2) +492111"},
			rows:    []string{"Bob (w1) sends the call on to Carol (w2)"}, answers: "w2", cause: engine.CauseNormal,
		}, {
			name: "the next when the best is busy", target: bob,
			scripts: map[string]func(*enginetest.Leg){"phone w1": sendOn("w2", outside.Value), "phone w2": busy},
			rang:    []string{"Bob (w1)", "Carol (w2) +492111", outside.Value + " +492111"},
			rows:    []string{"Bob (w1) sends the call on to Carol (w2)", "Bob (w1) sends the call on to " + outside.Value},
			answers: outside.Value, cause: engine.CauseNormal,
		}, {
			name: "nobody is reached", target: bob,
			scripts: map[string]func(*enginetest.Leg){"phone w1": sendOn("+4940222222", "w2"), "phone w2": busy},
			rang:    []string{"Bob (w1)", "Carol (w2) +492111"},
			rows: []string{
				"Bob (w1) sends the call on to +4940222222", "Bob (w1) sends the call on to Carol (w2)",
				"+4940222222 is not rung: limits.prefixes: +4940222222 begins with none of the allowed prefixes (+4930)",
			}, cause: engine.CauseBusy,
		}, {
			name: "a loop", target: bob,
			scripts: map[string]func(*enginetest.Leg){"phone w1": sendOn("w2"), "phone w2": sendOn("w1")},
			rang:    []string{"Bob (w1)", "Carol (w2) +492111"},
			rows:    []string{"Bob (w1) sends the call on to Carol (w2)", "does not follow Carol (w2) to Bob (w1): it was rung already, or too many were"},
			cause:   engine.CauseUnreachable,
		}, {
			name: "a trunk sends it elsewhere", target: outside,
			scripts: map[string]func(*enginetest.Leg){outside.Value: sendOn("sip:eve@elsewhere", "+4930333333")},
			rang:    []string{outside.Value},
			rows: []string{
				"does not follow " + outside.Value + ` to sip:eve@elsewhere: "sip:eve@elsewhere" is no user, group or number of the account, and who is reached by a trunk is not sent anywhere else`,
				"does not follow " + outside.Value + ` to +4930333333: "+4930333333" is no user, group or number of the account, and who is reached by a trunk is not sent anywhere else`,
			}, cause: engine.CauseUnreachable,
		}, {
			name: "a trunk sends it back to a user", target: outside,
			scripts: map[string]func(*enginetest.Leg){outside.Value: sendOn("w2")},
			rang:    []string{outside.Value, "Carol (w2) " + outside.Value},
			rows:    []string{outside.Value + " sends the call on to Carol (w2)"}, answers: "w2", cause: engine.CauseNormal,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := desks(t, nil, tt.target)
				for place, script := range tt.scripts {
					h.Target(place, script)
				}
				in, _ := callIn(t, h)
				in.HangUp()
				synctest.Wait()
				equal(t, "rang", rang(h), tt.rang)
				equal(t, "timeline", transfers(h), tt.rows)
				records := h.Journal.Records()
				if len(records) != 2 {
					t.Fatalf("%d records, want one of each call", len(records))
				}
				for _, r := range records {
					if tt.answers == "" && r.AnsweredBy == nil {
						continue
					}
					if r.AnsweredBy == nil || r.AnsweredBy.Value != tt.answers {
						t.Errorf("answered by %v, want %q", r.AnsweredBy, tt.answers)
					}
				}
				equal(t, "causes", ends(t, h), []engine.Cause{tt.cause, tt.cause})
				h.Close(t)
			})
		})
	}
}

func TestDiversionsAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, bob)
		h.Target("phone w1", sendOn("u0"))
		for i := range 8 {
			h.Target(fmt.Sprint("phone u", i), sendOn(fmt.Sprint("u", i+1)))
		}
		callIn(t, h)
		if n := len(h.Dialled()); n != 6 {
			t.Errorf("%d places rang, want the first and five more", n)
		}
		rows := transfers(h)
		equal(t, "the last row", rows[len(rows)-1], "does not follow u4 to u5: it was sent on 5 times")
		equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseUnreachable, engine.CauseUnreachable})
		h.Close(t)
	})
}

// The caller may give up while a call is sent on.
func TestDivertedCallIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, bob)
		h.Target("phone w1", sendOn("w2"))
		h.Target("phone w2", func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) })
		in, out := callIn(t, h)
		in.Cancel()
		synctest.Wait()
		equal(t, "the phone", out.Did(), []string{"hangup cancelled"})
		equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseCancelled, engine.CauseCancelled})
		h.Close(t)
	})
}

// An API has a party call somebody else.
func TestRefer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		target directory.Address
		to     string
		did    string // by the phone
		err    string
	}{
		{"a user to a number", bob, "0049 30 222222", "refer +4930222222", ""},
		{"a user to a user", bob, "w2", "refer w2", ""},
		{"a trunk to a number", outside, "+4930333333", "refer +4930333333", ""},
		{"a trunk to a user", outside, "w2", "", `"w2" is nobody to whom this party can be sent`},
		{"to a number that is not allowed", bob, "+4940222222", "", "limits.prefixes: +4940222222 begins with none of the allowed prefixes (+4930)"},
		{"to an address", bob, "sip:eve@elsewhere", "", `"sip:eve@elsewhere" is nobody to whom this party can be sent`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := desks(t, nil, tt.target)
				_, out := callIn(t, h)
				child := h.Journal.Records()[1].ID
				err := h.Engine.Refer(child, tt.to)
				if err != nil && err.Error() != tt.err || err == nil && tt.err != "" {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				if tt.did != "" && !slices.Contains(out.Did(), tt.did) {
					t.Errorf("the phone was asked %v", out.Did())
				}
				h.Close(t)
			})
		})
	}
}

func TestReferOutcome(t *testing.T) {
	t.Parallel()
	agreed, busy, done := engine.LegTransfer{Status: 202, Text: "202 Accepted"},
		engine.LegTransfer{Status: 486, Final: true, Text: "486 Busy Here"}, engine.LegTransfer{Status: 200, Final: true, Text: "200 OK"}
	for _, tt := range []struct {
		name  string
		says  []engine.LegEvent
		cause engine.Cause
	}{
		{"success", []engine.LegEvent{agreed, done}, engine.CauseTransferred},
		{"hangs up when it has agreed", []engine.LegEvent{agreed, engine.LegEnded{Cause: engine.CauseNormal, Remote: true}}, engine.CauseTransferred},
		{"failure", []engine.LegEvent{agreed, busy, engine.LegEnded{Cause: engine.CauseNormal, Remote: true}}, engine.CauseNormal},
		{"refused", []engine.LegEvent{busy, engine.LegEnded{Cause: engine.CauseNormal, Remote: true}}, engine.CauseNormal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := desks(t, nil, bob)
				in, out := callIn(t, h)
				records := h.Journal.Records()
				if err := h.Engine.Refer(records[1].ID, "w2"); err != nil {
					t.Fatal(err)
				}
				for _, ev := range tt.says {
					if ended, ok := ev.(engine.LegEnded); ok {
						out.End(ended)
					} else {
						out.Emit(ev)
					}
				}
				synctest.Wait()
				equal(t, "causes", ends(t, h), []engine.Cause{tt.cause, tt.cause})
				equal(t, "the caller", in.Did()[2], "hangup "+string(tt.cause))
				if err := h.Engine.Refer(records[1].ID, "w2"); !errors.Is(err, engine.ErrNoCall) {
					t.Errorf("a call that is over: %v", err)
				}
				h.Close(t)
			})
		})
	}
}

func TestReferBeforeAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, bob)
		h.Target("phone w1", func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) })
		callIn(t, h)
		for _, r := range h.Journal.Records() {
			if err := h.Engine.Refer(r.ID, "w2"); !errors.Is(err, engine.ErrNoTransfer) {
				t.Errorf("error %v, want %v", err, engine.ErrNoTransfer)
			}
		}
		h.Close(t)
	})
}
