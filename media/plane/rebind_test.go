// SPDX-License-Identifier: MIT

package plane

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
)

// rebinding is a bridged call whose phone a has been heard for a while.
type rebinding struct {
	*fixture
	a      media.StreamID
	pa, pb *phone
}

func setupRebinding(t *testing.T) *rebinding {
	t.Helper()
	f := setup(t, Config{})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMU)
	f.must(f.Bridge(a, b))
	f.run(50, map[*phone]float64{pa: 1000})
	f.want(a, media.Latched)
	return &rebinding{f, a, pa, pb}
}

// moved is the phone a behind another port, or another address, of its router.
func (r *rebinding) moved(home netip.Addr) *phone {
	r.t.Helper()
	at := r.pa.server.AddrPort()
	p := newPhone(r.t, media.PCMU, netip.AddrPortFrom(home, at.Port()))
	p.server = r.pa.server
	p.header, p.sample = r.pa.header, r.pa.sample
	return p
}

// follows lets a phone sing until the stream has followed it, and says after how
// many frames.
func (r *rebinding) follows(p *phone) int {
	r.t.Helper()
	for frames := range 200 {
		r.run(1, map[*phone]float64{p: 1000})
		if p.drain() == 0 {
			continue
		}
		if e := r.want(r.a, media.Latched); e.Source != p.at {
			r.t.Fatalf("latched to %v, want %v", e.Source, p.at)
		}
		if !r.isHeard(r.a, p) {
			r.t.Error("its first packet was not heard")
		}
		r.pa.drain()
		r.pb.drain()
		r.run(settle, map[*phone]float64{p: 1000})
		r.pa.drain()
		r.pb.drain()
		p.heard = nil
		r.run(50, map[*phone]float64{p: 1000})
		r.pb.listen()
		hears(r.t, "the other side", r.pb.sound(), 1000)
		if len(p.heard) != 50 || r.pa.drain() != 0 {
			r.t.Errorf("%d packets in 50 frames, and some to where the phone was", len(p.heard))
		}
		return frames + 1
	}
	r.t.Fatal("the stream has not followed")
	return 0
}

// A router gives the phone another port in the middle of the call, as routers
// do: packets go on, from there.
func TestRebindToAnotherPort(t *testing.T) {
	t.Parallel()
	r := setupRebinding(t)
	n := r.follows(r.moved(r.pa.at.Addr()))
	if n < 15 || n > 25 { // 300 to 500 ms
		t.Errorf("followed after %d frames", n)
	}
	r.quiet(r.a)
	if got := r.closeAndCount(r.a); got.Lost > uint64(n) || got.Foreign != 0 {
		t.Errorf("figures %+v", got)
	}
}

// A phone that has moved to another port need not have kept the old one. Its
// machine then refuses what is sent there, which is no sign of life.
func TestRebindFromARefusedPort(t *testing.T) {
	t.Parallel()
	r := setupRebinding(t)
	p := r.moved(r.pa.at.Addr())
	r.pa.crash()
	for range 25 {
		r.run(1, map[*phone]float64{p: 1000})
		if p.drain() > 0 {
			if e := r.want(r.a, media.Latched); e.Source != p.at {
				t.Errorf("latched to %v, want %v", e.Source, p.at)
			}
			return
		}
	}
	t.Error("the stream has not followed in 500 ms")
}

func TestRebindToAnotherAddress(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("there is one loopback address here")
	}
	r := setupRebinding(t)
	elsewhere := r.pa.at.Addr().As4()
	elsewhere[2] ^= 0x55
	if n := r.follows(r.moved(netip.AddrFrom4(elsewhere))); n < 15 || n > 25 {
		t.Errorf("followed after %d frames", n)
	}
	r.quiet(r.a)
}

// A phone that has begun anew, so that not even its SSRC is the old one, is
// known by its address when it goes on.
func TestRebindWithAnotherSSRC(t *testing.T) {
	t.Parallel()
	r := setupRebinding(t)
	p := r.moved(r.pa.at.Addr())
	p.header.SSRC, p.header.Sequence, p.header.Timestamp = 4711, 1, 1
	if n := r.follows(p); n < 24 || n > 30 {
		t.Errorf("followed after %d frames", n)
	}
	r.quiet(r.a)
}

// Nobody takes the place of a peer that is alive, whatever he pretends.
func TestStrangerBesideAPeer(t *testing.T) {
	t.Parallel()
	r := setupRebinding(t)
	same, other := r.moved(r.pa.at.Addr()), r.moved(r.pa.at.Addr())
	other.header.SSRC = 666
	songs := map[*phone]float64{r.pa: 1000, same: 440, other: 440}
	r.pb.drain()
	r.run(250, songs)
	r.pb.listen()
	hearsOnly(t, r.pb, 1000, 440)
	r.quiet(r.a)

	// Also one who falls silent again and again, for less than it takes.
	for range 10 {
		delete(songs, r.pa)
		r.run(int(silent/media.FrameDuration)-2, songs)
		songs[r.pa] = 1000
		r.run(10, songs)
	}
	r.quiet(r.a)
	if same.drain()+other.drain() != 0 {
		t.Error("a stranger is sent packets")
	}
}

// A stranger of another address and SSRC does not come in however long the peer
// is silent, and one of the same address has to wait while the peer has said
// that it will be silent.
func TestStrangerWhileAPeerIsSilent(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("there is one loopback address here")
	}
	r := setupRebinding(t)
	elsewhere := r.pa.at.Addr().As4()
	elsewhere[2] ^= 0x55
	far, near := r.moved(netip.AddrFrom4(elsewhere)), r.moved(r.pa.at.Addr())
	far.header.SSRC, near.header.SSRC = 666, 667
	r.run(500, map[*phone]float64{far: 440})
	r.quiet(r.a)
	r.pa.header.Timestamp += 500 * media.FrameSize
	r.run(10, map[*phone]float64{r.pa: 1000, far: 440}) // and is heard again
	h := r.pa.header
	h.PayloadType = comfortNoise
	r.pa.send(h, []byte{60})
	r.pa.header.Sequence++
	r.run(int((patience-time.Second)/media.FrameDuration), map[*phone]float64{far: 440, near: 440})
	r.quiet(r.a)
	r.pb.drain()
	r.run(settle, map[*phone]float64{r.pa: 1000})
	r.pb.drain()
	r.run(50, map[*phone]float64{r.pa: 1000})
	r.pb.listen()
	hearsOnly(t, r.pb, 1000, 440)
	if far.drain()+near.drain() != 0 {
		t.Error("a stranger is sent packets")
	}
}

// Of several that send from a silent peer's address, each with another SSRC,
// none goes on.
func TestStrangersWhileAPeerIsSilent(t *testing.T) {
	t.Parallel()
	r := setupRebinding(t)
	one, two := r.moved(r.pa.at.Addr()), r.moved(r.pa.at.Addr())
	one.header.SSRC, two.header.SSRC = 666, 667
	r.run(100, map[*phone]float64{one: 440, two: 440})
	r.quiet(r.a)
	if one.drain()+two.drain() != 0 {
		t.Error("a stranger is sent packets")
	}
}

// A peer that falls silent without a word and goes on is the same peer.
func TestSilentPeerGoesOn(t *testing.T) {
	t.Parallel()
	r := setupRebinding(t)
	for range 5 {
		r.step(2 * silent)
		if got := r.lockOf(r.a); got != lost {
			t.Fatalf("the lock is %d in a silence", got)
		}
		r.pa.header.Timestamp += uint32(2 * silent * media.SampleRate / time.Second)
		r.pb.drain()
		r.run(50, map[*phone]float64{r.pa: 1000})
		if n := missing(r.pb, 50, 1000); n > 2 {
			t.Errorf("%d of 50 frames are missing", n)
		}
		if got := r.lockOf(r.a); got != locked {
			t.Errorf("the lock is %d", got)
		}
	}
	r.quiet(r.a)
	if got := r.closeAndCount(r.a); got.Lost != 0 || got.Foreign != 0 {
		t.Errorf("figures %+v", got)
	}
}
