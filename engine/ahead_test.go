// SPDX-License-Identifier: MIT

package engine_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
)

// What an API asks of a conversation while somebody rings is done when they talk;
// what it takes back is not.
func TestAskedAhead(t *testing.T) {
	t.Parallel()
	const file = "http://app/hello.wav"
	for _, tt := range []struct {
		name string
		asks func(*testing.T, *engine.Engine, engine.ID) []error
		does []string // behind the bridge
		held bool
	}{
		{"nothing", func(*testing.T, *engine.Engine, engine.ID) []error { return nil }, nil, false},
		{"mute", func(_ *testing.T, e *engine.Engine, id engine.ID) []error { return []error{e.Mute(id, true)} }, []string{"mute phone w1"}, false},
		{"mute, and not", func(_ *testing.T, e *engine.Engine, id engine.ID) []error {
			return []error{e.Mute(id, true), e.Mute(id, false), e.Hold(id, true), e.Hold(id, false)}
		}, nil, false},
		{"hold", func(_ *testing.T, e *engine.Engine, id engine.ID) []error { return []error{e.Hold(id, true)} },
			[]string{"play caller silence", "play phone w1 silence"}, true},
		{"announce twice", func(t *testing.T, e *engine.Engine, id engine.ID) []error {
			return []error{e.Announce(t.Context(), id, file), e.Announce(t.Context(), id, file)}
		}, []string{"play caller " + file, "play phone w1 " + file, "play caller " + file, "play phone w1 " + file}, false},
		{"digits", func(_ *testing.T, e *engine.Engine, id engine.ID) []error {
			return []error{e.SendDigits(id, "1"), e.SendDigits(id, "2#")}
		}, []string{"digits caller 12#", "digits phone w1 12#"}, false},
		{"record", func(t *testing.T, e *engine.Engine, id engine.ID) []error {
			return []error{e.RecordTalk(t.Context(), id, true, false), e.RecordTalk(t.Context(), id, true, false)}
		}, []string{"record caller"}, false},
		{"record, announced", func(t *testing.T, e *engine.Engine, id engine.ID) []error {
			return []error{e.RecordTalk(t.Context(), id, true, true), e.RecordTalk(t.Context(), id, true, true)}
		}, []string{"play caller notice", "play phone w1 notice", "record caller"}, false},
		{"record, and not", func(t *testing.T, e *engine.Engine, id engine.ID) []error {
			return []error{e.RecordTalk(t.Context(), id, true, false), e.RecordTalk(t.Context(), id, false, false)}
		}, nil, false},
		{"record announced, and not", func(t *testing.T, e *engine.Engine, id engine.ID) []error {
			return []error{e.RecordTalk(t.Context(), id, true, true), e.RecordTalk(t.Context(), id, false, true)}
		}, nil, false},
		{"record, then announced", func(t *testing.T, e *engine.Engine, id engine.ID) []error {
			return []error{e.RecordTalk(t.Context(), id, true, false), e.RecordTalk(t.Context(), id, true, true)}
		}, []string{"play caller notice", "play phone w1 notice", "record caller"}, false},
		{"record announced, then not announced", func(t *testing.T, e *engine.Engine, id engine.ID) []error {
			return []error{e.RecordTalk(t.Context(), id, true, true), e.RecordTalk(t.Context(), id, true, false)}
		}, []string{"record caller"}, false},
		{"record announced, and not, and again", func(t *testing.T, e *engine.Engine, id engine.ID) (errs []error) {
			for i := range 11 {
				errs = append(errs, e.RecordTalk(t.Context(), id, i%2 == 0, true))
			}
			return errs
		}, []string{"play caller notice", "play phone w1 notice", "record caller"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := desks(t, func(c *engine.Config) { c.Notice = &media.Prompt{Name: "notice", ULaw: make([]byte, 160)} }, bob)
				h.Prompts[file] = time.Second
				h.Target("phone w1", after(3*time.Second, answers))
				in := h.Call(t, caller, called, number)
				time.Sleep(time.Second)
				must(t, tt.asks(t, h.Engine, h.Journal.Records()[0].ID)...)
				synctest.Wait()
				n := len(h.Sound.Did())
				equal(t, "before they talk", n, 0)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				did := since(h, n)
				equal(t, "bridged first", did[0], "bridge caller phone w1")
				got, want := append([]string{}, did[1:]...), append([]string{}, tt.does...)
				slices.Sort(got) // the two sides are two goroutines
				slices.Sort(want)
				equal(t, "then", got, want)
				equal(t, "on hold", talk(t, h).Held, tt.held)
				in.HangUp()
				synctest.Wait()
				h.Close(t)
			})
		})
	}
}

// What was asked of a call before it had an owner, or is too much, is refused or
// told, and disturbs nothing.
func TestAskedAheadInVain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const file = "http://app/hello.wav"
		h := desks(t, func(c *engine.Config) { c.Notice = &media.Prompt{Name: "notice"} }, outside)
		h.Prompts[file] = time.Second
		h.Target(outside.Value, after(3*time.Second, answers))
		h.Call(t, caller, called, number)
		time.Sleep(time.Second)
		id := h.Journal.Records()[0].ID
		must(t, h.Engine.Mute(id, true)) // who picks up is nobody of the account
		for range 4 {
			must(t, h.Engine.Announce(t.Context(), id, file))
		}
		must(t, h.Engine.RecordTalk(t.Context(), id, true, true), h.Engine.RecordTalk(t.Context(), id, true, true))
		equal(t, "a sixth announcement", errors.Is(h.Engine.Announce(t.Context(), id, file), engine.ErrAnnouncements), true)
		must(t, h.Engine.RecordTalk(t.Context(), id, false, true), h.Engine.Announce(t.Context(), id, file))
		equal(t, "a sixth for a recording", errors.Is(h.Engine.RecordTalk(t.Context(), id, true, true), engine.ErrAnnouncements), true)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		equal(t, "muted", talk(t, h).Muted, false)
		equal(t, "told why", slices.ContainsFunc(h.Journal.Events(id), func(e engine.Event) bool {
			return e.Text == "not muted: "+engine.ErrNoOwner.Error()
		}), true)
		must(t, h.Engine.EndCall(id))
		synctest.Wait()
		h.Close(t)
	})
}

// What was asked of a call that never came to a conversation is told as not done.
func TestAskedAheadOfNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const file = "http://app/hello.wav"
		h := desks(t, nil, bob)
		h.Prompts[file] = time.Second
		h.Target("phone w1", after(3*time.Second, isBusy))
		h.Call(t, caller, called, number)
		time.Sleep(time.Second)
		e, id := h.Engine, h.Journal.Records()[0].ID
		must(t, e.Mute(id, true), e.Mute(id, false), e.RecordTalk(t.Context(), id, true, false), e.Hold(id, true))
		must(t, e.Announce(t.Context(), id, file), e.SendDigits(id, "1"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		equal(t, "told", slices.ContainsFunc(h.Journal.Events(id), func(e engine.Event) bool {
			return e.Text == "not recorded, put on hold, announced, sent: they never talked"
		}), true)
		h.Close(t)
	})
}
