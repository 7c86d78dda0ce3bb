// SPDX-License-Identifier: MIT

package dialog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/callwright/callwright/transport/sip/stream"
)

// readBuffer is how many bytes of packets the kernel is to keep for us. Each source
// is counted only when its packet is read, so what a flood pushes out of the buffer
// before that may be anybody's. The kernel gives no more than it was told to
// (net.core.rmem_max).
const readBuffer = 4 << 20

// listener is one address at which we can be reached.
type listener struct {
	network string // "UDP", or one of package stream
	addr    netip.AddrPort
	packets *socket      // of UDP
	stream  net.Listener // of all others
}

// listen opens the socket that an address like "udp://0.0.0.0:5060" names. The
// error is a sentence for whoever wrote the setting.
func listen(address string, log *slog.Logger) (*listener, error) {
	scheme, hostport, ok := strings.Cut(address, "://")
	network := strings.ToUpper(scheme)
	if !ok || !isNetwork(network) {
		return nil, fmt.Errorf("sip.listen: %q must be udp://HOST:PORT, or the same with tcp, tls, ws or wss", address)
	}
	at, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return nil, fmt.Errorf("sip.listen: %q: HOST must be an IP address and PORT a number", address)
	}
	family := "6"
	if at.Addr().Is4() {
		family = "4" // so that the socket's address reads "0.0.0.0" and not "[::]"
	}
	l := &listener{network: network}
	var lc net.ListenConfig
	if network == "UDP" {
		var pc net.PacketConn
		if pc, err = lc.ListenPacket(context.Background(), "udp"+family, hostport); err == nil {
			l.addr = pc.LocalAddr().(*net.UDPAddr).AddrPort()
			l.packets = &socket{conn: pc.(*net.UDPConn), addr: l.addr, log: log}
			_ = l.packets.conn.SetReadBuffer(readBuffer) // less is no reason not to start
		}
	} else if l.stream, err = lc.Listen(context.Background(), "tcp"+family, hostport); err == nil {
		l.addr = l.stream.Addr().(*net.TCPAddr).AddrPort()
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
		l.packets.conn.Close()
	}
	if l.stream != nil {
		l.stream.Close()
	}
}

// isNetwork says whether a transport is one that we speak.
func isNetwork(network string) bool {
	return slices.Contains([]string{"UDP", stream.TCP, stream.TLS, stream.WS, stream.WSS}, network)
}

// secured says whether what comes by a transport is encrypted.
func secured(network string) bool { return network == stream.TLS || network == stream.WSS }
