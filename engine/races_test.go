// SPDX-License-Identifier: MIT

package engine_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/verbs"
)

// Whatever APIs, phones and parties do at the same time: every call ends exactly
// once, and nothing is left.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			h := plans(t, func(c *engine.Config) {
				c.Ringback, c.HoldTone, c.Notice = &media.Prompt{Name: "ringback"}, &media.Prompt{Name: "hold"}, &media.Prompt{Name: "notice"}
				c.Limits = engine.Limits{MaxDuration: 10 * time.Minute}
				p := c.Dialects["phrase"].(*phrase)
				p.settings = func(c engine.CallInfo) engine.Program {
					switch {
					case c.Inward:
						return engine.Program{verbs.Enter{To: c.To}}
					case c.Destination != nil && c.Destination.Value != carol.Value:
						return engine.Program{verbs.Deliver{Targets: []engine.Target{{Address: *c.Destination}}, Busy: &verbs.Rule{To: carol}}}
					case c.Destination != nil:
						return ring(*c.Destination)
					case c.Direction == engine.Out:
						return ring(c.To)
					}
					return ring(bob)
				}
			})
			h.Prompts["file"] = 300 * time.Millisecond
			chance := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }
			for i, user := range []string{"w0", "w1", "w2"} {
				dice := chance(uint64(100 + i))
				var mu sync.Mutex
				h.Target("phone "+user, func(l *enginetest.Leg) {
					mu.Lock()
					pause, refuse := time.Duration(dice.IntN(9))*100*time.Millisecond, dice.IntN(4) == 0
					mu.Unlock()
					l.Emit(engine.LegRinging{Status: 180})
					time.Sleep(pause)
					if refuse {
						l.Refuse(486, true)
						return
					}
					l.Emit(engine.LegAnswered{})
				})
			}
			var running sync.WaitGroup
			for n := range uint64(4) {
				running.Go(func() { meddle(h, chance(n)) })
			}
			running.Wait()
			time.Sleep(time.Hour)
			if n := h.Engine.Living(); n != 0 {
				t.Errorf("seed %d: %d calls live", seed, n)
			}
			for _, r := range h.Journal.Records() {
				for _, e := range h.Journal.Events(r.ID, engine.EventProblem) {
					t.Errorf("seed %d: %s", seed, e.Text)
				}
			}
			ends(t, h)
			h.Close(t)
		})
	}
}

// meddle does things at random for some seconds.
func meddle(h *enginetest.House, dice *rand.Rand) {
	parties := []string{"w0", "w1", "w2", outside.Value}
	for range 40 {
		time.Sleep(time.Duration(dice.IntN(4)) * 100 * time.Millisecond)
		var id engine.ID
		if records := h.Journal.Records(); len(records) > 0 {
			id = records[dice.IntN(len(records))].ID
		}
		on, to := dice.IntN(2) == 0, parties[dice.IntN(len(parties))]
		switch dice.IntN(12) {
		case 0, 1:
			_, _ = h.Arrive(engine.Arrival{From: caller, To: called, Number: number, Account: directory.DefaultAccount})
		case 2:
			_, _ = h.Engine.Originate(engine.Origination{Caller: ann, Callee: to})
		case 3:
			_ = h.Engine.Hold(id, on)
		case 4:
			_ = h.Engine.Mute(id, on)
		case 5:
			_ = h.Engine.Announce(context.Background(), id, "file")
		case 6:
			_ = h.Engine.RecordTalk(context.Background(), id, on, true)
		case 7, 8:
			_ = h.Engine.Transfer(id, engine.TransferOrder{To: to, Attended: on})
		case 9:
			_ = h.Engine.Hangup(id, engine.CauseNormal)
		case 10:
			if all := h.Dialled(); len(all) > 0 {
				leg := all[dice.IntN(len(all))].Leg
				if on {
					leg.HangUp()
				} else {
					leg.Emit(engine.LegReferred{ID: 1, To: to})
				}
			}
		case 11:
			_ = h.Engine.Talks(directory.DefaultAccount)
			_ = h.Engine.SendDigits(id, "1")
		}
	}
}

// The messages with which a leg came stand on the timeline before what the app is
// asked about them, however many they are.
func TestTracedBeforeAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, bob)
		came := make([]engine.LegEvent, 2000)
		for i := range came {
			came[i] = engine.LegMessage{At: time.Now(), Summary: "INVITE sip:100@host", Peer: "192.0.2.1:5060"}
		}
		in, err := h.Arrive(engine.Arrival{From: caller, To: called, Number: number}, came...)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		events := h.Journal.Events(h.Journal.Records()[0].ID, engine.EventIncoming, engine.EventSIP, engine.EventRequest)
		for i, e := range events[:len(came)+2] {
			want := engine.EventSIP
			switch i {
			case 0:
				want = engine.EventIncoming
			case len(came) + 1:
				want = engine.EventRequest
			}
			if e.Kind != want {
				t.Errorf("event %d is %s, want %s", i, e.Kind, want)
				break
			}
		}
		in.HangUp()
		synctest.Wait()
		h.Close(t)
	})
}
