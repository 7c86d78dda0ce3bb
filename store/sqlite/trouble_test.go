// SPDX-License-Identifier: MIT

package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// lines counts what is logged and lets a test wait for it.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
	came chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	l.came <- struct{}{}
	return len(p), nil
}

// TestAFullDisk fills the file in the midst of a transaction.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	log := &lines{came: make(chan struct{}, 10)}
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "calls.db"), t.TempDir(), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	pages := func(most string) { // SQLite's own way to be full
		if _, err := s.write.Exec("PRAGMA max_page_count = " + most); err != nil {
			t.Error(err)
		}
	}
	pages("1") // no more than there are now
	record := engine.Record{ID: engine.NewID(), StartedAt: time.Now()}
	changes := []engine.Change{engine.RecordSaved{Record: record}}
	for seq := 1; seq <= 50; seq++ {
		e := engine.Event{Call: record.ID, Seq: seq, At: time.Now(), Data: engine.Data{Body: strings.Repeat("x", 4000)}}
		changes = append(changes, engine.EventAdded{Event: e})
	}
	message := engine.Recording{ID: engine.NewID(), Account: "acme", Kind: engine.RecordingMessage, Box: "w0", StartedAt: time.Now()}
	s.Append(append(changes, engine.RecordingSaved{Recording: message})...)
	<-log.came
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	err = s.Ping(ctx)
	for ; err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "did not answer within"); err = s.Ping(ctx) {
		time.Sleep(time.Millisecond) // a busy machine's disk: it is asked again
	}
	if err == nil || !strings.Contains(err.Error(), "full") || !strings.Contains(err.Error(), "52 wait") {
		t.Errorf("Ping gives %v, want that the disk is full and 52 wait", err)
	}
	// Nobody says that there is no such thing.
	_, _, ofCall := s.Call(t.Context(), record.ID)
	_, ofRecording := s.Recording(t.Context(), "acme", message.ID)
	_, _, ofPage := s.Recordings(t.Context(), engine.RecordingFilter{ID: message.ID}, 1, "")
	for name, err := range map[string]error{"Call": ofCall, "Recording": ofRecording, "Recordings": ofPage} {
		if err == nil || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "it may be among what waits") {
			t.Errorf("%s gives %v", name, err)
		}
	}
	if found, _, err := s.Recordings(t.Context(), engine.RecordingFilter{Account: "acme"}, 1, ""); len(found) != 0 || err != nil {
		t.Errorf("%d recordings, %v: a part of what belongs together is there", len(found), err)
	}
	if err := s.Durable(ctx); err != nil || s.Health() != nil {
		t.Errorf("Durable gives %v, Health %v, but there is the journal", err, s.Health())
	}
	pages("1000000")
	if err := s.Applied(ctx); err != nil { // all is in the file
		t.Error(err)
	}
	<-log.came
	if _, err := s.Recording(ctx, "acme", message.ID); err != nil {
		t.Errorf("Recording gives %v", err)
	}
	if found, _, err := s.Recordings(ctx, engine.RecordingFilter{ID: engine.NewID()}, 1, ""); len(found) != 0 || err != nil {
		t.Errorf("no recording is %d, %v", len(found), err)
	}
	if _, events, err := s.Call(ctx, record.ID); len(events) != 50 || err != nil {
		t.Errorf("%d events are there, %v, want 50", len(events), err)
	}
	if err := s.Ping(ctx); err != nil {
		t.Errorf("Ping gives %v after the trouble", err)
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	if n := strings.Count(log.text.String(), "\n"); n != 2 {
		t.Errorf("the log has %d lines, want 2:\n%s", n, &log.text)
	}
}

// TestTheSchemaUsesItsIndexes: a query that walks a whole table is found when
// there are a million calls, so it is asked before.
func TestTheSchemaUsesItsIndexes(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "calls.db"), t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	for query, want := range map[string]string{
		`SELECT * FROM calls WHERE id < 'x' ORDER BY id DESC LIMIT 5`:    "USING PRIMARY KEY",
		`SELECT * FROM calls WHERE id = 'x'`:                             "USING PRIMARY KEY",
		`SELECT * FROM calls WHERE settled = 0 ORDER BY id`:              "USING INDEX calls_open",
		`SELECT * FROM call_events WHERE call = 'x' ORDER BY seq`:        "(call=?)",
		`SELECT coalesce(max(seq), 0) FROM call_events WHERE call = 'x'`: "(call=?)",
		`SELECT * FROM call_events WHERE id > 5 ORDER BY id LIMIT 5`:     "USING INTEGER PRIMARY KEY",
		`SELECT coalesce(max(id), 0) FROM call_events`:                   "SEARCH call_events",
	} {
		plan, err := all(t.Context(), s.read, func(r row) (string, error) {
			var id, parent, unused int
			var detail string
			err := r.Scan(&id, &parent, &unused, &detail)
			return detail, err
		}, "EXPLAIN QUERY PLAN "+query)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(plan, "; "); !strings.Contains(got, want) || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s\nis done by %q, want %q and no sorting", query, got, want)
		}
	}
}
