// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// app is the customer's app: it answers every event with what the script says
// and keeps what it was sent.
type app struct {
	url    string
	script map[string]string // event → the verbs of the document; APP is its own URL
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

// ServeHTTP answers with a document that subscribes to everything; a GET gets a
// prompt.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		http.ServeFile(w, r, "../examples/reception/prompts/greeting.wav")
		return
	}
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
	fmt.Fprintf(w, `<Response onAnswer="%[1]s/" onHangup="%[1]s/">%[2]s</Response>`,
		a.url, strings.ReplaceAll(a.script[r.PostForm.Get("event")], "APP", a.url))
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
	timeout := time.After(patience)
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
// wanted, all of one call.
func (a *app) expect(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	ids := map[string]bool{}
	for _, post := range a.last(t) {
		ids[post.Get("callId")] = true
		got = append(got, describe(post))
	}
	if diff := cmp.Diff(want, got); diff != "" || len(ids) != 1 || ids[""] {
		t.Errorf("what the app was told of the calls %v, -want +got:\n%s", ids, diff)
	}
}

// expectMany waits until the app was told the same of each of many calls.
func (a *app) expectMany(t *testing.T, calls int, want ...string) {
	t.Helper()
	eventually(t, func() string {
		told := map[string][]string{}
		for _, post := range a.all() {
			id := post.Get("callId")
			told[id] = append(told[id], describe(post))
		}
		right := 0
		for _, got := range told {
			if slices.Equal(got, want) {
				right++
			}
		}
		if right != calls || len(told) != calls {
			return fmt.Sprintf("the app was told of %d calls, %d of them as it should be, want %d", len(told), right, calls)
		}
		return ""
	})
}

// describe names an event, with the fields that tell most.
func describe(post url.Values) string {
	event := post.Get("event")
	for _, field := range []string{"cause", "answeringNumber", "userId"} {
		if post.Has(field) {
			event += " " + post.Get(field)
		}
	}
	return event
}
