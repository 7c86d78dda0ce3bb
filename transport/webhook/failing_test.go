// SPDX-License-Identifier: MIT

package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestFetchFromHangingServers holds that every way a server can keep us waiting
// ends, when the time is up, in a sentence, and with the connection closed.
func TestFetchFromHangingServers(t *testing.T) {
	t.Parallel()
	send := func(conn net.Conn, s string) { _, _ = io.WriteString(conn, s) }
	const began = "began to answer and did not finish within 0.3 s"
	tests := []struct {
		name   string
		serve  func(net.Conn)
		scheme string
		want   string
	}{
		{"at once", func(c net.Conn) {}, "http", "did not answer within 0.3 s"},
		{"in the head", func(c net.Conn) { send(c, "HTTP/1.1 200 OK\r\nContent-") }, "http", "did not answer within 0.3 s"},
		{"in the body", func(c net.Conn) { send(c, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n<Resp") }, "http", began},
		{"in an error's body", func(c net.Conn) { send(c, "HTTP/1.1 500 Oh\r\nContent-Length: 11\r\n\r\n<Resp") }, "http", began},
		{"in gzip's head", func(c net.Conn) {
			send(c, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n\x1f")
		}, "http", began},
		{"trickles", func(c net.Conn) {
			send(c, "HTTP/1.1 200 OK\r\n\r\n")
			for _, err := c.Write([]byte(" ")); err == nil; _, err = c.Write([]byte(" ")) {
				time.Sleep(10 * time.Millisecond)
			}
		}, "http", began},
		{"in TLS", func(c net.Conn) {}, "https", "did not answer within 0.3 s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				gone := make(chan error, 1)
				c := inMemory(t, func(conn net.Conn) {
					if _, err := conn.Read(make([]byte, 4096)); err != nil {
						gone <- err
						return
					}
					tt.serve(conn)
					_, err := io.Copy(io.Discard, conn)
					gone <- err
				})
				r := ask(tt.scheme + "://127.0.0.1/")
				r.Policy.Timeout = 300 * time.Millisecond
				start := time.Now()
				reply := c.Fetch(t.Context(), r)
				if want := r.URL + " " + tt.want; reply.Err == nil || reply.Err.Error() != want || !errors.Is(reply.Err, context.DeadlineExceeded) {
					t.Errorf("got  %v\nwant %s", reply.Err, want)
				}
				if took := time.Since(start); took != r.Policy.Timeout {
					t.Errorf("it took %s", took)
				}
				if len(reply.Attempts) != 1 || reply.Attempts[0].Err == nil {
					t.Errorf("attempts %+v", reply.Attempts)
				}
				<-gone // the client has let go of the connection
			})
		})
	}
}

// TestFetchFromBrokenServers holds that every way a server can fail ends in a
// sentence, and with the connection closed.
func TestFetchFromBrokenServers(t *testing.T) {
	t.Parallel()
	send := func(conn net.Conn, s string) { _, _ = io.WriteString(conn, s) }
	tests := []struct {
		name  string
		serve func(net.Conn)
		https bool
		want  string
		is    error
	}{
		{"never ends", func(c net.Conn) {
			send(c, "HTTP/1.1 200 OK\r\n\r\n")
			for block := make([]byte, 4096); ; {
				if _, err := c.Write(block); err != nil {
					return
				}
			}
		}, false, "answered more than 64 KiB, which is the limit", errTooLarge},
		{"never ends its head", func(c net.Conn) {
			send(c, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := io.WriteString(c, "X-More: "+strings.Repeat("x", 1000)+"\r\n"); err != nil {
					return
				}
			}
		}, false, "answered with headers of more than 64 KiB, which is the limit", nil},
		{"closes", func(c net.Conn) { c.Close() }, false,
			"closed the connection without an answer: look into the app's own log", nil},
		{"closes in the head", func(c net.Conn) { send(c, "HTTP/1.1 200 OK\r\nContent-"); c.Close() }, false,
			"answered something that is not HTTP, or broke off: is the port right?", nil},
		{"closes in the body", func(c net.Conn) { send(c, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n<Resp"); c.Close() }, false,
			"broke off in the middle of its answer: look into the app's own log", io.ErrUnexpectedEOF},
		{"closes in a chunk", func(c net.Conn) {
			send(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<Re")
			c.Close()
		}, false, "broke off in the middle of its answer: look into the app's own log", io.ErrUnexpectedEOF},
		{"resets", func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); c.Close() }, false,
			"closed the connection without an answer: look into the app's own log", syscall.ECONNRESET},
		{"speaks SSH", func(c net.Conn) { send(c, "SSH-2.0-OpenSSH_9.9\r\n\r\n"); c.Close() }, false,
			"answered something that is not HTTP, or broke off: is the port right?", nil},
		{"bad chunk", func(c net.Conn) { send(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"); c.Close() }, false,
			"answered something that cannot be read: invalid byte in chunk length", nil},
		{"closes in TLS", func(c net.Conn) { c.Close() }, true, "closed the connection during the TLS handshake", nil},
		{"no TLS", func(c net.Conn) { send(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); c.Close() }, true,
			"does not speak TLS on port PORT: does the URL mean http:// ?", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			gone := make(chan error, 1)
			addr := raw(t, func(conn net.Conn) {
				if !tt.https {
					if err := readRequest(conn); err != nil {
						gone <- err
						return
					}
				} else if _, err := conn.Read(make([]byte, 4096)); err != nil {
					gone <- err
					return
				}
				tt.serve(conn)
				_, err := io.Copy(io.Discard, conn)
				gone <- err
			})
			url := "http://" + addr + "/"
			if tt.https {
				url = "https://" + addr + "/"
			}
			reply := newClient(t).Fetch(t.Context(), ask(url))
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				t.Fatal(err)
			}
			want := url + " " + strings.ReplaceAll(tt.want, "PORT", port)
			if reply.Err == nil || reply.Err.Error() != want {
				t.Errorf("got  %v\nwant %s", reply.Err, want)
			}
			if tt.is != nil && !errors.Is(reply.Err, tt.is) {
				t.Errorf("%v is not a %v", reply.Err, tt.is)
			}
			if len(reply.Attempts) != 1 || reply.Attempts[0].Err == nil {
				t.Errorf("attempts %+v", reply.Attempts)
			}
			<-gone // the client has let go of the connection
		})
	}
}

// TestFetchTimeoutIsForOneURL holds that the fallback has its own time, and that
// redirects share one.
func TestFetchTimeoutIsForOneURL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		c := inMemory(t, serving(t, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(150 * time.Millisecond)
			switch r.URL.Path {
			case "/slow":
				<-release
			case "/hop":
				http.Redirect(w, r, "/slow", http.StatusTemporaryRedirect)
			}
		}))
		r := ask("http://127.0.0.1/hop")
		r.Fallback = "http://127.0.0.1/fast"
		r.Policy.Timeout = 200 * time.Millisecond
		start := time.Now()
		reply := c.Fetch(t.Context(), r)
		if reply.Err != nil || len(reply.Attempts) != 3 || !errors.Is(reply.Attempts[1].Err, context.DeadlineExceeded) {
			t.Errorf("reply %+v", reply)
		}
		if took := time.Since(start); took != 350*time.Millisecond {
			t.Errorf("it took %s", took)
		}
	})
}

func TestFetchCancelled(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			asked := make(chan struct{}, 1)
			gone := make(chan struct{}, 1)
			addr := raw(t, func(conn net.Conn) {
				if _, err := conn.Read(make([]byte, 1)); err == nil {
					asked <- struct{}{}
				}
				_, _ = io.Copy(io.Discard, conn)
				gone <- struct{}{}
			})
			ctx, cancel := context.WithCancel(t.Context())
			r := ask(scheme + "://" + addr + "/")
			r.Policy.Timeout = time.Hour
			r.Fallback = "http://" + addr + "/fallback"
			go func() {
				<-asked
				cancel()
			}()
			reply := newClient(t).Fetch(ctx, r)
			if !errors.Is(reply.Err, context.Canceled) || len(reply.Attempts) != 1 {
				t.Errorf("reply %+v", reply)
			}
			<-gone
		})
	}
}

// TestFetchUsesConnectionsAgain holds that requests in quick succession share a
// connection, and that Close ends it.
func TestFetchUsesConnectionsAgain(t *testing.T) {
	t.Parallel()
	states := make(chan http.ConnState, 100)
	app := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "x") }))
	app.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew || s == http.StateClosed {
			states <- s
		}
	}
	app.Start()
	defer app.Close()
	c := New(Config{AllowLoopback: true})
	for range 10 {
		if reply := c.Fetch(t.Context(), ask(app.URL)); reply.Err != nil {
			t.Fatal(reply.Err)
		}
	}
	c.Close()
	c.Close()
	if first, second := <-states, <-states; first != http.StateNew || second != http.StateClosed {
		t.Errorf("states %v, %v, want new, closed", first, second)
	}
}

func TestFetchTLS(t *testing.T) {
	t.Parallel()
	app := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	app.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of handshakes that are to fail
	app.StartTLS()
	defer app.Close()
	trusting := func() *tls.Config {
		return app.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	}
	late := trusting()
	late.Time = func() time.Time { return time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC) }
	tests := []struct {
		name, host string // the certificate is for 127.0.0.1
		config     *tls.Config
		want       string
	}{
		{"trusted", "127.0.0.1", trusting(), ""},
		{"self-signed", "127.0.0.1", &tls.Config{RootCAs: x509.NewCertPool()}, "has a certificate that nobody known has signed (is it self-signed?): use one of a public authority, such as Let's Encrypt, and send its intermediate certificates too"},
		{"other name", "localhost", trusting(), `has a certificate that is not for "localhost": use one that names this host`},
		{"expired", "127.0.0.1", late, "has a certificate that has expired or is not valid yet: renew it"},
	}
	for _, tt := range tests {
		c := newClient(t)
		c.transport.TLSClientConfig = tt.config
		r := ask(strings.Replace(app.URL, "127.0.0.1", tt.host, 1) + "/")
		reply := c.Fetch(t.Context(), r)
		switch {
		case tt.want == "":
			if reply.Err != nil || string(reply.Body) != string(r.Body) {
				t.Errorf("%s: %+v", tt.name, reply)
			}
		case reply.Err == nil || reply.Err.Error() != r.URL+" "+tt.want:
			t.Errorf("%s:\ngot  %v\nwant %s %s", tt.name, reply.Err, r.URL, tt.want)
		}
	}
}

// TestNoReply words what a test cannot bring about on 127.0.0.1.
func TestNoReply(t *testing.T) {
	t.Parallel()
	u, err := parseURL("http://app.example/x")
	if err != nil {
		t.Fatal(err)
	}
	h := hop{url: u}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	tests := []struct {
		err  error
		want string
	}{
		{dial(&net.DNSError{Err: "no such host", Name: "app.example", Server: "10.0.0.1:53", IsNotFound: true}), `was not found: the host name "app.example" does not exist`},
		{dial(&net.DNSError{Err: "server misbehaving", Name: "app.example", IsTemporary: true}), `was not found: DNS gives no address for "app.example" (server misbehaving)`},
		{dial(syscall.ECONNREFUSED), "refused the connection: nothing listens on port 80; is the app running?"},
		{dial(syscall.ENETUNREACH), "cannot be reached: no way leads to its address; is it right, and is its network up?"},
		{errors.New("something new"), "gave no answer: something new"},
	}
	for _, tt := range tests {
		if got := noReply(h, tt.err); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}
