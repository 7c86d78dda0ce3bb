// SPDX-License-Identifier: MIT

package admin

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/directory"
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

// Registrations are where phones can be rung.
type Registrations interface {
	Registrations() []directory.Registration
}

// Config is what the Face shows.
type Config struct {
	Calls         Calls
	Feed          Feed
	Settings      Settings
	Actions       Actions
	Registrations Registrations
	Trunks        Trunks
	Recordings    Recordings
	Keeper        Keeper
	// Folder is where the files of recordings are.
	Folder string
}

// Face is the face.
type Face struct{ config Config }

// New makes the face.
func New(c Config) *Face { return &Face{config: c} }

// Routes adds the routes of the face. openapi.yaml describes them.
func (f *Face) Routes(g *echo.Group) {
	g.GET("/openapi.yaml", describe)
	g.GET("/calls", f.listCalls)
	g.GET("/calls/:id", f.showCall)
	g.POST("/calls/:id/hangup", f.hangup)
	g.POST("/calls/:id/dtmf", f.sendDigits)
	g.POST("/calls/:id/refer", f.refer)
	g.POST("/calls/:id/recording", f.record)
	g.GET("/events", f.streamEvents)
	g.GET("/registrations", f.listRegistrations)
	g.GET("/recordings", f.listRecordings)
	g.GET("/recordings/:id", f.showRecording)
	g.DELETE("/recordings/:id", f.deleteRecording)
	g.GET("/recordings/:id/audio", f.playRecording)
	g.PUT("/recordings/:id/heard", f.markRecording)
	for _, k := range kinds() {
		o := &objects{k, f.config.Settings}
		o.routes(g)
		if k.name == directory.EntryTrunk {
			g.GET("/trunks/:id/status", f.showTrunkStatus(o))
		}
	}
}

var _ api.Face = (*Face)(nil)
