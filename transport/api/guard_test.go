// SPDX-License-Identifier: MIT

package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	const local, far = "127.0.0.1:50000", "192.0.2.7:50000"
	for _, test := range []struct {
		name               string
		token              string
		method, path, host string
		peer               string
		header             http.Header
		status             int
		says               string
	}{
		{"right token", "s3cret", "GET", "/a/x", "calls.example.com", far, header("Authorization", "Bearer s3cret"), 200, ""},
		{"scheme in lower case", "s3cret", "GET", "/a/x", "calls.example.com", far, header("Authorization", "bearer  s3cret"), 200, ""},
		{"through a proxy with the token", "s3cret", "POST", "/a/x", "localhost", far, header("Authorization", "Bearer s3cret", "Via", "1.1 p"), 200, ""},
		{"no token", "s3cret", "GET", "/a/x", "localhost", local, nil, 401, "send it as the header Authorization"},
		{"basic", "s3cret", "GET", "/a/x", "localhost", local, header("Authorization", "Basic czNjcmV0"), 401, "send it as the header Authorization"},
		{"wrong token", "s3cret", "GET", "/a/x", "localhost", local, header("Authorization", "Bearer s3creT"), 401, "this is not the admin token"},
		{"part of the token", "s3cret", "GET", "/a/x", "localhost", local, header("Authorization", "Bearer s3cre"), 401, "this is not the admin token"},
		{"empty token", "s3cret", "GET", "/a/x", "localhost", local, header("Authorization", "Bearer "), 401, "this is not the admin token"},
		{"only the scheme", "s3cret", "GET", "/a/x", "localhost", local, header("Authorization", "Bearer"), 401, "this is not the admin token"},
		{"token in the query", "s3cret", "GET", "/a/x?access_token=s3cret", "localhost", local, nil, 401, "send it as the header"},
		{"unknown path without the token", "s3cret", "GET", "/a/secret", "localhost", local, nil, 401, "send it as the header"},
		{"unknown path with the token", "s3cret", "GET", "/a/secret", "localhost", local, header("Authorization", "Bearer s3cret"), 404, "nothing at /a/secret"},
		{"wrong method without the token", "s3cret", "DELETE", "/a/x", "localhost", local, nil, 401, "send it as the header"},
		{"wrong method with the token", "s3cret", "DELETE", "/a/x", "localhost", local, header("Authorization", "Bearer s3cret"), 405, "use one of OPTIONS, GET, POST"},
		{"path in another spelling", "s3cret", "GET", "/%61/x", "localhost", local, nil, 401, "send it as the header"},
		{"path with a double slash", "s3cret", "GET", "//a/x", "localhost", local, nil, 404, "nothing at //a/x"},
		{"path with dots", "s3cret", "GET", "/b/../a/x", "localhost", local, nil, 404, "nothing at /b/../a/x"},
		{"open face", "s3cret", "GET", "/b/x", "calls.example.com", far, nil, 200, ""},
		{"health", "s3cret", "GET", "/healthz", "calls.example.com", far, nil, 200, ""},
		{"readiness without a token", "", "GET", "/readyz", "calls.example.com", far, nil, 200, ""},

		{"open to localhost", "", "GET", "/a/x", "localhost:8080", local, nil, 200, ""},
		{"open to 127.0.0.1", "", "GET", "/a/x", "127.0.0.1:8080", local, nil, 200, ""},
		{"open to the whole net", "", "GET", "/a/x", "127.1.2.3", "127.4.5.6:1", nil, 200, ""},
		{"open to ::1", "", "GET", "/a/x", "[::1]:8080", "[::1]:50000", nil, 200, ""},
		{"open to ::1 without a port", "", "GET", "/a/x", "[::1]", "[::ffff:127.0.0.1]:50000", nil, 200, ""},
		{"a token that nobody asked for", "", "GET", "/a/x", "localhost", local, header("Authorization", "Bearer x"), 200, ""},
		{"far peer", "", "GET", "/a/x", "localhost", far, nil, 403, "set admin.token"},
		{"far peer that claims to be near", "", "GET", "/a/x", "localhost", far, header("X-Forwarded-For", "127.0.0.1", "X-Real-Ip", "127.0.0.1"), 403, "set admin.token"},
		{"name pointed here", "", "GET", "/a/x", "evil.example.com:8080", local, nil, 403, `the host "evil.example.com:8080"`},
		{"name that begins well", "", "GET", "/a/x", "127.0.0.1.example.com", local, nil, 403, "set admin.token"},
		{"name that ends well", "", "GET", "/a/x", "xlocalhost", local, nil, 403, "set admin.token"},
		{"no host", "", "GET", "/a/x", "", local, nil, 403, "set admin.token"},
		{"through a proxy", "", "GET", "/a/x", "localhost", local, header("X-Forwarded-For", "192.0.2.7"), 403, "header X-Forwarded-For"},
		{"through a proxy of the standard", "", "GET", "/a/x", "localhost", local, header("Forwarded", "for=192.0.2.7"), 403, "header Forwarded"},
		{"post", "", "POST", "/a/x", "localhost:8080", local, nil, 200, ""},
		{"post of our own page", "", "POST", "/a/x", "localhost:8080", local, header("Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:8080"), 200, ""},
		{"post of another page", "", "POST", "/a/x", "localhost:8080", local, header("Origin", "https://evil.example.com"), 403, "another site"},
		{"post of another port's page", "", "POST", "/a/x", "localhost:8080", local, header("Sec-Fetch-Site", "same-site"), 403, "another site"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := New(Config{Token: test.token})
			routes := face(func(g *echo.Group) {
				g.Match([]string{"GET", "POST"}, "/x", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
			})
			s.MountAdmin("/a", routes)
			s.Mount("/b", routes)
			r := httptest.NewRequest(test.method, test.path, nil)
			r.Host, r.RemoteAddr = test.host, test.peer
			if test.header != nil {
				r.Header = test.header
			}
			w := httptest.NewRecorder()
			s.http.Handler.ServeHTTP(w, r)
			if w.Code != test.status || !strings.Contains(strings.ReplaceAll(w.Body.String(), `\"`, `"`), test.says) {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, test.status, test.says)
			}
			if (w.Code == http.StatusUnauthorized) != strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("got WWW-Authenticate %q", w.Header().Get("WWW-Authenticate"))
			}
		})
	}
}
