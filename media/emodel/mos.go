// SPDX-License-Identifier: MIT

package emodel

import "time"

const (
	// best is the rating of a call without any fault, with all parameters of
	// ITU-T G.107 at their defaults.
	best = 93.2
	// robustness is Bpl of G.711 with packet loss concealment (ITU-T G.113
	// appendix I); its Ie is 0.
	robustness = 25.1
	// noticed is the delay from which talkers begin to get in each other's way.
	noticed = 177300 * time.Microsecond
)

// Call is what is known of one direction of a call.
type Call struct {
	// Delay is the time from mouth to ear: half the round trip, the packet that
	// must be full and the wait in the jitter buffer.
	Delay time.Duration
	// Expected are the packets that should have been heard, and Missing those of
	// them that never came or came too late.
	Expected, Missing uint64
}

// Rating is R, from 0 to 100 (ITU-T G.107 section 7): R = 93.2 - Id - Ie,eff.
//
// What delay costs is Id = 0.024 d + 0.11 (d - 177.3) H(d - 177.3), d in ms (R.
// Cole and J. Rosenbluth, Voice over IP performance monitoring, ACM SIGCOMM CCR
// 31(2), 2001, from G.107 with perfect echo control). What loss costs is Ie,eff
// = Ie + (95 - Ie) Ppl / (Ppl/BurstR + Bpl), Ppl in percent, with BurstR 1 for
// losses without a pattern (G.107 section 7.5).
func (c Call) Rating() float64 {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	r := best - 0.024*ms(c.Delay)
	if c.Delay > noticed {
		r -= 0.11 * ms(c.Delay-noticed)
	}
	if c.Expected > 0 {
		loss := 100 * float64(min(c.Missing, c.Expected)) / float64(c.Expected)
		r -= 95 * loss / (loss + robustness)
	}
	return max(0, r)
}

// MOS is the mean opinion of listeners, from 1 to 4.5 (ITU-T G.107 annex B):
// 1 + 0.035 R + R (R - 60) (100 - R) 7/10^6.
func (c Call) MOS() float64 {
	r := c.Rating()
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}
