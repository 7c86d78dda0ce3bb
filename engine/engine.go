// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/media"
)

// ErrDraining refuses a call because the server is stopping.
var ErrDraining = errors.New("the server is stopping and takes no new calls")

// ErrNoCall says that no call of that id is alive.
var ErrNoCall = errors.New("no such call is alive")

// Config is what an Engine is made of.
type Config struct {
	Directory *directory.Directory
	// Dialects are the languages of Apps, by App.Dialect; the one under "" is
	// for numbers without an App and must be there.
	Dialects map[string]Dialect
	Dialer   Dialer
	Sound    Sound
	Fetcher  Fetcher
	Prompts  Prompts
	// Speaker speaks text; nil speaks none.
	Speaker  Speaker
	Location Location
	Recorder Recorder
	Journal  Journal
	Logger   *slog.Logger
	// Node names this machine in records.
	Node   string
	Limits Limits
	// Talked is how long calls by trunks have lasted today (UTC) before this
	// Engine was made.
	Talked time.Duration
	// Recordings is the folder that calls are recorded into, Kept what is known of
	// the files there, and Indicator tells phones of messages; without these two
	// nobody does.
	Recordings string
	Kept       Recordings
	Indicator  Indicator
	// AudioURL says where a recording can be fetched, for apps; nil is nowhere.
	AudioURL func(Recording) string
	// Files gives the sound files of greetings, by their paths on this machine.
	Files Prompts
	// Greetings takes those that users speak.
	Greetings Greetings
	// Messages is when a message is over.
	Messages MessageLimits
	// Language is spoken where nobody names one, as a tag of BCP 47 ("de-DE").
	Language string
	// Ringback is what a caller who already hears our sound hears while targets
	// ring; nil is silence.
	Ringback *media.Prompt
	// HoldTone is what parties on hold hear; nil is silence. Notice is what they hear
	// before they are recorded where the Speaker says nothing; nil is nothing.
	HoldTone, Notice *media.Prompt
}

// Engine holds the calls that are alive.
type Engine struct {
	config    Config
	directory *directory.Directory
	guard     guard
	toll      *toll
	busy      busy
	boxes     boxes
	rung      rung

	// ctx ends when even the last deliveries are given up, applying when nothing is
	// waited for any more that a database which is away does not have.
	ctx, applying        context.Context
	cancel, stopApplying context.CancelFunc
	goroutines           sync.WaitGroup

	indicating sync.Mutex // what phones are told last is the truth

	mu       sync.Mutex
	calls    map[ID]*Call
	legs     map[Leg]ID // of the calls that live
	draining bool
	hungUp   bool           // that all were
	chains   map[ID]*outbox // of the calls that Recover settles, by their chain
	idle     chan struct{}  // closed when draining and no call is left
}

// New makes an Engine with no calls.
func New(c Config) *Engine {
	ctx, cancel := context.WithCancel(context.Background())
	applying, stopApplying := context.WithCancel(ctx)
	if c.HoldTone == nil {
		c.HoldTone = silence()
	}
	e := &Engine{
		config: c, directory: c.Directory, guard: newGuard(c.Limits), ctx: ctx, cancel: cancel,
		applying: applying, stopApplying: stopApplying,
		calls: map[ID]*Call{}, legs: map[Leg]ID{}, chains: map[ID]*outbox{}, idle: make(chan struct{}),
	}
	e.busy = busy{directory: c.Directory, calls: map[ID]key{}, users: map[key]int{}}
	e.rung = rung{by: map[key]int{}}
	e.boxes = boxes{calls: map[key][]ID{}, by: map[ID]boxPlace{}}
	e.toll = newToll(time.Duration(c.Limits.MinutesPerDay)*time.Minute, c.Talked, e.tollExhausted)
	return e
}

// tollExhausted ends the calls that talk when no more may today.
func (e *Engine) tollExhausted(ids []ID, why *LimitError) {
	for _, id := range ids {
		_ = e.send(id, hangUp{cause: CauseForbidden, why: why.Error()}) // one that is gone has ended by itself
	}
}

// ErrUnrecorded says that no call is taken, because nothing could be kept of it.
var ErrUnrecorded = errors.New("no record of a call could be kept")

// Arrive takes a leg that came in and makes a Call of it. With an error the leg is
// still the transport's to refuse: the server is stopping (ErrDraining), could not
// keep a record of the call, has reached one of its Limits (a *LimitError), or the
// call whose place it is to take is over (ErrNoCall). A call to an emergency service
// is let through if it can be at all.
func (e *Engine) Arrive(leg Leg, a Arrival) error {
	// Who calls an emergency service by a trunk is somebody else's customer: that
	// exchange has a way of its own.
	emergency := a.Caller.ID != "" && e.directory.Emergency(a.To)
	if err := e.config.Journal.Health(); err != nil && !emergency {
		return fmt.Errorf("%w: %w", ErrUnrecorded, err)
	}
	if err := e.guard.enter(emergency); err != nil {
		return err
	}
	record := e.arrived(a, emergency)
	c := e.newCall(record)
	c.line.hops, c.line.headers = cmp.Or(a.MaxForwards, maxForwards), a.Headers
	c.called = called{number: a.Number, users: e.usersOf(record, a.Number), dialled: a.Dialled, emergency: emergency}
	if record.Direction == Out && a.To.Kind == directory.KindNumber {
		if n, ok := e.directory.OwnNumber(record.Account, a.To.Value); ok {
			c.called.number = n
		}
	}
	replaced, found := e.callOf(a.Replaces)
	if a.Replaces != nil && !found {
		e.guard.leave()
		return ErrNoCall
	}
	if !e.register(c) {
		e.guard.leave()
		return ErrDraining
	}
	e.busy.begin(c.record.ID, a.Caller.Account, a.Caller.ID)
	c.setLeg(leg)
	e.goroutines.Go(func() {
		defer e.guard.leave()
		if found {
			c.standIn(replaced)
			return
		}
		arrived := c.arrive()
		c.trace()
		c.main(arrived)
	})
	return nil
}

// bind notes whose a leg is.
func (e *Engine) bind(leg Leg, id ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.legs[leg] = id
}

func (e *Engine) unbind(leg Leg) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.legs, leg)
}

// hand notes that a leg is another call's now, and so are the time that it costs and
// the User who is in it.
func (e *Engine) hand(leg Leg, from, to ID) {
	e.toll.move(from, to)
	e.busy.move(from, to)
	e.bind(leg, to)
}

// callOf finds the living call that has a leg, which may be nil.
func (e *Engine) callOf(leg Leg) (ID, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	id, ok := e.legs[leg]
	return id, ok
}

// arrived is what is known of a call that came in. A User is who it logged in
// as, whatever its phone says: it shows its own number, or none if it wishes.
func (e *Engine) arrived(a Arrival, emergency bool) Record {
	id := NewID()
	r := Record{
		ID: id, Chain: id, Account: a.Account, Number: a.Number.Number, App: a.Number.App,
		Direction: In, From: a.From, To: a.To, Diversion: a.Diversion, Caller: a.Caller.ID, Trunk: a.Trunk,
	}
	if a.Caller.ID != "" {
		r.Diversion = ""
		if a.From.Kind != directory.KindAnonymous || emergency {
			r.From = e.directory.Shown(a.Caller)
		}
	}
	switch {
	case emergency:
		r.Direction, r.Account, r.Number, r.App = Out, a.Caller.Account, "", ""
	case e.directory.Emergency(a.To):
		r.App = "" // whoever called it, no app is asked
	case a.Caller.ID != "" && a.Number.Number == "":
		r.Direction, r.Account, r.App = Out, a.Caller.Account, a.Caller.App
	case a.Caller.Account != a.Account:
		r.Caller = "" // a user of another account is a caller from outside
	}
	return r
}

// usersOf gives the Users that a call is of: who calls out, or those of the
// number that was called.
func (e *Engine) usersOf(r Record, called directory.Number) []directory.User {
	if r.Direction == Out {
		if u, ok := e.directory.User(r.Account, r.Caller); ok {
			return []directory.User{u}
		}
		return nil
	}
	return e.directory.UsersOf(called)
}

// newCall fills in what all calls have.
func (e *Engine) newCall(r Record) *Call {
	r.Account = cmp.Or(r.Account, directory.DefaultAccount)
	r.Node, r.State, r.StartedAt = e.config.Node, StateRinging, time.Now()
	return e.reopen(r, 0)
}

// reopen makes the Call of a record whose last event had the number seq.
func (e *Engine) reopen(r Record, seq int) *Call {
	app, _ := e.directory.App(r.App)
	t := &timeline{call: r.ID, journal: e.config.Journal, seq: seq}
	c := &Call{
		engine: e, log: e.config.Logger.With("call", r.ID.String()), inbox: newInbox(),
		timeline: t, record: r, app: application{App: app, dialect: e.dialectOf(app), outbox: &outbox{engine: e}},
		line: lineage{hops: maxForwards}, ended: make(chan struct{}), children: map[ID]Target{},
	}
	c.standing.Store(&standing{account: r.Account, own: r.Parent.IsZero()})
	return c
}

// dialectOf gives an App's language.
func (e *Engine) dialectOf(a directory.App) Dialect {
	if dialect, ok := e.config.Dialects[a.Dialect]; ok {
		return dialect
	}
	return e.config.Dialects[""]
}

// register adds a call that is about to live. While draining only the children
// of those that live are added, and calls as which one of them goes on, unless all
// were hung up.
func (e *Engine) register(c *Call) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch chained := !c.line.before.IsZero(); {
	case chained && e.hungUp, !chained && e.draining && c.parent == nil:
		return false
	}
	e.calls[c.record.ID] = c
	return true
}

func (e *Engine) unregister(c *Call) {
	e.leaveBox(c.record.ID)
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.calls, c.record.ID)
	e.busy.end(c.record.ID)
	e.closeIfIdle()
}

// closeIfIdle is called with mu held.
func (e *Engine) closeIfIdle() {
	if e.draining && len(e.calls) == 0 {
		select {
		case <-e.idle:
		default:
			close(e.idle)
		}
	}
}

// Hangup ends a living call. With CauseNormal that is a hang-up: CauseCancelled if
// nobody has picked up. The error is ErrNoCall.
func (e *Engine) Hangup(id ID, cause Cause) error {
	return e.send(id, hangUp{cause: cause, asParty: cause == CauseNormal})
}

// Run has a living call carry out a program inside the one that runs, which
// goes on after it. The error is ErrNoCall.
func (e *Engine) Run(id ID, p Program) error { return e.send(id, runProgram{p}) }

// find gives a living call; nil if there is none of that id.
func (e *Engine) find(id ID) *Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls[id]
}

func (e *Engine) send(id ID, m Message) error {
	c := e.find(id)
	if c == nil || !c.inbox.put(m) {
		return ErrNoCall
	}
	return nil
}

// Living is how many calls are alive, children counted.
func (e *Engine) Living() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.calls)
}

// Drain takes no new calls from now on, and returns when none is left that lives,
// or when ctx ends.
func (e *Engine) Drain(ctx context.Context) {
	e.mu.Lock()
	e.draining = true
	e.closeIfIdle()
	e.mu.Unlock()
	select {
	case <-e.idle:
	case <-ctx.Done():
	}
}

// Shutdown takes no new calls, lets those that live go on until ctx ends, hangs
// the rest up, and waits until every record is written and every App is told,
// but no longer than grace for each of the two. For a database that is away it
// waits not at all.
func (e *Engine) Shutdown(ctx context.Context, grace time.Duration) {
	e.Drain(ctx)
	e.hangUpAll()
	if !within(grace, e.idle) {
		e.config.Logger.Error("calls did not end when they were hung up", "calls", e.Living())
	}
	e.goroutines.Go(func() {
		// What is durable by then, and in no database, will not be there soon.
		_ = e.config.Journal.Durable(e.ctx)
		e.stopApplying()
	})
	told := make(chan struct{})
	go func() { e.goroutines.Wait(); close(told) }()
	if !within(grace, told) {
		e.cancel() // the last requests are given up
		if !within(grace, told) {
			e.config.Logger.Error("the engine stopped before everything in it did")
		}
	}
	e.cancel()
}

// within says whether something is done in time.
func within(limit time.Duration, done <-chan struct{}) bool {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

func (e *Engine) hangUpAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hungUp = true
	for _, c := range e.calls {
		c.inbox.put(hangUp{cause: CauseShutdown})
	}
}
