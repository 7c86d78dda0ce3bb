// SPDX-License-Identifier: MIT

package rtcp_test

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pion "github.com/pion/rtcp"

	"github.com/callwright/callwright/media/rtcp"
)

const (
	us   = 0xCA11
	peer = 0x9EE2
)

// whole is a report with everything in it.
func whole() rtcp.Report {
	return rtcp.Report{
		SSRC:   peer,
		Sends:  true,
		Sender: rtcp.Sender{Time: rtcp.NTPOf(time.Unix(1_700_000_000, 5e8)), Timestamp: 160, Packets: 50, Octets: 8000},
		Hears:  true,
		Block:  rtcp.Block{SSRC: us, Fraction: 64, Lost: -3, Highest: 1<<16 | 7, Jitter: 80, LastSR: 0x12345678, Delay: 0x8000},
		Bye:    true,
	}
}

func marshal(r rtcp.Report) []byte { return r.Append(nil, []byte("Y2FsbHdyaWdodDEy")) }

func TestReportAndBack(t *testing.T) {
	t.Parallel()
	bare, receiver, quiet := whole(), whole(), whole()
	bare.Hears, bare.Block, bare.Bye = false, rtcp.Block{}, false
	receiver.Sends, receiver.Sender, receiver.Bye = false, rtcp.Sender{}, false
	quiet.Sends, quiet.Sender, quiet.Hears, quiet.Block = false, rtcp.Sender{}, false, rtcp.Block{}
	for name, want := range map[string]rtcp.Report{"whole": whole(), "nothing heard": bare, "nothing sent": receiver, "neither": quiet} {
		b := marshal(want)
		got, err := rtcp.Parse(b, us)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		var oracle pion.CompoundPacket // knows the rules of RFC 3550 section 6.1
		packets, err := pion.Unmarshal(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		oracle = packets
		if err := oracle.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if cname, err := oracle.CNAME(); err != nil || cname != "Y2FsbHdyaWdodDEy" {
			t.Errorf("%s: name %q, %v", name, cname, err)
		}
	}
}

// The count of lost packets has 24 bits and a sign.
func TestLostFits(t *testing.T) {
	t.Parallel()
	for give, want := range map[int32]int32{
		0: 0, -1: -1, 5: 5, 1<<23 - 1: 1<<23 - 1, 1 << 23: 1<<23 - 1, math.MaxInt32: 1<<23 - 1, math.MinInt32: -1 << 23,
	} {
		r := whole()
		r.Block.Lost = give
		got, err := rtcp.Parse(marshal(r), us)
		if err != nil || got.Block.Lost != want {
			t.Errorf("%d became %d, want %d (%v)", give, got.Block.Lost, want, err)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	good := marshal(whole())
	with := func(i int, v byte) []byte {
		b := append([]byte(nil), good...)
		b[i] = v
		return b
	}
	for name, b := range map[string][]byte{
		"nothing":                     {},
		"less than a header":          good[:3],
		"a cut report":                good[:20],
		"cut between packets' words":  good[:len(good)-4],
		"version 1":                   with(0, good[0]&0x3F|0x40),
		"padding in the first packet": with(0, good[0]|0x20),
		"a name first":                with(1, 202),
		"an RTP packet":               with(1, 0),
		"more blocks than there are":  with(0, good[0]&0xE0|31),
		"a length beyond the end":     with(3, 0xFF),
	} {
		if r, err := rtcp.Parse(b, us); !errors.Is(err, rtcp.ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	// What follows a report may be of any type, and of any content.
	odd := append(marshal(whole()), 0x8F, 206, 0, 1, 1, 2, 3, 4, 0x80, 255, 0, 0)
	r, err := rtcp.Parse(odd, us)
	if diff := cmp.Diff(whole(), r); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	// Blocks about others are not ours.
	if r, err := rtcp.Parse(good, us+1); err != nil || r.Hears {
		t.Errorf("a block about somebody else was taken: %+v, %v", r, err)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	sent := time.Date(2026, 2, 3, 4, 5, 6, 7_000_000, time.UTC)
	for _, tc := range []struct {
		name       string
		held, back time.Duration
		want       time.Duration
		ok         bool
	}{
		{"40 ms", 3 * time.Second, 3040 * time.Millisecond, 40 * time.Millisecond, true},
		{"at once", time.Second, time.Second, 0, true},
		{"a clock a little fast", time.Second + 500*time.Microsecond, time.Second, 0, true},
		{"a peer that says too much", 2 * time.Second, time.Second, 0, false},
		{"ten seconds and more", 0, 11 * time.Second, 0, false},
	} {
		b := rtcp.Block{LastSR: rtcp.NTPOf(sent).Short(), Delay: rtcp.ShortOf(tc.held)}
		got, ok := b.RoundTrip(rtcp.NTPOf(sent.Add(tc.back)))
		if ok != tc.ok || ok && (got-tc.want).Abs() > 50*time.Microsecond {
			t.Errorf("%s: %v, %v; want %v, %v", tc.name, got, ok, tc.want, tc.ok)
		}
	}
	if _, ok := (&rtcp.Block{Delay: 5}).RoundTrip(rtcp.NTPOf(sent)); ok {
		t.Error("a round trip without a report of ours")
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	for give, want := range map[time.Duration]time.Duration{
		-time.Second: 0, 0: 0, time.Second: time.Second, 1500 * time.Millisecond: 1500 * time.Millisecond,
		1000 * time.Hour: (1<<32 - 1) * time.Second >> 16,
	} {
		if got := rtcp.ShortOf(give).Duration(); (got - want).Abs() > 20*time.Microsecond {
			t.Errorf("%v became %v", give, got)
		}
	}
	// RFC 3550 section 6.4.1, figure 2: SR sent at 0xb44db705, answered after
	// 5.25 s, heard at 0xb710:8000.
	b := rtcp.Block{LastSR: 0xb705_2000, Delay: 0x0005_4000}
	if d, ok := b.RoundTrip(rtcp.NTP(0xb710_8000 << 16)); !ok || d != 6125*time.Millisecond {
		t.Errorf("the example of the RFC gives %v", d)
	}
}

// Reports spread around five seconds, and the first comes sooner.
func TestSchedule(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)).Float64
	var firsts, gaps time.Duration
	const streams, reports = 200, 50
	for range streams {
		var s rtcp.Schedule
		now := time.Duration(0)
		s.Begin(now, random())
		last, n := now, 0
		for n < reports {
			now = s.Next()
			if s.Due(now-1, random) {
				t.Fatal("a report before its time")
			}
			if !s.Due(now, random) {
				continue
			}
			gap := now - last
			if n == 0 {
				firsts += gap
			} else {
				gaps += gap
				if gap < rtcp.Interval*4/10 || gap > rtcp.Interval*13/10 {
					t.Fatalf("%v between two reports", gap)
				}
			}
			last, n = now, n+1
		}
	}
	if mean := firsts / streams; mean < 2*time.Second || mean > 3*time.Second {
		t.Errorf("the first report comes after %v in the middle, want 2.5 s", mean)
	}
	if mean := gaps / (streams * (reports - 1)); mean < 4800*time.Millisecond || mean > 5200*time.Millisecond {
		t.Errorf("%v between reports in the middle, want 5 s", mean)
	}
}

// Names of all lengths end as they must.
func TestNames(t *testing.T) {
	t.Parallel()
	for n := range rtcp.MaxName + 6 {
		r := whole()
		b := r.Append(nil, []byte(strings.Repeat("n", n)))
		if len(b) > rtcp.MaxSize {
			t.Errorf("%d bytes", len(b))
		}
		packets, err := pion.Unmarshal(b)
		if err != nil {
			t.Fatalf("a name of %d: %v", n, err)
		}
		name, err := pion.CompoundPacket(packets).CNAME()
		if err != nil || len(name) != min(n, rtcp.MaxName) {
			t.Errorf("a name of %d became %q: %v", n, name, err)
		}
	}
}

func TestReportsAllocateNothing(t *testing.T) {
	b, name := make([]byte, 0, rtcp.MaxSize), []byte("Y2FsbHdyaWdodDEy")
	r := whole()
	if n := testing.AllocsPerRun(100, func() {
		if _, err := rtcp.Parse(r.Append(b, name), us); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(marshal(whole()))
	f.Add([]byte{0x80, 201, 0, 1, 0, 0, 0, 1})
	f.Add([]byte{0x81, 200, 0, 12, 1, 2, 3, 4})
	f.Add(append(marshal(whole()), 0x8F, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0xFF, 0xFF))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := rtcp.Parse(b, us)
		if err != nil {
			if !errors.Is(err, rtcp.ErrMalformed) {
				t.Errorf("error %v", err)
			}
			return
		}
		if binary.BigEndian.Uint32(b[4:]) != r.SSRC {
			t.Errorf("the reporter is %x", r.SSRC)
		}
		again, err := rtcp.Parse(marshal(r), us)
		if diff := cmp.Diff(r, again); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}
