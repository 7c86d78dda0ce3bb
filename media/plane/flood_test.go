// SPDX-License-Identifier: MIT

package plane

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
	"github.com/callwright/callwright/media/rtpload"
)

// A thousand packets in each frame on one port, of the peer's own or of
// strangers: each step reads its share, other calls lose nothing, and the call
// that is flooded goes on when it is over.
func TestFloodOnOnePort(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		t.Run(fmt.Sprintf("own address %v", own), func(t *testing.T) {
			t.Parallel()
			f := setup(t, Config{})
			victim, pv := f.call(media.PCMU)
			hearer, ph := f.call(media.PCMU)
			a, pa := f.call(media.PCMU)
			b, pb := f.call(media.PCMU)
			f.must(f.Bridge(victim, hearer))
			f.must(f.Bridge(a, b))
			others := map[*phone]float64{pa: 1000, pb: 1000}
			flooder := pv
			if !own {
				flooder = newPhone(t, media.PCMU, pv.server.AddrPort())
			}
			random := rand.New(rand.NewPCG(1, 1))
			flood := func() {
				for range 1000 {
					h := flooder.header
					h.Sequence, h.Timestamp = uint16(random.Uint32()), random.Uint32()
					flooder.send(h, make([]byte, media.FrameSize))
				}
			}
			for range 50 {
				flood()
				before := f.taken(victim)
				f.run(1, others)
				// A bridged stream is read when its peer is stepped, which is once.
				if n := f.taken(victim) - before; n > 2*burst {
					t.Fatalf("%d packets were read in one frame", n)
				}
			}
			f.step(20 * time.Duration(media.FrameDuration)) // what waits is read
			songs := map[*phone]float64{pv: 1000, ph: 1000, pa: 1000, pb: 1000}
			f.run(int(probation/media.FrameDuration)+settle, songs)
			ph.heard = nil
			f.run(50, songs)
			hears(t, "who hears the flooded call", ph.sound(), 1000)
			for id, p := range map[media.StreamID]*phone{a: pa, b: pb} {
				got := f.figuresAt(id)
				if got.Lost+got.Late+got.Foreign+got.Malformed > 0 || got.Sent < uint64(len(p.heard)) || p.sample != int(got.Received)*media.FrameSize {
					t.Errorf("another call: %+v", got)
				}
			}
		})
	}
}

// taken is how many packets were read on a stream.
func (f *fixture) taken(id media.StreamID) uint64 {
	got := f.figuresAt(id)
	return got.Received + got.Duplicate + got.Foreign + got.Malformed
}

// BenchmarkFlood shows what 100 bridged calls notice of a flood of 50,000 packets
// a second on the port of another one: what is lost on either way, how far packets are from
// their raster and how far the time between two is from 20 ms, without the flood
// and with it in one run.
func BenchmarkFlood(b *testing.B) {
	for _, kind := range []floodKind{noFlood, fromPeer, fromStranger, beforePeer} {
		b.Run(string(kind), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2*runtime.NumCPU() + 1))
			for b.Loop() {
				others, in, sent := measureFlood(b, kind)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(sent)/(warmup+measure).Seconds(), "flood-pps")
				b.ReportMetric(float64(in), "lost-in")
				b.ReportMetric(float64(others.Lost), "lost-out")
				b.ReportMetric(float64(others.Gaps), "gaps")
				for unit, d := range map[string]time.Duration{
					"p50-µs": others.P50, "p99-µs": others.P99, "max-µs": others.Max,
					"gap-p50-µs": others.Between.P50, "gap-p99-µs": others.Between.P99, "gap-max-µs": others.Between.Max,
				} {
					b.ReportMetric(float64(d.Microseconds()), unit)
				}
			}
		})
	}
}

// floodKind is who floods the port of a call.
type floodKind string

const (
	noFlood      floodKind = "nobody"
	fromPeer     floodKind = "the peer"
	fromStranger floodKind = "a stranger"
	beforePeer   floodKind = "a stranger before the peer"
)

// measureFlood carries 100 bridged calls beside one that is flooded, and gives
// what they noticed, how many packets of theirs did not reach the plane, and how
// many the flood had.
func measureFlood(b *testing.B, kind floodKind) (others rtpload.Report, in uint64, sent int) {
	b.Helper()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	here := netip.MustParseAddr("127.0.7.1")
	p, err := New(Config{Listen: here, Ports: "0", Shards: 1, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	must(err)
	defer p.Close()
	calls, peers, err := rtpload.Start(generator(), netip.MustParseAddr("127.0.7.2"), 200)
	must(err)
	defer func() { must(calls.Close()) }()
	targets := connect(b, p, true, peers, 0)
	ids := slices.Collect(maps.Keys(p.entries)) // the other calls
	flood, from, err := rtpload.Start(generator(), netip.MustParseAddr("127.0.7.3"), 1)
	must(err)
	defer func() { must(flood.Close()) }()
	peer, err := rtp.Listen(netip.AddrPortFrom(here, 0))
	must(err)
	defer func() { must(peer.Close()) }()
	at := netip.AddrPortFrom(here, peer.Port())
	remote := media.Remote{
		Addr: at, Codec: media.PCMU, Send: true, Receive: true,
		TelephoneEvent: events, Nearby: []netip.Prefix{netip.PrefixFrom(here, 32)},
	}
	if kind == fromPeer {
		remote.Addr = from[0]
	}
	target := victim(b, p, remote, func(to netip.AddrPort) {
		if kind == fromStranger { // the peer has been heard before
			packet := make([]byte, rtp.HeaderSize+media.FrameSize)
			rtp.Header{}.Put(packet)
			_ = peer.SendTo(packet, rtp.EndpointOf(to))
		}
	})
	var flooding sync.WaitGroup
	if kind != noFlood {
		flooding.Go(func() {
			r, err := flood.Flood(target, 50_000, warmup+measure)
			sent = r.Sent
			if err != nil {
				b.Error(err)
			}
		})
	}
	others, err = calls.Run(targets, warmup, measure, func() {}, func() {})
	flooding.Wait()
	must(err)
	for _, id := range ids {
		got := make(chan media.Figures)
		must(p.order(id, func(s *shard, st *stream) { got <- s.figures(st) }))
		in += (<-got).Lost
	}
	return others, in, sent
}

// victim opens the call to be flooded, with somebody who hears it, and lets its
// peer begin.
func victim(b *testing.B, p *Plane, r media.Remote, begin func(to netip.AddrPort)) netip.AddrPort {
	b.Helper()
	var ids [2]media.StreamID
	var at netip.AddrPort
	for i := range ids {
		id, here, err := p.Open(media.StreamOptions{Deliver: func(media.Event) {}})
		if err == nil {
			err = p.Connect(id, r)
		}
		if err != nil {
			b.Fatal(err)
		}
		ids[i], at = id, here
	}
	if err := p.Bridge(ids[0], ids[1]); err != nil {
		b.Fatal(err)
	}
	begin(at)
	return at
}
