// SPDX-License-Identifier: MIT

package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"github.com/callwright/callwright/transport/sip/intake"
	"github.com/callwright/callwright/transport/sip/secure"
	"github.com/callwright/callwright/transport/sip/secure/securetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = time.Minute

// side is a pool and what came to it.
type side struct {
	*Pool
	t    *testing.T
	came chan came
}

type came struct {
	conn *Conn
	text string
}

func newSide(t *testing.T, cfg Config) *side {
	t.Helper()
	s := &side{t: t, came: make(chan came, 100)}
	cfg.Message = func(c *Conn, b []byte) { s.came <- came{c, string(b)} }
	if cfg.Refused == nil {
		cfg.Refused = func(c *Conn, v intake.Verdict) {
			if answer, _ := v.Answer(c.Peer(), true, ""); answer != nil {
				_ = c.Send(answer)
			}
		}
	}
	cfg.Log = slog.New(slog.DiscardHandler)
	s.Pool = New(cfg)
	t.Cleanup(s.Close)
	return s
}

// listen serves a listener on loopback, which is closed with the test.
func (s *side) listen(network string) net.Addr {
	s.t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(l, network)
	}()
	s.t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr()
}

func (s *side) next() came {
	s.t.Helper()
	select {
	case m := <-s.came:
		return m
	case <-time.After(patience):
		s.t.Fatal("no message came")
		panic("unreachable")
	}
}

func options(body string) *sip.Request {
	req := sip.NewRequest("OPTIONS", sip.Uri{Scheme: "sip", Host: "example.org"})
	req.SetBody([]byte(body))
	return req
}

// newServer gives files of a certificate for localhost, and who has signed it.
func newServer(t *testing.T, clientCA string) (*secure.Server, *securetest.Authority) {
	t.Helper()
	authority := securetest.New(t)
	cert, key := authority.Issue("localhost", "127.0.0.1")
	if clientCA == "own" {
		clientCA = authority.CA
	}
	s, err := secure.NewServer(secure.Files{Cert: cert, Key: key, ClientCA: clientCA}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s, authority
}

// Messages of any length go both ways by every transport, in order, and the
// second request takes the connection of the first.
func TestTransports(t *testing.T) {
	t.Parallel()
	for _, network := range []string{TCP, TLS, WS, WSS} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			server, authority := newServer(t, "")
			callee := newSide(t, Config{Server: server})
			caller := newSide(t, Config{})
			to := Target{Network: network, Addr: addrOf(callee.listen(network)), Name: "localhost", Client: secure.Client{CA: authority.CA}}
			sizes := []int{0, 1, 125, 126, 4000, 50000, 10}
			for i, size := range sizes {
				c, err := caller.Dial(t.Context(), to)
				if err != nil {
					t.Fatal(err)
				}
				body := strings.Repeat(fmt.Sprint(i), size)
				if err := c.WriteMsg(options(body)); err != nil {
					t.Fatal(err)
				}
				m := callee.next()
				m.conn.Welcome()
				if _, got, _ := strings.Cut(m.text, "\r\n\r\n"); got != body {
					t.Errorf("%d bytes came as %d", len(body), len(got))
				}
				if m.conn.Network() != network || m.conn.Peer() != c.Local() || callee.Find(network, c.Local()) != m.conn {
					t.Errorf("it came by %s from %s", m.conn.Network(), m.conn.Peer())
				}
				if err := m.conn.WriteMsg(options("back " + body)); err != nil {
					t.Fatal(err)
				}
				if m := caller.next(); !strings.HasSuffix(m.text, "\r\n\r\nback "+body) || m.conn != c {
					t.Errorf("%d bytes came back by %p instead of %p", len(m.text), m.conn, c)
				}
			}
			if caller.Len() != 1 || callee.Len() != 1 {
				t.Errorf("%d and %d connections", caller.Len(), callee.Len())
			}
		})
	}
}

// Who is not known sends no long messages.
func TestStrangersAreShort(t *testing.T) {
	t.Parallel()
	for _, network := range []string{TCP, WS} {
		callee, caller := newSide(t, Config{}), newSide(t, Config{})
		to := Target{Network: network, Addr: addrOf(callee.listen(network))}
		c, err := caller.Dial(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		c.OnClose(func(err error) { ended <- err })
		if err := c.WriteMsg(options(strings.Repeat("x", 10000))); err != nil {
			t.Fatal(err)
		}
		callee.next()
		_ = c.WriteMsg(options(strings.Repeat("x", 16<<10))) // may fail already
		select {
		case <-ended:
		case m := <-callee.came:
			t.Errorf("%s: %d bytes were read", network, len(m.text))
		case <-time.After(patience):
			t.Errorf("%s: the connection stays open", network)
		}
	}
}

// An end is told once, to those who still want to know, on both sides.
func TestEnd(t *testing.T) {
	t.Parallel()
	callee, caller := newSide(t, Config{}), newSide(t, Config{})
	c, err := caller.Dial(t.Context(), Target{Network: TCP, Addr: addrOf(callee.listen(TCP))})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.WriteMsg(options("")); err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 10)
	c.OnClose(func(error) { t.Error("told though it was forgotten") })()
	c.OnClose(func(err error) { told <- err })
	_ = callee.next().conn.Close()
	if err := <-told; !strings.Contains(err.Error(), "was closed") {
		t.Error(err)
	}
	c.OnClose(func(err error) { told <- err }) // later than the end
	<-told
	if caller.Find(TCP, c.Peer()) != nil {
		t.Error("a connection that is gone is found")
	}
	if err := c.WriteMsg(options("")); err == nil {
		t.Error("a connection that is gone takes messages")
	}
}

// Several that want the same connection get one.
func TestDialTogether(t *testing.T) {
	t.Parallel()
	server, authority := newServer(t, "")
	callee, caller := newSide(t, Config{Server: server}), newSide(t, Config{})
	to := Target{Network: TLS, Addr: addrOf(callee.listen(TLS)), Name: "localhost", Client: secure.Client{CA: authority.CA}}
	got := make(chan *Conn, 20)
	for range cap(got) {
		go func() {
			c, err := caller.Dial(context.Background(), to)
			if err != nil {
				t.Error(err)
			}
			got <- c
		}()
	}
	first := <-got
	for range cap(got) - 1 {
		if c := <-got; c != first {
			t.Error("more than one connection was made")
		}
	}
}

// A connection leaves from the address of ours that it is to leave from.
func TestDialFrom(t *testing.T) {
	t.Parallel()
	ours := netip.MustParseAddr("127.0.0.2")
	if l, err := net.Listen("tcp4", net.JoinHostPort(ours.String(), "0")); err != nil {
		t.Skip("this system has one loopback address only")
	} else if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	callee, caller := newSide(t, Config{}), newSide(t, Config{})
	c, err := caller.Dial(t.Context(), Target{Network: TCP, Addr: addrOf(callee.listen(TCP)), From: ours})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.WriteMsg(options("")); err != nil {
		t.Fatal(err)
	}
	if got := callee.next().conn.Peer().Addr(); got != ours {
		t.Errorf("it came from %s, want %s", got, ours)
	}
}

// A certificate that is not right is refused in a sentence that says what to do.
func TestDialRefused(t *testing.T) {
	t.Parallel()
	server, authority := newServer(t, "")
	callee, caller := newSide(t, Config{Server: server}), newSide(t, Config{})
	secured, plain := addrOf(callee.listen(TLS)), addrOf(callee.listen(TCP))
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	trusted := secure.Client{CA: authority.CA}
	for _, tc := range []struct {
		name, says string
		target     Target
	}{
		{"unknown signer", "tls.ca of the trunk", Target{Network: TLS, Addr: secured, Name: "localhost"}},
		{"wrong name", "tls.server_name of the trunk", Target{Network: TLS, Addr: secured, Name: "example.org", Client: trusted}},
		{"no such file", "tls.ca of the trunk", Target{Network: TLS, Addr: secured, Name: "localhost", Client: secure.Client{CA: "/nowhere.pem"}}},
		{"no server", "connect to " + closed.Addr().String() + " by TCP", Target{Network: TCP, Addr: addrOf(closed.Addr())}},
		{"server without TLS", "connect to " + plain.String() + " by TLS", Target{Network: TLS, Addr: plain, Name: "localhost", Client: trusted}},
	} {
		limit := patience
		if tc.target.Addr == plain { // which waits for a SIP message
			limit = 100 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		c, err := caller.Dial(ctx, tc.target)
		cancel()
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: connection %v, error %v, want one with %q", tc.name, c, err, tc.says)
		}
	}
	if c, err := caller.Dial(t.Context(), Target{Network: TLS, Addr: secured, Name: "example.org", Client: secure.Client{CA: authority.CA, ServerName: "localhost"}}); err != nil {
		t.Errorf("server_name does not help: %v", err)
	} else if c.Names() != nil {
		t.Error("a connection of ours has names of a client")
	}
	caller.Close()
	if _, err := caller.Dial(t.Context(), Target{Network: TCP, Addr: plain}); !errors.Is(err, errClosed) {
		t.Errorf("a closed pool dials: %v", err)
	}
}

// Who is not known makes place for others when the room is full, and is not
// waited for longer than silence; who is known stays. One address has a quarter
// of the room, and so has one network of IPv6.
func TestRoom(t *testing.T) {
	t.Parallel()
	now := time.Now()
	r := newRoom(8)
	closed := map[string]bool{}
	enter := func(host string, at time.Time) *guest {
		return r.enter(netip.MustParseAddr(host), at, func() { closed[host] = true })
	}
	for i := range 8 {
		g := enter(fmt.Sprintf("192.0.2.%d", i), now.Add(time.Duration(i)*time.Second))
		if g == nil {
			t.Fatalf("no room for connection %d of 8", i)
		}
		if i == 0 {
			g.spoke()
		}
	}
	late := enter("192.0.2.8", now.Add(9*time.Second))
	if late == nil || len(closed) != 1 || !closed["192.0.2.1"] {
		t.Fatalf("in a full room the connection was let in: %t, and closed were %v; want the first that said nothing", late != nil, closed)
	}
	r.sweep(now.Add(silence + 4500*time.Millisecond))
	if len(closed) != 4 || closed["192.0.2.0"] || closed["192.0.2.5"] {
		t.Errorf("after a while of silence closed were %v", closed)
	}
	late.leave()
	late.leave()
	if r.taken != 4 || len(r.by) != 4 {
		t.Errorf("%d places taken by %d addresses, want 4", r.taken, len(r.by))
	}
	for _, want := range []bool{true, true, false} {
		if g := enter("198.51.100.1", now); (g != nil) != want {
			t.Errorf("a connection of an address that has others: let in %t, want %t", g != nil, want)
		}
	}
	six := newRoom(8)
	for i, want := range []bool{true, true, false} {
		if g := six.enter(netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", i)), now, func() {}); (g != nil) != want {
			t.Errorf("connection %d of a network of IPv6: let in %t, want %t", i, g != nil, want)
		}
	}
	spoken := newRoom(1)
	spoken.enter(netip.MustParseAddr("192.0.2.1"), now, func() { t.Error("who has spoken was closed") }).spoke()
	if spoken.enter(netip.MustParseAddr("192.0.2.2"), now, func() {}) != nil {
		t.Error("there was room where everybody had spoken")
	}
}
