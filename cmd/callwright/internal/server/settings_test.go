// SPDX-License-Identifier: MIT

package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/internal/pgcluster"
	"github.com/callwright/callwright/store/settings"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// ask sends a request to the admin API of a server.
func ask(t *testing.T, s *server.Server, token, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+s.API.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
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

// ring calls the number of the tests and gives the status that refuses it.
func ring(t *testing.T, s *server.Server, e *dialog.Endpoint) int {
	t.Helper()
	ended := make(chan dialog.Ended, 1)
	call(t, e, "sip:+4921112345@"+s.SIP.Addr("udp").String(), func(ev dialog.Ended) { ended <- ev })
	return (<-ended).Status
}

// A server that nobody configured is set up by its API alone: the next call
// reaches the new app, a restart forgets nothing, and a change in the file goes
// over what the API did. So it is on both databases.
func TestSetUpByTheAPI(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		setUpByTheAPI(t, "sqlite:"+filepath.Join(t.TempDir(), "callwright.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		setUpByTheAPI(t, pgcluster.Start(t).Database(t))
	})
}

func setUpByTheAPI(t *testing.T, database string) {
	busy := newApp(t, func(string, *http.Request) string { return `<Response><Reject reason="busy"/></Response>` })
	rejects := newApp(t, func(string, *http.Request) string { return `<Response><Reject reason="rejected"/></Response>` })
	folder := t.TempDir()
	begin := func(c config.Objects) *server.Server {
		return start(t, "", func(all *config.Config) { all.Database, all.DataDir, all.Objects = database, folder, c })
	}
	s, e := begin(config.Objects{}), caller(t)
	for _, object := range []struct{ kind, body string }{
		{"apps", `{"key":"app","dialect":"sipgate","incoming_url":"` + busy.URL + `","secret":"open sesame"}`},
		{"numbers", `{"number":"+4921112345","app":"app"}`},
		{"trunks", `{"name":"test","allow_from":["127.0.0.1/32"]}`},
	} {
		if status, text := ask(t, s, s.Token, "POST", "/api/v1/"+object.kind, object.body); status != 201 {
			t.Fatalf("%s: got %d %s", object.kind, status, text)
		}
	}
	if status := ring(t, s, e); status != 486 || busy.count("newCall") != 1 {
		t.Errorf("the call got %d, and the app %d newCall", status, busy.count("newCall"))
	}
	again := func(c config.Objects) {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		s = begin(c)
	}
	again(config.Objects{})
	if status := ring(t, s, e); status != 486 {
		t.Errorf("after a restart the call got %d", status)
	}
	if status, text := ask(t, s, s.Token, "PATCH", "/api/v1/apps/app", `{"incoming_url":"`+rejects.URL+`"}`); status != 200 {
		t.Fatalf("got %d %s", status, text)
	}
	if status := ring(t, s, e); status != 603 {
		t.Errorf("after a change the call got %d", status)
	}
	file := config.Objects{Apps: []config.App{{Key: "app", Dialect: "sipgate", IncomingURL: busy.URL}}}
	again(file)
	if status := ring(t, s, e); status != 486 {
		t.Errorf("with the app in the file the call got %d", status)
	}
	if status, text := ask(t, s, s.Token, "PATCH", "/api/v1/apps/app", `{"incoming_url":"`+rejects.URL+`"}`); status != 200 {
		t.Fatalf("got %d %s", status, text)
	}
	again(file)
	if status := ring(t, s, e); status != 603 {
		t.Errorf("with the same file the call got %d", status)
	}
}

// While nothing is configured the sample answers; it is not kept.
func TestSampleIsNotKept(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(string, *http.Request) string { return `<Response><Reject reason="busy"/></Response>` })
	folder := t.TempDir()
	s := start(t, a.URL, func(c *config.Config) {
		c.Sample, c.Objects = c.Objects, config.Objects{}
		c.Database, c.DataDir = "sqlite:"+filepath.Join(folder, "callwright.db"), folder
	})
	if status := ring(t, s, caller(t)); status != 486 || !s.Settings.Sampling() {
		t.Errorf("the call got %d", status)
	}
	if kept, err := s.Store.Objects(t.Context()); err != nil || len(kept) != 0 {
		t.Errorf("kept are %v, %v", kept, err)
	}
}

// The token is made at the first start, told once, and kept for the owner only;
// without it nothing is shown, not to this machine either.
func TestTokenIsMadeOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var log bytes.Buffer
	c := config.Default()
	c.HTTP.Listen, c.SIP.Listen, c.Media = "127.0.0.1:0", []string{"udp://127.0.0.1:0"}, config.Media{Listen: "127.0.0.1", Ports: "0"}
	c.Database, c.DataDir = "sqlite:"+filepath.Join(folder, "callwright.db"), folder
	var tokens []string
	for range 2 {
		s, err := server.Start(t.Context(), c, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, s.Token)
		for path, want := range map[string]int{"/api/v1/calls": 401, "/api/v1/apps": 401, "/api/v1/openapi.yaml": 401, "/healthz": 200, "/readyz": 200} {
			if status, text := ask(t, s, "", "GET", path, ""); status != want {
				t.Errorf("%s without the token: got %d %s", path, status, text)
			}
		}
		if status, text := ask(t, s, s.Token, "GET", "/api/v1/apps", ""); status != 200 {
			t.Errorf("with the token: got %d %s", status, text)
		}
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if len(tokens[0]) != 32 || tokens[0] != tokens[1] {
		t.Errorf("tokens %q", tokens)
	}
	if n := strings.Count(log.String(), tokens[0]); n != 1 {
		t.Errorf("the token was told %d times", n)
	}
	for _, name := range []string{server.TokenFile, "encryption-key"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v, %v", name, info, err)
		}
	}
}

// A key that was lost is told at the start, and where it should be.
func TestLostKey(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	same := func(c *config.Config) {
		c.Database, c.DataDir = "sqlite:"+filepath.Join(folder, "callwright.db"), folder
		c.HTTP.Listen, c.SIP.Listen, c.Media = "127.0.0.1:0", []string{"udp://127.0.0.1:0"}, config.Media{Listen: "127.0.0.1", Ports: "0"}
		c.Users = []config.User{{ID: "w0", Username: "alice", Password: "x"}}
	}
	if err := start(t, "http://127.0.0.1:1", same).Stop(); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(folder, "encryption-key")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	same(&c)
	_, err := server.Start(context.Background(), c, slog.New(slog.DiscardHandler))
	if !errors.Is(err, settings.ErrKey) || !strings.Contains(err.Error(), key) {
		t.Errorf("error %v", err)
	}
}

// Users of the house who can call, and nobody to call an ambulance by: the log
// says so at the start.
func TestEmergencyIsToldAtTheStart(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	folder := t.TempDir()
	c := config.Default()
	c.HTTP.Listen, c.SIP.Listen, c.Media = "127.0.0.1:0", []string{"udp://127.0.0.1:0"}, config.Media{Listen: "127.0.0.1", Ports: "0"}
	c.Database, c.DataDir = "sqlite:"+filepath.Join(folder, "callwright.db"), folder
	c.Users = []config.User{{ID: "w0", Username: "alice", Password: "x"}}
	c.Trunks = []config.Trunk{{Name: "in", AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}
	s, err := server.Start(t.Context(), c, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "EMERGENCY CALLS WILL FAIL") || !strings.Contains(log.String(), "110, 112, 911") {
		t.Errorf("the log says\n%s", &log)
	}
}

// While the database is away calls are taken, the server says what is away, and
// what the API would change stays as it is. When it is back all goes on.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	cluster := pgcluster.Start(t)
	dsn := cluster.Database(t)
	a := newApp(t, func(string, *http.Request) string { return `<Response><Reject reason="busy"/></Response>` })
	s, e := start(t, a.URL, func(c *config.Config) { c.Database = dsn }), caller(t)
	cluster.Crash(t)
	until(t, "the server to say what is away", func() bool {
		status, text := ask(t, s, "", "GET", "/readyz", "")
		return status == 200 && strings.Contains(text, `"away":["database"]`)
	})
	if status := ring(t, s, e); status != 486 || a.count("newCall") != 1 {
		t.Errorf("a call got %d, and the app %d newCall", status, a.count("newCall"))
	}
	if status, text := ask(t, s, s.Token, "PATCH", "/api/v1/apps/app", `{"headers":{"A":"b"}}`); status != 503 || !strings.Contains(text, "the database is away") {
		t.Errorf("a change: %d %s", status, text)
	}
	if status, text := ask(t, s, s.Token, "GET", "/api/v1/apps/app", ""); status != 200 || strings.Contains(text, "headers") {
		t.Errorf("the app: %d %s", status, text)
	}
	cluster.Restart(t)
	until(t, "the server to say that all is there", func() bool {
		status, text := ask(t, s, "", "GET", "/readyz", "")
		return status == 200 && !strings.Contains(text, "away")
	})
	if status, text := ask(t, s, s.Token, "PATCH", "/api/v1/apps/app", `{"headers":{"A":"b"}}`); status != 200 {
		t.Errorf("a change: %d %s", status, text)
	}
	until(t, "the record of the call", func() bool {
		records, _, err := s.Store.Calls(t.Context(), 10, "")
		return err == nil && len(records) == 1 && records[0].EndedAt != nil
	})
}
