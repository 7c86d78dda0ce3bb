// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// calls are living calls that note what is done to them.
type calls struct {
	talks []engine.Talk
	err   error // of whatever is done

	mu         sync.Mutex
	done       []string
	originated []engine.Origination
}

func (c *calls) AccountOf(id engine.ID) (string, error) {
	switch written(id) {
	case callA, callB:
		return "default", nil
	case foreign:
		return "acme", nil
	}
	return "", engine.ErrNoCall
}

func (c *calls) Talks(account string) []engine.Talk {
	if account == "default" {
		return c.talks
	}
	return nil
}

func (c *calls) EndCall(id engine.ID) error { return c.note("hangup", written(id)) }

func (c *calls) Mute(id engine.ID, on bool) error {
	return c.note("mute", written(id), fmt.Sprint(on))
}

func (c *calls) Hold(id engine.ID, on bool) error {
	return c.note("hold", written(id), fmt.Sprint(on))
}

func (c *calls) Announce(_ context.Context, id engine.ID, url string) error {
	return c.note("announce", written(id), url)
}

func (c *calls) SendDigits(id engine.ID, digits string) error {
	return c.note("dtmf", written(id), digits)
}

func (c *calls) RecordTalk(_ context.Context, id engine.ID, on, announcement bool) error {
	return c.note("record", written(id), fmt.Sprint(on, announcement))
}

func (c *calls) Transfer(id engine.ID, to engine.TransferOrder) error {
	return c.note("transfer", written(id), to.To, fmt.Sprint(to.Attended), to.CallerID)
}

func (c *calls) Originate(o engine.Origination) (engine.ID, error) {
	c.mu.Lock()
	c.originated = append(c.originated, o)
	c.mu.Unlock()
	id, _ := engine.ParseID(callB)
	return id, c.note("originate", o.Account, string(o.Caller.Kind), o.Caller.Value, o.Callee, o.CallerID)
}

func (c *calls) MarkRecording(_ context.Context, account string, id engine.ID, heard bool) error {
	return c.note("mark", account, written(id), fmt.Sprint(heard))
}

func (c *calls) DeleteRecording(_ context.Context, account string, id engine.ID) error {
	return c.note("delete", account, written(id))
}

func (c *calls) note(words ...string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = append(c.done, strings.Join(words, " "))
	return c.err
}

// said is a verb that is never run.
type said string

func (s said) String() string { return string(s) }

func (said) Run(context.Context, *engine.Call) (engine.Next, error) { return engine.Next{}, nil }

func written(id engine.ID) string { return strings.ToUpper(id.Hex()) }

func id(t testing.TB, text string) engine.ID {
	t.Helper()
	id, err := engine.ParseID(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// house are the settings of the tests, changed in memory.
type house struct {
	mu      sync.Mutex
	entries directory.Entries
	err     error
	phones  []directory.Registration
}

// directory is made of what is configured at the moment.
func (h *house) directory() *directory.Directory {
	d, err := directory.New(h.Entries())
	if err != nil {
		panic(err)
	}
	return d
}

// Token finds a token also in a house that is no directory, because it lacks what
// others name.
func (h *house) Token(id string) (directory.Token, bool) {
	for _, t := range h.Entries().Tokens {
		if t.ID == id {
			return t, true
		}
	}
	return directory.Token{}, false
}

func (h *house) NumberNamed(account, number string) (directory.Number, bool) {
	return h.directory().NumberNamed(account, number)
}

func (h *house) UsersOf(n directory.Number) []directory.User { return h.directory().UsersOf(n) }

func (h *house) Registrations() []directory.Registration { return h.phones }

// archive is what is kept in the tests, the newest first.
type archive struct {
	events     []engine.Event
	records    []engine.Record
	recordings []engine.Recording
	err        error
	lists      int // how often recordings or calls were listed
}

// Past filters as a database does, which storetest demands of those.
func (a *archive) Past(_ context.Context, f engine.PastFilter, limit, offset int) (past []engine.Past, total int, err error) {
	a.lists++
	left := map[engine.ID]bool{}
	within := func(at time.Time) bool {
		return (f.From.IsZero() || !at.Before(f.From)) && (f.To.IsZero() || !at.After(f.To))
	}
	party := func(sides ...directory.Address) bool {
		return f.Party == "" || slices.ContainsFunc(sides, func(a directory.Address) bool { return strings.TrimPrefix(a.Value, "+") == f.Party })
	}
	for _, m := range a.recordings {
		if m.Account != f.Account || m.Kind != engine.RecordingMessage {
			continue
		}
		left[m.Call] = true
		if !f.NoMessages && within(m.StartedAt) && party(m.From, m.To) && (len(f.Users) == 0 || slices.Contains(f.Users, m.Box)) {
			past = append(past, engine.Past{Message: m})
		}
	}
	for _, r := range a.records {
		user, by := r.Caller, f.Users
		switch {
		case r.Account != f.Account || !r.Parent.IsZero() || r.EndedAt == nil || left[r.ID] || f.NoCalls:
			continue
		case r.Direction == engine.In && r.AnsweredBy != nil && r.AnsweredBy.Kind == directory.KindUser:
			user = r.AnsweredBy.Value
		case r.Direction == engine.In:
			user, by = r.Number, f.Numbers
		}
		fate := engine.Fate{Direction: r.Direction, Missed: r.Missed()}
		if within(r.StartedAt) && party(r.From, r.To) && (len(f.Users) == 0 || slices.Contains(by, user)) && (len(f.Fates) == 0 || slices.Contains(f.Fates, fate)) {
			of := slices.DeleteFunc(slices.Clone(a.recordings), func(s engine.Recording) bool { return s.Call != r.ID || s.Account != f.Account })
			past = append(past, engine.Past{Call: r, Recordings: of})
		}
	}
	total = len(past)
	past = past[min(offset, total):]
	return past[:min(limit, len(past))], total, a.err
}

// Call gives no timeline.
func (a *archive) Call(_ context.Context, id engine.ID) (engine.Record, []engine.Event, error) {
	for _, r := range a.records {
		if r.ID == id {
			return r, nil, a.err
		}
	}
	return engine.Record{}, nil, cmpOr(a.err, fs.ErrNotExist)
}

func (a *archive) Recordings(_ context.Context, f engine.RecordingFilter, _ int, _ string) (of []engine.Recording, next string, err error) {
	a.lists++
	for _, r := range a.recordings {
		if r.Account == f.Account && (f.Call.IsZero() || f.Call == r.Call) {
			of = append(of, r)
		}
	}
	return of, "", a.err
}

func (a *archive) Recording(_ context.Context, account string, id engine.ID) (engine.Recording, error) {
	for _, r := range a.recordings {
		if r.Account == account && r.ID == id {
			return r, a.err
		}
	}
	return engine.Recording{}, cmpOr(a.err, fs.ErrNotExist)
}

func (a *archive) EventsOf(_ context.Context, account string, kinds []engine.EventKind, limit int) ([]engine.Event, error) {
	if account != "default" {
		return nil, a.err
	}
	events := slices.DeleteFunc(slices.Clone(a.events), func(e engine.Event) bool { return !slices.Contains(kinds, e.Kind) })
	return events[:min(limit, len(events))], a.err
}

func newHouse() *house {
	token := func(shown, account, user string, scopes ...string) directory.Token {
		id, secret, _ := strings.Cut(shown, ":")
		return directory.Token{ID: id, Secret: secret, Account: account, User: user, Scopes: scopes}
	}
	return &house{entries: directory.Entries{
		Accounts: []directory.Account{{ID: "acme"}},
		Apps: []directory.App{
			{Key: "shop", Account: "default", Dialect: "sipgate", IncomingURL: "https://shop.example/in", FallbackURL: "https://b.example", Headers: map[string]string{"X-Key": "secret"}},
			{Key: "other", Account: "acme", Dialect: "sipgate", IncomingURL: "https://other.example"},
		},
		Groups: []directory.Group{{ID: "g0", Account: "default", Name: "Sales", Users: []string{"w0", "carol"}}, {ID: "g0", Account: "acme"}},
		Numbers: []directory.Number{
			{Number: "+4921112345", Account: "default", Users: []string{"w0", "w1"}},
			{Number: "100", Users: []string{"w1"}, Groups: []string{"g0"}},
			{Number: "+4921*", Account: "default"},
			{Number: "+4930", Account: "default"},
			{Number: "+4940", Account: "acme"},
		},
		Users: []directory.User{
			{ID: "w0", Account: "default", Name: "Alice Maria Smith", Email: "alice@example.com", Language: "de-DE", BusyOnBusy: true},
			{ID: "w1", Account: "default"},
			{ID: "w2", Account: "default", CallerID: "+4921100002"},
			{ID: "carol", Account: "default"},
			{ID: "w0", Account: "acme", Name: "Bob"},
		},
		Tokens: []directory.Token{token(mine, "default", "w0"), token(reading, "default", "w1", "rtcm:read"), token(theirs, "acme", "w0")},
	}}
}

func (h *house) Entries() directory.Entries {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.entries
}

func (h *house) Change(_ context.Context, id directory.EntryID, change func(directory.Entry) (directory.Entry, error)) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.entries.All()
	i := slices.IndexFunc(all, func(e directory.Entry) bool { return e.EntryID() == id })
	next, err := change(all[i])
	if err != nil || h.err != nil {
		return false, cmpOr(err, h.err)
	}
	all[i] = next
	h.entries = directory.Entries{}
	h.entries.Add(all...)
	return false, nil
}

func cmpOr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// noSocket is what the system says of a database whose socket is not there, in the
// words of a file that is not.
func noSocket() error { return fmt.Errorf("connect to a socket: %w", syscall.ENOENT) }
