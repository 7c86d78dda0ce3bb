// SPDX-License-Identifier: MIT

package storetest

import (
	"errors"
	"io/fs"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

func everyField(t *testing.T, db Database) {
	s := fresh(t, db)
	record := fullRecord()
	event := fullEvent(record.ID, 1)
	demandFull(t, reflect.ValueOf(record), "Record")
	demandFull(t, reflect.ValueOf(event), "Event")
	keep(t, s, saved(record), added(event))

	gotRecord, gotEvents := timeline(t, s, record.ID)
	if diff := cmp.Diff(record, gotRecord); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]engine.Event{event}, gotEvents); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	listed, _, err := s.Calls(waiting(t), 1, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]engine.Record{record}, listed); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

func almostEmpty(t *testing.T, db Database) {
	s := fresh(t, db)
	record := engine.Record{ID: engine.NewID(), StartedAt: moment}
	event := engine.Event{Call: record.ID, Seq: 1, At: moment}
	keep(t, s, saved(record), added(event))
	gotRecord, gotEvents := timeline(t, s, record.ID)
	if diff := cmp.Diff(record, gotRecord); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]engine.Event{event}, gotEvents); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func replaced(t *testing.T, db Database) {
	s := fresh(t, db)
	first := fullRecord()
	second := engine.Record{ID: first.ID, App: "other", StartedAt: moment.AddDate(0, 0, 1)}
	keep(t, s, saved(first))
	keep(t, s, saved(second))
	got, _ := timeline(t, s, first.ID)
	if diff := cmp.Diff(second, got); diff != "" {
		t.Errorf("all of the first save must be gone (-want +got):\n%s", diff)
	}
}

// strange: what comes from outside must not hold up the journal, whatever
// bytes are in it.
func strange(t *testing.T, db Database) {
	s := fresh(t, db)
	record := ringing()
	record.From.Name = "a\x00b\xff"
	record.Diversion = "a\x00b\xff"
	text := happened(record.ID, 1)
	text.Text, text.Data.Body = "a\x00b\xff", "a\x00b\xff"
	nan := happened(record.ID, 2)
	nan.Data.Figures = map[string]float64{"jitter": math.NaN()}
	keep(t, s, saved(record), added(text), added(nan), added(happened(record.ID, 3)))

	got, events := timeline(t, s, record.ID)
	if len(events) != 3 {
		t.Fatalf("got %d events, want 3", len(events))
	}
	for _, s := range []string{got.From.Name, got.Diversion, events[0].Text, events[0].Data.Body} {
		if !strings.HasPrefix(s, "a") || !strings.Contains(s, "b") {
			t.Errorf("got %q, want at least the letters a and b of it", s)
		}
	}
	if said, _ := events[1].Data.Figures.(string); !strings.Contains(said, "could not be written") {
		t.Errorf("figures are %v, want a sentence that they could not be written", events[1].Data.Figures)
	}
}

func notFound(t *testing.T, db Database) {
	s := fresh(t, db)
	_, _, err := s.Call(waiting(t), engine.NewID())
	if !errors.Is(err, store.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v, want ErrNotFound", err)
	}
	records, next, err := s.Calls(waiting(t), 10, "")
	if len(records) != 0 || next != "" || err != nil {
		t.Errorf("got %v, %q, %v, want nothing", records, next, err)
	}
	if last, err := s.LastEvent(waiting(t), engine.NewID()); last.Seq != 0 || err != nil {
		t.Errorf("last event is %v, %v, want none", last, err)
	}
	if err := s.Ping(waiting(t)); err != nil {
		t.Error(err)
	}
}

func eventOrder(t *testing.T, db Database) {
	s := fresh(t, db)
	record := ringing()
	s.Append(saved(record))
	// In an order of their own, and with the clock running back.
	for _, seq := range []int{1, 2, 4, 3, 11, 10} {
		e := happened(record.ID, seq)
		e.At = moment.AddDate(0, 0, -seq)
		s.Append(added(e))
	}
	durable(t, s)
	_, events := timeline(t, s, record.ID)
	var seqs []int
	for _, e := range events {
		seqs = append(seqs, e.Seq)
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4, 10, 11}, seqs); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if last, err := s.LastEvent(waiting(t), record.ID); last.Seq != 11 || last.Call != record.ID || err != nil {
		t.Errorf("last seq is %d, %v, want 11", last.Seq, err)
	}
}

func replay(t *testing.T, db Database) {
	place := db.Create(t)
	record := ringing()
	ended := fullRecord()
	ended.ID = record.ID
	journal := append(begun(record, 3), saved(ended), added(fullEvent(record.ID, 4)))
	s := open(t, db, place)
	for range 2 { // in one transaction or two, and then after a start
		s.Append(journal...)
	}
	durable(t, s)
	before := eventIDs(t, s, 4)
	keep(t, s, journal...)
	shut(t, s)
	s = open(t, db, place)
	keep(t, s, journal...)

	got, events := timeline(t, s, record.ID)
	if diff := cmp.Diff(ended, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if len(events) != 4 {
		t.Errorf("got %d events, want 4", len(events))
	}
	// Whoever followed up to here would get a moved event again.
	if diff := cmp.Diff(before, eventIDs(t, s, 4)); diff != "" {
		t.Errorf("ids of the events (-want +got):\n%s", diff)
	}
}

func openCalls(t *testing.T, db Database) {
	s := fresh(t, db)
	var want []engine.Record
	for i := range 6 {
		r := ringing()
		s.Append(saved(r))
		if i%2 == 1 {
			ended := moment
			r.State, r.EndedAt = engine.StateEnded, &ended
			s.Append(saved(r))
		}
		if i%3 == 0 {
			r.Settled = true
			s.Append(saved(r))
			continue
		}
		want = append(want, r)
	}
	durable(t, s)
	got, err := s.OpenRecords(waiting(t), "")
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(want, byID)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("open calls, oldest first (-want +got):\n%s", diff)
	}
}

func nodesCalls(t *testing.T, db Database) {
	s := fresh(t, db)
	want := map[string][]engine.Record{}
	for i := range 6 {
		r := ringing()
		r.Node = []string{"a", "b", ""}[i%3]
		s.Append(saved(r))
		want[r.Node] = append(want[r.Node], r)
	}
	durable(t, s)
	for node, count := range map[string]int{"a": 2, "b": 2, "": 6, "c": 0} {
		got, err := s.OpenRecords(waiting(t), node)
		if err != nil || len(got) != count {
			t.Fatalf("node %q: %d open calls, %v, want %d", node, len(got), err, count)
		}
		if node == "" {
			continue
		}
		slices.SortFunc(want[node], byID)
		if diff := cmp.Diff(want[node], got); diff != "" {
			t.Errorf("node %q (-want +got):\n%s", node, diff)
		}
	}
}

func byID(a, b engine.Record) int { return strings.Compare(a.ID.Hex(), b.ID.Hex()) }

// talked: only what was said by trunks after the moment counts.
func talked(t *testing.T, db Database) {
	s := fresh(t, db)
	since := time.Now().UTC().Truncate(time.Second)
	call := func(change func(*engine.Record), answered, ended time.Duration) {
		r := fullRecord()
		from, to := since.Add(answered), since.Add(ended)
		r.AnsweredAt, r.EndedAt = &from, &to
		change(&r)
		s.Append(saved(r))
	}
	plain := func(*engine.Record) {}
	call(plain, time.Second, 61*time.Second)
	call(plain, -time.Hour, 1500*time.Millisecond) // a second and a half of it
	call(plain, -time.Hour, -time.Second)
	call(func(r *engine.Record) { r.Trunk = "" }, 0, time.Minute)
	call(func(r *engine.Record) { r.Direction = engine.In }, 0, time.Minute)
	call(func(r *engine.Record) { r.AnsweredAt = nil }, 0, time.Minute)
	durable(t, s)
	got, err := s.Talked(t.Context(), since)
	if want := 61500 * time.Millisecond; err != nil || got.Round(time.Millisecond) != want {
		t.Errorf("talked %s, %v, want %s", got, err, want)
	}
	if got, err := s.Talked(t.Context(), since.Add(time.Hour)); err != nil || got != 0 {
		t.Errorf("talked %s after the last call, %v", got, err)
	}
	// A server that dies leaves calls open: they may have gone on until now.
	call(func(r *engine.Record) { r.EndedAt = nil }, -time.Minute, 0)
	durable(t, s)
	if got, err := s.Talked(t.Context(), since.Add(-time.Hour)); err != nil || got < time.Hour+time.Minute+time.Minute {
		t.Errorf("talked %s with a call that has not ended, %v", got, err)
	}
}
