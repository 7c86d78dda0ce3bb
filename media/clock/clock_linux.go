// SPDX-License-Identifier: MIT

package clock

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// timerAbstime is TIMER_ABSTIME of time.h.
const timerAbstime = 1

func monotonic() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return 0
	}
	return ts.Nano()
}

// SleepUntil waits until the clock shows at. Timers of the Go runtime wake up
// to a millisecond late and more under load; a thread that sleeps in the kernel
// until an absolute time is woken within some ten microseconds.
func (c Clock) SleepUntil(at time.Duration) {
	ts := unix.NsecToTimespec(c.base + int64(at))
	for {
		_, _, e := syscall.Syscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, timerAbstime,
			uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
		if e != unix.EINTR {
			return
		}
	}
}

// TuneThread asks the system to wake the calling thread in time: no slack on
// its timers, and before all ordinary threads. The second needs a privilege
// (CAP_SYS_NICE); it reports whether it was granted. The caller must have
// locked its goroutine to the thread.
func TuneThread() (realtime bool) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	return unix.SchedSetAttr(0, &unix.SchedAttr{
		Size:     unix.SizeofSchedAttr,
		Policy:   unix.SCHED_FIFO,
		Flags:    unix.SCHED_FLAG_RESET_ON_FORK,
		Priority: 1,
	}, 0) == nil
}
