// SPDX-License-Identifier: MIT

package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
)

// The limits of a request. A stream sets the time it may write by itself.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	headerLimit   = 64 << 10
	bodyLimit     = 1 << 20
)

// Config says where and how the server serves.
type Config struct {
	// Listen is host:port (http.listen). Port 0 lets the kernel choose.
	Listen string
	// Token is the bearer token of what MountAdmin serves (admin.token).
	// Without one nobody may use it.
	Token string
	// Connections is how many connections clients may have open, and a quarter of it
	// how many those behind one address, or one IPv6 network of 64 bits, may, except
	// for this machine itself and Proxies; 0 is 1,000.
	Connections int
	// Proxies are the networks of reverse proxies in front (http.proxies), which are
	// believed where a request came from.
	Proxies []netip.Prefix
	// Checks must all pass for the server to be ready.
	Checks []Check
	// Logger is told requests at level debug and failures above. Nil logs
	// nothing.
	Logger *slog.Logger
}

// Face is a part of the API under a prefix of its own.
type Face interface {
	// Routes adds the face's routes to its group.
	Routes(g *echo.Group)
}

// Wording is a Face that words refusals as its vendor does.
type Wording interface {
	// Refusal gives what is answered as JSON instead of {"error": …}.
	Refusal(*StatusError) any
}

// Server is the HTTP server.
type Server struct {
	config   Config
	router   *echo.Echo
	http     *http.Server
	guard    guard
	wordings map[string]Wording // by prefix
	outages  outages
	draining atomic.Bool
	// stopping ends when Shutdown begins; streams end with it.
	stopping context.Context
	stop     context.CancelFunc
	listener net.Listener
	serving  sync.WaitGroup
	room     *room

	mu sync.Mutex
	// silent are the connections that have not sent a request yet.
	silent map[net.Conn]struct{}
}

// New makes a Server that serves the health endpoints and nothing else yet.
func New(config Config) *Server {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		config: config,
		router: echo.New(),
		guard:  newGuard(config.Token),
		room:   newRoom(cmp.Or(config.Connections, 1000), config.Proxies, config.Logger),
		silent: make(map[net.Conn]struct{}), wordings: make(map[string]Wording),
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.router.Logger.SetOutput(io.Discard) // what matters goes to config.Logger
	s.router.Use(s.answer, refuseTunnel, s.guard.admit)
	s.routeHealth()
	s.http = &http.Server{
		Handler:           proxies(config.Proxies).believe(http.MaxBytesHandler(s.router, bodyLimit)),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerLimit,
		ErrorLog:          slog.NewLogLogger(config.Logger.Handler(), slog.LevelDebug),
		ConnState:         s.watch,
	}
	return s
}

// Mount serves a face that itself knows whom to let in. All faces are mounted
// before Start.
func (s *Server) Mount(prefix string, face Face) {
	if words, ok := face.(Wording); ok {
		s.wordings[prefix] = words
	}
	face.Routes(s.router.Group(prefix))
}

// MountAdmin serves a face to those who have the admin token. All that begins
// with the prefix is theirs.
func (s *Server) MountAdmin(prefix string, face Face) {
	s.guard.prefixes = append(s.guard.prefixes, prefix)
	s.Mount(prefix, face)
}

// Start listens, and serves until Shutdown. It is called once. Its errors say
// what to change in the configuration.
func (s *Server) Start() error {
	l, err := net.Listen("tcp", s.config.Listen)
	if err != nil {
		return listenError(s.config.Listen, err)
	}
	s.serve(l)
	return nil
}

// Addr gives the address that Start listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

func (s *Server) serve(l net.Listener) {
	s.listener = listener{l, s.room}
	s.serving.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.config.Logger.Error("the HTTP server ended by itself", "err", err)
		}
	})
}

// Drain makes the server say that it is not ready, so that whoever spreads the
// calls sends no more here. All else goes on.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown takes no more requests, ends the streams at once and waits for other
// requests. Those still running when ctx ends are cut off, which is its only
// error. It may be called again, and without Start.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	s.stop()
	s.closeSilent()
	err := s.http.Shutdown(ctx)
	if err != nil {
		s.http.Close()
		err = fmt.Errorf("stop the HTTP server: requests were cut off: %w", err)
	}
	s.serving.Wait()
	return err
}

// watch keeps silent up to date. http.Server.Shutdown would give a connection
// that has sent nothing, such as a browser opens in advance, five seconds.
func (s *Server) watch(conn net.Conn, state http.ConnState) {
	s.room.watch(conn, state)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.silent, conn)
	case s.stopping.Err() != nil:
		conn.Close()
	default:
		s.silent[conn] = struct{}{}
	}
}

func (s *Server) closeSilent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.silent {
		conn.Close()
	}
}

// listenError says what to change when an address cannot be listened on.
func listenError(listen string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("http.listen: %s is taken by another program; stop that one, or set http.listen to a free port: %w", listen, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("http.listen: this user may not listen on %s; set http.listen to a port above 1023: %w", listen, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("http.listen: this machine has no address %s; set http.listen to one it has, or to 0.0.0.0 for all: %w", listen, err)
	}
	return fmt.Errorf("http.listen: cannot listen on %q; set it to host:port, such as 127.0.0.1:8080: %w", listen, err)
}
