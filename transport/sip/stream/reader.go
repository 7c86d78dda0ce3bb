// SPDX-License-Identifier: MIT

package stream

import (
	"errors"
	"net"
	"time"

	"github.com/callwright/callwright/transport/sip/intake"
)

const (
	// firstBuffer is what a message is first read into; most fit.
	firstBuffer = 4096
	// maxMessage is how long a message may be.
	maxMessage = intake.MaxMessage
	// messageTimeout is how long the rest of a message may take.
	messageTimeout = 32 * time.Second
)

// errTooLong says that a message does not end in time.
var errTooLong = errors.New("a message is longer than 80 KiB, or 16 KiB of a stranger")

// reader reads a connection into a buffer that exists only while there is
// something in it.
type reader struct {
	raw   net.Conn
	buf   []byte
	first [1]byte
}

// more reads on. Whatever was read and not dropped stays in front.
func (r *reader) more() error {
	if len(r.buf) == 0 {
		return r.wait()
	}
	if len(r.buf) == cap(r.buf) {
		if len(r.buf) >= maxMessage+firstBuffer {
			return errTooLong
		}
		r.buf = append(make([]byte, 0, min(4*cap(r.buf), maxMessage+firstBuffer)), r.buf...)
	}
	n, err := r.raw.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf = r.buf[:len(r.buf)+n]
	if n > 0 {
		return nil // an error comes again
	}
	return err
}

// wait waits for the next byte, for as long as it takes.
func (r *reader) wait() error {
	r.buf = nil
	if err := r.raw.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if _, err := r.raw.Read(r.first[:]); err != nil {
		return err
	}
	r.buf = append(make([]byte, 0, firstBuffer), r.first[0])
	return r.begun()
}

// begun says that a message has begun, which must end in time.
func (r *reader) begun() error { return r.raw.SetReadDeadline(time.Now().Add(messageTimeout)) }

// drop takes n bytes from the front. What is behind them is the beginning of
// another message.
func (r *reader) drop(n int) error {
	if n == 0 {
		return nil
	}
	r.buf = r.buf[:copy(r.buf, r.buf[n:])]
	if len(r.buf) == 0 {
		return nil
	}
	return r.begun()
}
