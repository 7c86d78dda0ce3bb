// SPDX-License-Identifier: MIT

package webhook

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/engine"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// newClient makes a Client that may reach this machine.
func newClient(t *testing.T) *Client {
	t.Helper()
	c := New(Config{AllowLoopback: true})
	t.Cleanup(c.Close)
	return c
}

// serve starts an app on 127.0.0.1.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// inMemory gives a Client whose connections are all with f, which leaves its end
// open or closes it. It needs no network, so it can be used with a clock of its own.
func inMemory(t *testing.T, f func(net.Conn)) *Client {
	t.Helper()
	c := newClient(t)
	dial := func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go f(theirs)
		return ours, nil
	}
	c.transport.DialContext = dial
	c.transport.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return dialTLS(ctx, dial, c.transport.TLSClientConfig, network, addr)
	}
	return c
}

// serving has h answer on connections, one request after the other.
func serving(t *testing.T, h http.HandlerFunc) func(net.Conn) {
	l := &given{conns: make(chan net.Conn), closed: make(chan struct{})}
	app := &http.Server{Handler: h}
	done := make(chan error, 1)
	go func() { done <- app.Serve(l) }()
	t.Cleanup(func() {
		_ = app.Close()
		<-done
	})
	return func(conn net.Conn) { l.conns <- conn }
}

// given is a listener to which connections are given.
type given struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (g *given) Accept() (net.Conn, error) {
	select {
	case conn := <-g.conns:
		return conn, nil
	case <-g.closed:
		return nil, net.ErrClosed
	}
}

func (g *given) Close() error {
	g.once.Do(func() { close(g.closed) })
	return nil
}

func (g *given) Addr() net.Addr { return &net.TCPAddr{} }

// ask is a request as the sipgate dialect words it.
func ask(url string) engine.Request {
	return engine.Request{
		Name:   "newCall",
		Method: http.MethodPost,
		URL:    url,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=UTF-8"}},
		Body:   []byte("event=newCall&from=492111234567"),
		Policy: engine.Policy{Timeout: time.Minute, Redirects: 3, SuccessFrom: 200, SuccessTo: 200},
	}
}

// raw starts a server that reads one request per connection and hands the
// connection to f, which closes it or leaves it to the end of the test.
func raw(t *testing.T, f func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			all.Go(func() { f(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return l.Addr().String()
}

// readRequest reads one request with its body off a connection.
func readRequest(conn net.Conn) error {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return err
	}
	for buf := make([]byte, 512); ; {
		if _, err := req.Body.Read(buf); err != nil {
			return nil
		}
	}
}
