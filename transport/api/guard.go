// SPDX-License-Identifier: MIT

package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// guard lets in who has the admin token.
type guard struct {
	// prefixes are those that MountAdmin was given.
	prefixes []string
	// closed is a guard without a token: nobody is let in.
	closed bool
	// token is hashed, so that a comparison tells nothing of its length either.
	token [sha256.Size]byte
}

func newGuard(token string) guard {
	return guard{closed: token == "", token: sha256.Sum256([]byte(token))}
}

// admit is around every request. It is no middleware of a group, because echo
// then answers 404 where a path exists and only the method is wrong.
func (g *guard) admit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		// The route says what would be served, however the path is spelt; the
		// path is for what has no route.
		if !g.guards(c.Path()) && !g.guards(c.Request().URL.Path) {
			return next(c)
		}
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		if err := g.checkToken(c.Request(), c.Response().Header()); err != nil {
			return err
		}
		return next(c)
	}
}

func (g *guard) guards(path string) bool {
	return slices.ContainsFunc(g.prefixes, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// whereTokenIs tells an operator where to look; it says nothing to a stranger.
const whereTokenIs = "it is admin.token of the configuration or, without that, was printed at the first start and is kept in the file admin-token in data_dir"

// checkToken wants "Authorization: Bearer TOKEN" (RFC 6750 section 2.1).
func (g *guard) checkToken(r *http.Request, answer http.Header) error {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		answer.Set("WWW-Authenticate", `Bearer realm="callwright"`)
		return Refuse(http.StatusUnauthorized, "this needs the admin token; send it as the header Authorization: Bearer TOKEN; %s", whereTokenIs)
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	if g.closed || subtle.ConstantTimeCompare(sum[:], g.token[:]) != 1 {
		answer.Set("WWW-Authenticate", `Bearer realm="callwright", error="invalid_token"`)
		return Refuse(http.StatusUnauthorized, "this is not the admin token; %s", whereTokenIs)
	}
	return nil
}
