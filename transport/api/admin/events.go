// SPDX-License-Identifier: MIT

package admin

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// streamEvents is GET /events?after=&call=, a stream of server-sent events. It
// begins with what comes next, or behind the event that Last-Event-ID or after
// names; after=0 begins with the first that is kept.
func (f *Face) streamEvents(c echo.Context) error {
	query, err := queryOf(c)
	if err != nil {
		return err
	}
	after, err := afterOf(c.Request().Header.Get("Last-Event-ID"), query.Get("after"))
	if err != nil {
		return err
	}
	one := query.Has("call")
	var only engine.ID
	if text := query.Get("call"); one {
		if only, err = engine.ParseID(text); err != nil {
			return api.Refuse(http.StatusBadRequest, "call is %.40q; give the id of a call, 32 hexadecimal digits with or without dashes", text)
		}
	}
	if after < 0 { // settled before the client sees the stream begin, so that it misses nothing from there on
		if after, err = f.config.Feed.LastEventID(c.Request().Context()); err != nil {
			return unread(err)
		}
	}
	return api.Stream(c, after, func(ctx context.Context, send func(api.Message) error) error {
		err := f.config.Feed.Follow(ctx, after, func(id int64, e engine.Event) error {
			if one && e.Call != only {
				return nil
			}
			return send(api.Message{ID: id, Name: string(e.Kind), Data: streamed{e.Call, eventOf(e)}})
		})
		if errors.Is(err, fs.ErrClosed) {
			return nil
		}
		return err
	})
}

// afterOf gives the id behind which a stream begins; -1 for what comes next. A
// client that reconnects repeats its URL, so the header counts before after.
func afterOf(header, parameter string) (int64, error) {
	name, text := "Last-Event-ID", header
	if text == "" {
		name, text = "after", parameter
	}
	if text == "" {
		return -1, nil
	}
	after, err := strconv.ParseInt(text, 10, 64)
	if err != nil || after < 0 {
		return 0, api.Refuse(http.StatusBadRequest, "%s is %.40q; give the id of an event in this stream, or 0 for all events", name, text)
	}
	return after, nil
}
