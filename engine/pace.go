// SPDX-License-Identifier: MIT

package engine

import "time"

// Pace tells when too many calls begin within one second: any second, not one of
// the clock's, at whose turn twice as many would fit. The zero value knows of none.
// It is not safe for concurrent use.
type Pace struct{ begun []time.Time } // the last ones, the oldest first

// Full says whether so many began within the last second that no more may; of 0
// there are never too many.
func (p *Pace) Full(most int, now time.Time) bool {
	n := len(p.begun)
	return most > 0 && n >= most && now.Sub(p.begun[n-most]) < time.Second
}

// Begin counts one. What is beyond most, which may have changed, is forgotten.
func (p *Pace) Begin(most int, now time.Time) {
	if most <= 0 {
		p.begun = nil
		return
	}
	p.begun = append(p.begun[max(0, len(p.begun)-most+1):], now)
}
