// SPDX-License-Identifier: MIT

package rtcp

import "time"

// Interval is how often two sides of a stream report, in the middle. Reports of
// so few need less than the share of the bandwidth that they may have (RFC 3550
// section 6.2), so that the least interval counts.
const Interval = 5 * time.Second

// compensation makes up for a middle that is longer because of the second look
// at each time (RFC 3550 section 6.3.1).
const compensation = 2.71828 - 1.5

// Schedule says when reports are due, so that those of many streams spread over
// time (RFC 3550 sections 6.3.1, 6.3.2 and 6.3.6). It holds no pointers. Times
// are those of any clock that goes on.
type Schedule struct {
	last    time.Duration
	next    time.Duration
	initial bool // no report was sent yet
}

// Begin sets the time of the first report. Random is from 0 to below 1.
func (s *Schedule) Begin(now time.Duration, random float64) {
	s.initial, s.last = true, now
	s.next = now + s.draw(random)
}

// Next is when Due is to be asked.
func (s *Schedule) Next() time.Duration { return s.next }

// Due says whether a report is to be sent now. The interval is drawn again
// first, and with a longer one the report waits (RFC 3550 section 6.3.6).
func (s *Schedule) Due(now time.Duration, random func() float64) bool {
	if now < s.next {
		return false
	}
	if s.next = s.last + s.draw(random()); s.next > now {
		return false
	}
	s.initial, s.last = false, now
	s.next = now + s.draw(random())
	return true
}

// draw gives an interval: half as long before the first report, and from half
// of that to one and a half.
func (s *Schedule) draw(random float64) time.Duration {
	interval := float64(Interval)
	if s.initial {
		interval /= 2
	}
	return time.Duration(interval * (0.5 + random) / compensation)
}
