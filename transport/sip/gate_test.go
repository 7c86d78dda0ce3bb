// SPDX-License-Identifier: MIT

package sip

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/phone"
	"github.com/google/go-cmp/cmp"
	"github.com/icholy/digest"
)

// line is a peer that writes bare messages.
type line struct {
	t    *testing.T
	conn net.Conn
	n    int
}

func (h *house) line() *line {
	h.t.Helper()
	conn, err := net.Dial("udp", h.server.Addr("udp").String())
	must(h.t, err)
	h.t.Cleanup(func() { conn.Close() })
	return &line{t: h.t, conn: conn}
}

// register sends a REGISTER and gives the response.
func (l *line) register(user string, headers ...string) string {
	l.t.Helper()
	l.n++
	_, err := fmt.Fprintf(l.conn, "REGISTER sip:callwright.test SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d;rport\r\n"+
		"From: <sip:%[3]s@callwright.test>;tag=a\r\nTo: <sip:%[3]s@callwright.test>\r\nCall-ID: x%[4]d\r\nCSeq: 1 REGISTER\r\n"+
		"Contact: <sip:x@%[1]s>\r\n%[5]sContent-Length: 0\r\n\r\n",
		l.conn.LocalAddr(), l.n, user, l.n, strings.Join(append(headers, ""), "\r\n"))
	must(l.t, err)
	return l.read()
}

func (l *line) read() string {
	l.t.Helper()
	must(l.t, l.conn.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 4096)
	n, err := l.conn.Read(buf)
	must(l.t, err)
	return string(buf[:n])
}

// answer answers the first challenge of a response.
func (l *line) answer(response, username, password string) string {
	l.t.Helper()
	header := regexp.MustCompile(`nonce="([^"]+)"`).FindStringSubmatch(response)
	if header == nil {
		l.t.Fatalf("no challenge in\n%s", response)
	}
	return "Authorization: " + authorization(l.t, header[1], "REGISTER", "sip:callwright.test", username, password)
}

// The answer to a wrong password and to a user who is not there differ in
// nothing; and a request that repeats another's credentials is refused.
func TestSameRefusal(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	l := h.line()
	shape := func(response string) string {
		for _, part := range []string{`nonce="[^"]*"`, `branch=z9hG4bK\d+`, `Call-ID: x\d+`, `tag=[0-9a-f-]+`} {
			response = regexp.MustCompile(part).ReplaceAllString(response, "")
		}
		return response
	}
	wrong := l.register("alice", l.answer(l.register("alice"), "alice", "wrong"))
	nobody := l.register("alice", l.answer(l.register("alice"), "nobody", "wrong"))
	if diff := cmp.Diff(shape(wrong), shape(nobody)); diff != "" || !strings.HasPrefix(wrong, "SIP/2.0 401 ") || strings.Contains(wrong, "stale") {
		t.Errorf("wrong password and unknown user (-/+):\n%s\n%s", diff, wrong)
	}
	right := l.answer(wrong, "alice", "secret-a")
	if got := l.register("bob", right); !strings.HasPrefix(got, "SIP/2.0 403 ") {
		t.Errorf("alice registers bob:\n%s", got)
	}
	right = l.answer(wrong, "alice", "secret-a")
	if got := l.register("alice", right); !strings.HasPrefix(got, "SIP/2.0 401 ") || !strings.Contains(got, "stale=true") {
		t.Errorf("a nonce that was used:\n%s", got)
	}
	right = l.answer(l.register("alice"), "alice", "secret-a")
	if got := l.register("alice", right); !strings.HasPrefix(got, "SIP/2.0 200 ") {
		t.Errorf("right:\n%s", got)
	}
	thief := h.line()
	if got := thief.register("alice", right); !strings.HasPrefix(got, "SIP/2.0 401 ") || !strings.Contains(got, "stale=true") {
		t.Errorf("replayed:\n%s", got)
	}
	forged := strings.Replace(right, `nonce="`, `nonce="A`, 1)
	if got := thief.register("alice", forged); !strings.HasPrefix(got, "SIP/2.0 401 ") || !strings.Contains(got, "stale=true") {
		t.Errorf("forged:\n%s", got)
	}
	must(t, h.server.Close())
	if log := h.log.String(); strings.Contains(log, "secret-a") || !strings.Contains(log, "a replay") {
		t.Errorf("log:\n%s", log)
	}
}

// A repetition of a request gets the same answer, though its nonce is used.
func TestRepeatedRegister(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	l := h.line()
	first := l.register("alice", l.answer(l.register("alice"), "alice", "secret-a"))
	if !strings.HasPrefix(first, "SIP/2.0 200 ") {
		t.Fatal(first)
	}
	right := l.answer(l.register("alice"), "alice", "secret-a")
	second := l.register("alice", right)
	l.n--
	if again := l.register("alice", right); again != second {
		t.Errorf("repeated: %s", cmp.Diff(second, again))
	}
}

// Who guesses has to wait, and the log has two lines of it.
func TestGuessing(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	l := h.line()
	statuses := map[string]int{}
	for range 20 {
		got := l.register("alice", l.answer(l.register("alice"), "alice", "guess"))
		statuses[got[:11]]++
		if strings.HasPrefix(got, "SIP/2.0 503") && !strings.Contains(got, "Retry-After: ") {
			t.Errorf("it is not said when to come back:\n%s", got)
		}
	}
	if diff := cmp.Diff(map[string]int{"SIP/2.0 401": 10, "SIP/2.0 503": 10}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if got := l.register("bob", l.answer(l.register("bob"), "bob", "secret-b")); !strings.HasPrefix(got, "SIP/2.0 200 ") {
		t.Errorf("bob, from the same address:\n%s", got)
	}
	must(t, h.server.Close())
	if log := h.log.String(); strings.Count(log, "level=WARN") != 2 || !strings.Contains(log, "no more are looked at") {
		t.Errorf("log:\n%s", log)
	}
}

// authorization is the value of an Authorization header, with MD5.
func authorization(t *testing.T, nonce, method, uri, username, password string) string {
	t.Helper()
	made, err := digest.Digest(&digest.Challenge{Realm: "callwright", Nonce: nonce, Algorithm: "MD5", QOP: []string{"auth"}},
		digest.Options{Method: method, URI: uri, Count: 1, Username: username, Password: password})
	must(t, err)
	return made.String()
}

// Where a trunk and phones share an address, a registered phone calls as its
// user, and anybody else by the trunk.
func TestPhoneBesideATrunk(t *testing.T) {
	t.Parallel()
	h := withUsers(t, func(e *directory.Entries) {
		e.Trunks = []directory.Trunk{{Name: "near", Address: "127.0.0.1:9", AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	})
	alice := h.phoneOf("alice", "secret-a", "udp")
	for _, tc := range []struct {
		phone  *phone.Phone
		caller string
		trunk  string
	}{{alice, "w0", ""}, {newPhone(t, phone.Config{User: "alice"}), "", "near"}} {
		out, err := tc.phone.Dial(h.uri("+4921112345"), phone.CallOptions{Username: "alice", Password: "secret-a"})
		must(t, err)
		leg := h.next()
		if leg.Arrival.Caller.ID != tc.caller || leg.Arrival.Trunk != tc.trunk {
			t.Errorf("the call is of user %q by trunk %q, want %q and %q", leg.Arrival.Caller.ID, leg.Arrival.Trunk, tc.caller, tc.trunk)
		}
		leg.Hangup(engine.CauseBusy)
		if _, err := out.WaitEnd(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
