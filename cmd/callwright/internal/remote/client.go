// SPDX-License-Identifier: MIT

package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/callwright/callwright/engine"
)

const (
	// patience is for the beginning of an answer.
	patience = 10 * time.Second
	// answerLimit is how long an answer may be; a long timeline has a few MB.
	answerLimit = 64 << 20
	// newest is how many calls are looked through for a shortened id.
	newest = 1000
	// shortest is the length of the shortest id that is understood.
	shortest = 4
)

// Client speaks with a server.
type Client struct {
	server, token string
	http          *http.Client
}

// New makes a Client of the server at a URL; the token may be empty.
func New(server, token string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the server is %q: write a whole URL, like http://127.0.0.1:8080", server)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = patience
	return &Client{server: strings.TrimRight(server, "/"), token: token, http: &http.Client{Transport: transport}}, nil
}

// Close closes connections that wait for further requests.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Call is a call in the list.
type Call struct {
	ID         engine.ID        `json:"id"`
	Direction  engine.Direction `json:"direction"`
	From       string           `json:"from"`
	To         string           `json:"to"`
	State      engine.State     `json:"state"`
	Cause      engine.Cause     `json:"cause"`
	StartedAt  time.Time        `json:"started_at"`
	AnsweredAt *time.Time       `json:"answered_at"`
	EndedAt    *time.Time       `json:"ended_at"`
}

// Detail is one call with its timeline.
type Detail struct {
	Call
	Timeline []engine.Event `json:"timeline"`
}

// Calls gives the newest calls, and the same as JSON.
func (c *Client) Calls(ctx context.Context, limit int) ([]Call, json.RawMessage, error) {
	var page struct {
		Calls json.RawMessage `json:"calls"`
	}
	if err := c.get(ctx, "/api/v1/calls?limit="+strconv.Itoa(limit), &page); err != nil {
		return nil, nil, err
	}
	var calls []Call
	if err := json.Unmarshal(page.Calls, &calls); err != nil {
		return nil, nil, c.foreign(err)
	}
	return calls, page.Calls, nil
}

// Call gives one call, and the same as JSON.
func (c *Client) Call(ctx context.Context, id engine.ID) (Detail, json.RawMessage, error) {
	var raw json.RawMessage
	var d Detail
	if err := c.get(ctx, "/api/v1/calls/"+id.String(), &raw); err != nil {
		return d, nil, err
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, nil, c.foreign(err)
	}
	for i := range d.Timeline {
		d.Timeline[i].Call = d.ID
	}
	return d, raw, nil
}

// Short is the part of an id that people see and type: the end of it is random.
func Short(id engine.ID) string { return id.Hex()[24:] }

// Find gives the id of the call that is meant by an id, its beginning or its
// end, or the beginning of its short form.
func (c *Client) Find(ctx context.Context, text string) (engine.ID, error) {
	if id, err := engine.ParseID(text); err == nil {
		return id, nil
	}
	part := strings.ToLower(strings.ReplaceAll(text, "-", ""))
	if len(part) < shortest || strings.Trim(part, "0123456789abcdef") != "" {
		return engine.ID{}, fmt.Errorf("%q is no id of a call: write one from the list of callwright calls, or %d of its first or last characters", text, shortest)
	}
	calls, _, err := c.Calls(ctx, newest)
	if err != nil {
		return engine.ID{}, err
	}
	var found []engine.ID
	for _, call := range calls {
		if h := call.ID.Hex(); strings.HasPrefix(h, part) || strings.HasSuffix(h, part) || strings.HasPrefix(Short(call.ID), part) {
			found = append(found, call.ID)
		}
	}
	switch len(found) {
	case 0:
		return engine.ID{}, fmt.Errorf("none of the newest %d calls has an id that begins or ends with %s", newest, text)
	case 1:
		return found[0], nil
	}
	return engine.ID{}, fmt.Errorf("%d calls have an id that begins or ends with %s: write more of it, as in %s", len(found), text, found[0])
}

// get asks for something and reads the answer.
func (c *Client) get(ctx context.Context, path string, answer any) error {
	reply, err := c.ask(ctx, path, nil)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if err := json.NewDecoder(io.LimitReader(reply.Body, answerLimit)).Decode(answer); err != nil {
		return c.foreign(err)
	}
	return nil
}

// ask sends a request; its reply is a success, whose body must be closed.
func (c *Client) ask(ctx context.Context, path string, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask the server: %w", err)
	}
	if header != nil {
		request.Header = header
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	reply, err := c.http.Do(request)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, &UnreachableError{fmt.Errorf("nothing listens at %s: start callwright serve, or name the server with --server", c.server)}
	case err != nil:
		return nil, &UnreachableError{fmt.Errorf("the server cannot be asked: %w", err)}
	case reply.StatusCode == http.StatusOK:
		return reply, nil
	}
	defer reply.Body.Close()
	return nil, c.refusal(reply)
}

// UnreachableError says that a server gave no answer; it may later.
type UnreachableError struct{ Err error }

// Error says what to do.
func (e *UnreachableError) Error() string { return e.Err.Error() }

// Unwrap gives the error beneath.
func (e *UnreachableError) Unwrap() error { return e.Err }

// refusal says what to do about an answer that is none.
func (c *Client) refusal(reply *http.Response) error {
	var said struct {
		Error string `json:"error"`
	}
	if json.NewDecoder(io.LimitReader(reply.Body, 64<<10)).Decode(&said) != nil || said.Error == "" {
		said.Error = reply.Status
	}
	switch {
	case reply.StatusCode == http.StatusUnauthorized && c.token == "":
		return fmt.Errorf("%s wants the admin token: give it with --token or in CALLWRIGHT_ADMIN_TOKEN; "+
			"it is admin.token of the configuration, or the file admin-token in the server's data_dir (--config tells where that is)", c.server)
	case reply.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%s does not know this admin token: give it the right one with --token or in CALLWRIGHT_ADMIN_TOKEN; "+
			"it is admin.token of the configuration, or the file admin-token in the server's data_dir", c.server)
	case reply.StatusCode >= http.StatusInternalServerError:
		return &UnreachableError{fmt.Errorf("%s failed: %s", c.server, said.Error)}
	}
	return fmt.Errorf("%s refused: %s", c.server, said.Error)
}

// foreign says that an answer is not one of ours.
func (c *Client) foreign(err error) error {
	return fmt.Errorf("%s does not answer as callwright does: is the URL right, and the server of the same version? (%w)", c.server, err)
}
