// SPDX-License-Identifier: MIT

package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
)

// face is a Face with handlers that a test gives.
type face func(g *echo.Group)

func (f face) Routes(g *echo.Group) { f(g) }

// start starts a server on a port of the kernel's and stops it with the test.
func start(t *testing.T, config Config, mount func(*Server)) string {
	t.Helper()
	config.Listen = "127.0.0.1:0"
	s := New(config)
	if mount != nil {
		mount(s)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return "http://" + s.Addr().String()
}

// do sends a request on a connection of its own.
func do(t *testing.T, method, url string, edit func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(r)
	}
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// logText is a log that many goroutines may write to.
type logText struct {
	mu sync.Mutex
	b  bytes.Buffer
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

func (l *logText) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func TestErrorsAreJSON(t *testing.T) {
	t.Parallel()
	var log logText
	url := start(t, Config{Logger: log.logger()}, func(s *Server) {
		s.Mount("/face", face(func(g *echo.Group) {
			g.GET("/panic", func(echo.Context) error { panic("out of cheese") })
			g.GET("/fail/:id", func(echo.Context) error { return errors.New("disk on fire") })
			g.GET("/refuse", func(echo.Context) error { return Refuse(http.StatusTeapot, "use a %s", "pot") })
			g.POST("/body", func(c echo.Context) error {
				_, err := ReadBody(c.Request())
				return err
			})
			g.GET("/unwritable", func(c echo.Context) error { return JSON(c, http.StatusOK, make(chan int)) })
			g.GET("/half", func(c echo.Context) error {
				c.Response().WriteHeader(http.StatusOK)
				c.Response().Write(make([]byte, 100))
				c.Response().Flush()
				return errors.New("the rest is gone")
			})
		}))
	})
	const ours = `{"error":"the server failed to answer this; its log says why"}`
	for _, test := range []struct {
		name, method, path string
		body               int
		status             int
		want               string
	}{
		{"no such path", "GET", "/nowhere", 0, 404, `{"error":"there is nothing at /nowhere; check the path"}`},
		{"no such path in a face", "GET", "/face/nowhere", 0, 404, `{"error":"there is nothing at /face/nowhere; check the path"}`},
		{"wrong method", "DELETE", "/face/panic", 0, 405, `{"error":"DELETE is not possible at /face/panic; use one of OPTIONS, GET"}`},
		{"refused", "GET", "/face/refuse", 0, 418, `{"error":"use a pot"}`},
		{"error", "GET", "/face/fail/7", 0, 500, ours},
		{"panic", "GET", "/face/panic", 0, 500, ours},
		{"unwritable", "GET", "/face/unwritable", 0, 500, ours},
		{"body too long", "POST", "/face/body", bodyLimit + 1, 413, `{"error":"the body is longer than 1048576 bytes; send less"}`},
		{"body just fits", "POST", "/face/body", bodyLimit, 200, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer, body := do(t, test.method, url+test.path, func(r *http.Request) {
				r.Body = io.NopCloser(bytes.NewReader(make([]byte, test.body)))
				r.ContentLength = int64(test.body)
			})
			if answer.StatusCode != test.status || strings.TrimSuffix(body, "\n") != test.want {
				t.Errorf("got %d %s, want %d %s", answer.StatusCode, body, test.status, test.want)
			}
			if test.want != "" && answer.Header.Get("Content-Type") != "application/json" {
				t.Errorf("got the content type %q", answer.Header.Get("Content-Type"))
			}
		})
	}
	t.Run("half an answer is cut", func(t *testing.T) {
		answer, err := http.Get(url + "/face/half")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if _, err := io.ReadAll(answer.Body); err == nil {
			t.Error("it looks like a whole one")
		}
	})
	for _, want := range []string{
		`msg="http request failed" method=GET route=/face/panic err="panic: out of cheese" stack=`,
		`msg="http request failed" method=GET route=/face/fail/:id err="disk on fire"`,
		`level=DEBUG msg="http request" method=DELETE path=/face/panic status=405`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
}

// A client that leaves while the server looks for the answer is no failure, also
// where the error is worded already.
func TestClientLeaves(t *testing.T) {
	t.Parallel()
	var log logText
	asked := make(chan struct{})
	s := New(Config{Listen: "127.0.0.1:0", Logger: log.logger()})
	s.Mount("/face", face(func(g *echo.Group) {
		g.GET("/slow", func(c echo.Context) error {
			close(asked)
			<-c.Request().Context().Done()
			return &StatusError{Status: http.StatusServiceUnavailable, Text: "it is away", Err: c.Request().Context().Err()}
		})
	}))
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Addr().String()+"/face/slow", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-asked; leave() }()
	if answer, err := http.DefaultClient.Do(r); err == nil {
		answer.Body.Close()
		t.Errorf("got %d", answer.StatusCode)
	}
	if err := s.Shutdown(t.Context()); err != nil { // waits for the handler
		t.Error(err)
	}
	if text := log.String(); !strings.Contains(text, "path=/face/slow") || strings.Contains(text, "level=ERROR") {
		t.Errorf("the log says\n%s", log.String())
	}
}

func TestStartNamesTheSetting(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for listen, want := range map[string]string{
		taken.Addr().String(): "http.listen: " + taken.Addr().String() + " is taken by another program",
		"192.0.2.1:0":         "http.listen: this machine has no address 192.0.2.1:0",
		"8080":                `http.listen: cannot listen on "8080"; set it to host:port`,
	} {
		s := New(Config{Listen: listen})
		err := s.Start()
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("listening on %s: got %v, want %s", listen, err, want)
		}
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("shut down what never started: %v", err)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	var bad, slow error
	var log logText
	s := New(Config{Listen: "127.0.0.1:0", Token: "secret", Logger: log.logger(), Checks: []Check{
		{Name: "database", Run: func(context.Context) error { return bad }},
		{Name: "sip", Run: func(context.Context) error { return nil }},
		{Name: "archive", Spare: true, Run: func(context.Context) error { return slow }},
	}})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown(context.Background())
	type answer struct {
		Status int
		Body   string
	}
	get := func(path string) answer {
		a, body := do(t, "GET", "http://"+s.Addr().String()+path, nil)
		return answer{a.StatusCode, body}
	}
	want := func(path string, want answer) {
		t.Helper()
		if diff := cmp.Diff(want, get(path)); diff != "" {
			t.Error(path, diff)
		}
	}
	want("/healthz", answer{200, `{"status":"alive"}` + "\n"})
	want("/readyz", answer{200, `{"status":"ready"}` + "\n"})
	slow = errors.New("in the cellar")
	want("/readyz", answer{200, `{"status":"ready","away":["archive"]}` + "\n"})
	slow, bad = nil, errors.New("no such file")
	want("/readyz", answer{503, `{"status":"failing","failed":["database"]}` + "\n"})
	want("/healthz", answer{200, `{"status":"alive"}` + "\n"})
	if !strings.Contains(log.String(), `level=WARN msg="not well" check=database needed=true err="no such file"`) {
		t.Errorf("the log does not say why:\n%s", log.String())
	}
	s.Drain()
	want("/readyz", answer{503, `{"status":"draining"}` + "\n"})
	want("/healthz", answer{200, `{"status":"alive"}` + "\n"})
	if a, body := do(t, "HEAD", "http://"+s.Addr().String()+"/healthz", nil); a.StatusCode != 200 || body != "" {
		t.Errorf("HEAD: got %d %q", a.StatusCode, body)
	}
}

// A connection that never sends anything must not hold up the end, and a
// request that is being answered must be let finish.
func TestShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		s, p := New(Config{}), newPipes()
		s.Mount("", face(func(g *echo.Group) {
			g.GET("/slow", func(c echo.Context) error {
				<-leave
				return c.NoContent(http.StatusNoContent)
			})
		}))
		s.serve(p)
		silent, server := net.Pipe()
		p.conns <- server
		slow := p.dial("/slow")
		synctest.Wait()

		began := time.Now()
		done := make(chan error)
		go func() { done <- s.Shutdown(context.Background()) }()
		// The silent connection ends first, while the slow request still runs.
		if _, err := silent.Read(make([]byte, 1)); err == nil {
			t.Error("the silent connection got an answer")
		}
		if since := time.Since(began); since != 0 {
			t.Errorf("the silent connection was closed after %s", since)
		}
		close(leave)
		if line, _ := bufio.NewReader(slow).ReadString('\n'); line != "HTTP/1.1 204 No Content\r\n" {
			t.Errorf("the slow request got %q", line)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("again: %v", err)
		}
		late, server := net.Pipe() // accepted while the listener closed
		s.watch(server, http.StateNew)
		if _, err := late.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the late connection got %v", err)
		}
	})
}

func TestShutdownCutsOffWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	s := New(Config{Listen: "127.0.0.1:0"})
	s.Mount("", face(func(g *echo.Group) {
		g.GET("/stuck", func(c echo.Context) error {
			close(entered)
			<-c.Request().Context().Done() // only the end of the connection ends it
			return c.Request().Context().Err()
		})
	}))
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	cut := make(chan error)
	go func() {
		answer, err := http.Get("http://" + s.Addr().String() + "/stuck")
		if err == nil {
			answer.Body.Close()
		}
		cut <- err
	}()
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := <-cut; err == nil {
		t.Error("the request was answered")
	}
}
