// SPDX-License-Identifier: MIT

package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/verbs"
)

// desks is a house with users at phones, where the call of whoever calls is put
// through to the first of the targets, of the next caller to the second, …
func desks(t *testing.T, adjust func(*engine.Config), targets ...directory.Address) *enginetest.House {
	t.Helper()
	p := &phrase{}
	for _, target := range targets {
		p.programs = append(p.programs, engine.Program{verbs.Dial{Targets: []engine.Target{{Address: target}}}})
	}
	e := entries
	e.Users = []directory.User{{ID: "w0", Name: "Alice", App: "app"}, {ID: "w1", Name: "Bob", CallerID: "+492111"}, {ID: "w2", Name: "Carol"}}
	for i := range 8 {
		e.Users = append(e.Users, directory.User{ID: fmt.Sprint("u", i)})
	}
	e.Groups = []directory.Group{{ID: "g0", Users: []string{"w2"}}}
	h := enginetest.New(t, e, map[string]engine.Dialect{"": p, "phrase": p}, func(c *engine.Config) {
		c.Limits = engine.Limits{Prefixes: []string{"+4930"}, Calls: 10, MaxDuration: time.Hour}
		if adjust != nil {
			adjust(c)
		}
	})
	for _, u := range e.Users {
		h.Phones[u.ID] = []string{"phone " + u.ID}
		h.Target("phone "+u.ID, pickUp)
	}
	h.Target(outside.Value, pickUp)
	return h
}

var bob = directory.Address{Kind: directory.KindUser, Value: "w1", Name: "Bob"}

func pickUp(l *enginetest.Leg) {
	l.Emit(engine.LegRinging{Status: 180})
	l.Emit(engine.LegAnswered{})
}

// callIn has somebody call who is put through; it gives both legs.
func callIn(t *testing.T, h *enginetest.House) (in, out *enginetest.Leg) {
	t.Helper()
	in = h.Call(t, caller, called, number)
	synctest.Wait()
	all := h.Dialled()
	return in, all[len(all)-1].Leg
}

// transfers is what stands in the timelines about transfers, in order of the
// calls.
func transfers(h *enginetest.House) []string {
	var rows []string
	for _, r := range h.Journal.Records() {
		for _, e := range h.Journal.Events(r.ID, engine.EventTransfer) {
			rows = append(rows, e.Text)
		}
	}
	return rows
}

// said is what a leg was told about the transfer that it asked for.
func said(l *enginetest.Leg) []string {
	return slices.DeleteFunc(l.Did(), func(s string) bool { return !strings.HasPrefix(s, "notify") && !strings.HasPrefix(s, "hangup") })
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// keysHeard are the keys that were passed on, in any order.
func keysHeard(h *enginetest.House) []string {
	keys := slices.DeleteFunc(h.Sound.Did(), func(s string) bool { return !strings.HasPrefix(s, "digits") })
	slices.Sort(keys)
	return keys
}

func last(h *enginetest.House) string {
	did := h.Sound.Did()
	return did[len(did)-1]
}

func TestCalledPartyTransfers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, bob)
		in, out := callIn(t, h)
		out.Emit(engine.LegReferred{ID: 7, To: "w2", Asked: "sip:w2@us"})
		synctest.Wait()
		equal(t, "the transferor", said(out), []string{"notify 7: 180", "notify 7: 200", "hangup transferred"})
		equal(t, "the sound", last(h), "bridge caller phone w2")
		carol := h.Dialled()[1]
		equal(t, "shown to Carol", carol.Request.From, caller)
		if n := h.Engine.Living(); n != 2 {
			t.Errorf("%d calls live, want 2", n)
		}
		carol.Leg.HangUp()
		synctest.Wait()
		equal(t, "the caller", in.Did(), []string{"progress", "answer", "hangup normal"})
		equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseForwarded, engine.CauseTransferred, engine.CauseNormal, engine.CauseNormal})
		equal(t, "timelines", transfers(h), []string{
			"is being transferred to Carol (w2), as call " + h.Journal.Records()[2].ID.String(),
			"asks to transfer +4930111 to sip:w2@us", "it rings", "transferred to w2",
		})
		h.Close(t)
	})
}

// The caller's own call ends when it has transferred; who was called goes on as the
// next call of the chain, which Limits are for, and an API can hang it up.
func TestCallerTransfers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, outside)
		in, out := callIn(t, h)
		in.Emit(engine.LegReferred{ID: 1, To: number.Number, Asked: "sip:+4921112345@us"})
		synctest.Wait() // the number rings nobody
		equal(t, "a failure", said(in), []string{"notify 1: 480"})
		in.Emit(engine.LegReferred{ID: 2, To: "w1", Asked: "sip:w1@us"})
		synctest.Wait()
		equal(t, "the transferor", said(in)[1:], []string{"notify 2: 180", "notify 2: 200", "hangup transferred"})
		equal(t, "the sound", last(h), "bridge "+outside.Value+" phone w1")
		equal(t, "shown to Bob", h.Dialled()[1].Request.From, outside)
		out.Press("5")
		h.Dialled()[1].Leg.Press("6")
		synctest.Wait()
		equal(t, "keys", keysHeard(h), []string{"digits " + outside.Value + " 6", "digits phone w1 5"})
		records := h.Journal.Records()
		if err := h.Engine.Hangup(records[0].ID, engine.CauseNormal); err == nil {
			t.Error("the transferor's call still lives")
		}
		time.Sleep(10 * time.Minute)
		must(t, h.Engine.Hangup(talk(t, h).ID, engine.CauseNormal))
		synctest.Wait()
		equal(t, "causes", ends(t, h), []engine.Cause{
			engine.CauseTransferred, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal, engine.CauseNormal,
		})
		for _, r := range h.Journal.Records()[1:] {
			equal(t, "chain", r.Chain, records[0].ID)
		}
		h.Close(t)
	})
}

func TestTransferLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, func(c *engine.Config) { c.Limits.Calls = 1 }, outside)
		in, _ := callIn(t, h)
		time.Sleep(40 * time.Minute)
		in.Emit(engine.LegReferred{ID: 1, To: "w1"})
		synctest.Wait()
		if _, err := h.Arrive(engine.Arrival{From: caller, To: called, Number: number}); err == nil {
			t.Error("a second call was taken beside one that goes on")
		}
		time.Sleep(21 * time.Minute)
		if n := h.Engine.Living(); n != 0 {
			t.Errorf("%d calls live for longer than an hour", n)
		}
		equal(t, "causes", ends(t, h), []engine.Cause{
			engine.CauseTransferred, engine.CauseForwarded, engine.CauseMaxDuration, engine.CauseMaxDuration,
		})
		h.Close(t)
	})
}

// Whom a transfer may reach is what the party could have dialled itself.
func TestTransferPolicy(t *testing.T) {
	t.Parallel()
	const nowhere = "who is reached by a trunk is not sent anywhere else"
	for _, tt := range []struct {
		name   string
		target directory.Address
		to     string
		status string
		why    string
	}{
		{"user to an allowed number", bob, "+4930222222", "200", "transferred to +4930222222"},
		{"user to another number", bob, "+4940222222", "403", "limits.prefixes"},
		{"user to another user", bob, "w2", "200", "transferred to w2"},
		{"user to a group", bob, "g0", "200", "transferred to g0"},
		{"user to an address elsewhere", bob, "sip:w2@elsewhere", "404", `"sip:w2@elsewhere" is no user, group or number that w1 could dial`},
		{"trunk to a user", outside, "w2", "200", "transferred to w2"},
		{"trunk to a number outside", outside, "+4930222222", "403", nowhere},
		{"trunk to an emergency service", outside, "112", "403", nowhere},
		{"trunk to an address elsewhere", outside, "sip:w2@elsewhere", "403", nowhere},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := desks(t, nil, tt.target)
				_, out := callIn(t, h)
				out.Emit(engine.LegReferred{ID: 3, To: tt.to})
				synctest.Wait()
				if got := said(out); !slices.Contains(got, "notify 3: "+tt.status) {
					t.Errorf("told %v, want %s", got, tt.status)
				}
				rows := strings.Join(append(transfers(h), problemsOf(h)...), "\n")
				if !strings.Contains(rows, tt.why) {
					t.Errorf("%q is not in\n%s", tt.why, rows)
				}
				h.Close(t)
				ends(t, h)
			})
		})
	}
}

// problemsOf is what stands at the ends of all calls.
func problemsOf(h *enginetest.House) []string {
	var rows []string
	for _, r := range h.Journal.Records() {
		for _, e := range h.Journal.Events(r.ID, engine.EventEnded) {
			rows = append(rows, e.Text)
		}
	}
	return rows
}

// A transfer that fails leaves the conversation as it was.
func TestTransferFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		script func(*enginetest.Leg)
		told   []string
	}{
		{"busy", func(l *enginetest.Leg) { l.Refuse(486, true) }, []string{"notify 1: 180", "notify 1: 486"}},
		{"nobody picks up", func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) }, []string{"notify 1: 180", "notify 1: 480"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := desks(t, nil, bob)
				in, out := callIn(t, h)
				h.Target("phone w2", tt.script)
				out.Emit(engine.LegReferred{ID: 1, To: "w2"})
				out.Emit(engine.LegReferred{ID: 2, To: "w2"}) // one at a time
				time.Sleep(2 * time.Minute)
				equal(t, "told", said(out), append([]string{"notify 2: 603"}, tt.told...))
				equal(t, "the sound", last(h), "bridge caller phone w1")
				in.HangUp()
				synctest.Wait()
				equal(t, "the transferor", out.Did()[len(out.Did())-1], "hangup normal")
				if causes := ends(t, h); causes[0] != engine.CauseNormal || causes[1] != engine.CauseNormal {
					t.Errorf("causes %v", causes)
				}
				h.Close(t)
			})
		})
	}
}

// A phone may hang up as soon as the transfer is tried: it goes on.
func TestTransferorHangsUp(t *testing.T) {
	t.Parallel()
	for _, callersOwn := range []bool{true, false} {
		for _, reached := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				h := desks(t, func(c *engine.Config) { c.Ringback = &media.Prompt{Name: "ringback"} }, bob)
				in, out := callIn(t, h)
				old, stays, name := out, in, "caller"
				if callersOwn {
					old, stays, name = in, out, "phone w1"
				}
				h.Target("phone w2", func(l *enginetest.Leg) {
					l.Emit(engine.LegRinging{Status: 180})
					time.Sleep(5 * time.Second)
					if reached {
						l.Emit(engine.LegAnswered{})
					} else {
						l.Refuse(486, false)
					}
				})
				old.Emit(engine.LegReferred{ID: 1, To: "w2"})
				synctest.Wait()
				old.HangUp()
				synctest.Wait()
				equal(t, "while it rings", last(h), "play "+name+" ringback")
				time.Sleep(10 * time.Second)
				want, did := engine.CauseBusy, "hangup busy"
				if reached {
					want = engine.CauseNormal
					equal(t, "the sound", last(h), "bridge "+name+" phone w2")
					h.Dialled()[1].Leg.HangUp()
					synctest.Wait()
					did = "hangup normal"
				}
				equal(t, "who stays", stays.Did()[len(stays.Did())-1], did)
				causes := ends(t, h)
				wants := []engine.Cause{engine.CauseForwarded, engine.CauseTransferred, want, want}
				if callersOwn {
					wants[0], wants[1] = wants[1], wants[0]
				}
				equal(t, "causes", causes, wants)
				h.Close(t)
			})
		}
	}
}

// The party that is being transferred may hang up first.
func TestTransfereeHangsUp(t *testing.T) {
	t.Parallel()
	for _, callersOwn := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			h := desks(t, nil, bob)
			in, out := callIn(t, h)
			old, stays := out, in
			if callersOwn {
				old, stays = in, out
			}
			h.Target("phone w2", func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) })
			old.Emit(engine.LegReferred{ID: 1, To: "w2"})
			synctest.Wait()
			stays.HangUp()
			synctest.Wait()
			if n := h.Engine.Living(); n != 0 {
				t.Errorf("%d calls live", n)
			}
			equal(t, "causes", ends(t, h)[:2], []engine.Cause{engine.CauseNormal, engine.CauseNormal})
			h.Close(t)
		})
	}
}
