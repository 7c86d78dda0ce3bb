// SPDX-License-Identifier: MIT

package webhook

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/callwright/callwright/directory"
)

// hop is one request of an exchange: the first, or one that a redirect asked
// for.
type hop struct {
	method string
	url    *url.URL // with its user name and password; shown drops them
	header http.Header
	body   []byte
}

// parseURL reads a customer's URL. What url.Parse says is not passed on: it
// quotes the URL, and with it the password.
func parseURL(raw string) (*url.URL, error) {
	if len(raw) > directory.MaxURL {
		return nil, &failure{sentence: fmt.Sprintf("the URL has %d characters: it must have at most %d", len(raw), directory.MaxURL)}
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return nil, &failure{sentence: "the URL cannot be read: it must look like https://example.com/path, with special characters in user name and password written as %XX"}
	}
	return u, checkURL(u)
}

func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return &failure{sentence: "the URL must begin with http:// or https://"}
	case u.Hostname() == "":
		return &failure{sentence: "the URL names no host: it must look like https://example.com/path"}
	}
	return nil
}

// shown is a URL as people may see it: without user name, password and
// fragment.
func shown(u *url.URL) string {
	s := *u
	s.User, s.Fragment, s.RawFragment = nil, "", ""
	return s.String()
}

// follow gives the request that a redirect asks for. 307 and 308 repeat the
// request elsewhere. 301, 302 and 303 would make a GET of a POST (RFC 9110 section
// 15.4), which tells an app nothing and has no signature: they are failures of it.
// Credentials stay with the host that they were given for.
func (h hop) follow(status int, location string) (hop, error) {
	to, err := h.url.Parse(location)
	if err != nil {
		return hop{}, failed(h, "redirects to something that is not a URL: look at the Location header of its reply", nil)
	}
	to.Fragment, to.RawFragment = "", ""
	if n := len(to.String()); n > directory.MaxURL {
		return hop{}, failed(h, fmt.Sprintf("redirects to a URL of %d characters: it must have at most %d", n, directory.MaxURL), nil)
	}
	if err := checkURL(to); err != nil {
		return hop{}, failed(h, "redirects to something that is not an http or https URL: look at the Location header of its reply", nil)
	}
	if h.url.Scheme == "https" && to.Scheme == "http" {
		return hop{}, failed(h, "redirects from https to "+shown(to)+", which is not encrypted: redirect to https, or set the URL to http", nil)
	}
	keeps := status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect
	if !keeps && h.method != http.MethodGet && h.method != http.MethodHead {
		return hop{}, failed(h, fmt.Sprintf("redirects with %d, which makes a GET without content of a %s: answer 307 or 308, or set the URL to %s", status, h.method, shown(to)), nil)
	}
	next := hop{method: h.method, url: to, header: h.header.Clone(), body: h.body}
	if sameServer(h.url, to) {
		if to.User == nil {
			to.User = h.url.User
		}
		return next, nil
	}
	for name := range next.header {
		if isCredential(name) {
			delete(next.header, name)
		}
	}
	return next, nil
}

// sameServer says whether what one URL's server may know, the other's may know
// too: same host and port, or the same host's step up from http to https.
func sameServer(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	upgrade := from.Scheme == "http" && to.Scheme == "https" && port(from) == "80" && port(to) == "443"
	return upgrade || from.Scheme == to.Scheme && port(from) == port(to)
}

func port(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// isCredential says whether a header is likely to hold a secret. Customers name
// their own (X-Api-Key), so it goes by words.
func isCredential(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"auth", "cookie", "key", "password", "secret", "token"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
