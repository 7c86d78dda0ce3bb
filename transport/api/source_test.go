// SPDX-License-Identifier: MIT

package api

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/labstack/echo/v4"
)

// ours are the proxies of the tests.
var ours = proxies{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/48")}

// What a proxy of ours says is believed, and nobody else.
func TestBelieve(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, peer           string
		forwardedFor, header []string
		want                 string
	}{
		{"a stranger", "198.51.100.1:7", []string{"203.0.113.1"}, []string{"for=203.0.113.1"}, "198.51.100.1:7"},
		{"a proxy that says nothing", "192.0.2.1:7", nil, nil, "192.0.2.1:7"},
		{"a proxy", "192.0.2.1:7", []string{"203.0.113.1"}, nil, "203.0.113.1:0"},
		{"a stranger who wrote something", "192.0.2.1:7", []string{"127.0.0.1, 203.0.113.1"}, nil, "203.0.113.1:0"},
		{"two proxies", "[2001:db8::1]:7", []string{"127.0.0.1", "203.0.113.1,192.0.2.9"}, nil, "203.0.113.1:0"},
		{"proxies alone", "192.0.2.1:7", []string{"192.0.2.8, 192.0.2.9"}, nil, "192.0.2.8:0"},
		{"IPv6", "[2001:db8::1]:7", []string{"2001:db8:7::1"}, nil, "[2001:db8:7::1]:0"},
		{"with ports", "192.0.2.1:7", []string{"[2001:db8:7::1]:99, 192.0.2.9:8080"}, nil, "[2001:db8:7::1]:0"},
		{"a name", "192.0.2.1:7", []string{"203.0.113.1, unknown"}, nil, "192.0.2.1:7"},
		{"an IPv4 address in IPv6", "[::ffff:192.0.2.1]:7", []string{"::ffff:203.0.113.1"}, nil, "203.0.113.1:0"},
		{"RFC 7239", "192.0.2.1:7", nil, []string{`for=127.0.0.1, For="[2001:db8:7::1]:99";proto=https;by=192.0.2.9`}, "[2001:db8:7::1]:0"},
		{"RFC 7239, by two", "192.0.2.1:7", nil, []string{"proto=http; for=203.0.113.1", "for=192.0.2.9"}, "203.0.113.1:0"},
		{"RFC 7239, hidden", "192.0.2.1:7", nil, []string{"for=203.0.113.1, for=_hidden"}, "192.0.2.1:7"},
		{"both say the same", "192.0.2.1:7", []string{"203.0.113.1"}, []string{"for=203.0.113.1"}, "203.0.113.1:0"},
		{"a stranger wrote one of them", "192.0.2.1:7", []string{"203.0.113.1"}, []string{"for=127.0.0.1"}, "192.0.2.1:7"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		r.Header["X-Forwarded-For"], r.Header["Forwarded"] = tt.forwardedFor, tt.header
		ours.believe(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.RemoteAddr != tt.want {
				t.Errorf("%s: comes from %s, want %s", tt.name, r.RemoteAddr, tt.want)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}

// A server with proxies believes them wherever it asks who was there.
func TestServerBelievesProxies(t *testing.T) {
	t.Parallel()
	s := New(Config{Proxies: ours})
	s.Mount("/b", face(func(g *echo.Group) {
		g.GET("/x", func(c echo.Context) error { return c.String(http.StatusOK, SourceOf(c.Request().RemoteAddr).String()) })
	}))
	r := httptest.NewRequest("GET", "/b/x", nil)
	r.RemoteAddr = "192.0.2.1:7"
	r.Header.Set("X-Forwarded-For", "203.0.113.1")
	w := httptest.NewRecorder()
	s.http.Handler.ServeHTTP(w, r)
	if w.Body.String() != "203.0.113.1" {
		t.Errorf("the request came from %s", w.Body)
	}
}

func TestSourceOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.1:5060": "192.0.2.1", "[::ffff:192.0.2.1]:1": "192.0.2.1", "[2001:db8::1:2:3:4]:1": "2001:db8::",
		"[fe80::1%eth0]:1": "fe80::", "[::1]:1": "::1", "x": "invalid IP", "": "invalid IP",
	} {
		if got := SourceOf(address).String(); got != want {
			t.Errorf("%s is of %s, want %s", address, got, want)
		}
	}
}

// Whatever the headers say, the source is an address.
func FuzzSourceOf(f *testing.F) {
	for _, seed := range []string{"203.0.113.1, 192.0.2.9", `for="[2001:db8:7::1]:99";proto=https`, "unknown", "[]", ",,", `for="`} {
		f.Add(seed, seed)
	}
	hop := netip.MustParseAddr("192.0.2.1")
	f.Fuzz(func(t *testing.T, forwardedFor, forwarded string) {
		got := ours.sourceOf(hop, http.Header{"X-Forwarded-For": {forwardedFor}, "Forwarded": {forwarded}})
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("the source is %v", got)
		}
	})
}
