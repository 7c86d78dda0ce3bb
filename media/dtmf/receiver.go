// SPDX-License-Identifier: MIT

package dtmf

// remembered is how many events back a late packet is still known to belong to
// a key that was told. A key and its pause last 100 ms or more, and no packet
// that the jitter buffer would wait for is four of them late.
const remembered = 4

// segmentSlack is how far from the exact 0xFFFF samples a sender may begin the
// next segment of a long key, because it counts in whole frames.
const segmentSlack = 480

// Receiver tells which keys a peer presses. The zero value is ready. It is not
// safe for concurrent use.
type Receiver struct {
	events [remembered]event
	next   uint8 // the oldest of events, overwritten by the next new one
}

// event is what was last heard of one event, or of one segment of it.
type event struct {
	timestamp uint32
	duration  uint16
	code      uint8
	known     bool // false for a slot not used yet
	ended     bool
}

// Packet takes the payload of one telephone-event packet with the timestamp and
// the marker bit of its RTP header. It returns the key and true when this is
// the first that is heard of it, and false for all other packets, for events
// that are no keys and for payloads too short to be one.
//
// All packets of one event carry the time it began (RFC 4733 section 2.2), so
// timestamp and event code name it; neither the marker nor the end bit is
// needed, since either may be lost. Durations say nothing of where the next
// event may begin either: sipp moves its timestamp on by 400 a key, and reports
// a duration of 1600.
func (r *Receiver) Packet(b []byte, timestamp uint32, marker bool) (key byte, ok bool) {
	p, ok := parse(b)
	if !ok {
		return 0, false
	}
	key, ok = Key(p.code)
	if !ok || r.heard(p, timestamp) {
		return 0, false
	}
	isNew := marker || !r.continues(p, timestamp)
	r.events[r.next] = event{
		timestamp: timestamp,
		duration:  p.duration,
		code:      p.code,
		known:     true,
		ended:     p.end,
	}
	r.next = (r.next + 1) % remembered
	if !isNew {
		return 0, false
	}
	return key, true
}

// heard says whether the packet belongs to an event that is remembered, and
// brings what is remembered of it up to date.
func (r *Receiver) heard(p payload, timestamp uint32) bool {
	for i := range r.events {
		e := &r.events[i]
		if !e.known || e.timestamp != timestamp || e.code != p.code {
			continue
		}
		e.duration = max(e.duration, p.duration)
		e.ended = e.ended || p.end
		return true
	}
	return false
}

// continues says whether the packet opens the next segment of a key that has
// been held for as long as one segment can tell (RFC 4733 section 2.5.1.3).
// The last packets of the segment may be lost, so half of it is enough to have
// been heard.
func (r *Receiver) continues(p payload, timestamp uint32) bool {
	for i := range r.events {
		e := &r.events[i]
		if !e.known || e.ended || e.code != p.code || e.duration < maxDuration/2 {
			continue
		}
		apart := timestamp - e.timestamp
		if apart >= maxDuration-segmentSlack && apart <= maxDuration+segmentSlack {
			return true
		}
	}
	return false
}
