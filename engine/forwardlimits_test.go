// SPDX-License-Identifier: MIT

package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

func TestForwardLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		later := act(func(ctx context.Context, c *engine.Call) (engine.Next, error) {
			if _, err := c.AwaitFor(ctx, 40*time.Minute, func(engine.Message) bool { return false }); !errors.Is(err, engine.ErrTimeout) {
				return engine.Next{}, err
			}
			return engine.Forward(carol, "a test"), nil
		})
		h := plans(t, func(c *engine.Config) { c.Limits.Calls = 1 }, engine.Program{later}, engine.Program{act(wait)})
		h.Call(t, caller, called, number)
		start := time.Now()
		time.Sleep(50 * time.Minute)
		if _, err := h.Arrive(engine.Arrival{From: caller, To: called, Number: number}); err == nil {
			t.Error("a second call was taken beside one that was forwarded")
		}
		time.Sleep(time.Hour)
		equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseForwarded, engine.CauseMaxDuration})
		equal(t, "both last", h.Journal.Records()[1].EndedAt.Sub(start), time.Hour)
		if _, err := h.Arrive(engine.Arrival{From: caller, To: called, Number: number}); err != nil {
			t.Errorf("when all have ended: %v", err)
		}
		h.Close(t)
	})
}

// A chain that leads back to itself ends: the app is asked a few times, then the
// call is delivered, and goes nowhere from there.
func TestForwardLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var programs []engine.Program
		for range 100 {
			programs = append(programs, forward(carol))
		}
		h := plans(t, func(c *engine.Config) {
			c.Dialects["phrase"].(*phrase).missing = func(engine.Missing) engine.Program { return forward(bob) }
		}, programs...)
		in := h.Call(t, caller, called, number)
		synctest.Wait()
		causes := ends(t, h)
		if len(causes) != 7 || causes[6] != engine.CauseLoop {
			t.Errorf("causes %v", causes)
		}
		equal(t, "the app", pushes(h)[10:], []string{"incoming 5", "ended 5"})
		last := h.Journal.Records()[6].ID
		equal(t, "what is said", h.Journal.Events(last, engine.EventProblem)[0].Text,
			"the call was forwarded and transferred 6 times: no app is asked any more; look for one that leads back to itself")
		equal(t, "why", h.Journal.Events(last, engine.EventTransfer)[0].Text,
			"is not forwarded to w1: it was forwarded and transferred 6 times already")
		equal(t, "the caller", in.Did(), []string{"hangup loop"})
		h.Close(t)
	})
}

func TestNoForwardToAnEmergencyService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := plans(t, nil, forward(directory.NumberAddress("112")))
		h.Call(t, caller, called, number)
		synctest.Wait()
		equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseForbidden})
		equal(t, "timeline", transfers(h), []string{"is not forwarded to 112: no call is forwarded to an emergency service"})
		h.Close(t)
	})
}

func TestNoForwardOfAnEmergencyCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := plans(t, func(c *engine.Config) {
			c.Dialects["phrase"].(*phrase).missing = func(engine.Missing) engine.Program { return ring(directory.NumberAddress("112")) }
		})
		h.Target("112", pickUp)
		u := directory.User{ID: "w1", Account: directory.DefaultAccount}
		in, err := h.Arrive(engine.Arrival{Account: u.Account, Caller: u, From: u.Address(), To: directory.NumberAddress("112")})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := h.Engine.Run(h.Journal.Records()[0].ID, forward(carol)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if n := h.Engine.Living(); n != 2 {
			t.Errorf("%d calls live, want the caller and the service", n)
		}
		in.HangUp()
		synctest.Wait()
		equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseNormal, engine.CauseNormal})
		h.Close(t)
	})
}

// A server that drains lets calls be forwarded, one that has hung up all does not.
func TestForwardWhileStopping(t *testing.T) {
	t.Parallel()
	for _, drains := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			late := act(func(context.Context, *engine.Call) (engine.Next, error) {
				time.Sleep(2 * time.Second)
				return engine.Forward(carol, "a test"), nil
			})
			h := plans(t, nil, engine.Program{late}, ring(carol))
			in := h.Call(t, caller, called, number)
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			want := []engine.Cause{engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal}
			if !drains {
				cancel()
				want = []engine.Cause{engine.CauseShutdown}
			}
			stopped := make(chan struct{})
			go func() { h.Engine.Shutdown(ctx, time.Minute); close(stopped) }()
			time.Sleep(time.Minute)
			in.HangUp()
			<-stopped
			equal(t, "causes", ends(t, h), want)
			if n := h.Engine.Living(); n != 0 {
				t.Errorf("%d calls live", n)
			}
		})
	}
}

// Calls of one chain that a crash left open are told of in their order.
func TestRecoverAChain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := plans(t, nil)
		h.App.Answer(func(r engine.Request) engine.Reply {
			if len(h.App.Asked()) == 1 {
				time.Sleep(time.Second)
			}
			return engine.Reply{URL: r.URL, Status: 200}
		})
		first := engine.NewID()
		now := time.Now()
		for _, r := range []engine.Record{
			{ID: first, State: engine.StateEnded, Cause: engine.CauseForwarded, EndedAt: &now}, {ID: engine.NewID(), State: engine.StateRinging},
		} {
			r.Chain, r.Account, r.App, r.Number, r.StartedAt = first, directory.DefaultAccount, "app", number.Number, now
			r.Dialect = engine.DialectState{"tell": "yes"}
			h.Journal.Append(engine.RecordSaved{Record: r})
			h.Engine.Recover(r, engine.Event{})
		}
		time.Sleep(time.Minute)
		equal(t, "the app", pushes(h), []string{"ended 0", "ended 1"})
		equal(t, "causes", []engine.Cause{h.Journal.Records()[0].Cause, h.Journal.Records()[1].Cause},
			[]engine.Cause{engine.CauseForwarded, engine.CauseInterrupted})
		h.Close(t)
	})
}
