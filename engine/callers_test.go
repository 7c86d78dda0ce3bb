// SPDX-License-Identifier: MIT

package engine_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/verbs/builtin"
)

// office has users with phones, a group and numbers.
var office = engine.Entries{
	Apps: []engine.App{{Key: "app", Dialect: "phrase", IncomingURL: "http://app/", EarlyMedia: true}},
	Users: []engine.User{
		alice, {ID: "w1", Name: "Bob", Username: "bob"}, {ID: "w2", Name: "Eve"},
	},
	Groups:  []engine.Group{{ID: "g0", Users: []string{"w0", "w1"}}},
	Numbers: []engine.Number{{Number: "+4921112345", App: "app", Users: []string{"w1"}, Groups: []string{"g0"}}, {Number: "+4921199*"}},
}

func TestCallOfAUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &phrase{programs: []engine.Program{{act(wait)}}}
		h := house(t, p)
		leg, err := h.Arrive(engine.Arrival{From: caller, To: engine.NumberAddress("+49301"), Caller: alice})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		leg.Cancel()
		synctest.Wait()
		r := h.Journal.Records()[0]
		if r.Direction != engine.Out || r.App != "app" || r.Caller != "w0" || r.Account != engine.DefaultAccount {
			t.Errorf("recorded as %s of app %q by %q in %q", r.Direction, r.App, r.Caller, r.Account)
		}
		if asked := h.App.Asked(); len(asked) == 0 || asked[0].Name != "incoming" {
			t.Errorf("the app was asked %v", asked)
		}
		h.Close(t)
	})
}

// Who is rung when nobody but the account settings says.
func TestPlaces(t *testing.T) {
	t.Parallel()
	user := func(id string) engine.Address { return engine.Address{Kind: engine.KindUser, Value: id} }
	for _, tt := range []struct {
		name   string
		to     engine.Address
		number engine.Number
		rung   []string
	}{
		{"a user with two phones", user("w1"), engine.Number{}, []string{"bob@desk", "bob@mobile"}},
		{"a user who is nowhere", user("w2"), engine.Number{}, []string{"w2"}},
		{"a group", engine.Address{Kind: engine.KindGroup, Value: "g0"}, engine.Number{}, []string{"alice@desk", "bob@desk", "bob@mobile"}},
		{"a number of ours", engine.NumberAddress("+4921112345"), engine.Number{}, []string{"alice@desk", "bob@desk", "bob@mobile"}},
		{"a number of somebody else", engine.NumberAddress("+49301"), engine.Number{}, []string{"+49301"}},
		{"a number under a pattern of ours", engine.NumberAddress("+49211991"), engine.Number{}, []string{"+49211991"}},
		{
			"a call from outside", called, engine.Number{Number: "+4921112345", Account: engine.DefaultAccount, Users: []string{"w1"}, Groups: []string{"g0"}},
			[]string{"alice@desk", "bob@desk", "bob@mobile"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := enginetest.New(t, office, map[string]engine.Dialect{"": builtin.AccountSettings{}, "phrase": &phrase{}})
				h.Phones["w0"], h.Phones["w1"] = []string{"alice@desk"}, []string{"bob@desk", "bob@mobile"}
				for _, place := range tt.rung {
					h.Target(place, func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) })
				}
				a := engine.Arrival{From: caller, To: tt.to, Number: tt.number}
				if tt.number.Number == "" {
					a.Caller = engine.User{ID: "w0", Account: engine.DefaultAccount}
				}
				leg, err := h.Arrive(a)
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				var rung []string
				for _, d := range h.Dialled() {
					if d.Request.Target.Contact != "" {
						rung = append(rung, d.Request.Target.Contact)
					} else {
						rung = append(rung, d.Request.Target.Address.Value)
					}
				}
				slices.Sort(rung)
				if diff := cmp.Diff(tt.rung, rung); diff != "" {
					t.Errorf("rung (-want +got):\n%s", diff)
				}
				leg.Cancel()
				time.Sleep(3 * time.Second)
				h.Close(t)
			})
		})
	}
}

// The outcomes of account settings: what the caller is told when nobody picks
// up, and that the first who does gets the call.
func TestAccountSettings(t *testing.T) {
	t.Parallel()
	busy := func(l *enginetest.Leg) { l.Refuse(486, false) }
	rejects := func(l *enginetest.Leg) { l.Refuse(603, true) }
	missing := func(l *enginetest.Leg) { l.Refuse(480, false) }
	rings := func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) }
	answers := func(l *enginetest.Leg) {
		rings(l)
		time.Sleep(time.Second)
		l.Emit(engine.LegAnswered{})
		time.Sleep(time.Minute)
		l.HangUp()
	}
	for _, tt := range []struct {
		name   string
		phones map[string]func(*enginetest.Leg) // by contact, "w0…" or "w1…"
		cause  engine.Cause
	}{
		{"nobody is registered", nil, engine.CauseOffline},
		{"one is busy, one is nowhere", map[string]func(*enginetest.Leg){"w1@a": busy}, engine.CauseBusy},
		{"all are busy", map[string]func(*enginetest.Leg){"w0@a": busy, "w1@a": busy}, engine.CauseBusy},
		{"one is busy, one does not answer", map[string]func(*enginetest.Leg){"w0@a": busy, "w1@a": rings}, engine.CauseBusy},
		{"nobody answers", map[string]func(*enginetest.Leg){"w0@a": rings, "w1@a": rings}, engine.CauseNoAnswer},
		{"one rejects, one does not answer", map[string]func(*enginetest.Leg){"w0@a": rejects, "w1@a": rings}, engine.CauseRejected},
		{"the phone is gone", map[string]func(*enginetest.Leg){"w0@a": missing}, engine.CauseOffline},
		{"one of two phones of a user answers", map[string]func(*enginetest.Leg){"w0@a": rings, "w0@b": answers, "w1@a": busy}, engine.CauseNormal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := enginetest.New(t, office, map[string]engine.Dialect{"": builtin.AccountSettings{}, "phrase": &phrase{}})
				for _, id := range []string{"w0", "w1"} { // who is nowhere is left to the Dialer, which says so
					h.Target(id, missing)
				}
				for contact, script := range tt.phones {
					h.Phones[contact[:2]] = append(h.Phones[contact[:2]], contact)
					h.Target(contact, script)
				}
				h.Call(t, caller, called, engine.Number{Number: "+4921112345", Account: engine.DefaultAccount, Groups: []string{"g0"}})
				time.Sleep(3 * time.Minute)
				synctest.Wait()
				if got := ends(t, h)[0]; got != tt.cause {
					t.Errorf("the call ended with %s, want %s", got, tt.cause)
				}
				h.Close(t)
			})
		})
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &phrase{programs: []engine.Program{{act(wait)}}}
		h := house(t, p, func(c *engine.Config) { c.Recordings = "tapes" })
		leg := h.Call(t, caller, called, number)
		synctest.Wait()
		id := h.Journal.Records()[0].ID
		fails := func(what string, err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		_, err := h.Engine.Record(id, media.RecordSaid)
		fails("record before there is sound", err, engine.ErrNoSound)
		fails("digits before there is sound", h.Engine.SendDigits(id, "1"), engine.ErrNoSound)
		fails("pause what does not run", h.Engine.PauseRecording(id, true), engine.ErrNotRecording)
		fails("stop what does not run", h.Engine.StopRecording(id), engine.ErrNotRecording)

		fails("answer", h.Engine.Run(id, engine.Program{act(openSound)}), nil)
		synctest.Wait()
		path, err := h.Engine.Record(id, media.RecordStereo)
		fails("record", err, nil)
		if want := "tapes/" + id.String() + "-1.wav"; path != want {
			t.Errorf("recorded into %q, want %q", path, want)
		}
		_, err = h.Engine.Record(id, media.RecordSaid)
		fails("record twice", err, engine.ErrRecording)
		fails("pause", h.Engine.PauseRecording(id, true), nil)
		fails("resume", h.Engine.PauseRecording(id, false), nil)
		fails("stop", h.Engine.StopRecording(id), nil)
		synctest.Wait()
		path, err = h.Engine.Record(id, media.RecordSaid)
		fails("record again", err, nil)
		if want := "tapes/" + id.String() + "-2.wav"; path != want {
			t.Errorf("recorded into %q, want %q", path, want)
		}
		fails("digits", h.Engine.SendDigits(id, "42#"), nil)
		leg.Cancel()
		synctest.Wait()
		fails("record a call that is gone", h.Engine.StopRecording(id), engine.ErrNoCall)
		if diff := cmp.Diff([]string{
			"record caller", "pause caller", "resume caller", "stop recording caller", "record caller", "digits caller 42#",
		}, h.Sound.Did()); diff != "" {
			t.Errorf("the plane was told (-want +got):\n%s", diff)
		}
		var texts []string
		for _, e := range h.Journal.Events(id, engine.EventRecording) {
			texts = append(texts, e.Text)
		}
		if diff := cmp.Diff([]string{
			"recording into tapes/" + id.String() + "-1.wav", "recording pauses", "recording goes on", "recorded 1.0 s",
			"recording into tapes/" + id.String() + "-2.wav",
		}, texts); diff != "" {
			t.Errorf("the timeline says (-want +got):\n%s", diff)
		}
		h.Close(t)
	})
}
