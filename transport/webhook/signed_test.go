// SPDX-License-Identifier: MIT

package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/callwright/callwright/engine"
)

// signer signs by saying what it signed.
type signer struct{ err error }

func (s signer) Sign(body []byte) (string, error) { return "signed " + string(body), s.err }

// A body is signed in the header that the vendor has for it, whatever the app's own
// headers say, and so it is sent wherever a redirect sends it.
func TestSignature(t *testing.T) {
	t.Parallel()
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.URL.Path+" "+string(body)+" "+strings.Join(r.Header.Values("X-Signature"), "+"))
		switch r.URL.Path {
		case "/307":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		case "/500":
			w.WriteHeader(500)
		}
	}))
	t.Cleanup(server.Close)
	ask := func(s Signer, name, path, fallback string) string {
		t.Helper()
		got = nil
		c := New(Config{AllowLoopback: true, Signer: s})
		defer c.Close()
		header := http.Header{"X-Signature": {"of the app"}}
		r := engine.Request{
			Method: "POST", URL: server.URL + path, Header: header, Body: []byte("a=1"), Signature: name,
			Policy: engine.Policy{Redirects: 3, SuccessFrom: 200, SuccessTo: 200},
		}
		if fallback != "" {
			r.Fallback = server.URL + fallback
		}
		if reply := c.Fetch(context.Background(), r); reply.Err != nil {
			t.Error(reply.Err)
		}
		if header.Get("X-Signature") != "of the app" {
			t.Error("the caller's header was changed")
		}
		return strings.Join(got, ", ")
	}
	for _, test := range []struct {
		signer               Signer
		name, path, fallback string
		want                 string
	}{
		{signer{}, "X-Signature", "/", "", "/ a=1 signed a=1"},
		{signer{}, "X-Signature", "/307", "", "/307 a=1 signed a=1, / a=1 signed a=1"},
		{signer{}, "X-Signature", "/500", "/", "/500 a=1 signed a=1, / a=1 signed a=1"},
		{signer{}, "", "/", "", "/ a=1 of the app"},
		{nil, "X-Signature", "/", "", "/ a=1 of the app"},
	} {
		if got := ask(test.signer, test.name, test.path, test.fallback); got != test.want {
			t.Errorf("%+v: got %q", test, got)
		}
	}
	c := New(Config{AllowLoopback: true, Signer: signer{errors.New("no ink")}})
	defer c.Close()
	got = nil
	reply := c.Fetch(context.Background(), engine.Request{Method: "POST", URL: server.URL, Signature: "X-Signature"})
	if reply.Err == nil || len(got) > 0 {
		t.Errorf("what cannot be signed is sent: %v %v", got, reply.Err)
	}
}
