// SPDX-License-Identifier: MIT

package intake

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Listener accepts connections and hands each over when it has brought its first
// message. Until then one costs a few kilobytes and no reader but our own, and is
// closed if it says nothing.
type Listener struct {
	net.Listener
	cfg   Config
	log   *slog.Logger
	ready chan *Conn
	done  chan struct{}

	mu      sync.Mutex
	waiting map[*Conn]struct{}
	running sync.WaitGroup
	closing sync.Once
}

// Listen takes over a listener of a stream transport, until Close.
func Listen(l net.Listener, cfg Config, log *slog.Logger) *Listener {
	il := &Listener{
		Listener: l, cfg: cfg.withDefaults(), log: log,
		ready: make(chan *Conn), done: make(chan struct{}), waiting: map[*Conn]struct{}{},
	}
	il.running.Go(il.accept)
	return il
}

// Accept gives the next connection that has brought a message, as a *Conn. It
// fails with net.ErrClosed only.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close stops accepting, and closes the connections that were not handed over.
func (l *Listener) Close() error {
	var err error
	l.closing.Do(func() {
		close(l.done)
		err = l.Listener.Close()
		l.mu.Lock()
		for c := range l.waiting {
			_ = c.Close()
		}
		l.mu.Unlock()
		l.running.Wait()
	})
	return err
}

// accept takes connections until Close. Nothing else ends it: when there are no
// descriptors left it waits for some.
func (l *Listener) accept() {
	const least, most = 5 * time.Millisecond, time.Second
	wait := least
	for {
		conn, err := l.Listener.Accept()
		switch {
		case err == nil:
			wait = least
			l.take(NewConn(conn, l.cfg))
			continue
		case errors.Is(err, net.ErrClosed):
			return
		case wait == least:
			l.log.Warn("cannot accept SIP connections for now", "address", l.Addr(), "error", err)
		}
		select {
		case <-time.After(wait):
			wait = min(2*wait, most)
		case <-l.done:
			return
		}
	}
}

// take keeps a connection until its first message is there.
func (l *Listener) take(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.done:
		_ = c.Close()
		return
	default:
	}
	l.waiting[c] = struct{}{}
	l.running.Go(func() { l.await(c) })
}

func (l *Listener) await(c *Conn) {
	err := c.first(l.cfg.Silence)
	l.mu.Lock()
	delete(l.waiting, c)
	l.mu.Unlock()
	if err != nil {
		_ = c.Close()
		return
	}
	select {
	case l.ready <- c:
	case <-l.done:
		_ = c.Close()
	}
}

// first waits for the first message; the next Read gives it.
func (c *Conn) first(silence time.Duration) error {
	c.idle = time.Now().Add(silence)
	b := make([]byte, 512)
	for len(c.out) == 0 {
		if err := c.patience(); err != nil {
			return err
		}
		if err := c.fill(b); err != nil {
			return err
		}
		for more := false; !more && len(c.out) == 0; {
			var err error
			if more, err = c.next(); err != nil {
				return err
			}
		}
	}
	c.idle = time.Time{}
	return c.patience()
}
