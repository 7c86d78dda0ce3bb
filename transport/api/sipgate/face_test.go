// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
	"github.com/callwright/callwright/transport/api/sipgate"
)

// A call of the account of the tests, one of another account, and one of nobody.
const (
	callA   = "0199AA00000070008000000000000001"
	callB   = "0199AA00000070008000000000000002"
	foreign = "0199AA000000700080000000000000F0"
	nowhere = "0199AA000000700080000000000000FF"
)

// The tokens of the tests: of w0, of a user who may only read calls, and of another
// account.
const (
	mine    = "token-ABC123:1e7a4d70-5b4b-4a3e-9f43-1f6a2a3a1d01"
	reading = "token-READ01:1e7a4d70-5b4b-4a3e-9f43-1f6a2a3a1d02"
	theirs  = "token-OTHER1:1e7a4d70-5b4b-4a3e-9f43-1f6a2a3a1d03"
)

// bench is a face that is served, and what is behind it.
type bench struct {
	t       *testing.T
	url     string
	calls   *calls
	house   *house
	archive *archive
	folder  string
	links   *sipgate.Links
	log     *logText
}

// logText is a log that many goroutines may write to.
type logText struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start serves the face on a port of the kernel's.
func start(t *testing.T, adjust ...func(*sipgate.Config)) *bench {
	t.Helper()
	b := &bench{t: t, calls: &calls{}, house: newHouse(), archive: &archive{}, log: &logText{}, folder: t.TempDir(), links: sipgate.NewLinks("", []byte("key"))}
	c := sipgate.Config{
		Calls: b.calls, Control: b.calls, Exchange: b.calls, Directory: b.house, Settings: b.house, Registrations: b.house, Archive: b.archive,
		Recordings: b.archive, Keeper: b.calls,
		Programs: sipgate.Programs{
			PlayMessage: func(r engine.Recording) engine.Program { return engine.Program{said("play " + r.File)} },
			SpeakGreeting: func(box string, set bool) engine.Program {
				return engine.Program{said(fmt.Sprint("speak ", box, " ", set))}
			},
		},
		Folder: b.folder, Links: b.links,
		Domain: "pbx.example", Language: "en-US",
		MasterSIPID: func(account string) string { return "of " + account },
		Log:         slog.New(slog.NewTextHandler(b.log, nil)),
	}
	for _, a := range adjust {
		a(&c)
	}
	s := api.New(api.Config{Listen: "127.0.0.1:0"})
	s.Mount("/v2", sipgate.New(c))
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	b.url = "http://" + s.Addr().String() + "/v2"
	return b
}

// ask sends a request with a token, as the client of npm does, and gives the answer.
func (b *bench) ask(token, method, path, body string) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if id, secret, ok := strings.Cut(token, ":"); ok {
		r.SetBasicAuth(id, secret)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Sipgate-Client", `{"name":"node"}`)
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer, string(text)
}

// wants demands an answer of w0's token; JSON is compared by what it says.
func (b *bench) wants(method, path, body string, status int, want string) {
	b.t.Helper()
	answer, text := b.ask(mine, method, path, body)
	if answer.StatusCode != status {
		b.t.Errorf("%s %s %s: got %d %s, want %d", method, path, body, answer.StatusCode, text, status)
		return
	}
	if status == http.StatusNoContent || want == "" {
		if text != want {
			b.t.Errorf("%s %s %s: got the body %q, want none", method, path, body, text)
		}
		return
	}
	if got := answer.Header.Get("Content-Type"); got != "application/json" {
		b.t.Errorf("%s %s has the content type %q", method, path, got)
	}
	if diff := cmp.Diff(decoded(b.t, want), decoded(b.t, text)); diff != "" {
		b.t.Errorf("%s %s %s (-want +got):\n%s", method, path, body, diff)
	}
}

func decoded(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// refuses demands the body that sipgate has for errors.
func (b *bench) refuses(method, path, body string, status int, says, pointer string) {
	b.t.Helper()
	answer, text := b.ask(mine, method, path, body)
	checkRefusal(b.t, method+" "+path+" "+body, answer, text, status, says, pointer)
}

func checkRefusal(t *testing.T, what string, answer *http.Response, text string, status int, says, pointer string) {
	t.Helper()
	var got struct {
		Errors []struct {
			Status int
			Title  string
			Detail string
			Source struct{ Pointer string }
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Errors) != 1 {
		t.Errorf("%s: %v in %d %s", what, err, answer.StatusCode, text)
		return
	}
	e := got.Errors[0]
	if answer.StatusCode != status || e.Status != status || e.Title != http.StatusText(status) || !strings.Contains(e.Detail, says) || e.Source.Pointer != pointer {
		t.Errorf("%s: got %d %s, want %d, %q and %q", what, answer.StatusCode, text, status, says, pointer)
	}
}

// did demands what was done to calls.
func (b *bench) did(want ...string) {
	b.t.Helper()
	b.calls.mu.Lock()
	defer b.calls.mu.Unlock()
	if diff := cmp.Diff(want, b.calls.done); diff != "" {
		b.t.Errorf("done (-want +got):\n%s", diff)
	}
	b.calls.done = nil
}
