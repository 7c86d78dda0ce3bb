// SPDX-License-Identifier: MIT

package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/verbs"
)

// callOut is a call that Bob makes to somebody outside who picks up.
func callOut(t *testing.T, h *enginetest.House) (in, out *enginetest.Leg) {
	t.Helper()
	in, err := h.Arrive(engine.Arrival{To: outside, Account: directory.DefaultAccount, Caller: directory.User{ID: "w1", Account: directory.DefaultAccount, App: "app"}})
	must(t, err)
	synctest.Wait()
	return in, h.Dialled()[0].Leg
}

// What the app is told when a user who made the call leaves it to somebody, of the
// account or outside, is what it is told of a call that came in and goes to somebody of
// the account. Call 0 is the user's, 1 who was called, 2 the next of the chain.
func TestLeavingIsTold(t *testing.T) {
	t.Parallel()
	begin := []string{"incoming 0", "answered 0", "incoming 2"}
	for _, tt := range []struct {
		name   string
		third  func(*enginetest.Leg)
		script func(in, out *enginetest.Leg)
		told   []string
		causes []engine.Cause
		sound  string
	}{
		{"picks up", after(5*time.Second, answers), func(_, out *enginetest.Leg) { time.Sleep(10 * time.Second); out.HangUp() },
			[]string{"answered 2", "ended 0", "ended 2"},
			[]engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal}, "bridge " + outside.Value + " T"},
		{"picks up and hangs up at once", after(5*time.Second, func(l *enginetest.Leg) { answers(l); l.HangUp() }),
			func(_, _ *enginetest.Leg) { time.Sleep(10 * time.Second) },
			[]string{"answered 2", "ended 0", "ended 2"},
			[]engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal}, ""},
		{"picks up, the user hangs up before", after(5*time.Second, answers), func(in, out *enginetest.Leg) { in.HangUp(); time.Sleep(10 * time.Second); out.HangUp() },
			[]string{"ended 0", "answered 2", "ended 2"},
			[]engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal}, "bridge " + outside.Value + " T"},
		{"nobody picks up, the user hangs up before", after(5*time.Second, isBusy), func(in, _ *enginetest.Leg) { in.HangUp(); time.Sleep(10 * time.Second) },
			[]string{"ended 0", "ended 2"},
			[]engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseBusy, engine.CauseBusy}, "play " + outside.Value + " ringback"},
		{"nobody picks up, the user is there", after(5*time.Second, isBusy), func(in, _ *enginetest.Leg) { time.Sleep(10 * time.Second); in.HangUp() },
			[]string{"ended 2", "bridged 0", "ended 0"},
			[]engine.Cause{engine.CauseNormal, engine.CauseNormal, engine.CauseBusy, engine.CauseBusy}, "bridge caller " + outside.Value},
		{"who was called hangs up meanwhile", after(5*time.Second, answers), func(_, out *enginetest.Leg) { out.HangUp(); time.Sleep(10 * time.Second) },
			nil, // both end at once
			[]engine.Cause{engine.CauseNormal, engine.CauseNormal, engine.CauseCancelled, engine.CauseCancelled}, "bridge caller " + outside.Value},
	} {
		for _, how := range []struct {
			byAPI bool
			to    string
		}{{false, "w2"}, {true, "w2"}, {false, "+4930333"}, {true, "+4930333"}} {
			t.Run(fmt.Sprint(tt.name, how), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					h := desks(t, func(c *engine.Config) { c.Ringback = &media.Prompt{Name: "ringback"} }, outside)
					phone, number := how.to, how.to
					if how.to == "w2" {
						phone, number = "phone w2", "+492111" // that at which the one who leaves was
					}
					h.Target(phone, tt.third)
					in, out := callOut(t, h)
					if how.byAPI {
						must(t, blind(h, how.to))
					} else {
						in.Emit(engine.LegReferred{ID: 1, To: how.to})
					}
					time.Sleep(time.Second)
					tt.script(in, out)
					synctest.Wait()
					equal(t, "sound", tt.sound == "" || slices.Contains(h.Sound.Did(), strings.Replace(tt.sound, " T", " "+phone, 1)), true)
					equal(t, "who was called", len(out.Did()) < 2, true)
					h.Close(t)
					equal(t, "causes", ends(t, h), tt.causes)
					if tt.told != nil {
						equal(t, "the app", pushes(h), append(slices.Clone(begin), tt.told...))
					}
					all := h.Journal.Records()
					equal(t, "the next call", []string{all[2].From.Value, all[2].To.Value, all[2].Diversion, all[2].App, all[2].Chain.String()},
						[]string{outside.Value, number, "+492111", "app", all[0].ID.String()})
					equal(t, "its direction", all[2].Direction, engine.In)
				})
			})
		}
	}
}

// So it is where an API had the user call a colleague, and sends that one to another.
func TestLeavingACallByAPI(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := apiHouse(t, nil)
		id, err := h.Engine.Originate(engine.Origination{Caller: ann, Callee: "w1"})
		must(t, err)
		synctest.Wait()
		must(t, h.Engine.Transfer(id, engine.TransferOrder{To: "w2"}))
		synctest.Wait()
		equal(t, "the sound", last(h), "bridge phone w1 phone w2")
		next := h.Journal.Records()[4]
		equal(t, "shown as", talk(t, h).ID, next.ID)
		equal(t, "the next call", []string{next.From.Value, next.Caller, next.AnsweredBy.Value}, []string{"+492111", "w1", "w2"})
		h.Dialled()[2].Leg.HangUp()
		synctest.Wait()
		equal(t, "the app", pushes(h), []string{
			"incoming 0", "incoming 2", "answered 2", "answered 0", "incoming 4", "answered 4", "ended 2", "ended 0", "ended 4",
		})
		equal(t, "causes", ends(t, h), []engine.Cause{
			engine.CauseTransferred, engine.CauseForwarded, engine.CauseTransferred, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal,
		})
		h.Close(t)
	})
}

// So it is where the user talks with that one first; what the app answers is not
// carried out, since it is the user who chose whom to talk with.
func TestLeavingAttendedIsTold(t *testing.T) {
	t.Parallel()
	begin := []string{"incoming 0", "answered 0", "incoming 2"}
	for _, tt := range []struct {
		name   string
		third  func(*enginetest.Leg)
		script func(h *enginetest.House, in, out, third *enginetest.Leg)
		told   []string
		causes []engine.Cause
	}{
		{"the user hangs up", after(5*time.Second, answers),
			func(_ *enginetest.House, in, out, _ *enginetest.Leg) {
				in.HangUp()
				time.Sleep(time.Second)
				out.HangUp()
			},
			[]string{"answered 2", "ended 0", "ended 2"},
			[]engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal}},
		{"the user hangs up while it rings", after(15*time.Second, answers),
			func(_ *enginetest.House, in, out, _ *enginetest.Leg) {
				in.HangUp()
				time.Sleep(10 * time.Second)
				out.HangUp()
			},
			[]string{"ended 0", "answered 2", "ended 2"},
			[]engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal}},
		{"the user hangs up while it rings, in vain", after(15*time.Second, isBusy),
			func(_ *enginetest.House, in, _, _ *enginetest.Leg) { in.HangUp(); time.Sleep(10 * time.Second) },
			[]string{"ended 0", "ended 2"},
			[]engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseBusy, engine.CauseBusy}},
		{"nobody picks up", after(5*time.Second, isBusy), func(_ *enginetest.House, in, _, _ *enginetest.Leg) { in.HangUp() },
			[]string{"ended 2", "bridged 0", "ended 0"},
			[]engine.Cause{engine.CauseNormal, engine.CauseNormal, engine.CauseBusy, engine.CauseBusy}},
		{"the third hangs up", after(5*time.Second, answers),
			func(_ *enginetest.House, in, _, third *enginetest.Leg) {
				third.HangUp()
				time.Sleep(time.Second)
				in.HangUp()
			},
			[]string{"answered 2", "ended 2", "bridged 0", "ended 0"},
			[]engine.Cause{engine.CauseNormal, engine.CauseNormal, engine.CauseNormal, engine.CauseNormal}},
		{"an API ends the next call", after(5*time.Second, answers),
			func(h *enginetest.House, in, _, _ *enginetest.Leg) {
				must(t, h.Engine.EndCall(h.Journal.Records()[2].ID))
				time.Sleep(time.Second)
				in.HangUp()
			},
			[]string{"answered 2", "ended 2", "bridged 0", "ended 0"},
			[]engine.Cause{engine.CauseNormal, engine.CauseNormal, engine.CauseNormal, engine.CauseNormal}},
		{"who was called hangs up", after(5*time.Second, answers), func(_ *enginetest.House, _, out, _ *enginetest.Leg) { out.HangUp() },
			nil, // both end at once
			[]engine.Cause{engine.CauseNormal, engine.CauseNormal, engine.CauseNormal, engine.CauseNormal}},
		{"the phone there sends it on", func(l *enginetest.Leg) {
			l.End(engine.LegEnded{Cause: engine.CauseForwarded, Remote: true, Contacts: []string{"w0"}})
		}, func(h *enginetest.House, in, out, _ *enginetest.Leg) {
			equal(t, "with whom", h.Dialled()[2].Request.Target.Address.Value, "w0")
			in.HangUp()
			time.Sleep(time.Second)
			out.HangUp()
		}, []string{"answered 2", "ended 0", "ended 2"},
			[]engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal}},
	} {
		for _, to := range []string{"w2", "+4930333"} {
			if to != "w2" && strings.HasPrefix(tt.name, "the phone") {
				continue // who is outside sends nobody on
			}
			t.Run(tt.name+" "+to, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					h := desks(t, func(c *engine.Config) {
						p := c.Dialects["phrase"].(*phrase)
						p.programs = []engine.Program{ring(outside), {verbs.Reject{}}}
						p.settings = func(c engine.CallInfo) engine.Program {
							return engine.Program{verbs.Deliver{Targets: []engine.Target{{Address: *c.Destination}}}}
						}
					})
					phone, number := to, to
					if to == "w2" {
						phone, number = "phone w2", "+492111"
					}
					h.Target(phone, tt.third)
					in, out := callOut(t, h)
					must(t, attended(h, to))
					time.Sleep(10 * time.Second)
					tt.script(h, in, out, h.Dialled()[1].Leg)
					time.Sleep(10 * time.Second)
					equal(t, "living", h.Engine.Living(), 0)
					equal(t, "causes", ends(t, h), tt.causes)
					if tt.told != nil {
						equal(t, "the app", pushes(h), append(slices.Clone(begin), tt.told...))
					}
					all := h.Journal.Records()
					equal(t, "the next call", []string{all[2].From.Value, all[2].To.Value, all[2].Diversion, all[2].App, all[2].Chain.String()},
						[]string{outside.Value, number, "+492111", "app", all[0].ID.String()})
					equal(t, "shown to the third", h.Dialled()[1].Request.From.Value, "w1") // as the user who leaves
					h.Close(t)
				})
			})
		}
	}
}
