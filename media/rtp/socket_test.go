// SPDX-License-Identifier: MIT

package rtp_test

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callwright/callwright/media/rtp"
)

func open(t *testing.T, at string) (rtp.Socket, rtp.Endpoint) {
	t.Helper()
	addr := netip.MustParseAddr(at)
	s, err := rtp.Listen(netip.AddrPortFrom(addr, 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, rtp.EndpointOf(netip.AddrPortFrom(addr, s.Port()))
}

// readable waits until the kernel has a datagram for s.
func readable(t *testing.T, recv func() (int, syscall.Errno)) int {
	t.Helper()
	for range 1_000_000 {
		n, e := recv()
		if e == 0 {
			return n
		}
		if e != unix.EAGAIN && !rtp.Refused(e) {
			t.Fatal(e)
		}
	}
	t.Fatal("no datagram came")
	return 0
}

func TestSocketLocksToPeer(t *testing.T) {
	t.Parallel()
	homes := []string{"127.0.0.1", "::1"}
	if probe, err := rtp.Listen(netip.MustParseAddrPort("[::1]:0")); err != nil {
		homes = homes[:1] // this machine has no IPv6
	} else {
		_ = probe.Close()
	}
	for _, at := range homes {
		server, here := open(t, at)
		peer, from := open(t, at)
		stranger, _ := open(t, at)
		buf := make([]byte, 100)

		if e := peer.SendTo([]byte("hello"), here); e != 0 {
			t.Fatalf("%s: send: %v", at, e)
		}
		var source rtp.Endpoint
		n := readable(t, func() (int, syscall.Errno) {
			n, f, e := server.RecvFrom(buf)
			source = f
			return n, e
		})
		if n != 5 || source != from {
			t.Fatalf("%s: %d bytes from %v, want 5 from %v", at, n, source.AddrPort(), from.AddrPort())
		}
		if err := server.Connect(source); err != nil {
			t.Fatal(err)
		}
		if e := stranger.SendTo([]byte("let me in"), here); e != 0 {
			t.Fatal(e)
		}
		if e := peer.SendTo([]byte("again!"), here); e != 0 {
			t.Fatal(e)
		}
		if n := readable(t, func() (int, syscall.Errno) { return server.Recv(buf) }); n != 6 {
			t.Errorf("%s: the stranger got through: %q", at, buf[:n])
		}
		if e := server.Send([]byte("you")); e != 0 {
			t.Fatal(e)
		}
		if n := readable(t, func() (int, syscall.Errno) { return peer.Recv(buf) }); n != 3 {
			t.Errorf("%s: the peer got %q", at, buf[:n])
		}

		if err := server.Disconnect(); err != nil {
			t.Fatal(err)
		}
		for readable := true; readable; {
			_, e := server.Recv(buf)
			readable = e == 0 || rtp.Refused(e)
		}
		if e := stranger.SendTo([]byte("new home"), here); e != 0 && !rtp.Refused(e) {
			t.Fatal(e)
		}
		if e := stranger.SendTo([]byte("new home"), here); e != 0 && !rtp.Refused(e) {
			t.Fatal(e)
		}
		if n := readable(t, func() (int, syscall.Errno) { return server.Recv(buf) }); n != 8 {
			t.Errorf("%s: got %q after opening up", at, buf[:n])
		}
	}
}

func TestSocketSurvivesRefusal(t *testing.T) {
	t.Parallel()
	server, _ := open(t, "127.0.0.1")
	gone, err := rtp.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	at := rtp.EndpointOf(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), gone.Port()))
	_ = gone.Close()
	if err := server.Connect(at); err != nil {
		t.Fatal(err)
	}
	refused := false
	for range 10 {
		if e := server.Send([]byte("x")); e != 0 {
			if !rtp.Refused(e) {
				t.Fatal(e)
			}
			refused = true
		}
	}
	if !refused {
		t.Error("the kernel never told that nobody is there")
	}
}

func TestSocketAllocatesNothing(t *testing.T) {
	server, here := open(t, "127.0.0.1")
	peer, there := open(t, "127.0.0.1")
	if err := peer.Connect(here); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 200)
	if n := testing.AllocsPerRun(100, func() {
		_ = peer.Send(buf[:172])
		_, _, _ = server.RecvFrom(buf)
		_ = server.SendTo(buf[:172], there)
		_, _ = peer.Recv(buf)
	}); n != 0 {
		t.Errorf("%v allocations a round", n)
	}
}

func TestPorts(t *testing.T) {
	t.Parallel()
	home := netip.MustParseAddr("127.0.7.1")
	ports, err := rtp.NewPorts("31001-31008") // 31002, 31004, 31006 and those above
	if err != nil {
		t.Fatal(err)
	}
	taken, err := rtp.Listen(netip.MustParseAddrPort("127.0.7.1:31004"))
	if err != nil {
		t.Fatal(err)
	}
	take := func() rtp.Pair {
		t.Helper()
		s, err := ports.Listen(home)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first, second := take(), take()
	if first.Sound.Port() != 31002 || second.Sound.Port() != 31006 || second.Control.Port() != 31007 {
		t.Errorf("ports %d, %d; want 31002, and 31006 as 31004 is taken", first.Sound.Port(), second.Sound.Port())
	}
	if _, err := ports.Listen(home); !errors.Is(err, rtp.ErrNoPorts) {
		t.Errorf("third port: %v, want ErrNoPorts", err)
	}
	_ = taken.Close()
	for _, s := range []rtp.Pair{second, first} {
		if err := ports.Release(s); err != nil {
			t.Fatal(err)
		}
	}
	var got []uint16
	for range 3 {
		s := take()
		got = append(got, s.Sound.Port())
		defer func() { _ = ports.Release(s) }()
	}
	if got[0] != 31004 || got[1] != 31006 || got[2] != 31002 {
		t.Errorf("ports %v, want the longest free first: 31004, 31006, 31002", got)
	}
}

// A range that needs more files than may be open is told of.
func TestPortsAndOpenFiles(t *testing.T) {
	// Not parallel: the limit is the process's.
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	ports, err := rtp.NewPorts("20000-29999")
	if err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = 9000
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	err = ports.Check()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err == nil || !strings.Contains(err.Error(), "10000 ports, but this process may open 9000 files") {
		t.Errorf("error %v", err)
	}
	chosen, err := rtp.NewPorts("0")
	if err = errors.Join(err, chosen.Check()); err != nil {
		t.Error(err)
	}
}

func TestPortsRange(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "20000", "1-", "30000-20000", "a-b", "20001-20001", "20000-20000", "20001-20002", "1-70000", "-5"} {
		if _, err := rtp.NewPorts(bad); err == nil || !strings.Contains(err.Error(), "20000-29999") {
			t.Errorf("%q: error %v", bad, err)
		}
	}
	p, err := rtp.NewPorts("0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Listen(netip.MustParseAddr("127.0.0.1"))
	if err != nil || s.Sound.Port() == 0 || s.Sound.Port()%2 != 0 || s.Control.Port() != s.Sound.Port()+1 {
		t.Fatalf("ports %d and %d, %v", s.Sound.Port(), s.Control.Port(), err)
	}
	if err := p.Release(s); err != nil {
		t.Fatal(err)
	}
}
