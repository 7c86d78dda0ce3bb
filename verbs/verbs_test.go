// SPDX-License-Identifier: MIT

package verbs_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/verbs"
	"github.com/callwright/callwright/verbs/builtin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recital is a dialect that answers with programs from a list and then with
// Hangup; it tells the app about answers and ends.
type recital struct{ programs []engine.Program }

func (r *recital) Request(c engine.CallInfo, why engine.Event) engine.Request {
	return engine.Request{Name: string(why.Kind) + " " + why.Data.Digits, Method: "POST", URL: "http://app/"}
}

func (r *recital) Parse(engine.CallInfo, engine.Event, engine.Reply) (engine.Document, []engine.Problem) {
	if len(r.programs) == 0 {
		return engine.Document{Program: engine.Program{verbs.Hangup{}}}, nil
	}
	p := r.programs[0]
	r.programs = r.programs[1:]
	return engine.Document{Program: p}, nil
}

func (r *recital) Default(c engine.CallInfo, _ engine.Event, _ engine.Missing) engine.Program {
	return builtin.Deliver(c)
}

func (r *recital) Notify(_ engine.CallInfo, e engine.Event) []engine.Request {
	if e.Kind == engine.EventRinging {
		return nil
	}
	name := string(e.Kind)
	if e.Data.Party != nil {
		name += " " + e.Data.Party.Value
	}
	if e.Data.Cause != "" {
		name += " " + string(e.Data.Cause)
	}
	return []engine.Request{{Name: name, Method: "POST", URL: "http://app/"}}
}

var (
	caller = directory.NumberAddress("+4930111")
	called = directory.NumberAddress("+4921112345")
)

const (
	berlin = "+493022222222"
	bonn   = "+492288888888"
)

// flow is one program on one call, and what must come of it.
type flow struct {
	name     string
	programs []engine.Program
	late     bool          // the app has early media switched off
	fetch    time.Duration // how long it takes to get a sound file
	users    []string
	targets  map[string]func(*enginetest.Leg)
	script   func(*enginetest.Leg)
	leg      []string // what was done to the caller's leg
	sound    []string // what the plane was told
	told     []string // what the app was asked and told
	dialled  []string // who was rung, as whom
}

// slow are sound files that take a while to be fetched.
type slow struct {
	engine.Prompts
	while time.Duration
}

func (s slow) Prompt(ctx context.Context, url string) (*media.Prompt, error) {
	time.Sleep(s.while)
	return s.Prompts.Prompt(ctx, url)
}

func (f flow) run(t *testing.T) {
	entries := directory.Entries{
		Apps: []directory.App{{Key: "app", Dialect: "recital", EarlyMedia: !f.late}},
		Users: []directory.User{
			{ID: "w0", Name: "Alice", Contact: "sip:alice@192.0.2.1"}, {ID: "w1", Name: "Bob", Contact: "sip:bob@192.0.2.2"},
		},
		Groups: []directory.Group{{ID: "g0", Users: []string{"w0", "w1"}}},
	}
	number := directory.Number{Number: called.Value, Account: directory.DefaultAccount, App: "app", Users: f.users}
	if len(f.users) > 0 {
		number.Groups = []string{"g0"}
	}
	dialect := &recital{programs: f.programs}
	ringback := &media.Prompt{Name: "ringback", ULaw: make([]byte, 160), ALaw: make([]byte, 160)}
	h := enginetest.New(t, entries, map[string]engine.Dialect{"recital": dialect, "": builtin.AccountSettings{}},
		func(c *engine.Config) { c.Ringback, c.Prompts = ringback, slow{c.Prompts, f.fetch} })
	h.Prompts["http://app/long.wav"] = 10 * time.Second
	h.Prompts["http://app/short.wav"] = time.Second
	h.Speaker["a long text"], h.Speaker["a text"] = 10*time.Second, time.Second
	for address, script := range f.targets {
		h.Target(address, script)
	}
	leg := h.Call(t, caller, called, number)
	synctest.Wait()
	if f.script != nil {
		f.script(leg)
	}
	time.Sleep(5 * time.Minute)
	synctest.Wait()
	var told, dialled []string
	for _, r := range h.App.Asked() {
		told = append(told, r.Name)
	}
	for _, d := range h.Dialled() {
		dialled = append(dialled, d.Request.Target.Address.Value+" as "+d.Request.From.String())
	}
	slices.Sort(dialled) // targets are rung side by side
	slices.Sort(f.dialled)
	for _, d := range []struct {
		what      string
		want, got []string
	}{
		{"the caller's leg", f.leg, leg.Did()}, {"sound", f.sound, h.Sound.Did()},
		{"the app was told", f.told, told}, {"dialled", f.dialled, dialled},
	} {
		if diff := cmp.Diff(d.want, d.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", d.what, diff)
		}
	}
	if n := h.Engine.Living(); n != 0 {
		t.Errorf("%d calls are left alive", n)
	}
	for _, r := range h.Journal.Records() {
		if n := len(h.Journal.Events(r.ID, engine.EventEnded)); n != 1 {
			t.Errorf("call to %s has %d terminal events, want 1", r.To, n)
		}
	}
	h.Close(t)
}

func runFlows(t *testing.T, flows []flow) {
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, f.run)
		})
	}
}

// How targets behave.

func picksUp(l *enginetest.Leg) { picksUpAfter(2 * time.Second)(l) }

func picksUpAfter(d time.Duration) func(*enginetest.Leg) {
	return func(l *enginetest.Leg) {
		l.Emit(engine.LegRinging{Status: 180})
		time.Sleep(d)
		l.Emit(engine.LegAnswered{})
	}
}

func talksFor(d time.Duration) func(*enginetest.Leg) {
	return func(l *enginetest.Leg) {
		picksUp(l)
		time.Sleep(d)
		l.HangUp()
	}
}

func refuses(status int) func(*enginetest.Leg) {
	return func(l *enginetest.Leg) { l.Refuse(status, false) }
}

func rings(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) }
