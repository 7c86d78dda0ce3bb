// SPDX-License-Identifier: MIT

package webhook

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFetchFollowsRedirects(t *testing.T) {
	t.Parallel()
	form := ask("").Header.Get("Content-Type")
	body := string(ask("").Body)
	post := seen{Method: "POST", Path: "/end", User: "u", Password: "p", Body: body, Type: form, Key: "k", Agent: "callwright", Length: int64(len(body))}
	get := seen{Method: "GET", Path: "/end", User: "u", Password: "p", Key: "k", Agent: "callwright"}
	for status, want := range map[int]seen{301: get, 302: get, 303: get, 307: post, 308: post} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			got := make(chan seen, 1)
			app := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/end" {
					got <- look(r)
					return
				}
				w.Header().Set("Location", "end#fragment")
				w.WriteHeader(status)
			})
			r := ask(strings.Replace(app.URL, "http://", "http://u:p@", 1) + "/start")
			r.Header.Set("X-Api-Key", "k")
			if want.Method == "GET" {
				r.Method, r.Body, r.Header = "GET", nil, http.Header{"X-Api-Key": {"k"}}
			}
			reply := newClient(t).Fetch(t.Context(), r)
			if reply.Err != nil || reply.URL != app.URL+"/end" || reply.Status != 200 {
				t.Fatalf("reply %+v", reply)
			}
			if diff := cmp.Diff(want, <-got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if len(reply.Attempts) != 2 || reply.Attempts[0].Status != status || reply.Attempts[0].URL != app.URL+"/start" || reply.Attempts[0].Err != nil {
				t.Errorf("attempts %+v", reply.Attempts)
			}
		})
	}
}

// TestFetchLeavesCredentialsBehind holds that another host, and another port of
// the same host, gets the request but no secrets.
func TestFetchLeavesCredentialsBehind(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	other := serve(t, func(w http.ResponseWriter, r *http.Request) { got <- r.Header })
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/", http.StatusPermanentRedirect)
	})
	r := ask(strings.Replace(app.URL, "http://", "http://u:p@", 1))
	for _, name := range []string{"Cookie", "Proxy-Authorization", "X-Api-Key", "X-Access-Token"} {
		r.Header.Set(name, "secret")
	}
	r.Header.Set("X-Forwarded-For", "217.116.118.254")
	if reply := newClient(t).Fetch(t.Context(), r); reply.Err != nil {
		t.Fatal(reply.Err)
	}
	header := <-got
	for name := range header {
		if isCredential(name) {
			t.Errorf("%s: %s went to another server", name, header.Get(name))
		}
	}
	if header.Get("X-Forwarded-For") == "" || header.Get("Content-Type") == "" {
		t.Errorf("header %v lacks what is no secret", header)
	}
}

func TestFetchRefusesRedirects(t *testing.T) {
	t.Parallel()
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var to string
		switch path := r.URL.Path; {
		case path == "/a":
			to = "/b"
		case path == "/b":
			to = "/a"
		case path == "/self":
			to = "/self"
		case path == "/file":
			to = "file:///etc/passwd"
		case path == "/long":
			to = "/" + strings.Repeat("a", 2048)
		case path == "/broken":
			to = "http://u:p/w@x:y/"
		case len(path) == 4 && path[1] == '3': // like /302
			status, _ := strconv.Atoi(path[1:])
			http.Redirect(w, r, "/end", status)
			return
		case strings.HasPrefix(path, "/1"):
			to = path + "1"
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	c := newClient(t)
	tests := []struct {
		path     string
		most     int
		want     string
		attempts int
	}{
		{"/1", 3, "/1111 redirects on to URL/11111, and no more than 3 redirects are followed (it began at URL/1): set the URL to where it leads in the end", 4},
		{"/1", 0, "/1 redirects to URL/11, and redirects are not followed: set the URL to where it leads", 1},
		{"/self", 3, "/self redirects in a circle, back to URL/self", 1},
		{"/a", 3, "/b redirects in a circle, back to URL/a (it began at URL/a)", 2},
		{"/file", 3, "/file redirects to something that is not an http or https URL: look at the Location header of its reply", 1},
		{"/broken", 3, "/broken redirects to something that is not a URL: look at the Location header of its reply", 1},
		{"/long", 3, fmt.Sprintf("/long redirects to a URL of %d characters: it must have at most 2048", len(app.URL)+2049), 1},
		{"/301", 3, "/301 redirects with 301, which makes a GET without content of a POST: answer 307 or 308, or set the URL to URL/end", 1},
		{"/302", 3, "/302 redirects with 302, which makes a GET without content of a POST: answer 307 or 308, or set the URL to URL/end", 1},
		{"/303", 3, "/303 redirects with 303, which makes a GET without content of a POST: answer 307 or 308, or set the URL to URL/end", 1},
	}
	for _, tt := range tests {
		r := ask(app.URL + tt.path)
		r.Policy.Redirects = tt.most
		reply := c.Fetch(t.Context(), r)
		want := app.URL + strings.ReplaceAll(tt.want, "URL/", app.URL+"/")
		if reply.Err == nil || reply.Err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.path, reply.Err, want)
		}
		if len(reply.Attempts) != tt.attempts {
			t.Errorf("%s: %d attempts, want %d", tt.path, len(reply.Attempts), tt.attempts)
		}
	}
}

func TestFetchRefusesDowngrade(t *testing.T) {
	t.Parallel()
	plain := serve(t, func(w http.ResponseWriter, r *http.Request) { t.Error("the downgrade was followed") })
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL+"/", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(secure.Close)
	c := newClient(t)
	c.transport.TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig
	reply := c.Fetch(t.Context(), ask(secure.URL))
	want := secure.URL + " redirects from https to " + plain.URL + "/, which is not encrypted: redirect to https, or set the URL to http"
	if reply.Err == nil || reply.Err.Error() != want {
		t.Errorf("got  %v\nwant %s", reply.Err, want)
	}
}

func TestSameServer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to string
		want     bool
	}{
		{"https://a.example/x", "https://A.example:443/y", true},
		{"http://a.example/", "http://a.example:80/", true},
		{"http://a.example/", "https://a.example/", true},
		{"http://a.example:8080/", "https://a.example/", false},
		{"http://a.example/", "https://a.example:8443/", false},
		{"https://a.example/", "http://a.example/", false},
		{"https://a.example/", "https://b.a.example/", false},
		{"https://a.example/", "https://a.example.evil/", false},
		{"https://a.example/", "https://a.example:444/", false},
	} {
		from, err := url.Parse(tt.from)
		if err != nil {
			t.Fatal(err)
		}
		to, err := url.Parse(tt.to)
		if err != nil {
			t.Fatal(err)
		}
		if got := sameServer(from, to); got != tt.want {
			t.Errorf("sameServer(%s, %s) = %v", tt.from, tt.to, got)
		}
	}
}
