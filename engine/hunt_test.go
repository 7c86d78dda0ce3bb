// SPDX-License-Identifier: MIT

package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
)

// A user of whom one phone is busy, and another rings in vain, does not pick up.
func TestCallerDoesNotPickUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := apiHouse(t, nil)
		h.Phones["w0"] = []string{"phone w0", "desk w0"}
		h.Target("phone w0", isBusy)
		h.Target("desk w0", func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) })
		_, err := h.Engine.Originate(engine.Origination{Caller: ann, Callee: "w1"})
		must(t, err)
		time.Sleep(engine.DefaultRingTime + time.Second)
		equal(t, "causes", ends(t, h)[0], engine.CauseNoAnswer)
		h.Close(t)
	})
}

// Of two phones that pick up at the same moment one is in the consultation, and the
// other is hung up.
func TestConsultationWithOnePhone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, func(c *engine.Config) { c.HoldTone = &media.Prompt{Name: "hold"} }, bob)
		in, out := callIn(t, h)
		h.Phones["w2"] = []string{"phone w2", "desk w2"}
		h.Target("phone w2", after(3*time.Second, answers))
		h.Target("desk w2", after(3*time.Second, answers))
		must(t, attended(h, "w2"))
		time.Sleep(5 * time.Second)
		phone, desk := h.Dialled()[1].Leg, h.Dialled()[2].Leg
		hungUp := []string{"hangup " + string(engine.CauseElsewhere)}
		first, other := phone.Did(), desk.Did()
		if len(first) == 0 {
			first, other = other, first
		}
		equal(t, "one is hung up", first, hungUp)
		equal(t, "what the other had to do", len(other), 0)
		equal(t, "who is transferred", in.Did(), []string{"progress", "answer"})
		out.HangUp()
		synctest.Wait()
		equal(t, "conversations", len(h.Engine.Talks(directory.DefaultAccount)), 1)
		in.HangUp()
		synctest.Wait()
		h.Close(t)
	})
}
