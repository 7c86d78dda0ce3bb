// SPDX-License-Identifier: MIT

package rtp

import (
	"encoding/binary"
	"net/netip"
	"syscall"
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
	from := Endpoint{IP: sa.Addr, Port: netOrder(sa.Port)}
	if sa.Family == unix.AF_INET {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&sa))
		from.IP = netip.AddrFrom4(four.Addr).As16()
	}
	return int(n), from, 0
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
