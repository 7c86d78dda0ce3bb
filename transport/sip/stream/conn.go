// SPDX-License-Identifier: MIT

package stream

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/intake"
	"github.com/callwright/callwright/transport/sip/secure"
)

// writeTimeout is how long a peer may leave a connection unread until we close
// it. Without, one that reads nothing would hold up whoever sends to it.
const writeTimeout = time.Second

// Conn is one connection with a peer.
type Conn struct {
	pool *Pool
	// raw is what messages are read from and written to. It may be secured;
	// socket, which is closed at the end, is what is below. Closing raw would
	// wait for a peer that does not read.
	raw, socket net.Conn

	place   place
	framing framing
	origin  origin
	guest   *guest // nil where we dialled

	// touched is when something came or went last, in Unix seconds; used says
	// that a message did, welcome that the peer is known.
	touched atomic.Int64
	used    atomic.Bool
	welcome atomic.Bool
	pulse   pulse

	writing sync.Mutex
	mu      sync.Mutex
	closed  error // why
	waiting map[*func(error)]struct{}
}

// origin is how a connection came about.
type origin struct {
	// names are those in the certificate that the peer showed, if it is one who
	// connected to us.
	names []string
	// For one that we dialled: with what, and the certificate that it showed.
	dialled bool
	client  secure.Client
	cert    *x509.Certificate
}

// pulse is what is known of a peer's answers to keep-alives. Some never answer.
type pulse struct{ answers, asked atomic.Bool }

// Network is the transport of the connection, as Via names it.
func (c *Conn) Network() string { return c.place.network }

// Peer is the other end.
func (c *Conn) Peer() netip.AddrPort { return c.place.peer }

// Local is our end.
func (c *Conn) Local() netip.AddrPort { return addrOf(c.raw.LocalAddr()) }

// LocalAddr is our end.
func (c *Conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// Names are the names in the certificate that a peer who connected to us showed
// and that was verified; none if it showed none.
func (c *Conn) Names() []string { return c.origin.names }

// Ref does nothing: a connection stays until it ends.
func (c *Conn) Ref(int) int { return 1 }

// TryClose does nothing, either.
func (c *Conn) TryClose() (int, error) { return 1, nil }

// Close ends the connection.
func (c *Conn) Close() error { return c.socket.Close() }

// WriteMsg sends a message. A connection on which that fails is closed, because
// nobody could find the start of the next message.
func (c *Conn) WriteMsg(m sip.Message) error {
	var b bytes.Buffer
	m.StringWrite(&b)
	if err := c.write(c.framing.wrap(b.Bytes())); err != nil {
		return fmt.Errorf("send to %s by %s: %w", c.place.peer, c.place.network, err)
	}
	c.used.Store(true)
	return nil
}

// Send sends a message that is ready to be sent.
func (c *Conn) Send(b []byte) error { return c.write(c.framing.wrap(b)) }

func (c *Conn) write(b []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.touched.Store(time.Now().Unix())
	err := c.raw.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err == nil {
		_, err = c.raw.Write(b)
	}
	if err != nil {
		_ = c.socket.Close()
	}
	return err
}

// Welcome says that the peer is somebody whom we know: its connection stays, and
// its messages may be long.
func (c *Conn) Welcome() {
	if c.guest != nil && !c.welcome.Swap(true) {
		c.guest.spoke()
	}
}

// longest is how long a message may be.
func (c *Conn) longest() int {
	if c.guest != nil && !c.welcome.Load() {
		return intake.MaxHeader
	}
	return maxMessage
}

// OnClose has f told, once, when the connection has ended, and why; at once if
// it has already. f must not block. forget takes that back.
func (c *Conn) OnClose(f func(error)) (forget func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed != nil {
		go f(c.closed)
		return func() {}
	}
	if c.waiting == nil {
		c.waiting = map[*func(error)]struct{}{}
	}
	c.waiting[&f] = struct{}{}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waiting, &f)
	}
}

// serve reads messages until the connection ends.
func (c *Conn) serve() {
	r := &reader{raw: c.raw}
	err := error(nil)
	for err == nil {
		var msg []byte
		if msg, err = c.framing.read(c, r); err == nil {
			c.touched.Store(time.Now().Unix())
			c.pulse.asked.Store(false)
			c.used.Store(true)
			c.pool.cfg.Message(c, msg)
		}
	}
	_ = c.socket.Close()
	c.pool.remove(c)
	c.end(err)
}

// end tells whoever waits for the end.
func (c *Conn) end(err error) {
	if c.origin.dialled {
		err = secure.Refusal(err)
	}
	why := fmt.Errorf("the %s connection with %s was lost: %w", c.place.network, c.place.peer, err)
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		why = fmt.Errorf("the %s connection with %s was closed", c.place.network, c.place.peer)
	}
	c.mu.Lock()
	c.closed = why
	waiting := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	for f := range waiting {
		(*f)(why)
	}
}

// keepAlive asks a connection for a sign of life that was used once and is idle
// (RFC 5626 section 4.4.1). One that gave such signs before and does not any
// more is closed.
func (c *Conn) keepAlive(now time.Time) {
	if !c.used.Load() || now.Sub(time.Unix(c.touched.Load(), 0)) < c.pool.cfg.KeepAlive {
		return
	}
	if c.pulse.asked.Swap(true) && c.pulse.answers.Load() {
		c.pool.cfg.Log.Debug("SIP connection without a sign of life", "network", c.place.network, "peer", c.place.peer)
		_ = c.socket.Close()
		return
	}
	_ = c.write(c.framing.wrap([]byte("\r\n\r\n")))
}

// alive takes a sign of life.
func (c *Conn) alive() {
	c.touched.Store(time.Now().Unix())
	if c.pulse.asked.Swap(false) {
		c.pulse.answers.Store(true)
	}
}

func addrOf(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	return unmapped(tcp.AddrPort())
}

var _ sip.Connection = (*Conn)(nil)
