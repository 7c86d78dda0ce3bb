// SPDX-License-Identifier: MIT

package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs"
	"github.com/callwright/callwright/verbs/builtin"
)

var (
	alice     = directory.User{ID: "w0", Account: directory.DefaultAccount, Name: "Alice", Username: "alice", App: "app"}
	ambulance = directory.NumberAddress("112")
)

// limited is a house with limits, whose calls wait until they are hung up.
func limited(t *testing.T, l engine.Limits) *enginetest.House {
	p := &phrase{}
	for range 20 {
		p.programs = append(p.programs, engine.Program{act(wait)})
	}
	dialects := map[string]engine.Dialect{"": builtin.AccountSettings{}, "phrase": p}
	return enginetest.New(t, entries, dialects, func(c *engine.Config) { c.Limits = l })
}

func refusedBy(t *testing.T, err error, limit string) {
	t.Helper()
	var refused *engine.LimitError
	if !errors.As(err, &refused) || refused.Limit != limit {
		t.Errorf("error %v, want one of %s", err, limit)
	}
}

func TestLimitCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := limited(t, engine.Limits{Calls: 2})
		arrival := engine.Arrival{From: caller, To: called, Number: number}
		first := h.Call(t, caller, called, number)
		h.Call(t, caller, called, number)
		_, err := h.Arrive(arrival)
		refusedBy(t, err, "limits.calls")
		first.Cancel()
		synctest.Wait()
		if _, err := h.Arrive(arrival); err != nil {
			t.Errorf("after one call ended: %v", err)
		}
		h.Close(t)
	})
}

// However a call ends, its place is free again.
func TestEveryEndFreesAPlace(t *testing.T) {
	t.Parallel()
	stay := act(wait)
	for name, test := range map[string]struct {
		does act
		end  func(h *enginetest.House, leg *enginetest.Leg)
	}{
		"the caller gives up": {stay, func(_ *enginetest.House, leg *enginetest.Leg) { leg.Cancel() }},
		"the caller hangs up": {stay, func(_ *enginetest.House, leg *enginetest.Leg) { leg.HangUp() }},
		"it lasts too long":   {stay, func(*enginetest.House, *enginetest.Leg) { time.Sleep(time.Hour) }},
		"by the API": {stay, func(h *enginetest.House, _ *enginetest.Leg) {
			h.Engine.Hangup(h.Journal.Records()[0].ID, engine.CauseNormal)
		}},
		"its program ends it":   {func(context.Context, *engine.Call) (engine.Next, error) { return engine.End(engine.CauseBusy), nil }, nil},
		"its program fails":     {func(context.Context, *engine.Call) (engine.Next, error) { return engine.Next{}, errors.New("no idea") }, nil},
		"its program panics":    {func(context.Context, *engine.Call) (engine.Next, error) { panic("out of cheese") }, nil},
		"its document runs out": {func(context.Context, *engine.Call) (engine.Next, error) { return engine.Continue(), nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &phrase{programs: []engine.Program{{test.does}, {stay}}}
				h := house(t, p, func(c *engine.Config) { c.Limits = engine.Limits{Calls: 1, MaxDuration: time.Hour} })
				leg := h.Call(t, caller, called, number)
				if test.end != nil {
					synctest.Wait()
					test.end(h, leg)
				}
				synctest.Wait()
				if n := h.Engine.Living(); n != 0 {
					t.Fatalf("%d calls live, want that it ended", n)
				}
				arrival := engine.Arrival{From: caller, To: called, Number: number}
				if _, err := h.Arrive(arrival); err != nil {
					t.Errorf("the next call: %v", err)
				}
				synctest.Wait()
				_, err := h.Arrive(arrival) // and it was freed once
				refusedBy(t, err, "limits.calls")
				h.Close(t)
			})
		})
	}
}

// A second is any second, not one of the clock.
func TestLimitCallsInAnySecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := limited(t, engine.Limits{CallsPerSecond: 2})
		arrival := engine.Arrival{From: caller, To: called, Number: number}
		arrive := func(after time.Duration, want bool) {
			t.Helper()
			time.Sleep(after)
			if _, err := h.Arrive(arrival); (err == nil) != want {
				t.Errorf("error %v, want a call taken: %t", err, want)
			}
		}
		arrive(0, true)
		arrive(900*time.Millisecond, true)
		arrive(50*time.Millisecond, false)
		arrive(50*time.Millisecond, true) // the first one is a second ago
		arrive(100*time.Millisecond, false)
		arrive(800*time.Millisecond, true)
		h.Close(t)
	})
}

func TestLimitCallsPerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := limited(t, engine.Limits{CallsPerSecond: 2})
		arrival := engine.Arrival{From: caller, To: called, Number: number}
		for round := range 2 {
			for range 2 {
				if _, err := h.Arrive(arrival); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			}
			_, err := h.Arrive(arrival)
			refusedBy(t, err, "limits.calls_per_second")
			time.Sleep(time.Second)
		}
		h.Close(t)
	})
}

// A number that is not allowed is not called, whatever the way in which it is
// written, and the timeline says which limit it was.
func TestLimitPrefixes(t *testing.T) {
	t.Parallel()
	for dialled, allowed := range map[string]bool{
		"+4930222": true, "004930222": true, "+1900555": false, "001900555": false, "0190055": true, "100": false, "112": true,
	} {
		t.Run(dialled, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				to := directory.NumberAddress(dialled)
				p := &phrase{programs: []engine.Program{{verbs.Dial{Targets: []engine.Target{{Address: to}}}}}}
				h := house(t, p, func(c *engine.Config) {
					c.Limits = engine.Limits{Prefixes: []string{"+49", "0"}}
				})
				h.Target(to.Value, func(l *enginetest.Leg) { l.Refuse(486, false) })
				h.Call(t, caller, called, number)
				synctest.Wait()
				want := []engine.Cause{engine.CauseForbidden, engine.CauseForbidden}
				if allowed {
					want = []engine.Cause{engine.CauseBusy, engine.CauseBusy}
				}
				if got := ends(t, h); !slices.Equal(got, want) {
					t.Errorf("causes %v, want %v", got, want)
				}
				if !allowed {
					last := h.Journal.Events(h.Journal.Records()[1].ID, engine.EventEnded)[0]
					if !strings.Contains(last.Text, "limits.prefixes") || !strings.Contains(last.Text, "+49, 0") {
						t.Errorf("the timeline says %q", last.Text)
					}
				}
				h.Close(t)
			})
		})
	}
}

// Where a plus is all that is missing, on either side, the refusal says so.
func TestPrefixesAlmost(t *testing.T) {
	t.Parallel()
	for dialled, want := range map[string]string{
		"4930123": "(+49, 43); with a plus, +4930123, it would", "+43555666": "; the prefix 43 would do with a plus, +43", "+33123": "(+49, 43)",
	} {
		synctest.Test(t, func(t *testing.T) {
			to := directory.NumberAddress(dialled)
			h := house(t, &phrase{programs: []engine.Program{{verbs.Dial{Targets: []engine.Target{{Address: to}}}}}}, func(c *engine.Config) {
				c.Limits = engine.Limits{Prefixes: []string{"+49", "43"}}
			})
			h.Call(t, caller, called, number)
			synctest.Wait()
			last := h.Journal.Events(h.Journal.Records()[1].ID, engine.EventEnded)[0]
			if !strings.HasSuffix(last.Text, want) {
				t.Errorf("%s: the timeline says %q, want %q at its end", dialled, last.Text, want)
			}
			h.Close(t)
		})
	}
}

// An emergency call is pushed to no app and passes every limit, even when no
// record can be kept.
func TestEmergency(t *testing.T) {
	t.Parallel()
	for name, arrival := range map[string]engine.Arrival{
		"by a user":                        {From: caller, To: ambulance, Caller: alice},
		"by a user who hides its number":   {From: directory.Anonymous(), To: ambulance, Caller: alice},
		"written as an international one":  {From: caller, To: directory.NumberAddress("+112"), Caller: alice},
		"by a user, to a number of an app": {From: caller, To: ambulance, Caller: alice, Number: directory.Number{Number: "112", App: "app"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := limited(t, engine.Limits{
					Calls: 1, CallsPerSecond: 1, MaxDuration: time.Hour, Prefixes: []string{"0049"},
				})
				h.Target(arrival.To.Value, func(l *enginetest.Leg) {
					l.Emit(engine.LegAnswered{})
					time.Sleep(3 * time.Hour)
					l.HangUp()
				})
				h.Call(t, caller, called, number) // reaches both limits
				synctest.Wait()
				h.Journal.Sicken(errors.New("no disk"))
				if _, err := h.Arrive(arrival); err != nil {
					t.Fatal(err)
				}
				h.Journal.Sicken(nil)
				synctest.Wait()
				if asked := h.App.Asked(); len(asked) != 1 {
					t.Errorf("the app was asked %d times, want only about the ordinary call", len(asked))
				}
				time.Sleep(4 * time.Hour)
				records := h.Journal.Records()
				emergency := records[slices.IndexFunc(records, func(r engine.Record) bool { return r.To == arrival.To && r.Parent.IsZero() })]
				if emergency.App != "" || emergency.Direction != engine.Out || emergency.Cause != engine.CauseNormal {
					t.Errorf("recorded with app %q, direction %s, cause %s", emergency.App, emergency.Direction, emergency.Cause)
				}
				if lasted := emergency.EndedAt.Sub(emergency.StartedAt); lasted < 3*time.Hour {
					t.Errorf("it lasted %s, the other side stayed three hours", lasted)
				}
				if dialled := h.Dialled(); len(dialled) != 1 || dialled[0].Request.From != alice.Address() {
					t.Errorf("the emergency service was called %d times, want once and by Alice", len(dialled))
				}
				h.Close(t)
			})
		})
	}
}

// Who calls an emergency service by a trunk is not ours to save: no app is
// asked, nobody is dialled, and limits hold.
func TestEmergencyByTrunk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := limited(t, engine.Limits{Calls: 1})
		arrival := engine.Arrival{From: caller, To: ambulance, Trunk: "carrier", Number: directory.Number{Number: "*", App: "app"}}
		if _, err := h.Arrive(arrival); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := ends(t, h); !slices.Equal(got, []engine.Cause{engine.CauseOffline}) {
			t.Errorf("ended with %v, want offline", got)
		}
		if len(h.App.Asked()) != 0 || len(h.Dialled()) != 0 {
			t.Errorf("%d questions to the app, %d targets dialled", len(h.App.Asked()), len(h.Dialled()))
		}
		h.Call(t, caller, called, number)
		_, err := h.Arrive(arrival)
		refusedBy(t, err, "limits.calls")
		h.Close(t)
	})
}

// An app may ring an emergency service, too. No limit of ours ends that.
func TestAppRingsAnEmergencyService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &phrase{programs: []engine.Program{{verbs.Dial{Targets: []engine.Target{{Address: ambulance}}}}}}
		h := house(t, p, func(c *engine.Config) { c.Limits = engine.Limits{MaxDuration: time.Hour, Prefixes: []string{"+49"}} })
		h.Target("112", func(l *enginetest.Leg) { l.Emit(engine.LegAnswered{}); time.Sleep(3 * time.Hour); l.HangUp() })
		h.Call(t, caller, called, number)
		time.Sleep(4 * time.Hour)
		if got := ends(t, h); !slices.Equal(got, []engine.Cause{engine.CauseNormal, engine.CauseNormal}) {
			t.Errorf("causes %v, want two normal ends", got)
		}
		h.Close(t)
	})
}

var outside = directory.NumberAddress("+4930222222")

// A call that was not taken has a record and says why; no app hears of it, and a
// flood does not fill the disk.
func TestRefusedCallsAreKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := limited(t, engine.Limits{})
		refusal := engine.Refusal{
			Cause: engine.CauseNotFound, Status: 404, Source: "192.0.2.1:5060", Reason: `number "100" is not configured, the nearest one is "+49301"`,
		}
		h.Engine.Refuse(engine.Arrival{From: caller, To: called, Trunk: "carrier"}, refusal)
		synctest.Wait()
		r := h.Journal.Records()[0]
		if r.State != engine.StateEnded || r.Cause != engine.CauseNotFound || !r.Settled || r.EndedAt == nil || r.Trunk != "carrier" || r.Account != directory.DefaultAccount {
			t.Errorf("recorded as %+v", r)
		}
		events := h.Journal.Events(r.ID)
		if len(events) != 2 || events[0].Kind != engine.EventIncoming || events[1].Kind != engine.EventEnded ||
			!strings.Contains(events[0].Text, refusal.Source) || !strings.Contains(events[1].Text, "404: "+refusal.Reason) {
			t.Errorf("timeline %v", events)
		}
		if len(h.App.Asked()) != 0 || h.Engine.Living() != 0 {
			t.Errorf("the app was asked %d times, %d calls live", len(h.App.Asked()), h.Engine.Living())
		}
		for range 1000 {
			h.Engine.Refuse(engine.Arrival{From: caller, To: called}, refusal)
		}
		if n := len(h.Journal.Records()); n != 10 {
			t.Errorf("%d records of one second, want 10", n)
		}
		time.Sleep(time.Second)
		h.Journal.Sicken(errors.New("no disk"))
		h.Engine.Refuse(engine.Arrival{From: caller, To: called}, refusal)
		h.Journal.Sicken(nil)
		h.Engine.Refuse(engine.Arrival{From: caller, To: called}, refusal)
		if n := len(h.Journal.Records()); n != 11 {
			t.Errorf("%d records, want one more", n)
		}
		h.Close(t)
	})
}
