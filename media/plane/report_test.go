// SPDX-License-Identifier: MIT

package plane

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtcp"
	"github.com/callwright/callwright/media/rtp"
	"github.com/callwright/callwright/media/srtp"
)

// reportsFrom gives the reports that have come on a socket of the phone.
func (p *phone) reportsFrom(s rtp.Socket) (got []rtcp.Report) {
	p.t.Helper()
	var b [2048]byte
	for {
		n, _, e := s.RecvFrom(b[:])
		if e != 0 {
			return got
		}
		if s == p.socket && !isReport(b[:n]) {
			continue
		}
		r, err := rtcp.Parse(b[:n], p.header.SSRC)
		if err != nil {
			p.t.Fatalf("report %x: %v", b[:n], err)
		}
		got = append(got, r)
	}
}

// report sends a report from a socket of the phone to a port of the stream.
func (p *phone) report(s rtp.Socket, r rtcp.Report, port uint16) {
	p.t.Helper()
	b := r.Append(nil, []byte("phone"))
	to := p.server
	to.Port = port
	if e := s.SendTo(b, to); e != 0 {
		p.t.Fatal(e)
	}
}

// figuresAt gives the figures of a stream that is open.
func (f *fixture) figuresAt(id media.StreamID) media.Figures {
	s := f.shards[0]
	s.obey()
	return s.figures(s.streams.at(s.index[id]))
}

// A call is reported on every five seconds, and its end is told.
func TestReports(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	var got []rtcp.Report
	for frame := range 1500 { // 30 s
		if frame%10 != 9 { // 10 % are lost
			p.sing(1000)
		} else {
			p.header.Sequence++
			p.header.Timestamp += media.FrameSize
		}
		f.step(media.FrameDuration)
		p.listen()
		got = append(got, p.reportsFrom(p.control)...)
	}
	if len(got) < 4 || len(got) > 13 {
		t.Fatalf("%d reports in 30 s", len(got))
	}
	last := got[len(got)-1]
	if !last.Sends || !last.Hears || last.Bye || last.SSRC != p.heard[0].SSRC {
		t.Fatalf("report %+v", last)
	}
	if d := int(last.Sender.Octets) - media.FrameSize*int(last.Sender.Packets); d != 0 || last.Sender.Packets < 500 {
		t.Errorf("sent %+v", last.Sender)
	}
	// The report names the moment of the packet that was sent last.
	if want := p.heard[last.Sender.Packets-1].Timestamp; last.Sender.Timestamp != want {
		t.Errorf("timestamp %d, want %d", last.Sender.Timestamp, want)
	}
	b := last.Block
	expected := int32(b.Highest-65530) + 1
	if b.Fraction < 20 || b.Fraction > 30 || math.Abs(float64(b.Lost)-float64(expected)/10) > 1 || b.LastSR != 0 {
		t.Errorf("heard %+v", b)
	}
	f.must(f.CloseStream(id))
	f.want(id, media.Latched)
	f.want(id, media.Closed)
	if got := p.reportsFrom(p.control); len(got) != 1 || !got[0].Bye {
		t.Errorf("at the end %+v", got)
	}
}

// What a peer reports is in the figures: the way there and back, and how it
// hears us. Strangers report nothing, and rubbish does no harm.
func TestPeerReports(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	control := p.server.Port + 1
	var ours *rtcp.Report
	for ours == nil {
		f.run(10, map[*phone]float64{p: 1000})
		for _, r := range p.reportsFrom(p.control) {
			ours = &r
		}
	}
	stranger := newPhone(t, 0, netip.AddrPortFrom(other(t), p.server.Port))
	stranger.server = p.server
	answer := func(lost int32, held time.Duration) rtcp.Report {
		return rtcp.Report{
			SSRC:   p.header.SSRC,
			Sends:  true,
			Sender: rtcp.Sender{Time: rtcp.NTPOf(time.Unix(1_700_000_000, 0))},
			Hears:  true,
			Block:  rtcp.Block{SSRC: ours.SSRC, Lost: lost, Jitter: 16, LastSR: ours.Sender.Time.Short(), Delay: rtcp.ShortOf(held)},
		}
	}
	p.report(p.control, answer(7, 0), control)
	stranger.report(stranger.control, answer(99, 0), control)
	if e := p.control.SendTo([]byte{0x80, 200, 0, 99}, rtp.Endpoint{IP: p.server.IP, Port: control}); e != 0 {
		t.Fatal(e)
	}
	sent := f.now
	f.run(int(2*glance/media.FrameDuration), map[*phone]float64{p: 1000})
	got := f.figuresAt(id)
	if got.PeerLost != 7 || got.PeerJitter != 2*time.Millisecond || got.Foreign != 1 || got.Malformed != 1 {
		t.Errorf("figures %+v", got)
	}
	// Our report was made up to 200 ms ago, and the answer comes when it is read.
	if got.RoundTrip <= 0 || got.RoundTrip > 200*time.Millisecond+2*glance {
		t.Errorf("round trip %v", got.RoundTrip)
	}
	// Our next report answers the peer's.
	for range 60 {
		f.run(10, map[*phone]float64{p: 1000})
		for _, r := range p.reportsFrom(p.control) {
			if !r.Hears || r.Block.LastSR != rtcp.NTPOf(time.Unix(1_700_000_000, 0)).Short() {
				t.Errorf("block %+v", r.Block)
			} else if d := r.Block.Delay.Duration(); d > f.now-sent || d < f.now-sent-3*glance {
				t.Errorf("held for %v of %v", d, f.now-sent)
			}
			return
		}
	}
	t.Error("no more report came")
}

// other is an address that is not the test's own.
func other(t *testing.T) netip.Addr {
	a := home(t).As4()
	a[2] ^= 0x55
	return netip.AddrFrom4(a)
}

// With a peer that wants it so, reports go on the port of sound, and it has only
// that one.
func TestReportsOnThePortOfSound(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, at := f.open()
	p := newPhone(t, media.PCMU, at)
	r := p.remote()
	r.Mux = true
	f.must(f.Connect(id, r))
	var ours []rtcp.Report
	for frame := range 500 {
		p.sing(1000)
		if frame == 100 {
			p.report(p.socket, rtcp.Report{SSRC: p.header.SSRC}, p.server.Port)
		}
		f.step(media.FrameDuration)
		ours = append(ours, p.reportsFrom(p.socket)...)
	}
	if len(ours) < 1 || len(p.reportsFrom(p.control)) > 0 {
		t.Errorf("%d reports on the port of sound in 10 s, or some on another", len(ours))
	}
	if got := f.figuresAt(id); got.Malformed != 0 || got.Received != 500 {
		t.Errorf("figures %+v", got)
	}
}

// Reports go where the peer says, else where its own come from.
func TestWhereReportsGo(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, at := f.open()
	p, elsewhere := newPhone(t, media.PCMU, at), newPhone(t, media.PCMU, at)
	r := p.remote()
	r.RTCP = netip.AddrPortFrom(elsewhere.at.Addr(), elsewhere.control.Port())
	f.must(f.Connect(id, r))
	f.run(500, map[*phone]float64{p: 1000})
	if n := len(elsewhere.reportsFrom(elsewhere.control)); n == 0 || len(p.reportsFrom(p.control)) > 0 {
		t.Errorf("%d reports where they were wanted, or some elsewhere", n)
	}
	third := newPhone(t, media.PCMU, at)
	p.report(third.control, rtcp.Report{SSRC: p.header.SSRC}, at.Port()+1)
	f.run(500, map[*phone]float64{p: 1000})
	if n := len(third.reportsFrom(third.control)); n == 0 {
		t.Error("no reports where the peer's come from")
	}
	// Nor do they go there any more when the peer has moved.
	moved := newPhone(t, media.PCMU, at)
	f.must(f.Connect(id, moved.remote()))
	third.reportsFrom(third.control)
	f.run(500, map[*phone]float64{moved: 1000})
	if n := len(moved.reportsFrom(moved.control)); n == 0 || len(third.reportsFrom(third.control)) > 0 {
		t.Errorf("%d reports where the peer is now, or some elsewhere", n)
	}
	f.must(f.Connect(id, r))
	f.run(100, map[*phone]float64{p: 1000})
	elsewhere.reportsFrom(elsewhere.control)
	p.report(p.control, rtcp.Report{SSRC: p.header.SSRC}, at.Port()+1)
	f.run(500, map[*phone]float64{p: 1000})
	if n := len(p.reportsFrom(p.control)); n == 0 || len(elsewhere.reportsFrom(elsewhere.control)) > 0 {
		t.Errorf("%d reports where the peer's come from, or some elsewhere", n)
	}
}

// A peer that only listens gets reports of what was sent, and one that only
// speaks of what was heard.
func TestReportsOfOneDirection(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	listener, l := f.call(media.PCMU)
	speaker, s := f.call(media.PCMU)
	only := func(id media.StreamID, p *phone, send, receive bool) {
		r := p.remote()
		r.Send, r.Receive = send, receive
		f.must(f.Connect(id, r))
	}
	only(listener, l, true, false)
	only(speaker, s, false, true)
	f.run(500, map[*phone]float64{l: 1000, s: 1000})
	for _, r := range l.reportsFrom(l.control) {
		if !r.Sends || r.Hears {
			t.Errorf("to the one that listens %+v", r)
		}
	}
	for _, r := range s.reportsFrom(s.control) {
		if r.Sends || !r.Hears {
			t.Errorf("to the one that speaks %+v", r)
		}
	}
}

// A stream whose peer says that it is nowhere sends no reports.
func TestNoReportsToNowhere(t *testing.T) {
	t.Parallel()
	for _, to := range []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), 4000), netip.AddrPortFrom(home(t), math.MaxUint16)} {
		f := setup(t, Config{})
		id, _ := f.open()
		f.must(f.Connect(id, media.Remote{Addr: to, Codec: media.PCMU, Receive: true}))
		f.step(10 * time.Second)
		s := f.shards[0]
		if st := s.streams.at(s.index[id]); st.reports.begun || st.out.errors > 0 {
			t.Errorf("%v: reports %v, %d errors", to, st.reports.begun, st.out.errors)
		}
	}
}

// What was heard well is good, and what was lost is not.
func TestMOS(t *testing.T) {
	t.Parallel()
	for lose, want := range map[int]float64{0: 4.38, 10: 3.34, 2: 1.55} { // each how many'th packet
		f := setup(t, Config{})
		id, p := f.call(media.PCMU)
		for frame := range 300 {
			if lose == 0 || frame%lose != 1 {
				p.sing(1000)
			} else {
				p.header.Sequence++
				p.header.Timestamp += media.FrameSize
			}
			f.step(media.FrameDuration)
		}
		if got := f.figuresAt(id).MOS; math.Abs(got-want) > 0.03 {
			t.Errorf("one in %d lost: MOS %v, want %v", lose, got, want)
		}
	}
	f := setup(t, Config{})
	id, _ := f.call(media.PCMU)
	f.step(time.Second)
	if got := f.figuresAt(id).MOS; got != 0 {
		t.Errorf("nothing was heard: MOS %v", got)
	}
}

func TestBothPortsAreClosed(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, at := f.open()
	f.must(f.CloseStream(id))
	f.want(id, media.Closed)
	for _, port := range []uint16{at.Port(), at.Port() + 1} {
		s, err := rtp.Listen(netip.AddrPortFrom(at.Addr(), port))
		if err = errors.Join(err, s.Close()); err != nil {
			t.Errorf("port %d: %v", port, err)
		}
	}
}

// Reports are sent and read on the thread of the shard, which allocates nothing.
func TestReportsCostNoMemory(t *testing.T) {
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(10, map[*phone]float64{p: 1000})
	f.want(id, media.Latched)
	report := rtcp.Report{SSRC: p.header.SSRC, Sends: true}
	b := report.Append(nil, []byte("phone"))
	to := p.server
	to.Port++
	// What the runtime allocates besides is counted, too, but not every time.
	n := 1.0
	for tries := 0; n > 0 && tries < 10; tries++ {
		n = testing.AllocsPerRun(1, func() {
			for range 30 {
				_ = p.control.SendTo(b, to)
				f.step(time.Second)
			}
		})
	}
	if n != 0 {
		t.Errorf("%v allocations in 30 s, again and again", n)
	}
	s := f.shards[0]
	if st := s.streams.at(s.index[id]); !st.reports.begun || st.reports.last.ssrc != p.header.SSRC {
		t.Error("no report was sent, or none taken")
	}
}

// With keys, reports are encrypted as sound is, and who has other keys reports
// nothing, not even a sign of life.
func TestReportsAreEncrypted(t *testing.T) {
	t.Parallel()
	for _, suite := range []media.Suite{media.AES128SHA1x80, media.AES128SHA1x32, media.AES128GCM} {
		t.Run(suite.String(), func(t *testing.T) {
			t.Parallel()
			f := setup(t, Config{})
			keys := func(fill byte) *media.Keys {
				key, salt := suite.Lengths()
				return &media.Keys{Suite: suite, Key: bytes.Repeat([]byte{fill}, key), Salt: bytes.Repeat([]byte{fill}, salt)}
			}
			id, at := f.open()
			p := newPhone(t, media.PCMU, at)
			r := p.remote()
			r.Ours, r.Theirs = keys(1), keys(2)
			f.must(f.Connect(id, r))
			open, err := srtp.NewUnsealer(keys(1))
			f.must(err)
			good, err := srtp.NewSealer(keys(2))
			f.must(err)
			bad, err := srtp.NewSealer(keys(3))
			f.must(err)
			f.step(5 * time.Second)
			var b [2048]byte
			n, _, e := p.control.RecvFrom(b[:])
			if e != 0 {
				t.Fatal(e)
			}
			if _, err := open.UnsealRTCP(bytes.Clone(b[:n])); err != nil {
				t.Errorf("our report: %v", err)
			}
			send := func(by *srtp.Sealer, lost int32) []byte {
				report := rtcp.Report{SSRC: p.header.SSRC, Hears: true, Block: rtcp.Block{SSRC: f.ssrcOf(id), Lost: lost}}
				sealed, err := by.SealRTCP(report.Append(make([]byte, 0, 200), []byte("phone")))
				f.must(err)
				to := p.server
				to.Port++
				if e := p.control.SendTo(sealed, to); e != 0 {
					t.Fatal(e)
				}
				return sealed
			}
			again := send(good, 5)
			send(bad, 9)
			if e := p.socket.SendTo(again, p.server); e != 0 { // on the port of sound, too
				t.Fatal(e)
			}
			f.step(2 * glance)
			if got := f.figuresAt(id); got.PeerLost != 5 || got.Refused != 2 || got.Malformed != 0 {
				t.Errorf("figures %+v", got)
			}
		})
	}
}

// ssrcOf is the source that a stream sends as.
func (f *fixture) ssrcOf(id media.StreamID) uint32 {
	s := f.shards[0]
	return s.streams.at(s.index[id]).out.ssrc
}
