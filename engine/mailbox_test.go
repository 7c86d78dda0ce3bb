// SPDX-License-Identifier: MIT

package engine

import (
	"testing"
	"testing/synctest"
	"time"
)

// A leg that costs costs on when another call has it.
func TestTollMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := NewID(), NewID()
		var exhausted []ID
		toll := newToll(10*time.Minute, 0, func(ids []ID, _ *LimitError) { exhausted = ids })
		toll.begin(a)
		time.Sleep(4 * time.Minute)
		toll.move(a, b)
		toll.end(a) // which talks no more
		time.Sleep(5 * time.Minute)
		if err := toll.check(); err != nil {
			t.Errorf("after 9 minutes: %s", err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(exhausted) != 1 || exhausted[0] != b {
			t.Errorf("after 11 minutes %v are ended, want %s", exhausted, b)
		}
		toll.end(b)
		if len(toll.talking) > 0 {
			t.Error("somebody talks for ever")
		}
	})
}

// What a leg tells keeps its order, whoever has it, and nothing is lost.
func TestMailbox(t *testing.T) {
	t.Parallel()
	leg, other := &told{}, &told{}
	from, to := newInbox(), newInbox()
	box := listen(leg, from)
	leg.tell(LegNote{Text: "1"})
	from.put(fromLeg{other, LegNote{Text: "of another leg"}})
	from.put(hangUp{cause: CauseNormal})
	leg.tell(LegNote{Text: "2"})
	if !box.redirect(to, handed{}) {
		t.Fatal("an open inbox takes nothing")
	}
	leg.tell(LegNote{Text: "3"})
	if m, _ := to.take(); !isHanded(m) {
		t.Errorf("first is %v", m)
	}
	for _, want := range []string{"1", "2", "3"} {
		m, _ := to.take()
		if got, ok := m.(fromLeg); !ok || got.event != (LegNote{Text: want}) {
			t.Errorf("got %v, want %s", m, want)
		}
	}
	if len(from.queue) != 2 || len(to.queue) != 0 {
		t.Errorf("%d stay, %d are there, want what is not the leg's, and none", len(from.queue), len(to.queue))
	}
	to.close()
	late := newInbox()
	late.close()
	if box.redirect(late, handed{}) {
		t.Error("a closed inbox takes a leg")
	}
}

func isHanded(m Message) bool { _, ok := m.(handed); return ok }

// told is a leg that does nothing but tell.
type told struct {
	Leg
	tell func(LegEvent)
}

func (l *told) Listen(deliver func(LegEvent)) { l.tell = deliver }
