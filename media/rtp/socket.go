// SPDX-License-Identifier: MIT

//go:build unix

package rtp

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// Socket is a non-blocking UDP socket. It is a plain value without pointers:
// copies mean the same socket, and whoever opened it must see it closed once.
//
// A socket begins unconnected: RecvFrom and SendTo. Once Connect has locked it
// to one peer, Recv and Send are cheaper, and the kernel refuses what comes
// from anybody else. Datagrams that were queued before stay queued; read them
// with RecvFrom and look at the source.
//
// Calls give the bare error number, 0 for none. EAGAIN means that nothing is
// there, or that nothing more can be sent now. ECONNREFUSED tells of an earlier
// packet that found nobody at home and says nothing of this one.
type Socket struct {
	fd   int32
	port uint16
	six  bool // an IPv6 socket; IPv4 peers are mapped
}

// Listen opens a socket on the address. Port 0 lets the kernel choose.
func Listen(at netip.AddrPort) (Socket, error) {
	if at.Port() != 0 {
		return listen(at)
	}
	// A port that was not asked for by number is lost when a connected socket
	// is opened to everybody again. So find one, and then ask for it.
	for range 64 {
		found, err := listen(at)
		if err != nil {
			return Socket{}, err
		}
		if err := found.Close(); err != nil {
			return Socket{}, err
		}
		s, err := listen(netip.AddrPortFrom(at.Addr(), found.port))
		if !errors.Is(err, unix.EADDRINUSE) {
			return s, err
		}
	}
	return Socket{}, fmt.Errorf("bind udp %v: every port found was taken at once", at)
}

func listen(at netip.AddrPort) (Socket, error) {
	s := Socket{six: !at.Addr().Unmap().Is4()}
	family := unix.AF_INET
	if s.six {
		family = unix.AF_INET6
	}
	fd, err := openUDP(family)
	if err != nil {
		return Socket{}, fmt.Errorf("open udp socket: %w", err)
	}
	s.fd = int32(fd)
	if s.six && at.Addr().IsUnspecified() {
		// Best effort: without it "::" hears IPv6 only.
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
	}
	if err := unix.Bind(fd, s.sockaddr(EndpointOf(at))); err != nil {
		_ = unix.Close(fd)
		return Socket{}, fmt.Errorf("bind udp %v: %w", at, err)
	}
	s.port = at.Port()
	if s.port == 0 {
		sa, err := unix.Getsockname(fd)
		if err != nil {
			_ = unix.Close(fd)
			return Socket{}, fmt.Errorf("read own udp address: %w", err)
		}
		s.port = endpointOfSockaddr(sa).Port
	}
	return s, nil
}

// Port is the local port.
func (s Socket) Port() uint16 { return s.port }

// FD is the file descriptor, for options that are not offered here.
func (s Socket) FD() int { return int(s.fd) }

// Connect locks the socket to a peer.
func (s Socket) Connect(to Endpoint) error {
	if err := unix.Connect(int(s.fd), s.sockaddr(to)); err != nil {
		return fmt.Errorf("connect udp to %v: %w", to.AddrPort(), err)
	}
	return nil
}

// Close gives the socket back to the kernel.
func (s Socket) Close() error {
	if err := unix.Close(int(s.fd)); err != nil {
		return fmt.Errorf("close udp socket: %w", err)
	}
	return nil
}

func (s Socket) sockaddr(e Endpoint) unix.Sockaddr {
	if s.six {
		return &unix.SockaddrInet6{Addr: e.IP, Port: int(e.Port)}
	}
	return &unix.SockaddrInet4{Addr: e.ipv4(), Port: int(e.Port)}
}

func endpointOfSockaddr(sa unix.Sockaddr) Endpoint {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return Endpoint{IP: netip.AddrFrom4(a.Addr).As16(), Port: uint16(a.Port)}
	case *unix.SockaddrInet6:
		return Endpoint{IP: a.Addr, Port: uint16(a.Port)}
	}
	return Endpoint{}
}

// Refused reports whether an error number is the echo of an earlier packet that
// could not be delivered. The socket is as good as before.
func Refused(e syscall.Errno) bool {
	switch e {
	case unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTDOWN:
		return true
	}
	return false
}
