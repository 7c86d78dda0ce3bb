// SPDX-License-Identifier: MIT

package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/gobwas/ws"

	"github.com/callwright/callwright/transport/sip/secure"
)

// subprotocol is what SIP is called in a WebSocket (RFC 7118 section 4.1).
const subprotocol = "sip"

// answer does what comes before the first SIP message of a connection that a
// peer opened.
func (p *Pool) answer(raw net.Conn, network string) (*Conn, error) {
	if err := raw.SetDeadline(time.Now().Add(setUpTimeout)); err != nil {
		return nil, err
	}
	c := &Conn{pool: p, raw: raw, socket: raw, place: place{network, addrOf(raw.RemoteAddr())}, framing: &lines{}}
	if network == TLS || network == WSS {
		t := tls.Server(raw, p.cfg.Server.Config())
		if err := t.HandshakeContext(p.ctx); err != nil {
			return nil, fmt.Errorf("TLS handshake: %w", err)
		}
		c.raw, c.origin.names = t, secure.Names(t.ConnectionState())
	}
	if network == WS || network == WSS {
		if err := upgrade(c.raw); err != nil {
			return nil, fmt.Errorf("WebSocket handshake: %w", err)
		}
		c.framing = &frames{}
	}
	c.touched.Store(time.Now().Unix())
	return c, raw.SetDeadline(time.Time{})
}

// maxUpgrade is how long the request for a WebSocket may be, in bytes.
const maxUpgrade = 8 << 10

// upgrade answers the handshake of a WebSocket, and refuses one that is not for
// SIP.
func upgrade(raw net.Conn) error {
	spoken := false
	u := ws.Upgrader{
		Protocol: func(offered []byte) bool {
			spoken = spoken || string(offered) == subprotocol
			return string(offered) == subprotocol
		},
		OnBeforeUpgrade: func() (ws.HandshakeHeader, error) {
			if !spoken {
				return nil, ws.RejectConnectionError(ws.RejectionStatus(400), ws.RejectionReason("Sec-WebSocket-Protocol must offer sip (RFC 7118)\n"))
			}
			return nil, nil
		},
	}
	// The upgrader itself reads lines of any length.
	_, err := u.Upgrade(struct {
		io.Reader
		io.Writer
	}{io.LimitReader(raw, maxUpgrade), raw})
	return err
}

// Target is where to connect to, and with what.
type Target struct {
	Network string
	Addr    netip.AddrPort
	// Name is the host that is meant; its certificate must be for it unless
	// Client says for whom.
	Name   string
	Client secure.Client
	// From is the address of ours that the connection leaves from; the zero
	// value leaves that to the system.
	From netip.Addr
}

// dialing is a connection that is being made.
type dialing struct {
	done chan struct{}
	conn *Conn
	err  error
}

// Dial gives a connection with a target: one that is open, or a new one. The
// error is a sentence that says what to change.
func (p *Pool) Dial(ctx context.Context, t Target) (*Conn, error) {
	t.Addr = unmapped(t.Addr)
	if c := p.find(place{t.Network, t.Addr}, func(c *Conn) bool { return c.fits(t) }); c != nil {
		return c, nil
	}
	p.mu.Lock()
	d := p.dialing[t]
	if d == nil {
		if p.closed {
			p.mu.Unlock()
			return nil, errClosed
		}
		d = &dialing{done: make(chan struct{})}
		p.dialing[t] = d
		// Others may come to wait for it too, so it goes on when this one has
		// lost interest.
		p.running.Go(func() { p.dialled(context.WithoutCancel(ctx), t, d) })
	}
	p.mu.Unlock()
	select {
	case <-d.done:
		return d.conn, d.err
	case <-ctx.Done():
		return nil, fmt.Errorf("connect to %s by %s: %w", t.Addr, t.Network, context.Cause(ctx))
	}
}

// fits says whether an open connection may be used for a target.
func (c *Conn) fits(t Target) bool {
	if t.Network != TLS && t.Network != WSS || !c.origin.dialled {
		return true // it is the peer's own port; a name is known by its certificate only
	}
	name := t.Client.ServerName
	if name == "" {
		name = t.Name
	}
	return c.origin.client == t.Client && (name == "" || c.origin.cert.VerifyHostname(name) == nil)
}

// dialled lives for as long as a connection that we make.
func (p *Pool) dialled(ctx context.Context, t Target, d *dialing) {
	ctx, cancel := context.WithTimeout(ctx, setUpTimeout)
	stop := p.whenClosed(cancel)
	d.conn, d.err = p.connect(ctx, t)
	stop()
	cancel()
	if d.err == nil && !p.add(d.conn) {
		d.conn, d.err = nil, errClosed
	}
	p.mu.Lock()
	delete(p.dialing, t)
	p.mu.Unlock()
	close(d.done)
	if d.err == nil {
		d.conn.serve()
	}
}

func (p *Pool) connect(ctx context.Context, t Target) (*Conn, error) {
	var dialer net.Dialer
	if t.From.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(t.From, 0))
	}
	raw, err := dialer.DialContext(ctx, "tcp", t.Addr.String())
	if err != nil {
		return nil, fmt.Errorf("connect to %s by %s: %w", t.Addr, t.Network, err)
	}
	c := &Conn{pool: p, raw: raw, socket: raw, place: place{t.Network, t.Addr}, framing: &lines{}}
	c.origin = origin{dialled: true, client: t.Client}
	if err := p.introduce(ctx, c, t); err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("connect to %s by %s: %w", t.Addr, t.Network, err)
	}
	c.touched.Store(time.Now().Unix())
	return c, nil
}

// introduce does what comes before the first SIP message of a connection that we
// made.
func (p *Pool) introduce(ctx context.Context, c *Conn, t Target) error {
	stop := context.AfterFunc(ctx, func() { _ = c.socket.Close() })
	defer stop()
	if t.Network == TLS || t.Network == WSS {
		config, err := p.clients.Config(t.Client, t.Name)
		if err != nil {
			return err
		}
		if len(config.Certificates) == 0 && p.cfg.Server != nil {
			config.Certificates = p.cfg.Server.Config().Certificates
		}
		secured := tls.Client(c.socket, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			return secure.Explain(err, config)
		}
		c.raw, c.origin.cert = secured, secured.ConnectionState().PeerCertificates[0]
	}
	if t.Network == WS || t.Network == WSS {
		dialer := ws.Dialer{Protocols: []string{subprotocol}}
		rest, hs, err := dialer.Upgrade(c.raw, &url.URL{Scheme: "ws", Host: hostPort(t), Path: "/"})
		switch {
		case err != nil:
			return fmt.Errorf("WebSocket handshake: %w", err)
		case hs.Protocol != subprotocol:
			return errors.New("WebSocket handshake: the other side does not speak SIP (Sec-WebSocket-Protocol)")
		case rest != nil:
			return errors.New("WebSocket handshake: the other side spoke before it was asked")
		}
		c.framing = &frames{client: true}
	}
	return nil
}

func hostPort(t Target) string {
	if t.Name == "" {
		return t.Addr.String()
	}
	return net.JoinHostPort(t.Name, fmt.Sprint(t.Addr.Port()))
}
