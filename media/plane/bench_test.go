// SPDX-License-Identifier: MIT

package plane

import (
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
	"github.com/callwright/callwright/media/rtpload"
)

// TestMain also serves as the process of the load generator.
func TestMain(m *testing.M) {
	if os.Getenv("RTPLOAD") != "" {
		if err := rtpload.Serve(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// BenchmarkPlane measures the processor time that the plane needs for a second
// of a call, beside a bare loop that receives and sends on as many sockets, in
// the same run. Look at the ratio: the rest depends on the machine.
func BenchmarkPlane(b *testing.B) {
	for _, test := range []struct {
		name    string
		legs    int
		bridged bool
	}{
		{"200 legs hear a prompt", 200, false},
		{"1000 legs hear a prompt", 1000, false},
		{"200 bridged calls", 400, true},
	} {
		b.Run(test.name, func(b *testing.B) {
			// As the server does: more places to run than processors, so that the
			// shard finds one while the garbage collector works.
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2*runtime.NumCPU() + 1))
			calls := float64(test.legs)
			if test.bridged {
				calls /= 2
			}
			for b.Loop() {
				load := rtpload.Load{Legs: test.legs, Warmup: warmup, Measure: measure}
				bare, err := load.BareCost(generator(), test.legs > crowded)
				if err != nil {
					b.Fatal(err)
				}
				plane := measurePlane(b, load, test.bridged)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(plane.CPU/calls, "µs/call-s")
				b.ReportMetric(bare.CPU/calls, "bare-µs/call-s")
				b.ReportMetric(plane.CPU/bare.CPU, "ratio")
				b.ReportMetric(plane.Memory/float64(test.legs), "B/leg")
				for _, m := range []struct {
					unit        string
					plane, bare time.Duration
				}{
					{"p50", plane.P50, bare.P50}, {"p99", plane.P99, bare.P99}, {"p99.9", plane.P999, bare.P999},
				} {
					b.ReportMetric(float64(m.plane.Microseconds()), m.unit+"-µs")
					b.ReportMetric(float64(m.bare.Microseconds()), "bare-"+m.unit+"-µs")
				}
				b.ReportMetric(float64(plane.Gaps), "gaps")
			}
		})
	}
}

// BenchmarkStep measures the steps alone: 400 streams that send to themselves,
// nobody asleep and everything in the cache. It has less noise than the whole,
// and shows what a change to the code costs.
func BenchmarkStep(b *testing.B) {
	const legs = 400
	home := netip.MustParseAddr("127.0.0.1")
	b.Run("bare", func(b *testing.B) {
		sockets := make([]rtp.Socket, legs)
		for i := range sockets {
			s, err := rtp.Listen(netip.AddrPortFrom(home, 0))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if err := s.Connect(rtp.EndpointOf(netip.AddrPortFrom(home, s.Port()))); err != nil {
				b.Fatal(err)
			}
			sockets[i] = s
		}
		var in [2048]byte
		for b.Loop() {
			for _, s := range sockets {
				_, _ = s.Recv(in[:])
				_ = s.Send(in[:rtp.HeaderSize+media.FrameSize])
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/legs, "ns/leg")
	})
	for _, test := range []struct {
		name    string
		bridged bool
		suite   media.Suite
	}{
		{"play", false, 0},
		{"bridge", true, 0},
		{"bridge " + media.AES128SHA1x80.String(), true, media.AES128SHA1x80},
		{"bridge " + media.AES128GCM.String(), true, media.AES128GCM},
	} {
		b.Run(test.name, func(b *testing.B) {
			p, err := build(Config{Listen: home, Ports: "0", Shards: 1, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			f := &fixture{Plane: p}
			defer f.close()
			connect(b, p, test.bridged, make([]netip.AddrPort, legs), test.suite)
			f.step(time.Second)
			for b.Loop() {
				f.now += media.FrameDuration
				p.shards[0].step(f.now)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/legs, "ns/leg")
		})
	}
}

const (
	warmup  = 400 * time.Millisecond
	measure = 1400 * time.Millisecond
)

// generator is this very program as the process of the load generator.
func generator() *exec.Cmd {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "RTPLOAD=1")
	command.Stderr = os.Stderr
	return command
}

func measurePlane(b *testing.B, load rtpload.Load, bridged bool) rtpload.Cost {
	b.Helper()
	p, err := New(Config{
		Listen: netip.MustParseAddr("127.0.0.1"), Ports: "0", Shards: 1,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	c, err := load.Cost(generator(), func(peers []netip.AddrPort) ([]netip.AddrPort, error) {
		return connect(b, p, bridged, peers, 0), nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// connect opens a stream for each peer, and plays a prompt on it or bridges it
// with the next. A stream without a peer's address sends to itself. All are
// encrypted by a suite if it is not 0.
func connect(b *testing.B, p *Plane, bridged bool, peers []netip.AddrPort, suite media.Suite) (at []netip.AddrPort) {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	sound := prompt(250, 440)
	var last media.StreamID
	for i, peer := range peers {
		near := media.StreamID(0)
		if bridged && i%2 == 1 {
			near = last
		}
		id, here, err := p.Open(media.StreamOptions{Deliver: func(media.Event) {}, Near: near})
		must(err)
		at = append(at, here)
		if !peer.IsValid() {
			peer = here
		}
		r := media.Remote{Addr: peer, Codec: media.PCMU, TelephoneEvent: events, Send: true, Receive: true}
		if suite != 0 {
			r.Ours, r.Theirs = keysOf(suite, 1), keysOf(suite, 1) // it hears itself
		}
		must(p.Connect(id, r))
		switch {
		case !bridged:
			must(p.Play(id, sound, media.PlayOptions{Loop: true}))
		case i%2 == 1:
			must(p.Bridge(last, id))
		}
		last = id
	}
	return at
}
