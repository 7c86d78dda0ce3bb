// SPDX-License-Identifier: MIT

package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// guard lets in who has the admin token or, when none is set, who is on this
// machine.
type guard struct {
	// prefixes are those that MountAdmin was given.
	prefixes []string
	open     bool
	// token is hashed, so that a comparison tells nothing of its length either.
	token   [sha256.Size]byte
	origins *http.CrossOriginProtection
}

func newGuard(token string) guard {
	return guard{open: token == "", token: sha256.Sum256([]byte(token)), origins: http.NewCrossOriginProtection()}
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
		check := g.checkToken
		if g.open {
			check = g.checkLocal
		}
		if err := check(c.Request(), c.Response().Header()); err != nil {
			return err
		}
		return next(c)
	}
}

func (g *guard) guards(path string) bool {
	return slices.ContainsFunc(g.prefixes, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// checkToken wants "Authorization: Bearer TOKEN" (RFC 6750 section 2.1).
func (g *guard) checkToken(r *http.Request, answer http.Header) error {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		answer.Set("WWW-Authenticate", `Bearer realm="callwright"`)
		return Refuse(http.StatusUnauthorized, "this needs the admin token; send it as the header Authorization: Bearer TOKEN")
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	if subtle.ConstantTimeCompare(sum[:], g.token[:]) != 1 {
		answer.Set("WWW-Authenticate", `Bearer realm="callwright", error="invalid_token"`)
		return Refuse(http.StatusUnauthorized, "this is not the admin token; it is admin.token of the configuration, or was printed at the first start and is kept in data_dir")
	}
	return nil
}

// checkLocal wants a client on this machine that means this machine. A web page
// whose name was pointed here (DNS rebinding) has another Host, one that just
// posts here has another Origin, and what a proxy passes on is not local.
func (g *guard) checkLocal(r *http.Request, _ http.Header) error {
	const remedy = "without an admin token the API is open to this machine only; set admin.token and send it as the header Authorization: Bearer TOKEN"
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().IsLoopback() {
		return Refuse(http.StatusForbidden, "%s", remedy)
	}
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return Refuse(http.StatusForbidden, "this came through a proxy (header %s): %s", name, remedy)
		}
	}
	if !loopbackHost(r.Host) {
		return Refuse(http.StatusForbidden, "this was sent to the host %q: use localhost or 127.0.0.1, because %s", r.Host, remedy)
	}
	if g.origins.Check(r) != nil {
		return Refuse(http.StatusForbidden, "this was sent by a web page of another site: %s", remedy)
	}
	return nil
}

// loopbackHost says whether the Host of a request, with or without a port, is
// this machine whatever a name server says.
func loopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}
