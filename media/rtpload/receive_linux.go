// SPDX-License-Identifier: MIT

package rtpload

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/callwright/callwright/media/rtp"
)

// stamp asks the kernel to note when each datagram arrives, so that what is
// measured is the server and not when we got around to looking.
func stamp(s rtp.Socket) {
	_ = unix.SetsockoptInt(s.FD(), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
}

// receive reads a datagram into the buffer and says when it arrived. Refusals
// count as none.
func (l *load) receive(s rtp.Socket) (n int, at time.Duration, ok bool) {
	var control [64]byte
	iov := unix.Iovec{Base: &l.buf[0]}
	iov.SetLen(len(l.buf))
	msg := unix.Msghdr{Iov: &iov, Control: &control[0]}
	msg.SetIovlen(1)
	msg.SetControllen(len(control))
	size, _, e := unix.Syscall(unix.SYS_RECVMSG, uintptr(s.FD()), uintptr(unsafe.Pointer(&msg)), unix.MSG_DONTWAIT)
	if e != 0 {
		return 0, 0, false
	}
	at = l.clock.Now()
	header := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	if msg.Controllen > 0 && header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_TIMESTAMPNS {
		ts := (*unix.Timespec)(unsafe.Pointer(&control[unix.CmsgLen(0)]))
		at = time.Unix(ts.Unix()).Sub(l.clock.Time(0))
	}
	return int(size), at, true
}
