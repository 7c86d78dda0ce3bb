// SPDX-License-Identifier: MIT

package admin

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// Calls are the records of calls. An id that is not known is an error that is
// fs.ErrNotExist, a cursor that was not given out is fs.ErrInvalid.
type Calls interface {
	// Calls gives up to limit records, the newest first, from behind the
	// cursor on, and the cursor for the next page; it is empty behind the last.
	Calls(ctx context.Context, limit int, cursor string) ([]engine.Record, string, error)
	// Call gives one record with its timeline.
	Call(ctx context.Context, id engine.ID) (engine.Record, []engine.Event, error)
}

// Feed tells of events once they are durable.
type Feed interface {
	// LastEventID gives the id of the newest event; 0 when there is none.
	LastEventID(ctx context.Context) (int64, error)
	// Follow gives every event whose id is greater than after, in order and
	// each once, and goes on with those that come. It returns when ctx ends,
	// when give returns an error, or with fs.ErrClosed when there will be no
	// more events.
	Follow(ctx context.Context, after int64, give func(id int64, e engine.Event) error) error
}

// Face is the face.
type Face struct {
	calls Calls
	feed  Feed
}

// New makes the face.
func New(calls Calls, feed Feed) *Face { return &Face{calls: calls, feed: feed} }

// Routes adds the routes of the face.
func (f *Face) Routes(g *echo.Group) {
	g.GET("/calls", f.listCalls)
	g.GET("/calls/:id", f.showCall)
	g.GET("/events", f.streamEvents)
}

var _ api.Face = (*Face)(nil)
