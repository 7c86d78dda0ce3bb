// SPDX-License-Identifier: MIT

package plane

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
)

// besieged is a stream whose peer is announced at one host and signals from
// another, as one behind a router does, and a stranger at a third.
type besieged struct {
	*fixture
	id        media.StreamID
	r         media.Remote
	announced *phone
	behind    *phone // where the peer's packets come from
	stranger  *phone
}

func setupSiege(t *testing.T) *besieged {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("there is one loopback address here")
	}
	f := setup(t, Config{Listen: netip.IPv4Unspecified()})
	id, at := f.open()
	// The phones send to an address of the test's own.
	at = netip.AddrPortFrom(home(t), at.Port())
	from := func(host byte) *phone {
		a := home(t).As4()
		a[2] ^= host
		p := newPhone(t, media.PCMU, netip.AddrPortFrom(netip.AddrFrom4(a), at.Port()))
		p.server.IP = netip.AddrFrom4(home(t).As4()).As16()
		return p
	}
	b := &besieged{fixture: f, id: id, announced: from(0), behind: from(0x11), stranger: from(0x22)}
	b.r = b.announced.remote()
	b.r.Nearby = []netip.Prefix{
		netip.MustParsePrefix("2001:db8::/32"), netip.PrefixFrom(b.behind.at.Addr(), 32),
	}
	f.must(f.Connect(id, b.r))
	f.step(time.Millisecond)
	return b
}

// attack lets the stranger send with the given SSRC for some time, and fails if
// he is heard, or hears anything.
func (b *besieged) attack(what string, ssrc uint32, frames int, others map[*phone]float64) {
	b.t.Helper()
	b.stranger.header.SSRC = ssrc
	songs := map[*phone]float64{b.stranger: 440}
	for p, hz := range others {
		songs[p] = hz
	}
	before := b.figuresAt(b.id)
	b.run(frames, songs)
	if n := b.stranger.drain(); n > 0 {
		b.t.Errorf("%s: the stranger hears %d packets", what, n)
	}
	after := b.figuresAt(b.id)
	if want := before.Received + uint64(frames*len(others)); after.Received > want {
		b.t.Errorf("%s: %d packets were taken, want %d", what, after.Received, want)
	}
}

// At the start of a call, in silence, and also with the SSRC of the peer: who is
// at neither of the peer's hosts is not heard and hears nothing.
func TestStrangerIsNeverHeard(t *testing.T) {
	t.Parallel()
	b := setupSiege(t)
	b.attack("before the peer", 666, 100, nil)
	b.attack("beside the peer", 666, 100, map[*phone]float64{b.behind: 1000})
	if e := b.want(b.id, media.Latched); e.Source != b.behind.at {
		t.Fatalf("latched to %v, want %v", e.Source, b.behind.at)
	}
	b.attack("with the peer's SSRC", b.behind.header.SSRC, 100, map[*phone]float64{b.behind: 1000})
	b.step(2 * silent)
	b.attack("in silence", 666, 100, nil)
	b.attack("in silence, with the peer's SSRC", b.behind.header.SSRC, 100, nil)
	if b.lockOf(b.id) == locked {
		t.Error("the stream does not look for its peer")
	}
	b.behind.drain()
	b.run(50, map[*phone]float64{b.behind: 1000})
	if n := b.behind.drain(); n != 50 {
		t.Errorf("the peer is back and hears %d packets in 50 frames", n)
	}
	// It changes the port, as routers do after a pause.
	b.step(2 * silent)
	moved := b.behind
	b.behind = newPhone(t, media.PCMU, netip.AddrPortFrom(moved.at.Addr(), 0))
	b.behind.server, b.behind.header = moved.server, moved.header
	b.attack("while the peer moves", 666, 50, map[*phone]float64{b.behind: 1000})
	if e := b.want(b.id, media.Latched); e.Source != b.behind.at {
		t.Errorf("latched to %v, want %v", e.Source, b.behind.at)
	}
	b.quiet(b.id)
}

// A peer that sends from where it said is heard although it signals from
// elsewhere, as behind a proxy.
func TestAnnouncedHostIsHeard(t *testing.T) {
	t.Parallel()
	b := setupSiege(t)
	b.attack("beside the peer", 666, 50, map[*phone]float64{b.announced: 1000})
	if e := b.want(b.id, media.Latched); e.Source != b.announced.at {
		t.Errorf("latched to %v, want %v", e.Source, b.announced.at)
	}
	if n := b.lockOf(b.id); n != locked {
		t.Errorf("the lock is %d", n)
	}
	// What the kernel lets nobody through to is not even counted.
	if got := b.figuresAt(b.id); got.Foreign > 10 {
		t.Errorf("figures %+v", got)
	}
}

// A trunk goes on from another of its machines, with another SSRC and without a
// word of it, as when one of them is taken out of service.
func TestAnotherMachineNearby(t *testing.T) {
	t.Parallel()
	b := setupSiege(t)
	b.attack("beside the peer", 666, 60, map[*phone]float64{b.announced: 1000})
	b.want(b.id, media.Latched)
	b.behind.header.SSRC = 4711
	b.attack("in a short silence", 666, int(patience/media.FrameDuration)/2, map[*phone]float64{b.behind: 1000})
	b.quiet(b.id)
	b.attack("in a long silence", 666, int(patience/media.FrameDuration), map[*phone]float64{b.behind: 1000})
	if e := b.want(b.id, media.Latched); e.Source != b.behind.at {
		t.Errorf("latched to %v, want %v", e.Source, b.behind.at)
	}
}

// A peer on this machine may listen on all addresses and have announced one of
// them: the kernel has its packets come from another. The port tells it from
// strangers who do the same.
func TestPeerOfNoAddress(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{Listen: netip.IPv4Unspecified()})
	id, at := f.open()
	if runtime.GOOS != "linux" {
		t.Skip("there is one loopback address here")
	}
	here := netip.MustParseAddr("127.0.0.1")
	p, stranger := newPhone(t, media.PCMU, netip.AddrPortFrom(here, at.Port())), newPhone(t, media.PCMU, netip.AddrPortFrom(here, at.Port()))
	r := p.remote()
	r.Addr = netip.AddrPortFrom(home(t), p.at.Port())
	r.Nearby = []netip.Prefix{netip.PrefixFrom(home(t), 32)}
	f.must(f.Connect(id, r))
	f.run(10, map[*phone]float64{stranger: 440})
	f.quiet(id)
	f.run(60, map[*phone]float64{stranger: 440, p: 1000})
	if e := f.want(id, media.Latched); e.Source != p.at {
		t.Errorf("latched to %v, want %v", e.Source, p.at)
	}
	if n := stranger.drain(); n > 0 {
		t.Errorf("the stranger hears %d packets", n)
	}
	if f.lockOf(id) != locked {
		t.Error("the stream is not locked to its peer")
	}
}
