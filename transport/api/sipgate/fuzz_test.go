// SPDX-License-Identifier: MIT

package sipgate

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/api"
)

// Whatever a body says, it is read or refused with 400.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"value":true,"announcement":false}`, `{"value":"x"}`, `{"value":{}}`, `{"read":1}`,
		`{"attended":false,"phoneNumber":"+49"}`, `{"whitelist":["p0"]}`, "{\"url\":\"\xff\"}", `{"a":` + strings.Repeat("[", 100),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, body := range []any{
			&struct {
				Value        *bool `json:"value"`
				Announcement *bool `json:"announcement"`
			}{}, &change{}, &greeting{}, &struct {
				URL string `json:"url"`
			}{},
		} {
			r := &request{Request: &http.Request{Body: http.NoBody}}
			r.Body = readCloser{strings.NewReader(text)}
			err := r.read(body)
			var refusal *api.StatusError
			if err != nil && (!errors.As(err, &refusal) || refusal.Status != http.StatusBadRequest || refusal.Text == "") {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

// nothing is configured.
type nothing struct{ Settings }

func (nothing) Entries() directory.Entries { return directory.Entries{} }

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// Whatever settings say, they are read or refused with 400, and what is read is what
// is sent to clients.
func FuzzSettings(f *testing.F) {
	for _, seed := range []string{
		`{"incomingUrl":"https://a.example","outgoingUrl":"","log":true,"whitelist":["p0"]}`, `{"whitelist":null}`, `{"log":1}`, `{"x":{}}`,
		`{"log":true,"LOG":false}`, "{\"incomingUrl\":\"\xff\"}", `{"whitelist":` + strings.Repeat("[", 100), `{"a":[{"b":{"b":1,"B":2}}]}`, `{"incomingUrl":"http://\u0000"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := &request{Request: &http.Request{Body: readCloser{strings.NewReader(text)}}}
		var sent map[string]json.RawMessage
		err := r.read(&sent)
		var changes []func(*directory.App)
		if err == nil {
			changes, err = settingsOf(sent)
		}
		var refusal *api.StatusError
		if err != nil {
			if !errors.As(err, &refusal) || refusal.Status != http.StatusBadRequest || refusal.Text == "" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		var app directory.App
		for _, change := range changes {
			change(&app)
		}
		for _, url := range []string{app.IncomingURL, app.OutgoingURL} {
			if url != "" && !directory.IsURL(url) || !utf8.ValidString(url) {
				t.Errorf("%q sets the URL %q", text, url)
			}
		}
		if len(changes) != len(sent) {
			t.Errorf("%q has %d fields and changes %d", text, len(sent), len(changes))
		}
	})
}

// Whatever a query says, a filter is made of it or it is refused with 400, and a
// page is part of what there is.
func FuzzHistoryQuery(f *testing.F) {
	for _, seed := range []string{"", "types=CALL&limit=1", "offset=-1", "limit=9999999999999999999", "from=2026-03-01T12:00:00Z&to=x", "phonenumber=%2B49", "starred=STARRED&archived=true", "connectionIds=p0&connectionIds=", "directions=" + strings.Repeat("INCOMING&directions=", 4) + "OUTGOING"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		query, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		w, err := filterOf(query)
		offset, limit, bad := window(query, ordinaryPage)
		for _, err := range []error{err, bad} {
			var refusal *api.StatusError
			if err != nil && (!errors.As(err, &refusal) || refusal.Status != http.StatusBadRequest) {
				t.Errorf("%q: %v", text, err)
			}
		}
		if bad == nil && (offset < 0 || limit < 1 || limit > maxLimit) {
			t.Errorf("%q is a page of %d behind %d", text, limit, offset)
		}
		f := Face{config: Config{Settings: nothing{}}}
		if past, _ := f.pastOf("acme", w); past.Account != "acme" || len(past.Fates) > len(directions()) || len(past.Users) != len(w.of) {
			t.Errorf("%q asks for %+v", text, past)
		}
	})
}
