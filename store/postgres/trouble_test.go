// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/internal/pgcluster"
	"github.com/callwright/callwright/store"
)

// began is a new call with one event.
func began(app string) (engine.ID, []engine.Change) {
	id := engine.NewID()
	return id, []engine.Change{
		engine.RecordSaved{Record: engine.Record{ID: id, App: app, StartedAt: time.Now()}},
		engine.EventAdded{Event: engine.Event{Call: id, Seq: 1, At: time.Now()}},
	}
}

// exercise writes and reads everything once.
func exercise(t *testing.T, s *Store) {
	t.Helper()
	id, changes := began("sample")
	r := directory.Registration{Account: "acme", User: "w0", Contact: "sip:x", Expires: time.Now().Add(time.Hour)}
	o := store.Object{Kind: "user", Account: "acme", ID: "w0", Body: []byte(`{}`), UpdatedAt: time.Now()}
	for range 2 {
		s.Append(append(changes, engine.RegistrationSaved{Registration: r})...)
		applied(t, s)
		if err := s.PutObject(t.Context(), o); err != nil {
			t.Error(err)
		}
	}
	if _, events, err := s.Call(t.Context(), id); len(events) != 1 || err != nil {
		t.Errorf("%d events, %v, want 1", len(events), err)
	}
	if kept, err := s.Registrations(t.Context()); len(kept) != 1 || err != nil {
		t.Errorf("%d registrations, %v, want 1", len(kept), err)
	}
	if err := s.DeleteObject(t.Context(), "user", "acme", "w0"); err != nil {
		t.Error(err)
	}
	there(t, s)
}

// applied waits until all that was appended is in the database, which is what a
// test reads: a server that a busy machine keeps silent has it in the journal
// first.
func applied(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Applied(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestTheServerGoesAndComesBack under a store that writes and is followed.
func TestTheServerGoesAndComesBack(t *testing.T) {
	t.Parallel()
	own := pgcluster.Start(t)
	s := opened(t, own.Database(t))
	exercise(t, s)
	object := store.Object{Kind: "user", ID: "w1", Body: []byte(`{}`), UpdatedAt: time.Now()}
	var want []engine.ID
	for range 2 {
		own.Stop(t)
		id, changes := began("sample")
		want = append(want, id)
		s.Append(changes...)
		if err := s.Durable(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Ping(t.Context()); err == nil {
			t.Error("Ping is content though the server is away")
		}
		if err := s.PutObject(t.Context(), object); err == nil {
			t.Error("an object was put though the server is away")
		}
		own.Restart(t)
		if err := s.PutObject(t.Context(), object); err != nil {
			t.Errorf("after the restart: %v", err)
		}
	}
	var got []engine.ID
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	enough := errors.New("enough")
	err := s.Follow(ctx, 1, func(_ int64, e engine.Event) error {
		if got = append(got, e.Call); len(got) == len(want) {
			return enough
		}
		return nil
	})
	if diff := cmp.Diff(want, got); !errors.Is(err, enough) || diff != "" {
		t.Errorf("%v, calls (-want +got):\n%s", err, diff)
	}
}

// TestWhatIsRefusedHoldsUpNothing: the database says that it will never take a
// change, and takes those around it.
func TestWhatIsRefusedHoldsUpNothing(t *testing.T) {
	t.Parallel()
	dsn := cluster.Database(t)
	s := opened(t, dsn)
	cluster.Query(t, dsn, "ALTER TABLE calls ADD CHECK (app <> 'bad')")
	_, bad := began("bad")
	good, changes := began("good")
	far := engine.RecordSaved{Record: engine.Record{ID: engine.NewID(), StartedAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}}
	for name, changes := range map[string][]engine.Change{"constraint": bad, "what cannot be written": {far}} {
		if err := (&writer{s.write}).Write(t.Context(), changes); !errors.Is(err, store.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", name, err)
		}
	}
	s.Append(append(append(bad, changes...), far)...)
	applied(t, s)
	if _, _, err := s.Call(t.Context(), good); err != nil {
		t.Error(err)
	}
}

// TestExpiredRegistrationsGo at a start; nobody else would end them.
func TestExpiredRegistrationsGo(t *testing.T) {
	t.Parallel()
	dsn := cluster.Database(t)
	for range 2 {
		s := opened(t, dsn)
		if got := cluster.Query(t, dsn, "SELECT contact FROM registrations WHERE contact = 'old'"); got != "" {
			t.Errorf("%q is there after a start", got)
		}
		for contact, expires := range map[string]time.Time{"old": time.Now().Add(-time.Second), "new": time.Now().Add(time.Hour)} {
			s.Append(engine.RegistrationSaved{Registration: directory.Registration{User: "w0", Contact: contact, Expires: expires}})
		}
		applied(t, s)
		if got := cluster.Query(t, dsn, "SELECT contact FROM registrations ORDER BY contact"); got != "new\nold\n" {
			t.Errorf("%q are there, want both", got)
		}
	}
}

// TestTheSchemaUsesItsIndexes: a query that walks a whole table is found when
// there are a million calls, so it is asked before.
func TestTheSchemaUsesItsIndexes(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	// Empty tables are walked unless that is made dear.
	if _, err := conn.Exec(t.Context(), "SET enable_seqscan = off; SET enable_bitmapscan = off"); err != nil {
		t.Fatal(err)
	}
	const id = `'01900000-0000-7000-8000-000000000001'`
	for query, want := range map[string]string{
		`SELECT row_to_json(c) FROM calls c WHERE id < ` + id + ` ORDER BY id DESC LIMIT 5`:                       "using calls_pkey",
		`SELECT row_to_json(c) FROM calls c WHERE id = ` + id:                                                     "using calls_pkey",
		`SELECT row_to_json(c) FROM calls c WHERE NOT settled AND 'n' IN ('', node) ORDER BY id`:                  "using calls_open",
		`SELECT row_to_json(e) FROM call_events e WHERE call = ` + id + ` ORDER BY seq DESC LIMIT 1`:              "using call_events_call_seq_key",
		`SELECT row_to_json(e) FROM call_events e WHERE id > 5 ORDER BY id LIMIT 5`:                               "using call_events_pkey",
		`SELECT coalesce(max(id), 0) FROM call_events`:                                                            "using call_events_pkey",
		`DELETE FROM registrations r USING (VALUES ('a', 'b')) AS g (a, u) WHERE r.account = g.a AND user_id = u`: "using registrations_user",
	} {
		rows, err := conn.Query(t.Context(), "EXPLAIN "+query)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(plan, "; "); !strings.Contains(got, want) || strings.Contains(got, "Sort") {
			t.Errorf("%s\nis done by %q, want %q and no sorting", query, got, want)
		}
	}
}
