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
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs"
)

// What each command gives in each state of a call: done, or why not. What is
// refused changes nothing: the call goes on and ends as ever.
func TestCommandsInEveryState(t *testing.T) {
	t.Parallel()
	const file = "http://app/long.wav"
	rings := func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) }
	play := verbs.Play{URL: file}
	gone := engine.ErrNoCall
	noTalk, urgent := engine.ErrNoTalk, engine.ErrEmergency
	type want struct{ mute, hold, announce, digits, tape, blind, outside, attended, end error }
	// Before they talk, what is asked of the talk waits for that.
	before := want{attended: noTalk}
	for _, tt := range []struct {
		name    string
		program engine.Program
		bob     func(*enginetest.Leg)
		begin   func(*testing.T, *enginetest.House) engine.ID
		want    want
	}{
		{"the app is asked", nil, nil, func(t *testing.T, h *enginetest.House) engine.ID {
			h.App.Answer(func(r engine.Request) engine.Reply {
				time.Sleep(time.Minute)
				return engine.Reply{URL: r.URL, Status: 200}
			})
			return begun(t, h)
		}, before},
		{"early media of a Play", engine.Program{play}, nil, begun, before},
		{"Gather", engine.Program{verbs.Gather{OnData: "http://app/", MaxDigits: 3, Timeout: time.Minute}}, nil, begun, before},
		{"Dial rings", ring(bob), rings, begun, before},
		{"voicemail", engine.Program{act(func(_ context.Context, c *engine.Call) (engine.Next, error) { return engine.Next{}, c.AnswerAs(box) }), play}, nil, begun, want{noTalk, noTalk, noTalk, nil, noTalk, nil, nil, noTalk, nil}},
		{"talking", ring(bob), pickUp, begun, want{}},
		{"held", ring(bob), pickUp, func(t *testing.T, h *enginetest.House) engine.ID {
			id := begun(t, h)
			must(t, h.Engine.Hold(id, true))
			return id
		}, want{}},
		{"a transfer is under way", ring(bob), pickUp, func(t *testing.T, h *enginetest.House) engine.ID {
			id := begun(t, h)
			h.Target("phone w0", rings)
			must(t, blind(h, "w0"))
			synctest.Wait()
			return id
		}, want{blind: engine.ErrTransferring, outside: engine.ErrTransferring, attended: engine.ErrTransferring}},
		{"the call that is to have the party", ring(bob), pickUp, func(t *testing.T, h *enginetest.House) engine.ID {
			begun(t, h)
			h.Target("phone w0", rings)
			must(t, blind(h, "w0"))
			synctest.Wait()
			return h.Journal.Records()[2].ID
		}, want{blind: engine.ErrNoTransfer, outside: engine.ErrNoTransfer, attended: noTalk}},
		{"a target of another call", ring(bob), pickUp, func(t *testing.T, h *enginetest.House) engine.ID {
			begun(t, h)
			return h.Journal.Records()[1].ID
		}, want{gone, gone, gone, nil, gone, gone, gone, gone, nil}},
		{"an emergency", nil, nil, func(t *testing.T, h *enginetest.House) engine.ID {
			h.Target("112", pickUp)
			_, err := h.Arrive(engine.Arrival{To: directory.NumberAddress("112"), Account: directory.DefaultAccount, Caller: directory.User{ID: "w0", Account: directory.DefaultAccount}})
			must(t, err)
			synctest.Wait()
			return h.Journal.Records()[0].ID
		}, want{urgent, urgent, urgent, urgent, urgent, urgent, urgent, urgent, urgent}},
		{"over", ring(bob), pickUp, func(t *testing.T, h *enginetest.House) engine.ID {
			id := begun(t, h)
			must(t, h.Engine.Hangup(id, engine.CauseNormal))
			synctest.Wait()
			return id
		}, want{gone, gone, gone, gone, gone, gone, gone, gone, gone}},
		{"never", nil, nil, func(*testing.T, *enginetest.House) engine.ID { return engine.NewID() },
			want{gone, gone, gone, gone, gone, gone, gone, gone, gone}},
	} {
		for command, do := range map[string]struct {
			do   func(*engine.Engine, engine.ID) error
			want error
		}{
			"mute":     {func(e *engine.Engine, id engine.ID) error { return e.Mute(id, true) }, tt.want.mute},
			"hold":     {func(e *engine.Engine, id engine.ID) error { return e.Hold(id, true) }, tt.want.hold},
			"announce": {func(e *engine.Engine, id engine.ID) error { return e.Announce(t.Context(), id, file) }, tt.want.announce},
			"digits":   {func(e *engine.Engine, id engine.ID) error { return e.SendDigits(id, "1") }, tt.want.digits},
			"tape":     {func(e *engine.Engine, id engine.ID) error { return e.RecordTalk(t.Context(), id, true, true) }, tt.want.tape},
			"blind":    {func(e *engine.Engine, id engine.ID) error { return e.Transfer(id, engine.TransferOrder{To: "w2"}) }, tt.want.blind},
			"outside": {func(e *engine.Engine, id engine.ID) error {
				return e.Transfer(id, engine.TransferOrder{To: outside.Value})
			}, tt.want.outside},
			"attended": {func(e *engine.Engine, id engine.ID) error {
				return e.Transfer(id, engine.TransferOrder{To: "w2", Attended: true})
			}, tt.want.attended},
			"end": {(*engine.Engine).EndCall, tt.want.end},
		} {
			t.Run(tt.name+", "+command, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					h := plans(t, func(c *engine.Config) {
						c.Dialects["phrase"].(*phrase).settings = func(c engine.CallInfo) engine.Program {
							if c.Destination != nil {
								return ring(*c.Destination)
							}
							return ring(c.To)
						}
						c.Dialects[""] = c.Dialects["phrase"]
					}, tt.program)
					h.Prompts[file] = time.Hour
					if tt.bob != nil {
						h.Target("phone w1", tt.bob)
					}
					id := tt.begin(t, h)
					if err := do.do(h.Engine, id); !errors.Is(err, do.want) || do.want == nil && err != nil {
						t.Errorf("%v, want %v", err, do.want)
					}
					synctest.Wait()
					_ = h.Engine.Hangup(id, engine.CauseNormal)
					time.Sleep(2 * time.Minute)
					h.Close(t)
					ends(t, h)
				})
			})
		}
	}
}

// begun is a call that is where its program leads it.
func begun(t *testing.T, h *enginetest.House) engine.ID {
	h.Call(t, caller, called, number)
	synctest.Wait()
	return h.Journal.Records()[0].ID
}
