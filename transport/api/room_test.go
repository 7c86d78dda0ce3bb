// SPDX-License-Identifier: MIT

package api

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// from is a connection that comes from an address.
type from struct {
	net.Conn
	address string
	closed  bool
}

func (f *from) RemoteAddr() net.Addr { return f }
func (f *from) Network() string      { return "tcp" }
func (f *from) String() string       { return f.address }
func (f *from) Close() error         { f.closed = true; return nil }

func TestRoom(t *testing.T) {
	t.Parallel()
	var log logText
	r := newRoom(8, nil, slog.New(slog.NewTextHandler(&log, nil)))
	now := time.Now()
	enter := func(address string) (*from, bool) {
		c := &from{address: address}
		return c, r.enter(c, now)
	}
	want := func(address string, let bool) *from {
		t.Helper()
		c, got := enter(address)
		if got != let {
			t.Errorf("%s is let in: %v", address, got)
		}
		return c
	}
	a1, a2 := want("192.0.2.1:1", true), want("192.0.2.1:2", true)
	want("192.0.2.1:3", false)
	r.watch(a1, http.StateActive)
	r.watch(a1, http.StateClosed)
	want("192.0.2.1:4", true)
	want("192.0.2.1:5", false)
	want("[2001:db8::1]:1", true)
	want("[2001:db8::2]:1", true)
	want("[2001:db8::3]:1", false)
	for _, proxy := range []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "[::1]:4"} {
		r.watch(want(proxy, true), http.StateActive)
	}
	// The room is full: who has been without a request for the longest time goes.
	r.watch(a2, http.StateActive)
	r.watch(a2, http.StateIdle)
	b := want("192.0.2.2:1", true)
	if a2.closed || len(r.guests) != 8 {
		t.Errorf("who had a request last was closed, or %d are here", len(r.guests))
	}
	for c, g := range r.guests {
		if g.idle != nil {
			r.watch(c, http.StateActive)
		}
	}
	want("192.0.2.3:1", false)
	r.watch(b, http.StateIdle)
	want("192.0.2.3:1", true)
	if !b.closed {
		t.Error("nobody made place")
	}
	r.watch(b, http.StateClosed)
	for c := range r.guests {
		r.watch(c, http.StateClosed)
	}
	if len(r.guests) != 0 || len(r.by) != 0 || r.idle.Len() != 0 {
		t.Errorf("when all have left, %d, %d and %d are still here", len(r.guests), len(r.by), r.idle.Len())
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines in the log within a minute:\n%s", n, log.String())
	}
}

// Proxies of ours bring clients of their own.
func TestProxiesHaveAllPlaces(t *testing.T) {
	t.Parallel()
	r := newRoom(8, proxies{netip.MustParsePrefix("2001:db8::5/128")}, slog.New(slog.DiscardHandler))
	for i, want := range []bool{true, true, true, true} {
		if got := r.enter(&from{address: "[2001:db8::5]:1"}, time.Now()); got != want {
			t.Errorf("connection %d of the proxy is let in: %v", i+1, got)
		}
	}
	if r.enter(&from{address: "[2001:db8::6]:1"}, time.Now()) {
		t.Error("its neighbour has as many")
	}
}

// A server that has as many idle connections as it may have still answers, and
// keeps none that its limit forbids.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	s := New(Config{Listen: "127.0.0.1:0", Connections: 8})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown(context.Background()) })
	for i := range 40 {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Fatalf("connection %d got %q, %v", i, line, err)
		}
	}
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if n := len(s.room.guests); n > 8 {
		t.Errorf("%d connections are open", n)
	}
}
