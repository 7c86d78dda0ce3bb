// SPDX-License-Identifier: MIT

package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// Recordings are what is known of stored audio.
type Recordings interface {
	// Recordings gives up to limit of those that pass a filter, the newest first,
	// from behind the cursor on, and the cursor for the next page; it is empty
	// behind the last. A cursor that was not given out is fs.ErrInvalid.
	Recordings(ctx context.Context, f engine.RecordingFilter, limit int, cursor string) ([]engine.Recording, string, error)
}

// Keeper changes recordings, and has phones show it. The error is fs.ErrNotExist
// for one that is not there.
type Keeper interface {
	MarkRecording(ctx context.Context, account string, id engine.ID, heard bool) error
	// DeleteRecording deletes the file as well.
	DeleteRecording(ctx context.Context, account string, id engine.ID) error
}

// recording is one of GET /recordings.
type recording struct {
	ID        engine.ID            `json:"id"`
	Account   string               `json:"account"`
	Kind      engine.RecordingKind `json:"kind"`
	Call      engine.ID            `json:"call"`
	Box       *string              `json:"box"`
	From      string               `json:"from"`
	FromName  *string              `json:"from_name"`
	To        string               `json:"to"`
	File      string               `json:"file"`
	StartedAt time.Time            `json:"started_at"`
	Millis    int64                `json:"duration_ms"`
	HeardAt   *time.Time           `json:"heard_at"`
}

func recordingOf(r engine.Recording) recording {
	return recording{
		ID: r.ID, Account: r.Account, Kind: r.Kind, Call: r.Call, Box: present(r.Box),
		From: r.From.String(), FromName: present(r.From.Name), To: r.To.String(),
		File: r.File, StartedAt: r.StartedAt.UTC(), Millis: r.Duration.Milliseconds(), HeardAt: utc(r.HeardAt),
	}
}

// listRecordings is GET /recordings?account=&kind=&box=&call=&limit=&cursor=, the
// newest first.
func (f *Face) listRecordings(c echo.Context) error {
	query, err := queryOf(c)
	if err != nil {
		return err
	}
	limit, err := limitOf(query)
	if err != nil {
		return err
	}
	wanted := engine.RecordingFilter{Account: query.Get("account"), Kind: engine.RecordingKind(query.Get("kind")), Box: query.Get("box")}
	switch wanted.Kind {
	case "", engine.RecordingCall, engine.RecordingMessage, engine.RecordingGreeting:
	default:
		return api.Refuse(http.StatusBadRequest, "kind is %.40q; write call, voicemail or greeting, or leave it out for all", wanted.Kind)
	}
	if call := query.Get("call"); call != "" {
		if wanted.Call, err = engine.ParseID(call); err != nil {
			return api.Refuse(http.StatusBadRequest, "call is %.40q; give the id of a call, 32 hexadecimal digits with or without dashes", call)
		}
	}
	cursor := query.Get("cursor")
	found, next, err := f.config.Recordings.Recordings(c.Request().Context(), wanted, limit, cursor)
	if errors.Is(err, fs.ErrInvalid) {
		return api.Refuse(http.StatusBadRequest, "cursor is %.40q; give what \"next\" of the page before said, or nothing for the newest recordings", cursor)
	}
	if err != nil {
		return unread(err)
	}
	page := make([]recording, 0, len(found))
	for _, r := range found {
		page = append(page, recordingOf(r))
	}
	return api.JSON(c, http.StatusOK, map[string]any{"recordings": page, "next": present(next)})
}

// showRecording is GET /recordings/{id}.
func (f *Face) showRecording(c echo.Context) error {
	r, err := f.recordingNamed(c)
	if err != nil {
		return err
	}
	return api.JSON(c, http.StatusOK, recordingOf(r))
}

// recordingNamed gives the recording that a path names.
func (f *Face) recordingNamed(c echo.Context) (engine.Recording, error) {
	id, err := engine.ParseID(c.Param("id"))
	if err != nil || id.IsZero() {
		return engine.Recording{}, api.Refuse(http.StatusNotFound, "there is no recording %.40q; an id is 32 hexadecimal digits, with or without dashes", c.Param("id"))
	}
	found, _, err := f.config.Recordings.Recordings(c.Request().Context(), engine.RecordingFilter{ID: id}, 1, "")
	if err != nil {
		return engine.Recording{}, unread(err)
	}
	if len(found) == 0 {
		return engine.Recording{}, noRecording(id)
	}
	return found[0], nil
}

func noRecording(id engine.ID) error {
	return api.Refuse(http.StatusNotFound, "there is no recording %s; GET recordings lists those there are", id)
}

// playRecording is GET /recordings/{id}/audio?heard=true: the WAV file, or the part
// of it that a Range asks for (RFC 9110 section 14). To look at a message is not to
// hear it, unless the request says so.
func (f *Face) playRecording(c echo.Context) error {
	query, err := queryOf(c)
	if err != nil {
		return err
	}
	heard := query.Get("heard")
	if heard != "" && heard != "true" && heard != "false" {
		return api.Refuse(http.StatusBadRequest, "heard is %.40q; write true to mark the message as heard, or leave it out", heard)
	}
	r, err := f.recordingNamed(c)
	if err != nil {
		return err
	}
	sound, err := api.OpenSound(f.config.Folder, r)
	if err != nil {
		return err
	}
	defer sound.Close()
	if heard == "true" && r.Kind == engine.RecordingMessage && r.HeardAt == nil {
		if err := f.config.Keeper.MarkRecording(c.Request().Context(), r.Account, r.ID, true); err != nil {
			return refuseChange(r.ID, err)
		}
	}
	return sound.Serve(c)
}

// markRecording is PUT /recordings/{id}/heard with {"heard": true}.
func (f *Face) markRecording(c echo.Context) error {
	sent, err := readFields(c)
	if err != nil {
		return err
	}
	heard := (*bool)(nil)
	for name := range sent {
		if name != "heard" {
			return api.Wrong(name, "there is no field %q%s", name, meant(name, []string{"heard"}))
		}
	}
	if err := json.Unmarshal(sent["heard"], &heard); err != nil || heard == nil {
		return api.Wrong("heard", "heard must be true or false")
	}
	r, err := f.recordingNamed(c)
	if err != nil {
		return err
	}
	if r.Kind != engine.RecordingMessage {
		return api.Refuse(http.StatusConflict, "recording %s is that of a conversation: only messages of a voicemail are marked as heard", r.ID)
	}
	if err := f.config.Keeper.MarkRecording(c.Request().Context(), r.Account, r.ID, *heard); err != nil {
		return refuseChange(r.ID, err)
	}
	return c.NoContent(http.StatusNoContent)
}

// deleteRecording is DELETE /recordings/{id}.
func (f *Face) deleteRecording(c echo.Context) error {
	r, err := f.recordingNamed(c)
	if err != nil {
		return err
	}
	if err := f.config.Keeper.DeleteRecording(c.Request().Context(), r.Account, r.ID); err != nil {
		return refuseChange(r.ID, err)
	}
	return c.NoContent(http.StatusNoContent)
}

// refuseChange says to the client why a recording could not be changed.
func refuseChange(id engine.ID, err error) error {
	var file *fs.PathError
	switch {
	case api.Missing(err):
		return noRecording(id) // somebody was faster
	case errors.As(err, &file):
		return fmt.Errorf("change recording %s: %w", id, err)
	}
	return &api.StatusError{
		Status: http.StatusServiceUnavailable, Err: err,
		Text: "the database is away, so it is not sure that the change holds; try again later",
	}
}
