// SPDX-License-Identifier: MIT

package dialog

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// logged is a log that tests can read.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) lines(with string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.b.String()) {
		if strings.Contains(line, with) {
			n++
		}
	}
	return n
}

// A stranger gets a 403 and a line in the log, and leaves nothing behind. What
// belongs to a call of ours is let through from anywhere.
func TestStrangers(t *testing.T) {
	t.Parallel()
	var log logged
	var friend atomic.Pointer[netip.AddrPort]
	c := newCalls(t)
	e := open(t, Config{
		Incoming: c.incoming, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Admit: func(source netip.AddrPort) bool { return friend.Load() != nil && source == *friend.Load() },
	})
	w, stranger := newWire(t, e.Addr("udp")), newWire(t, e.Addr("udp"))
	at := w.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	friend.Store(&at)

	stranger.send(invite("stranger"))
	refused := stranger.expect("403 INVITE")
	if log.lines("source=127.0.0.1") != 1 || log.lines("allow_from") != 1 {
		t.Errorf("log:\n%s", &log.b)
	}
	stranger.send(inside("ACK", "stranger", 1, refused))
	stranger.send("garbage\n\n")
	stranger.silent()
	if pool := e.transport.Pool("udp"); pool.Get(stranger.addr()) != nil {
		t.Error("the stranger's address is kept")
	}

	w.send(invite("friend"))
	call := c.next()
	_ = call.Answer(nil)
	ok := w.expect("200 INVITE")
	w.send(inside("ACK", "friend", 1, ok))
	call.want("confirmed")
	stranger.send(inside("BYE", "friend", 2, ok)) // another host of the friend's
	stranger.expect("200 BYE")
	call.want("confirmed", "ended 0 remote")

	r := newRecord(t) // we may call whom we want, and hear what they say
	if _, err := e.Call(Call{To: "sip:1@" + stranger.addr(), From: Party{URI: "sip:2@test"}}, r.handler()); err != nil {
		t.Fatal(err)
	}
	inv := stranger.expect("INVITE")
	stranger.send(response(inv, "486 Busy Here", "b"))
	r.want("ended 486 remote")
}

// On TCP the same holds, request by request.
func TestStrangersTCP(t *testing.T) {
	t.Parallel()
	e := open(t, Config{Admit: func(netip.AddrPort) bool { return false }})
	conn, err := net.Dial("tcp", e.Addr("tcp").String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	w := newWire(t, e.Addr("udp"))
	if _, err := conn.Write(bytes.ReplaceAll(w.bytes(invite("tcp")), []byte("SIP/2.0/UDP"), []byte("SIP/2.0/TCP"))); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "SIP/2.0 403 ") {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

// The log and the answers are limited, and nothing is forgotten.
func TestStrangersLimited(t *testing.T) {
	t.Parallel()
	s := newStrangers()
	now := time.Unix(1, 0)
	answers, logs := 0, 0
	for range 100 {
		answer, log, _ := s.seen(now)
		if answer {
			answers++
		}
		if log {
			logs++
		}
	}
	if answers != strangersAnswered || logs != strangersLogged {
		t.Errorf("%d answers and %d lines in one second, want %d and %d", answers, logs, strangersAnswered, strangersLogged)
	}
	for range strangersRead {
		if s.flood(now) {
			t.Fatal("a flood before its time")
		}
	}
	if !s.flood(now) || s.flood(now.Add(time.Second)) {
		t.Error("a flood is not told from the second after")
	}
	if _, log, missed := s.seen(now.Add(time.Second)); !log || missed != 101-strangersLogged {
		t.Errorf("a second later: logged %v with %d missed", log, missed)
	}
}

// Garbage from a friend stops nothing.
func TestGarbage(t *testing.T) {
	t.Parallel()
	e := open(t, Config{})
	w := newWire(t, e.Addr("udp"))
	for i, garbage := range []string{
		"", "\x00\x00", "\r\n\r\n", "INVITE", "INVITE sip:a SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n",
		"SIP/2.0 200 OK\r\nCall-ID: x\r\nVia: x\r\n\r\n", strings.Repeat("A", 60000),
		"INVITE sip:a SIP/2.0\r\nCall-ID: x\r\n\r\n",
		"INVITE sip:a SIP/2.0\r\nCall-ID: x\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n\r\n",
	} {
		if _, err := w.conn.WriteToUDPAddrPort([]byte(garbage), w.to); err != nil {
			t.Fatal(err)
		}
		w.send(strings.ReplaceAll(invite(fmt.Sprint("g", i)), "INVITE", "OPTIONS"))
		w.expect("200 OPTIONS", "400 INVITE")
	}
}
