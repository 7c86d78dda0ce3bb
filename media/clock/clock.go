// SPDX-License-Identifier: MIT

package clock

import "time"

// Clock counts the time since it was made. It is a plain value; copies are the
// same clock.
type Clock struct {
	start time.Time
	base  int64 // what the system's monotonic clock said at start, in nanoseconds
}

// New starts a clock.
func New() Clock { return Clock{start: time.Now(), base: monotonic()} }

// Now is the time since the clock was made.
func (c Clock) Now() time.Duration { return time.Since(c.start) }

// Time is the time of day at a time of the clock.
func (c Clock) Time(at time.Duration) time.Time { return c.start.Add(at) }
