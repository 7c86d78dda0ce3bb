// SPDX-License-Identifier: MIT

package plane

import (
	"encoding/base64"
	"math"
	"math/rand/v2"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/emodel"
	"github.com/callwright/callwright/media/rtcp"
	"github.com/callwright/callwright/media/rtp"
)

const (
	// glance is the longest time between two looks at what is not done with every
	// packet. Reports are stamped with their arrival; where they are not, they
	// must be read at once.
	glance = time.Second
	// answers is the most reports that are read at one look.
	answers = 4
)

// reports are what a stream and its peer tell each other by RTCP.
type reports struct {
	socket   rtp.Socket // on the port above that of sound
	mux      bool       // reports go and come with sound (RFC 5761)
	wanted   rtp.Endpoint
	source   rtp.Endpoint // where the peer's come from, if they do
	name     [16]byte     // CNAME (RFC 7022 section 5)
	schedule rtcp.Schedule
	begun    bool      // one was sent
	sent     [2]uint64 // packets that had been sent with the last report, and the one before
	last     lastReport
	peer     opinion
}

// lastReport is the peer's sender report that came last.
type lastReport struct {
	ssrc    uint32
	made    rtcp.Short
	at      time.Duration
	packets uint32 // that it had sent
}

// opinion is how the peer hears us.
type opinion struct {
	roundTrip time.Duration
	lost      int32
	jitter    uint32 // in samples
}

// newReports gives the reports of a stream that are sent on a socket.
func newReports(socket rtp.Socket) reports {
	r := reports{socket: socket}
	var random [12]byte
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	base64.StdEncoding.Encode(r.name[:], random[:])
	return r
}

// tend does what is due only now and then.
func (s *shard) tend(st *stream) {
	s.readReports(st)
	lost := s.watch(st)
	if st.reports.schedule.Due(s.timing.now, rand.Float64) {
		s.sendReport(st, false)
	}
	next := s.timing.now + glance
	if !rtp.Stamped {
		next = s.timing.now
	}
	st.life.tended = min(next, lost, st.reports.schedule.Next())
}

// readReports reads what has come on the port above that of sound.
func (s *shard) readReports(st *stream) {
	for range answers {
		n, from, waited, e := st.reports.socket.RecvWaited(s.wire.in[:])
		if e != 0 {
			return
		}
		if s.takeReport(st, s.wire.in[:n], from, s.timing.now-waited) && !st.reports.mux {
			st.reports.source = from
		}
	}
}

// isReport tells RTCP from RTP on one port (RFC 5761 section 4).
func isReport(datagram []byte) bool {
	return len(datagram) > 1 && datagram[1] >= 192 && datagram[1] <= 223
}

// takeReport takes a report that came at a time, and says whether it was the
// peer's: only who may be heard may report.
func (s *shard) takeReport(st *stream, datagram []byte, from rtp.Endpoint, at time.Duration) bool {
	if from.IP != st.out.to.IP {
		st.in.foreign++
		return false
	}
	datagram, ok := s.unsealRTCP(st, datagram)
	if !ok {
		return false
	}
	r, err := rtcp.Parse(datagram, st.out.ssrc)
	if err != nil {
		st.in.malformed++
		return false
	}
	// Who says that it has sent more is heard, or its packets do not get here.
	if !r.Bye && (!r.Sends || r.Sender.Packets == st.reports.last.packets) {
		st.watch.since = max(st.watch.since, at)
	}
	if r.Sends {
		st.reports.last = lastReport{ssrc: r.SSRC, made: r.Sender.Time.Short(), at: at, packets: r.Sender.Packets}
	}
	if b := &r.Block; r.Hears {
		p := &st.reports.peer
		p.lost, p.jitter = b.Lost, b.Jitter
		if d, ok := b.RoundTrip(rtcp.NTPOf(s.timing.clock.Time(at))); ok {
			p.roundTrip = d
		}
	}
	return true
}

// sendReport tells the peer what was sent and heard, and with bye that it is the
// last time.
func (s *shard) sendReport(st *stream, bye bool) {
	to := st.reportsTo()
	if !to.AddrPort().IsValid() || to.AddrPort().Addr().IsUnspecified() {
		return
	}
	sealed, ok := s.sealRTCP(st, s.report(st, bye))
	if !ok {
		st.out.errors++
		return
	}
	r := &st.reports
	if r.mux {
		if e := write(st, sealed); e != 0 {
			st.out.errors++
		}
	} else if e := r.socket.SendTo(sealed, to); e != 0 && !rtp.Refused(e) {
		st.out.errors++
	}
	r.begun = true
	r.sent = [2]uint64{st.out.sent, r.sent[0]}
}

// report makes the next report. It holds until the next one.
func (s *shard) report(st *stream, bye bool) []byte {
	report := rtcp.Report{SSRC: st.out.ssrc, Bye: bye}
	// Who has sent nothing for two reports is no sender (RFC 3550 section 6.4).
	if st.out.sent > st.reports.sent[1] {
		report.Sends, report.Sender = true, rtcp.Sender{
			Time:      rtcp.NTPOf(s.timing.clock.Time(s.timing.now)),
			Timestamp: st.out.timestamp, Packets: uint32(st.out.sent - st.out.earlier), Octets: st.out.octets,
		}
	}
	if block, ok := st.in.reception.Block(); ok {
		if last := st.reports.last; last.ssrc == block.SSRC && last.made != 0 {
			block.LastSR, block.Delay = last.made, rtcp.ShortOf(s.timing.now-last.at)
		}
		report.Hears, report.Block = true, block
	}
	return report.Append(s.wire.report[:0], st.reports.name[:])
}

// reportsTo is where the peer wants reports: where it said, on the port above
// that of its sound, or where its own come from if a router changes addresses.
func (st *stream) reportsTo() rtp.Endpoint {
	r := &st.reports
	switch {
	case r.mux:
		return st.out.to
	case r.source.IP == st.out.to.IP:
		return r.source
	case r.wanted != (rtp.Endpoint{}) && st.out.to == st.remote.offered:
		return r.wanted
	case st.out.to.Port == math.MaxUint16:
		return rtp.Endpoint{}
	}
	to := st.out.to
	to.Port++
	return to
}

// rate fills in how the peer hears us, and how well it is heard itself.
func (st *stream) rate(f *media.Figures, wait time.Duration) {
	p := st.reports.peer
	f.RoundTrip, f.PeerLost = p.roundTrip, uint64(max(0, p.lost))
	f.PeerJitter = time.Duration(p.jitter) * time.Second / media.SampleRate
	if f.Received == 0 {
		return
	}
	mos := emodel.Call{
		Delay:    p.roundTrip/2 + media.FrameDuration + wait,
		Expected: f.Received + f.Lost,
		Missing:  f.Lost + f.Late,
	}.MOS()
	f.MOS = math.Round(100*mos) / 100
}
