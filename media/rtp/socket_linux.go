// SPDX-License-Identifier: MIT

package rtp

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls below go straight to the kernel. They never block, so the scheduler
// need not be told of them.

func openUDP(family int) (int, error) {
	return unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
}

// Disconnect opens a connected socket to everybody again.
func (s Socket) Disconnect() error {
	sa := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	_, _, e := syscall.RawSyscall(unix.SYS_CONNECT, uintptr(s.fd),
		uintptr(unsafe.Pointer(&sa)), unsafe.Sizeof(sa))
	if e != 0 {
		return e
	}
	return nil
}

// Recv reads one datagram from a connected socket.
func (s Socket) Recv(b []byte) (int, syscall.Errno) {
	n, _, e := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), e
}

// Send writes one datagram to a connected socket.
func (s Socket) Send(b []byte) syscall.Errno {
	_, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return e
}

// RecvFrom reads one datagram and says where it came from.
func (s Socket) RecvFrom(b []byte) (int, Endpoint, syscall.Errno) {
	var sa unix.RawSockaddrInet6
	size := uint32(unsafe.Sizeof(sa))
	n, _, e := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT,
		uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
	if e != 0 {
		return 0, Endpoint{}, e
	}
	return int(n), endpointOfRaw(&sa), 0
}

func endpointOfRaw(sa *unix.RawSockaddrInet6) Endpoint {
	from := Endpoint{IP: sa.Addr, Port: netOrder(sa.Port)}
	if sa.Family == unix.AF_INET {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		from.IP = netip.AddrFrom4(four.Addr).As16()
	}
	return from
}

// Stamped says whether RecvWaited knows how long datagrams have waited.
const Stamped = true

// stamp has the kernel note when datagrams arrive.
func (s Socket) stamp() error {
	if err := unix.SetsockoptInt(int(s.fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return fmt.Errorf("stamp what comes to udp socket: %w", err)
	}
	return nil
}

// RecvWaited reads one datagram of a socket of a Pair, connected or not, and says
// where it came from and for how long it has waited.
func (s Socket) RecvWaited(b []byte) (int, Endpoint, time.Duration, syscall.Errno) {
	var sa unix.RawSockaddrInet6
	var control [64]byte
	iov := unix.Iovec{Base: unsafe.SliceData(b)}
	iov.SetLen(len(b))
	msg := unix.Msghdr{Name: (*byte)(unsafe.Pointer(&sa)), Namelen: uint32(unsafe.Sizeof(sa)), Iov: &iov, Control: &control[0]}
	msg.SetIovlen(1)
	msg.SetControllen(len(control))
	n, _, e := syscall.RawSyscall(unix.SYS_RECVMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&msg)), unix.MSG_DONTWAIT)
	if e != 0 {
		return 0, Endpoint{}, 0, e
	}
	var waited time.Duration
	header := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	if msg.Controllen > 0 && header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_TIMESTAMPNS {
		ts := (*unix.Timespec)(unsafe.Pointer(&control[unix.CmsgLen(0)]))
		waited = max(0, time.Since(time.Unix(ts.Unix())))
	}
	return int(n), endpointOfRaw(&sa), waited, 0
}

// SendTo writes one datagram to the given peer.
func (s Socket) SendTo(b []byte, to Endpoint) syscall.Errno {
	var sa unix.RawSockaddrInet6
	size := unsafe.Sizeof(sa)
	if s.six {
		sa = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: netOrder(to.Port), Addr: to.IP}
	} else {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&sa))
		*four = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: netOrder(to.Port), Addr: to.ipv4()}
		size = unsafe.Sizeof(*four)
	}
	_, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL,
		uintptr(unsafe.Pointer(&sa)), size)
	return e
}

// netOrder turns a port between the order of this machine and the network's.
func netOrder(port uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], port)
	return binary.NativeEndian.Uint16(b[:])
}
