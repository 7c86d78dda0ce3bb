// SPDX-License-Identifier: MIT

package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/callwright/callwright/engine"
)

// limits are what one exchange may cost and what counts as its success.
type limits struct {
	timeout   time.Duration // for everything, redirects and bodies too
	redirects int
	from, to  int   // statuses that count, both included
	size      int64 // of the reply, decompressed, in bytes

	// unchanged lets 304 count, too: the request asked whether something
	// changed.
	unchanged bool
	// have and haveFrom are the headers of what is known, and the URL, as it is
	// shown, that it came from: no other URL is asked whether that changed.
	have     http.Header
	haveFrom string
	// read takes the body of a success as it comes, from the URL that is shown,
	// so that it need not be held in memory; no other body is then read. Its
	// error is what reading met.
	read func(ctx context.Context, from string, body io.Reader) error
}

// errTimeout is why an exchange was ended by its own clock and not by its
// caller.
var errTimeout = errors.New("time is up")

// exchange asks one URL and follows its redirects.
func (c *Client) exchange(ctx context.Context, r engine.Request, raw string, l limits) engine.Reply {
	ctx, cancel := context.WithTimeoutCause(ctx, l.timeout, errTimeout)
	defer cancel()
	ctx = context.WithValue(ctx, exchangeKey{}, ctx)

	u, err := parseURL(raw)
	if err != nil {
		return engine.Reply{Err: err, Attempts: []engine.Attempt{{Err: err}}}
	}
	h := hop{method: r.Method, url: u, header: r.Header.Clone(), body: r.Body}
	if h.header == nil {
		h.header = make(http.Header)
	}
	var reply engine.Reply
	asked := make(map[string]bool)
	for next := &h; next != nil; {
		h = *next
		asked[h.key()] = true
		start := time.Now()
		status, header, body, err := c.try(ctx, h, l)
		next = nil
		if err == nil {
			next, err = h.next(status, header, l, asked, u)
		}
		took := time.Since(start)
		reply.URL, reply.Status, reply.Header, reply.Body, reply.Err = shown(h.url), status, header, body, err
		reply.Attempts = append(reply.Attempts, engine.Attempt{URL: shown(h.url), Status: status, Took: took, Body: body, Err: err})
		c.config.Logger.DebugContext(ctx, "webhook tried", "name", r.Name, "method", h.method, "url", shown(h.url),
			"status", status, "took", took, "bytes", len(body), "err", err)
	}
	return reply
}

// next gives the request that a whole reply leads to, or nil if it is a
// success. asked holds the keys of the requests so far, of which the first went
// to begin.
func (h hop) next(status int, header http.Header, l limits, asked map[string]bool, begin *url.URL) (*hop, error) {
	location := header.Get("Location")
	switch {
	case l.isSuccess(status):
		return nil, nil
	case !l.isRedirect(status) || location == "":
		return nil, badStatus(h, status, l)
	}
	next, err := h.follow(status, location)
	switch {
	case err != nil:
		return nil, err
	case len(asked) > l.redirects:
		return nil, tooManyRedirects(h, next, begin, l.redirects)
	case asked[next.key()]:
		return nil, redirectLoop(h, next, begin)
	}
	return &next, nil
}

// key tells whether two hops ask the same.
func (h hop) key() string { return h.method + " " + h.url.String() }

// try makes one request and reads its reply. The error is a sentence; a status
// other than 0 beside it means that the reply began. The body of a redirect is
// not read.
func (c *Client) try(ctx context.Context, h hop, l limits) (status int, header http.Header, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, h.method, shown(h.url), bytes.NewReader(h.body))
	if err != nil {
		return 0, nil, nil, explain(ctx, h, l, 0, err)
	}
	req.Header = h.header.Clone()
	if h.url.User != nil && req.Header.Get("Authorization") == "" {
		password, _ := h.url.User.Password()
		req.SetBasicAuth(h.url.User.Username(), password)
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "callwright")
	}
	if req.Header.Get("Accept-Encoding") == "" {
		req.Header.Set("Accept-Encoding", "gzip, deflate")
	}
	if shown(h.url) == l.haveFrom {
		ifChanged(req.Header, l.have)
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return 0, nil, nil, explain(ctx, h, l, 0, err)
	}
	defer resp.Body.Close()
	if l.isRedirect(resp.StatusCode) && resp.Header.Get("Location") != "" {
		return resp.StatusCode, resp.Header, nil, nil
	}
	body, err = l.take(ctx, h, resp)
	if err != nil {
		err = explain(ctx, h, l, resp.StatusCode, err)
	}
	return resp.StatusCode, resp.Header, body, err
}

// take reads the body of a reply, or has it read.
func (l limits) take(ctx context.Context, h hop, resp *http.Response) ([]byte, error) {
	switch {
	case l.read == nil:
	case !l.isSuccess(resp.StatusCode) || resp.StatusCode == http.StatusNotModified:
		return nil, nil
	case resp.ContentLength > l.size:
		return nil, errTooLarge
	}
	decoded, err := decode(resp, l.size)
	if err != nil {
		return nil, err
	}
	if l.read != nil {
		return nil, l.read(ctx, shown(h.url), decoded)
	}
	return io.ReadAll(decoded)
}

func (l limits) isSuccess(status int) bool {
	return l.from <= status && status <= l.to || l.unchanged && status == http.StatusNotModified
}

// isRedirect says whether a status sends us elsewhere. One that counts as
// success does not.
func (l limits) isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return !l.isSuccess(status)
	}
	return false
}
