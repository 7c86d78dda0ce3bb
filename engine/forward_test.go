// SPDX-License-Identifier: MIT

package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/verbs"
)

var (
	carol = directory.Address{Kind: directory.KindUser, Value: "w2", Name: "Carol"}
	box   = directory.Address{Kind: directory.KindVoicemail, Value: "w1"}
)

func forward(to directory.Address) engine.Program {
	return engine.Program{act(func(context.Context, *engine.Call) (engine.Next, error) { return engine.Forward(to, "a test"), nil })}
}

func ring(to ...directory.Address) engine.Program {
	var d verbs.Dial
	for _, a := range to {
		d.Targets = append(d.Targets, engine.Target{Address: a})
	}
	return engine.Program{d}
}

// plans is a house like that of desks whose calls run these programs in turn.
func plans(t *testing.T, adjust func(*engine.Config), programs ...engine.Program) *enginetest.House {
	return desks(t, func(c *engine.Config) {
		c.Dialects["phrase"].(*phrase).programs = programs
		if adjust != nil {
			adjust(c)
		}
	})
}

// pushes are what the app was asked and told, with the number of the call.
func pushes(h *enginetest.House) []string {
	var names []string
	for _, r := range h.App.Asked() {
		call := slices.IndexFunc(h.Journal.Records(), func(one engine.Record) bool { return one.ID.String() == string(r.Body) })
		names = append(names, fmt.Sprint(r.Name, " ", call))
	}
	return names
}

func TestForward(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := plans(t, nil, forward(carol), ring(carol))
		start := time.Now()
		h.Target("phone w2", func(l *enginetest.Leg) {
			l.Emit(engine.LegRinging{Status: 180})
			time.Sleep(4 * time.Second)
			l.Emit(engine.LegAnswered{})
		})
		in := h.Call(t, caller, called, number)
		time.Sleep(10 * time.Second)
		h.Dialled()[0].Leg.HangUp()
		synctest.Wait()
		equal(t, "the caller", in.Did(), []string{"progress", "answer", "hangup normal"})
		equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal})
		equal(t, "the app", pushes(h), []string{"incoming 0", "ended 0", "incoming 1", "answered 1", "ended 1"})
		r := h.Journal.Records()
		a, b := r[0], r[1]
		equal(t, "the chain", []engine.ID{b.Chain, r[2].Chain}, []engine.ID{a.ID, a.ID})
		equal(t, "from, to", []directory.Address{b.From, b.To}, []directory.Address{caller, called})
		equal(t, "diversion, number", []string{b.Diversion, b.Number}, []string{called.Value, number.Number})
		equal(t, "direction", b.Direction, engine.In)
		if a.AnsweredAt != nil || b.AnsweredAt == nil || b.AnsweredAt.Sub(start) != 4*time.Second || a.Media != nil || b.Media == nil {
			t.Errorf("answered at %v and %v, media %v and %v", a.AnsweredAt, b.AnsweredAt, a.Media, b.Media)
		}
		equal(t, "shown to Carol", h.Dialled()[0].Request.Diversion, called.Value)
		equal(t, "timeline of A", transfers(h), []string{"is forwarded to w2 as call " + b.ID.String() + ": a test"})
		equal(t, "timeline of B", h.Journal.Events(b.ID)[0].Text,
			fmt.Sprintf("call from %s to %s, forwarded to w2 by call %s", caller, called, a.ID))
		h.Close(t)
	})
}

// What the next call is for.
func TestForwardTo(t *testing.T) {
	t.Parallel()
	second := directory.Number{Number: "+4921112399", Account: directory.DefaultAccount, App: "other", Users: []string{"w2", "w0"}, OnBusy: "voicemail"}
	group := directory.Address{Kind: directory.KindGroup, Value: "g0"}
	for _, tt := range []struct {
		name  string
		to    directory.Address
		users string
		app   string
		dest  *directory.Address
	}{
		{"a user", carol, "w2", "app", &carol},
		{"a group", group, "w2", "app", &group},
		{"a voicemail", box, "", "app", &box},
		{"the voicemail of who was called", directory.Address{Kind: directory.KindVoicemail}, "", "app", &directory.Address{Kind: directory.KindVoicemail, Value: called.Value}},
		{"a number outside", outside, "", "app", &outside},
		{"a number of ours", directory.NumberAddress(second.Number), "w2 w0", "other", nil},
		{"the number that led here", called, "", "app", &called},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var info engine.CallInfo
				look := act(func(_ context.Context, c *engine.Call) (engine.Next, error) {
					info = c.Info()
					return engine.End(engine.CauseBusy), nil
				})
				p := &phrase{programs: []engine.Program{forward(tt.to), {look}}}
				e := entries
				e.Users = []directory.User{{ID: "w0"}, {ID: "w1"}, {ID: "w2"}}
				e.Groups = []directory.Group{{ID: "g0", Users: []string{"w2"}}}
				e.Apps = append(slices.Clone(e.Apps), directory.App{Key: "other", Dialect: "phrase", IncomingURL: "http://other/"})
				e.Numbers = append(slices.Clone(e.Numbers), second)
				h := enginetest.New(t, e, map[string]engine.Dialect{"": p, "phrase": p})
				h.Call(t, caller, called, number)
				synctest.Wait()
				var users []string
				for _, u := range info.Users {
					users = append(users, u.ID)
				}
				equal(t, "users", strings.Join(users, " "), tt.users)
				equal(t, "app", info.App.Key, tt.app)
				equal(t, "destination", info.Destination, tt.dest)
				to := called // a voicemail's, a group's
				switch tt.to.Kind {
				case directory.KindNumber:
					to = tt.to
				case directory.KindUser:
					to = directory.Address{Kind: directory.KindNumber, Value: second.Number, Name: tt.to.Name} // its own
				}
				equal(t, "to", info.To, to)
				equal(t, "diversion", info.Diversion, called.Value)
				if of := info.Called.OnBusy == "voicemail"; of != (tt.dest == nil) {
					t.Errorf("settings of %q", info.Called.Number)
				}
				h.Close(t)
			})
		})
	}
}

// Who gives up in the middle ends the call that has the leg then.
func TestForwardInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		slow   time.Duration // the app, when it is told of the end of A
		script func(*enginetest.House, *enginetest.Leg)
		causes []engine.Cause
		app    []string
		did    []string
	}{
		{
			"cancelled before it was looked at", 0, func(_ *enginetest.House, l *enginetest.Leg) { l.Cancel() },
			[]engine.Cause{engine.CauseCancelled}, []string{"incoming 0", "ended 0"}, nil,
		}, {
			"hung up from outside before", 0, func(h *enginetest.House, _ *enginetest.Leg) {
				_ = h.Engine.Hangup(h.Journal.Records()[0].ID, engine.CauseNormal)
			}, []engine.Cause{engine.CauseCancelled}, []string{"incoming 0", "ended 0"}, []string{"hangup cancelled"},
		}, {
			"cancelled while the app is told of the end", 2 * time.Second, func(_ *enginetest.House, l *enginetest.Leg) {
				time.Sleep(2 * time.Second)
				l.Cancel()
			}, []engine.Cause{engine.CauseForwarded, engine.CauseCancelled}, []string{"incoming 0", "ended 0", "incoming 1", "ended 1"}, nil,
		}, {
			"hung up from outside meanwhile", 2 * time.Second, func(h *enginetest.House, _ *enginetest.Leg) {
				time.Sleep(2 * time.Second)
				_ = h.Engine.Hangup(h.Journal.Records()[1].ID, engine.CauseNormal)
			}, []engine.Cause{engine.CauseForwarded, engine.CauseCancelled}, []string{"incoming 0", "ended 0", "incoming 1", "ended 1"}, []string{"hangup cancelled"},
		}, {
			"sent on meanwhile", 2 * time.Second, func(h *enginetest.House, l *enginetest.Leg) {
				time.Sleep(2 * time.Second)
				_ = h.Engine.Transfer(h.Journal.Records()[1].ID, engine.TransferOrder{To: outside.Value})
				time.Sleep(5 * time.Second)
				l.HangUp()
			}, []engine.Cause{engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal},
			[]string{"incoming 0", "ended 0", "incoming 1", "ended 1"}, []string{"progress", "answer"},
		}, {
			"an app that hangs", 10 * time.Second, func(_ *enginetest.House, l *enginetest.Leg) {
				time.Sleep(5 * time.Second)
				l.Cancel()
			}, []engine.Cause{engine.CauseForwarded, engine.CauseCancelled}, []string{"incoming 0", "ended 0", "incoming 1", "ended 1"}, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				late := act(func(context.Context, *engine.Call) (engine.Next, error) {
					time.Sleep(time.Second) // what comes meanwhile is not looked at
					return engine.Forward(carol, "a test"), nil
				})
				h := plans(t, nil, engine.Program{late}, engine.Program{act(wait)})
				h.App.Answer(func(r engine.Request) engine.Reply {
					if r.Name == string(engine.EventEnded) {
						time.Sleep(tt.slow)
					}
					return engine.Reply{URL: r.URL, Status: 200}
				})
				in := h.Call(t, caller, called, number)
				synctest.Wait()
				tt.script(h, in)
				time.Sleep(30 * time.Second)
				equal(t, "causes", ends(t, h), tt.causes)
				equal(t, "the app", pushes(h), tt.app)
				equal(t, "the caller", in.Did(), tt.did)
				h.Close(t)
			})
		})
	}
}

// What the party heard and what was recorded does not go along, nor does a play
// of the call before end one of the call behind.
func TestForwardDuringSound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const long, short = "http://app/long.wav", "http://app/short.wav"
		h := plans(t, nil, engine.Program{verbs.Play{URL: long}}, engine.Program{verbs.Play{URL: short}, verbs.Hangup{}})
		h.Prompts[long], h.Prompts[short] = 10*time.Second, 2*time.Second
		in := h.Call(t, caller, called, number)
		time.Sleep(time.Second)
		a := h.Journal.Records()[0].ID
		if _, err := h.Engine.Record(a, media.RecordMixed); err != nil {
			t.Fatal(err)
		}
		if err := h.Engine.Run(a, forward(box)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		in.Press("5")
		start := time.Now()
		time.Sleep(5 * time.Second)
		b := h.Journal.Records()[1]
		equal(t, "sound", h.Sound.Did(), []string{
			"play caller " + long, "record caller", "stop recording caller", "stop caller", "play caller " + short,
		})
		equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseForwarded, engine.CauseRejected})
		equal(t, "B lasts", b.EndedAt.Sub(start), 2*time.Second)
		equal(t, "B's keys", len(h.Journal.Events(b.ID, engine.EventDigit)), 1)
		equal(t, "the caller", in.Did(), []string{"early media", "hangup rejected"})
		h.Close(t)
	})
}

// A leg that was answered stays so: the next call answers it for itself only.
func TestForwardOfAnAnsweredCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := plans(t, func(c *engine.Config) { c.Ringback = &media.Prompt{Name: "ringback"} },
			ring(bob), ring(carol))
		h.Target("phone w2", func(l *enginetest.Leg) {
			l.Emit(engine.LegRinging{Status: 180})
			time.Sleep(3 * time.Second)
			l.Emit(engine.LegAnswered{})
		})
		in, out := callIn(t, h)
		time.Sleep(time.Minute)
		if err := h.Engine.Run(h.Journal.Records()[0].ID, forward(carol)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		in.HangUp()
		synctest.Wait()
		equal(t, "the caller", in.Did(), []string{"progress", "answer"})
		equal(t, "Bob", out.Did(), []string{"hangup forwarded"})
		equal(t, "sound", h.Sound.Did(), []string{
			"bridge caller phone w1", "unbridge caller", "play caller ringback", "stop caller", "bridge caller phone w2",
		})
		r := h.Journal.Records()
		equal(t, "B was answered later", r[2].AnsweredAt.Sub(r[2].StartedAt), 3*time.Second)
		equal(t, "the app", pushes(h), []string{"incoming 0", "answered 0", "ended 0", "incoming 2", "answered 2", "ended 2"})
		h.Close(t)
	})
}

// The app hears of the end of a call first, and then of the next that the caller has left
// already, however long a phone takes to stop ringing.
func TestForwardThatTheCallerLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := plans(t, nil, ring(bob), ring(carol))
		h.Target("phone w1", func(l *enginetest.Leg) {
			l.KeepSilent()
			l.Emit(engine.LegRinging{Status: 180})
		})
		in, phone := callIn(t, h)
		must(t, blind(h, "w2"))
		synctest.Wait()
		in.HangUp()
		time.Sleep(2 * time.Second)
		equal(t, "the app", pushes(h), []string{"incoming 0"})
		phone.End(engine.LegEnded{Cause: engine.CauseCancelled})
		synctest.Wait()
		equal(t, "the app", pushes(h), []string{"incoming 0", "ended 0", "incoming 2", "ended 2"})
		equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseForwarded, engine.CauseForwarded, engine.CauseCancelled})
		equal(t, "rung", len(h.Dialled()), 1)
		h.Close(t)
	})
}
