// SPDX-License-Identifier: MIT

package postgres

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/internal/pgcluster"
)

// patience is how long a test waits for what must come. It is no measure of
// speed: a busy machine may take its time.
const patience = 3 * time.Minute

// load is fifty goroutines that make one call after the other, each durable
// step by step. Every call has the same events, and its record names the last.
type load struct {
	journal engine.Journal
	stop    chan struct{}
	tell    func(engine.ID) // is told each call that is durable to its end
	group   sync.WaitGroup

	steps   atomic.Int64 // that are durable
	changes atomic.Int64 // that are durable
}

// callEvents is how many events each call of the load has.
const callEvents = 6

// running starts a load.
func running(t *testing.T, j engine.Journal, tell func(engine.ID)) *load {
	l := &load{journal: j, stop: make(chan struct{}), tell: tell}
	for range 50 {
		l.group.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				if err := l.call(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	return l
}

// call appends a call from beginning to end.
func (l *load) call() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	id := engine.NewID()
	for seq := 1; seq <= callEvents; seq++ {
		r := engine.Record{ID: id, Chain: id, Account: "default", Direction: engine.In, State: engine.StateAnswered, StartedAt: time.Now(), Number: strconv.Itoa(seq)}
		if seq == callEvents {
			r.State, r.EndedAt, r.Settled = engine.StateEnded, &r.StartedAt, true
		}
		l.journal.Append(engine.RecordSaved{Record: r},
			engine.EventAdded{Event: engine.Event{Call: id, Seq: seq, At: time.Now(), Kind: engine.EventSIP, Text: "INVITE sip:+4921112345@127.0.0.1"}})
		if err := l.journal.Durable(ctx); err != nil {
			return fmt.Errorf("event %d of call %s: %w", seq, id, err)
		}
		l.steps.Add(1)
		l.changes.Add(2)
	}
	l.tell(id)
	return nil
}

// goOn waits until so many more steps are durable.
func (l *load) goOn(t *testing.T, steps int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for until := l.steps.Load() + steps; l.steps.Load() < until; {
		select {
		case <-ctx.Done():
			t.Fatalf("%d steps are missing after %v", until-l.steps.Load(), patience)
		case <-time.After(time.Millisecond):
		}
	}
}

// told keeps the calls that were told to be durable.
type told struct {
	mu  sync.Mutex
	ids []engine.ID
}

func (d *told) add(id engine.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids = append(d.ids, id)
}

// there waits until the database has all.
func there(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for err := s.Ping(ctx); err != nil; err = s.Ping(ctx) {
		if ctx.Err() != nil {
			t.Fatalf("the database does not have everything after %v: %v", patience, err)
		}
		time.Sleep(time.Millisecond)
	}
}

// checkCalls demands every event of every call that was told, once, in the order
// of the call, and the record as the last event left it. A call that was not
// told, because the process was killed, is there as far as it came.
func checkCalls(t *testing.T, s *Store, ids []engine.ID) {
	t.Helper()
	last := map[engine.ID]int{}
	for after := int64(0); ; {
		events, err := s.EventsAfter(t.Context(), after, 5000)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			if e.Seq != last[e.Call]+1 {
				t.Fatalf("event %d of call %s came behind event %d", e.Seq, e.Call, last[e.Call])
			}
			last[e.Call] = e.Seq
			after = e.ID
		}
	}
	for _, id := range ids {
		if last[id] != callEvents {
			t.Errorf("call %s was durable and has %d of %d events", id, last[id], callEvents)
		}
	}
	cursor, records := "", 0
	for {
		page, next, err := s.Calls(t.Context(), 1000, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			records++
			if r.Number != strconv.Itoa(last[r.ID]) || r.Settled != (last[r.ID] == callEvents) {
				t.Errorf("call %s is as event %s left it, but has %d", r.ID, r.Number, last[r.ID])
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	if records != len(last) || records < len(ids) {
		t.Errorf("%d calls are there, with events of %d; %d were durable", records, len(last), len(ids))
	}
	t.Logf("%d calls were told to be durable, %d are there with %d events and more", len(ids), records, callEvents*len(ids))
}

// TestTheServerCrashesUnderCalls again and again, and nobody notices.
func TestTheServerCrashesUnderCalls(t *testing.T) {
	t.Parallel()
	c := pgcluster.Start(t)
	said := &figures{Handler: slog.DiscardHandler, t: t}
	s, err := Open(t.Context(), c.Database(t), filepath.Join(t.TempDir(), "journal"), slog.New(said))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	var calls told
	l := running(t, s, calls.add)
	const steps = 1000
	for round := range 4 {
		l.goOn(t, steps)
		before := l.changes.Load()
		if round%2 == 0 {
			c.Crash(t)
		} else {
			c.Stop(t)
		}
		l.goOn(t, steps) // durable without the database
		if err := s.Health(); err != nil {
			t.Errorf("health is %v, but the journal takes everything", err)
		}
		if err := s.Ping(t.Context()); err == nil {
			t.Error("nobody is told that the database is away")
		}
		c.Restart(t)
		back, while := time.Now(), l.changes.Load()-before
		there(t, s)
		t.Logf("%d changes were durable while the server was away; all was replayed %v after it was back, under load",
			while, time.Since(back).Round(time.Millisecond))
	}
	close(l.stop)
	l.group.Wait()
	there(t, s)
	checkCalls(t, s, calls.ids)
	// A busy machine may keep the server silent for a while besides.
	began, over := said.count("the database takes no changes"), said.count("the database takes changes again")
	if over < 4 || began != over {
		t.Errorf("%d outages were logged as begun and %d as over, want each once, and the 4 among them", began, over)
	}
}

// figures is a log that shows the figures of a replay and counts messages.
type figures struct {
	slog.Handler
	t  *testing.T
	mu sync.Mutex
	// messages are what was logged.
	messages []string
}

func (f *figures) Enabled(context.Context, slog.Level) bool { return true }

func (f *figures) Handle(_ context.Context, r slog.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages = append(f.messages, r.Message)
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	f.t.Log(text)
	return nil
}

func (f *figures) count(part string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.messages {
		if strings.Contains(m, part) {
			n++
		}
	}
	return n
}

const (
	// childDSN and childJournal are environment variables that make the test
	// binary the process that is killed.
	childDSN     = "CALLWRIGHT_FAULT_DSN"
	childJournal = "CALLWRIGHT_FAULT_JOURNAL"
	// childTells is what it says before the id of a durable call.
	childTells = "durable "
)

// TestTheWriterIsKilled while the server is away, and while the journal is
// replayed.
func TestTheWriterIsKilled(t *testing.T) {
	if dsn := os.Getenv(childDSN); dsn != "" {
		child(t, dsn, os.Getenv(childJournal))
		return
	}
	t.Parallel()
	for name, replaying := range map[string]bool{"away": false, "replaying": true} {
		t.Run(name, func(t *testing.T) {
			c := pgcluster.Start(t)
			dsn, folder := c.Database(t), filepath.Join(t.TempDir(), "journal")
			var calls told
			for range 2 { // the second begins with what the first left
				p := spawn(t, dsn, folder, &calls)
				p.hear(t, 200)
				c.Crash(t)
				p.hear(t, 400)
				if !replaying {
					p.kill(t)
					c.Restart(t)
					continue
				}
				c.Restart(t)
				events := func() string { return c.Query(t, dsn, `SELECT count(*) FROM call_events`) }
				for before := events(); events() == before; { // until the first are replayed
					if t.Failed() {
						return
					}
				}
				p.kill(t)
			}
			s, err := Open(t.Context(), dsn, folder, slog.New(&figures{Handler: slog.DiscardHandler, t: t}))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close(context.Background())
			checkCalls(t, s, calls.ids)
		})
	}
}

// process is a child that appends calls.
type process struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	calls *told
}

// spawn starts this test in another process.
func spawn(t *testing.T, dsn, folder string, calls *told) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTheWriterIsKilled$", "-test.v")
	cmd.Env = append(os.Environ(), childDSN+"="+dsn, childJournal+"="+folder)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // it ends when this does
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &process{cmd, bufio.NewScanner(out), calls}
}

// next gives the next call that the process tells.
func (p *process) next(said *[]string) bool {
	for p.lines.Scan() {
		text, ok := strings.CutPrefix(p.lines.Text(), childTells)
		if !ok {
			*said = append(*said, p.lines.Text())
			continue
		}
		id, err := engine.ParseID(text)
		if err != nil {
			return false // the line it was killed in
		}
		p.calls.add(id)
		return true
	}
	return false
}

// hear waits until the process has told so many calls.
func (p *process) hear(t *testing.T, calls int) {
	t.Helper()
	var said []string
	for range calls {
		if !p.next(&said) {
			t.Fatalf("the process ended by itself: %v\n%s", p.cmd.Wait(), strings.Join(said, "\n"))
		}
	}
}

// kill kills the process and hears what it had said before.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for p.next(&said) {
	}
	if err := p.cmd.Wait(); err == nil || len(said) > 0 && strings.Contains(strings.Join(said, "\n"), "FAIL") {
		t.Errorf("the process ended by itself: %v\n%s", err, strings.Join(said, "\n"))
	}
}

// child appends calls until it is killed.
func child(t *testing.T, dsn, folder string) {
	s, err := Open(t.Context(), dsn, folder, quiet())
	if err != nil {
		t.Fatal(err)
	}
	running(t, s, func(id engine.ID) { fmt.Println(childTells + id.String()) })
	_, _ = io.Copy(io.Discard, os.Stdin) // ends with the parent
	os.Exit(1)
}
