// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Whoever shows no right token hears the same, and is told to the operator.
func TestWrongTokens(t *testing.T) {
	t.Parallel()
	b := start(t)
	id, secret, _ := strings.Cut(mine, ":")
	_, missing := b.ask("", "GET", "/calls", "")
	for _, shown := range []string{"", id + ":" + secret[:35] + "2", id + ":", ":" + secret, "token-ABC12:" + secret, id + ":" + strings.ToUpper(secret), "default:x"} {
		answer, text := b.ask(shown, "GET", "/calls", "")
		checkRefusal(t, shown, answer, text, 401, "the token is missing or wrong", "")
		if text != missing || !strings.HasPrefix(answer.Header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("%q is answered %s with %v", shown, text, answer.Header)
		}
	}
	for _, want := range []string{"the secret is another one", "there is no such token", "did they mean token-ABC123?", "from=127.0.0.1"} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, b.log)
		}
	}
	if strings.Contains(b.log.String(), secret) || strings.Contains(missing, "ABC") {
		t.Error("a secret is told")
	}
}

// A token may do what its scopes say; without any it may do everything.
func TestScopes(t *testing.T) {
	t.Parallel()
	b := start(t)
	if answer, _ := b.ask(reading, "GET", "/calls", ""); answer.StatusCode != 200 {
		t.Errorf("got %d with rtcm:read", answer.StatusCode)
	}
	answer, text := b.ask(reading, "DELETE", "/calls/"+callA, "")
	checkRefusal(t, "DELETE", answer, text, 403, "the token token-READ01 may not do this: it needs the scope rtcm:write", "")
	b.did()
	if !strings.Contains(b.log.String(), "needed=rtcm:write") {
		t.Errorf("the log does not say it:\n%s", b.log)
	}
	b.house.entries.Tokens[1].Scopes = []string{"all"}
	if answer, _ := b.ask(reading, "DELETE", "/calls/"+callA, ""); answer.StatusCode != 204 {
		t.Errorf("got %d with the scope all", answer.StatusCode)
	}
}

// One source may be wrong so often until it is told to wait, and the log hears no
// more of it; right tokens are let in from there all the time.
func TestGuesses(t *testing.T) {
	t.Parallel()
	b := start(t)
	id, _, _ := strings.Cut(mine, ":")
	for i := range 30 {
		answer, text := b.ask(fmt.Sprintf("%s:%d", id, i), "GET", "/calls", "")
		want := 401
		if i >= 20 {
			want = 429
		}
		if answer.StatusCode != want {
			t.Fatalf("guess %d: got %d %s, want %d", i+1, answer.StatusCode, text, want)
		}
		if want == 429 && answer.Header.Get("Retry-After") == "" {
			t.Error("it does not say when to come again")
		}
		b.wants("GET", "/calls", "", 200, `{"data":[]}`)
	}
	if answer, text := b.ask(theirs, "GET", "/calls", ""); answer.StatusCode != 200 {
		t.Errorf("a right token that nobody has shown before: got %d %s", answer.StatusCode, text)
	}
	if n := strings.Count(b.log.String(), "\n"); n != 20 {
		t.Errorf("%d lines in the log, want one for each guess before the source must wait", n)
	}
}

// What the router refuses has the same body as the rest.
func TestNoSuchPath(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.refuses("GET", "/nothing", "", 404, "there is nothing at /v2/nothing", "")
	b.refuses("GET", "", "", 404, "there is nothing at /v2", "")
	b.refuses("PATCH", "/calls", "", 405, "PATCH is not possible at /v2/calls", "")
}

// raw sends bytes and gives the answer.
func (b *bench) raw(text string) (*http.Response, string) {
	b.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(b.url, "http://"), "/v2"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, text)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer, string(body)
}

// A body that is broken is the client's fault, and no error of the server.
func TestBrokenBodies(t *testing.T) {
	t.Parallel()
	b := start(t)
	r, _ := http.NewRequest("PUT", "http://x", nil)
	id, secret, _ := strings.Cut(mine, ":")
	r.SetBasicAuth(id, secret)
	for _, path := range []string{"/v2/history", "/v2/history/1", "/v2/settings/sipgateio"} {
		answer, text := b.raw("PUT " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: " + r.Header.Get("Authorization") + "\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n")
		checkRefusal(t, path, answer, text, 400, "the body is not what its length or its chunks say", "")
	}
}

// The client of npm reaches us through its https_proxy variable: it sends whole
// URLs as targets, unencrypted (RFC 9112 section 3.2.2).
func TestAbsoluteForm(t *testing.T) {
	t.Parallel()
	b := start(t)
	r, _ := http.NewRequest("GET", "http://x", nil)
	id, secret, _ := strings.Cut(mine, ":")
	r.SetBasicAuth(id, secret)
	head := " HTTP/1.1\r\nHost: api.sipgate.com\r\nAuthorization: " + r.Header.Get("Authorization") + "\r\nConnection: close\r\n\r\n"
	for _, target := range []string{"https://api.sipgate.com/v2/calls", "http://api.sipgate.com/v2/calls", "https://api.sipgate.com:443/v2/calls"} {
		if answer, text := b.raw("GET " + target + head); answer.StatusCode != 200 || strings.TrimSpace(text) != `{"data":[]}` {
			t.Errorf("%s: got %d %s", target, answer.StatusCode, text)
		}
	}
	if answer, _ := b.raw("DELETE https://api.sipgate.com/v2/calls/" + callA + head); answer.StatusCode != 204 {
		t.Errorf("DELETE: got %d", answer.StatusCode)
	}
	b.did("hangup " + callA)
	answer, text := b.raw("CONNECT api.sipgate.com:443" + head)
	if answer.StatusCode != 405 || !strings.Contains(text, "tunnels to no other") {
		t.Errorf("CONNECT: got %d %s", answer.StatusCode, text)
	}
	if answer, text := b.raw("GET https://api.sipgate.com/v2/nothing" + head); answer.StatusCode != 404 || !strings.Contains(text, `"errors"`) {
		t.Errorf("got %d %s", answer.StatusCode, text)
	}
}
