// SPDX-License-Identifier: MIT

package server_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
)

// What a client of sipgate shows of w0.
const shownToken, shownSecret = "token-ABC123", "1e7a4d70-5b4b-4a3e-9f43-1f6a2a3a1d01"

// withToken gives the number a user and the user a token.
func withToken(c *config.Config) {
	c.Users = []config.User{{ID: "w0", Name: "Alice", App: "app"}}
	c.Numbers[0].Users = []string{"w0"}
	c.Tokens = []config.Token{{ID: shownToken, Token: shownSecret, User: "w0"}}
}

// askV2 sends a request to the face of sipgate as the client of npm does that has us
// for its proxy.
func askV2(t *testing.T, s *server.Server, method, path, body string) (int, string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.API.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s https://api.sipgate.com/v2%s HTTP/1.1\r\nHost: api.sipgate.com\r\nAuthorization: Basic %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		method, path, base64.StdEncoding.EncodeToString([]byte(shownToken+":"+shownSecret)), len(body), body)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// What an app changes by the API counts for the next call, and what came of its
// calls is there to be read.
func TestSettingsByAPIOfSipgate(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(string, *http.Request) string { return `<Response><Reject reason="busy"/></Response>` })
	s := start(t, a.URL, withToken)
	e := caller(t)
	put := func(body string) {
		t.Helper()
		if status, text := askV2(t, s, "PUT", "/settings/sipgateio", body); status != 204 {
			t.Fatalf("%s: got %d %s", body, status, text)
		}
	}
	for _, step := range []struct {
		settings string
		status   int // the caller is refused with
		asked    int // how often the app was asked by then
	}{
		{`{}`, 486, 1},
		{`{"whitelist":[]}`, 480, 1},
		{`{"whitelist":["p0"]}`, 486, 2},
		{`{"whitelist":null,"incomingUrl":""}`, 480, 2},
		{`{"incomingUrl":"` + a.URL + `/again","log":false}`, 486, 3},
	} {
		put(step.settings)
		if status := ring(t, s, e); status != step.status || a.count("newCall") != step.asked {
			t.Errorf("%s: refused with %d, asked %d times, want %d and %d", step.settings, status, a.count("newCall"), step.status, step.asked)
		}
	}
	until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
	if err := s.Store.Applied(t.Context()); err != nil {
		t.Fatal(err)
	}
	status, log := askV2(t, s, "GET", "/log/webhooks", "")
	if status != 200 || strings.Count(log, `"created"`) != 2 || strings.Contains(log, "/again") || !strings.Contains(log, "event=newCall&direction=in") || !strings.Contains(log, `<Reject reason=\"busy\"/>`) {
		t.Errorf("the log is %d %s", status, log)
	}
	status, past := askV2(t, s, "GET", "/w0/history?directions=MISSED_INCOMING", "")
	if status != 200 || strings.Count(past, `"status":"BUSY"`) != 3 || !strings.Contains(past, `"totalCount":5`) {
		t.Errorf("history is %d %s", status, past)
	}
	status, shown := askV2(t, s, "GET", "/settings/sipgateio", "")
	if want := `{"incomingUrl":"` + a.URL + `/again","outgoingUrl":"","log":false,"whitelist":null}`; status != 200 || strings.TrimSpace(shown) != want {
		t.Errorf("settings are %d %s, want %s", status, shown, want)
	}
}

// A call that the API begins rings the caller's phone, and its id is one by which it
// can be hung up at once.
func TestCallByAPIOfSipgate(t *testing.T) {
	t.Parallel()
	p := newPhone(t, "w0")
	s := start(t, "", withToken, func(c *config.Config) { c.Users[0].Contact = p.URI() })
	status, text := askV2(t, s, "POST", "/sessions/calls", `{"caller":"p0","callee":"+4930222222"}`)
	id := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), `{"sessionId":"`), `"}`)
	if status != 200 || len(id) != 32 {
		t.Fatalf("got %d %s", status, text)
	}
	rings, err := p.Accept(t.Context())
	if err == nil {
		err = rings.Ring()
	}
	if err != nil {
		t.Fatal(err)
	}
	if status, text := askV2(t, s, "GET", "/calls", ""); status != 200 || strings.TrimSpace(text) != `{"data":[]}` {
		t.Errorf("a call that rings is shown: %d %s", status, text)
	}
	if status, text := askV2(t, s, "DELETE", "/calls/"+id, ""); status != 204 {
		t.Errorf("got %d %s", status, text)
	}
	if _, err := rings.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
	until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
	if status, text := askV2(t, s, "DELETE", "/calls/"+id, ""); status != 404 || !strings.Contains(text, `"errors":[{"status":404`) {
		t.Errorf("a call that is over: got %d %s", status, text)
	}
	if status, text := askV2(t, s, "POST", "/sessions/calls", `{"caller":"p0","callee":"112"}`); status != 403 {
		t.Errorf("an emergency service: got %d %s", status, text)
	}
}
