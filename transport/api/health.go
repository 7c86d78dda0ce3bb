// SPDX-License-Identifier: MIT

package api

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// checkTimeout is how long all checks together may take.
const checkTimeout = 2 * time.Second

// Check is something that must be well before calls are sent here.
type Check struct {
	// Name is shown to everybody when the check fails; the error is only
	// logged.
	Name string
	// Run gives nil when all is well. It must end with ctx.
	Run func(ctx context.Context) error
}

// health is the answer of both endpoints.
type health struct {
	// Status is alive, ready, draining or failing.
	Status string   `json:"status"`
	Failed []string `json:"failed,omitempty"`
}

func (s *Server) routeHealth() {
	methods := []string{http.MethodGet, http.MethodHead}
	s.router.Match(methods, "/healthz", func(c echo.Context) error {
		return JSON(c, http.StatusOK, health{Status: "alive"})
	})
	s.router.Match(methods, "/readyz", s.ready)
}

// ready says whether this server should be sent calls, and if not, why.
func (s *Server) ready(c echo.Context) error {
	if s.draining.Load() {
		return JSON(c, http.StatusServiceUnavailable, health{Status: "draining"})
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), checkTimeout)
	defer cancel()
	var failed []string
	for _, check := range s.config.Checks {
		if err := check.Run(ctx); err != nil {
			s.config.Logger.Warn("not ready", "check", check.Name, "err", err)
			failed = append(failed, check.Name)
		}
	}
	if failed != nil {
		return JSON(c, http.StatusServiceUnavailable, health{Status: "failing", Failed: failed})
	}
	return JSON(c, http.StatusOK, health{Status: "ready"})
}
