// SPDX-License-Identifier: MIT

package stream

import (
	"bytes"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/callwright/callwright/transport/sip/intake"
)

// framing says where messages begin and end on a connection.
type framing interface {
	// read waits for the next message, and deals with what is none: keep-alives
	// and their answers. The bytes are valid until it is called again.
	read(*Conn, *reader) ([]byte, error)
	// wrap makes of a message what is written.
	wrap([]byte) []byte
}

var (
	crlf     = []byte("\r\n")
	twoCRLF  = []byte("\r\n\r\n")
	errFrame = errors.New("the end of a message cannot be found")
)

// halfPing is within which time two CRLF are one question for a sign of life.
const halfPing = 2 * time.Second

// lines is how messages stand in a stream by Content-Length (RFC 3261 section
// 18.3), with double CRLF between them that ask for a single one (RFC 5626
// section 4.4.1).
type lines struct {
	given int       // length of the message that was read last
	half  time.Time // when a single CRLF came
}

func (l *lines) wrap(msg []byte) []byte { return msg }

func (l *lines) read(c *Conn, r *reader) ([]byte, error) {
	if err := r.drop(l.given); err != nil {
		return nil, err
	}
	l.given = 0
	for {
		for len(r.buf) >= 2 && bytes.HasPrefix(r.buf, crlf) {
			if err := l.blank(c, r); err != nil {
				return nil, err
			}
		}
		n, no := intake.Length(r.buf)
		switch {
		case no.Reason != "":
			c.pool.cfg.Refused(c, no)
			return nil, errFrame
		case n > c.longest():
			return nil, errTooLong
		case n > 0 && n <= len(r.buf):
			l.given = n
			return r.buf[:n], nil
		}
		if err := r.more(); err != nil {
			return nil, err
		}
	}
}

// blank takes a CRLF between messages: half a question, or an answer.
func (l *lines) blank(c *Conn, r *reader) error {
	c.alive()
	now := time.Now()
	if asked := now.Sub(l.half) < halfPing; asked {
		l.half = time.Time{}
		if err := c.write(crlf); err != nil {
			return err
		}
	} else {
		l.half = now
	}
	return r.drop(len(crlf))
}

// frames is how messages stand in a WebSocket: each is one of its messages, of
// text or bytes (RFC 7118 section 5).
type frames struct {
	client bool // we are, and so what we send is masked
	given  int
	parts  []byte // of a message that comes in several frames
	partly bool
}

func (f *frames) wrap(msg []byte) []byte {
	op := ws.OpText
	if !utf8.Valid(msg) {
		op = ws.OpBinary
	}
	return f.frame(ws.NewFrame(op, true, msg))
}

func (f *frames) frame(frame ws.Frame) []byte {
	if f.client {
		frame = ws.MaskFrame(frame)
	}
	b, _ := ws.CompileFrame(frame) // writes to memory
	return b
}

func (f *frames) read(c *Conn, r *reader) ([]byte, error) {
	for {
		if err := r.drop(f.given); err != nil {
			return nil, err
		}
		f.given = 0
		h, payload, err := f.next(r, c.longest())
		if err != nil {
			return nil, err
		}
		c.alive()
		if h.OpCode.IsControl() {
			if err := f.control(c, h, payload); err != nil {
				return nil, err
			}
			continue
		}
		msg, err := f.join(h, payload, c.longest())
		switch {
		case err != nil:
			return nil, err
		case msg == nil:
		case bytes.Equal(msg, twoCRLF):
			if err := c.write(f.wrap(crlf)); err != nil {
				return nil, err
			}
		case len(bytes.TrimSpace(msg)) > 0:
			return msg, nil
		}
	}
}

// next waits for a whole frame, which is no longer than a message may be.
func (f *frames) next(r *reader, longest int) (ws.Header, []byte, error) {
	for {
		rest := bytes.NewReader(r.buf)
		h, err := ws.ReadHeader(rest)
		if err == nil {
			if h.Length > int64(longest) {
				return h, nil, errTooLong
			}
			if h.Rsv != 0 || h.Masked == f.client || h.OpCode.IsControl() && (!h.Fin || h.Length > ws.MaxControlFramePayloadSize) {
				return h, nil, errFrame // RFC 6455 sections 5.1, 5.2 and 5.5
			}
			if size := len(r.buf) - rest.Len() + int(h.Length); size <= len(r.buf) {
				f.given = size
				payload := r.buf[size-int(h.Length) : size]
				if h.Masked {
					ws.Cipher(payload, h.Mask, 0)
				}
				return h, payload, nil
			}
		} else if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return h, nil, errFrame
		}
		if err := r.more(); err != nil {
			return h, nil, err
		}
	}
}

// control answers a ping and a close.
func (f *frames) control(c *Conn, h ws.Header, payload []byte) error {
	switch h.OpCode {
	case ws.OpPing:
		return c.write(f.frame(ws.NewPongFrame(payload)))
	case ws.OpClose:
		_ = c.write(f.frame(ws.NewCloseFrame(payload)))
		return io.EOF
	}
	return nil
}

// join gives the message that a frame completes, or nil.
func (f *frames) join(h ws.Header, payload []byte, longest int) ([]byte, error) {
	if (h.OpCode == ws.OpContinuation) != f.partly || len(f.parts)+len(payload) > longest {
		return nil, errFrame
	}
	if h.Fin && !f.partly {
		return payload, nil
	}
	f.parts, f.partly = append(f.parts, payload...), !h.Fin
	if f.partly {
		return nil, nil
	}
	whole := f.parts
	f.parts = nil
	return whole, nil
}
