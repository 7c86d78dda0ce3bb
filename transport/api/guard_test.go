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
		{"where the token is", "s3cret", "GET", "/a/x", "localhost", local, nil, 401, "is kept in the file admin-token in data_dir"},
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

		{"a server without a token", "", "GET", "/a/x", "localhost:8080", local, nil, 401, "send it as the header Authorization"},
		{"an empty token for none", "", "GET", "/a/x", "localhost:8080", local, header("Authorization", "Bearer "), 401, "this is not the admin token"},
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
