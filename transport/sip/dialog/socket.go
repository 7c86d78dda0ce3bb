// SPDX-License-Identifier: MIT

package dialog

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/emiago/sipgo/sip"
)

// socket is a UDP socket of ours. What is written to it goes where the message
// says.
type socket struct {
	conn *net.UDPConn
	addr netip.AddrPort
	log  *slog.Logger
}

// serve gives every packet to take until the socket is closed. What the network
// tells about single packets ends nothing.
func (s *socket) serve(take func(s *socket, source netip.AddrPort, data []byte)) {
	buf := make([]byte, 65536)
	for {
		n, source, err := s.conn.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			s.log.Debug("read SIP packet", "err", err)
		default:
			take(s, netip.AddrPortFrom(source.Addr().Unmap(), source.Port()), buf[:n])
		}
	}
}

// WriteMsg sends a message.
func (s *socket) WriteMsg(m sip.Message) error {
	to, err := netip.ParseAddrPort(m.Destination())
	if err != nil {
		return fmt.Errorf("send to %q: %w", m.Destination(), err)
	}
	return s.write(m, to)
}

func (s *socket) write(m sip.Message, to netip.AddrPort) error {
	var b bytes.Buffer
	m.StringWrite(&b)
	return s.send(b.Bytes(), to)
}

func (s *socket) send(b []byte, to netip.AddrPort) error {
	if _, err := s.conn.WriteToUDPAddrPort(b, to); err != nil {
		return fmt.Errorf("send to %s by UDP: %w", to, err)
	}
	return nil
}

// LocalAddr is our end.
func (s *socket) LocalAddr() net.Addr { return s.conn.LocalAddr() }

// Ref does nothing: the socket stays until the Endpoint is closed.
func (s *socket) Ref(int) int { return 1 }

// TryClose does nothing, either, and nor does Close.
func (s *socket) TryClose() (int, error) { return 1, nil }

// Close does nothing, because a transaction has no say in it.
func (s *socket) Close() error { return nil }

// aimed is a socket with a peer: what is written goes there, whatever the
// message says. An ACK says nothing by itself.
type aimed struct {
	*socket
	to netip.AddrPort
}

// WriteMsg sends a message to the peer.
func (a aimed) WriteMsg(m sip.Message) error { return a.write(m, a.to) }

var _, _ sip.Connection = (*socket)(nil), aimed{}
