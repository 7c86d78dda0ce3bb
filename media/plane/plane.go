// SPDX-License-Identifier: MIT

package plane

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/clock"
	"github.com/callwright/callwright/media/internal/mpsc"
	"github.com/callwright/callwright/media/recorder"
	"github.com/callwright/callwright/media/rtp"
)

// ErrClosed says that the plane has been closed.
var ErrClosed = errors.New("the media plane is closed")

// Config says how a plane is made.
type Config struct {
	// Listen is the address that streams are opened on; 0.0.0.0 and :: are all
	// of this machine.
	Listen netip.Addr
	// Ports is the range of UDP ports to use, such as "20000-29999"; "0" leaves
	// the choice to the system.
	Ports string
	// Shards is how many threads carry the streams; 0 means half the processors,
	// but at least one.
	Shards int
	// Logger is told when the clock falls behind. Required.
	Logger *slog.Logger
}

// Plane carries streams. Its methods are safe for concurrent use and wait
// neither for the network nor for the clock, except for Close and Describe.
type Plane struct {
	listen   netip.Addr
	ports    *rtp.Ports
	recorder *recorder.Recorder
	logger   *slog.Logger
	shards   []*shard
	running  sync.WaitGroup // shards
	wake     chan struct{}  // something is in an outbox
	told     chan struct{}  // closed when the teller has ended
	behind   lateness

	mu      sync.Mutex // keeps commands to one stream in order across shards
	entries map[media.StreamID]*entry
	last    media.StreamID
	closed  bool
	open    sync.WaitGroup // streams whose Closed was not delivered
}

// entry is what the plane knows of a stream without asking its shard.
type entry struct {
	shard   *shard
	deliver func(media.Event)
	closing bool

	// What follows belongs to the teller.
	next uint32  // number of the event to be delivered next
	held []event // events that came before their turn, over another shard
}

// New makes a plane and starts it. Close it.
func New(c Config) (*Plane, error) {
	p, err := build(c)
	if err != nil {
		return nil, err
	}
	for _, s := range p.shards {
		p.running.Go(s.run)
	}
	return p, nil
}

// build makes a plane whose shards nobody steps yet.
func build(c Config) (*Plane, error) {
	ports, err := rtp.NewPorts(c.Ports)
	if err != nil {
		return nil, err
	}
	if err := ports.Check(); err != nil {
		c.Logger.Warn(err.Error())
	}
	if !c.Listen.IsValid() {
		return nil, errors.New("media.listen is not an IP address: write 0.0.0.0 for all of this machine")
	}
	n := c.Shards
	if n == 0 {
		n = max(1, runtime.NumCPU()/2)
	}
	p := &Plane{
		listen:   c.Listen,
		ports:    ports,
		recorder: recorder.New(),
		logger:   c.Logger,
		wake:     make(chan struct{}, 1),
		told:     make(chan struct{}),
		entries:  make(map[media.StreamID]*entry),
	}
	now := clock.New()
	for range n {
		p.shards = append(p.shards, newShard(now, p.wake))
	}
	go p.tell()
	return p, nil
}

// Close closes all streams, delivers what is to be told of them and gives back
// everything. It must not be called from Deliver.
func (p *Plane) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		<-p.told
		return
	}
	p.closed = true
	for id, e := range p.entries {
		p.closeStream(id, e)
	}
	p.mu.Unlock()
	p.open.Wait()
	for _, s := range p.shards {
		s.stop.Store(true)
	}
	p.running.Wait()
	p.recorder.Close()
	close(p.wake)
	<-p.told
}

// Open opens a stream and says on which address and port. The stream neither
// sends nor listens until Connect. It fails with rtp.ErrNoPorts when all ports
// are in use.
func (p *Plane) Open(o media.StreamOptions) (media.StreamID, netip.AddrPort, error) {
	sockets, err := p.ports.Listen(p.listen)
	if err != nil {
		return 0, netip.AddrPort{}, fmt.Errorf("open media stream: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, netip.AddrPort{}, errors.Join(ErrClosed, p.ports.Release(sockets))
	}
	p.last++
	id := p.last
	e := &entry{shard: p.place(o.Near), deliver: o.Deliver}
	e.shard.load++
	p.entries[id] = e
	p.open.Add(1)
	st := stream{id: id, socket: sockets.Sound, reports: newReports(sockets.Control)}
	st.life.tended = math.MaxInt64
	st.out.ssrc, st.out.sequence, st.out.timestamp = rand.Uint32(), firstSequence(), rand.Uint32()
	e.shard.send(command{do: func(s *shard) { s.open(st, o.Near) }})
	return id, netip.AddrPortFrom(p.listen, sockets.Sound.Port()), nil
}

// place chooses a shard: that of a neighbour, or else the one with the fewest
// streams.
func (p *Plane) place(near media.StreamID) *shard {
	if e := p.entries[near]; e != nil {
		return e.shard
	}
	least := p.shards[0]
	for _, s := range p.shards[1:] {
		if s.load < least.load {
			least = s
		}
	}
	return least
}

// CloseStream ends a stream. What it plays and records ends; the Closed event
// is the last one, and the port is free by then.
func (p *Plane) CloseStream(id media.StreamID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, err := p.lookup(id)
	if err != nil {
		return err
	}
	p.closeStream(id, e)
	return nil
}

func (p *Plane) closeStream(id media.StreamID, e *entry) {
	if e.closing {
		return
	}
	e.closing = true
	e.shard.load--
	e.shard.send(command{ids: [2]media.StreamID{id}, do: func(s *shard) { s.close(id) }})
}

func (p *Plane) lookup(id media.StreamID) (*entry, error) {
	e := p.entries[id]
	if e == nil || e.closing {
		return nil, fmt.Errorf("%w: %d", media.ErrNoStream, id)
	}
	return e, nil
}

// order hands an act on one stream to the shard that carries it.
func (p *Plane) order(id media.StreamID, do func(*shard, *stream)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, err := p.lookup(id)
	if err != nil {
		return err
	}
	e.shard.sendFor(id, do)
	return nil
}

// command is an act to be done by a shard. Ids are the streams it is about.
type command struct {
	ids [2]media.StreamID
	do  func(*shard)
}

// send hands a command to the shard. It never waits.
func (s *shard) send(c command) { s.commands.Push(&mpsc.Node[command]{Value: c}) }

// sendFor hands over an act on one stream, which is left out if the stream is
// gone by then.
func (s *shard) sendFor(id media.StreamID, do func(*shard, *stream)) {
	s.send(command{ids: [2]media.StreamID{id}, do: func(s *shard) {
		if i, ok := s.index[id]; ok {
			do(s, s.streams.at(i))
		}
	}})
}
