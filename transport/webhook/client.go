// SPDX-License-Identifier: MIT

package webhook

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/callwright/callwright/engine"
)

const (
	// ReplyLimit is how long an App's reply may be, decompressed.
	ReplyLimit = 64 << 10
	// headLimit is how long the head of a reply may be.
	headLimit = 64 << 10
	// defaultTimeout is for a request whose policy names none: nothing may
	// hang forever.
	defaultTimeout = 10 * time.Second
	// idleTimeout is how long a connection waits for the next request. It is
	// shorter than the keep-alive time of common servers (gunicorn 2 s, Node 5
	// s), so that no POST meets a connection that the other side just closed:
	// such a request must not be sent again (RFC 9110 section 9.2.2) and would
	// be lost.
	idleTimeout = time.Second
)

// Config says how customers' servers are reached. The zero value reaches
// public addresses only.
type Config struct {
	// AllowPrivate lets customers' URLs lead to private networks
	// (webhooks.allow_private).
	AllowPrivate bool
	// AllowLoopback lets them lead to this machine; meant for developers.
	AllowLoopback bool
	// Timeout takes the place of every request's own; 0 leaves it as it is
	// (webhooks.timeout).
	Timeout time.Duration
	// Signer signs the requests of vendors that do. Nil signs nothing.
	Signer Signer
	// Logger is told every try at level debug. Nil logs nothing.
	Logger *slog.Logger
}

// Signer signs bodies.
type Signer interface {
	// Sign gives the signature as a header carries it.
	Sign(body []byte) (string, error)
}

// Client sends requests to customers' servers. It is safe for use by many
// goroutines at once.
type Client struct {
	config    Config
	transport *http.Transport
}

// New makes a Client.
func New(config Config) *Client {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Client{config: config}
	g := guard{private: config.AllowPrivate, loopback: config.AllowLoopback}
	dialer := &net.Dialer{ControlContext: g.control}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := whileExchange(ctx)
		defer cancel()
		return dialer.DialContext(ctx, network, addr)
	}
	c.transport = &http.Transport{
		Proxy:       nil, // a proxy would hide the address from the guard
		DialContext: dial,
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return dialTLS(ctx, dial, c.transport.TLSClientConfig, network, addr)
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		DisableCompression:     true, // decoded in reply.go, with a limit
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: headLimit,
	}
	return c
}

// Close closes the connections that wait for further requests. Requests under
// way end by their own contexts and leave no connection behind.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
}

// Fetch asks a request's URL and, if that fails in any way, its fallback once.
func (c *Client) Fetch(ctx context.Context, r engine.Request) engine.Reply {
	l := limits{
		timeout:   r.Policy.Timeout,
		redirects: r.Policy.Redirects,
		from:      r.Policy.SuccessFrom,
		to:        r.Policy.SuccessTo,
		size:      ReplyLimit,
	}
	if c.config.Timeout > 0 {
		l.timeout = c.config.Timeout
	}
	if l.timeout <= 0 {
		l.timeout = defaultTimeout
	}
	r, err := c.signed(r)
	if err != nil {
		return engine.Reply{URL: r.URL, Err: err}
	}
	first := c.exchange(ctx, r, r.URL, l)
	if first.Err == nil || r.Fallback == "" || ctx.Err() != nil {
		return first
	}
	second := c.exchange(ctx, r, r.Fallback, l)
	second.Attempts = slices.Concat(first.Attempts, second.Attempts)
	if second.Err != nil {
		second.Err = fmt.Errorf("%w; and the fallback: %w", first.Err, second.Err)
	}
	return second
}

// signed gives a request with the signature of its body, if its vendor signs. An
// App's own header cannot take its place.
func (c *Client) signed(r engine.Request) (engine.Request, error) {
	if r.Signature == "" || c.config.Signer == nil {
		return r, nil
	}
	signature, err := c.config.Signer.Sign(r.Body)
	if err != nil {
		return r, err
	}
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(r.Signature, signature)
	return r, nil
}

// exchangeKey finds the context of the exchange that a connection is made for.
type exchangeKey struct{}

// whileExchange gives a context that also ends with the exchange: http.Transport
// goes on dialling after the request that wanted the connection is gone, and a
// server that never finishes its handshake would keep it at that.
func whileExchange(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	exchange, ok := ctx.Value(exchangeKey{}).(context.Context)
	if !ok {
		return ctx, cancel
	}
	stop := context.AfterFunc(exchange, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// dialTLS connects and shakes hands, both while the exchange lasts.
func dialTLS(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), config *tls.Config, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("read address: %w", err)
	}
	raw, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	config = config.Clone()
	config.ServerName = host
	conn := tls.Client(raw, config)
	ctx, cancel := whileExchange(ctx)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, &handshakeError{err}
	}
	return conn, nil
}

var _ engine.Fetcher = (*Client)(nil)
