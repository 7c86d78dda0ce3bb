// SPDX-License-Identifier: MIT

package engine_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/verbs"
)

var ann = directory.Address{Kind: directory.KindUser, Value: "w0", Name: "Alice"}

// apiHouse is a house whose users have an app, which leaves calls to the account
// settings.
func apiHouse(t *testing.T, adjust func(*engine.Config)) *enginetest.House {
	return desks(t, func(c *engine.Config) {
		c.Ringback = &media.Prompt{Name: "ringback"}
		p := c.Dialects["phrase"].(*phrase)
		p.settings = func(c engine.CallInfo) engine.Program {
			switch {
			case c.Inward:
				return engine.Program{verbs.Enter{To: c.To}}
			case c.Destination != nil:
				return ring(*c.Destination)
			}
			return ring(c.To)
		}
		if adjust != nil {
			adjust(c)
		}
	})
}

// An API has the phones of one user ring for a few calls at once, and for others when
// those are picked up or over.
func TestOriginateRingsForFew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := apiHouse(t, nil)
		call := func(caller directory.Address, want error) (id engine.ID) {
			t.Helper()
			id, err := h.Engine.Originate(engine.Origination{Account: directory.DefaultAccount, Caller: caller, Callee: outside.Value})
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
			return id
		}
		h.Target("phone w0", func(*enginetest.Leg) {}) // nobody picks up
		var ids []engine.ID
		for range 5 {
			ids = append(ids, call(ann, nil))
		}
		call(ann, engine.ErrRung)
		call(directory.Address{Kind: directory.KindUser, Value: "w1"}, nil)
		must(t, h.Engine.Hangup(ids[0], engine.CauseNormal))
		synctest.Wait()
		call(ann, nil)
		call(ann, engine.ErrRung)
		time.Sleep(2 * time.Minute) // all are over
		synctest.Wait()
		h.Target("phone w0", after(time.Second, answers))
		for range 5 {
			call(ann, nil)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		call(ann, nil) // the others were picked up
		time.Sleep(2 * time.Second)
		synctest.Wait()
		h.Close(t)
	})
}

// The caller's phone rings first; its app is asked when it is picked up, and then
// who is called is rung: outside by the call itself, within the account by the next
// of its chain, whose app is asked too.
func TestOriginate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		callee string
		script func(h *enginetest.House, id engine.ID, phone, callee *enginetest.Leg)
		told   []string
		causes []engine.Cause
	}{
		{"outside, the caller hangs up", outside.Value, func(_ *enginetest.House, _ engine.ID, phone, _ *enginetest.Leg) { phone.HangUp() },
			[]string{"incoming 0", "answered 0", "ended 0"},
			[]engine.Cause{engine.CauseNormal, engine.CauseForwarded, engine.CauseNormal}},
		{"outside, an API hangs up", outside.Value, func(h *enginetest.House, id engine.ID, _, _ *enginetest.Leg) {
			must(t, h.Engine.EndCall(id))
		}, []string{"incoming 0", "answered 0", "ended 0"},
			[]engine.Cause{engine.CauseNormal, engine.CauseForwarded, engine.CauseNormal}},
		{"within, the callee hangs up", "w1", func(_ *enginetest.House, _ engine.ID, _, callee *enginetest.Leg) { callee.HangUp() },
			[]string{"incoming 0", "incoming 2", "answered 2", "answered 0", "ended 2", "ended 0"},
			[]engine.Cause{engine.CauseNormal, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal}},
		{"within, an API hangs up", "w1", func(h *enginetest.House, id engine.ID, _, _ *enginetest.Leg) {
			must(t, h.Engine.EndCall(id))
		}, []string{"incoming 0", "incoming 2", "answered 2", "answered 0", "ended 0", "ended 2"},
			[]engine.Cause{engine.CauseNormal, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := apiHouse(t, nil)
				h.Target("phone w0", after(3*time.Second, answers))
				id, err := h.Engine.Originate(engine.Origination{Account: directory.DefaultAccount, Caller: ann, Callee: tt.callee, CallerID: number.Number})
				must(t, err)
				account, err := h.Engine.AccountOf(id)
				must(t, err)
				equal(t, "account", account, directory.DefaultAccount)
				time.Sleep(2 * time.Second)
				equal(t, "while the caller's phone rings", len(h.App.Asked())+len(h.Dialled()), 1)
				must(t, h.Engine.Mute(id, true)) // for when they talk
				time.Sleep(2 * time.Second)
				equal(t, "muted as soon as they talk", []bool{talk(t, h).Muted, talk(t, h).Participants[0].Muted}, []bool{true, true})
				all := h.Dialled()
				equal(t, "shown to the caller", all[0].Request.From.Kind == directory.KindNumber, true)
				equal(t, "shown to the callee", all[1].Request.From.Value, number.Number)
				equal(t, "the sound", h.Sound.Did()[len(h.Sound.Did())-2:], []string{"bridge " + name(all[0]) + " " + name(all[1]), "mute " + name(all[0])})
				must(t, h.Engine.Hold(id, true), h.Engine.Mute(id, true)) // by the id that the API knows
				synctest.Wait()
				shown := talk(t, h)
				equal(t, "the owner called", []bool{shown.Held, shown.Participants[0].Muted, shown.Participants[0].Owner}, []bool{true, true, true})
				tt.script(h, id, all[0].Leg, all[1].Leg)
				synctest.Wait()
				equal(t, "the app", pushes(h), tt.told)
				equal(t, "causes", ends(t, h), tt.causes)
				h.Close(t)
			})
		})
	}
}

// What is recorded of a call that an API began within the account is of the call by
// whose id it was asked for: the one that the API got, or the one that came in.
func TestOriginateRecorded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := apiHouse(t, func(c *engine.Config) { c.Notice = &media.Prompt{Name: "notice", ULaw: make([]byte, 8000)} })
		h.Target("phone w0", after(time.Second, answers))
		h.Target("phone w1", after(time.Second, answers))
		id, err := h.Engine.Originate(engine.Origination{Account: directory.DefaultAccount, Caller: ann, Callee: "w1"})
		must(t, err)
		must(t, h.Engine.RecordTalk(t.Context(), id, true, true)) // for when they talk
		time.Sleep(5 * time.Second)
		must(t, h.Engine.RecordTalk(t.Context(), id, false, true))
		came := h.Journal.Records()[2].ID
		for _, asked := range []engine.ID{id, came} {
			must(t, h.Engine.RecordTalk(t.Context(), asked, true, false))
			time.Sleep(time.Second)
			must(t, h.Engine.RecordTalk(t.Context(), asked, false, false))
		}
		must(t, h.Engine.EndCall(id))
		synctest.Wait()
		h.Close(t)
		of := map[engine.ID]int{}
		for _, tape := range h.Journal.Tapes() {
			of[tape.Call]++
		}
		equal(t, "recordings", of, map[engine.ID]int{id: 2, came: 1})
	})
}

// A call that an API began within the account lasts, by the id that the API got, until
// the last call is over in which its caller is.
func TestOriginateGoesOn(t *testing.T) {
	t.Parallel()
	isForwarded := []string{"incoming 0", "incoming 2", "ended 2", "incoming 4"}
	isTransferred := []string{"incoming 0", "incoming 2", "answered 2", "answered 0", "incoming 4"}
	for _, tt := range []struct {
		name       string
		bob, carol func(*enginetest.Leg)
		script     func(h *enginetest.House, id engine.ID)
		told       []string
		cause      engine.Cause
	}{
		{"forwarded, an API hangs up", isBusy, pickUp, func(h *enginetest.House, id engine.ID) { must(t, h.Engine.EndCall(id)) },
			append(slices.Clone(isForwarded), "answered 4", "answered 0", "ended 0", "ended 4"), engine.CauseNormal},
		{"forwarded, who is called hangs up", isBusy, pickUp, func(h *enginetest.House, _ engine.ID) { h.Dialled()[2].Leg.HangUp() },
			append(slices.Clone(isForwarded), "answered 4", "answered 0", "ended 4", "ended 0"), engine.CauseNormal},
		{"forwarded to who is busy", isBusy, isBusy, nil, append(slices.Clone(isForwarded), "ended 4", "ended 0"), engine.CauseBusy},
		{"forwarded, an API hangs up while it rings", isBusy, func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) },
			func(h *enginetest.House, id engine.ID) { must(t, h.Engine.EndCall(id)) },
			append(slices.Clone(isForwarded), "ended 0", "ended 4"), engine.CauseCancelled},
		{"transferred, an API hangs up", pickUp, pickUp, func(h *enginetest.House, id engine.ID) { must(t, h.Engine.EndCall(id)) },
			append(slices.Clone(isTransferred), "answered 4", "answered 0", "ended 2", "ended 0", "ended 4"), engine.CauseNormal},
		{"transferred, the caller hangs up", pickUp, pickUp, func(h *enginetest.House, _ engine.ID) { h.Dialled()[0].Leg.HangUp() },
			append(slices.Clone(isTransferred), "answered 4", "answered 0", "ended 2", "ended 4", "ended 0"), engine.CauseNormal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := apiHouse(t, func(c *engine.Config) {
					p := c.Dialects["phrase"].(*phrase)
					settings := p.settings
					p.settings = func(c engine.CallInfo) engine.Program {
						if to := c.Destination; to != nil && to.Value == bob.Value {
							return engine.Program{verbs.Deliver{Targets: []engine.Target{{Address: bob}}, Busy: &verbs.Rule{To: carol}}}
						}
						return settings(c)
					}
				})
				h.Target("phone w1", tt.bob)
				h.Target("phone w2", tt.carol)
				id, err := h.Engine.Originate(engine.Origination{Caller: ann, Callee: "w1"})
				must(t, err)
				synctest.Wait()
				if tt.told[2] != "ended 2" {
					h.Dialled()[1].Leg.Emit(engine.LegReferred{ID: 1, To: "w2"})
					synctest.Wait()
				}
				if len(h.Engine.Talks(directory.DefaultAccount)) > 0 {
					shown := talk(t, h)
					equal(t, "shown as", []engine.ID{shown.ID, shown.Participants[0].ID}, []engine.ID{id, id})
					equal(t, "the owner called", shown.Participants[0].Owner, true)
					must(t, h.Engine.Hold(id, true), h.Engine.Hold(id, false))
				}
				if tt.script != nil {
					tt.script(h, id)
				}
				synctest.Wait()
				equal(t, "living", h.Engine.Living(), 0)
				told := pushes(h)
				if len(told) == 10 {
					slices.Sort(told[6:8]) // of two calls, at once
				}
				equal(t, "the app", told, tt.told)
				causes := ends(t, h)
				equal(t, "the API's call", causes[0], tt.cause)
				equal(t, "the call to Bob", causes[2], engine.CauseForwarded)
				h.Close(t)
			})
		})
	}
}

// While it still rings who was called, an API sends the caller to somebody else. What
// it asked for later is done there: it knows the call by the same id.
func TestOriginateIsSentOn(t *testing.T) {
	t.Parallel()
	for _, to := range []directory.Address{carol, outside} {
		for _, byOwn := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				h := apiHouse(t, nil)
				h.Target("phone w1", func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) })
				id, err := h.Engine.Originate(engine.Origination{Caller: ann, Callee: "w1"})
				must(t, err)
				synctest.Wait()
				sent := h.Journal.Records()[2].ID
				if byOwn {
					sent = id
				}
				must(t, h.Engine.Mute(id, true))
				must(t, h.Engine.Transfer(sent, engine.TransferOrder{To: to.Value}))
				synctest.Wait()
				equal(t, "who rang", h.Dialled()[1].Leg.Did(), []string{"hangup forwarded"})
				equal(t, "the sound", since(h, len(h.Sound.Did())-2), []string{"bridge phone w0 " + name(h.Dialled()[2]), "mute phone w0"})
				equal(t, "shown as", talk(t, h).ID, id)
				equal(t, "muted", talk(t, h).Muted, true)
				must(t, h.Engine.Hangup(id, engine.CauseNormal))
				synctest.Wait()
				told := []string{"incoming 0", "incoming 2", "answered 2", "answered 0", "ended 0", "ended 2"}
				if to == carol {
					told = []string{"incoming 0", "incoming 2", "ended 2", "incoming 4", "answered 4", "answered 0", "ended 0", "ended 4"}
				}
				equal(t, "the app", pushes(h), told)
				equal(t, "living", h.Engine.Living(), 0)
				ends(t, h)
				h.Close(t)
			})
		}
	}
}

func name(d *enginetest.Dialled) string {
	if d.Request.Target.Contact != "" {
		return d.Request.Target.Contact
	}
	return d.Request.Target.Address.Value
}

// What ends a call that an API began before anybody talks.
func TestOriginateFails(t *testing.T) {
	t.Parallel()
	ringing := func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) }
	for _, tt := range []struct {
		name          string
		phone, callee func(*enginetest.Leg)
		script        func(h *enginetest.House, id engine.ID)
		told          []string
		causes        []engine.Cause
	}{
		{"the caller is busy", isBusy, pickUp, nil, nil, []engine.Cause{engine.CauseBusy, engine.CauseBusy}},
		{"the caller does not pick up", ringing, pickUp, nil, nil, []engine.Cause{engine.CauseNoAnswer, engine.CauseNoAnswer}},
		{"an API hangs up while the caller's phone rings", ringing, pickUp, func(h *enginetest.House, id engine.ID) {
			must(t, h.Engine.Hangup(id, engine.CauseNormal))
		}, nil, []engine.Cause{engine.CauseCancelled, engine.CauseCancelled}},
		{"the callee is busy", pickUp, isBusy, nil, []string{"incoming 0", "incoming 2", "ended 2", "ended 0"},
			[]engine.Cause{engine.CauseBusy, engine.CauseForwarded, engine.CauseBusy, engine.CauseBusy}},
		{"the caller hangs up while it rings", pickUp, ringing, func(h *enginetest.House, _ engine.ID) { h.Dialled()[0].Leg.HangUp() },
			[]string{"incoming 0", "incoming 2", "ended 0", "ended 2"},
			[]engine.Cause{engine.CauseCancelled, engine.CauseForwarded, engine.CauseCancelled, engine.CauseCancelled}},
		{"the caller hangs up as soon as it has picked up", func(l *enginetest.Leg) { pickUp(l); l.HangUp() }, ringing, nil, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := apiHouse(t, nil)
				h.Target("phone w0", tt.phone)
				h.Target("phone w1", tt.callee)
				id, err := h.Engine.Originate(engine.Origination{Caller: ann, Callee: "w1"})
				must(t, err)
				time.Sleep(5 * time.Second)
				if tt.script != nil {
					tt.script(h, id)
				}
				time.Sleep(2 * time.Minute)
				if n := h.Engine.Living(); n != 0 {
					t.Errorf("%d calls live", n)
				}
				causes := ends(t, h)
				if tt.causes != nil {
					equal(t, "causes", causes, tt.causes)
					equal(t, "the app", pushes(h), tt.told)
				}
				h.Close(t)
			})
		})
	}
}

// Whom an API may have call whom.
func TestOriginatePolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		order  engine.Origination
		reason string
	}{
		{engine.Origination{Caller: carol, Callee: "112"}, "is an emergency service"},
		{engine.Origination{Caller: carol, Callee: "+4940222"}, "limits.prefixes"},
		{engine.Origination{Caller: carol, Callee: "nobody"}, "is no user, group or number of the account"},
		{engine.Origination{Caller: carol, Callee: "w2"}, "would call itself"},
		{engine.Origination{Caller: carol, Callee: "w1", CallerID: "+4930999"}, "is no number of the account"},
		{engine.Origination{Caller: outside, Callee: "w1"}, "is no user of the account"},
		{engine.Origination{Caller: carol, Callee: "w1", Account: "other"}, "is no user of the account"},
	} {
		h := apiHouse(t, nil)
		if _, err := h.Engine.Originate(tt.order); !contains(err, tt.reason) {
			t.Errorf("%+v: %v, want %q", tt.order, err, tt.reason)
		}
		equal(t, "records", len(h.Journal.Records()), 0)
		h.Close(t)
	}
	synctest.Test(t, func(t *testing.T) {
		h := apiHouse(t, func(c *engine.Config) { c.Limits.Calls = 1 })
		_, err := h.Engine.Originate(engine.Origination{Caller: ann, Callee: "w1"})
		must(t, err)
		synctest.Wait()
		var limit *engine.LimitError
		if _, err := h.Engine.Originate(engine.Origination{Caller: carol, Callee: "w1"}); !errors.As(err, &limit) {
			t.Errorf("beyond limits.calls: %v", err)
		}
		h.Close(t)
		if _, err := h.Engine.Originate(engine.Origination{Caller: carol, Callee: "w1"}); err == nil {
			t.Error("a call was begun while the server stops")
		}
	})
}

// A program that an API has somebody hear.
func TestOriginateProgram(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := apiHouse(t, nil)
		h.Prompts["http://app/a.wav"] = 2 * time.Second
		_, err := h.Engine.Originate(engine.Origination{Caller: ann, Program: engine.Program{verbs.Play{URL: "http://app/a.wav"}}})
		must(t, err)
		time.Sleep(5 * time.Second)
		if did := h.Sound.Did(); !slices.Contains(did, "play phone w0 http://app/a.wav") || slices.Contains(did, "play phone w0 ringback") {
			t.Errorf("heard %v", did)
		}
		equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseNormal, engine.CauseForwarded})
		equal(t, "the phone", h.Dialled()[0].Leg.Did(), []string{"hangup normal"})
		equal(t, "the app", len(h.App.Asked()), 0)
		h.Close(t)
	})
}
