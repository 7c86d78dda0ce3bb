// SPDX-License-Identifier: MIT

//go:build unix && !linux

package rtp

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func openUDP(family int) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_DGRAM, 0)
	if err != nil {
		return -1, err
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Disconnect opens a connected socket to everybody again. BSD systems do so and
// still report that the empty address is unknown to them.
func (s Socket) Disconnect() error {
	err := unix.Connect(int(s.fd), s.sockaddr(Endpoint{}))
	if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL) {
		return nil
	}
	return err
}

// Recv reads one datagram from a connected socket.
func (s Socket) Recv(b []byte) (int, syscall.Errno) {
	n, err := unix.Read(int(s.fd), b)
	return n, number(err)
}

// Send writes one datagram to a connected socket.
func (s Socket) Send(b []byte) syscall.Errno {
	_, err := unix.Write(int(s.fd), b)
	return number(err)
}

// RecvFrom reads one datagram and says where it came from.
func (s Socket) RecvFrom(b []byte) (int, Endpoint, syscall.Errno) {
	n, from, err := unix.Recvfrom(int(s.fd), b, 0)
	if err != nil {
		return 0, Endpoint{}, number(err)
	}
	return n, endpointOfSockaddr(from), 0
}

// Stamped says whether RecvWaited knows how long datagrams have waited.
const Stamped = false

func (s Socket) stamp() error { return nil }

// RecvWaited reads one datagram of a socket of a Pair, connected or not, and says
// where it came from and for how long it has waited: not known here.
func (s Socket) RecvWaited(b []byte) (int, Endpoint, time.Duration, syscall.Errno) {
	n, from, e := s.RecvFrom(b)
	return n, from, 0, e
}

// SendTo writes one datagram to the given peer.
func (s Socket) SendTo(b []byte, to Endpoint) syscall.Errno {
	return number(unix.Sendto(int(s.fd), b, 0, s.sockaddr(to)))
}

func number(err error) syscall.Errno {
	var e syscall.Errno
	if err == nil || errors.As(err, &e) {
		return e
	}
	return unix.EIO
}
