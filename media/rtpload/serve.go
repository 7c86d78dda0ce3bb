// SPDX-License-Identifier: MIT

package rtpload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/clock"
	"github.com/callwright/callwright/media/rtp"
)

// bins is how many groups legs are spread over, one for each millisecond.
const bins = int(media.FrameDuration / time.Millisecond)

// Serve is the generator's process: it carries out what Generator asks for,
// until its input ends.
func Serve(in io.Reader, out io.Writer) error {
	l := &load{out: json.NewEncoder(out)}
	defer l.close()
	orders := json.NewDecoder(in)
	for {
		var o order
		err := orders.Decode(&o)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = l.obey(o)
		}
		if err != nil {
			return errors.Join(err, l.out.Encode(answer{Error: err.Error()}))
		}
	}
}

// leg is one peer.
type leg struct {
	socket   rtp.Socket
	header   rtp.Header
	first    uint16        // sequence number of the first packet heard
	heard    bool          // first is known
	last     time.Duration // when the last packet came
	arrivals []arrival
}

// arrival is one packet heard.
type arrival struct {
	number uint16 // from the first on
	at     time.Duration
}

type load struct {
	out    *json.Encoder
	clock  clock.Clock
	parser rtp.Parser
	legs   []leg
	report Report
	from   time.Duration // what arrives earlier is not counted
	buf    [2048]byte
}

func (l *load) close() {
	for i := range l.legs {
		_ = l.legs[i].socket.Close()
	}
}

func (l *load) obey(o order) error {
	if o.Legs > 0 {
		return l.open(o)
	}
	if o.Rate > 0 {
		return l.flood(o)
	}
	return l.run(o)
}

func (l *load) open(o order) error {
	var a answer
	for i := range o.Legs {
		s, err := rtp.Listen(netip.AddrPortFrom(o.Home, 0))
		if err != nil {
			return fmt.Errorf("open leg %d: %w", i, err)
		}
		stamp(s)
		l.legs = append(l.legs, leg{socket: s, header: rtp.Header{SSRC: uint32(i + 1)}})
		a.Addresses = append(a.Addresses, netip.AddrPortFrom(o.Home, s.Port()))
	}
	return l.out.Encode(a)
}

func (l *load) run(o order) error {
	if len(o.Targets) != len(l.legs) {
		return fmt.Errorf("%d targets for %d legs", len(o.Targets), len(l.legs))
	}
	for i := range l.legs {
		leg := &l.legs[i]
		if err := leg.socket.Connect(rtp.EndpointOf(o.Targets[i])); err != nil {
			return err
		}
		leg.arrivals = make([]arrival, 0, o.Measure/media.FrameDuration+100)
	}
	runtime.LockOSThread()
	clock.TuneThread()
	l.clock = clock.New()
	l.from = math.MaxInt64
	l.until(0, o.Warmup)
	l.from = l.clock.Now()
	if err := l.out.Encode(answer{Begun: true}); err != nil {
		return err
	}
	l.until(o.Warmup, o.Warmup+o.Measure)
	if err := l.out.Encode(answer{Ended: true}); err != nil {
		return err
	}
	l.evaluate()
	return l.out.Encode(answer{Report: &l.report})
}

// until carries all legs from one time to another.
func (l *load) until(from, to time.Duration) {
	packet := make([]byte, rtp.HeaderSize+media.FrameSize)
	for at := from; at < to; at += time.Millisecond {
		l.clock.SleepUntil(at)
		for i := int(at/time.Millisecond) % bins; i < len(l.legs); i += bins {
			leg := &l.legs[i]
			l.listen(leg)
			leg.header.Put(packet)
			leg.header.Sequence++
			leg.header.Timestamp += media.FrameSize
			if leg.socket.Send(packet) == 0 && at >= l.from {
				l.report.Sent++
			}
		}
	}
}

// listen takes what has come for a leg.
func (l *load) listen(leg *leg) {
	for {
		n, at, ok := l.receive(leg.socket)
		if !ok {
			return
		}
		h, _, err := l.parser.Parse(l.buf[:n])
		if err != nil || at < l.from {
			leg.last = at
			continue
		}
		if leg.last != 0 && at-leg.last >= 2*media.FrameDuration {
			l.report.Gaps++
		}
		leg.last = at
		if !leg.heard {
			leg.first, leg.heard = h.Sequence, true
		}
		l.report.Received++
		leg.arrivals = append(leg.arrivals, arrival{number: h.Sequence - leg.first, at: at})
	}
}

// flood sends packets from the first leg, those of a millisecond at once.
func (l *load) flood(o order) error {
	leg, to := &l.legs[0], rtp.EndpointOf(o.Targets[0])
	packet := make([]byte, rtp.HeaderSize+media.FrameSize)
	l.clock = clock.New()
	for at := time.Duration(0); at < o.Measure; at += time.Millisecond {
		l.clock.SleepUntil(at)
		for range o.Rate / 1000 {
			leg.header.Put(packet)
			leg.header.Sequence++
			leg.header.Timestamp += media.FrameSize
			if leg.socket.SendTo(packet, to) == 0 {
				l.report.Sent++
			}
		}
	}
	return l.out.Encode(answer{Report: &l.report})
}

// between is how far the time between two packets of a leg is from what it
// should be.
func between(a, b arrival) time.Duration {
	return (b.at - a.at - time.Duration(b.number-a.number)*media.FrameDuration).Abs()
}

// evaluate measures each packet against the raster of its leg, which is where
// the middle one of its packets is, and against the one before it.
func (l *load) evaluate() {
	var off, apart []time.Duration
	for i := range l.legs {
		var places []time.Duration
		arrivals := l.legs[i].arrivals
		for i, a := range arrivals {
			places = append(places, a.at-time.Duration(a.number)*media.FrameDuration)
			if i > 0 {
				apart = append(apart, between(arrivals[i-1], a))
			}
		}
		if n := len(arrivals); n > 0 {
			l.report.Lost += int(arrivals[n-1].number-arrivals[0].number) + 1 - n
		}
		slices.Sort(places)
		for _, p := range places {
			off = append(off, (p - places[len(places)/2]).Abs())
		}
	}
	if len(apart) == 0 {
		return
	}
	slices.Sort(off)
	slices.Sort(apart)
	at := func(times []time.Duration, part float64) time.Duration { return times[int(part*float64(len(times)-1))] }
	l.report.P50, l.report.P99, l.report.P999, l.report.Max = at(off, 0.5), at(off, 0.99), at(off, 0.999), at(off, 1)
	l.report.Between = Spread{P50: at(apart, 0.5), P99: at(apart, 0.99), Max: at(apart, 1)}
}
