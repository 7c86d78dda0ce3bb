// SPDX-License-Identifier: MIT

package stream

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"github.com/callwright/callwright/transport/sip/shield"
)

// silence is how long a connection that a peer opened may stay until a request of
// it was let in: phones speak first, and with the right password at once.
const silence = 32 * time.Second

// room is how many connections peers may open. Each costs a file descriptor, and
// sound needs those too.
type room struct {
	most, each int // all of them, and those of one customer

	mu     sync.Mutex
	taken  int
	by     map[netip.Addr]int
	silent list.List // the guests that are not known, the first to come first
}

// guest is a connection that a peer opened.
type guest struct {
	room   *room
	source netip.Addr
	came   time.Time
	close  func()
	// silent is its place among those that are not known; nil once it is, or has
	// gone.
	silent *list.Element
	gone   bool
}

func newRoom(most int) *room {
	return &room{most: most, each: max(most/4, 1), by: map[netip.Addr]int{}}
}

// enter takes a place for a connection, or gives nil. In a room that is full one
// that is not known makes place: it has had its time, and may be one of thousands
// that want the room full. What it said does not matter, for that is free.
func (r *room) enter(source netip.Addr, now time.Time, hangUp func()) *guest {
	source = shield.Customer(source)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by[source] >= r.each {
		return nil
	}
	if r.taken >= r.most {
		first := r.silent.Front()
		if first == nil {
			return nil
		}
		first.Value.(*guest).evict()
	}
	g := &guest{room: r, source: source, came: now, close: hangUp}
	g.silent = r.silent.PushBack(g)
	r.taken++
	r.by[source]++
	return g
}

// sweep closes those that have been unknown for too long.
func (r *room) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for e := r.silent.Front(); e != nil && now.Sub(e.Value.(*guest).came) > silence; e = r.silent.Front() {
		e.Value.(*guest).evict()
	}
}

// evict closes a connection. room.mu is held.
func (g *guest) evict() {
	g.free()
	g.close()
}

// free gives the place back, once. room.mu is held.
func (g *guest) free() {
	if g.gone {
		return
	}
	g.gone = true
	g.heard()
	g.room.taken--
	if g.room.by[g.source]--; g.room.by[g.source] == 0 {
		delete(g.room.by, g.source)
	}
}

// heard says that the guest is one of the silent no more. room.mu is held.
func (g *guest) heard() {
	if g.silent != nil {
		g.room.silent.Remove(g.silent)
		g.silent = nil
	}
}

// spoke says that a request of it was let in.
func (g *guest) spoke() {
	g.room.mu.Lock()
	defer g.room.mu.Unlock()
	g.heard()
}

// leave gives the place back. It may be called again.
func (g *guest) leave() {
	g.room.mu.Lock()
	defer g.room.mu.Unlock()
	g.free()
}
