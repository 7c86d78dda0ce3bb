// SPDX-License-Identifier: MIT

package dtmf

import (
	"time"

	"github.com/callwright/callwright/media"
)

// Window is how far apart two ways may tell of one key: an INFO that was lost
// twice comes a second and a half later (RFC 3261 section 17.1.2.2), a tone is
// found after some 80 ms.
const Window = 2 * time.Second

// mergerMemory is how many keys a Merger remembers: more than fit into a window.
const mergerMemory = 32

// Merger counts each key once when a peer tells of it in several ways: by
// telephone-event, in the sound, by SIP INFO. The zero value is ready. It has no
// clock; it is told the times. It is not safe for concurrent use.
//
// A report belongs to the oldest press of that key in the window that its way has
// not told of yet; without one it is a new press. So "55", typed quickly and told
// in two ways, is two keys however the four reports mix. One way at least must
// tell of all presses of a key in a window, which every telephone's does: a press
// told in one way only and a press told in another way only are taken for one.
type Merger struct {
	presses []counted // oldest first
}

// counted is a key that was counted.
type counted struct {
	key      byte
	told     uint8 // a bit for each way that told of it
	from, to time.Time
}

// Count takes a report that key was down from one time to another, and says
// whether it is a new press. The times are equal where only the beginning is
// known. A long press is told at its beginning in one way and at its end in
// another, which gives its duration; the times need only be near.
func (m *Merger) Count(key byte, way media.DigitWay, from, to time.Time) bool {
	for i := range m.presses {
		p := &m.presses[i]
		near := from.Sub(p.to) <= Window && p.from.Sub(to) <= Window
		if p.key == key && near && p.told&(1<<way) == 0 {
			p.told |= 1 << way
			return false
		}
	}
	if len(m.presses) == mergerMemory {
		m.presses = m.presses[:copy(m.presses, m.presses[1:])]
	}
	m.presses = append(m.presses, counted{key: key, told: 1 << way, from: from, to: to})
	return true
}
