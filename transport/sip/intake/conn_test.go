// SPDX-License-Identifier: MIT

package intake

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// request is an OPTIONS with a Content-Length.
func request(id string, length int) string {
	return fmt.Sprintf("OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK%s\r\nFrom: <sip:f@g>;tag=1\r\n"+
		"To: <sip:a@b>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\nContent-Length: %d\r\n\r\n%s", id, id, length, strings.Repeat("x", length))
}

// refusals keeps what was refused.
type refusals struct {
	mu   sync.Mutex
	said []string
}

func (r *refusals) add(v Verdict, _ netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, v.Reason)
}

func (r *refusals) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.said, ", ")
}

// A stream is cut into its messages wherever TCP cuts it.
func TestConnFrames(t *testing.T) {
	t.Parallel()
	one, two, bad := request("1", 0), request("2", 700), strings.Replace(request("3", 5), "CSeq: 1", "CSeq: x", 1)
	for _, step := range []int{1, 7, 512, 1 << 20} {
		near, far := net.Pipe()
		var no refusals
		c := NewConn(far, Config{Refused: no.add})
		answers := make(chan string)
		go func() {
			all, _ := io.ReadAll(near)
			answers <- string(all)
		}()
		go func() {
			for data := "\r\n" + one + "\r\n\r\n" + two + bad + one; data != ""; {
				n := min(step, len(data))
				_, _ = near.Write([]byte(data[:n]))
				data = data[n:]
			}
		}()
		buf := make([]byte, 512)
		var got strings.Builder
		for got.Len() < len(one+two+one) {
			n, err := c.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got.Write(buf[:n])
		}
		if got.String() != one+two+one {
			t.Errorf("in steps of %d got %q", step, got.String())
		}
		c.Close()
		if a := <-answers; !strings.HasPrefix(a, "\r\nSIP/2.0 400 CSeq: Number Out Of Range\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK3\r\n") {
			t.Errorf("in steps of %d answered %q", step, a)
		}
		if no.String() != "CSeq: Number Out Of Range" {
			t.Errorf("refused: %s", &no)
		}
	}
}

// What has no end that could be found ends the connection, with an answer if one
// can be made.
func TestConnEnds(t *testing.T) {
	t.Parallel()
	long := "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\n"
	for _, c := range []struct{ name, sent, answer string }{
		{"garbage", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"no length", strings.Replace(request("1", 0), "Content-Length: 0\r\n", "", 1), "400 Missing Content-Length Header"},
		{"two lengths", strings.Replace(request("1", 0), "Content-Length: 0", "l: 0\r\nContent-Length: 1", 1), "400 More Than One Content-Length Header"},
		{"negative", strings.Replace(request("1", 0), "Content-Length: 0", "Content-Length: -1", 1), "400 Content-Length: Number Out Of Range"},
		{"large body", strings.Replace(request("1", 0), "Content-Length: 0", "Content-Length: 70000", 1), "413 Request Entity Too Large"},
		{"large header", long + strings.Repeat("X: y\r\n", 20000), "513 Message Too Large"},
		{"endless line", long + "X: " + strings.Repeat("y", 20000), "513 Message Too Large"},
		{"bytes without end", strings.Repeat("\x00", 20000), ""},
		{"response", "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP c\r\n\r\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			near, far := net.Pipe()
			defer near.Close()
			conn := NewConn(far, Config{Refused: func(Verdict, netip.AddrPort) {}})
			ended := make(chan error)
			go func() {
				_, err := conn.Read(make([]byte, 512))
				conn.Close()
				ended <- err
			}()
			go func() { _, _ = near.Write([]byte(c.sent)) }()
			all, _ := io.ReadAll(near)
			if err := <-ended; !errors.Is(err, ErrNotSIP) {
				t.Errorf("ended with %v", err)
			}
			line, _, _ := strings.Cut(strings.TrimPrefix(string(all), "SIP/2.0 "), "\r\n")
			if line != c.answer {
				t.Errorf("answered %q, want %q", all, c.answer)
			}
		})
	}
}

// A bad message with an end is answered, and the next one is read.
func TestConnGoesOn(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer near.Close()
	conn := NewConn(far, Config{Refused: func(Verdict, netip.AddrPort) {}})
	defer conn.Close()
	go func() {
		_, _ = near.Write([]byte("SIP/2.0 4294967301 big\r\nContent-Length: 0\r\n\r\nACK sip:a SIP/2.0\r\nVia: x\r\nContent-Length: 0\r\n\r\n" + request("1", 0)))
	}()
	buf := make([]byte, 4096)
	if n, err := conn.Read(buf); err != nil || string(buf[:n]) != request("1", 0) {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

// Half a message may not take for ever, and between messages there is time.
func TestConnTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		var no refusals
		c := NewConn(far, Config{Refused: no.add})
		defer c.Close()
		go func() {
			time.Sleep(time.Hour)
			_, _ = near.Write([]byte(request("1", 0)))
			time.Sleep(time.Hour)
			for _, b := range []byte(request("2", 0)) {
				if _, err := near.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		began, buf := time.Now(), make([]byte, 4096)
		if _, err := c.Read(buf); err != nil || time.Since(began) != time.Hour {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		_, err := c.Read(buf)
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(began) != 2*time.Hour+10*time.Second {
			t.Errorf("half a message ended with %v after %v", err, time.Since(began))
		}
		if !strings.Contains(no.String(), "took too long") {
			t.Errorf("said: %s", &no)
		}
	})
}

// A connection is handed over with its first message, and one that says nothing
// is closed.
func TestListener(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Listen(inner, Config{Refused: func(Verdict, netip.AddrPort) {}, Silence: 50 * time.Millisecond}, slog.New(slog.DiscardHandler))
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	silent, talker := dial(), dial()
	if _, err := talker.Write([]byte(request("1", 2000))); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.RemoteAddr().String() != talker.LocalAddr().String() {
		t.Errorf("handed over %v, want %v", c.RemoteAddr(), talker.LocalAddr())
	}
	if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the silent connection: %v", err)
	}
	buf := make([]byte, 8192)
	if n, err := c.Read(buf); err != nil || string(buf[:n]) != request("1", 2000) {
		t.Errorf("%d bytes, %v", n, err)
	}
	waiting := dial()
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	_, _ = waiting.Read(make([]byte, 1))
}

// failing is a listener that has no descriptors for a while.
type failing struct {
	net.Listener
	fail int
}

func (f *failing) Accept() (net.Conn, error) {
	if f.fail--; f.fail >= 0 {
		return nil, errors.New("too many open files")
	}
	return f.Listener.Accept()
}

func TestListenerGoesOn(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Listen(&failing{inner, 3}, Config{Refused: func(Verdict, netip.AddrPort) {}}, slog.New(slog.DiscardHandler))
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(request("1", 0))); err != nil {
		t.Fatal(err)
	}
	got, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	got.Close()
}
