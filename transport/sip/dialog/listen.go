// SPDX-License-Identifier: MIT

package dialog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
)

// listener is one socket on which we can be reached.
type listener struct {
	network string // "UDP" or "TCP"
	addr    netip.AddrPort
	packets net.PacketConn
	stream  net.Listener
	// ready is closed when sipgo reads the socket, and so can send from it.
	ready chan struct{}
}

// listen opens the socket that an address like "udp://0.0.0.0:5060" names. The
// error is a sentence for whoever wrote the setting.
func listen(address string, log *slog.Logger) (*listener, error) {
	scheme, hostport, ok := strings.Cut(address, "://")
	if !ok || scheme != "udp" && scheme != "tcp" {
		return nil, fmt.Errorf("sip.listen: %q must be udp://HOST:PORT or tcp://HOST:PORT", address)
	}
	at, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return nil, fmt.Errorf("sip.listen: %q: HOST must be an IP address and PORT a number", address)
	}
	family := "6"
	if at.Addr().Is4() {
		family = "4" // so that the socket's address reads "0.0.0.0" and not "[::]"
	}
	l := &listener{network: strings.ToUpper(scheme), ready: make(chan struct{})}
	var lc net.ListenConfig
	switch scheme {
	case "udp":
		var pc net.PacketConn
		if pc, err = lc.ListenPacket(context.Background(), "udp"+family, hostport); err == nil {
			l.packets = &steady{PacketConn: pc, ready: l.ready, log: log}
			l.addr = pc.LocalAddr().(*net.UDPAddr).AddrPort()
		}
	case "tcp":
		if l.stream, err = lc.Listen(context.Background(), "tcp"+family, hostport); err == nil {
			l.addr = l.stream.Addr().(*net.TCPAddr).AddrPort()
			close(l.ready)
		}
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("sip.listen: %s port %d is already taken by another program; stop it or choose another port in sip.listen (%q)",
			l.network, at.Port(), address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("sip.listen: this machine has no address %s (%q)", at.Addr(), address)
	case err != nil:
		return nil, fmt.Errorf("sip.listen: open %q: %w", address, err)
	}
	return l, nil
}

func (l *listener) close() {
	if l.packets != nil {
		l.packets.Close()
	}
	if l.stream != nil {
		l.stream.Close()
	}
}

// steady is a packet socket that survives what the network tells it about single
// packets: sipgo stops reading a socket at the first error.
type steady struct {
	net.PacketConn
	begun sync.Once
	ready chan struct{}
	log   *slog.Logger
}

// ReadFrom gives the next packet; it fails only when the socket is closed.
func (s *steady) ReadFrom(b []byte) (int, net.Addr, error) {
	s.begun.Do(func() { close(s.ready) })
	for {
		n, addr, err := s.PacketConn.ReadFrom(b)
		if err == nil || errors.Is(err, net.ErrClosed) {
			return n, addr, err
		}
		s.log.Debug("read SIP packet", "error", err)
	}
}
