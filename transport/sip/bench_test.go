// SPDX-License-Identifier: MIT

package sip

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/icholy/digest"
)

// BenchmarkRegister has ever new users' phones register, each with a challenge,
// over UDP on the loopback, by 16 at a time; client and server share the
// machine. It also says what is kept in memory of one when all transactions are
// over.
func BenchmarkRegister(b *testing.B) {
	var entries directory.Entries
	for i := range 20000 {
		entries.Users = append(entries.Users, directory.User{ID: fmt.Sprint("w", i), Username: fmt.Sprint("user", i), Password: "secret"})
	}
	d, err := directory.New(entries)
	if err != nil {
		b.Fatal(err)
	}
	server := New(Config{
		Listen: []string{"udp://127.0.0.1:0"}, Directory: d, Journal: nothing{}, Log: slog.New(slog.DiscardHandler),
		// So many phones behind one address are behind a proxy; strangers there have
		// the share of one.
		Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	if err := server.Start(nil); err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	var next, again atomic.Int64
	var phones sync.WaitGroup
	for range 16 {
		phones.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				for registerOnce(server.Addr("udp").String(), i) != nil {
					again.Add(1) // lost, or more than 5,000 in a second: a phone sends it again
				}
			}
		})
	}
	phones.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "registrations/s")
	b.ReportMetric(float64(again.Load()), "repeated")
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.Sys-before.Sys)/(1<<20), "MB-more-at-once")
	time.Sleep(6 * time.Second) // until transactions are over
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(min(b.N, 20000)), "bytes-kept/phone")
}

var (
	nonceOf  = regexp.MustCompile(`nonce="([^"]+)"`)
	register = strings.ReplaceAll(`REGISTER sip:callwright.test SIP/2.0
Via: SIP/2.0/UDP %[1]s;branch=z9hG4bK%[2]s;rport
From: <sip:user%[3]d@callwright.test>;tag=a
To: <sip:user%[3]d@callwright.test>
Call-ID: call-%[4]d
CSeq: %[5]d REGISTER
Contact: <sip:user%[3]d@%[1]s>
%[6]sExpires: 300
Max-Forwards: 70
User-Agent: a telephone
Content-Length: 0

`, "\n", "\r\n")
)

// registerOnce registers one user from a socket of its own.
func registerOnce(server string, n int64) error {
	conn, err := net.Dial("udp", server)
	if err != nil {
		return err
	}
	defer conn.Close()
	buf := make([]byte, 2048)
	exchange := func(cseq int, authorization string) (string, error) {
		branch := fmt.Sprint(n, "-", cseq, "-", time.Now().UnixNano())
		if _, err := fmt.Fprintf(conn, register, conn.LocalAddr(), branch, n%20000, n, cseq, authorization); err != nil {
			return "", err
		}
		if err := conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
			return "", err
		}
		length, err := conn.Read(buf)
		return string(buf[:length]), err
	}
	challenge, err := exchange(1, "")
	if err != nil {
		return err
	}
	nonce := nonceOf.FindStringSubmatch(challenge)
	if nonce == nil {
		return fmt.Errorf("no challenge: %s", challenge)
	}
	made, err := digest.Digest(&digest.Challenge{Realm: "callwright", Nonce: nonce[1], Algorithm: "MD5", QOP: []string{"auth"}},
		digest.Options{Method: "REGISTER", URI: "sip:callwright.test", Count: 1, Username: fmt.Sprint("user", n%20000), Password: "secret"})
	if err != nil {
		return err
	}
	answer, err := exchange(2, "Authorization: "+made.String()+"\r\n")
	if err == nil && !strings.HasPrefix(answer, "SIP/2.0 200 ") {
		err = fmt.Errorf("refused: %s", answer)
	}
	return err
}
