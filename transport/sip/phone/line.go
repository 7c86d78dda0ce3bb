// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/callwright/callwright/media"
)

// line is the sockets that the RTP of a call goes by: the last one. Those before
// it stay open to the end, so that what is still sent there is not refused.
type line []*net.UDPConn

func (l line) now() *net.UDPConn { return l[len(l)-1] }

func (l line) close() {
	for _, conn := range l {
		conn.Close()
	}
}

// socket opens a socket for RTP.
func socket(host netip.Addr) (*net.UDPConn, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	if err != nil {
		return nil, fmt.Errorf("phone: open RTP socket: %w", err)
	}
	return conn, nil
}

// at is where a socket receives.
func at(conn *net.UDPConn) netip.AddrPort {
	addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
}

// talk starts to send and listen, once. c.mu is held.
func (c *Call) talk() {
	if c.state.talking || c.state.ended != nil {
		return
	}
	c.state.talking = true
	c.running.Go(c.exchange)
}

// exchange sends in every packet time, by absolute deadlines, and reads between. At
// the end of the call it closes the sockets.
func (c *Call) exchange() {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.line.close()
	}()
	buf := make([]byte, 2048)
	due := time.Now()
	for {
		if c.drained(buf) {
			return
		}
		if time.Until(due) <= 0 {
			due = due.Add(c.phone.cfg.PacketTime)
			c.send()
		}
		until := due
		if now := time.Now(); !due.After(now) { // who is late with sending listens all the same
			until = now.Add(time.Millisecond)
		}
		c.mu.Lock()
		conn := c.line.now()
		c.mu.Unlock()
		if conn.SetReadDeadline(until) != nil {
			return
		}
		n, _, err := conn.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil:
			c.hear(buf[:n])
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return // it is broken
		}
	}
}

// most is how many packets may wait in a socket at the end of a call.
const most = 1000

// drained reports whether the call has ended. Then what came before is heard, too,
// however late we are to look.
func (c *Call) drained(buf []byte) bool {
	c.mu.Lock()
	conn, over := c.line.now(), c.state.ended != nil
	c.mu.Unlock()
	if !over {
		return false
	}
	for range most {
		if conn.SetReadDeadline(time.Now().Add(c.phone.cfg.PacketTime)) != nil {
			break
		}
		n, _, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			break
		}
		c.hear(buf[:n])
	}
	return true
}

func (c *Call) send() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, packet := range c.mouth.next(c.remote) {
		if c.remote.Send {
			// A packet lost here is a packet lost anywhere.
			_, _ = c.line.now().WriteToUDPAddrPort(c.secrets.seal(packet), c.remote.Addr)
		}
	}
	c.broadcast()
}

// Rebind goes on from another port without saying so, as behind a router that
// has lost its table. What is sent to the old port is not heard any more.
func (c *Call) Rebind() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.ended != nil {
		return errors.New("phone: move to another port: the call is over")
	}
	conn, err := socket(at(c.line.now()).Addr())
	if err != nil {
		return err
	}
	c.line = append(c.line, conn)
	return nil
}

// MoveOptions say what Move changes beside the port.
type MoveOptions struct {
	// Host is where the call goes on, the phone's own address if it is not valid.
	Host netip.Addr
	// Prefer has Codec offered before the others.
	Prefer bool
	Codec  media.Codec
}

// Move goes on at another address, as a phone that changes its network: it
// offers that (re-INVITE) and waits for the answer.
func (c *Call) Move(ctx context.Context, o MoveOptions) error {
	if !o.Host.IsValid() {
		o.Host = c.phone.host
	}
	conn, err := socket(o.Host)
	if err != nil {
		return err
	}
	c.mu.Lock()
	old := at(c.line.now())
	c.session.Move(at(conn))
	if o.Prefer {
		c.session.Prefer(o.Codec)
	}
	c.mu.Unlock()
	moved := false
	err = c.offer(ctx, "a move to "+at(conn).String(), func() {
		c.line, moved = append(c.line, conn), true
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if !moved {
		conn.Close()
		c.session.Move(old)
	}
	return err
}
