// SPDX-License-Identifier: MIT

package resolvetest

import (
	"net"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// Zone is a DNS server with the records of a test.
type Zone struct {
	// Addr is where it is asked: "127.0.5.1:40000".
	Addr string

	mu         sync.Mutex
	records    map[question][]dns.RR
	asked      map[question]int
	fail, mute bool
}

type question struct {
	name string
	kind uint16
}

// Serve begins to answer, by UDP and TCP, until the test ends. Records are as in a
// zone file: "example.test. 60 A 192.0.2.1".
func Serve(t testing.TB, records ...string) *Zone {
	t.Helper()
	z := &Zone{records: map[question][]dns.RR{}, asked: map[question]int{}}
	for _, r := range records {
		rr, err := dns.NewRR(r)
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		q := question{dns.CanonicalName(rr.Header().Name), rr.Header().Rrtype}
		z.records[q] = append(z.records[q], rr)
	}
	pc, l := listen(t)
	z.Addr = pc.LocalAddr().String()
	for _, s := range []*dns.Server{{PacketConn: pc, Handler: z}, {Listener: l, Handler: z}} {
		started, done := make(chan struct{}), make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() {
			defer close(done)
			_ = s.ActivateAndServe()
		}()
		<-started
		t.Cleanup(func() {
			_ = s.Shutdown()
			<-done
		})
	}
	return z
}

// listen opens both sockets at one port.
func listen(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		pc, err := net.ListenPacket("udp4", "127.0.5.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if l, err := net.Listen("tcp4", pc.LocalAddr().String()); err == nil {
			return pc, l
		}
		_ = pc.Close()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

// ServeDNS answers a question.
func (z *Zone) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	reply, mute := z.answer(m)
	if w.RemoteAddr().Network() == "udp" {
		reply.Truncate(1232)
	}
	if !mute {
		_ = w.WriteMsg(reply)
	}
}

func (z *Zone) answer(m *dns.Msg) (reply *dns.Msg, mute bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	q := question{dns.CanonicalName(m.Question[0].Name), m.Question[0].Qtype}
	z.asked[q]++
	reply = new(dns.Msg).SetReply(m)
	reply.Answer = z.records[q]
	if alias := z.records[question{q.name, dns.TypeCNAME}]; len(alias) > 0 {
		behind := z.records[question{dns.CanonicalName(alias[0].(*dns.CNAME).Target), q.kind}]
		reply.Answer = append(append([]dns.RR{}, alias...), behind...)
	}
	switch {
	case z.fail:
		reply.Rcode, reply.Answer = dns.RcodeServerFailure, nil
	case len(reply.Answer) == 0:
		reply.Rcode = dns.RcodeNameError
	}
	return reply, z.mute
}

// Break has the server answer with an error, or not at all.
func (z *Zone) Break(fail, mute bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.fail, z.mute = fail, mute
}

// Asked is how often a name was asked for, with its dot at the end, and a kind of
// records.
func (z *Zone) Asked(name string, kind uint16) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked[question{name, kind}]
}
