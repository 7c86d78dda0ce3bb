// SPDX-License-Identifier: MIT

package webhook

import (
	"bufio"
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

// ask is a request as the sipgate dialect words it.
func ask(url string) engine.Request {
	return engine.Request{
		Name:   "newCall",
		Method: http.MethodPost,
		URL:    url,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=UTF-8"}},
		Body:   []byte("event=newCall&from=492111234567"),
		Policy: engine.Policy{Timeout: 5 * time.Second, Redirects: 3, SuccessFrom: 200, SuccessTo: 200},
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
