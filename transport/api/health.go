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

// Check is something that should be well before calls are sent here.
type Check struct {
	// Name is shown to everybody when the check fails; the error is only
	// logged.
	Name string
	// Spare says that calls are taken also while it is away.
	Spare bool
	// Run gives nil when all is well. It must end with ctx.
	Run func(ctx context.Context) error
}

// health is the answer of both endpoints.
type health struct {
	// Status is alive, ready, draining or failing.
	Status string   `json:"status"`
	Failed []string `json:"failed,omitempty"`
	// Away is what fails though calls are taken without it.
	Away []string `json:"away,omitempty"`
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
	var failed, away []string
	for _, check := range s.config.Checks {
		if err := check.Run(ctx); err != nil {
			s.config.Logger.Warn("not well", "check", check.Name, "needed", !check.Spare, "err", err)
			if check.Spare {
				away = append(away, check.Name)
			} else {
				failed = append(failed, check.Name)
			}
		}
	}
	if failed != nil {
		return JSON(c, http.StatusServiceUnavailable, health{Status: "failing", Failed: failed, Away: away})
	}
	return JSON(c, http.StatusOK, health{Status: "ready", Away: away})
}
