// SPDX-License-Identifier: MIT

package plane

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
)

// closeAndCount closes a stream and gives its figures.
func (f *fixture) closeAndCount(id media.StreamID) media.Figures {
	f.t.Helper()
	f.must(f.CloseStream(id))
	f.step(media.FrameDuration)
	return f.want(id, media.Closed).Figures
}

// drain forgets what a phone has heard and gives how much it was.
func (p *phone) drain() int {
	n := len(p.listen())
	p.heard = nil
	return n
}

func TestLatch(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, at := f.open()
	announced, real, stranger := newPhone(t, 0, at), newPhone(t, 0, at), newPhone(t, 0, at)
	stranger.header.SSRC = 666

	// Before the first packet the stream sends to where the peer said it is.
	f.must(f.Connect(id, announced.remote()))
	f.step(100 * time.Millisecond)
	if announced.drain() < 4 || real.drain() != 0 {
		t.Error("an unlatched stream does not send to the address of the SDP")
	}

	// Both come at once: the first is the peer, the other was queued behind it.
	real.sing(440)
	stranger.sing(440)
	stranger.sing(440)
	f.step(40 * time.Millisecond)
	if e := f.want(id, media.Latched); e.Source != real.at {
		t.Fatalf("latched to %v, want %v", e.Source, real.at)
	}
	announced.drain()
	for range 20 {
		stranger.send(rtp.Header{PayloadType: events, SSRC: 666}, []byte{9, 0, 0, 160})
		stranger.sing(440)
		real.sing(440)
		f.step(media.FrameDuration)
	}
	if announced.drain() != 0 || stranger.drain() != 0 {
		t.Error("a latched stream still sends to somebody else")
	}
	if n := real.drain(); n < 20 {
		t.Errorf("the peer heard %d packets", n)
	}
	f.quiet(id) // the stranger's key was not heard
	got := f.closeAndCount(id)
	if got.Foreign != 42 || got.Received != 21 || got.Lost != 0 {
		t.Errorf("figures %+v, want 42 foreign, 21 received", got)
	}
}

func TestReinviteMovesPeer(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, old := f.call(media.PCMU)
	f.run(5, map[*phone]float64{old: 440})
	f.want(id, media.Latched)
	fresh := newPhone(t, media.PCMA, old.server.AddrPort())
	fresh.header.SSRC = 2
	f.must(f.Connect(id, fresh.remote()))
	old.drain()
	old.sing(440) // still on its way when the peer moved
	f.step(40 * time.Millisecond)
	if fresh.drain() < 1 || old.drain() != 0 {
		t.Error("the stream does not send to where the peer has moved")
	}
	f.quiet(id)
	fresh.sing(440)
	f.step(40 * time.Millisecond)
	if e := f.want(id, media.Latched); e.Source != fresh.at {
		t.Errorf("latched to %v", e.Source)
	}
}

// A peer behind a router that changes addresses announces a new one that is as
// useless as the old one: what it really sends from is believed at once.
func TestReinviteOfPeerBehindRouter(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, at := f.open()
	announced, announced2, real := newPhone(t, 0, at), newPhone(t, 0, at), newPhone(t, 0, at)
	f.must(f.Connect(id, announced.remote()))
	f.run(5, map[*phone]float64{real: 440})
	f.want(id, media.Latched)
	f.must(f.Connect(id, announced2.remote()))
	f.run(2, map[*phone]float64{real: 440})
	if e := f.want(id, media.Latched); e.Source != real.at {
		t.Errorf("latched to %v, want %v", e.Source, real.at)
	}
	real.drain()
	announced2.drain()
	f.run(10, map[*phone]float64{real: 440})
	if len(real.heard) != 10 || announced2.drain() != 0 {
		t.Errorf("the peer heard %d packets in 10 frames", len(real.heard))
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	home := netip.MustParseAddr("::1")
	if probe, err := rtp.Listen(netip.AddrPortFrom(home, 0)); err != nil {
		t.Skip("this machine has no IPv6: ", err)
	} else {
		_ = probe.Close()
	}
	f := setup(t, Config{Listen: home})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMA)
	f.must(f.Bridge(a, b))
	songs := map[*phone]float64{pa: 1000, pb: 440}
	f.run(settle, songs)
	pa.heard, pb.heard = nil, nil
	f.run(20, songs)
	hearsOnly(t, pa, 440, 1000)
	hearsOnly(t, pb, 1000, 440)
	if e := f.want(a, media.Latched); e.Source != pa.at {
		t.Errorf("latched to %v, want %v", e.Source, pa.at)
	}
}

func TestPeerComesBackFromElsewhere(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(5, map[*phone]float64{p: 440})
	f.want(id, media.Latched)

	// A router has given the peer a new port, which the lock shuts out at first.
	moved, stranger := newPhone(t, 0, p.server.AddrPort()), newPhone(t, 0, p.server.AddrPort())
	moved.header = p.header
	moved.sing(440)
	f.step(time.Second)
	f.quiet(id)
	f.step(silent)
	moved.sing(440)
	f.step(40 * time.Millisecond)
	if e := f.want(id, media.Latched); e.Source != moved.at {
		t.Fatalf("latched to %v, want %v", e.Source, moved.at)
	}
	moved.drain()
	p.drain()
	stranger.sing(440)
	f.run(10, map[*phone]float64{moved: 440})
	if stranger.drain() != 0 || p.drain() != 0 || len(moved.heard) < 9 {
		t.Error("the stream does not send to where the peer has come back")
	}
	// The same peer falls silent and goes on: nothing new to tell.
	f.step(2 * silent)
	f.run(5, map[*phone]float64{moved: 440})
	f.quiet(id)
}

func TestStrangerCannotTakeASilentPeersPlace(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(5, map[*phone]float64{p: 440})
	f.want(id, media.Latched)
	s := f.shards[0]
	st := s.streams.at(s.index[id])
	f.step(2 * silent)
	if st.lock != lost {
		t.Fatalf("the lock is %d after a long silence", st.lock)
	}
	elsewhere := rtp.EndpointOf(p.at)
	elsewhere.IP[15] = 99
	if s.latch(st, rtp.Header{SSRC: 666}, elsewhere) {
		t.Error("a stranger with another address and SSRC was let in")
	}
	if !s.latch(st, rtp.Header{SSRC: p.header.SSRC}, elsewhere) {
		t.Error("the peer with its SSRC from another address was not let in")
	}
	st.lock, st.remote.offered = lost, elsewhere
	st.out.to.IP[15] = 98
	if !s.latch(st, rtp.Header{SSRC: 667}, elsewhere) {
		t.Error("the peer was not let in where it said that it is")
	}
}

func TestNobodyHome(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(2, map[*phone]float64{p: 440})
	p.crash()
	f.step(time.Second)
	f.want(id, media.Latched)
	got := f.closeAndCount(id)
	if got.SendErrors == 0 || got.Sent < 50 {
		t.Errorf("figures %+v, want all packets sent and errors counted", got)
	}
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(3, map[*phone]float64{p: 440})
	f.want(id, media.Latched)
	var malformed uint64
	for _, b := range [][]byte{
		{}, {0}, {0x80}, make([]byte, 11), make([]byte, 12), make([]byte, 2000),
		[]byte("OPTIONS sip:a SIP/2.0\r\n\r\n"),
		{0x80, 200, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},                                      // RTCP
		{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},                // STUN
		{0x10, 0, 0, 1, 'Z', 'R', 'T', 'P', 0, 0, 0, 9, 0x50, 0x5A, 0, 3, 'H', 'e', 'l', 'l', 'o'}, // ZRTP
		{0x8F, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0},                                                    // CSRC list cut off
		{0x90, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255},                                    // extension too long
		{0xA0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 200},                                               // padding too long
	} {
		p.raw(b)
		malformed++
	}
	// RTP, but nothing that could be heard: unknown payload types, events cut
	// short, no keys, empty packets.
	h := p.header
	for _, packet := range []struct {
		payloadType uint8
		payload     []byte
	}{
		{34, make([]byte, 500)}, {events, nil}, {events, []byte{1, 2, 3}}, {events, []byte{200, 0, 0, 0}},
		{99, []byte{40}}, {0, nil}, {8, nil},
	} {
		h.PayloadType = packet.payloadType
		p.send(h, packet.payload)
		h.Sequence++
	}
	p.header.Sequence = h.Sequence
	f.run(sweep, map[*phone]float64{p: 440})
	f.quiet(id)
	if got := f.closeAndCount(id); got.Malformed != malformed || got.Received != 3+7+sweep || got.Lost != 0 {
		t.Errorf("figures %+v, want %d malformed, %d received", got, malformed, 3+7+sweep)
	}
}

func TestLostAndDuplicateAreCounted(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	for i := range 40 {
		if i%10 == 5 {
			p.header.Sequence++ // lost
		}
		p.sing(440)
		f.step(media.FrameDuration)
	}
	h := p.header
	h.Sequence--
	p.send(h, make([]byte, media.FrameSize))
	f.step(media.FrameDuration)
	f.want(id, media.Latched)
	if got := f.closeAndCount(id); got.Received != 40 || got.Lost != 4 || got.Duplicate != 1 || got.Sent < 40 {
		t.Errorf("figures %+v", got)
	}
}

// A flood on one port must not hold up a step beyond its share.
func TestFloodIsBounded(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	for range 200 {
		p.sing(440)
	}
	f.step(media.FrameDuration)
	f.want(id, media.Latched)
	s := f.shards[0]
	var got media.Figures
	s.streams.at(s.index[id]).in.reception.Fill(&got)
	if got.Received == 0 || got.Received > 2*burst {
		t.Errorf("%d packets were read in one frame", got.Received)
	}
	f.step(time.Second)
	if got := f.closeAndCount(id); got.Received != 200 {
		t.Errorf("%d of 200 packets were read in the end", got.Received)
	}
}

// Whatever comes in, a stream goes on sending and nothing crashes.
func FuzzReceive(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 1, 0xFF, 0xFF})
	f.Add([]byte{0x80, comfortNoise, 0, 1, 0, 0, 0, 160, 0, 0, 0, 1, 40})
	f.Add([]byte{0x80, 0x80 | events, 0, 1, 0, 0, 0, 160, 0, 0, 0, 1, 5, 0x8A, 3, 0xC0})
	f.Add([]byte{0x81, 200, 0, 6, 0, 0, 0, 1, 0xE9, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 160, 0, 0, 0, 1, 0, 0, 0, 160})
	f.Add([]byte{0xB1, 8, 0, 1, 0, 0, 0, 160, 0, 0, 0, 1, 0, 0, 0, 2, 0xBE, 0xDE, 0, 0, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		fx := setup(t, Config{})
		a, p := fx.call(media.PCMU)
		c, q := fx.call(media.PCMA)
		fx.must(fx.Bridge(a, c))
		if len(b) > 1400 {
			b = b[:1400]
		}
		for i := range uint16(4) {
			p.raw(b)
			if len(b) > 4 { // and again as the packets that would follow
				binary.BigEndian.PutUint16(b[2:], binary.BigEndian.Uint16(b[2:])+i)
			}
			fx.step(media.FrameDuration)
		}
		if len(q.listen()) < 3 {
			t.Fatalf("the other side heard %d packets", len(q.heard))
		}
	})
}

// Jitter is that of the packets' arrival, not of when they are looked at.
func TestJitterBetweenSteps(t *testing.T) {
	t.Parallel()
	if !rtp.Stamped {
		t.Skip("it is not known here when packets come")
	}
	f := setup(t, Config{})
	id, at := f.open()
	p := newPhone(t, media.PCMU, at)
	f.must(f.Connect(id, p.remote()))
	f.must(f.order(id, func(_ *shard, st *stream) { stamp(t, st.socket, true) }))
	f.step(time.Millisecond)
	for i := range 120 {
		p.sing(1000)
		if i%8 >= 4 { // let it wait as the kernel counts time
			time.Sleep(4 * time.Millisecond)
		}
		f.step(media.FrameDuration)
	}
	if j := f.figuresAt(id).Jitter; j < 500*time.Microsecond {
		t.Errorf("jitter %v", j)
	}
}
