// SPDX-License-Identifier: MIT

package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// A call is passed on only as often as it may be, so that one that leads back to
// itself ends; an emergency call is passed on whatever it says.
func TestMaxForwards(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		left   int
		target directory.Address
		want   int // of the party that is rung; -1 is nobody
	}{
		{70, bob, 69}, {2, bob, 1}, {1, bob, -1}, {0, bob, 69}, {1, directory.NumberAddress("112"), 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := desks(t, nil, tt.target)
			h.Target("112", pickUp)
			leg, err := h.Arrive(engine.Arrival{From: caller, To: called, Number: number, MaxForwards: tt.left})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			got := -1
			if rung := h.Dialled(); len(rung) == 1 {
				got = rung[0].Request.MaxForwards
			}
			if got != tt.want {
				t.Errorf("%d left: %d go on, want %d", tt.left, got, tt.want)
			}
			leg.HangUp()
			synctest.Wait()
			if child := h.Journal.Records()[1]; tt.want < 0 {
				events := h.Journal.Events(child.ID, engine.EventEnded)
				if child.Cause != engine.CauseLoop || !strings.Contains(events[0].Text, "(Max-Forwards)") || child.Cause.Words().SIPStatus != 483 {
					t.Errorf("ended with %s: %s", child.Cause, events[0].Text)
				}
			}
			h.Close(t)
		})
	}
}
