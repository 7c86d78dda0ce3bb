// SPDX-License-Identifier: MIT

package stream

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/callwright/callwright/transport/sip/intake"
	"github.com/callwright/callwright/transport/sip/secure"
)

// The transports, as Via names them.
const (
	TCP = "TCP"
	TLS = "TLS"
	WS  = "WS"
	WSS = "WSS"
)

// setUpTimeout is how long a connection may take until the first SIP message
// can come by it: TLS and WebSocket handshakes.
const setUpTimeout = 10 * time.Second

// acceptPause is how long a listener waits when the system has no room for
// another connection.
const acceptPause = 50 * time.Millisecond

// Config is what a Pool is made of.
type Config struct {
	// Message is told every message. It must not block, and not keep the bytes.
	Message func(*Conn, []byte)
	// Refused is told of a message whose end cannot be found, which ends the
	// connection. It may send an answer.
	Refused func(*Conn, intake.Verdict)
	// Server secures the connections that come to tls:// and wss:// listeners.
	// Its certificate is shown to peers, too, that ask for one. It may be nil
	// without such listeners.
	Server *secure.Server
	// Most is how many connections peers may have open, and a quarter of it how
	// many those behind one address, or one IPv6 network of 64 bits, may; 0 is 1,000.
	Most int
	// KeepAlive is how long a connection that was used is left idle until it is
	// asked for a sign of life; 0 is 90 s.
	KeepAlive time.Duration
	Log       *slog.Logger
}

// Pool is all connections.
type Pool struct {
	cfg     Config
	clients *secure.Clients
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	running sync.WaitGroup
	room    *room

	mu      sync.Mutex
	conns   map[place][]*Conn // the last one is the newest
	dialing map[Target]*dialing
	closed  bool
	// told is when the log was told of refused connections, refused how many
	// there were since.
	told    time.Time
	refused int
}

// place is where a connection leads.
type place struct {
	network string
	peer    netip.AddrPort
}

// errClosed says that the pool is closed.
var errClosed = errors.New("the SIP endpoint is closed")

// New makes a Pool without connections.
func New(cfg Config) *Pool {
	if cfg.KeepAlive == 0 {
		cfg.KeepAlive = 90 * time.Second
	}
	p := &Pool{cfg: cfg, room: newRoom(cmp.Or(cfg.Most, 1000)), clients: secure.NewClients(cfg.Log), conns: map[place][]*Conn{}, dialing: map[Target]*dialing{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.running.Go(p.keepAlive)
	return p
}

// Serve takes the connections of a listener until that is closed.
func (p *Pool) Serve(l net.Listener, network string) {
	for {
		raw, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			// No file descriptor is free: those who are connected are served on.
			p.cfg.Log.Error("accept SIP connection", "network", network, "err", err)
			select {
			case <-time.After(acceptPause):
			case <-p.ctx.Done():
			}
			continue
		}
		g := p.room.enter(addrOf(raw.RemoteAddr()).Addr(), time.Now(), func() { _ = raw.Close() })
		if g == nil {
			_ = raw.Close()
			p.crowded(network, raw.RemoteAddr())
			continue
		}
		if !p.start(func() { p.accepted(raw, network, g) }) {
			g.leave()
			_ = raw.Close()
		}
	}
}

// crowded writes to the log that there was no room for a connection, once in a
// minute.
func (p *Pool) crowded(network string, peer net.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused++
	if now := time.Now(); now.Sub(p.told) >= time.Minute {
		p.cfg.Log.Warn("SIP connection refused: too many are open, or too many of this address; a higher limit of open files (ulimit -n) makes room",
			"network", network, "peer", peer, "most", p.room.most, "most_of_one_address", p.room.each, "refused_since_the_last_line", p.refused)
		p.told, p.refused = now, 0
	}
}

// start runs f in a goroutine, unless the pool is closed.
func (p *Pool) start(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.running.Go(f)
	}
	return !p.closed
}

// whenClosed runs f when the pool is closed, unless it is stopped before.
func (p *Pool) whenClosed(f func()) (stop func() bool) { return context.AfterFunc(p.ctx, f) }

// accepted lives for as long as a connection that a peer opened.
func (p *Pool) accepted(raw net.Conn, network string, g *guest) {
	defer g.leave()
	stop := p.whenClosed(func() { _ = raw.Close() })
	c, err := p.answer(raw, network)
	stop()
	if err != nil {
		_ = raw.Close()
		p.cfg.Log.Debug("SIP connection refused", "network", network, "peer", raw.RemoteAddr(), "err", err)
		return
	}
	c.guest = g
	if p.add(c) {
		c.serve()
	}
}

// add makes a connection known. There may be others with its place: those that are
// secured otherwise, and one whose peer has opened another from the same port.
func (p *Pool) add(c *Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = c.socket.Close()
		return false
	}
	p.conns[c.place] = append(p.conns[c.place], c)
	return true
}

func (p *Pool) remove(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(p.conns[c.place]), func(o *Conn) bool { return o == c })
	if p.conns[c.place] = rest; len(rest) == 0 {
		delete(p.conns, c.place)
	}
}

// Find gives the open connection with a peer, the newest if there are several, or
// nil.
func (p *Pool) Find(network string, peer netip.AddrPort) *Conn {
	return p.find(place{network, unmapped(peer)}, func(*Conn) bool { return true })
}

// find gives the newest connection with a place that is wanted, or nil.
func (p *Pool) find(at place, wanted func(*Conn) bool) *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range slices.Backward(p.conns[at]) {
		if wanted(c) {
			return c
		}
	}
	return nil
}

// Len is how many connections are open.
func (p *Pool) Len() int { return len(p.all()) }

// Close closes all connections and waits until nothing of them is left.
// Listeners are closed by whoever opened them, before.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for _, c := range p.all() {
		_ = c.socket.Close()
	}
	p.cancel()
	p.running.Wait()
}

// keepAlive has connections that are idle show that they live.
func (p *Pool) keepAlive() {
	tick := time.NewTicker(p.cfg.KeepAlive / 3)
	defer tick.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case now := <-tick.C:
			p.room.sweep(now)
			for _, c := range p.all() {
				c.keepAlive(now)
			}
		}
	}
}

func (p *Pool) all() []*Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Concat(slices.Collect(maps.Values(p.conns))...)
}

func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
