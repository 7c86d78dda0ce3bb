// SPDX-License-Identifier: MIT

package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
)

func reopened(t *testing.T, db Database) {
	place := db.Create(t)
	s := open(t, db, place)
	record := fullRecord()
	event := fullEvent(record.ID, 1)
	s.Append(saved(record), added(event)) // not durable: Close must see to it
	shut(t, s)
	shut(t, s) // again

	s = open(t, db, place)
	gotRecord, gotEvents := timeline(t, s, record.ID)
	if diff := cmp.Diff(record, gotRecord); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]engine.Event{event}, gotEvents); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func durableGivesUp(t *testing.T, db Database) {
	s := fresh(t, db)
	if err := s.Durable(waiting(t)); err != nil {
		t.Errorf("with nothing to wait for: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 100 {
		s.Append(begun(ringing(), 1)...)
		if err := s.Durable(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("error is %v, want nil or context.Canceled", err)
		}
	}
	durable(t, s)
}

// fifty append at a time, each its own calls one after the other.
func fifty(t *testing.T, db Database) {
	const appenders, callsEach, events = 50, 4, 6
	s := fresh(t, db)
	ids := make([][]engine.ID, appenders)
	var group sync.WaitGroup
	for i := range appenders {
		group.Go(func() {
			for range callsEach {
				r := ringing()
				ids[i] = append(ids[i], r.ID)
				s.Append(saved(r), added(happened(r.ID, 1)))
				for seq := 2; seq <= events; seq++ {
					s.Append(added(happened(r.ID, seq)))
				}
				r.State = engine.StateEnded
				s.Append(saved(r))
				if err := s.Durable(waiting(t)); err != nil {
					t.Error(err)
				}
				if got, kept, err := s.Call(waiting(t), r.ID); err != nil || got.State != engine.StateEnded || len(kept) != events {
					t.Errorf("right after Durable: state %q, %d events, %v", got.State, len(kept), err)
				}
			}
		})
	}
	group.Wait()
	last := map[engine.ID]int{}
	for _, e := range collect(t, s, 0, appenders*callsEach*events) {
		if e.Seq != last[e.Call]+1 {
			t.Fatalf("event %d of call %s came after event %d", e.Seq, e.Call, last[e.Call])
		}
		last[e.Call] = e.Seq
	}
	if len(last) != appenders*callsEach {
		t.Errorf("events of %d calls, want %d", len(last), appenders*callsEach)
	}
}

const (
	// childPlace is the environment variable that makes the test binary the
	// child, and tells it which database to open.
	childPlace = "CALLWRIGHT_STORETEST_PLACE"
	// childEvents is how many events come with each of the child's calls.
	childEvents = 3
	// childTells is what the child says before the id of a durable call.
	childTells = "durable "
	// childCalls is how many durable calls the parent lets the child live for.
	childCalls = 200
)

// killed runs this very test in another process, which appends calls until it
// is killed in the midst of it.
func killed(t *testing.T, db Database) {
	if place := os.Getenv(childPlace); place != "" {
		child(t, db, place)
		return
	}
	place := db.Create(t)
	told := killChild(t, place)

	s := open(t, db, place)
	for _, id := range told {
		if _, events, err := s.Call(waiting(t), id); err != nil || len(events) != childEvents {
			t.Errorf("call %s was told durable: %d events, %v", id, len(events), err)
		}
	}
	// What was not told is there as a whole or not at all.
	records, err := s.OpenRecords(waiting(t), "")
	if err != nil {
		t.Fatal(err)
	}
	if len(records) < len(told) {
		t.Errorf("%d calls are open, %d were told durable", len(records), len(told))
	}
	for _, r := range records {
		if last, err := s.LastEvent(waiting(t), r.ID); last.Seq != childEvents || err != nil {
			t.Errorf("call %s is there with %d of %d events, %v", r.ID, last.Seq, childEvents, err)
		}
	}
	known := map[engine.ID]bool{}
	for _, r := range records {
		known[r.ID] = true
	}
	for _, e := range collect(t, s, 0, len(records)*childEvents) {
		if !known[e.Call] {
			t.Errorf("event %d is there without its call %s", e.Seq, e.Call)
		}
	}
	keep(t, s, begun(ringing(), 1)...) // and the database goes on
	t.Logf("%d calls told durable, %d found", len(told), len(records))
}

// killChild gives the calls that the child told durable before it was killed.
func killChild(t *testing.T, place string) []engine.ID {
	parts := strings.Split(t.Name(), "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	cmd := exec.CommandContext(waiting(t), os.Args[0], "-test.run="+strings.Join(parts, "/"), "-test.v")
	cmd.Env = append(os.Environ(), childPlace+"="+place)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var told []engine.ID
	var said []string
	for lines := bufio.NewScanner(stdout); lines.Scan(); { // also what it said before the signal came
		said = append(said, lines.Text())
		text, ok := strings.CutPrefix(lines.Text(), childTells)
		if !ok {
			continue
		}
		id, err := engine.ParseID(text)
		if err != nil {
			break // the line it was killed in
		}
		if told = append(told, id); len(told) == childCalls {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	if len(told) < childCalls {
		t.Fatalf("the child ended by itself (%v) after %d calls: %s", err, len(told), strings.Join(said, "\n"))
	}
	return told
}

// child appends without end. It tells of one call in five and has others under
// way all the time, so that the signal meets it at work.
func child(t *testing.T, db Database, place string) {
	go func() {
		// The parent is gone when its end of the pipe is.
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	ctx := context.Background()
	s, err := db.Open(ctx, place)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		r := ringing()
		s.Append(begun(r, childEvents)...)
		if i%5 > 0 {
			continue
		}
		if err := s.Durable(ctx); err != nil {
			t.Fatal(err)
		}
		fmt.Println(childTells + r.ID.String())
	}
}
