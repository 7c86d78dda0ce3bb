// SPDX-License-Identifier: MIT

package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
)

// inHouse is one with Bob, who is busy when he is in a call, and Carol.
func inHouse(t *testing.T, programs ...engine.Program) *enginetest.House {
	p := &phrase{programs: programs, missing: func(engine.Missing) engine.Program { return ring(directory.NumberAddress("112")) }}
	e := entries
	e.Users = []directory.User{{ID: "w1", Name: "Bob", Username: "bob", BusyOnBusy: true}, {ID: "w2", Name: "Carol"}}
	e.Groups = []directory.Group{{ID: "g0", Users: []string{"w1", "w2"}}}
	h := enginetest.New(t, e, map[string]engine.Dialect{"": p, "phrase": p})
	for _, u := range []string{"w1", "w2", outside.Value, "112"} {
		h.Target(u, pickUp)
	}
	return h
}

// rungNow are those that were dialled since the last time.
func rungNow(h *enginetest.House, before *int) []string {
	var rung []string
	for _, d := range h.Dialled()[*before:] {
		rung = append(rung, d.Request.Target.Address.Value)
	}
	*before = len(h.Dialled())
	return rung
}

// A user that is in a call is busy for others, in groups too, and free again when
// that has ended; one that did not ask for it is rung.
func TestBusyOnBusy(t *testing.T) {
	t.Parallel()
	group := directory.Address{Kind: directory.KindGroup, Value: "g0"}
	synctest.Test(t, func(t *testing.T) {
		h := inHouse(t, ring(bob), ring(bob), ring(group), ring(carol), ring(bob))
		before := 0
		first := h.Call(t, caller, called, number)
		synctest.Wait()
		equal(t, "the first", rungNow(h, &before), []string{"w1"})
		second := h.Call(t, caller, called, number)
		synctest.Wait()
		equal(t, "the second", second.Did(), []string{"hangup busy"})
		third := h.Call(t, caller, called, number)
		synctest.Wait()
		equal(t, "a group", rungNow(h, &before), []string{"w2"})
		fourth := h.Call(t, caller, called, number)
		synctest.Wait()
		equal(t, "Carol, who talks", rungNow(h, &before), []string{"w2"})
		first.HangUp()
		synctest.Wait()
		fifth := h.Call(t, caller, called, number)
		synctest.Wait()
		equal(t, "Bob, who has hung up", rungNow(h, &before), []string{"w1"})
		for _, l := range []*enginetest.Leg{third, fourth, fifth} {
			l.HangUp()
		}
		synctest.Wait()
		for _, r := range h.Journal.Records() {
			for _, e := range h.Journal.Events(r.ID, engine.EventEnded) {
				if r.Cause == engine.CauseBusy && !r.Parent.IsZero() && e.Text != "busy: Bob (w1) is in a call, and has busy_on_busy" {
					t.Errorf("the timeline says %q", e.Text)
				}
			}
		}
		h.Close(t)
	})
}

// Who calls is in a call, also when it was forwarded; an emergency service is
// called whoever is busy.
func TestBusyWhileCalling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := inHouse(t, forward(carol), ring(carol), ring(bob), ring(bob))
		before := 0
		u := directory.User{ID: "w1", Account: directory.DefaultAccount, BusyOnBusy: true}
		out, err := h.Arrive(engine.Arrival{Account: u.Account, Caller: u, From: u.Address(), To: called, Number: number})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		equal(t, "Bob calls", rungNow(h, &before), []string{"w2"})
		h.Call(t, caller, called, number)
		synctest.Wait()
		equal(t, "nobody rings Bob", rungNow(h, &before), nil)
		emergency, err := h.Arrive(engine.Arrival{Account: u.Account, Caller: u, From: u.Address(), To: directory.NumberAddress("112")})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		equal(t, "an emergency", rungNow(h, &before), []string{"112"})
		emergency.HangUp()
		out.HangUp()
		time.Sleep(time.Second)
		last := h.Call(t, caller, called, number)
		synctest.Wait()
		equal(t, "Bob is free", rungNow(h, &before), []string{"w1"})
		last.HangUp()
		synctest.Wait()
		h.Close(t)
	})
}
