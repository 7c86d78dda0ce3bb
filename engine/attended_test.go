// SPDX-License-Identifier: MIT

package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/media"
)

func attended(h *enginetest.House, to string) error {
	return h.Engine.Transfer(h.Journal.Records()[0].ID, engine.TransferOrder{To: to, Attended: true})
}

// The owner talks with somebody before the other side does; what each of the three
// hears, to whom keys go, and how it may end. X calls in and the owner is the user
// who picked up, or the owner is a user who called out.
func TestAttendedByAPI(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		third  func(*enginetest.Leg)
		script func(x, o, third *enginetest.Leg)
		// sound is what happened after the first five seconds, in which it rings for
		// three; X, O and T stand for the legs.
		sound []string
		// talks is whether X talks on, and with whom.
		with string
	}{
		{"the owner hangs up", after(3*time.Second, answers), func(_, o, _ *enginetest.Leg) { o.HangUp() }, []string{"stop X", "bridge X T"}, "T"},
		{"the third hangs up", after(3*time.Second, answers), func(_, _, third *enginetest.Leg) { third.HangUp() }, []string{"stop X", "bridge O X"}, "O"},
		{"the other side hangs up", after(3*time.Second, answers), func(x, _, _ *enginetest.Leg) { x.HangUp() }, nil, ""},
		{"the third refuses", after(5*time.Second, isBusy), func(_, _, _ *enginetest.Leg) { time.Sleep(time.Second) }, []string{"stop X", "stop O", "bridge O X"}, "O"},
		{"the owner hangs up while it rings", after(7*time.Second, answers), func(_, o, _ *enginetest.Leg) { o.HangUp(); time.Sleep(5 * time.Second) },
			[]string{"stop X", "play X ringback", "stop X", "bridge X T"}, "T"},
	} {
		for _, out := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					target := bob
					if out {
						target = outside
					}
					h := desks(t, func(c *engine.Config) {
						c.Ringback, c.HoldTone = &media.Prompt{Name: "ringback"}, &media.Prompt{Name: "hold"}
					}, target)
					h.Target("phone w2", tt.third)
					arrival := engine.Arrival{From: caller, To: called, Number: number, Account: directory.DefaultAccount}
					if out {
						arrival = engine.Arrival{To: outside, Account: directory.DefaultAccount, Caller: directory.User{ID: "w0", Account: directory.DefaultAccount, App: "app"}}
					}
					first, err := h.Arrive(arrival)
					must(t, err)
					synctest.Wait()
					second := h.Dialled()[0].Leg
					x, o := first, second
					legs := map[string]string{"X": "caller", "O": "phone w1", "T": "phone w2"}
					if out {
						x, o = second, first
						legs["X"], legs["O"] = outside.Value, "caller"
					}
					named := func(did []string) []string { return rename(did, legs) }
					n := len(h.Sound.Did())
					must(t, attended(h, "w2"))
					time.Sleep(time.Second)
					equal(t, "while it rings", named(since(h, n)), []string{"play X hold", "play O ringback"})
					id := h.Journal.Records()[0].ID
					for _, err := range []error{h.Engine.Hold(id, false), h.Engine.Mute(id, true), attended(h, "w2"), blind(h, outside.Value)} {
						if !errors.Is(err, engine.ErrTransferring) {
							t.Errorf("in the middle of it: %v", err)
						}
					}
					third := h.Dialled()[1]
					shownTo := "+492111"
					if out {
						shownTo = "w0"
					}
					equal(t, "shown to the third", third.Request.From.Value, shownTo)
					time.Sleep(3500 * time.Millisecond)
					if tt.name == "the owner hangs up" {
						equal(t, "while they talk", named(since(h, n+2)), []string{"stop O", "bridge O T"})
						x.Press("1")
						o.Press("2")
						third.Leg.Press("3")
						synctest.Wait()
						keys := named(keysHeard(h))
						slices.Sort(keys)
						equal(t, "keys", keys, []string{"digits O 3", "digits T 2"})
					}
					n = len(h.Sound.Did())
					tt.script(x, o, third.Leg)
					time.Sleep(time.Second)
					then := slices.DeleteFunc(named(since(h, n)), func(act string) bool { return act == "unbridge X" }) // it heard nobody
					equal(t, "then", then, tt.sound)
					if tt.with == "" {
						equal(t, "calls", h.Engine.Living(), 0)
					} else {
						shown := talk(t, h)
						if shown.Held || len(shown.Participants) != 2 {
							t.Errorf("shown as %+v", shown)
						}
						n = len(h.Sound.Did())
						x.Press("7")
						map[string]*enginetest.Leg{"O": o, "T": third.Leg}[tt.with].Press("8")
						synctest.Wait()
						keys := named(since(h, n))
						slices.Sort(keys)
						equal(t, "keys go to each other", keys, []string{"digits " + tt.with + " 7", "digits X 8"})
						x.HangUp()
						synctest.Wait()
						equal(t, "calls", h.Engine.Living(), 0)
					}
					ends(t, h)
					h.Close(t)
				})
			})
		}
	}
}

// rename has acts name the parts that legs play.
func rename(did []string, legs map[string]string) []string {
	var named []string
	for _, act := range did {
		words := slices.Clone(fields(act))
		for i, w := range words {
			for part, leg := range legs {
				if w == leg {
					words[i] = part
				}
			}
		}
		named = append(named, strings.Join(words, " "))
	}
	return named
}

// fields are the words of an act; the name of a phone is one.
func fields(act string) []string {
	words := strings.Fields(strings.ReplaceAll(act, "phone ", "phone_"))
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], "_", " ")
	}
	return words
}

// Who was muted and on hold talks with the third all the same, and is so again
// behind that.
func TestConsultationSetsMuteAndHoldAside(t *testing.T) {
	t.Parallel()
	for _, out := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			target, owner := bob, "phone w1"
			arrival := engine.Arrival{From: caller, To: called, Number: number, Account: directory.DefaultAccount}
			if out {
				target, owner = outside, "caller"
				arrival = engine.Arrival{To: outside, Account: directory.DefaultAccount, Caller: directory.User{ID: "w0", Account: directory.DefaultAccount, App: "app"}}
			}
			h := desks(t, func(c *engine.Config) { c.HoldTone = &media.Prompt{Name: "hold"} }, target)
			_, err := h.Arrive(arrival)
			must(t, err)
			synctest.Wait()
			id := talk(t, h).ID
			must(t, h.Engine.Mute(id, true), h.Engine.Hold(id, true))
			synctest.Wait()
			n := len(h.Sound.Did())
			must(t, attended(h, "w2"))
			synctest.Wait()
			did := since(h, n)
			slices.Sort(did)
			equal(t, "undone", did, []string{"bridge " + owner + " phone w2", "stop " + owner, "unmute " + owner})
			if talk(t, h).Muted {
				t.Error("still shown as muted")
			}
			n = len(h.Sound.Did())
			h.Dialled()[1].Leg.HangUp()
			synctest.Wait()
			if shown := talk(t, h); !shown.Muted || !shown.Held {
				t.Errorf("back together: %+v", shown)
			}
			equal(t, "back", slices.DeleteFunc(since(h, n), func(act string) bool { return strings.HasPrefix(act, "unbridge") || strings.HasPrefix(act, "bridge") }),
				[]string{"play " + owner + " hold", "mute " + owner})
			h.Close(t)
		})
	}
}

// A call that came in stays what its app knows when the owner talks with somebody first:
// the app is told who answers now, or that the two talk on, and so is the timeline.
func TestAttendedIsTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		third  func(*enginetest.Leg)
		script func(o, third *enginetest.Leg)
		told   []string
		rows   []string
	}{
		{"the owner hangs up", pickUp, func(o, _ *enginetest.Leg) { o.HangUp() }, []string{"answered 0"},
			[]string{"is being transferred to Carol (w2)", "w1 talks with w2 first", "+4930111 and w2 hear each other"}},
		{"the third hangs up", pickUp, func(_, third *enginetest.Leg) { third.HangUp() }, []string{"bridged 0"},
			[]string{"is being transferred to Carol (w2)", "w1 talks with w2 first", "not transferred: normal", "+4930111 and Bob (w1) talk on"}},
		{"the third refuses", isBusy, func(_, _ *enginetest.Leg) {}, []string{"bridged 0"},
			[]string{"is being transferred to Carol (w2)", "not transferred: busy", "+4930111 and Bob (w1) talk on"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := desks(t, nil, bob)
				h.Target("phone w2", tt.third)
				x, o := callIn(t, h)
				must(t, attended(h, "w2"))
				synctest.Wait()
				tt.script(o, h.Dialled()[1].Leg)
				synctest.Wait()
				x.HangUp()
				synctest.Wait()
				equal(t, "the app", pushes(h), append(append([]string{"incoming 0", "answered 0"}, tt.told...), "ended 0"))
				var rows []string
				for _, e := range h.Journal.Events(h.Journal.Records()[0].ID, engine.EventTransfer, engine.EventBridged) {
					rows = append(rows, e.Text)
				}
				equal(t, "the timeline", rows[1:], tt.rows) // behind that with Bob
				h.Close(t)
			})
		})
	}
}

// A transfer that reaches nobody is on the timeline of each call that it was tried on,
// and so is that they talk on.
func TestTransferToNobodyOnTheTimeline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, bob)
		h.Target("phone w2", isBusy)
		in, doc := callIn(t, h)
		doc.Emit(engine.LegReferred{ID: 1, To: "w2", Asked: "sip:w2@us"})
		synctest.Wait()
		in.HangUp()
		synctest.Wait()
		all := h.Journal.Records()
		for call, want := range [][]string{
			{"+4930111 and Bob (w1) hear each other", "is being transferred to Carol (w2), as call " + all[2].ID.String(), "not transferred: busy", "+4930111 and Bob (w1) talk on"},
			{"asks to transfer +4930111 to sip:w2@us", "not transferred: busy: nobody was reached", "+492111 and +4930111 talk on"},
		} {
			var rows []string
			for _, e := range h.Journal.Events(all[call].ID, engine.EventTransfer, engine.EventBridged) {
				rows = append(rows, e.Text)
			}
			equal(t, "the timeline", rows, want)
		}
		equal(t, "of the next call", h.Journal.Events(all[2].ID, engine.EventEnded)[0].Text, "busy")
		h.Close(t)
	})
}
