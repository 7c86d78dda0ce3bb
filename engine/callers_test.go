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

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/verbs"
	"github.com/callwright/callwright/verbs/builtin"
)

// office has users with phones, a group and numbers.
var office = directory.Entries{
	Apps: []directory.App{{Key: "app", Dialect: "phrase", IncomingURL: "http://app/", EarlyMedia: true}},
	Users: []directory.User{
		alice, {ID: "w1", Name: "Bob", Username: "bob"}, {ID: "w2", Name: "Eve"},
	},
	Groups:  []directory.Group{{ID: "g0", Users: []string{"w0", "w1"}}},
	Numbers: []directory.Number{{Number: "+4921112345", App: "app", Users: []string{"w1"}, Groups: []string{"g0"}}, {Number: "+4921199*", Users: []string{"w1"}}, {Number: "+4921188*"}, {Number: "*"}, {Number: "+49212", App: "app"}},
}

func TestCallOfAUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &phrase{programs: []engine.Program{{act(wait)}}}
		h := house(t, p)
		leg, err := h.Arrive(engine.Arrival{From: caller, To: directory.NumberAddress("+49301"), Caller: alice})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		leg.Cancel()
		synctest.Wait()
		r := h.Journal.Records()[0]
		if r.Direction != engine.Out || r.App != "app" || r.Caller != "w0" || r.Account != directory.DefaultAccount {
			t.Errorf("recorded as %s of app %q by %q in %q", r.Direction, r.App, r.Caller, r.Account)
		}
		if asked := h.App.Asked(); len(asked) == 0 || asked[0].Name != "incoming" {
			t.Errorf("the app was asked %v", asked)
		}
		h.Close(t)
	})
}

// A user is who it logged in as: the number that its phone shows counts for
// nothing, and to another account it is a caller from outside.
func TestUsersAsCallers(t *testing.T) {
	t.Parallel()
	e := directory.Entries{
		Accounts: []directory.Account{{ID: "acme"}},
		Users:    []directory.User{{ID: "w0", Account: "acme", Name: "Alice"}, {ID: "w0", Name: "Bob"}, {ID: "w1", Name: "Eve", CallerID: "0049 40 1"}},
		Numbers:  []directory.Number{{Number: "+49301", Account: "acme", Users: []string{"w0"}}, {Number: "+49402", Users: []string{"w0"}}},
	}
	for name, tt := range map[string]struct {
		caller directory.User
		from   directory.Address
		number directory.Number
		want   engine.Record
	}{
		"out": {
			directory.User{ID: "w0", Account: "acme", Name: "Alice"}, directory.NumberAddress("+1900"), directory.Number{},
			engine.Record{Direction: engine.Out, Account: "acme", Caller: "w0", From: directory.Address{Kind: directory.KindNumber, Value: "+49301", Name: "Alice"}},
		},
		"with a number of its own": {
			directory.User{ID: "w1", Account: "default", Name: "Eve", CallerID: "0049 40 1"}, directory.NumberAddress("+1900"), directory.Number{},
			engine.Record{Direction: engine.Out, Account: "default", Caller: "w1", From: directory.Address{Kind: directory.KindNumber, Value: "+49401", Name: "Eve"}},
		},
		"hidden": {
			directory.User{ID: "w0", Account: "acme"}, directory.Anonymous(), directory.Number{},
			engine.Record{Direction: engine.Out, Account: "acme", Caller: "w0", From: directory.Anonymous()},
		},
		"to a number of its account": {
			directory.User{ID: "w0", Account: "default", Name: "Bob"}, directory.Anonymous(), directory.Number{Number: "+49402", Account: "default"},
			engine.Record{Direction: engine.In, Account: "default", Number: "+49402", Caller: "w0", From: directory.Anonymous()},
		},
		"to a number of another account": {
			directory.User{ID: "w0", Account: "acme", Name: "Alice"}, directory.NumberAddress("+1900"), directory.Number{Number: "+49402", Account: "default"},
			engine.Record{Direction: engine.In, Account: "default", Number: "+49402", From: directory.Address{Kind: directory.KindNumber, Value: "+49301", Name: "Alice"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := enginetest.New(t, e, map[string]engine.Dialect{"": builtin.AccountSettings{}})
				account := tt.caller.Account
				if tt.number.Number != "" {
					account = tt.number.Account
				}
				_, err := h.Arrive(engine.Arrival{
					Account: account, From: tt.from, To: directory.NumberAddress("+49402"), Caller: tt.caller, Number: tt.number, Diversion: "+1900",
				})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				r := h.Journal.Records()[0]
				got := engine.Record{Direction: r.Direction, Account: r.Account, Number: r.Number, Caller: r.Caller, From: r.From}
				if diff := cmp.Diff(tt.want, got); diff != "" || r.Diversion != "" && tt.number.Number == "" {
					t.Errorf("recorded with diversion %q and (-want +got):\n%s", r.Diversion, diff)
				}
				h.Close(t)
			})
		})
	}
}

// Who is rung when nobody but the account settings says.
func TestPlaces(t *testing.T) {
	t.Parallel()
	user := func(id string) directory.Address { return directory.Address{Kind: directory.KindUser, Value: id} }
	for _, tt := range []struct {
		name   string
		to     directory.Address
		number directory.Number
		rung   []string
	}{
		{"a user with two phones", user("w1"), directory.Number{}, []string{"bob@desk", "bob@mobile"}},
		{"a user who is nowhere", user("w2"), directory.Number{}, []string{"w2"}},
		{"a group", directory.Address{Kind: directory.KindGroup, Value: "g0"}, directory.Number{}, []string{"bob@desk", "bob@mobile"}},
		{"a number of ours", directory.NumberAddress("+4921112345"), directory.Number{}, []string{"bob@desk", "bob@mobile"}},
		{"a number of somebody else", directory.NumberAddress("+49301"), directory.Number{}, []string{"+49301"}},
		{"a number of ours that rings nobody", directory.NumberAddress("+49212"), directory.Number{}, nil},
		{"a number under a pattern of ours", directory.NumberAddress("+49211991"), directory.Number{}, []string{"bob@desk", "bob@mobile"}},
		{"a number that rings nobody, under a pattern of ours", directory.NumberAddress("+49211881"), directory.Number{}, nil},
		{
			"a call from outside", called, directory.Number{Number: "+4921112345", Account: directory.DefaultAccount, Users: []string{"w1"}, Groups: []string{"g0"}},
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
					a.Caller = directory.User{ID: "w0", Account: directory.DefaultAccount}
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
				h.Call(t, caller, called, directory.Number{Number: "+4921112345", Account: directory.DefaultAccount, Groups: []string{"g0"}})
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
		fails("more digits than may wait for sound", h.Engine.SendDigits(id, strings.Repeat("1", 65)), engine.ErrKeys)
		fails("pause what does not run", h.Engine.PauseRecording(id, true), engine.ErrNotRecording)
		fails("stop what does not run", h.Engine.StopRecording(id), engine.ErrNotRecording)

		fails("answer", h.Engine.Run(id, engine.Program{act(openSound)}), nil)
		synctest.Wait()
		path, err := h.Engine.Record(id, media.RecordStereo)
		fails("record", err, nil)
		first := path
		if want := "tapes/call-" + id.String(); !strings.HasPrefix(first, want) {
			t.Errorf("recorded into %q, want %q and so on", first, want)
		}
		_, err = h.Engine.Record(id, media.RecordSaid)
		fails("record twice", err, engine.ErrRecording)
		fails("pause", h.Engine.PauseRecording(id, true), nil)
		fails("resume", h.Engine.PauseRecording(id, false), nil)
		fails("stop", h.Engine.StopRecording(id), nil)
		path, err = h.Engine.Record(id, media.RecordSaid)
		fails("record again", err, nil)
		if path == first {
			t.Errorf("recorded into %q again", path)
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
		for _, e := range h.Journal.Events(id, engine.EventRecording, engine.EventRecorded) {
			texts = append(texts, e.Text)
		}
		if diff := cmp.Diff([]string{
			"recording into " + first, "recording pauses", "recording goes on",
			"recording into " + path, "recorded 1.0 s", "recorded 1.0 s",
		}, texts); diff != "" {
			t.Errorf("the timeline says (-want +got):\n%s", diff)
		}
		h.Close(t)
	})
}

// Whoever gives a command gets an answer, whatever becomes of the call.
func TestCommandsAreAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &phrase{programs: []engine.Program{{act(wait)}}}
		h := house(t, p)
		leg := h.Call(t, caller, called, number)
		leg.KeepSilent()
		synctest.Wait()
		id := h.Journal.Records()[0].ID
		if err := h.Engine.Hangup(id, engine.CauseNormal); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the call waits for its leg
		if err := h.Engine.SendDigits(id, "1"); !errors.Is(err, engine.ErrNoCall) {
			t.Errorf("a call that is ending: %v", err)
		}
		leg.End(engine.LegEnded{Cause: engine.CauseNormal})
		synctest.Wait()
		if err := h.Engine.SendDigits(id, "1"); !errors.Is(err, engine.ErrNoCall) {
			t.Errorf("a call that has ended: %v", err)
		}
		h.Close(t)
	})
}

// While the server drains, a call that lives may still ring somebody.
func TestDrainingCallsGoOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &phrase{programs: []engine.Program{{
			act(func(context.Context, *engine.Call) (engine.Next, error) {
				time.Sleep(time.Minute)
				return engine.Continue(), nil
			}),
			verbs.Dial{Targets: []engine.Target{{Address: directory.NumberAddress("+49301")}}},
		}}}
		h := house(t, p)
		h.Target("+49301", func(l *enginetest.Leg) { l.Emit(engine.LegAnswered{}); time.Sleep(time.Minute); l.HangUp() })
		h.Call(t, caller, called, number)
		synctest.Wait()
		h.Engine.Shutdown(t.Context(), time.Minute)
		if got := ends(t, h); !slices.Equal(got, []engine.Cause{engine.CauseNormal, engine.CauseNormal}) {
			t.Errorf("causes %v, want two normal ends", got)
		}
	})
}
