// SPDX-License-Identifier: MIT

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
)

// talk is the one conversation that goes on.
func talk(t *testing.T, h *enginetest.House) engine.Talk {
	t.Helper()
	talks := h.Engine.Talks(directory.DefaultAccount)
	if len(talks) != 1 {
		t.Fatalf("%d conversations go on, want 1", len(talks))
	}
	return talks[0]
}

// since is what was done with the sound after so many acts.
func since(h *enginetest.House, n int) []string { return h.Sound.Did()[n:] }

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

// The owner is who picked up a call that came in, and the user who called out; a
// call that goes on outside has none.
func TestOwner(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		target  directory.Address
		arrival engine.Arrival
		owner   string // who is muted
	}{
		{"a call that came in", bob, engine.Arrival{From: caller, To: called, Number: number}, "phone w1"},
		{"a call of a user to a number of ours", bob,
			engine.Arrival{From: caller, To: called, Number: number, Caller: directory.User{ID: "w0", Account: directory.DefaultAccount}}, "phone w1"},
		{"a call of a user to outside", outside, engine.Arrival{To: outside, Caller: directory.User{ID: "w0", Account: directory.DefaultAccount, App: "app"}}, "caller"},
		{"a call of a user to another", bob, engine.Arrival{To: bob, Caller: directory.User{ID: "w0", Account: directory.DefaultAccount, App: "app"}}, "caller"},
		{"a call that came in and was sent outside", outside, engine.Arrival{From: caller, To: called, Number: number}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := desks(t, nil, tt.target)
				tt.arrival.Account = directory.DefaultAccount
				if _, err := h.Arrive(tt.arrival); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				n := len(h.Sound.Did())
				id := talk(t, h).ID
				err := h.Engine.Mute(id, true)
				synctest.Wait()
				if tt.owner == "" {
					if !errors.Is(err, engine.ErrNoOwner) || len(since(h, n)) > 0 || talk(t, h).Muted {
						t.Errorf("muted nobody: %v, %v", err, since(h, n))
					}
					h.Close(t)
					return
				}
				must(t, err)
				equal(t, "muted", since(h, n), []string{"mute " + tt.owner})
				shown := talk(t, h)
				owners := 0
				for i, p := range shown.Participants {
					if p.Owner != p.Muted || p.Owner && (i == 0) != (tt.owner == "caller") {
						t.Errorf("participant %d: %+v", i, p)
					}
					if p.Owner {
						owners++
					}
				}
				if owners != 1 || !shown.Muted {
					t.Errorf("shown as %+v", shown)
				}
				must(t, h.Engine.Mute(id, false))
				synctest.Wait()
				equal(t, "heard again", since(h, n+1), []string{"unmute " + tt.owner})
				if talk(t, h).Muted {
					t.Error("still shown as muted")
				}
				h.Close(t)
			})
		})
	}
}

// What is shown of a conversation, from the first ring to the end.
func TestTalks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, bob)
		h.Target("phone w1", func(l *enginetest.Leg) {
			l.Emit(engine.LegRinging{Status: 180})
			time.Sleep(time.Second)
			l.Emit(engine.LegAnswered{})
		})
		in := h.Call(t, caller, called, number)
		synctest.Wait()
		records := h.Journal.Records()
		id, child := records[0].ID, records[1].ID
		equal(t, "while it rings", h.Engine.Talks(directory.DefaultAccount), []engine.Talk{})
		time.Sleep(time.Second)
		synctest.Wait()
		equal(t, "talks", h.Engine.Talks(directory.DefaultAccount), []engine.Talk{{ID: id, Participants: []engine.Participant{
			{ID: id, Address: caller},
			{ID: child, Address: directory.Address{Kind: directory.KindNumber, Value: "+492111", Name: "Bob"}, Owner: true},
		}}})
		equal(t, "talks of another account", h.Engine.Talks("other"), []engine.Talk{})
		for id, want := range map[engine.ID]string{id: directory.DefaultAccount, child: "", engine.NewID(): ""} {
			account, err := h.Engine.AccountOf(id)
			if account != want || (err == nil) != (want != "") {
				t.Errorf("the account of %s is %q, %v; want %q", id, account, err, want)
			}
		}
		in.HangUp()
		synctest.Wait()
		equal(t, "after the end", h.Engine.Talks(directory.DefaultAccount), []engine.Talk{})
		if _, err := h.Engine.AccountOf(id); !errors.Is(err, engine.ErrNoCall) {
			t.Errorf("the account of a call that is over: %v", err)
		}
		h.Close(t)
	})
}

// Who is on hold hears the tone, and keys stay where they were pressed. What is
// announced is heard by both and leaves them on hold; a new other side is on no
// hold.
func TestHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, func(c *engine.Config) { c.HoldTone = &media.Prompt{Name: "hold"} }, bob)
		h.Prompts["http://app/a.wav"] = 2 * time.Second
		in, out := callIn(t, h)
		id := talk(t, h).ID
		n := len(h.Sound.Did())
		must(t, h.Engine.Hold(id, true), h.Engine.Hold(id, true))
		in.Press("1")
		out.Press("2")
		synctest.Wait()
		if got := talk(t, h); !got.Held || !got.Participants[0].Held || !got.Participants[1].Held {
			t.Errorf("shown as %+v", got)
		}
		must(t, h.Engine.Announce(t.Context(), id, "http://app/a.wav"))
		synctest.Wait()
		did := since(h, n)
		slices.Sort(did[:2])
		equal(t, "on hold", did, []string{"play caller hold", "play phone w1 hold", "play caller http://app/a.wav", "play phone w1 http://app/a.wav"})
		n += 4
		time.Sleep(3 * time.Second)
		synctest.Wait()
		did = since(h, n)
		slices.Sort(did)
		equal(t, "after the announcement", did, []string{"play caller hold", "play phone w1 hold"})
		must(t, h.Engine.Hold(id, false))
		in.Press("3")
		synctest.Wait()
		did = since(h, n+2)
		slices.Sort(did)
		equal(t, "together again", did, []string{"digits phone w1 3", "stop caller", "stop phone w1"})

		must(t, h.Engine.Hold(id, true), h.Engine.Mute(id, true))
		synctest.Wait()
		n = len(h.Sound.Did())
		out.Emit(engine.LegReferred{ID: 7, To: "w2", Asked: "sip:w2@us"})
		synctest.Wait()
		if got := talk(t, h); got.Held || got.Muted {
			t.Errorf("the new conversation is %+v", got)
		}
		if did := since(h, n); !slices.Contains(did, "stop caller") || !slices.Contains(did, "bridge caller phone w2") {
			t.Errorf("the caller was left on hold: %v", did)
		}
		h.Close(t)
	})
}

// Announcements are heard by all, one after the other, and the call goes on.
func TestAnnounce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, bob)
		for i := range 7 {
			h.Prompts[fmt.Sprint(i)] = time.Second
		}
		in, _ := callIn(t, h)
		id := talk(t, h).ID
		n := len(h.Sound.Did())
		var bad *engine.SoundError
		if err := h.Engine.Announce(t.Context(), id, "none"); !errors.As(err, &bad) || !strings.Contains(err.Error(), "no sound file") {
			t.Errorf("a file that is not there: %v", err)
		}
		for i := range 5 {
			must(t, h.Engine.Announce(t.Context(), id, fmt.Sprint(i)))
		}
		if err := h.Engine.Announce(t.Context(), id, "5"); !errors.Is(err, engine.ErrAnnouncements) {
			t.Errorf("too many: %v", err)
		}
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		equal(t, "heard", since(h, n), []string{
			"play caller 0", "play phone w1 0", "play caller 1", "play phone w1 1", "play caller 2", "play phone w1 2",
		})
		in.HangUp() // in the middle of one
		synctest.Wait()
		equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseNormal, engine.CauseNormal})
		if err := h.Engine.Announce(t.Context(), id, "5"); !errors.Is(err, engine.ErrNoCall) {
			t.Errorf("a call that is over: %v", err)
		}
		h.Close(t)
	})
}

// slow is sound that takes until wait is closed to come.
type slow struct {
	wait    chan struct{}
	fetches atomic.Int32
}

func (s *slow) Prompt(ctx context.Context, url string) (*media.Prompt, error) {
	s.fetches.Add(1)
	select {
	case <-s.wait:
		return enginetest.Prompts{url: time.Second}.Prompt(ctx, url)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// For one conversation no more is fetched than can wait to be heard in it, and
// whoever does not wait for his file leaves his place to another.
func TestAnnouncementsFetched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sound := &slow{wait: make(chan struct{})}
		h := desks(t, func(c *engine.Config) { c.Prompts = sound }, bob)
		callIn(t, h)
		id := talk(t, h).ID
		answers := make(chan error, 40)
		impatient, leave := context.WithCancel(t.Context())
		for i := range 40 {
			go func() { answers <- h.Engine.Announce(impatient, id, fmt.Sprint(i)) }()
		}
		synctest.Wait()
		if got := sound.fetches.Load(); got != 5 || len(answers) != 35 {
			t.Errorf("%d files are fetched and %d were refused, want 5 and 35", got, len(answers))
		}
		for range len(answers) {
			if err := <-answers; !errors.Is(err, engine.ErrAnnouncements) {
				t.Errorf("refused with %v", err)
			}
		}
		leave()
		synctest.Wait()
		close(sound.wait)
		for i := range 5 {
			must(t, h.Engine.Announce(t.Context(), id, fmt.Sprint(i)))
		}
		if err := h.Engine.Announce(t.Context(), id, "5"); !errors.Is(err, engine.ErrAnnouncements) {
			t.Errorf("one too many: %v", err)
		}
		h.Close(t)
	})
}

// All hear that they are recorded before they are.
func TestRecordTalk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, func(c *engine.Config) {
			c.Notice = &media.Prompt{Name: "notice", ULaw: make([]byte, 8000), ALaw: make([]byte, 8000)}
		}, bob)
		callIn(t, h)
		id := talk(t, h).ID
		n := len(h.Sound.Did())
		record := func(on, announced bool) { must(t, h.Engine.RecordTalk(t.Context(), id, on, announced)) }
		record(false, true)
		record(true, true)
		record(true, true)
		record(false, true) // before it began
		time.Sleep(2 * time.Second)
		synctest.Wait()
		did := since(h, n)
		slices.Sort(did) // the two sides are two goroutines
		equal(t, "taken back", did, []string{"play caller notice", "play phone w1 notice", "stop caller", "stop phone w1"})
		n += 2
		record(true, true)
		synctest.Wait()
		if talk(t, h).Recording {
			t.Error("recorded before it was heard of")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !talk(t, h).Recording {
			t.Error("not shown as recorded")
		}
		record(true, false)
		record(false, false)
		if talk(t, h).Recording {
			t.Error("still shown as recorded")
		}
		record(true, false) // before the file of the first is complete
		time.Sleep(2 * time.Second)
		if !talk(t, h).Recording {
			t.Error("the second recording is not shown")
		}
		equal(t, "recorded", since(h, n+2), []string{"play caller notice", "play phone w1 notice", "record caller", "stop recording caller", "record caller"})
		h.Close(t)
		equal(t, "kept", len(h.Journal.Tapes()), 2)
	})
}

// The last order to record wins while a notice waits to be heard: nobody hears that
// he is recorded who is not, nor twice, and what else is announced is heard.
func TestRecordTalkAgain(t *testing.T) {
	t.Parallel()
	type order struct{ on, announced bool }
	for _, tt := range []struct {
		name   string
		orders []order
		does   []string // of the caller's side, behind the first announcement
	}{
		{"announced", []order{{true, true}}, []string{"play caller notice", "record caller", "play caller 1"}},
		{"taken back", []order{{true, true}, {false, true}}, []string{"play caller 1"}},
		{"taken back, and asked again", []order{{true, true}, {false, true}, {true, true}},
			[]string{"play caller notice", "record caller", "play caller 1"}},
		{"then silent", []order{{true, true}, {true, false}}, []string{"record caller", "play caller 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := desks(t, func(c *engine.Config) { c.Notice = &media.Prompt{Name: "notice", ULaw: make([]byte, 8000)} }, bob)
				h.Prompts["0"], h.Prompts["1"] = time.Second, time.Second
				callIn(t, h)
				id := talk(t, h).ID
				must(t, h.Engine.Announce(t.Context(), id, "0"))
				synctest.Wait()
				n := len(h.Sound.Did())
				for _, o := range tt.orders {
					must(t, h.Engine.RecordTalk(t.Context(), id, o.on, o.announced))
				}
				must(t, h.Engine.Announce(t.Context(), id, "1"))
				time.Sleep(5 * time.Second)
				synctest.Wait()
				did := slices.DeleteFunc(since(h, n), func(s string) bool { return strings.Contains(s, "w1") })
				equal(t, "then", did, tt.does)
				h.Close(t)
			})
		})
	}
}

// Where text can be spoken, that they are recorded is said in the owner's language.
func TestRecordTalkSpeaks(t *testing.T) {
	t.Parallel()
	for language, heard := range map[string]string{"de-AT": "speech:de-AT", "hu": "speech:en-US", "fr": "notice"} {
		synctest.Test(t, func(t *testing.T) {
			h := desks(t, func(c *engine.Config) {
				c.Language, c.Notice = language, &media.Prompt{Name: "notice"}
			}, bob)
			h.Speaker["Dieses Gespräch wird aufgezeichnet."] = time.Second
			h.Speaker["This call is being recorded."] = time.Second
			callIn(t, h)
			must(t, h.Engine.RecordTalk(t.Context(), talk(t, h).ID, true, true))
			synctest.Wait()
			if !slices.Contains(h.Sound.Did(), "play caller "+heard) {
				t.Errorf("%s: heard %v, want %s", language, h.Sound.Did(), heard)
			}
			h.Close(t)
		})
	}
}

// Keys that an API sends are heard by both.
func TestDigitsToAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, bob)
		callIn(t, h)
		must(t, h.Engine.SendDigits(talk(t, h).ID, "1A#"))
		synctest.Wait()
		equal(t, "keys", keysHeard(h), []string{"digits caller 1A#", "digits phone w1 1A#"})
		h.Close(t)
	})
}

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }
