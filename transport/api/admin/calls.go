// SPDX-License-Identifier: MIT

package admin

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// How much a page has, unless ?limit= says so, and at most.
const (
	defaultLimit = 50
	maxLimit     = 1000
)

// listCalls is GET /calls?limit=&cursor=, the newest call first.
func (f *Face) listCalls(c echo.Context) error {
	query, err := queryOf(c)
	if err != nil {
		return err
	}
	limit, err := limitOf(query)
	if err != nil {
		return err
	}
	cursor := query.Get("cursor")
	records, next, err := f.config.Calls.Calls(c.Request().Context(), limit, cursor)
	if errors.Is(err, fs.ErrInvalid) {
		return api.Refuse(http.StatusBadRequest, "cursor is %.40q; give what \"next\" of the page before said, or nothing for the newest calls", cursor)
	}
	if err != nil {
		return unread(err)
	}
	page := page{Calls: make([]summary, 0, len(records)), Next: present(next)}
	for _, r := range records {
		page.Calls = append(page.Calls, summaryOf(r))
	}
	return api.JSON(c, http.StatusOK, page)
}

// showCall is GET /calls/{id}: the record and the timeline.
func (f *Face) showCall(c echo.Context) error {
	id, err := callOf(c)
	if err != nil {
		return err
	}
	record, events, err := f.config.Calls.Call(c.Request().Context(), id)
	if api.Missing(err) {
		return noCall(id)
	}
	if err != nil {
		return unread(err)
	}
	return api.JSON(c, http.StatusOK, detailOf(record, events))
}

// unread says that records could not be read.
func unread(err error) error {
	return &api.StatusError{
		Status: http.StatusServiceUnavailable, Err: err,
		Text: "the database is away, so nothing can be read; calls go on, try again later",
	}
}

// callOf gives the id of the call that a path names.
func callOf(c echo.Context) (engine.ID, error) {
	id, err := engine.ParseID(c.Param("id"))
	if err != nil {
		return id, api.Refuse(http.StatusNotFound, "there is no call %.40q; an id is 32 hexadecimal digits, with or without dashes", c.Param("id"))
	}
	return id, nil
}

func noCall(id engine.ID) error {
	return api.Refuse(http.StatusNotFound, "there is no call %s; GET calls lists those there are", id)
}

// limitOf gives how much a page has.
func limitOf(query url.Values) (int, error) {
	text := query.Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxLimit {
		return 0, api.Refuse(http.StatusBadRequest, "limit is %.40q; give a number from 1 to %d", text, maxLimit)
	}
	return limit, nil
}

// queryOf gives the query of a request, and refuses one that is not well formed
// rather than to go on with half of it.
func queryOf(c echo.Context) (url.Values, error) {
	query, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return nil, api.Refuse(http.StatusBadRequest, "the query cannot be read: %s; escape it as a URL wants", err)
	}
	return query, nil
}
