// SPDX-License-Identifier: MIT

package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
)

// pipes is a listener without a socket, so that time can be a bubble's.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial connects and asks for a path.
func (p *pipes) dial(path string) net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	io.WriteString(client, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	return client
}

// follower is a function for Stream.
type follower = func(context.Context, func(Message) error) error

// streaming serves a stream at /s over pipes.
func streaming(follow follower) (*Server, *pipes) {
	s, p := New(Config{}), newPipes()
	s.Mount("", face(func(g *echo.Group) {
		g.GET("/s", func(c echo.Context) error { return Stream(c, 41, follow) })
	}))
	s.serve(p)
	return s, p
}

// wait follows nothing.
func wait(ctx context.Context, _ func(Message) error) error {
	<-ctx.Done()
	return ctx.Err()
}

// one sends one message.
func one(_ context.Context, send func(Message) error) error { return send(Message{42, "sip", "x"}) }

// A stream says where it begins, outlives the times a request may take, and
// beats every 15 seconds.
func TestStreamBeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p := streaming(func(ctx context.Context, send func(Message) error) error {
			time.Sleep(10 * time.Minute)
			if err := send(Message{42, "digit", map[string]string{"text": "a\nb <c>"}}); err != nil {
				return err
			}
			return wait(ctx, send)
		})
		conn := p.dial("/s")
		began := time.Now()
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := answer.Header.Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("got the content type %q", got)
		}
		lines := bufio.NewScanner(answer.Body)
		var beats int
		var text strings.Builder
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "data:") {
			if lines.Text() != ":" {
				text.WriteString(lines.Text() + "\n")
				continue
			}
			beats++
			lines.Scan() // the empty line
			if since := time.Since(began); since != time.Duration(beats)*15*time.Second {
				t.Errorf("beat %d came after %s", beats, since)
			}
		}
		if beats < 39 || beats > 40 { // the 40th and the message are due at once
			t.Errorf("got %d beats in ten minutes", beats)
		}
		if want := "retry: 1000\nid: 41\n\nid: 42\nevent: digit\n"; text.String() != want {
			t.Errorf("got %q, want %q", text.String(), want)
		}
		if want := `data: {"text":"a\nb <c>"}`; lines.Text() != want {
			t.Errorf("got %q, want %q", lines.Text(), want)
		}

		ended := time.Now()
		done := make(chan error)
		go func() { done <- s.Shutdown(context.Background()) }()
		if rest, err := io.ReadAll(answer.Body); err != nil {
			t.Errorf("the stream did not end cleanly: %v after %q", err, rest)
		}
		if since := time.Since(ended); since != 0 {
			t.Errorf("the stream ended %s after the shutdown", since)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		conn.Close()
	})
}

// A client that reads nothing any more is dropped in the end, and at once when
// the server is shut down.
func TestStreamOfAStuckClient(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		follow   follower
		shutdown bool
		after    time.Duration
	}{
		{"dropped at a message", one, false, stuckAfter},
		{"dropped at a beat", wait, false, heartBeat + stuckAfter},
		{"shut down at a message", one, true, 0},
		{"shut down between messages", wait, true, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var stuck time.Time
				result := make(chan error, 1)
				s, p := streaming(func(ctx context.Context, send func(Message) error) error {
					stuck = time.Now()
					err := test.follow(ctx, send)
					result <- err
					return err
				})
				conn := p.dial("/s")
				answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(answer.Body, make([]byte, len("retry: 1000\nid: 41\n\n"))); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // until all hangs
				done := make(chan error, 1)
				if test.shutdown {
					go func() { done <- s.Shutdown(context.Background()) }()
				} else {
					done <- nil
				}
				if err := <-result; err == nil {
					t.Error("follow heard nothing of it")
				}
				if since := time.Since(stuck); since != test.after {
					t.Errorf("it ended after %s, want %s", since, test.after)
				}
				conn.Close()
				if err := errors.Join(<-done, s.Shutdown(context.Background())); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestStreamEndsWithTheClient(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	url := start(t, Config{}, func(s *Server) {
		s.Mount("", face(func(g *echo.Group) {
			g.GET("/s", func(c echo.Context) error {
				defer close(left)
				return Stream(c, 0, wait)
			})
		}))
	})
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", url+"/s", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	cancel()
	<-left
}

// What follow fails with is logged, and the client sees that the stream broke.
func TestStreamThatFails(t *testing.T) {
	t.Parallel()
	for name, follow := range map[string]follower{
		"an error":            func(context.Context, func(Message) error) error { return errors.New("disk on fire") },
		"a panic":             func(context.Context, func(Message) error) error { panic("disk on fire") },
		"what cannot be sent": func(_ context.Context, send func(Message) error) error { return send(Message{1, "x", func() {}}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log logText
			url := start(t, Config{Logger: log.logger()}, func(s *Server) {
				s.Mount("", face(func(g *echo.Group) {
					g.GET("/s", func(c echo.Context) error { return Stream(c, 0, follow) })
				}))
			})
			answer, err := http.Get(url + "/s")
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if _, err := io.ReadAll(answer.Body); err == nil {
				t.Error("the stream ended cleanly")
			}
			if !strings.Contains(log.String(), `msg="http request failed" method=GET route=/s err=`) {
				t.Errorf("the log says %q", log.String())
			}
		})
	}
}
