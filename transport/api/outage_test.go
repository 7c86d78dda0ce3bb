// SPDX-License-Identifier: MIT

package api

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

// The log is told of the first failure of each route, of more once a minute with how
// many there were, and then that it works again.
func TestOutagesArePaced(t *testing.T) {
	t.Parallel()
	var o outages
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		after  time.Duration
		route  string
		tell   bool
		untold int
	}{
		{0, "a", true, 0}, {time.Second, "a", false, 0}, {time.Second, "b", true, 0}, {57 * time.Second, "a", false, 0},
		{time.Second, "a", true, 2}, {time.Second, "a", false, 0}, {time.Hour, "a", true, 1}, {time.Hour, "a", true, 0},
	} {
		now = now.Add(tc.after)
		if tell, untold := o.failed(tc.route, now); tell != tc.tell || untold != tc.untold {
			t.Errorf("%s at %s: told %v of %d, want %v of %d", tc.route, now, tell, untold, tc.tell, tc.untold)
		}
	}
	o.failed("b", now.Add(-time.Hour))
	if was, untold := o.succeeded("a"); !was || untold != 0 {
		t.Errorf("a was away %v, %d more", was, untold)
	}
	if was, _ := o.succeeded("a"); was {
		t.Error("a is back twice")
	}
	if tell, _ := o.failed("a", now); !tell {
		t.Error("the next outage is not told")
	}
}

func TestOutageInTheLog(t *testing.T) {
	t.Parallel()
	var log logText
	var back atomic.Bool
	url := start(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(s *Server) {
		s.Mount("/face", face(func(g *echo.Group) {
			g.GET("/:id", func(c echo.Context) error {
				if back.Load() {
					return c.NoContent(http.StatusNoContent)
				}
				return &StatusError{Status: http.StatusServiceUnavailable, Text: "try later", Err: errors.New("no database")}
			})
		}))
	})
	for range 50 {
		if answer, _ := do(t, "GET", url+"/face/1", nil); answer.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("got %d", answer.StatusCode)
		}
	}
	do(t, "GET", url+"/nothing", nil) // a 404 is no news of the database
	const first = `level=ERROR msg="http request failed; of more like it one line a minute follows" method=GET route=/face/:id err="no database"`
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, first) {
		t.Errorf("the log is %s", text)
	}
	back.Store(true)
	do(t, "GET", url+"/face/1", nil)
	do(t, "GET", url+"/face/1", nil)
	if text := log.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, `level=INFO msg="http requests succeed again" method=GET route=/face/:id failed_as_well=49`) {
		t.Errorf("the log is %s", text)
	}
}
