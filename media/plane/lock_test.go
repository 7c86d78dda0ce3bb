// SPDX-License-Identifier: MIT

package plane

import (
	"net/netip"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
)

// lockOf is how firmly a stream holds on to its source.
func (f *fixture) lockOf(id media.StreamID) lock {
	s := f.shards[0]
	return s.streams.at(s.index[id]).lock
}

// isHeard says whether the sound of a phone's SSRC is what a stream hears.
func (f *fixture) isHeard(id media.StreamID, p *phone) bool {
	s := f.shards[0]
	return s.streams.at(s.index[id]).in.reception.IsFrom(p.header.SSRC)
}

// Whoever is first, the source that was announced is the peer.
func TestAnnouncedSourceWins(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	stranger := newPhone(t, 0, p.server.AddrPort())
	stranger.header.SSRC = 666
	f.run(10, map[*phone]float64{stranger: 440})
	if e := f.want(id, media.Latched); e.Source != stranger.at {
		t.Fatalf("latched to %v", e.Source)
	}
	f.run(10, map[*phone]float64{stranger: 440, p: 440})
	if e := f.want(id, media.Latched); e.Source != p.at {
		t.Fatalf("latched to %v, want %v", e.Source, p.at)
	}
	stranger.drain()
	p.drain()
	f.run(10, map[*phone]float64{stranger: 440, p: 440})
	if stranger.drain() != 0 || len(p.heard) != 10 || f.lockOf(id) != locked {
		t.Errorf("the peer heard %d packets in 10 frames, the lock is %d", len(p.heard), f.lockOf(id))
	}
}

// A source that was not announced is believed when it goes on, and a packet
// that came astray is not.
func TestStrayPacketIsForgotten(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, at := f.open()
	announced, real, stray := newPhone(t, 0, at), newPhone(t, 0, at), newPhone(t, 0, at)
	f.must(f.Connect(id, announced.remote()))
	stray.header.SSRC = 666
	f.run(1, map[*phone]float64{stray: 440})
	f.want(id, media.Latched)
	f.run(int(probation/media.FrameDuration)-1, map[*phone]float64{real: 440})
	for range 4 {
		f.run(1, map[*phone]float64{real: 440})
		if real.drain() > 0 && !f.isHeard(id, real) {
			t.Error("the stream sends to a source and does not hear it")
		}
	}
	if e := f.want(id, media.Latched); e.Source != real.at {
		t.Fatalf("latched to %v, want %v", e.Source, real.at)
	}
	if got := f.lockOf(id); got != guessed {
		t.Errorf("the lock is %d at once", got)
	}
	f.run(int(probation/media.FrameDuration)+sweep, map[*phone]float64{real: 440})
	if got := f.lockOf(id); got != locked {
		t.Errorf("the lock is %d in the end", got)
	}
	f.run(5, map[*phone]float64{announced: 440, stray: 440})
	f.quiet(id)
}

// Only what is still on its way from where a peer was is left out.
func TestPeerGoesOnFromWhereItWas(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(5, map[*phone]float64{p: 440})
	f.want(id, media.Latched)
	elsewhere := newPhone(t, 0, p.server.AddrPort())
	f.must(f.Connect(id, elsewhere.remote()))
	f.run(10, map[*phone]float64{p: 440})
	f.quiet(id)
	f.run(int(straggle/media.FrameDuration), map[*phone]float64{p: 440})
	if e := f.want(id, media.Latched); e.Source != p.at {
		t.Errorf("latched to %v, want %v", e.Source, p.at)
	}
}

// A peer that holds us the old way says that it is nowhere, and may still send.
func TestHoldWithoutAddress(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(5, map[*phone]float64{p: 440})
	f.want(id, media.Latched)
	r := p.remote()
	r.Addr, r.Send = netip.AddrPortFrom(netip.IPv4Unspecified(), p.at.Port()), false
	f.must(f.Connect(id, r))
	f.step(media.FrameDuration)
	p.send(rtp.Header{PayloadType: events, SSRC: p.header.SSRC, Sequence: p.header.Sequence}, []byte{5, 0, 0, 160})
	f.step(media.FrameDuration)
	if e := f.want(id, media.Digit); e.Digit != '5' {
		t.Errorf("digit %c", e.Digit)
	}
	f.must(f.Connect(id, p.remote()))
	p.drain()
	f.step(200 * time.Millisecond)
	if n := p.drain(); n < 9 || f.lockOf(id) != locked {
		t.Errorf("%d packets in 200 ms, the lock is %d", n, f.lockOf(id))
	}
	f.quiet(id)
}

func TestConnectFails(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, at := f.open()
	for what, r := range map[string]media.Remote{
		"no address": {Codec: media.PCMU},
		"no codec":   {Addr: at, Codec: 3},
		"IPv6":       {Addr: netip.MustParseAddrPort("[2001:db8::c0a8:101]:4000")},
	} {
		if err := f.Connect(id, r); err == nil {
			t.Errorf("%s: connected", what)
		}
	}
}
