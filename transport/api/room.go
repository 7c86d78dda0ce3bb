// SPDX-License-Identifier: MIT

package api

import (
	"container/list"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// tellEvery is how often the log is told that connections are refused.
const tellEvery = time.Minute

// room is how many connections clients may have open. Each costs a file
// descriptor, and sound needs those too. It is told of their states by http.Server.
type room struct {
	most, each int // all of them, and those of one source
	proxies    proxies
	log        *slog.Logger

	mu     sync.Mutex
	guests map[net.Conn]*guest
	by     map[netip.Addr]int
	idle   list.List // the connections without a request, the longest first
	told   time.Time
}

// guest is a connection.
type guest struct {
	source netip.Addr
	// idle is its place among those without a request; nil while there is one.
	idle *list.Element
}

func newRoom(most int, proxies proxies, log *slog.Logger) *room {
	return &room{most: most, each: max(most/4, 1), proxies: proxies, log: log, guests: map[net.Conn]*guest{}, by: map[netip.Addr]int{}}
}

// listener lets connections in for which there is room, and closes others.
type listener struct {
	net.Listener
	room *room
}

// Accept waits for a connection.
func (l listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || l.room.enter(conn, time.Now()) {
			return conn, err
		}
		conn.Close()
	}
}

// enter takes a place for a connection. In a room that is full the one that has had
// no request for the longest time makes place. A proxy of ours, or one on this machine,
// brings clients of its own, so that it may have all places.
func (r *room) enter(conn net.Conn, now time.Time) bool {
	peer := conn.RemoteAddr().String()
	source, hop := SourceOf(peer), addressOf(peer)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by[source] >= r.each && !hop.IsLoopback() && !r.proxies.contain(hop) {
		r.tell(now, "an address has too many connections to http.listen, and gets no more; if that is a proxy of yours, name it in http.proxies",
			"from", source, "connections", r.each)
		return false
	}
	if len(r.guests) >= r.most {
		first := r.idle.Front()
		if first == nil {
			r.tell(now, "http.listen has all the connections that it may have, all of them with a request; raise the limit of open files (ulimit -n)",
				"connections", r.most)
			return false
		}
		evicted := first.Value.(net.Conn)
		r.free(evicted)
		evicted.Close()
	}
	r.guests[conn] = &guest{source: source, idle: r.idle.PushBack(conn)}
	r.by[source]++
	return true
}

// tell tells the log. mu is held.
func (r *room) tell(now time.Time, what string, attrs ...any) {
	if r.told.IsZero() || now.Sub(r.told) >= tellEvery {
		r.told = now
		r.log.Warn(what, attrs...)
	}
}

// watch takes what a connection does.
func (r *room) watch(conn net.Conn, state http.ConnState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.guests[conn]
	switch {
	case g == nil: // it was evicted
	case state == http.StateClosed || state == http.StateHijacked:
		r.free(conn)
	case state == http.StateActive && g.idle != nil:
		r.idle.Remove(g.idle)
		g.idle = nil
	case state == http.StateIdle && g.idle == nil:
		g.idle = r.idle.PushBack(conn)
	}
}

// free gives the place of a connection back. mu is held.
func (r *room) free(conn net.Conn) {
	g := r.guests[conn]
	delete(r.guests, conn)
	if g.idle != nil {
		r.idle.Remove(g.idle)
	}
	if r.by[g.source]--; r.by[g.source] == 0 {
		delete(r.by, g.source)
	}
}
