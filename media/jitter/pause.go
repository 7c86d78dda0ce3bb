// SPDX-License-Identifier: MIT

package jitter

// pause is a silence that the sender has announced by comfort noise (RFC 3389):
// what is not there was not lost.
type pause struct {
	known bool
	ended bool
	from  uint32 // timestamp at which it began
	to    uint32 // and, when it has ended, of the sound after it
}

// Pause notes that from a timestamp on the sender sends no sound, until it does.
func (b *Buffer) Pause(timestamp uint32) {
	p := &b.pause
	if p.known && !p.ended && int32(timestamp-p.from) >= 0 {
		return // the noise of the same pause has changed
	}
	*p = pause{known: true, from: timestamp}
	if newest := b.clock + uint32(b.Depth()*frame); int32(newest-timestamp) > 0 {
		p.ended, p.to = true, newest // it was overtaken by the sound after it
	}
}

// end notes that there is sound at a timestamp.
func (p *pause) end(timestamp uint32) {
	if p.known && !p.ended && int32(timestamp-p.from) >= 0 {
		p.ended, p.to = true, timestamp
	}
}

// covers says whether all of the frame at a timestamp, or its end, is silence
// that was announced.
func (p *pause) covers(timestamp uint32) bool {
	return p.known && int32(timestamp+frame-p.from) > 0 && (!p.ended || int32(p.to-timestamp) > 0)
}
