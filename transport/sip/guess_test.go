// SPDX-License-Identifier: MIT

package sip

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/callwright/callwright/transport/sip/dialog"
)

// registered is a line from which alice's phone is registered.
func (h *house) registered() *line {
	h.t.Helper()
	l := h.line()
	if got := l.register("alice", l.answer(l.register("alice"), "alice", "secret-a")); !strings.HasPrefix(got, "SIP/2.0 200 ") {
		h.t.Fatalf("alice registers:\n%s", got)
	}
	return l
}

// Who is registered as one user is a stranger as any other: where it is, many
// usernames cannot be tried out.
func TestGuessingFromWithin(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	l := h.registered()
	for i := range 100 {
		if got := l.register("x", l.answer(l.register("x"), fmt.Sprint("user", i), "guess")); !strings.HasPrefix(got, "SIP/2.0 401 ") {
			t.Fatalf("guess %d:\n%s", i, got)
		}
	}
	if got := l.register("bob", l.answer(l.register("bob"), "bob", "guess")); !strings.HasPrefix(got, "SIP/2.0 503 ") {
		t.Errorf("one more:\n%s", got)
	}
	if got := l.register("alice", l.answer(l.register("alice"), "alice", "secret-a")); !strings.HasPrefix(got, "SIP/2.0 200 ") {
		t.Errorf("alice, who is registered:\n%s", got)
	}
}

// A neighbour behind the same NAT who guesses does not lock out a phone that is
// registered.
func TestGuessingNextDoor(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	own, neighbour := h.registered(), h.line()
	for range 20 {
		neighbour.register("alice", neighbour.answer(neighbour.register("alice"), "alice", "guess"))
	}
	if got := neighbour.register("alice", neighbour.answer(neighbour.register("alice"), "alice", "secret-a")); !strings.HasPrefix(got, "SIP/2.0 503 ") {
		t.Errorf("the neighbour:\n%s", got)
	}
	if got := own.register("alice", own.answer(own.register("alice"), "alice", "secret-a")); !strings.HasPrefix(got, "SIP/2.0 200 ") {
		t.Errorf("alice, who is registered:\n%s", got)
	}
}

// After a restart every phone shows a nonce of the run before. It is told so and
// tries again; that is no fault, and the log is not filled with it.
func TestNonceOfEarlierRun(t *testing.T) {
	t.Parallel()
	before, h := withUsers(t, nil), withUsers(t, nil)
	for range 3 {
		l := h.line()
		old := l.answer(before.line().register("alice"), "alice", "secret-a")
		challenge := l.register("alice", old)
		if !strings.HasPrefix(challenge, "SIP/2.0 401 ") || !strings.Contains(challenge, "stale=true") {
			t.Errorf("a nonce of the run before:\n%s", challenge)
		}
		if got := l.register("alice", l.answer(challenge, "alice", "secret-a")); !strings.HasPrefix(got, "SIP/2.0 200 ") {
			t.Errorf("again:\n%s", got)
		}
	}
	must(t, h.server.Close())
	if log := h.log.String(); strings.Contains(log, "level=WARN") || strings.Count(log, "level=INFO") != 1 || !strings.Contains(log, "since the server's start") {
		t.Errorf("log:\n%s", log)
	}
}

// Credentials that were read on their way are worth nothing at another address.
func TestNonceOfAnotherSource(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	try := func(source, authorization string) (status int, challenge string) {
		no := h.server.gate.look(dialog.Request{
			Method: "REGISTER", URI: "sip:callwright.test", Source: netip.MustParseAddrPort(source),
			Header: func(name string) []string {
				if name == "Authorization" && authorization != "" {
					return []string{authorization}
				}
				return nil
			},
		})
		if no == nil {
			return 0, ""
		}
		return no.Status, no.Headers[0].Value
	}
	_, challenge := try("192.0.2.1:5060", "")
	right := authorization(t, regexp.MustCompile(`nonce="([^"]+)"`).FindStringSubmatch(challenge)[1],
		"REGISTER", "sip:callwright.test", "alice", "secret-a")
	if status, challenge := try("192.0.2.2:5060", right); status != 401 || !strings.Contains(challenge, "stale=true") {
		t.Errorf("from another address: %d %s", status, challenge)
	}
	if status, _ := try("192.0.2.1:40000", right); status != 0 {
		t.Errorf("from another port of the same: %d", status)
	}
}

// Behind a proxy by which a user is registered nobody guesses more often than
// elsewhere, whatever the port.
func TestGuessingBehindProxy(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	proxy := h.registered().conn.LocalAddr().(*net.UDPAddr).AddrPort()
	try := func(port int, authorization string) *dialog.Response {
		return h.server.gate.look(dialog.Request{
			Method: "REGISTER", URI: "sip:callwright.test", Hop: proxy,
			Source: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(port)),
			Header: func(name string) []string {
				if name == "Authorization" && authorization != "" {
					return []string{authorization}
				}
				return nil
			},
		})
	}
	statuses := map[int]int{}
	for port := range 12 {
		nonce := regexp.MustCompile(`nonce="([^"]+)"`).FindStringSubmatch(try(port, "").Headers[0].Value)[1]
		statuses[try(port, authorization(t, nonce, "REGISTER", "sip:callwright.test", "alice", "guess")).Status]++
	}
	if statuses[401] != 10 || statuses[503] != 2 {
		t.Errorf("statuses %v, want 503 for two", statuses)
	}
}

// An INVITE with an empty tag in To begins a call, and its credentials are
// counted as those of any other.
func TestGuessingByEmptyTag(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	l := h.registered()
	nonce := regexp.MustCompile(`nonce="([^"]+)"`).FindStringSubmatch(l.register("bob"))[1]
	statuses := map[string]int{}
	for i := range 12 {
		_, err := fmt.Fprintf(l.conn, "INVITE sip:w0@callwright.test SIP/2.0\r\nVia: SIP/2.0/UDP %[1]s;branch=z9hG4bKi%[2]d;rport\r\n"+
			"From: <sip:bob@callwright.test>;tag=a\r\nTo: <sip:w0@callwright.test>;tag=\r\nCall-ID: i%[2]d\r\nCSeq: 1 INVITE\r\n"+
			"Contact: <sip:x@%[1]s>\r\nAuthorization: %[3]s\r\nContent-Length: 0\r\n\r\n",
			l.conn.LocalAddr(), i, authorization(t, nonce, "INVITE", "sip:w0@callwright.test", "bob", "guess"))
		must(t, err)
		statuses[l.read()[:11]]++
	}
	if statuses["SIP/2.0 503"] != 2 {
		t.Errorf("statuses %v, want 503 for two", statuses)
	}
}
