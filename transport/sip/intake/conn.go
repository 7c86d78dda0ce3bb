// SPDX-License-Identifier: MIT

package intake

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Config is what a Conn or a Listener needs to know.
type Config struct {
	// Product is the Server header of answers; empty for none.
	Product string
	// Refused is told what was not passed on, with the source. It must not
	// block. Required.
	Refused func(Verdict, netip.AddrPort)
	// MaxHeader and MaxBody are how long a message may be, in bytes. Zero means
	// 16 KiB and 48 KiB: sipgo's parser takes no message beyond 64 KiB.
	MaxHeader, MaxBody int
	// MessageTime is how long a message may take from its first byte to its
	// last. Zero means 10 s.
	MessageTime time.Duration
	// Silence is how long a connection that comes in may say nothing before its
	// first message. Zero means 60 s.
	Silence time.Duration
}

func (c Config) withDefaults() Config {
	if c.MaxHeader == 0 {
		c.MaxHeader = 16 << 10
	}
	if c.MaxBody == 0 {
		c.MaxBody = 48 << 10
	}
	if c.MessageTime == 0 {
		c.MessageTime = 10 * time.Second
	}
	if c.Silence == 0 {
		c.Silence = time.Minute
	}
	return c
}

// sendTime is how long an answer may take to be taken off our hands.
const sendTime = time.Second

// ErrNotSIP is why reading from a Conn ends that brought what is no message, or
// what the next message cannot be found behind.
var ErrNotSIP = errors.New("not a SIP message, or one whose end cannot be found")

// Conn is a stream connection that gives whole, well-formed messages only. Each
// Read gives one, or the next part of one that is longer than the buffer. What
// is refused is answered, and pings are too (RFC 5626 section 3.5.1), both from
// inside Read. Write goes straight to the connection; whoever writes does so with
// a deadline of its own, and a whole message at a time.
type Conn struct {
	net.Conn
	cfg    Config
	source netip.AddrPort
	// in is what came and is not passed on yet; nil while nothing is.
	in []byte
	// length is that of the message that in begins with; 0 if not known yet.
	length int
	// out is what is left of a message that is being given away.
	out []byte
	// pinged says that a line end came between messages: a second makes a ping.
	pinged bool
	// since is when the first byte of the message came that in begins with.
	since time.Time
	// idle is until when something must have come; zero for no limit.
	idle time.Time
}

// NewConn gives the messages of a connection.
func NewConn(c net.Conn, cfg Config) *Conn {
	source, _ := netip.ParseAddrPort(c.RemoteAddr().String())
	return &Conn{Conn: c, cfg: cfg.withDefaults(), source: netip.AddrPortFrom(source.Addr().Unmap(), source.Port())}
}

// Read gives the next message. It fails with ErrNotSIP if there can be no next
// one, and as the connection does.
func (c *Conn) Read(b []byte) (int, error) {
	for len(c.out) == 0 {
		switch more, err := c.next(); {
		case err != nil:
			return 0, err
		case more:
			if err := c.fill(b); err != nil {
				return 0, err
			}
		}
	}
	n := copy(b, c.out)
	if c.out = c.out[n:]; len(c.out) == 0 {
		c.out = nil
	}
	return n, nil
}

// fill reads what comes next, by way of b.
func (c *Conn) fill(b []byte) error {
	n, err := c.Conn.Read(b)
	if n > 0 {
		if len(c.in) == 0 {
			c.since = time.Now()
		}
		c.in = append(c.in, b[:n]...)
		return nil
	}
	if err != nil && len(c.in) > 0 {
		c.cfg.Refused(Verdict{Reason: "the connection ended, or took too long, inside a message", cut: message{start: c.in[:min(len(c.in), 100)]}}, c.source)
	}
	return err
}

// next looks at what came: it puts the next message into out, or says that more
// must be read.
func (c *Conn) next() (more bool, err error) {
	if err := c.pings(); err != nil {
		return false, err
	}
	if c.length == 0 && len(c.in) > 0 {
		if err := c.measure(); err != nil {
			return false, err
		}
	}
	if c.length == 0 || len(c.in) < c.length {
		return true, c.patience()
	}
	v := Check(c.in[:c.length:c.length])
	if c.in, c.length, c.since = c.in[c.length:], 0, time.Now(); len(c.in) == 0 {
		c.in = nil
	}
	if c.out = v.Message; c.out != nil {
		return false, c.patience()
	}
	return false, c.refuse(v)
}

// patience sets until when the rest of a message must have come, or the next
// message.
func (c *Conn) patience() error {
	until := c.idle
	if len(c.in) > 0 {
		until = c.since.Add(c.cfg.MessageTime)
	}
	if err := c.Conn.SetReadDeadline(until); err != nil {
		return fmt.Errorf("limit the time of a SIP message: %w", err)
	}
	return nil
}

// pings takes line ends off that stand between messages, and answers each second
// one that follows the first at once.
func (c *Conn) pings() error {
	if c.length > 0 {
		return nil
	}
	for bytes.HasPrefix(c.in, []byte("\r\n")) {
		c.in = c.in[2:]
		if c.pinged = !c.pinged; c.pinged {
			continue
		}
		if err := c.send([]byte("\r\n")); err != nil {
			return err
		}
	}
	switch {
	case len(c.in) == 0:
		c.in = nil
	case c.in[0] != '\r':
		c.pinged = false
	}
	return nil
}

// measure finds the length of the message that came, if its header is there.
func (c *Conn) measure() error {
	end := bytes.Index(c.in[:min(len(c.in), c.cfg.MaxHeader)], []byte("\r\n\r\n"))
	if end < 0 {
		if len(c.in) < c.cfg.MaxHeader {
			return nil
		}
		return c.hangUp(statusMessageTooLarge, "Message Too Large")
	}
	head := cut(c.in[:end+4])
	length := head.first(contentLength)
	switch n := head.count()[contentLength]; {
	case n == 0: // RFC 3261 section 18.3
		return c.hangUp(statusBadRequest, "Missing Content-Length Header")
	case n > 1:
		return c.hangUp(statusBadRequest, "More Than One Content-Length Header")
	case !isNumber(string(length), 1<<31-1):
		return c.hangUp(statusBadRequest, "Content-Length: Number Out Of Range")
	}
	body, err := strconv.Atoi(string(length))
	if err != nil || body > c.cfg.MaxBody {
		return c.hangUp(statusBodyTooLarge, "Request Entity Too Large")
	}
	c.length = end + 4 + body
	return nil
}

// hangUp answers the request that came, if it is one, and gives the connection
// up: nobody knows where the next message begins.
func (c *Conn) hangUp(status int, phrase string) error {
	v := Check(c.in[:min(len(c.in), c.cfg.MaxHeader)])
	if v.Message != nil || v.Status != 0 {
		v = Verdict{Status: status, Phrase: phrase, Reason: phrase, cut: v.cut}
		if line, _ := requestLine(v.cut.start); line.method == "" || line.method == "ACK" {
			v.Status = 0
		}
	}
	if err := c.refuse(v); err != nil {
		return err
	}
	return ErrNotSIP
}

// refuse answers what is not passed on. What is no message ends the connection.
func (c *Conn) refuse(v Verdict) error {
	if v.Reason != "" {
		c.cfg.Refused(v, c.source)
	}
	if answer, _ := v.Answer(c.source, true, c.cfg.Product); answer != nil {
		return c.send(answer)
	}
	if line, _ := requestLine(v.cut.start); line.version == "" && version(v.cut.start) == "" {
		return ErrNotSIP
	}
	return nil
}

// send writes what is ours. A peer that does not read gets no more.
func (c *Conn) send(b []byte) error {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(sendTime)); err != nil {
		return fmt.Errorf("answer on a SIP connection: %w", err)
	}
	if _, err := c.Conn.Write(b); err != nil {
		return fmt.Errorf("answer on a SIP connection: %w", err)
	}
	return nil
}
