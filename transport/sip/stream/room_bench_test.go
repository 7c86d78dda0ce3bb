// SPDX-License-Identifier: MIT

package stream

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/callwright/callwright/transport/sip/secure"
	"github.com/callwright/callwright/transport/sip/secure/securetest"
)

// BenchmarkIdleConnection prints what an idle connection costs on our side: heap
// and stack of the process, less what the peers have of both, who are in the
// process too. Each has brought one message.
func BenchmarkIdleConnection(b *testing.B) {
	authority := securetest.New(b)
	cert, key := authority.Issue("localhost")
	server, err := secure.NewServer(secure.Files{Cert: cert, Key: key}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	for _, network := range []string{TCP, TLS} {
		b.Run(network, func(b *testing.B) { idle(b, network, server) })
	}
}

func idle(b *testing.B, network string, server *secure.Server) {
	const count = 1000
	came := make(chan *Conn, count)
	p := New(Config{Server: server, Most: 4 * count, Log: slog.New(slog.DiscardHandler), Message: func(c *Conn, _ []byte) { came <- c }})
	defer p.Close()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Serve(l, network)
	}()
	defer func() {
		_ = l.Close()
		<-done
	}()
	for b.Loop() {
		before := memory()
		var peers []net.Conn
		for range count {
			var c net.Conn
			var err error
			if network == TLS {
				c, err = tls.Dial("tcp4", l.Addr().String(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // it is the peer's memory that is looked at
			} else {
				c, err = net.Dial("tcp4", l.Addr().String())
			}
			if err == nil {
				_, err = io.WriteString(c, "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n")
			}
			if err != nil {
				b.Fatal(err)
			}
			peers = append(peers, c)
			<-came
		}
		open := memory()
		for _, c := range peers {
			_ = c.Close()
		}
		for p.Len() > 0 {
			time.Sleep(time.Millisecond)
		}
		// The peers are still referred to: what went away was ours.
		ours := open - memory()
		b.ReportMetric(float64(ours)/count, "B/conn")
		b.ReportMetric(float64(open-before)/count, "B/conn-both-sides")
		runtime.KeepAlive(peers)
	}
}

// memory is what heap and stacks take.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
