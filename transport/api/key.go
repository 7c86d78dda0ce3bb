// SPDX-License-Identifier: MIT

package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// PublicKey is a Face that shows everybody a public key, as PEM.
type PublicKey []byte

// Routes adds the one route.
func (k PublicKey) Routes(g *echo.Group) {
	g.Match([]string{http.MethodGet, http.MethodHead}, "", func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderXContentTypeOptions, "nosniff")
		return c.Blob(http.StatusOK, "application/x-pem-file", k)
	})
}

var _ Face = PublicKey(nil)
