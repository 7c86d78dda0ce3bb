// SPDX-License-Identifier: MIT

package admin

import (
	_ "embed"
	"net/http"

	"github.com/labstack/echo/v4"
)

// description is the face in words that programs read (OpenAPI 3.1). A test
// holds it against the routes and the answers.
//
//go:embed openapi.yaml
var description []byte

// describe is GET /openapi.yaml.
func describe(c echo.Context) error {
	return c.Blob(http.StatusOK, "application/yaml", description)
}
