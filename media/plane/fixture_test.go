// SPDX-License-Identifier: MIT

package plane

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/rtp"
	"github.com/callwright/callwright/media/tone"
)

const events = 101 // payload type of telephone-event in these tests

// fixture is a plane whose shards the test steps by hand. Datagrams on the
// loopback are there as soon as they are sent, so nothing needs waiting for but
// the teller. They come when they are looked for: how long they have waited by the
// kernel's clock is up to the machine, and nothing of the test's time.
type fixture struct {
	*Plane
	t     *testing.T
	now   time.Duration
	mu    sync.Mutex
	inbox map[media.StreamID]chan media.Event
}

func setup(t *testing.T, c Config) *fixture {
	t.Helper()
	if !c.Listen.IsValid() {
		c.Listen = home(t)
	}
	if c.Ports == "" {
		c.Ports = "0"
	}
	if c.Shards == 0 {
		c.Shards = 1
	}
	c.Logger = slog.New(slog.DiscardHandler)
	p, err := build(c)
	if err != nil {
		t.Fatal(err)
	}
	p.recorder.Patience = time.Minute // a busy machine's disk does not hang
	f := &fixture{Plane: p, t: t, inbox: map[media.StreamID]chan media.Event{}}
	t.TempDir() // to be removed after the plane is closed, not before
	t.Cleanup(f.close)
	return f
}

// home is the address that a test has for itself: the kernel may give the port
// of a phone that is gone to another test at once, and a stream that is locked
// to nobody yet would listen to what is still sent there.
func home(t *testing.T) netip.Addr {
	if runtime.GOOS != "linux" {
		return netip.MustParseAddr("127.0.0.1") // the only one that is set up
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(t.Name()))
	sum := h.Sum(nil)
	return netip.AddrFrom4([4]byte{127, sum[0] | 1, sum[1], sum[2] | 1})
}

// close steps the shards while the plane waits for them.
func (f *fixture) close() {
	f.running.Go(func() {
		for !f.shards[0].stop.Load() {
			f.step(time.Millisecond)
			runtime.Gosched()
		}
	})
	f.Close()
}

// step lets the given time go by, in milliseconds, on all shards.
func (f *fixture) step(d time.Duration) {
	for end := f.now + d; f.now < end; {
		f.now += time.Millisecond
		for _, s := range f.shards {
			s.step(f.now)
		}
	}
}

// open opens a stream.
func (f *fixture) open() (media.StreamID, netip.AddrPort) {
	f.t.Helper()
	in := make(chan media.Event, 100)
	id, at, err := f.Open(media.StreamOptions{Deliver: func(e media.Event) { in <- e }})
	if err != nil {
		f.t.Fatal(err)
	}
	f.must(f.order(id, func(_ *shard, st *stream) {
		stamp(f.t, st.socket, false)
		stamp(f.t, st.reports.socket, false)
	}))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inbox[id] = in
	return id, at
}

// want waits for the next event of a stream, which must be of the given kind.
// Meanwhile time stands still, except for events that the disk is needed for.
func (f *fixture) want(id media.StreamID, kind media.EventKind) media.Event {
	f.t.Helper()
	f.mu.Lock()
	in := f.inbox[id]
	f.mu.Unlock()
	deadline := time.After(time.Minute)
	for {
		select {
		case e := <-in:
			if e.Kind != kind {
				f.t.Fatalf("stream %d: event %+v, want kind %d", id, e, kind)
			}
			return e
		case <-deadline:
			f.t.Fatalf("stream %d: no event of kind %d came", id, kind)
		case <-time.After(time.Millisecond):
			if kind == media.RecordEnded || kind == media.Closed {
				f.step(time.Millisecond)
			}
		}
	}
}

// quiet fails if a stream has told anything more.
func (f *fixture) quiet(id media.StreamID) {
	f.t.Helper()
	f.sync()
	f.mu.Lock()
	in := f.inbox[id]
	f.mu.Unlock()
	select {
	case e := <-in:
		f.t.Errorf("stream %d: unexpected event %+v", id, e)
	default:
	}
}

// sync waits until the teller has delivered all that was told so far. One waking
// is kept while the teller is at work: when the third can be given, the second was
// taken, and all that the first was for is done.
func (f *fixture) sync() {
	for range 3 {
		f.wake <- struct{}{}
	}
}

// phone is a peer: its sockets, and what it has heard.
type phone struct {
	t       *testing.T
	socket  rtp.Socket
	control rtp.Socket // for reports, on the port above
	at      netip.AddrPort
	codec   media.Codec
	server  rtp.Endpoint
	header  rtp.Header
	parser  rtp.Parser
	heard   []heard
	sample  int
	crashed bool
}

type heard struct {
	rtp.Header
	payload []byte
}

func newPhone(t *testing.T, c media.Codec, server netip.AddrPort) *phone {
	t.Helper()
	home := server.Addr()
	ports, err := rtp.NewPorts("0")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ports.Listen(home)
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{
		t: t, socket: pair.Sound, control: pair.Control, codec: c,
		at: netip.AddrPortFrom(home, pair.Sound.Port()), server: rtp.EndpointOf(server),
		header: rtp.Header{PayloadType: uint8(c), SSRC: 0x1234, Sequence: 65530, Timestamp: 1<<32 - 800},
	}
	t.Cleanup(p.crash)
	return p
}

// crash closes the phone's sockets, once: their numbers soon mean other files.
func (p *phone) crash() {
	if !p.crashed {
		p.crashed = true
		_ = rtp.Pair{Sound: p.socket, Control: p.control}.Close()
	}
}

func (p *phone) remote() media.Remote {
	return media.Remote{Addr: p.at, Codec: p.codec, TelephoneEvent: events, Send: true, Receive: true}
}

// send sends one packet as it is.
func (p *phone) send(h rtp.Header, payload []byte) {
	p.t.Helper()
	b := make([]byte, rtp.HeaderSize, rtp.HeaderSize+len(payload))
	h.Put(b)
	p.raw(append(b, payload...))
}

func (p *phone) raw(b []byte) {
	p.t.Helper()
	if e := p.socket.SendTo(b, p.server); e != 0 && !rtp.Refused(e) {
		p.t.Fatal(e)
	}
}

// sing sends the next 20 ms of a tone.
func (p *phone) sing(hz float64) {
	p.t.Helper()
	samples := make([]int16, media.FrameSize)
	tone.Add(samples, p.sample, hz, -10)
	p.sample += len(samples)
	sound := make([]byte, media.FrameSize)
	codec.Encode(p.codec, sound, samples)
	p.send(p.header, sound)
	p.header.Sequence++
	p.header.Timestamp += media.FrameSize
}

// listen takes what has come.
func (p *phone) listen() []heard {
	p.t.Helper()
	var b [2048]byte
	for {
		n, _, e := p.socket.RecvFrom(b[:])
		if e != 0 {
			return p.heard
		}
		h, payload, err := p.parser.Parse(b[:n])
		if err != nil {
			p.t.Fatalf("the plane sent %x: %v", b[:n], err)
		}
		p.heard = append(p.heard, heard{h, bytes.Clone(payload)})
	}
}

// sound decodes what was heard.
func (p *phone) sound() (samples []int16) {
	for _, h := range p.heard {
		if h.PayloadType != uint8(p.codec) {
			continue
		}
		frame := make([]int16, len(h.payload))
		codec.Decode(p.codec, frame, h.payload)
		samples = append(samples, frame...)
	}
	return samples
}

// prompt makes a prompt of a tone.
func prompt(frames int, hz float64) *media.Prompt {
	samples := tone.Make(frames*media.FrameSize, -10, hz)
	p := &media.Prompt{Name: fmt.Sprintf("%g.wav", hz), ULaw: make([]byte, len(samples)), ALaw: make([]byte, len(samples))}
	codec.Encode(media.PCMU, p.ULaw, samples)
	codec.Encode(media.PCMA, p.ALaw, samples)
	return p
}

// hears fails unless a tone is heard at level in every frame.
func hears(t *testing.T, what string, samples []int16, hz float64) {
	t.Helper()
	for i, level := range tone.Levels(samples, hz) {
		if level < -11 || level > -9 {
			t.Fatalf("%s: %g Hz is at %.1f dB in frame %d of %d, want -10", what, hz, level, i, len(samples)/media.FrameSize)
		}
	}
}

// call opens a stream and connects it with a new phone, heard already.
func (f *fixture) call(c media.Codec) (media.StreamID, *phone) {
	f.t.Helper()
	id, at := f.open()
	p := newPhone(f.t, c, at)
	f.must(f.Connect(id, p.remote()))
	return id, p
}

// callInBand is call with a phone that knows no telephone-event.
func (f *fixture) callInBand(c media.Codec) (media.StreamID, *phone) {
	f.t.Helper()
	id, at := f.open()
	p := newPhone(f.t, c, at)
	r := p.remote()
	r.TelephoneEvent = 0
	f.must(f.Connect(id, r))
	return id, p
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// run lets phones sing and listen for a number of frames.
func (f *fixture) run(frames int, sing map[*phone]float64) {
	f.t.Helper()
	for range frames {
		for p, hz := range sing {
			p.sing(hz)
		}
		f.step(media.FrameDuration)
		for p := range sing {
			p.listen()
		}
	}
}
