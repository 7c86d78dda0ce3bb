// SPDX-License-Identifier: MIT

package enginetest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
)

// House is an engine and its scripted surroundings.
type House struct {
	Engine  *engine.Engine
	Sound   *Sound
	Journal *Journal
	App     *App
	Prompts Prompts
	Speaker Speaker
	// Phones are where users are, by id; who is not here is offline, and left to
	// the Dialer.
	Phones map[string][]string

	mu      sync.Mutex
	streams media.StreamID
	dialled []*Dialled
	targets map[string]func(*Leg)
}

// Dialled is a target that the engine rang.
type Dialled struct {
	Request engine.DialRequest
	Leg     *Leg
}

// New makes a house with the given directory and dialects, and sees at the end
// of the test that no call is left.
func New(t testing.TB, entries directory.Entries, dialects map[string]engine.Dialect, adjust ...func(*engine.Config)) *House {
	t.Helper()
	d, err := directory.New(entries, "1 1 2")
	if err != nil {
		t.Fatal(err)
	}
	h := &House{
		Sound: newSound(), Journal: &Journal{records: map[engine.ID]engine.Record{}},
		App: &App{}, Prompts: Prompts{}, Speaker: Speaker{}, Phones: map[string][]string{}, targets: map[string]func(*Leg){},
	}
	config := engine.Config{
		Directory: d, Dialects: dialects, Dialer: h, Sound: h.Sound, Fetcher: h.App,
		Prompts: h.Prompts, Files: h.Prompts, Speaker: h.Speaker, Location: h, Recorder: h.Sound, Journal: h.Journal, Logger: slog.New(slog.DiscardHandler),
	}
	for _, a := range adjust {
		a(&config)
	}
	h.Engine = engine.New(config)
	return h
}

// Close stops the engine as SIGTERM does, and fails the test if a call lives.
func (h *House) Close(t testing.TB) {
	t.Helper()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	h.Engine.Shutdown(now, time.Minute)
	if n := h.Engine.Living(); n != 0 {
		t.Errorf("%d calls are left alive", n)
	}
}

// Contacts gives where a user's phones are.
func (h *House) Contacts(_, user string) []string { return h.Phones[user] }

// Call is somebody calling a number.
func (h *House) Call(t testing.TB, from, to directory.Address, number directory.Number) *Leg {
	t.Helper()
	leg, err := h.Arrive(engine.Arrival{From: from, To: to, Number: number})
	if err != nil {
		t.Fatal(err)
	}
	return leg
}

// Arrive is a leg that comes in, on which this has happened; the error is the
// engine's.
func (h *House) Arrive(a engine.Arrival, happened ...engine.LegEvent) (*Leg, error) {
	leg := h.leg("caller")
	for _, ev := range happened {
		leg.Emit(ev)
	}
	return leg, h.Engine.Arrive(leg, a)
}

func (h *House) leg(name string) *Leg {
	h.mu.Lock()
	h.streams++
	leg := &Leg{stream: h.streams, name: name, sound: h.Sound}
	h.mu.Unlock()
	h.Sound.mu.Lock()
	h.Sound.legs[leg.stream] = leg
	h.Sound.mu.Unlock()
	return leg
}

// Target has what a target's contact or address is dialled go by a script, which runs on
// a goroutine of its own.
func (h *House) Target(address string, script func(*Leg)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.targets[address] = script
}

// Dial rings a scripted target; an unknown one is not found.
func (h *House) Dial(r engine.DialRequest) (engine.Leg, error) {
	h.mu.Lock()
	script := h.targets[cmp.Or(r.Target.Contact, r.Target.Address.Value)]
	h.mu.Unlock()
	if script == nil {
		return nil, &engine.DialError{Cause: engine.CauseNotFound, Err: errors.New("no such target")}
	}
	leg := h.leg(cmp.Or(r.Target.Contact, r.Target.Address.Value))
	if r.Target.Address.Kind == directory.KindNumber {
		leg.trunk = "trunk"
	}
	h.mu.Lock()
	h.dialled = append(h.dialled, &Dialled{Request: r, Leg: leg})
	h.mu.Unlock()
	go script(leg)
	return leg, nil
}

// Dialled lists the targets that were rung, in order.
func (h *House) Dialled() []*Dialled {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*Dialled(nil), h.dialled...)
}

// Prompts are sound files by URL; what is not there cannot be played.
type Prompts map[string]time.Duration

// Prompt gives silence of the length that the URL stands for.
func (p Prompts) Prompt(_ context.Context, url string) (*media.Prompt, error) {
	length, ok := p[url]
	if !ok {
		return nil, fmt.Errorf("%s: there is no sound file", url)
	}
	sound := make([]byte, length*media.SampleRate/time.Second)
	return &media.Prompt{Name: url, ULaw: sound, ALaw: sound}, nil
}

// Speaker are texts that can be spoken, and how long that takes to hear; what is
// not there cannot be.
type Speaker map[string]time.Duration

// Speak gives silence of the length that the text stands for.
func (s Speaker) Speak(_ context.Context, _ string, what engine.Speech) (*media.Prompt, error) {
	length, ok := s[what.Text]
	if !ok {
		return nil, fmt.Errorf("%q cannot be spoken", what.Text)
	}
	sound := make([]byte, length*media.SampleRate/time.Second)
	return &media.Prompt{Name: "speech:" + what.Language, Text: what.Text, ULaw: sound, ALaw: sound}, nil
}

// App is a customer's app that answers from a script.
type App struct {
	mu    sync.Mutex
	asked []engine.Request
	// answer gives the reply to a request; nil answers an empty document.
	answer func(engine.Request) engine.Reply
}

// Answer sets how the app answers.
func (a *App) Answer(f func(engine.Request) engine.Reply) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = f
}

// Fetch notes the request and gives the scripted reply.
func (a *App) Fetch(ctx context.Context, r engine.Request) engine.Reply {
	a.mu.Lock()
	a.asked = append(a.asked, r)
	answer := a.answer
	a.mu.Unlock()
	reply := engine.Reply{URL: r.URL, Status: 200}
	if answer != nil {
		reply = answer(r)
	}
	if ctx.Err() != nil && reply.Err == nil {
		reply.Err = ctx.Err()
	}
	reply.Attempts = []engine.Attempt{{URL: r.URL, Status: reply.Status, Body: reply.Body, Err: reply.Err}}
	return reply
}

// Asked lists the requests that reached the app, in order.
func (a *App) Asked() []engine.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]engine.Request(nil), a.asked...)
}

// Journal keeps everything in memory.
type Journal struct {
	mu      sync.Mutex
	sick    error
	records map[engine.ID]engine.Record
	order   []engine.ID
	events  []engine.Event
	tapes   []engine.Recording
}

// Append keeps changes. It also looks at them a moment later, as a store does that
// writes them: under the race detector a test fails if somebody alters them.
func (j *Journal) Append(changes ...engine.Change) {
	go func() {
		for _, c := range changes {
			_, _ = json.Marshal(c) // nothing comes of it
		}
	}()
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range changes {
		switch c := c.(type) {
		case engine.RecordSaved:
			if _, known := j.records[c.Record.ID]; !known {
				j.order = append(j.order, c.Record.ID)
			}
			j.records[c.Record.ID] = c.Record
		case engine.EventAdded:
			j.events = append(j.events, c.Event)
		case engine.RecordingSaved:
			j.tapes = append(slices.DeleteFunc(j.tapes, func(r engine.Recording) bool { return r.ID == c.Recording.ID }), c.Recording)
		case engine.RecordingDeleted:
			j.tapes = slices.DeleteFunc(j.tapes, func(r engine.Recording) bool { return r.ID == c.ID })
		}
	}
}

// Durable returns at once, or when a journal that is sick is well again. As with
// store.Writer, what is durable is so for who has given up waiting, too.
func (j *Journal) Durable(ctx context.Context) error {
	for j.Health() != nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// Applied is Durable.
func (j *Journal) Applied(ctx context.Context) error { return j.Durable(ctx) }

// Health gives what Sicken was given last.
func (j *Journal) Health() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.sick
}

// Sicken has the journal say that it keeps nothing now, and why.
func (j *Journal) Sicken(why error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sick = why
}

// Records lists the calls' records in the order in which they came about.
func (j *Journal) Records() []engine.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	records := make([]engine.Record, len(j.order))
	for i, id := range j.order {
		records[i] = j.records[id]
	}
	return records
}

// Tapes lists the recordings that are kept, those last that were changed last.
func (j *Journal) Tapes() []engine.Recording {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.tapes)
}

// Recording gives one of an account.
func (j *Journal) Recording(_ context.Context, account string, id engine.ID) (engine.Recording, error) {
	for _, r := range j.Tapes() {
		if r.ID == id && r.Account == account {
			return r, nil
		}
	}
	return engine.Recording{}, fs.ErrNotExist
}

// Messages counts those in a box.
func (j *Journal) Messages(_ context.Context, account, box string) (unheard, heard int, err error) {
	for _, r := range j.Tapes() {
		switch {
		case r.Kind != engine.RecordingMessage || r.Account != account || r.Box != box:
		case r.HeardAt == nil:
			unheard++
		default:
			heard++
		}
	}
	return unheard, heard, nil
}

// Events lists the events of a call, those of the kinds only if any are given.
func (j *Journal) Events(call engine.ID, kinds ...engine.EventKind) []engine.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	var events []engine.Event
	for _, e := range j.events {
		if e.Call != call {
			continue
		}
		wanted := len(kinds) == 0
		for _, k := range kinds {
			wanted = wanted || e.Kind == k
		}
		if wanted {
			events = append(events, e)
		}
	}
	return events
}

var (
	_ engine.Dialer     = (*House)(nil)
	_ engine.Location   = (*House)(nil)
	_ engine.Prompts    = Prompts{}
	_ engine.Speaker    = Speaker{}
	_ engine.Fetcher    = (*App)(nil)
	_ engine.Journal    = (*Journal)(nil)
	_ engine.Recordings = (*Journal)(nil)
)
