// SPDX-License-Identifier: MIT

package rtcp

import "time"

// NTP is a time of day: seconds since 1900, and fractions of a second below
// (RFC 3550 section 4).
type NTP uint64

// Short is the middle of an NTP, in units of 1/65536 s: a time that is told
// apart from others of the same 18 hours, or a length.
type Short uint32

// epoch is when Unix time began, in seconds since 1900.
const epoch = 2_208_988_800

// NTPOf turns a time into an NTP.
func NTPOf(t time.Time) NTP {
	seconds := uint64(t.Unix() + epoch)
	return NTP(seconds<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second))
}

// Short gives the middle of a time.
func (n NTP) Short() Short { return Short(n >> 16) }

// ShortOf turns a length into units of 1/65536 s. Lengths below 0 are 0, and
// more than 18 hours are as much as can be said.
func ShortOf(d time.Duration) Short {
	const longest = (1<<32 - 1) * time.Second >> 16
	d = min(max(d, 0), longest)
	return Short((uint64(d)<<16 + uint64(time.Second)/2) / uint64(time.Second))
}

// Duration gives the length.
func (s Short) Duration() time.Duration { return time.Duration(uint64(s) * uint64(time.Second) >> 16) }

// slowest is the longest round trip that is believed. What is beyond says that
// the peer reckons wrongly.
const slowest = 10 * time.Second

// RoundTrip is how long it took to the peer and back, from a block that came
// now: all the time since our report, without that for which the peer had it
// (RFC 3550 section 6.4.1). Not ok means that the block does not tell.
func (b *Block) RoundTrip(now NTP) (d time.Duration, ok bool) {
	if b.LastSR == 0 {
		return 0, false
	}
	d = (now.Short() - b.LastSR - b.Delay).Duration()
	if back := (b.LastSR + b.Delay - now.Short()).Duration(); back < time.Millisecond {
		d = 0 // within what the two clocks can tell
	}
	return d, d <= slowest
}
