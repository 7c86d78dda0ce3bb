// SPDX-License-Identifier: MIT

//go:build !linux

package clock

import "time"

func monotonic() int64 { return 0 }

// SleepUntil waits until the clock shows at.
func (c Clock) SleepUntil(at time.Duration) { time.Sleep(at - c.Now()) }

// TuneThread would ask the system to wake the calling thread in time; here
// there is no way to ask.
func TuneThread() (realtime bool) { return false }
