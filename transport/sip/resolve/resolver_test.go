// SPDX-License-Identifier: MIT

package resolve

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/callwright/callwright/transport/sip/resolve/resolvetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve gives a Resolver that asks a server with these records on loopback.
func serve(t *testing.T, records ...string) (*Resolver, *resolvetest.Zone) {
	t.Helper()
	z := resolvetest.Serve(t, records...)
	hosts := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(hosts, []byte("127.0.5.9 \tLocal alias # comment\n::1 local\n# 1.1.1.1 local\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := New(Config{
		Servers: []string{z.Addr}, Hosts: hosts, Networks: []string{"UDP", "TCP", "TLS", "WS", "WSS"}, Timeout: time.Minute,
	})
	r.try = time.Minute // on a slow machine nothing is asked twice
	return r, z
}

func text(places []Place) []string {
	var all []string
	for _, p := range places {
		all = append(all, p.String()+" as "+p.Name)
	}
	return all
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	r, _ := serve(t,
		`naptr.test. 60 NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp.other.test.`,
		`naptr.test. 60 NAPTR 10 20 "s" "SIP+D2T" "" _sip._tcp.other.test.`,
		`naptr.test. 60 NAPTR 10 10 "S" "sips+d2t" "" _sips._tcp.naptr.test.`,
		`naptr.test. 60 NAPTR 1 1 "s" "SIP+D2S" "" _sip._sctp.naptr.test.`,
		`naptr.test. 60 NAPTR 1 1 "u" "E2U+sip" "!^.*$!sip:a@b!" .`,
		`_sips._tcp.naptr.test. 60 SRV 1 0 5071 one.test.`,
		`_sip._tcp.other.test. 60 SRV 1 0 5070 one.test.`,
		`_sip._udp.other.test. 60 SRV 2 0 5062 two.test.`,
		`_sip._udp.other.test. 60 SRV 1 0 5061 one.test.`,
		`one.test. 60 A 192.0.2.1`,
		`one.test. 60 AAAA 2001:db8::1`,
		`two.test. 60 A 192.0.2.2`,
		`_sip._udp.srv.test. 60 SRV 1 0 5060 two.test.`,
		`_sips._tcp.srv.test. 60 SRV 1 0 5061 alias.test.`,
		`_sips._tcp.srv.test. 60 SRV 2 0 5061 gone.test.`,
		`_sip._ws.srv.test. 60 SRV 1 0 8080 two.test.`,
		`alias.test. 60 CNAME one.test.`,
		`_sip._udp.closed.test. 60 SRV 0 0 0 .`,
		`closed.test. 60 A 192.0.2.3`,
		`dead.test. 60 NAPTR 1 1 "s" "SIP+D2U" "" _sip._udp.dead.test.`,
		`dead.test. 60 A 192.0.2.4`,
	)
	for _, tc := range []struct {
		name   string
		target Target
		want   []string
		says   string
	}{
		{"address", Target{Host: "192.0.2.9"}, []string{"192.0.2.9:5060 by UDP as 192.0.2.9"}, ""},
		{"IPv6 address", Target{Host: "::1", Network: "TCP"}, []string{"[::1]:5060 by TCP as ::1"}, ""},
		{"mapped address", Target{Host: "::ffff:192.0.2.9", Port: 5070}, []string{"192.0.2.9:5070 by UDP as ::ffff:192.0.2.9"}, ""},
		{"sips address", Target{Host: "192.0.2.9", Secure: true}, []string{"192.0.2.9:5061 by TLS as 192.0.2.9"}, ""},
		{"sips over TCP is TLS", Target{Host: "192.0.2.9", Secure: true, Network: "TCP"}, []string{"192.0.2.9:5061 by TLS as 192.0.2.9"}, ""},
		{"sips over WS is WSS", Target{Host: "192.0.2.9", Secure: true, Network: "WS"}, []string{"192.0.2.9:443 by WSS as 192.0.2.9"}, ""},
		{"NAPTR", Target{Host: "naptr.test"}, []string{
			"192.0.2.1:5071 by TLS as naptr.test", "[2001:db8::1]:5071 by TLS as naptr.test",
			"192.0.2.1:5070 by TCP as naptr.test", "[2001:db8::1]:5070 by TCP as naptr.test",
			"192.0.2.1:5061 by UDP as naptr.test", "[2001:db8::1]:5061 by UDP as naptr.test", "192.0.2.2:5062 by UDP as naptr.test",
		}, ""},
		{"no NAPTR for sips", Target{Host: "srv.test", Secure: true}, []string{"192.0.2.1:5061 by TLS as srv.test", "[2001:db8::1]:5061 by TLS as srv.test"}, ""},
		{"SRV of all transports", Target{Host: "srv.test"}, []string{
			"192.0.2.2:5060 by UDP as srv.test", "192.0.2.1:5061 by TLS as srv.test", "[2001:db8::1]:5061 by TLS as srv.test", "192.0.2.2:8080 by WS as srv.test",
		}, ""},
		{"SRV of one", Target{Host: "srv.test", Network: "WS"}, []string{"192.0.2.2:8080 by WS as srv.test"}, ""},
		{"no SRV of this one", Target{Host: "two.test", Network: "TCP"}, []string{"192.0.2.2:5060 by TCP as two.test"}, ""},
		{"no SRV", Target{Host: "two.test"}, []string{"192.0.2.2:5060 by UDP as two.test"}, ""},
		{"port", Target{Host: "naptr.test", Port: 5080}, nil, "the DNS knows no address of it: check the name"},
		{"host and port", Target{Host: "alias.test", Port: 5080, Network: "TLS"}, []string{"192.0.2.1:5080 by TLS as alias.test", "[2001:db8::1]:5080 by TLS as alias.test"}, ""},
		{"not offered", Target{Host: "closed.test", Network: "UDP"}, nil, "no host that can be reached"},
		{"NAPTR that leads nowhere", Target{Host: "dead.test"}, []string{"192.0.2.4:5060 by UDP as dead.test"}, ""},
		{"hosts file", Target{Host: "LOCAL"}, []string{"127.0.5.9:5060 by UDP as LOCAL", "[::1]:5060 by UDP as LOCAL"}, ""},
		{"no port", Target{Host: "192.0.2.9", Port: 99999}, nil, "the port 99999 is not from 1 to 65535"},
		{"nothing", Target{Host: "gone.test"}, nil, "find gone.test: the DNS knows no address of it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			places, err := r.Places(t.Context(), tc.target)
			if diff := cmp.Diff(tc.want, text(places)); diff != "" {
				t.Error(diff)
			}
			if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want one with %q", err, tc.says)
			}
		})
	}
}

// SRV records of the same priority get their share by weight.
func TestWeights(t *testing.T) {
	t.Parallel()
	r, _ := serve(t,
		`_sip._udp.w.test. 60 SRV 1 30 1 h.test.`, `_sip._udp.w.test. 60 SRV 1 10 2 h.test.`,
		`_sip._udp.w.test. 60 SRV 1 0 3 h.test.`, `_sip._udp.w.test. 60 SRV 0 0 4 h.test.`, `h.test. 60 A 192.0.2.1`)
	second := map[uint16]int{}
	for range 1000 {
		places, err := r.Places(t.Context(), Target{Host: "w.test", Network: "UDP"})
		if err != nil || len(places) != 4 || places[0].Addr.Port() != 4 {
			t.Fatalf("%v, %v", places, err)
		}
		second[places[1].Addr.Port()]++
	}
	if second[1] < 650 || second[1] > 850 || second[2] < 150 || second[3] > 20 {
		t.Errorf("of 1000 calls the weights 30, 10 and 0 got %v", second)
	}
}

// Many records come by TCP.
func TestTruncated(t *testing.T) {
	t.Parallel()
	var records []string
	for i := range 100 {
		records = append(records, fmt.Sprintf("many.test. 60 A 192.0.2.%d", i+1))
	}
	r, _ := serve(t, records...)
	places, err := r.Places(t.Context(), Target{Host: "many.test", Port: 5060})
	if len(places) != 100 {
		t.Errorf("%d places, %v", len(places), err)
	}
}

// An answer is used for its time without asking, and longer only while no server
// has a better one.
func TestKept(t *testing.T) {
	t.Parallel()
	r, z := serve(t, `short.test. 1 A 192.0.2.1`, `long.test. 600 A 192.0.2.2`)
	find := func(host string) error {
		_, err := r.Places(t.Context(), Target{Host: host, Port: 5060})
		return err
	}
	for range 3 {
		for _, host := range []string{"short.test", "long.test"} {
			if err := find(host); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := z.Asked("long.test.", dns.TypeA); n != 1 {
		t.Errorf("asked %d times for what is kept", n)
	}
	// Both are made too old.
	r.mu.Lock()
	for _, a := range r.kept {
		a.until = time.Now().Add(-time.Minute)
	}
	r.mu.Unlock()
	if err := find("short.test"); err != nil || z.Asked("short.test.", dns.TypeA) != 2 {
		t.Errorf("asked %d times, %v", z.Asked("short.test.", dns.TypeA), err)
	}
	z.Break(true, false)
	if err := find("long.test"); err != nil {
		t.Errorf("no use is made of an old answer: %v", err)
	}
	if err := find("new.test"); err == nil || !strings.Contains(err.Error(), "SERVFAIL") {
		t.Errorf("error %v", err)
	}
}

// Servers that are silent hold nobody up for longer than was said.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	r, z := serve(t)
	z.Break(false, true)
	r.cfg.Timeout = 50 * time.Millisecond
	if _, err := r.Places(t.Context(), Target{Host: "mute.test"}); err == nil || !strings.Contains(err.Error(), "did not answer within 50ms") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Places(ctx, Target{Host: "mute.test"}); err == nil {
		t.Error("somebody who has gone gets places")
	}
}

// Of many who ask the same at once, one does.
func TestAskedTogether(t *testing.T) {
	t.Parallel()
	r, z := serve(t, `crowd.test. 600 A 192.0.2.1`)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := r.Places(t.Context(), Target{Host: "crowd.test", Port: 5060}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := z.Asked("crowd.test.", dns.TypeA); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// A place that failed is tried last, until it works or some time has passed.
func TestFailed(t *testing.T) {
	t.Parallel()
	r, _ := serve(t, `_sip._udp.f.test. 600 SRV 1 0 1 h.test.`, `_sip._udp.f.test. 600 SRV 2 0 2 h.test.`, `h.test. 600 A 192.0.2.1`)
	first := func() Place {
		places, err := r.Places(t.Context(), Target{Host: "f.test", Network: "UDP"})
		if err != nil || len(places) != 2 {
			t.Fatalf("%v, %v", places, err)
		}
		return places[0]
	}
	one := first()
	r.Failed(one)
	if two := first(); two == one {
		t.Error("the place that failed is first again")
	}
	r.Works(one)
	if first() != one {
		t.Error("the place that works is not first again")
	}
	r.failed[one] = time.Now().Add(-avoided - time.Second)
	if first() != one || len(r.failed) != 0 {
		t.Error("a failure is not forgotten")
	}
}

// What is kept has an end.
func TestBounded(t *testing.T) {
	t.Parallel()
	r := New(Config{})
	for i := range 3 * maxKept {
		r.keep(question{fmt.Sprint(i), dns.TypeA}, &answer{until: time.Now().Add(time.Hour)})
		r.Failed(Place{Name: fmt.Sprint(i)})
	}
	if len(r.kept) > maxKept || len(r.failed) > maxKept {
		t.Errorf("%d answers and %d places are kept", len(r.kept), len(r.failed))
	}
}
