// SPDX-License-Identifier: MIT

package shield

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
	"unsafe"
)

func TestAShareIsOfOneSource(t *testing.T) {
	t.Parallel()
	s, now := New(), time.Now()
	loud, quiet := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	read := 0
	for range 50_000 {
		if s.Take(loud, now) {
			read++
		}
	}
	if read != burst {
		t.Errorf("%d packets of a flood are read at once, want %d", read, burst)
	}
	for n := range burst {
		if !s.Take(quiet, now) {
			t.Fatalf("another source is not read after %d packets", n)
		}
	}
	read = 0
	for i := range 10_000 { // a second of flood
		if s.Take(loud, now.Add(time.Duration(i)*time.Second/10_000)) {
			read++
		}
	}
	if read < rate-1 || read > rate+1 {
		t.Errorf("%d packets of a flood are read in the second after, want %d", read, rate)
	}
	if later := now.Add(time.Second + burst*every); !s.Take(loud, later) {
		t.Error("who has calmed down is not read")
	}
}

// Guesses cost more than calls.
func TestRefusedPacketsCost(t *testing.T) {
	t.Parallel()
	s, now := New(), time.Now()
	guesser := netip.MustParseAddr("192.0.2.1")
	read := 0
	for range 1000 {
		if s.Take(guesser, now) {
			read++
			s.Refused(guesser, now)
		}
	}
	if want := burst/(1+price) + 1; read != want {
		t.Errorf("%d guesses are read, want %d", read, want)
	}
}

// Who has an IPv6 network has one share, and IPv4 is one however it is written.
func TestWhoIsOneSource(t *testing.T) {
	t.Parallel()
	for a, same := range map[[2]string]bool{
		{"2001:db8::1", "2001:db8::ffff:1"}:      true,
		{"2001:db8::1", "2001:db8:0:1::1"}:       false,
		{"192.0.2.1", "::ffff:192.0.2.1"}:        true,
		{"192.0.2.1", "192.0.2.2"}:               false,
		{"fe80::1%eth0", "fe80::2%eth1"}:         true,
		{"2001:db8::1", "2001:db8::1"}:           true,
		{"::ffff:192.0.2.1", "::ffff:192.0.2.2"}: false,
	} {
		if got := Customer(netip.MustParseAddr(a[0])) == Customer(netip.MustParseAddr(a[1])); got != same {
			t.Errorf("%s and %s are one: %t, want %t", a[0], a[1], got, same)
		}
	}
}

// Ten thousand loud sources leave nearly all others alone, and what is kept does
// not grow.
func TestManyLoudSources(t *testing.T) {
	t.Parallel()
	s, now := New(), time.Now()
	for i := range 2000 {
		loud := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		for s.Take(loud, now) {
		}
	}
	refused := 0
	for i := range 10_000 {
		if !s.Take(netip.AddrFrom4([4]byte{192, 168, byte(i >> 8), byte(i)}), now) {
			refused++
		}
	}
	// By chance (1-e^(-2000/16384))², 1.3 %, have both places with loud ones.
	if refused > 250 {
		t.Errorf("%d of 10,000 quiet sources are not read, want about 130", refused)
	}
	if size := unsafe.Sizeof(*s); size > 300<<10 {
		t.Errorf("a shield is %d bytes", size)
	}
}

func TestScanner(t *testing.T) {
	t.Parallel()
	message := "OPTIONS sip:100@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n%s\r\nContent-Length: 0\r\n\r\n%s"
	for _, tt := range []struct {
		header, body string
		want         bool
	}{
		{"User-Agent: friendly-scanner", "", true},
		{"user-agent: SIPVicious/0.3", "", true},
		{"USER-AGENT:sipcli/v1.8", "", true},
		{`From: "sipvicious"<sip:100@1.1.1.1>;tag=1`, "", true},
		{`f: "sipvicious"<sip:100@1.1.1.1>;tag=1`, "", true},
		{"Contact: sip:svmap@1.1.1.1", "", true},
		{"User-Agent: baresip v1.0.0 (x86_64/linux)", "", false},
		{"User-Agent: Linphone/5.1", "", false},
		{"Subject: about sipvicious", "", false},
		{"User-Agent: Yealink SIP-T46S", "User-Agent: sipvicious", false},
		{"From: \"A. Tiwari\" <sip:tiwari@192.0.2.9>;tag=1", "", false},
		{"From: <sip:gulp@192.0.2.9>;tag=1", "", false},
		{"User-Agent: iWar/1.0", "", true},
		{"User-Agent: smap/0.6.0", "", true},
		{"User-Agent: SipClient 2 (no sipcli)", "", true},
		{"User-Agent: SipClient 2", "", false},
	} {
		if got := Scanner(fmt.Appendf(nil, message, tt.header, tt.body)); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.header, got, tt.want)
		}
	}
	if Scanner(nil) || Scanner([]byte("\r\n\r\n")) {
		t.Error("a keep-alive is a scanner")
	}
}

func BenchmarkTake(b *testing.B) {
	s, source := New(), netip.MustParseAddr("192.0.2.1")
	for b.Loop() {
		s.Take(source, time.Now())
	}
}
