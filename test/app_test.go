// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// app is the customer's app: it answers every event with what the script says
// and keeps what it was sent.
type app struct {
	url    string
	script map[string]string // event → the verbs of the document
	slow   time.Duration     // before each answer

	mu    sync.Mutex
	posts []url.Values
	came  chan struct{} // has room for one, filled at each post
}

// startApp serves an app on an address until the test ends.
func startApp(t *testing.T, host string, script map[string]string) *app {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	a := &app{url: "http://" + l.Addr().String(), script: script, came: make(chan struct{}, 1)}
	server := &http.Server{Handler: a}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return a
}

// ServeHTTP answers with a document that subscribes to everything.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	a.posts = append(a.posts, r.PostForm)
	a.mu.Unlock()
	select {
	case a.came <- struct{}{}:
	default:
	}
	time.Sleep(a.slow)
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprintf(w, `<Response onAnswer="%[1]s/" onHangup="%[1]s/">%[2]s</Response>`, a.url, a.script[r.PostForm.Get("event")])
}

// all gives what was posted so far.
func (a *app) all() []url.Values {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.posts)
}

// last waits for the hangup, which is the last post of a call, and gives all.
func (a *app) last(t *testing.T) []url.Values {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		posts := a.all()
		if len(posts) > 0 && posts[len(posts)-1].Get("event") == "hangup" {
			return posts
		}
		select {
		case <-a.came:
		case <-timeout:
			t.Fatalf("the app was not told of the hangup, only of %v", posts)
		}
	}
}

// expect waits for the end of the call and compares the events with those
// wanted: a name, or name=value of the field that tells most.
func (a *app) expect(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	id := ""
	for _, post := range a.last(t) {
		if id == "" {
			id = post.Get("callId")
		}
		if post.Get("callId") != id || id == "" {
			t.Errorf("callId of %v is not %q", post, id)
		}
		event := post.Get("event")
		for _, field := range []string{"cause", "answeringNumber", "userId"} {
			if post.Has(field) {
				event += " " + post.Get(field)
			}
		}
		got = append(got, event)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the app was told, -want +got:\n%s", diff)
	}
}
