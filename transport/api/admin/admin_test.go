// SPDX-License-Identifier: MIT

package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
	"github.com/callwright/callwright/transport/api/admin"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// archive is what a store keeps, in memory.
type archive struct {
	records []engine.Record // the newest first
	events  []engine.Event
	err     error
	asked   int // the limit that was asked for
}

func (a *archive) Calls(_ context.Context, limit int, cursor string) ([]engine.Record, string, error) {
	a.asked = limit
	from := 0
	if cursor != "" {
		for from < len(a.records) && a.records[from].ID.Hex() != cursor {
			from++
		}
		if from == len(a.records) {
			return nil, "", fs.ErrInvalid
		}
	}
	to := min(from+limit, len(a.records))
	if to == len(a.records) {
		return a.records[from:to], "", a.err
	}
	return a.records[from:to], a.records[to].ID.Hex(), a.err
}

func (a *archive) Call(_ context.Context, id engine.ID) (engine.Record, []engine.Event, error) {
	for _, r := range a.records {
		if r.ID == id {
			var timeline []engine.Event
			for _, e := range a.events {
				if e.Call == id {
					timeline = append(timeline, e)
				}
			}
			return r, timeline, a.err
		}
	}
	return engine.Record{}, nil, fs.ErrNotExist
}

// start serves the face on a port of the kernel's.
func start(t *testing.T, calls admin.Calls, feed admin.Feed) (*api.Server, string) {
	t.Helper()
	return serve(t, admin.Config{Calls: calls, Feed: feed})
}

// token is that of every server here.
const token = "of the tests"

func serve(t *testing.T, c admin.Config) (*api.Server, string) {
	t.Helper()
	s := api.New(api.Config{Listen: "127.0.0.1:0", Token: token})
	s.MountAdmin("/api/v1", admin.New(c))
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s, "http://" + s.Addr().String() + "/api/v1"
}

// get asks for JSON.
func get(t *testing.T, url string) (int, []byte) {
	t.Helper()
	status, header, body := ask(t, "GET", url, "")
	if got := header.Get("Content-Type"); got != "application/json" {
		t.Errorf("%s has the content type %q", url, got)
	}
	return status, body
}

// golden compares JSON with a file, laid out for the eye.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, got, "", "  "); err != nil {
		t.Fatalf("%s: %v in %s", name, err, got)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func id(t *testing.T, s string) engine.ID {
	t.Helper()
	id, err := engine.ParseID(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// sample is a call that ended, its child, and one that rings, each in another
// time zone than UTC as a store may give them.
func sample(t *testing.T) *archive {
	ended, child, rings := id(t, "0199aa00000070008000000000000001"), id(t, "0199aa00000170008000000000000002"), id(t, "0199aa00000270008000000000000003")
	zone := time.FixedZone("", 2*60*60)
	at := func(second int) time.Time { return time.Date(2026, 3, 1, 14, 0, second, 250e6, zone) }
	ref := func(t time.Time) *time.Time { return &t }
	user := directory.Address{Kind: directory.KindUser, Value: "w0", Name: "Alice"}
	caller := directory.Address{Kind: directory.KindNumber, Value: "+4915112345678", Name: "Bob"}
	number := directory.NumberAddress("+4921112345")
	return &archive{
		records: []engine.Record{
			{ID: rings, Account: "default", App: "demo", Number: "+4921112345", Direction: engine.In, From: directory.Anonymous(), To: number, Chain: rings, State: engine.StateRinging, StartedAt: at(9)},
			{ID: child, Account: "default", App: "demo", Direction: engine.Out, Caller: "w1", From: caller, To: user, Parent: ended, Chain: ended, State: engine.StateEnded, Cause: engine.CauseNoAnswer, StartedAt: at(2), EndedAt: ref(at(7))},
			{ID: ended, Account: "default", App: "demo", Number: "+4921112345", Direction: engine.In, From: caller, To: number, Diversion: "+4921199999", Chain: ended, Node: "a", State: engine.StateEnded, Cause: engine.CauseNormal, AnsweredBy: &user, StartedAt: at(0), AnsweredAt: ref(at(1)), EndedAt: ref(at(8)), Dialect: engine.DialectState{"onHangup": "http://secret"}},
		},
		events: []engine.Event{
			{Call: ended, Seq: 1, At: at(0), Kind: engine.EventIncoming, Text: "call from +4915112345678"},
			{Call: child, Seq: 1, At: at(2), Kind: engine.EventOutgoing, Text: "ringing w0", Data: engine.Data{Party: &user}},
			{Call: ended, Seq: 2, At: at(2), Kind: engine.EventReply, Text: "newCall: 200", Data: engine.Data{Name: "newCall", Status: 200, Body: "<Response>\n<Hangup/></Response>", Millis: 12}},
			{Call: ended, Seq: 3, At: at(8), Kind: engine.EventEnded, Text: "ended: normal", Data: engine.Data{Cause: engine.CauseNormal, Other: child}},
		},
	}
}

func TestListCalls(t *testing.T) {
	t.Parallel()
	a := sample(t)
	_, url := start(t, a, newFeed())
	status, first := get(t, url+"/calls?limit=2")
	if status != http.StatusOK {
		t.Fatalf("got %d %s", status, first)
	}
	golden(t, "calls-first.json", first)
	var page struct{ Next string }
	if err := json.Unmarshal(first, &page); err != nil {
		t.Fatal(err)
	}
	_, last := get(t, url+"/calls?limit=2&cursor="+page.Next)
	golden(t, "calls-last.json", last)

	if get(t, url+"/calls?limit=&cursor="); a.asked != 50 {
		t.Errorf("without a limit %d were asked for", a.asked)
	}
	a.records = nil
	_, none := get(t, url+"/calls")
	golden(t, "calls-none.json", none)
}

func TestShowCall(t *testing.T) {
	t.Parallel()
	a := sample(t)
	_, url := start(t, a, newFeed())
	_, dashed := get(t, url+"/calls/"+a.records[2].ID.String())
	golden(t, "call-ended.json", dashed)
	if _, plain := get(t, url+"/calls/"+strings.ToUpper(a.records[2].ID.Hex())); !bytes.Equal(plain, dashed) {
		t.Errorf("without dashes it is %s", plain)
	}
	_, child := get(t, url+"/calls/"+a.records[1].ID.String())
	golden(t, "call-child.json", child)
	_, rings := get(t, url+"/calls/"+a.records[0].ID.String())
	golden(t, "call-ringing.json", rings)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	_, url := start(t, sample(t), newFeed())
	for _, test := range []struct {
		path   string
		status int
		says   string
	}{
		{"/calls?limit=0", 400, `limit is "0"; give a number from 1 to 1000`},
		{"/calls?limit=-1", 400, `limit is "-1"; give a number from 1 to 1000`},
		{"/calls?limit=1001", 400, `limit is "1001"; give a number from 1 to 1000`},
		{"/calls?limit=all", 400, `limit is "all"; give a number from 1 to 1000`},
		{"/calls?limit=99999999999999999999", 400, `limit is "99999999999999999999"; give a number from 1 to 1000`},
		{"/calls?cursor=x", 400, `cursor is "x"; give what "next" of the page before said, or nothing for the newest calls`},
		{"/calls?limit=%zz", 400, `the query cannot be read: invalid URL escape "%zz"; escape it as a URL wants`},
		{"/calls/0199aa00-0000-7000-8000-0000000000ff", 404, `there is no call 0199aa00-0000-7000-8000-0000000000ff; GET calls lists those there are`},
		{"/calls/00000000000000000000000000000000", 404, `there is no call 00000000-0000-0000-0000-000000000000; GET calls lists those there are`},
		{"/calls/1", 404, `there is no call "1"; an id is 32 hexadecimal digits, with or without dashes`},
		{"/calls/", 404, `there is nothing at /api/v1/calls/; check the path`},
		{"/events?after=x", 400, `after is "x"; give the id of an event in this stream, or 0 for all events`},
		{"/events?after=-1", 400, `after is "-1"; give the id of an event in this stream, or 0 for all events`},
		{"/events?call=x", 400, `call is "x"; give the id of a call, 32 hexadecimal digits with or without dashes`},
		{"/events?call=", 400, `call is ""; give the id of a call, 32 hexadecimal digits with or without dashes`},
		{"/events?a;b", 400, `the query cannot be read: invalid semicolon separator in query; escape it as a URL wants`},
	} {
		status, body := get(t, url+test.path)
		var got struct{ Error string }
		if err := json.Unmarshal(body, &got); err != nil || status != test.status || got.Error != test.says {
			t.Errorf("%s: got %d %s, want %d %s", test.path, status, body, test.status, test.says)
		}
	}
}

func TestStoreInTrouble(t *testing.T) {
	t.Parallel()
	a := sample(t)
	// What the system says when the socket of a database is gone.
	a.err = fmt.Errorf("disk on fire: %w", syscall.ENOENT)
	feed := newFeed()
	feed.err = a.err
	_, url := start(t, a, feed)
	for path, want := range map[string]int{"/calls": 503, "/calls/" + a.records[0].ID.Hex(): 503, "/events": 503} {
		if status, body := get(t, url+path); status != want || strings.Contains(string(body), "fire") {
			t.Errorf("%s: got %d %s", path, status, body)
		}
	}
}
