// SPDX-License-Identifier: MIT

package remote

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/callwright/callwright/engine"
)

const (
	// again is how long to wait before a server is asked again.
	again = time.Second
	// deaf is how long nothing may come; a server sends a sign of life every 15
	// seconds.
	deaf = 45 * time.Second
	// longest is the longest line of a stream.
	longest = 16 << 20
)

// Stream follows what happens on one call, or on all.
type Stream struct {
	// Only is the call; zero is all.
	Only engine.ID
	// Began, if set, is called when the server has begun to tell, each time.
	Began func() error
	// Give is told every event, and the same as JSON.
	Give func(engine.Event, json.RawMessage) error
	// Lost, if set, is told why the server is asked again.
	Lost func(error)
}

// Follow follows until ctx ends, and comes back to a server that went away,
// without a gap. It returns nil when ctx has ended.
func (c *Client) Follow(ctx context.Context, s Stream) error {
	last := ""
	for {
		err := c.follow(ctx, s, &last)
		var unreachable *UnreachableError
		switch {
		case ctx.Err() != nil:
			return nil
		case last == "" || !errors.As(err, &unreachable): // it was never there, or will not have us
			return err
		}
		if s.Lost != nil {
			s.Lost(err)
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return nil
		}
	}
}

// follow follows for as long as one connection lasts. last is the id of the
// event that came last.
func (c *Client) follow(ctx context.Context, s Stream, last *string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	header := http.Header{"Accept": {"text/event-stream"}}
	if *last != "" {
		header.Set("Last-Event-Id", *last)
	}
	path := "/api/v1/events"
	if !s.Only.IsZero() {
		path += "?call=" + s.Only.String()
	}
	reply, err := c.ask(ctx, path, header)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	silence := time.AfterFunc(deaf, cancel)
	defer silence.Stop()
	begin := s.Began
	err = readStream(reply.Body, func(id, data string) error {
		silence.Reset(deaf)
		if id != "" {
			*last = id
		}
		if begin != nil {
			err := begin()
			if begin = nil; err != nil {
				return err
			}
		}
		if data == "" {
			return nil
		}
		var e engine.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return c.foreign(err)
		}
		return s.Give(e, json.RawMessage(data))
	})
	if err != nil {
		return err
	}
	return &UnreachableError{fmt.Errorf("the connection to %s was lost", c.server)}
}

// readStream reads server-sent events (WHATWG HTML section 9.2): it gives the id
// and the data of each, and nothing for every other sign of life. It returns nil
// when the stream ends or breaks off, else the error of give.
func readStream(stream io.Reader, give func(id, data string) error) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, longest)
	id, data := "", []string{}
	for lines.Scan() {
		line := lines.Text()
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		var err error
		switch {
		case line == "":
			err = give(id, strings.Join(data, "\n"))
			id, data = "", nil
		case name == "": // a comment
			err = give("", "")
		case name == "id":
			id = value
		case name == "data":
			data = append(data, value)
		}
		if err != nil {
			return err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("an event is longer than %d MiB", longest>>20)
	}
	return nil
}
