// SPDX-License-Identifier: MIT

package dialog

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"

	"github.com/emiago/sipgo/sip"
)

// bytewire is a peer of which only bytes are believed: no parser of ours stands
// between the socket and the test.
type bytewire struct {
	t    *testing.T
	conn *net.UDPConn
	from *net.UDPAddr
	seen map[string]bool
}

func newBytewire(t *testing.T, host string) *bytewire {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(host)})
	if err != nil {
		t.Skipf("no socket at %s here: %v", host, err)
	}
	t.Cleanup(func() { conn.Close() })
	return &bytewire{t: t, conn: conn, seen: map[string]bool{}}
}

// next gives the next message of a method that was not read before.
func (w *bytewire) next(method string) string {
	w.t.Helper()
	buf := make([]byte, 65536)
	for {
		if err := w.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			w.t.Fatal(err)
		}
		n, from, err := w.conn.ReadFromUDP(buf)
		if err != nil {
			w.t.Fatalf("no %s came: %v", method, err)
		}
		text := string(buf[:n])
		if w.from = from; !w.seen[text] && strings.HasPrefix(text, method+" ") {
			w.seen[text] = true
			return text
		}
		w.seen[text] = true
	}
}

// answer answers a message with more header lines.
func (w *bytewire) answer(msg, status string, more ...string) {
	w.t.Helper()
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for _, line := range strings.Split(msg, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "To":
			if !strings.Contains(line, ";tag=") {
				line += ";tag=wire"
			}
			fallthrough
		case "Via", "From", "Call-ID", "CSeq":
			b.WriteString(line + "\r\n")
		}
	}
	for _, m := range more {
		b.WriteString(m + "\r\n")
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	if _, err := w.conn.WriteToUDP([]byte(b.String()), w.from); err != nil {
		w.t.Fatal(err)
	}
}

var (
	uriOf      = regexp.MustCompile(`\buri="([^"]*)"`)
	responseTo = regexp.MustCompile(`\bresponse="([^"]*)"`)
	cnonceOf   = regexp.MustCompile(`\bcnonce="([^"]*)"`)
	countOf    = regexp.MustCompile(`\bnc=0*([0-9]+)`)
)

// signed checks that a request's credentials are over the bytes between its method
// and its version, and what they are otherwise.
func (w *bytewire) signed(msg, header string) {
	w.t.Helper()
	first, _, _ := strings.Cut(msg, "\r\n")
	method, rest, _ := strings.Cut(first, " ")
	wire := strings.TrimSuffix(rest, " SIP/2.0")
	for _, line := range strings.Split(msg, "\r\n") {
		value, ok := strings.CutPrefix(line, header+": ")
		if !ok {
			continue
		}
		if got := uriOf.FindStringSubmatch(value); got == nil || got[1] != wire {
			w.t.Errorf("%s: digest uri in %s\nwant %s", method, value, wire)
			return
		}
		count := 0
		if n := countOf.FindStringSubmatch(value); n != nil {
			for _, r := range n[1] {
				count = 10*count + int(r-'0')
			}
		}
		want, err := digest.Digest(&digest.Challenge{Realm: "r", Nonce: "n", QOP: []string{"auth"}, Algorithm: "SHA-256"},
			digest.Options{Method: method, URI: wire, Username: "u", Password: "p", Cnonce: cnonceOf.FindStringSubmatch(value)[1], Count: count})
		if err != nil {
			w.t.Fatal(err)
		}
		if got := responseTo.FindStringSubmatch(value)[1]; got != want.Response {
			w.t.Errorf("%s: response %s, want %s for %s", method, got, want.Response, value)
		}
		return
	}
	w.t.Errorf("no %s in\n%s", header, msg)
}

// The digest uri is the Request-URI as it goes over the wire, whatever is in it,
// for every method and whoever wrote it: us, or the peer in its Contact.
func TestDigestURIOnTheWire(t *testing.T) {
	t.Parallel()
	const asks = `WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256`
	for name, tc := range map[string]struct{ listen, host, to, contact string }{
		"plain":      {"127.0.0.1:0", "127.0.0.1", "sip:100@ADDR", "sip:c@ADDR"},
		"escapes":    {"127.0.0.1:0", "127.0.0.1", "sip:%2B49%20a%23;x=%41@ADDR", "sip:c%2fd%2Fe:pw@ADDR"},
		"parameters": {"127.0.0.1:0", "127.0.0.1", "sip:+49;phone-context=+49@ADDR;user=phone;transport=udp;foo;bar=", "sip:c@ADDR;Transport=UDP;gr=urn:uuid:1;ob"},
		"IPv6":       {"[::1]:0", "::1", "sip:100@ADDR;transport=udp", "sip:c@ADDR;x=[y]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newBytewire(t, tc.host)
			addr := w.conn.LocalAddr().String()
			e := open(t, Config{Listen: []string{"udp://" + tc.listen}})
			r := newRecord(t)
			d, err := e.Call(Call{To: strings.ReplaceAll(tc.to, "ADDR", addr), From: Party{URI: "sip:me@callwright.test"}, Body: []byte("offer"), Username: "u", Password: "p"}, r.handler())
			if err != nil {
				t.Fatal(err)
			}
			invite := w.next("INVITE")
			w.answer(invite, "401 Unauthorized", asks)
			again := w.next("INVITE")
			w.signed(again, "Authorization")
			w.answer(again, "200 OK", "Contact: <"+strings.ReplaceAll(tc.contact, "ADDR", addr)+">")
			w.next("ACK")
			r.want("answered")
			if err := d.Reinvite([]byte("offer"), func(Reply) {}); err != nil {
				t.Fatal(err)
			}
			change := w.next("INVITE")
			w.signed(change, "Authorization")
			w.answer(change, "401 Unauthorized", strings.Replace(asks, "nonce", "stale=true, nonce", 1))
			change = w.next("INVITE")
			w.signed(change, "Authorization")
			w.answer(change, "488 Not Acceptable Here")
			d.Hangup(0, "")
			bye := w.next("BYE")
			w.signed(bye, "Authorization")
			w.answer(bye, "200 OK")

			a, err := e.Asker(Asking{To: strings.ReplaceAll(tc.to, "ADDR", addr), User: "sip:me@callwright.test", Username: "u", Password: "p"})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error)
			go func() {
				_, err := a.Register(context.Background(), nil, 60)
				done <- err
			}()
			w.answer(w.next("REGISTER"), "407 Proxy Authentication Required", strings.Replace(asks, "WWW", "Proxy", 1))
			register := w.next("REGISTER")
			w.signed(register, "Proxy-Authorization")
			w.answer(register, "200 OK")
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// Challenges of several realms are answered at once, one that comes from another
// server too; a request that was tried twice is not tried again, and what another
// request used up is nothing to the next.
func TestDigestRealms(t *testing.T) {
	t.Parallel()
	challenge := func(realm, nonce, more string) sip.Header {
		return sip.NewHeader("Proxy-Authenticate", fmt.Sprintf(`Digest realm="%s", nonce="%s"%s`, realm, nonce, more))
	}
	asked := func(status int, headers ...sip.Header) *sip.Response {
		res := sip.NewResponse(status, "")
		for _, h := range headers {
			res.AppendHeader(h)
		}
		return res
	}
	count := func(c *credentials) int {
		return len(c.apply(sip.NewRequest(sip.BYE, sip.Uri{Scheme: "sip", Host: "h"})))
	}
	c := &credentials{username: "u", password: "p"}
	for i, step := range []struct {
		res     *sip.Response
		again   bool
		answers int
	}{
		{asked(407, challenge("a", "1", ""), challenge("b", "1", `, algorithm=MD5`), challenge("b", "2", `, algorithm="SHA-256"`)), true, 2},
		{asked(401, sip.NewHeader("WWW-Authenticate", `Digest realm="a", nonce="9"`)), true, 3},
		{asked(407, challenge("a", "3", ", stale=true")), false, 3}, // the third time
		{asked(407, challenge("a", "1", "")), false, 3},             // its password is wrong
		{asked(407, challenge("a", "4", "")), true, 3},              // a new nonce, of a later request
		{asked(407, challenge("a", "5", "")), false, 3},             // so was the password
		{asked(407, challenge("c", "1", `, qop="auth-int"`)), false, 3},
		{asked(407, challenge("c", "1", `, algorithm=MD5-sess`)), false, 3},
		{asked(407, challenge("c", "1", `, qop="auth-int, AUTH"`)), true, 4},
		{asked(200), false, 4},
		{asked(407, challenge("d", "1", "")), false, 4}, // one realm too many
		{asked(407, sip.NewHeader("Proxy-Authenticate", "Basic x")), false, 4},
	} {
		if again := c.answer(step.res); again != step.again || count(c) != step.answers {
			t.Errorf("step %d: again %v with %d answers", i, again, count(c))
		}
	}
}

// Whoever registered over a connection is told when it has ended.
func TestAskerLost(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conns := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		buf := make([]byte, 65536)
		n, _ := c.Read(buf)
		head, _, _ := strings.Cut(string(buf[:n]), "\r\n\r\n")
		answer := "SIP/2.0 200 OK\r\n"
		for _, line := range strings.Split(head, "\r\n") {
			if name, _, _ := strings.Cut(line, ":"); strings.Contains("Via From To Call-ID CSeq", name) {
				answer += line + "\r\n"
			}
		}
		_, _ = c.Write([]byte(answer + "Content-Length: 0\r\n\r\n"))
		conns <- c
	}()
	e := open(t, Config{})
	a, err := e.Asker(Asking{To: "sip:" + l.Addr().String() + ";transport=tcp", User: "sip:me@h"})
	if err != nil {
		t.Fatal(err)
	}
	res, err := a.Register(t.Context(), nil, 60)
	if err != nil || res.Status != 200 || res.Source.String() != l.Addr().String() {
		t.Fatalf("%+v, %v", res, err)
	}
	select {
	case <-a.Lost():
		t.Fatal("lost while it is open")
	default:
	}
	(<-conns).Close()
	select {
	case <-a.Lost():
	case <-time.After(patience):
		t.Error("nobody is told")
	}
}
