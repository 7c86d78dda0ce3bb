// SPDX-License-Identifier: MIT

package engine_test

import (
	"context"
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

// after rings, and picks up or refuses after a time.
func after(d time.Duration, then func(*enginetest.Leg)) func(*enginetest.Leg) {
	return func(l *enginetest.Leg) {
		l.Emit(engine.LegRinging{Status: 180})
		time.Sleep(d)
		then(l)
	}
}

func answers(l *enginetest.Leg) { l.Emit(engine.LegAnswered{}) }

func isBusy(l *enginetest.Leg) { l.Refuse(486, false) }

func blind(h *enginetest.House, to string) error {
	return h.Engine.Transfer(h.Journal.Records()[0].ID, engine.TransferOrder{To: to})
}

// What the app is told of a transfer to somebody of the account is what the vendor's
// wire shows, however it was asked for. Call 0 is the caller's, 1 Doc's, 2 the next
// of the chain.
func TestTransferIsTold(t *testing.T) {
	t.Parallel()
	begin := []string{"incoming 0", "answered 0", "incoming 2"}
	for _, tt := range []struct {
		name   string
		marty  func(*enginetest.Leg)
		script func(in, doc *enginetest.Leg)
		told   []string
		causes []engine.Cause
		sound  string
	}{
		{"picks up", after(5*time.Second, answers), func(in, _ *enginetest.Leg) { time.Sleep(10 * time.Second); in.HangUp() },
			[]string{"answered 2", "ended 0", "ended 2"},
			[]engine.Cause{engine.CauseForwarded, engine.CauseTransferred, engine.CauseNormal, engine.CauseNormal}, "bridge caller phone w2"},
		{"picks up, Doc hangs up before", after(5*time.Second, answers), func(in, doc *enginetest.Leg) { doc.HangUp(); time.Sleep(10 * time.Second); in.HangUp() },
			[]string{"ended 0", "answered 2", "ended 2"},
			[]engine.Cause{engine.CauseForwarded, engine.CauseTransferred, engine.CauseNormal, engine.CauseNormal}, "bridge caller phone w2"},
		{"picks up and hangs up at once", after(5*time.Second, func(l *enginetest.Leg) { answers(l); l.HangUp() }),
			func(_, _ *enginetest.Leg) { time.Sleep(10 * time.Second) },
			[]string{"answered 2", "ended 0", "ended 2"},
			[]engine.Cause{engine.CauseForwarded, engine.CauseTransferred, engine.CauseNormal, engine.CauseNormal}, ""},
		{"nobody picks up, Doc hangs up before", after(5*time.Second, isBusy), func(_, doc *enginetest.Leg) { doc.HangUp(); time.Sleep(10 * time.Second) },
			[]string{"ended 0", "ended 2"},
			[]engine.Cause{engine.CauseForwarded, engine.CauseTransferred, engine.CauseBusy, engine.CauseBusy}, "play caller ringback"},
		{"nobody picks up, Doc is there", after(5*time.Second, isBusy), func(in, _ *enginetest.Leg) { time.Sleep(10 * time.Second); in.HangUp() },
			[]string{"ended 2", "bridged 0", "ended 0"},
			[]engine.Cause{engine.CauseNormal, engine.CauseNormal, engine.CauseBusy, engine.CauseBusy}, "bridge caller phone w1"},
		{"the caller hangs up meanwhile", after(5*time.Second, answers), func(in, _ *enginetest.Leg) { in.HangUp(); time.Sleep(10 * time.Second) },
			[]string{"ended 0", "ended 2"},
			[]engine.Cause{engine.CauseNormal, engine.CauseNormal, engine.CauseCancelled, engine.CauseCancelled}, "bridge caller phone w1"},
	} {
		for _, byAPI := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					h := desks(t, func(c *engine.Config) { c.Ringback = &media.Prompt{Name: "ringback"} }, bob)
					h.Target("phone w2", tt.marty)
					in, doc := callIn(t, h)
					if byAPI {
						must(t, blind(h, "w2"))
					} else {
						doc.Emit(engine.LegReferred{ID: 1, To: "w2"})
					}
					time.Sleep(time.Second)
					tt.script(in, doc)
					synctest.Wait()
					equal(t, "sound", tt.sound == "" || slices.Contains(h.Sound.Did(), tt.sound), true)
					h.Close(t)
					want := slices.Clone(tt.causes)
					if want[1] == engine.CauseTransferred && byAPI && len(doc.Did()) == 0 {
						want[1] = engine.CauseNormal // its phone did not ask for it
					}
					equal(t, "causes", ends(t, h), want)
					equal(t, "the app", pushes(h), append(slices.Clone(begin), tt.told...))
					next := h.Journal.Records()[2]
					equal(t, "the next call", []string{next.From.Value, next.Diversion, next.Chain.String()},
						[]string{caller.Value, called.Value, h.Journal.Records()[0].ID.String()})
				})
			})
		}
	}
}

// Who is transferred outside is rung by the call itself, which is told answered
// again.
func TestTransferOutside(t *testing.T) {
	t.Parallel()
	for _, reached := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			h := desks(t, nil, bob)
			in, doc := callIn(t, h)
			h.Target(outside.Value, after(time.Second, answers))
			if !reached {
				h.Target(outside.Value, after(time.Second, isBusy))
			}
			must(t, h.Engine.Hold(talk(t, h).ID, true), blind(h, outside.Value))
			time.Sleep(5 * time.Second)
			shown := talk(t, h)
			equal(t, "on hold", shown.Held, !reached) // who comes is on none
			told := []string{"incoming 0", "answered 0"}
			if reached {
				told = append(told, "answered 0")
				did := h.Sound.Did()
				equal(t, "the sound", did[len(did)-2:], []string{"bridge caller " + outside.Value, "stop caller"})
				equal(t, "Doc", doc.Did(), []string{"hangup transferred"})
				equal(t, "with", shown.Participants[1].Address, outside)
				equal(t, "answered by", *h.Journal.Records()[0].AnsweredBy, outside)
			} else {
				equal(t, "bridged again", slices.Contains(h.Sound.Did(), "bridge caller "+outside.Value), false)
				equal(t, "owner", shown.Participants[1].Owner, true)
				must(t, blind(h, "w2")) // one that failed is no reason against the next
			}
			in.HangUp()
			synctest.Wait()
			if reached {
				equal(t, "the app", pushes(h), append(told, "ended 0"))
			}
			ends(t, h)
			h.Close(t)
		})
	}
}

// A user who called out and has its other side transferred leaves.
func TestTransferByTheCaller(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"w2", "+4930333"} {
		synctest.Test(t, func(t *testing.T) {
			h := desks(t, nil, outside)
			h.Target("+4930333", pickUp)
			in, err := h.Arrive(engine.Arrival{To: outside, Account: directory.DefaultAccount, Caller: directory.User{ID: "w0", Account: directory.DefaultAccount, App: "app"}})
			must(t, err)
			synctest.Wait()
			must(t, blind(h, to))
			synctest.Wait()
			equal(t, "who called", in.Did()[len(in.Did())-1], "hangup transferred")
			all := h.Dialled()
			equal(t, "shown", all[1].Request.From, outside)
			all[0].Leg.HangUp()
			synctest.Wait()
			equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseTransferred, engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal})
			h.Close(t)
		})
	}
}

// Whom an API may send a party to, and as whom that one is shown.
func TestTransferToPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		order  engine.TransferOrder
		cause  engine.Cause
		reason string
	}{
		{engine.TransferOrder{To: "112"}, engine.CauseForbidden, "is an emergency service: only a phone calls that"},
		{engine.TransferOrder{To: "+4940222222"}, engine.CauseForbidden, "limits.prefixes"},
		{engine.TransferOrder{To: "sip:w2@elsewhere"}, engine.CauseNotFound, "is no user, group or number of the account"},
		{engine.TransferOrder{To: ""}, engine.CauseNotFound, "is no user"},
		{engine.TransferOrder{To: "w1"}, engine.CauseRejected, "is in the conversation already"},
		{engine.TransferOrder{To: caller.Value}, engine.CauseRejected, "is in the conversation already"},
		{engine.TransferOrder{To: "w2", CallerID: "+4930999"}, engine.CauseForbidden, "it is no number of the account"},
		{engine.TransferOrder{To: "w2", CallerID: number.Number}, "", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := desks(t, nil, bob)
			callIn(t, h)
			err := h.Engine.Transfer(h.Journal.Records()[0].ID, tt.order)
			synctest.Wait()
			var no *engine.DialError
			switch {
			case tt.cause == "":
				must(t, err)
				equal(t, "shown", h.Dialled()[1].Request.From, directory.NumberAddress(tt.order.CallerID))
			case !errors.As(err, &no) || no.Cause != tt.cause || !contains(err, tt.reason):
				t.Errorf("%+v: %v, want %s: %s", tt.order, err, tt.cause, tt.reason)
			default:
				equal(t, "nothing is rung", len(h.Dialled()), 1)
			}
			h.Close(t)
		})
	}
}

// A call that an API sends to somebody leaves what it does at once, wherever it is.
func TestReplaced(t *testing.T) {
	t.Parallel()
	const file = "http://app/long.wav"
	played := engine.Program{verbs.Play{URL: file}, verbs.Hangup{}}
	for _, tt := range []struct {
		name    string
		program engine.Program
		slow    time.Duration // the app
		did     string        // with the sound, to clear away
	}{
		{"while the app is asked", played, 10 * time.Second, ""},
		{"in a Play", played, 0, "stop caller"},
		{"in a Gather", engine.Program{verbs.Gather{OnData: "http://app/", MaxDigits: 3, Timeout: time.Minute, Prompts: []verbs.Prompt{verbs.Play{URL: file}}}}, 0, "stop caller"},
		{"in a Gather that waits", engine.Program{verbs.Gather{OnData: "http://app/", MaxDigits: 3, Timeout: time.Minute}}, 0, ""},
		{"while it rings", ring(bob), 0, ""},
		{"in a program inside another", engine.Program{act(func(ctx context.Context, c *engine.Call) (engine.Next, error) {
			go func() { _ = c.Info }()
			return wait(ctx, c)
		})}, 0, ""},
	} {
		for _, to := range []directory.Address{carol, outside} {
			t.Run(tt.name+" to "+to.Value, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					programs := []engine.Program{tt.program}
					if tt.slow > 0 { // the next call's answer comes first
						programs = []engine.Program{nil, tt.program}
					}
					h := plans(t, func(c *engine.Config) { c.Ringback = &media.Prompt{Name: "ringback"} }, programs...)
					h.Prompts[file] = time.Minute
					h.Target("phone w1", func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) })
					h.App.Answer(func(r engine.Request) engine.Reply {
						if r.Name == "incoming" && len(h.App.Asked()) == 1 {
							time.Sleep(tt.slow)
						}
						return engine.Reply{URL: r.URL, Status: 200}
					})
					in := h.Call(t, caller, called, number)
					time.Sleep(2 * time.Second)
					if tt.name == "in a program inside another" {
						must(t, h.Engine.Run(h.Journal.Records()[0].ID, engine.Program{act(wait)}))
						synctest.Wait()
					}
					must(t, blind(h, to.Value))
					time.Sleep(time.Second)
					if tt.did != "" && !slices.Contains(h.Sound.Did(), tt.did) {
						t.Errorf("%q is not in %v", tt.did, h.Sound.Did())
					}
					time.Sleep(15 * time.Second)
					shown := talk(t, h)
					chained := 0
					if to == carol {
						chained = 1
					}
					with := to
					if to == carol {
						with = directory.Address{Kind: directory.KindUser, Value: "w2", Name: "Carol"}
					}
					equal(t, "talks with", shown.Participants[1].Address, with)
					if tt.name == "while it rings" {
						equal(t, "who rang", h.Dialled()[0].Leg.Did(), []string{"hangup forwarded"})
					}
					in.HangUp()
					time.Sleep(time.Minute)
					causes := ends(t, h)
					wantFirst := engine.CauseNormal
					if chained == 1 {
						wantFirst = engine.CauseForwarded
					}
					equal(t, "the first call", causes[0], wantFirst)
					names := pushes(h)
					if !slices.Contains(names, "ended 0") || slices.Contains(names, "gathered 0") {
						t.Errorf("the app was told %v", names)
					}
					h.Close(t)
				})
			})
		}
	}
}

// The answer to a question that an API cut off is not carried out, but says who wants
// to know of what comes.
func TestLateAnswerIsHeard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := plans(t, nil, engine.Program{verbs.Hangup{}})
		h.Target(outside.Value, after(5*time.Second, answers))
		h.App.Answer(func(r engine.Request) engine.Reply {
			if r.Name == "incoming" {
				time.Sleep(3 * time.Second)
			}
			return engine.Reply{URL: r.URL, Status: 200}
		})
		in := h.Call(t, caller, called, number)
		time.Sleep(time.Second)
		must(t, blind(h, outside.Value))
		time.Sleep(10 * time.Second)
		in.HangUp()
		synctest.Wait()
		equal(t, "the app", pushes(h), []string{"incoming 0", "answered 0", "ended 0"})
		h.Close(t)
	})
}

// An app that plays something and sends every call to one user, whose call it is asked
// about too, gets it there.
func TestTransferRepeated(t *testing.T) {
	t.Parallel()
	const file = "http://app/long.wav"
	played := engine.Program{verbs.Play{URL: file}, verbs.Hangup{}}
	synctest.Test(t, func(t *testing.T) {
		h := plans(t, nil, played, played, played)
		h.Prompts[file] = time.Minute
		in := h.Call(t, caller, called, number)
		synctest.Wait()
		for range 2 {
			all := h.Journal.Records()
			must(t, h.Engine.Transfer(all[len(all)-1].ID, engine.TransferOrder{To: "w2"}))
			synctest.Wait()
		}
		equal(t, "talks with", talk(t, h).Participants[1].Address.Name, "Carol")
		in.HangUp()
		synctest.Wait()
		equal(t, "causes", ends(t, h), []engine.Cause{engine.CauseForwarded, engine.CauseNormal, engine.CauseNormal})
		h.Close(t)
	})
}
