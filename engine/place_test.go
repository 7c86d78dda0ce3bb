// SPDX-License-Identifier: MIT

package engine_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
)

// Two that talk with one party are connected by it, whoever called whom.
func TestAttendedTransfer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		first, then bool // the transferor was called in this call
	}{
		{"called and calls", true, false}, {"calls and calls", false, false},
		{"calls and called", false, true}, {"called twice", true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := desks(t, nil, outside, bob)
				in1, out1 := callIn(t, h)
				in2, out2 := callIn(t, h)
				x, y, a, b := in1, in2, out1, out2
				if tt.first {
					x, a = out1, in1
				}
				if tt.then {
					y, b = out2, in2
				}
				x.Emit(engine.LegReferred{ID: 4, To: "w1", Replaces: true, Other: y})
				synctest.Wait()
				equal(t, "the transferor", said(x), []string{"notify 4: 200", "hangup transferred"})
				equal(t, "its other leg", said(y), []string{"hangup transferred"})
				if len(said(a))+len(said(b)) != 0 {
					t.Errorf("those who stay: %v, %v", a.Did(), b.Did())
				}
				if n := h.Engine.Living(); n != 2 {
					t.Errorf("%d calls live, want 2", n)
				}
				talks := h.Engine.Talks(directory.DefaultAccount)
				known, answers := []int{0}, 3 // the calls that an app knows of, and how often it was told who answered
				switch {
				case tt.first && tt.then:
					known, answers = []int{0, 2}, 4
				case tt.then:
					known = []int{2}
				case !tt.first:
					known, answers = []int{1}, 2 // or none of them
				}
				var want, shown []engine.ID
				for _, n := range known {
					want = append(want, h.Journal.Records()[n].ID)
				}
				told := strings.Count(strings.Join(pushes(h), ","), "answered")
				equal(t, "told who answered", told, answers)
				for _, one := range talks {
					shown = append(shown, one.ID)
				}
				slices.SortFunc(want, func(a, b engine.ID) int { return slices.Compare(a[:], b[:]) }) // of one millisecond
				equal(t, "shown", shown, want)
				if tt.first && !tt.then {
					equal(t, "Bob is the owner", talks[0].Participants[1].Owner, true)
					must(t, h.Engine.Mute(want[0], true))
				}
				a.Press("1")
				b.Press("2")
				synctest.Wait()
				if keys := keysHeard(h); len(keys) != 2 {
					t.Errorf("keys: %v", keys)
				}
				b.HangUp()
				synctest.Wait()
				equal(t, "who is left alone", said(a), []string{"hangup normal"})
				causes := ends(t, h)
				slices.Sort(causes)
				equal(t, "causes", causes, []engine.Cause{engine.CauseNormal, engine.CauseNormal, engine.CauseTransferred, engine.CauseTransferred})
				h.Close(t)
			})
		})
	}
}

func TestAttendedTransferFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, outside, bob)
		in, out := callIn(t, h)
		in2, _ := callIn(t, h)
		alone := h.Call(t, caller, called, number) // its app has nothing more to say
		stranger, err := h.Arrive(engine.Arrival{Account: "other", From: caller, To: called})
		if err != nil {
			t.Fatal(err)
		}
		for i, other := range []engine.Leg{nil, in, out, alone, stranger} {
			in.Emit(engine.LegReferred{ID: uint32(i), To: "w1", Replaces: true, Other: other})
			synctest.Wait()
		}
		equal(t, "told", said(in), []string{"notify 0: 404", "notify 1: 603", "notify 2: 603", "notify 3: 404", "notify 4: 404"})
		in.Emit(engine.LegReferred{ID: 9, To: "w1", Replaces: true, Other: in2})
		in2.HangUp()
		synctest.Wait()
		h.Close(t)
		ends(t, h)
	})
}

// A new leg takes the place of one that is in a conversation, or that rings.
func TestReplaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, bob, outside)
		in, out := callIn(t, h)
		instead, err := h.Arrive(engine.Arrival{From: outside, To: called, Replaces: out})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		equal(t, "the new one", instead.Did(), []string{"answer"})
		equal(t, "the old one", said(out), []string{"hangup transferred"})
		instead.HangUp()
		synctest.Wait()
		equal(t, "the caller", said(in), []string{"hangup normal"})

		ringing := make(chan *enginetest.Leg, 1)
		h.Target(outside.Value, func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}); ringing <- l })
		in, out = callIn(t, h)
		pickup, err := h.Arrive(engine.Arrival{From: outside, To: called, Caller: directory.User{ID: "w2"}, Replaces: <-ringing})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		equal(t, "who picks up", pickup.Did(), []string{"answer"})
		equal(t, "who rang", said(out), []string{"hangup answered-elsewhere"})
		equal(t, "who answered", *h.Journal.Records()[3].AnsweredBy, carol)
		equal(t, "the sound", last(h), "bridge caller caller")
		in.HangUp()
		synctest.Wait()
		equal(t, "the end", pickup.Did(), []string{"answer", "hangup normal"})

		if _, err := h.Arrive(engine.Arrival{From: outside, To: called, Replaces: out}); err == nil {
			t.Error("a leg took the place of one that is gone")
		}
		equal(t, "causes", ends(t, h), []engine.Cause{
			engine.CauseNormal, engine.CauseTransferred, engine.CauseNormal,
			engine.CauseNormal, engine.CauseElsewhere, engine.CauseNormal,
		})
		h.Close(t)
	})
}
