// SPDX-License-Identifier: MIT

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/verbs"
)

// A call that has rung an emergency service is under the limits again as soon as
// it does so no more.
func TestLimitsBehindAnEmergencyService(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ answered, lasts time.Duration }{
		"rung in time": {time.Second, 30 * time.Second},
		"rung beyond":  {45 * time.Second, 45 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &phrase{programs: []engine.Program{{verbs.Dial{Targets: []engine.Target{{Address: ambulance}, {Address: outside}}}}}}
				h := house(t, p, func(c *engine.Config) { c.Limits = engine.Limits{MaxDuration: 30 * time.Second} })
				h.Target("112", func(*enginetest.Leg) {})
				h.Target(outside.Value, func(l *enginetest.Leg) { time.Sleep(tc.answered); l.Emit(engine.LegAnswered{}) })
				h.Call(t, caller, called, number)
				time.Sleep(3 * time.Hour)
				call := h.Journal.Records()[0]
				if call.Cause != engine.CauseMaxDuration || call.EndedAt == nil || call.EndedAt.Sub(call.StartedAt) != tc.lasts {
					t.Errorf("the call is %s, %s, ended at %v; want it to last %v", call.State, call.Cause, call.EndedAt, tc.lasts)
				}
				h.Close(t)
			})
		})
	}
}

// An order of an API finds a call at the moment when it is carried out: one that came
// before an emergency service is rung ends the call, and none is rung; one that came
// behind leaves it alone.
func TestOrderCrossesAnEmergency(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			busy, free := make(chan struct{}), make(chan struct{})
			rings := act(func(ctx context.Context, c *engine.Call) (engine.Next, error) {
				close(busy)
				<-free
				if _, err := c.Await(ctx, func(m engine.Message) bool { _, key := m.(engine.Digit); return key }); err != nil {
					return engine.Next{}, err
				}
				return engine.Continue(), nil
			})
			h := house(t, &phrase{programs: []engine.Program{{rings, verbs.Dial{Targets: []engine.Target{{Address: ambulance}}}}}})
			h.Target("112", pickUp)
			in := h.Call(t, caller, called, number)
			<-busy
			if !first {
				in.Press("1")
			}
			ended := make(chan error, 1)
			go func() { ended <- h.Engine.EndCall(h.Journal.Records()[0].ID) }()
			synctest.Wait()
			in.Press("1")
			close(free)
			err := <-ended
			synctest.Wait()
			if first && (err != nil || len(h.Dialled()) != 0 || h.Engine.Living() != 0) {
				t.Errorf("before: %v, %d rung, %d calls live", err, len(h.Dialled()), h.Engine.Living())
			}
			if !first && (!errors.Is(err, engine.ErrEmergency) || len(h.Dialled()) != 1 || h.Engine.Living() != 2) {
				t.Errorf("behind: %v, %d rung, %d calls live", err, len(h.Dialled()), h.Engine.Living())
			}
			h.Close(t)
			ends(t, h)
		})
	}
}

// Whatever an API orders of a call to an emergency service is refused, whoever rang
// that, and changes nothing: nothing is heard, recorded, rung or hung up.
func TestOrdersLeaveAnEmergencyAlone(t *testing.T) {
	t.Parallel()
	const file = "http://app/a.wav"
	orders := map[string]func(*engine.Engine, engine.ID) error{
		"mute":            func(e *engine.Engine, id engine.ID) error { return e.Mute(id, true) },
		"unmute":          func(e *engine.Engine, id engine.ID) error { return e.Mute(id, false) },
		"hold":            func(e *engine.Engine, id engine.ID) error { return e.Hold(id, true) },
		"resume":          func(e *engine.Engine, id engine.ID) error { return e.Hold(id, false) },
		"announce":        func(e *engine.Engine, id engine.ID) error { return e.Announce(context.Background(), id, file) },
		"tape, announced": func(e *engine.Engine, id engine.ID) error { return e.RecordTalk(context.Background(), id, true, true) },
		"tape":            func(e *engine.Engine, id engine.ID) error { return e.RecordTalk(context.Background(), id, true, false) },
		"end tape": func(e *engine.Engine, id engine.ID) error {
			return e.RecordTalk(context.Background(), id, false, false)
		},
		"record": func(e *engine.Engine, id engine.ID) error { _, err := e.Record(id, media.RecordMixed); return err },
		"pause":  func(e *engine.Engine, id engine.ID) error { return e.PauseRecording(id, true) },
		"stop":   (*engine.Engine).StopRecording,
		"digits": func(e *engine.Engine, id engine.ID) error { return e.SendDigits(id, "1") },
		"end":    (*engine.Engine).EndCall,
		"refer":  func(e *engine.Engine, id engine.ID) error { return e.Refer(id, "w2") },
	}
	for _, to := range []string{"w2", outside.Value, number.Number} {
		for _, attended := range []bool{false, true} {
			orders[fmt.Sprintf("transfer to %s, attended %t", to, attended)] = func(e *engine.Engine, id engine.ID) error {
				return e.Transfer(id, engine.TransferOrder{To: to, Attended: attended})
			}
		}
	}
	alone := func(h *enginetest.House) engine.ID { return h.Journal.Records()[0].ID }
	user := engine.Arrival{To: ambulance, Account: directory.DefaultAccount, Caller: directory.User{ID: "w0", Account: directory.DefaultAccount, App: "app"}}
	for _, tt := range []struct {
		name  string
		rings func(*testing.T, *enginetest.House)
		call  func(*enginetest.House) engine.ID
	}{
		{"a user calls it", func(t *testing.T, h *enginetest.House) { _, err := h.Arrive(user); must(t, err) }, alone},
		{"an app rings it", func(t *testing.T, h *enginetest.House) { h.Call(t, caller, called, number) }, alone},
		{"by the id of the target", func(t *testing.T, h *enginetest.House) { h.Call(t, caller, called, number) },
			func(h *enginetest.House) engine.ID { return h.Journal.Records()[1].ID }},
		{"who called by an API is led there", func(t *testing.T, h *enginetest.House) {
			_, err := h.Engine.Originate(engine.Origination{Caller: ann, Callee: "w1"})
			must(t, err)
		}, alone},
	} {
		for _, talks := range []bool{true, false} {
			for name, order := range orders {
				t.Run(fmt.Sprintf("%s, talks %t, %s", tt.name, talks, name), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						h := apiHouse(t, func(c *engine.Config) {
							p := c.Dialects["phrase"].(*phrase)
							p.settings = func(c engine.CallInfo) engine.Program {
								if c.Inward {
									return engine.Program{verbs.Enter{To: c.To}}
								}
								return ring(ambulance)
							}
							c.Dialects[""] = p
							c.Speaker, c.Notice = enginetest.Speaker{}, &media.Prompt{Name: "notice"}
						})
						h.Prompts[file] = time.Second
						h.Target("112", pickUp)
						if !talks {
							h.Target("112", func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 183, Sound: true}) })
						}
						tt.rings(t, h)
						synctest.Wait()
						all := h.Dialled()
						service := all[len(all)-1]
						equal(t, "who is rung", service.Request.Target.Address, ambulance)
						heard, rung, living, did := len(h.Sound.Did()), len(all), h.Engine.Living(), service.Leg.Did()
						err := order(h.Engine, tt.call(h))
						time.Sleep(10 * time.Second)
						if !errors.Is(err, engine.ErrEmergency) && (tt.name != "by the id of the target" || !errors.Is(err, engine.ErrNoCall)) {
							t.Errorf("got %v", err)
						}
						equal(t, "the sound", len(h.Sound.Did()), heard)
						equal(t, "rung", len(h.Dialled()), rung)
						equal(t, "living", h.Engine.Living(), living)
						equal(t, "the service", service.Leg.Did(), did)
						h.Close(t)
					})
				})
			}
		}
	}
}

// What an API asked before they talk is not done to who answers an emergency.
func TestNothingIsCaughtUpWithAnEmergency(t *testing.T) {
	t.Parallel()
	const file = "http://app/a.wav"
	synctest.Test(t, func(t *testing.T) {
		waits := act(func(ctx context.Context, c *engine.Call) (engine.Next, error) {
			_, err := c.Await(ctx, func(m engine.Message) bool { _, key := m.(engine.Digit); return key })
			return engine.Continue(), err
		})
		h := house(t, &phrase{programs: []engine.Program{{waits, verbs.Dial{Targets: []engine.Target{{Address: ambulance}}}}}})
		h.Prompts[file] = time.Second
		h.Target("112", pickUp)
		in := h.Call(t, caller, called, number)
		synctest.Wait()
		id := h.Journal.Records()[0].ID
		must(t, h.Engine.Mute(id, true), h.Engine.Hold(id, true), h.Engine.RecordTalk(t.Context(), id, true, false),
			h.Engine.Announce(t.Context(), id, file), h.Engine.SendDigits(id, "1"))
		in.Press("1")
		time.Sleep(time.Minute)
		equal(t, "the sound", h.Sound.Did(), []string{"bridge caller 112"})
		h.Close(t)
	})
}

// What an API asked of a conversation before it had begun is not done when it is one
// with an emergency service, and the timeline says so, once.
func TestAskedAheadOfAnEmergency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		waits := act(func(ctx context.Context, c *engine.Call) (engine.Next, error) {
			_, err := c.Await(ctx, func(m engine.Message) bool { _, key := m.(engine.Digit); return key })
			return engine.Continue(), err
		})
		h := house(t, &phrase{programs: []engine.Program{{waits, verbs.Dial{Targets: []engine.Target{{Address: ambulance}}}}}})
		h.Target("112", pickUp)
		in := h.Call(t, caller, called, number)
		synctest.Wait()
		id := h.Journal.Records()[0].ID
		must(t, h.Engine.Hold(id, true), h.Engine.RecordTalk(t.Context(), id, true, false))
		in.Press("1")
		synctest.Wait()
		equal(t, "rung", len(h.Dialled()), 1)
		in.HangUp()
		synctest.Wait()
		told := 0
		for _, e := range h.Journal.Events(id, engine.EventMedia) {
			if e.Text == "not recorded, put on hold: an emergency service picked up" {
				told++
			}
		}
		equal(t, "times that it is told", told, 1)
		equal(t, "recordings", len(h.Journal.Tapes()), 0)
		h.Close(t)
		ends(t, h)
	})
}
