// SPDX-License-Identifier: MIT

package stream

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/callwright/callwright/transport/sip/intake"
)

const handshake = "GET /ws HTTP/1.1\r\nHost: callwright.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

// browser is a bare WebSocket connection.
type browser struct {
	t *testing.T
	net.Conn
	*bufio.Reader
}

// browse shakes hands, and gives the answer.
func browse(t *testing.T, to net.Addr, more string) (*browser, *http.Response) {
	t.Helper()
	b := dialBare(t, to)
	b.write([]byte(handshake + more + "\r\n"))
	res, err := http.ReadResponse(b.Reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return b, res
}

func dialBare(t *testing.T, to net.Addr) *browser {
	t.Helper()
	conn, err := net.Dial("tcp4", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &browser{t, conn, bufio.NewReader(conn)}
}

func (b *browser) Read(p []byte) (int, error) { return b.Reader.Read(p) }

func (b *browser) write(p []byte) {
	b.t.Helper()
	if _, err := b.Write(p); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) send(frames ...ws.Frame) {
	b.t.Helper()
	for _, f := range frames {
		b.write(ws.MustCompileFrame(ws.MaskFrame(f)))
	}
}

// wantFrame reads a frame.
func (b *browser) wantFrame(op ws.OpCode, payload string) {
	b.t.Helper()
	f, err := ws.ReadFrame(b)
	if err != nil || f.Header.OpCode != op || string(f.Payload) != payload || f.Header.Masked {
		b.t.Fatalf("frame %v %q, %v; want %v %q", f.Header, f.Payload, err, op, payload)
	}
}

// wantEnd reads until the connection ends.
func (b *browser) wantEnd() {
	b.t.Helper()
	if rest, err := io.ReadAll(b); errors.Is(err, errTimeout(err)) {
		b.t.Errorf("the connection is open: %q", rest)
	}
}

func errTimeout(err error) error {
	var n net.Error
	if errors.As(err, &n) && n.Timeout() {
		return err
	}
	return io.ErrNoProgress
}

// Who begins a handshake does not fill the memory with it.
func TestEndlessHandshake(t *testing.T) {
	t.Parallel()
	b := dialBare(t, newSide(t, Config{}).listen(WS))
	b.write([]byte(handshake + "Cookie: "))
	const most = 64 << 20
	sent := 0
	for line := make([]byte, 64<<10); sent < most; {
		n, err := b.Conn.Write(line)
		if sent += n; err != nil {
			return
		}
	}
	t.Errorf("%d bytes of one line were taken", sent)
}

// A browser must want SIP, which may be one of several that it offers.
func TestWebSocketHandshake(t *testing.T) {
	t.Parallel()
	s := newSide(t, Config{})
	at := s.listen(WS)
	for more, want := range map[string]int{
		"Sec-WebSocket-Protocol: sip\r\n":                                    101,
		"Sec-WebSocket-Protocol: chat, sip\r\nOrigin: https://a.example\r\n": 101,
		"Sec-WebSocket-Protocol: chat\r\n":                                   400,
		"":                                                                   400,
		"Sec-WebSocket-Protocol: sips\r\n":                                   400,
	} {
		b, res := browse(t, at, more)
		if res.StatusCode != want || want == 101 && res.Header.Get("Sec-WebSocket-Protocol") != "sip" {
			t.Errorf("%q: %s, %v", more, res.Status, res.Header)
		}
		if want != 101 {
			b.wantEnd()
		}
	}
	plain := dialBare(t, at)
	plain.write([]byte("OPTIONS sip:a SIP/2.0\r\n\r\n"))
	plain.wantEnd()
}

// Messages come in one frame or in several, with pings between; what breaks the
// rules ends the connection.
func TestWebSocketFrames(t *testing.T) {
	t.Parallel()
	s := newSide(t, Config{})
	at := s.listen(WS)
	open := func() *browser {
		b, _ := browse(t, at, "Sec-WebSocket-Protocol: sip\r\n")
		return b
	}
	b := open()
	b.send(ws.NewTextFrame([]byte("one")), ws.NewBinaryFrame([]byte("two")))
	b.send(ws.NewFrame(ws.OpText, false, []byte("thr")), ws.NewPingFrame([]byte("!")), ws.NewFrame(ws.OpContinuation, true, []byte("ee")))
	b.send(ws.NewPongFrame(nil), ws.NewTextFrame([]byte("\r\n\r\n")), ws.NewTextFrame(nil), ws.NewTextFrame([]byte("four")))
	for _, want := range []string{"one", "two", "three", "four"} {
		if m := s.next(); m.text != want {
			t.Errorf("%q came, want %q", m.text, want)
		}
	}
	b.wantFrame(ws.OpPong, "!")
	b.wantFrame(ws.OpText, "\r\n")
	b.send(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusGoingAway, "")))
	b.wantFrame(ws.OpClose, string(ws.NewCloseFrameBody(ws.StatusGoingAway, "")))
	b.wantEnd()

	huge := ws.NewTextFrame(make([]byte, maxMessage+1))
	half := ws.NewFrame(ws.OpText, false, make([]byte, maxMessage/2+1))
	more := ws.NewFrame(ws.OpContinuation, false, make([]byte, maxMessage/2+1))
	for name, frames := range map[string][]byte{
		"not masked":             ws.MustCompileFrame(ws.NewTextFrame([]byte("one"))),
		"reserved bit":           {0xc1, 0x80, 0, 0, 0, 0},
		"long ping":              ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(ws.OpPing, true, make([]byte, 126)))),
		"part of nothing":        ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(ws.OpContinuation, true, nil))),
		"message inside another": append(ws.MustCompileFrame(ws.MaskFrame(half)), ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte("one"))))...),
		"too long":               ws.MustCompileFrame(ws.MaskFrame(huge))[:14],
		"too long together":      append(ws.MustCompileFrame(ws.MaskFrame(half)), ws.MustCompileFrame(ws.MaskFrame(more))...),
	} {
		b := open()
		b.write(frames)
		b.wantEnd()
		select {
		case m := <-s.came:
			t.Errorf("%s: %q came", name, m.text)
		default:
		}
	}
}

// A double CRLF is answered with a single one, however it comes; what stands
// behind it is a message.
func TestPings(t *testing.T) {
	t.Parallel()
	s := newSide(t, Config{})
	b := dialBare(t, s.listen(TCP))
	for _, ping := range []string{"\r\n\r\n", "\r", "\n\r", "\n", "\r\n\r\nOPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n\r\n\r\n"} {
		b.write([]byte(ping))
	}
	got := make([]byte, 8)
	if _, err := io.ReadFull(b, got); err != nil || string(got) != "\r\n\r\n\r\n\r\n" {
		t.Errorf("answered %q, %v", got, err)
	}
	if m := s.next(); !strings.HasPrefix(m.text, "OPTIONS") {
		t.Errorf("%q came", m.text)
	}
}

// A connection that was used and is idle is asked for a sign of life. One that
// has given such before and does not any more is closed; one that never does is
// not.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	s := newSide(t, Config{KeepAlive: 60 * time.Millisecond})
	at := s.listen(TCP)
	const message = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"
	ping := func(b *browser) error {
		got := make([]byte, 4)
		_, err := io.ReadFull(b, got)
		if err == nil && string(got) != "\r\n\r\n" {
			t.Errorf("asked by %q", got)
		}
		return err
	}
	unused := dialBare(t, at)
	mute := dialBare(t, at)
	mute.write([]byte(message))
	for range 3 {
		if err := ping(mute); err != nil {
			t.Fatalf("closed though it never answers: %v", err)
		}
	}
	b := dialBare(t, at)
	b.write([]byte(message))
	for range 2 {
		if err := ping(b); err != nil {
			t.Fatal(err)
		}
		b.write([]byte("\r\n"))
	}
	for err := error(nil); err == nil; {
		if err = ping(b); errors.Is(err, errTimeout(err)) {
			t.Fatal("a connection that has died is not closed")
		}
	}
	_ = unused.SetReadDeadline(time.Now().Add(time.Millisecond))
	if n, err := unused.Read(make([]byte, 1)); n > 0 || !errors.Is(err, errTimeout(err)) {
		t.Errorf("a connection that nobody has used was asked: %v", err)
	}
}

// The end of a message that cannot be found ends the connection, when the other
// side has been told.
func TestEndless(t *testing.T) {
	t.Parallel()
	refused := make(chan string, 10)
	s := newSide(t, Config{Refused: func(_ *Conn, v intake.Verdict) { refused <- v.Reason }})
	at := s.listen(TCP)
	for _, text := range []string{
		"GET / HTTP/1.1\r\n\r\n",
		"OPTIONS sip:a SIP/2.0\r\n\r\n",
		"OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n",
		"OPTIONS sip:a SIP/2.0\r\nX: " + strings.Repeat("x", maxMessage),
	} {
		b := dialBare(t, at)
		_, _ = b.Write([]byte(text)) // it may be closed while that is written
		b.wantEnd()
		if why := <-refused; why == "" {
			t.Errorf("%.30q: no reason", text)
		}
	}
}

// fuzzed gives a connection that reads what a fuzz target has, and writes to
// nowhere.
func fuzzed(data []byte, f framing) (*Conn, *reader) {
	raw := &source{Reader: bytes.NewReader(data)}
	p := &Pool{cfg: Config{Refused: func(*Conn, intake.Verdict) {}, Log: slog.New(slog.DiscardHandler)}}
	return &Conn{pool: p, raw: raw, socket: raw, framing: f}, &reader{raw: raw}
}

// source is a connection that brings some bytes and ends.
type source struct {
	net.Conn
	*bytes.Reader
}

func (s *source) Read(b []byte) (int, error)       { return s.Reader.Read(b[:min(len(b), 100)]) }
func (s *source) Write(b []byte) (int, error)      { return len(b), nil }
func (s *source) Close() error                     { return nil }
func (s *source) SetReadDeadline(time.Time) error  { return nil }
func (s *source) SetWriteDeadline(time.Time) error { return nil }

// Whatever comes, reading ends, and nothing that is longer than a message is
// given.
func FuzzFrames(f *testing.F) {
	f.Add(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte("OPTIONS")))))
	f.Add(ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(ws.OpText, false, []byte("OPT")))))
	f.Add(ws.MustCompileFrame(ws.MaskFrame(ws.NewPingFrame(nil))))
	f.Add([]byte("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) { readAll(t, data, &frames{}) })
}

// The same for streams without frames.
func FuzzLines(f *testing.F) {
	f.Add([]byte("\r\n\r\n\r\nOPTIONS sip:a SIP/2.0\r\nContent-Length: 3\r\n\r\nabcOPTIONS sip:a SIP/2.0\r\nl:0\r\n\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) { readAll(t, data, &lines{}) })
}

func readAll(t *testing.T, data []byte, f framing) {
	c, r := fuzzed(data, f)
	for total := 0; ; {
		msg, err := f.read(c, r)
		if err != nil {
			return
		}
		if total += len(msg); len(msg) == 0 || len(msg) > maxMessage || total > len(data) {
			t.Fatalf("%d bytes of %d", len(msg), len(data))
		}
	}
}

// Who speaks plainly to a TLS port is refused.
func TestPlainToTLS(t *testing.T) {
	t.Parallel()
	server, _ := newServer(t, "")
	s := newSide(t, Config{Server: server})
	at := s.listen(TLS)
	b := dialBare(t, at)
	b.write([]byte("OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"))
	b.wantEnd()
	if c, err := tls.Dial("tcp4", at.String(), &tls.Config{ServerName: "localhost"}); err == nil {
		c.Close()
		t.Error("a certificate of nobody is taken")
	}
	if s.Len() != 0 {
		t.Errorf("%d connections", s.Len())
	}
}
