// SPDX-License-Identifier: MIT

package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/callwright/callwright/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers requests with a handler, and gives a client.
func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	c, err := New(server.URL+"/", "secret")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); server.Close() })
	return c
}

// A stream that breaks off goes on behind the last event that came, and nothing
// is told twice.
func TestFollowComesBack(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asked []string
	id := engine.NewID()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Last-Event-Id")+" "+r.URL.RawQuery+" "+r.Header.Get("Authorization"))
		switch len(asked) {
		case 1:
			fmt.Fprintf(w, "retry: 1000\nid: 6\n\n:\n\nid: 7\nevent: sip\ndata: {\"call\":%q,\"seq\":1,\"kind\":\"sip\",\"text\":\"INVITE\"}\n\nid: 8\ndata: {\"half", id)
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			fmt.Fprintf(w, "id: 7\n\nid: 8\r\ndata: {\"call\":%q,\"seq\":2,\r\ndata: \"kind\":\"ended\"}\r\n\r\n", id)
		}
	})
	var got, lost []string
	began := 0
	err := c.Follow(ctx, Stream{
		Only:  id,
		Began: func() error { began++; return nil },
		Lost:  func(err error) { lost = append(lost, strings.ReplaceAll(err.Error(), c.server, "SERVER")) },
		Give: func(e engine.Event, raw json.RawMessage) error {
			if !json.Valid(raw) || e.Call != id {
				t.Errorf("event %+v, JSON %s", e, raw)
			}
			if got = append(got, fmt.Sprintf("%d %s", e.Seq, e.Kind)); len(got) == 2 {
				cancel()
			}
			return nil
		},
	})
	if err != nil {
		t.Errorf("following ended with %v", err)
	}
	if diff := cmp.Diff([]string{"1 sip", "2 ended"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	query := "call=" + id.String() + " Bearer secret"
	if diff := cmp.Diff([]string{" " + query, "7 " + query, "7 " + query}, asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"the connection to SERVER was lost", "SERVER failed: 503 Service Unavailable"}, lost); diff != "" {
		t.Errorf("losses (-want +got):\n%s", diff)
	}
	if began != 2 {
		t.Errorf("it began %d times, want 2", began)
	}
}

// What cannot get better by trying again ends the following.
func TestFollowGivesUp(t *testing.T) {
	t.Parallel()
	asked := 0
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked == 1 {
			fmt.Fprint(w, "id: 1\n\n")
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	err := c.Follow(t.Context(), Stream{})
	if err == nil || !strings.Contains(err.Error(), "does not know this admin token") {
		t.Errorf("following ended with %v, want that the token is wrong", err)
	}
	failed := errors.New("the terminal is gone")
	c = serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "data: {}\n\n") })
	err = c.Follow(t.Context(), Stream{Give: func(engine.Event, json.RawMessage) error { return failed }})
	if !errors.Is(err, failed) {
		t.Errorf("following ended with %v, want %v", err, failed)
	}
	c = serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "data: <html>\n\n") })
	if err = c.Follow(t.Context(), Stream{}); err == nil || !strings.Contains(err.Error(), "does not answer as callwright does") {
		t.Errorf("following something else ended with %v", err)
	}
}

// A call may be named by a part of its id, if that is no other's.
func TestFind(t *testing.T) {
	t.Parallel()
	const one, two = "01a1fe6d-d924-74d8-83bd-ea3cfe44814e", "01a1fe6d-ffff-74d8-83bd-ea3c00000abc"
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"calls":[{"id":%q,"answered_at":null},{"id":%q}],"next":null}`, one, two)
	})
	for text, want := range map[string]string{
		one: one, "FE44814E": one, "0abc": two, "fe44": one, "01a1fe6dffff": two, "01a1fe6d-d924": one,
		"01a1fe6d": "2 calls have an id that begins or ends with 01a1fe6d: write more of it",
		"beef":     "none of the newest 1000 calls", "abc": "is no id of a call", "hello": "is no id of a call",
	} {
		id, err := c.Find(t.Context(), text)
		if got := id.String(); err != nil && !strings.Contains(err.Error(), want) || err == nil && got != want {
			t.Errorf("%q is %s (%v), want %s", text, got, err, want)
		}
	}
}

// Every answer that is none says what to do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for want, answer := range map[string]struct {
		status int
		body   string
	}{
		"does not know this admin token":                 {401, `{"error":"no"}`},
		"refused: limit is \"x\"; give a number":         {400, `{"error":"limit is \"x\"; give a number"}`},
		"failed: 502 Bad Gateway":                        {502, "<html>"},
		"refused: 404 Not Found":                         {404, ""},
		"does not answer as callwright does":             {200, "<html>"},
		"is the URL right, and the server of the same v": {200, `{"calls":{}}`},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(answer.status)
			fmt.Fprint(w, answer.body)
		})
		if _, _, err := c.Calls(t.Context(), 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d %s: error %v, want one with %q", answer.status, answer.body, err, want)
		}
	}
	for _, server := range []string{"", "127.0.0.1:8080", "ftp://h", "http://"} {
		if _, err := New(server, ""); err == nil || !strings.Contains(err.Error(), "write a whole URL") {
			t.Errorf("server %q: error %v", server, err)
		}
	}
}

func FuzzReadStream(f *testing.F) {
	f.Add("retry: 1\nid: 5\n\n:\n\nid: 6\nevent: x\ndata: {\"a\":1}\n\n")
	f.Add("data\ndata:\ndata: a\r\n\r\nid\n\n")
	f.Fuzz(func(t *testing.T, stream string) {
		err := readStream(strings.NewReader(stream), func(id, data string) error {
			if strings.Contains(id, "\n") {
				t.Errorf("id %q", id)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%q: %v", stream, err)
		}
	})
}
