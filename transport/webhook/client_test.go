// SPDX-License-Identifier: MIT

package webhook

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
)

// seen is what an app got.
type seen struct {
	Method, Path, User, Password, Body, Type, Key, Agent string
	Length                                               int64
}

func look(r *http.Request) seen {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		body = []byte(err.Error())
	}
	user, password, _ := r.BasicAuth()
	return seen{r.Method, r.URL.Path, user, password, string(body), r.Header.Get("Content-Type"), r.Header.Get("X-Api-Key"), r.UserAgent(), r.ContentLength}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	got := make(chan seen, 1)
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got <- look(r)
		w.Header().Set("Content-Type", "application/xml")
		io.WriteString(w, "<Response/>")
	})
	r := ask(app.URL + "/in?x=1")
	r.Header.Set("User-Agent", "sipgate.io")
	r.Fallback = "http://127.0.0.1:1/never"
	reply := newClient(t).Fetch(t.Context(), r)
	if reply.Err != nil || reply.Status != 200 || string(reply.Body) != "<Response/>" || reply.URL != r.URL || reply.Header.Get("Content-Type") != "application/xml" {
		t.Errorf("reply %+v", reply)
	}
	want := seen{Method: "POST", Path: "/in", Body: string(r.Body), Type: r.Header.Get("Content-Type"), Agent: "sipgate.io", Length: int64(len(r.Body))}
	if diff := cmp.Diff(want, <-got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if len(reply.Attempts) != 1 || reply.Attempts[0].Took <= 0 || string(reply.Attempts[0].Body) != "<Response/>" {
		t.Errorf("attempts %+v", reply.Attempts)
	}
}

func TestFetchShowsNoCredentials(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	c := New(Config{AllowLoopback: true, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	defer c.Close()
	got := make(chan seen, 2)
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got <- look(r)
		if r.URL.Path == "/teapot" {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	with := strings.Replace(app.URL, "http://", "http://alice:s%40cret@", 1)
	r := ask(with + "/teapot")
	r.Fallback = with + "/ok"
	reply := c.Fetch(t.Context(), r)
	if reply.Err != nil || reply.URL != app.URL+"/ok" {
		t.Errorf("reply %+v", reply)
	}
	for range 2 {
		if s := <-got; s.User != "alice" || s.Password != "s@cret" {
			t.Errorf("credentials %q %q", s.User, s.Password)
		}
	}
	// Where nothing can be connected to, and where the URL cannot be parsed.
	refused := c.Fetch(t.Context(), ask("http://alice:s%40cret@127.0.0.1:1/"))
	broken := c.Fetch(t.Context(), ask("http://alice:s@cret/@127.0.0.1:1/"))
	slash := c.Fetch(t.Context(), ask("http://alice:s/cret@127.0.0.1:1/"))
	for _, reply := range []engine.Reply{reply, refused, broken, slash} {
		shown := reply.URL
		for _, a := range reply.Attempts {
			shown += " " + a.URL
			if a.Err != nil {
				shown += " " + a.Err.Error()
			}
		}
		if reply.Err != nil {
			shown += " " + reply.Err.Error()
		}
		if strings.Contains(shown, "alice") || strings.Contains(shown, "s@c") || strings.Contains(shown, "s%40c") {
			t.Errorf("shown: %s", shown)
		}
	}
	if s := log.String(); !strings.Contains(s, "/teapot") || strings.Contains(s, "alice") || strings.Contains(s, "s%40c") {
		t.Errorf("log: %s", s)
	}
}

func TestFetchFallback(t *testing.T) {
	t.Parallel()
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bad":
			w.WriteHeader(http.StatusInternalServerError)
			io.WriteString(w, "Traceback")
		case "/created":
			w.WriteHeader(http.StatusCreated)
		case "/good":
			io.Copy(w, r.Body)
		}
	})
	c := newClient(t)
	for _, primary := range []string{app.URL + "/bad", "http://127.0.0.1:1/", "ftp://x/", "http://%zz/", app.URL + "/created"} {
		r := ask(primary)
		r.Fallback = app.URL + "/good"
		reply := c.Fetch(t.Context(), r)
		if reply.Err != nil || string(reply.Body) != string(r.Body) || reply.URL != r.Fallback {
			t.Errorf("%s: %+v", primary, reply)
		}
		if n := len(reply.Attempts); n != 2 || reply.Attempts[0].Err == nil || reply.Attempts[1].Err != nil {
			t.Errorf("%s: attempts %+v", primary, reply.Attempts)
		}
	}

	r := ask(app.URL + "/bad")
	r.Fallback = app.URL + "/created"
	reply := c.Fetch(t.Context(), r)
	want := app.URL + "/bad answered 500; 200 is expected; and the fallback: " + app.URL + "/created answered 201; 200 is expected"
	if reply.Err == nil || reply.Err.Error() != want {
		t.Errorf("got  %v\nwant %s", reply.Err, want)
	}
	if reply.Status != 201 || len(reply.Attempts) != 2 || string(reply.Attempts[0].Body) != "Traceback" {
		t.Errorf("reply %+v", reply)
	}
}

func TestFetchStatus(t *testing.T) {
	t.Parallel()
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(204)
		case "/401":
			w.WriteHeader(401)
		case "/404":
			w.WriteHeader(404)
		case "/405":
			w.WriteHeader(405)
		case "/302":
			w.WriteHeader(302)
		case "/303":
			w.Header().Set("Location", "/204")
			w.WriteHeader(303)
			io.WriteString(w, "body of a redirect that counts")
		}
	})
	host := strings.TrimPrefix(app.URL, "http://")
	tests := []struct {
		url      string
		from, to int
		want     string
	}{
		{app.URL + "/204", 200, 299, ""},
		{app.URL + "/204", 200, 200, " answered 204; 200 is expected"},
		{app.URL + "/404", 200, 299, " answered 404; 200 to 299 are expected: there is nothing at this path"},
		{app.URL + "/401", 200, 200, " answered 401; 200 is expected: put user name and password into the URL (https://user:password@host/)"},
		{"http://a:b@" + host + "/401", 200, 200, " answered 401; 200 is expected: user name or password in the URL is wrong"},
		{app.URL + "/405", 200, 200, " answered 405; 200 is expected: it does not take POST"},
		{app.URL + "/302", 200, 200, " answered 302; 200 is expected: it redirects without saying where to"},
		{app.URL + "/303", 200, 399, ""},
	}
	c := newClient(t)
	for _, tt := range tests {
		r := ask(tt.url)
		r.Policy.SuccessFrom, r.Policy.SuccessTo = tt.from, tt.to
		reply := c.Fetch(t.Context(), r)
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case tt.want == "":
			if reply.Err != nil {
				t.Errorf("%s: %v", tt.url, reply.Err)
			}
		case reply.Err == nil || reply.Err.Error() != app.URL+u.Path+tt.want:
			t.Errorf("%s:\ngot  %v\nwant %s%s", tt.url, reply.Err, tt.url, tt.want)
		}
	}
}

// TestFetchDefaultTimeout holds that a policy without a time-out still has one.
func TestFetchDefaultTimeout(t *testing.T) {
	t.Parallel()
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	r := ask(app.URL)
	r.Policy.Timeout = 0
	if reply := newClient(t).Fetch(t.Context(), r); reply.Err != nil {
		t.Errorf("without a time-out: %v", reply.Err)
	}
	c := New(Config{AllowLoopback: true, Timeout: time.Nanosecond})
	defer c.Close()
	if reply := c.Fetch(t.Context(), ask(app.URL)); reply.Err == nil || !strings.Contains(reply.Err.Error(), "did not answer within 1e-09 s") {
		t.Errorf("the Config's time-out: %v", reply.Err)
	}
}

func TestParseURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                         "the URL must begin with http:// or https://",
		"example.com/x":            "the URL must begin with http:// or https://",
		"localhost:3000":           "the URL must begin with http:// or https://",
		"file:///etc/passwd":       "the URL must begin with http:// or https://",
		"gopher://x/":              "the URL must begin with http:// or https://",
		"http://":                  "the URL names no host: it must look like https://example.com/path",
		"https:///x":               "the URL names no host: it must look like https://example.com/path",
		"http://:80/":              "the URL names no host: it must look like https://example.com/path",
		"http:opaque":              "the URL names no host: it must look like https://example.com/path",
		"http://[::1":              "the URL cannot be read: it must look like https://example.com/path, with special characters in user name and password written as %XX",
		"HTTPS://example.com":      "",
		" https://example.com/a ":  "",
		"http://user:p@[::1]:80/a": "",
	} {
		_, err := parseURL(raw)
		if got := ""; err != nil {
			got = err.Error()
			if got != want {
				t.Errorf("%q: %s\nwant %s", raw, got, want)
			}
		} else if want != "" {
			t.Errorf("%q passes, want %s", raw, want)
		}
	}
}
