// SPDX-License-Identifier: MIT

package dialog

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// guarded is an Endpoint that lets in from anywhere whoever has the key.
func guarded(t *testing.T, c *calls, registered *atomic.Int32) *Endpoint {
	t.Helper()
	return open(t, Config{
		Admit: func(netip.AddrPort) bool { return false },
		Challenge: func(r Request) *Response {
			switch key := strings.Join(r.Header("X-Key"), ""); key {
			case "right":
				return nil
			case "nobody":
				return &Response{Status: 403, Phrase: "Forbidden"}
			}
			return &Response{Status: 401, Phrase: "Unauthorized", Headers: []Header{{"WWW-Authenticate", "a"}, {"WWW-Authenticate", "b"}}}
		},
		Register: func(r Request) Response {
			registered.Add(1)
			return Response{Status: 200, Phrase: "OK", Headers: []Header{{"Contact", strings.Join(r.Header("Contact"), ", ")}}}
		},
		Incoming: c.incoming,
	})
}

// registerText is a REGISTER of a wire.
func registerText(id string, more ...string) string {
	text := `
	REGISTER sip:callwright.test SIP/2.0
	Via: SIP/2.0/UDP ADDR;branch=z9hG4bK-r-` + id + `;rport
	From: <sip:alice@ADDR>;tag=r-` + id + `
	To: <sip:alice@ADDR>
	Call-ID: ` + id + `
	CSeq: 1 REGISTER
	Contact: <sip:alice@ADDR>
	Max-Forwards: 70`
	return text + "\n" + strings.Join(more, "\n")
}

// A stranger is asked for credentials and leaves nothing behind; with them it is
// let in from anywhere.
func TestChallenge(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	var registered atomic.Int32
	e := guarded(t, c, &registered)
	w := newWire(t, e.Addr("udp"))

	w.send(registerText("1"))
	if no := w.expect("401 REGISTER"); len(no.GetHeaders("WWW-Authenticate")) != 2 || no.Via().Params.GetOr("rport", "") == "" {
		t.Errorf("challenge\n%s", no)
	}
	w.send(invite("1"))
	w.send(inside("ACK", "1", 1, w.expect("401 INVITE")))
	w.send(strings.ReplaceAll(invite("2"), "INVITE", "OPTIONS"))
	w.expect("403 OPTIONS")
	w.send(strings.ReplaceAll(invite("2"), "INVITE", "CANCEL"))
	w.expect("403 CANCEL")
	w.send(registerText("2", "X-Key: nobody"))
	w.expect("403 REGISTER")

	w.send(registerText("3", "X-Key: right"))
	if ok := w.expect("200 REGISTER"); len(ok.GetHeaders("Contact")) != 1 {
		t.Errorf("answer\n%s", ok)
	}
	w.send(registerText("3", "X-Key: right")) // a repetition
	w.again("200 REGISTER")
	if n := registered.Load(); n != 1 {
		t.Errorf("registered %d times", n)
	}

	w.send(strings.Replace(invite("4"), "Max-Forwards", "X-Key: right\n	Max-Forwards", 1))
	call := c.next()
	if err := call.Progress(180, "Ringing", nil); err != nil {
		t.Fatal(err)
	}
	ringing := w.expect("180 INVITE")
	// Our tag opens no door to a registration.
	tag, _ := ringing.To().Params.Get("tag")
	w.send(strings.Replace(registerText("5"), "To: <sip:alice@ADDR>", "To: <sip:alice@ADDR>;tag="+tag, 1))
	w.expect("401 REGISTER")
	w.send(strings.ReplaceAll(invite("4"), "INVITE", "CANCEL")) // shows no key
	w.expect("200 CANCEL")
	w.expect("487 INVITE")
	call.want("ended 487 remote")
	if n := registered.Load(); n != 1 {
		t.Errorf("registered %d times", n)
	}
}

// On TCP the same holds.
func TestChallengeTCP(t *testing.T) {
	t.Parallel()
	var registered atomic.Int32
	e := guarded(t, newCalls(t), &registered)
	conn, err := net.Dial("tcp", e.Addr("tcp").String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	w := newWire(t, e.Addr("udp"))
	buf := make([]byte, 4096)
	for i, tc := range []struct{ key, want string }{{"wrong", "401"}, {"nobody", "403"}, {"right", "200"}} {
		text := w.bytes(registerText(fmt.Sprint(i), "X-Key: "+tc.key))
		if _, err := conn.Write(bytes.ReplaceAll(text, []byte("SIP/2.0/UDP"), []byte("SIP/2.0/TCP"))); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil || !strings.HasPrefix(string(buf[:n]), "SIP/2.0 "+tc.want) {
			t.Errorf("%s: %q, %v", tc.key, buf[:n], err)
		}
	}
}

// Register answers a challenge and gives what the registrar says.
func TestRegister(t *testing.T) {
	t.Parallel()
	phone := open(t, Config{})
	registrar := newWire(t, phone.Addr("udp"))
	type result struct {
		Response
		error
	}
	done := make(chan result)
	go func() {
		a, err := phone.Asker(Asking{To: "sip:" + registrar.addr(), User: "sip:alice@callwright.test", Username: "alice", Password: "secret"})
		if err != nil {
			done <- result{error: err}
			return
		}
		r, err := a.Register(context.Background(), []string{"<sip:a@b>"}, 60)
		done <- result{r, err}
	}()
	first := registrar.expect("REGISTER")
	registrar.send(response(first, "401 Unauthorized", "r", `WWW-Authenticate: Digest realm="here", nonce="n", qop="auth"`))
	second := registrar.expect("REGISTER")
	if h := second.GetHeaders("Authorization"); len(h) != 1 || !strings.Contains(h[0].Value(), `realm="here"`) || second.CallID().Value() != first.CallID().Value() {
		t.Errorf("answer to the challenge:\n%s", second)
	}
	registrar.send(response(second, "403 Forbidden", "r", "Warning: 399 here \"no\""))
	got := <-done
	if got.error != nil || got.Status != 403 || got.Phrase != "Forbidden" {
		t.Errorf("%+v", got)
	}
	if _, err := phone.Asker(Asking{To: "nonsense", User: "sip:a@b"}); err == nil {
		t.Error("somebody would be asked at nonsense")
	}
}

// What comes again of an earlier request does not hide the answer to the last.
func TestRegisterRepeatedChallenge(t *testing.T) {
	t.Parallel()
	phone := open(t, Config{})
	registrar := newWire(t, phone.Addr("udp"))
	a, err := phone.Asker(Asking{To: "sip:" + registrar.addr(), User: "sip:a@b"})
	must(t, err)
	answer := make(chan *sip.Response, 1)
	phone.asking.Store("t", awaited{2, answer})
	for _, came := range []struct {
		seq    uint32
		status int
	}{{1, 401}, {1, 401}, {2, 100}, {2, 200}, {2, 200}, {1, 401}} {
		a.seq = came.seq
		phone.answered("t", sip.NewResponseFromRequest(a.request(sip.REGISTER, nil).Request, came.status, "", nil))
	}
	if got := <-answer; got.StatusCode != 200 {
		t.Errorf("got %d", got.StatusCode)
	}
}
