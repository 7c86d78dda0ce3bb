// SPDX-License-Identifier: MIT

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs"
)

// phrase is a dialect for tests: it asks with the kind of the event, runs the
// programs it is given in turn, and tells the app of answers and ends once a
// document said so.
type phrase struct {
	mu       sync.Mutex // calls may live side by side
	programs []engine.Program
	missing  func(engine.Missing) engine.Program
	settings func(engine.CallInfo) engine.Program
}

func (p *phrase) Request(c engine.CallInfo, why engine.Event) engine.Request {
	return engine.Request{Name: string(why.Kind), Method: "POST", URL: c.App.IncomingURL, Body: []byte(c.ID.String())}
}

func (p *phrase) Parse(engine.CallInfo, engine.Event, engine.Reply) (engine.Document, []engine.Problem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := engine.Document{Remember: engine.DialectState{"tell": "yes"}}
	if len(p.programs) > 0 {
		d.Program, p.programs = p.programs[0], p.programs[1:]
	}
	return d, nil
}

// Default rings where a call of a chain is led.
func (p *phrase) Default(c engine.CallInfo, _ engine.Event, why engine.Missing) engine.Program {
	switch {
	case p.missing != nil:
		return p.missing(why)
	case p.settings != nil && why == engine.MissingEmpty:
		return p.settings(c)
	case c.Destination != nil && why == engine.MissingEmpty:
		return engine.Program{verbs.Dial{Targets: []engine.Target{{Address: *c.Destination}}}}
	}
	return nil
}

func (p *phrase) Notify(c engine.CallInfo, e engine.Event) []engine.Request {
	if c.Dialect["tell"] == "" || e.Kind == engine.EventRinging {
		return nil
	}
	return []engine.Request{{Name: string(e.Kind), Method: "POST", URL: c.App.IncomingURL, Body: []byte(c.ID.String())}}
}

// act is a verb made of a function.
type act func(context.Context, *engine.Call) (engine.Next, error)

func (act) String() string { return "act" }

func (a act) Run(ctx context.Context, c *engine.Call) (engine.Next, error) { return a(ctx, c) }

var (
	caller  = directory.NumberAddress("+4930111")
	called  = directory.NumberAddress("+4921112345")
	number  = directory.Number{Number: "+4921112345", App: "app"}
	entries = directory.Entries{
		Apps:    []directory.App{{Key: "app", Dialect: "phrase", IncomingURL: "http://app/", EarlyMedia: true}},
		Numbers: []directory.Number{number},
	}
)

func house(t *testing.T, p *phrase, adjust ...func(*engine.Config)) *enginetest.House {
	return enginetest.New(t, entries, map[string]engine.Dialect{"": p, "phrase": p}, adjust...)
}

func wait(ctx context.Context, c *engine.Call) (engine.Next, error) {
	_, err := c.Await(ctx, func(engine.Message) bool { return false })
	return engine.Next{}, err
}

// ends checks that every call has exactly one terminal event, that it is the
// call's own last word, and gives the causes in the order of the calls.
func ends(t *testing.T, h *enginetest.House) []engine.Cause {
	t.Helper()
	var causes []engine.Cause
	for _, r := range h.Journal.Records() {
		if n := len(h.Journal.Events(r.ID, engine.EventEnded)); n != 1 {
			t.Errorf("call %s has %d terminal events, want 1", r.ID, n)
		}
		if r.State != engine.StateEnded || r.EndedAt == nil {
			t.Errorf("call %s is recorded as %s, ended at %v", r.ID, r.State, r.EndedAt)
		}
		for i, e := range h.Journal.Events(r.ID) {
			if e.Seq != i+1 {
				t.Errorf("event %d of call %s has number %d", i+1, r.ID, e.Seq)
			}
		}
		causes = append(causes, r.Cause)
	}
	return causes
}

func TestEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		verb   act
		script func(h *enginetest.House, leg *enginetest.Leg)
		cause  engine.Cause
		did    []string
	}{
		{"program ends the call", func(context.Context, *engine.Call) (engine.Next, error) {
			return engine.End(engine.CauseBusy), nil
		}, nil, engine.CauseBusy, []string{"hangup busy"}},
		{"caller cancels", wait, func(_ *enginetest.House, l *enginetest.Leg) { l.Cancel() }, engine.CauseCancelled, nil},
		{"caller hangs up while it hears our sound", func(ctx context.Context, c *engine.Call) (engine.Next, error) {
			if err := c.OpenSound(); err != nil {
				return engine.Next{}, err
			}
			return wait(ctx, c)
		}, func(_ *enginetest.House, l *enginetest.Leg) { l.HangUp() }, engine.CauseCancelled, []string{"early media"}},
		{"verb fails", func(context.Context, *engine.Call) (engine.Next, error) {
			return engine.Next{}, errors.New("out of luck")
		}, nil, engine.CauseFailed, []string{"hangup failed"}},
		{"verb panics", func(context.Context, *engine.Call) (engine.Next, error) { panic("out of luck") },
			nil, engine.CauseFailed, []string{"hangup failed"}},
		{"leg is gone before it is answered", func(ctx context.Context, c *engine.Call) (engine.Next, error) {
			time.Sleep(time.Second) // the CANCEL is there and was not looked at
			return engine.Next{}, c.OpenSound()
		}, func(_ *enginetest.House, l *enginetest.Leg) { l.Cancel() }, engine.CauseCancelled, nil},
		{"hung up from outside", wait, func(h *enginetest.House, _ *enginetest.Leg) {
			h.Engine.Hangup(h.Journal.Records()[0].ID, engine.CauseNormal)
		}, engine.CauseCancelled, []string{"hangup cancelled"}},
		{"hung up from outside while it hears our sound", func(ctx context.Context, c *engine.Call) (engine.Next, error) {
			if err := c.OpenSound(); err != nil {
				return engine.Next{}, err
			}
			return wait(ctx, c)
		}, func(h *enginetest.House, _ *enginetest.Leg) {
			h.Engine.Hangup(h.Journal.Records()[0].ID, engine.CauseNormal)
		}, engine.CauseCancelled, []string{"early media", "hangup cancelled"}},
		{"hung up from outside while it talks", func(ctx context.Context, c *engine.Call) (engine.Next, error) {
			if err := c.AnswerAs(directory.Address{Kind: directory.KindVoicemail, Value: "w0"}); err != nil {
				return engine.Next{}, err
			}
			return wait(ctx, c)
		}, func(h *enginetest.House, _ *enginetest.Leg) {
			h.Engine.Hangup(h.Journal.Records()[0].ID, engine.CauseNormal)
		}, engine.CauseNormal, []string{"answer", "hangup normal"}},
		{"lasts too long", wait, func(*enginetest.House, *enginetest.Leg) { time.Sleep(5 * time.Hour) },
			engine.CauseMaxDuration, []string{"hangup max-duration"}},
		{"asks for ever", func(context.Context, *engine.Call) (engine.Next, error) {
			time.Sleep(time.Second)
			return engine.Goto(engine.Event{Kind: engine.EventGathered}), nil
		}, func(*enginetest.House, *enginetest.Leg) { time.Sleep(2 * time.Hour) }, engine.CauseFailed, []string{"hangup failed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &phrase{}
				for range 5100 {
					p.programs = append(p.programs, engine.Program{tt.verb})
				}
				h := house(t, p, func(c *engine.Config) { c.Limits.MaxDuration = 4 * time.Hour })
				leg := h.Call(t, caller, called, number)
				synctest.Wait()
				if tt.script != nil {
					tt.script(h, leg)
					time.Sleep(2 * time.Second)
				}
				synctest.Wait()
				if diff := cmp.Diff([]engine.Cause{tt.cause}, ends(t, h)); diff != "" {
					t.Errorf("causes (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.did, leg.Did()); diff != "" {
					t.Errorf("what was done to the leg (-want +got):\n%s", diff)
				}
				asked := h.App.Asked()
				if last := asked[len(asked)-1].Name; last != string(engine.EventEnded) {
					t.Errorf("the app was last told %q, want ended", last)
				}
				h.Close(t)
			})
		})
	}
}

// A caller who gives up while the app is still asked must not cost the app the
// event of the end: only the answer says that it wants it.
func TestEndIsToldThoughTheAnswerCameLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := house(t, &phrase{})
		h.App.Answer(func(r engine.Request) engine.Reply {
			time.Sleep(3 * time.Second)
			return engine.Reply{URL: r.URL, Status: 200}
		})
		leg := h.Call(t, caller, called, number)
		time.Sleep(time.Second)
		leg.Cancel()
		synctest.Wait()
		if got := ends(t, h); !cmp.Equal(got, []engine.Cause{engine.CauseCancelled}) {
			t.Errorf("causes %v: the record must be final before the answer", got)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		var names []string
		for _, r := range h.App.Asked() {
			names = append(names, r.Name)
		}
		if diff := cmp.Diff([]string{"incoming", "ended"}, names); diff != "" {
			t.Errorf("the app was told (-want +got):\n%s", diff)
		}
		if h.Journal.Records()[0].Dialect["tell"] != "yes" {
			t.Error("what the late answer said is not in the record")
		}
		h.Close(t)
	})
}

func TestMissingPrograms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		app  func(engine.Request) engine.Reply
		want []engine.Missing
	}{
		{"unreachable", func(engine.Request) engine.Reply { return engine.Reply{Err: errors.New("refused")} },
			[]engine.Missing{engine.MissingUnreachable, engine.MissingEnd}},
		{"empty", func(r engine.Request) engine.Reply { return engine.Reply{URL: r.URL, Status: 200} },
			[]engine.Missing{engine.MissingEmpty, engine.MissingEnd}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var asked []engine.Missing
				h := house(t, &phrase{missing: func(m engine.Missing) engine.Program {
					asked = append(asked, m)
					return nil
				}})
				h.App.Answer(tt.app)
				h.Call(t, caller, called, number)
				synctest.Wait()
				if diff := cmp.Diff(tt.want, asked); diff != "" {
					t.Errorf("defaults asked for (-want +got):\n%s", diff)
				}
				ends(t, h)
				h.Close(t)
			})
		})
	}
}

// A program pushed into a call runs inside the verb that waits, and what the
// outer one waits for is kept for it.
func TestNestedProgram(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var order []string
		digit := func(name string) act {
			return func(ctx context.Context, c *engine.Call) (engine.Next, error) {
				m, err := c.Await(ctx, func(m engine.Message) bool { _, ok := m.(engine.Digit); return ok })
				if err == nil {
					order = append(order, fmt.Sprintf("%s %c", name, m.(engine.Digit).Key))
				}
				return engine.Continue(), err
			}
		}
		pause := act(func(ctx context.Context, c *engine.Call) (engine.Next, error) {
			_, err := c.AwaitFor(ctx, time.Second, func(engine.Message) bool { return false })
			if !errors.Is(err, engine.ErrTimeout) {
				t.Errorf("pause ended with %v", err)
			}
			order = append(order, "inner")
			return engine.Continue(), nil
		})
		h := house(t, &phrase{programs: []engine.Program{{digit("outer")}}})
		leg := h.Call(t, caller, called, number)
		synctest.Wait()
		if err := h.Engine.Run(h.Journal.Records()[0].ID, engine.Program{pause}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		leg.Press("5")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"inner", "outer 5"}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		h.Close(t)
		if err := h.Engine.Run(h.Journal.Records()[0].ID, nil); !errors.Is(err, engine.ErrNoCall) {
			t.Errorf("run on a call that is over: %v, want ErrNoCall", err)
		}
	})
}

// The time that a verb waits at most is not the time that a program pushed into
// the call may take.
func TestNestedProgramOutlastsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		never := func(engine.Message) bool { return false }
		pause := func(d time.Duration) act {
			return func(ctx context.Context, c *engine.Call) (engine.Next, error) {
				began := time.Now()
				_, err := c.AwaitFor(ctx, d, never)
				if !errors.Is(err, engine.ErrTimeout) || time.Since(began) < d {
					t.Errorf("a pause of %s ended after %s with %v", d, time.Since(began), err)
				}
				return engine.Continue(), nil
			}
		}
		h := house(t, &phrase{programs: []engine.Program{{pause(2 * time.Second)}}})
		h.Call(t, caller, called, number)
		synctest.Wait()
		id := h.Journal.Records()[0].ID
		if err := h.Engine.Run(id, engine.Program{pause(5 * time.Second)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		for _, e := range h.Journal.Events(id, engine.EventProblem) {
			t.Errorf("complaint: %s", e.Text)
		}
		if got := ends(t, h); !cmp.Equal(got, []engine.Cause{engine.CauseNormal}) {
			t.Errorf("causes %v, want normal", got)
		}
		h.Close(t)
	})
}
