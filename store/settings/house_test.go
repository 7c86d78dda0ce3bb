// SPDX-License-Identifier: MIT

package settings_test

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/store"
	"github.com/callwright/callwright/store/settings"
)

// shelf is a Store in memory.
type shelf struct {
	mu   sync.Mutex
	rows map[directory.EntryID]store.Object
	away error
	puts int
}

func (s *shelf) Objects(context.Context) (rows []store.Object, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range s.rows {
		rows = append(rows, row)
	}
	return rows, s.away
}

func (s *shelf) PutObject(_ context.Context, o store.Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return s.away
	}
	if err := o.Check(); err != nil {
		return err
	}
	s.rows[directory.EntryID{Kind: o.Kind, Account: o.Account, ID: o.ID}] = o
	s.puts++
	return nil
}

func (s *shelf) DeleteObject(_ context.Context, kind, account, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away == nil {
		delete(s.rows, directory.EntryID{Kind: kind, Account: account, ID: id})
	}
	return s.away
}

// house is settings that can be opened again.
type house struct {
	*settings.Settings
	store settings.Store
	key   string
	log   strings.Builder
}

// open starts, or starts again, with what the file says.
func (h *house) open(t *testing.T, file directory.Entries) {
	t.Helper()
	if err := h.try(file); err != nil {
		t.Fatal(err)
	}
}

func (h *house) try(file directory.Entries) error {
	h.log.Reset()
	key, err := settings.NewKey(h.key)
	if err != nil {
		return err
	}
	h.Settings, err = settings.Open(context.Background(), settings.Config{
		Store: h.store, File: file, Sample: directory.Entries{Numbers: []directory.Number{{Number: "*"}}},
		Dialects: []string{"sipgate"}, Key: key, KeyName: "encryption_key",
		Log: slog.New(slog.NewTextHandler(&h.log, nil)),
	})
	return err
}

func newHouse() (*house, *shelf) {
	s := &shelf{rows: map[directory.EntryID]store.Object{}}
	return &house{store: s, key: "the key of the house"}, s
}

// put makes or changes an entry.
func (h *house) put(e directory.Entry) error {
	_, err := h.Change(context.Background(), e.EntryID(), func(directory.Entry) (directory.Entry, error) { return e, nil })
	return err
}

// must fails when something that should work does not.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// check compares what holds now with what should.
func (h *house) check(t *testing.T, want directory.Entries) {
	t.Helper()
	if diff := cmp.Diff(want, h.Entries(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

var (
	shop  = directory.App{Key: "shop", Account: "default", Dialect: "sipgate", IncomingURL: "http://shop.example/", Secret: "open sesame"}
	alice = directory.User{ID: "w0", Account: "default", Name: "Alice", Username: "alice", Password: "wonder"}
	sales = directory.Group{ID: "g0", Account: "default", Users: []string{"w0"}}
	hello = directory.Number{Number: "+4921112345", Account: "default", App: "shop", Users: []string{"w0"}, Groups: []string{"g0"}}
	lines = directory.Trunk{Name: "carrier", Account: "default", Address: "192.0.2.1:5060", Username: "me", Password: "s3cret"}
	pass  = directory.Token{ID: "token-4x7Q2b", Account: "default", User: "w0", Secret: "0b5b3c4e-9a3b-4c55-8f3e-1d2c3b4a5968", Scopes: []string{"rtcm:read"}}
	file  = directory.Entries{
		Accounts: []directory.Account{{ID: "acme", Name: "Acme"}},
		Apps:     []directory.App{shop}, Users: []directory.User{alice}, Groups: []directory.Group{sales},
		Numbers: []directory.Number{hello}, Trunks: []directory.Trunk{lines}, Tokens: []directory.Token{pass},
	}
)
