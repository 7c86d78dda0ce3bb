// SPDX-License-Identifier: MIT

package plane

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
)

// outboxSize is how many events fit into the ring of a shard.
const outboxSize = 256

// event is an event on its way to whom it is to be told.
type event struct {
	media.Event
	order   uint32   // how many events of the stream came before it
	sockets rtp.Pair // to be closed, with Closed
	late    time.Duration
}

// outbox carries events from a shard to the teller: a ring with one writer and
// one reader. When the teller does not keep up, what does not fit waits on the
// shard's side, in order; nothing is lost and the shard never waits.
type outbox struct {
	ring    [outboxSize]event
	written atomic.Uint64
	read    atomic.Uint64
	spill   []event // belongs to the shard
	fresh   bool    // something was written that the teller was not woken for
	wake    chan<- struct{}
}

// push puts an event in. Only the shard may call it.
func (o *outbox) push(e event) {
	if len(o.spill) > 0 || !o.put(e) {
		o.spill = append(o.spill, e)
	}
}

func (o *outbox) put(e event) bool {
	w := o.written.Load()
	if w-o.read.Load() == outboxSize {
		return false
	}
	o.ring[w%outboxSize] = e
	o.written.Store(w + 1)
	o.fresh = true
	return true
}

// flush moves on what waited and wakes the teller. The shard calls it after
// each step.
func (o *outbox) flush() {
	n := 0
	for n < len(o.spill) && o.put(o.spill[n]) {
		n++
	}
	if n > 0 {
		left := copy(o.spill, o.spill[n:])
		clear(o.spill[left:])
		o.spill = o.spill[:left]
	}
	if !o.fresh {
		return
	}
	o.fresh = false
	select {
	case o.wake <- struct{}{}:
	default: // it has been woken already
	}
}

// late tells that the clock was so late that time was given up.
func (o *outbox) late(by time.Duration) { o.push(event{late: by}) }

// take takes the oldest event out. Only the teller may call it.
func (o *outbox) take() (event, bool) {
	r := o.read.Load()
	if r == o.written.Load() {
		return event{}, false
	}
	e := o.ring[r%outboxSize]
	o.ring[r%outboxSize] = event{}
	o.read.Store(r + 1)
	return e, true
}

// tell delivers events until the plane is closed.
func (p *Plane) tell() {
	defer close(p.told)
	for range p.wake {
		for _, s := range p.shards {
			for {
				e, ok := s.outbox.take()
				if !ok {
					break
				}
				p.deliver(e)
			}
		}
	}
}

// deliver delivers an event, or keeps it until those before it have come: a
// stream that moves to another shard leaves some in the first one's ring.
func (p *Plane) deliver(e event) {
	if e.Kind == 0 {
		p.behind.add(e.late, p.logger)
		return
	}
	p.mu.Lock()
	t := p.entries[e.Stream]
	p.mu.Unlock()
	t.held = append(t.held, e)
	for i := 0; i < len(t.held); {
		e := t.held[i]
		if e.order != t.next {
			i++
			continue
		}
		t.next++
		t.held = append(t.held[:i], t.held[i+1:]...)
		i = 0
		if e.Kind == media.Closed {
			p.forget(e)
		}
		t.deliver(e.Event)
		if e.Kind == media.Closed {
			p.open.Done()
		}
	}
}

// forget gives back what a closed stream had.
func (p *Plane) forget(e event) {
	if err := p.ports.Release(e.sockets); err != nil {
		p.logger.Warn("close media stream", "stream", e.Stream, "err", err)
	}
	p.mu.Lock()
	delete(p.entries, e.Stream)
	p.mu.Unlock()
}

// lateness counts how often the clock was late, so that a machine that is too
// slow does not spend its time on saying so. It belongs to the teller.
type lateness struct {
	logged time.Time
	times  int // since then
	worst  time.Duration
}

func (l *lateness) add(late time.Duration, log *slog.Logger) {
	l.times++
	l.worst = max(l.worst, late)
	if now := time.Now(); now.Sub(l.logged) >= time.Second {
		log.Warn("media clock was late and left out time", "times", l.times, "at_most", l.worst)
		*l = lateness{logged: now}
	}
}
