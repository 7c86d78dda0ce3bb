// SPDX-License-Identifier: MIT

package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// heartBeat is how often a comment tells the client, and what is between,
	// that the stream still lives.
	heartBeat = 15 * time.Second
	// stuckAfter is how long a client may take nothing before it is dropped.
	stuckAfter = 30 * time.Second
	// partingTime is for the last bytes of a stream that ends.
	partingTime = time.Second

	// stoppingKey is where a request's context has the one that ends when
	// Shutdown begins.
	stoppingKey = "api.stopping"
)

// Message is one server-sent event (WHATWG HTML section 9.2).
type Message struct {
	// ID is what the client names in Last-Event-ID when it comes back.
	ID int64
	// Name is the event's name, one word.
	Name string
	// Data is sent as JSON.
	Data any
}

// Stream answers with the messages that follow sends, until follow returns. The
// context of follow ends when the client leaves, takes nothing for too long, or
// the server is shut down. send waits until the client's connection has taken
// the message, so nothing piles up here; after an error follow returns. The
// client is told at once that it is behind the message with the id after, so
// that it can come back to there.
func Stream(c echo.Context, after int64, follow func(ctx context.Context, send func(Message) error) error) error {
	stopping := c.Get(stoppingKey).(context.Context)
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	defer context.AfterFunc(stopping, cancel)()

	// Not through echo's Response: its Flush would hide errors.
	s := &stream{ctx: ctx, response: c.Response(), control: http.NewResponseController(c.Response().Writer)}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "text/event-stream")
	h.Set(echo.HeaderCacheControl, "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold the events back
	if err := s.write(fmt.Appendf(nil, "retry: 1000\nid: %d\n\n", after)); err != nil {
		return nil // the client has left
	}

	var background sync.WaitGroup
	background.Go(func() { <-ctx.Done(); s.release() })
	background.Go(func() { s.beat(cancel) })
	defer func() { // also when follow panics
		cancel()
		background.Wait()
		// What is still to be sent is the mark of a clean end.
		_ = s.control.SetWriteDeadline(time.Now().Add(partingTime))
	}()
	err := follow(ctx, s.send)
	if ctx.Err() != nil || errors.Is(err, errStuck) {
		return nil
	}
	return err
}

// errStuck is a client that does not take what it is sent.
var errStuck = errors.New("the client takes no more events")

// stream writes to one client. follow and the heart-beat take turns.
type stream struct {
	ctx      context.Context
	response *echo.Response
	control  *http.ResponseController

	mu sync.Mutex
}

// send writes a message. JSON has no line breaks inside, so it is one line.
func (s *stream) send(m Message) error {
	data, err := encode(m.Data)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "id: %d\nevent: %s\ndata: %s\n", m.ID, m.Name, data)
	return s.write(b.Bytes())
}

func (s *stream) write(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writeLocked(b)
}

// writeLocked sends bytes now, whatever time a request may take. The deadline is set before ctx is looked at, and
// release does it the other way round, so one of the two always ends a write.
func (s *stream) writeLocked(b []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(stuckAfter))
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	if _, err := s.response.Write(b); err != nil {
		return errors.Join(errStuck, err)
	}
	if err := s.control.Flush(); err != nil {
		return errors.Join(errStuck, err)
	}
	return nil
}

// release ends a write that hangs, once ctx has ended.
func (s *stream) release() {
	_ = s.control.SetWriteDeadline(time.Unix(1, 0))
}

// beat sends a comment now and then, and cancels the stream when it cannot.
func (s *stream) beat(cancel context.CancelFunc) {
	t := time.NewTicker(heartBeat)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			if !s.mu.TryLock() {
				continue // a message is just being sent, which is as good
			}
			err := s.writeLocked([]byte(":\n\n"))
			s.mu.Unlock()
			if err != nil {
				cancel()
				return
			}
		case <-s.ctx.Done():
			return
		}
	}
}
