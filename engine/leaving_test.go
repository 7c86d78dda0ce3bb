// SPDX-License-Identifier: MIT

package engine_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
)

// callOut is a call that Bob makes to somebody outside who picks up.
func callOut(t *testing.T, h *enginetest.House) (in, out *enginetest.Leg) {
	t.Helper()
	in, err := h.Arrive(engine.Arrival{To: outside, Account: engine.DefaultAccount, Caller: engine.User{ID: "w1", Account: engine.DefaultAccount, App: "app"}})
	must(t, err)
	synctest.Wait()
	return in, h.Dialled()[0].Leg
}

// What the app is told when a user who made the call leaves it to somebody of the
// account is what it is told of a call that came in. Call 0 is the user's, 1 who was
// called, 2 the next of the chain.
func TestLeavingIsTold(t *testing.T) {
	t.Parallel()
	begin := []string{"incoming 0", "answered 0", "incoming 2"}
	for _, tt := range []struct {
		name   string
		carol  func(*enginetest.Leg)
		script func(in, out *enginetest.Leg)
		told   []string
		causes []engine.Cause
		sound  string
	}{
		{"picks up", after(5*time.Second, answers), func(_, out *enginetest.Leg) { time.Sleep(10 * time.Second); out.HangUp() },
			[]string{"answered 2", "ended 0", "ended 2"},
			[]engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal}, "bridge " + outside.Value + " phone w2"},
		{"picks up and hangs up at once", after(5*time.Second, func(l *enginetest.Leg) { answers(l); l.HangUp() }),
			func(_, _ *enginetest.Leg) { time.Sleep(10 * time.Second) },
			[]string{"answered 2", "ended 0", "ended 2"},
			[]engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal}, ""},
		{"picks up, the user hangs up before", after(5*time.Second, answers), func(in, out *enginetest.Leg) { in.HangUp(); time.Sleep(10 * time.Second); out.HangUp() },
			[]string{"ended 0", "answered 2", "ended 2"},
			[]engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal}, "bridge " + outside.Value + " phone w2"},
		{"nobody picks up, the user hangs up before", after(5*time.Second, isBusy), func(in, _ *enginetest.Leg) { in.HangUp(); time.Sleep(10 * time.Second) },
			[]string{"ended 0", "ended 2"},
			[]engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseBusy, engine.CauseBusy}, "play " + outside.Value + " ringback"},
		{"nobody picks up, the user is there", after(5*time.Second, isBusy), func(in, _ *enginetest.Leg) { time.Sleep(10 * time.Second); in.HangUp() },
			[]string{"ended 2", "ended 0"},
			[]engine.Cause{engine.CauseNormal, engine.CauseNormal, engine.CauseBusy, engine.CauseBusy}, "bridge caller " + outside.Value},
		{"who was called hangs up meanwhile", after(5*time.Second, answers), func(_, out *enginetest.Leg) { out.HangUp(); time.Sleep(10 * time.Second) },
			nil, // both end at once
			[]engine.Cause{engine.CauseNormal, engine.CauseNormal, engine.CauseCancelled, engine.CauseCancelled}, "bridge caller " + outside.Value},
	} {
		for _, byAPI := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					h := desks(t, func(c *engine.Config) { c.Ringback = &media.Prompt{Name: "ringback"} }, outside)
					h.Target("phone w2", tt.carol)
					in, out := callOut(t, h)
					if byAPI {
						must(t, blind(h, "w2"))
					} else {
						in.Emit(engine.LegReferred{ID: 1, To: "w2"})
					}
					time.Sleep(time.Second)
					tt.script(in, out)
					synctest.Wait()
					equal(t, "sound", tt.sound == "" || slices.Contains(h.Sound.Did(), tt.sound), true)
					equal(t, "who was called", len(out.Did()) < 2, true)
					h.Close(t)
					equal(t, "causes", ends(t, h), tt.causes)
					if tt.told != nil {
						equal(t, "the app", pushes(h), append(slices.Clone(begin), tt.told...))
					}
					all := h.Journal.Records()
					equal(t, "the next call", []string{all[2].From.Value, all[2].To.Value, all[2].Diversion, all[2].App, all[2].Chain.String()},
						[]string{outside.Value, "+492111", "+492111", "app", all[0].ID.String()})
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
