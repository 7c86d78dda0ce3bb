// SPDX-License-Identifier: MIT

package plane

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/rtp"
	"github.com/callwright/callwright/media/tone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const events = 101 // payload type of telephone-event in these tests

// bench is a plane whose shards the test steps by hand. Datagrams on the
// loopback are there as soon as they are sent, so nothing needs waiting for but
// the teller.
type fixture struct {
	*Plane
	t     *testing.T
	now   time.Duration
	mu    sync.Mutex
	inbox map[media.StreamID]chan media.Event
}

func setup(t *testing.T, c Config) *fixture {
	t.Helper()
	c.Listen = netip.MustParseAddr("127.0.0.1")
	if c.Ports == "" {
		c.Ports = "0"
	}
	if c.Shards == 0 {
		c.Shards = 1
	}
	c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	p, err := build(c)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{Plane: p, t: t, inbox: map[media.StreamID]chan media.Event{}}
	t.Cleanup(f.close)
	return f
}

// close steps the shards while the plane waits for them.
func (f *fixture) close() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Close()
	}()
	for {
		select {
		case <-done:
			return
		default:
			f.step(time.Millisecond)
			runtime.Gosched()
		}
	}
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
	deadline := time.After(10 * time.Second)
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

// sync waits until the teller has delivered all that was told so far.
func (f *fixture) sync() {
	for _, s := range f.shards {
		for s.outbox.read.Load() != s.outbox.written.Load() {
			runtime.Gosched()
		}
	}
	f.mu.Lock()
	f.Plane.mu.Lock() // the teller takes it for each event
	f.Plane.mu.Unlock()
	f.mu.Unlock()
}

// phone is a peer: one socket, and what it has heard.
type phone struct {
	t      *testing.T
	socket rtp.Socket
	at     netip.AddrPort
	codec  media.Codec
	server rtp.Endpoint
	header rtp.Header
	parser rtp.Parser
	heard  []heard
	sample int
}

type heard struct {
	rtp.Header
	payload []byte
}

func newPhone(t *testing.T, c media.Codec, server netip.AddrPort) *phone {
	t.Helper()
	home := netip.MustParseAddr("127.0.0.1")
	s, err := rtp.Listen(netip.AddrPortFrom(home, 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &phone{
		t: t, socket: s, at: netip.AddrPortFrom(home, s.Port()), codec: c, server: rtp.EndpointOf(server),
		header: rtp.Header{PayloadType: uint8(c), SSRC: 0x1234, Sequence: 65530, Timestamp: 1<<32 - 800},
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

func TestConnectedStreamSendsSilence(t *testing.T) {
	t.Parallel()
	for _, c := range []media.Codec{media.PCMU, media.PCMA} {
		f := setup(t, Config{})
		id, at := f.open()
		p := newPhone(t, c, at)
		f.step(100 * time.Millisecond)
		if n := len(p.listen()); n != 0 {
			t.Errorf("%d packets before Connect", n)
		}
		f.must(f.Connect(id, p.remote()))
		f.step(200 * time.Millisecond)
		got := p.listen()
		if len(got) < 10 || len(got) > 11 {
			t.Fatalf("%d packets in 200 ms", len(got))
		}
		for i, h := range got {
			first := got[0].Header
			want := rtp.Header{
				Marker: i == 0, PayloadType: uint8(c), SSRC: first.SSRC,
				Sequence: first.Sequence + uint16(i), Timestamp: first.Timestamp + uint32(i*media.FrameSize),
			}
			if h.Header != want || !bytes.Equal(h.payload, bytes.Repeat([]byte{codec.Silence(c)}, media.FrameSize)) {
				t.Fatalf("packet %d: %+v, want %+v, with silence", i, h, want)
			}
		}
	}
}

func TestPlay(t *testing.T) {
	t.Parallel()
	for _, c := range []media.Codec{media.PCMU, media.PCMA} {
		f := setup(t, Config{})
		id, p := f.call(c)
		f.step(100 * time.Millisecond)
		p.listen()
		before := len(p.heard)
		f.must(f.Play(id, prompt(25, 1000), media.PlayOptions{Token: 7}))
		f.step(600 * time.Millisecond)
		p.listen()
		if e := f.want(id, media.PlayEnded); e.Token != 7 || !e.Completed {
			t.Errorf("event %+v", e)
		}
		for i, h := range p.heard {
			if h.Marker != (i == 0 || i == before) {
				t.Errorf("packet %d: marker %v", i, h.Marker)
			}
		}
		sound := p.sound()[before*media.FrameSize:]
		hears(t, "prompt", sound[:25*media.FrameSize], 1000)
		for i, level := range tone.Levels(sound[25*media.FrameSize:], 1000) {
			if level > -60 {
				t.Errorf("after the prompt: %v dB in frame %d", level, i)
			}
		}
	}
}

func TestPlayLoopsAndIsReplaced(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMA)
	f.must(f.Play(id, prompt(4, 1000), media.PlayOptions{Token: 1, Loop: true})) // 4 frames hold whole cycles
	f.step(time.Second)
	p.listen()
	hears(t, "looped", p.sound(), 1000)
	f.quiet(id)

	f.must(f.Play(id, prompt(100, 440), media.PlayOptions{Token: 2}))
	f.step(100 * time.Millisecond)
	if e := f.want(id, media.PlayEnded); e.Token != 1 || e.Completed {
		t.Errorf("event %+v", e)
	}
	f.must(f.StopPlay(id))
	f.must(f.StopPlay(id)) // nothing to stop
	f.step(100 * time.Millisecond)
	if e := f.want(id, media.PlayEnded); e.Token != 2 || e.Completed {
		t.Errorf("event %+v", e)
	}
	f.quiet(id)
}

func TestPlayEdges(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, _ := f.call(media.PCMU)
	f.must(f.Play(id, &media.Prompt{Name: "empty"}, media.PlayOptions{Token: 3}))
	f.step(40 * time.Millisecond)
	if e := f.want(id, media.PlayEnded); e.Token != 3 || !e.Completed {
		t.Errorf("empty prompt: event %+v", e)
	}
	if err := f.Play(id, &media.Prompt{ULaw: make([]byte, 100), ALaw: make([]byte, 100)}, media.PlayOptions{}); err == nil {
		t.Error("a prompt of half a frame was taken")
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(5, map[*phone]float64{p: 440})
	f.want(id, media.Latched)
	r := p.remote()
	r.Send, r.Receive = false, false
	f.must(f.Connect(id, r))
	f.step(20 * time.Millisecond)
	n := len(p.listen())
	p.send(rtp.Header{PayloadType: events, SSRC: 9}, []byte{5, 0, 0, 160})
	f.step(200 * time.Millisecond)
	if more := len(p.listen()); more != n {
		t.Errorf("%d packets sent to a peer on hold", more-n)
	}
	f.quiet(id) // the key was not heard
	last := p.heard[n-1]
	f.must(f.Connect(id, p.remote()))
	f.step(20 * time.Millisecond)
	back := p.listen()[n]
	if back.SSRC != last.SSRC || back.Sequence != last.Sequence+1 || (back.Timestamp-last.Timestamp)%media.FrameSize != 0 ||
		back.Timestamp-last.Timestamp < 8*media.FrameSize {
		t.Errorf("after hold %+v follows %+v", back.Header, last.Header)
	}
}

func TestDigitsAreCountedOnce(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	// A key as phones send it: updates, the end three times, and a retransmission.
	for k, key := range []byte{1, 2, 2, 11} {
		h := rtp.Header{PayloadType: events, SSRC: 1, Timestamp: uint32(k * 4000), Sequence: uint16(k * 20), Marker: true}
		for i := range 8 {
			end := byte(0)
			if i >= 5 {
				end = 0x80
			}
			p.send(h, []byte{key, end | 10, byte(i), 0})
			p.send(h, []byte{key, end | 10, byte(i), 0}) // the network doubles it
			h.Sequence++
			h.Marker = false
			f.step(media.FrameDuration)
		}
	}
	f.want(id, media.Latched)
	for _, want := range []byte("122#") {
		if e := f.want(id, media.Digit); e.Digit != want {
			t.Errorf("digit %c, want %c", e.Digit, want)
		}
	}
	f.quiet(id)
}

func TestSendDigits(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMA)
	f.must(f.SendDigits(a, "5*D"))
	for range 50 { // the phone passes on what it gets
		f.step(media.FrameDuration)
		for _, h := range pa.listen()[pb.sample:] {
			pb.sample++
			h.SSRC = 77
			pb.send(h.Header, h.payload)
		}
	}
	f.want(a, media.DigitsSent)
	var latched media.Event
	if latched = f.want(b, media.Latched); latched.Source != pb.at {
		t.Errorf("latched to %v, want %v", latched.Source, pb.at)
	}
	for _, want := range []byte("5*D") {
		if e := f.want(b, media.Digit); e.Digit != want {
			t.Errorf("digit %c, want %c", e.Digit, want)
		}
	}
	if err := f.SendDigits(a, "5x"); err == nil {
		t.Error("x was taken for a key")
	}
	r := pa.remote()
	r.TelephoneEvent = 0
	f.must(f.Connect(a, r))
	if err := f.SendDigits(a, "5"); err != ErrNoEvents {
		t.Errorf("without telephone-event: %v", err)
	}
}

func TestNoStream(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.must(f.CloseStream(id))
	for what, err := range map[string]error{
		"connect":   f.Connect(id, p.remote()),
		"play":      f.Play(id, prompt(1, 440), media.PlayOptions{}),
		"stop play": f.StopPlay(99),
		"bridge":    f.Bridge(id, 99),
		"unbridge":  f.Unbridge(id),
		"record":    f.Record(id, media.RecordOptions{}),
		"stop":      f.StopRecord(id),
		"digits":    f.SendDigits(id, "1"),
		"close":     f.CloseStream(id),
	} {
		if err == nil || !errors.Is(err, ErrNoStream) {
			t.Errorf("%s: %v, want ErrNoStream", what, err)
		}
	}
	if err := f.Bridge(id, id); err == nil {
		t.Error("a stream was bridged with itself")
	}
}

func TestPortsComeBack(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{Ports: "31100-31105"})
	var ids []media.StreamID
	var ports []uint16
	for range 3 {
		id, at := f.open()
		ids, ports = append(ids, id), append(ports, at.Port())
	}
	if _, _, err := f.Open(media.StreamOptions{}); !errors.Is(err, rtp.ErrNoPorts) {
		t.Errorf("fourth stream: %v, want ErrNoPorts", err)
	}
	for _, i := range []int{1, 0, 2} {
		f.must(f.CloseStream(ids[i]))
		f.want(ids[i], media.Closed)
	}
	var again []uint16
	for range 3 {
		_, at := f.open()
		again = append(again, at.Port())
	}
	if want := []uint16{ports[1], ports[0], ports[2]}; !slices.Equal(again, want) {
		t.Errorf("ports %v, want the longest free first: %v", again, want)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	before := openFiles(t)
	for range 3 {
		p, err := New(Config{Listen: netip.MustParseAddr("127.0.0.1"), Ports: "0", Shards: 2, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		closed := make(chan media.Event, 100)
		var ids []media.StreamID
		for range 4 {
			id, at, err := p.Open(media.StreamOptions{Deliver: func(e media.Event) {
				if e.Kind == media.Closed {
					closed <- e
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
			for _, err := range []error{
				p.Connect(id, media.Remote{Addr: at, Codec: media.PCMU, Send: true, Receive: true}),
				p.Play(id, prompt(50, 440), media.PlayOptions{Loop: true}),
				p.Record(id, media.RecordOptions{Path: fmt.Sprintf("%s/%d.wav", t.TempDir(), id), Both: true}),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := p.Bridge(ids[0], ids[1]); err != nil {
			t.Fatal(err)
		}
		if err := p.Bridge(ids[2], ids[3]); err != nil {
			t.Fatal(err)
		}
		p.Close()
		p.Close()
		if len(closed) != len(ids) {
			t.Errorf("%d Closed events for %d streams", len(closed), len(ids))
		}
		if _, _, err := p.Open(media.StreamOptions{}); !errors.Is(err, ErrClosed) {
			t.Errorf("open after close: %v", err)
		}
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d open files before, %d after", before, after)
	}
}

// openFiles counts the open files of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here to count files in")
	}
	return len(entries)
}
