// SPDX-License-Identifier: MIT

package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs"
)

func TestShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := house(t, &phrase{programs: []engine.Program{{act(wait)}}})
		h.Call(t, caller, called, number)
		synctest.Wait()
		h.Close(t)
		if got := ends(t, h); !cmp.Equal(got, []engine.Cause{engine.CauseShutdown}) {
			t.Errorf("causes %v, want shutdown", got)
		}
		asked := h.App.Asked()
		if last := asked[len(asked)-1].Name; last != string(engine.EventEnded) {
			t.Errorf("the app was last told %q: the end of a call must be told before the server stops", last)
		}
		err := h.Engine.Arrive(&enginetest.Leg{}, engine.Arrival{Number: number})
		if !errors.Is(err, engine.ErrDraining) {
			t.Errorf("a call after the end: %v, want ErrDraining", err)
		}
	})
}

// A server that dies between the end of a call and the moment its app was told
// of it tells it when it starts again, and changes nothing else.
func TestUntoldEndIsToldAfterACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := house(t, &phrase{programs: []engine.Program{{act(func(context.Context, *engine.Call) (engine.Next, error) {
			return engine.End(engine.CauseBusy), nil
		})}}})
		h.App.Answer(func(r engine.Request) engine.Reply {
			if r.Name == string(engine.EventEnded) {
				time.Sleep(time.Second)
			}
			return engine.Reply{URL: r.URL, Status: 200}
		})
		h.Call(t, caller, called, number)
		synctest.Wait()
		kept := h.Journal.Records()[0]
		if kept.State != engine.StateEnded || kept.Settled {
			t.Fatalf("while the app is told, the record is %s, settled: %t", kept.State, kept.Settled)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !h.Journal.Records()[0].Settled {
			t.Error("the app was told, and the record is not settled")
		}
		h.Close(t)

		again := house(t, &phrase{})
		again.Engine.Recover(kept, engine.Event{Call: kept.ID, Seq: 9})
		time.Sleep(time.Second)
		synctest.Wait()
		if asked := again.App.Asked(); len(asked) != 1 || asked[0].Name != string(engine.EventEnded) {
			t.Errorf("after the crash the app was told %v, want the end", asked)
		}
		if n := len(again.Journal.Events(kept.ID, engine.EventEnded)); n != 0 {
			t.Errorf("the call ended %d times more", n)
		}
		if r := again.Journal.Records()[0]; !r.Settled || r.Cause != engine.CauseBusy {
			t.Errorf("the record says %s, settled: %t", r.Cause, r.Settled)
		}
		again.Close(t)
	})
}

// A database that goes away under a call must not keep its caller in silence:
// the app is not asked, and the dialect goes on without it. The end is told when
// the database is back.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []engine.Missing
		p := &phrase{
			programs: []engine.Program{{act(func(ctx context.Context, c *engine.Call) (engine.Next, error) {
				_, err := c.AwaitFor(ctx, time.Second, func(engine.Message) bool { return false })
				if !errors.Is(err, engine.ErrTimeout) {
					return engine.Next{}, err
				}
				return engine.Goto(engine.Event{Kind: engine.EventGathered}), nil
			})}},
			missing: func(m engine.Missing) engine.Program {
				asked = append(asked, m)
				return engine.Program{act(func(context.Context, *engine.Call) (engine.Next, error) {
					return engine.End(engine.CauseOffline), nil
				})}
			},
		}
		h := house(t, p)
		h.Call(t, caller, called, number)
		synctest.Wait()
		h.Journal.Sicken(errors.New("the disk is full"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]engine.Missing{engine.MissingUnreachable}, asked); diff != "" {
			t.Errorf("defaults asked for (-want +got):\n%s", diff)
		}
		if got := ends(t, h); !cmp.Equal(got, []engine.Cause{engine.CauseOffline}) {
			t.Errorf("causes %v, want offline", got)
		}
		if n := len(h.App.Asked()); n != 1 {
			t.Errorf("the app got %d requests while nothing could be recorded, want the first only", n)
		}
		h.Journal.Sicken(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if told := h.App.Asked(); len(told) != 2 || told[1].Name != string(engine.EventEnded) {
			t.Errorf("when it could be recorded again the app was told %v, want the end", told)
		}
		h.Close(t)
	})
}

// While nothing can be kept, no call is taken whose record would be lost.
func TestNoCallsWithoutRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := house(t, &phrase{})
		full := errors.New("the disk is full")
		h.Journal.Sicken(full)
		if err := h.Engine.Arrive(&enginetest.Leg{}, engine.Arrival{Number: number}); !errors.Is(err, full) {
			t.Errorf("a call on a full disk: %v", err)
		}
		h.Journal.Sicken(nil)
		h.Call(t, caller, called, number)
		synctest.Wait()
		if n := len(h.Journal.Records()); n != 1 {
			t.Errorf("%d calls are recorded, want the one that came when the disk had room again", n)
		}
		h.Close(t)
	})
}

func TestRecover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := house(t, &phrase{})
		id, died := engine.NewID(), time.Now().Add(-8*time.Hour)
		h.Engine.Recover(engine.Record{
			ID: id, Chain: id, App: "app", Number: number.Number, Direction: engine.In, State: engine.StateAnswered,
			Dialect: engine.DialectState{"tell": "yes"},
		}, engine.Event{Call: id, Seq: 7, At: died})
		synctest.Wait()
		events := h.Journal.Events(id, engine.EventEnded)
		if len(events) != 1 || events[0].Seq != 8 || events[0].Data.Cause != engine.CauseInterrupted {
			t.Errorf("terminal events %v, want one, number 8, interrupted", events)
		}
		if asked := h.App.Asked(); len(asked) != 1 || asked[0].Name != string(engine.EventEnded) {
			t.Errorf("the app was told %v, want the end", asked)
		}
		if r := h.Journal.Records()[0]; r.EndedAt == nil || !r.EndedAt.Equal(died) {
			t.Errorf("the call is said to have lasted until %v, want %v: the server was dead since", r.EndedAt, died)
		}
		h.Close(t)
	})
}

// openSound is a verb that has the party hear us.
func openSound(_ context.Context, c *engine.Call) (engine.Next, error) {
	return engine.Continue(), c.OpenSound()
}

// A call ends when its caller hangs up, not when the last target that still
// rings has understood that.
func TestEndsWhenTheCallerHangsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &phrase{programs: []engine.Program{{verbs.Dial{Targets: []engine.Target{{Address: directory.NumberAddress("+49301")}}}}}}
		h := house(t, p)
		h.Target("+49301", func(l *enginetest.Leg) {
			l.KeepSilent()
			time.Sleep(12 * time.Second)
			l.End(engine.LegEnded{Cause: engine.CauseCancelled})
		})
		leg := h.Call(t, caller, called, number)
		time.Sleep(10 * time.Second)
		leg.Cancel()
		time.Sleep(10 * time.Second)
		for _, r := range h.Journal.Records() {
			if lasted := r.EndedAt.Sub(r.StartedAt); r.Parent.IsZero() && lasted != 10*time.Second {
				t.Errorf("the call lasted %s, want 10s", lasted)
			}
		}
		h.Close(t)
	})
}
