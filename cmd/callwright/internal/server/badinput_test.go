// SPDX-License-Identifier: MIT

package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// Whatever an app answers, the call is delivered by the account settings (the
// number has no users, so nobody is there: 480), the timeline says what to
// change, and nothing is left behind.
func TestBadReplies(t *testing.T) {
	t.Parallel()
	xml := func(document string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/xml")
			fmt.Fprint(w, document)
		}
	}
	play := func(url string) http.HandlerFunc {
		return xml("<Response><Play><Url>" + url + "</Url></Play></Response>")
	}
	page := httptest.NewServer(http.HandlerFunc(files))
	t.Cleanup(page.Close)
	for _, tt := range []struct {
		name     string
		app      http.HandlerFunc
		url      string // instead of the app's
		sentence string
		status   int
	}{
		{"no XML", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Thanks!") }, "", "send it with Content-Type: application/xml", 480},
		{"half a document", xml("<Response>\n <Dial><Number>49"), "", "line 2", 480},
		{"wrong root", xml("<Answer/>"), "", "Response", 480},
		{"the client's Error root", xml(`<Error message="No handler for newCall event" />`), "", "No handler for newCall event", 480},
		{"unknown verb", xml("<Response>\n  <Dail/>\n</Response>"), "", "line 2, column 3", 480},
		{"unknown attribute", xml(`<Response><Reject raeson="busy"/></Response>`), "", "reason", 603},
		{"Gather without onData", xml("<Response><Gather/></Response>"), "", "onData", 480},
		{"Dial without target", xml("<Response><Dial/></Response>"), "", "<Number>", 480},
		{"six Numbers", xml("<Response><Dial>" + strings.Repeat("<Number>+4930222222</Number>", 6) + "</Dial></Response>"), "", "up to 5 numbers", 502},
		{"a sound file that is none", play(page.URL + "/page.wav"), "", "page.wav", 480},
		{"MP3 that is none", play(page.URL + "/none.mp3"), "", "there is no sound in it that can be read", 480},
		{"a sound file of 200 MB", play(page.URL + "/huge.wav"), "", "answered more than 50 MiB, which is the limit: make the file smaller", 480},
		{"a sound file that redirects for ever", play(page.URL + "/away"), "", "no more than 3 redirects are followed (it began at", 480},
		{"a tone that there is not", play("tone:ringin"), "", "write beep, busy, congestion,", 480},
		{"a sound file nowhere", play("http://no.such.host.invalid/x.wav"), "", "no.such.host.invalid", 480},
		{"a sound file on a private network", play("http://10.1.2.3/x.wav"), "", "webhooks.allow_private", 480},
		{"status 500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "", "500", 480},
		{"a reply that hangs", hanging, "", "did not answer", 480},
		{"a reply that never ends", endless, "", "64 KiB", 480},
		{"no app there", nil, "http://127.0.0.1:1/", "127.0.0.1:1", 480},
		{"an app nowhere", nil, "http://no.such.host.invalid/", "no.such.host.invalid", 480},
		{"an app on a private network", nil, "http://192.168.1.1/", "webhooks.allow_private", 480},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := tt.url
			if url == "" {
				app := httptest.NewServer(tt.app)
				t.Cleanup(app.Close)
				url = app.URL
			}
			patience := time.Minute // the machine may be busy
			if tt.name == "a reply that hangs" || tt.name == "an app nowhere" {
				patience = 500 * time.Millisecond
			}
			s := start(t, url, func(c *config.Config) { c.Webhooks.Timeout = patience })
			ended := make(chan dialog.Ended, 1)
			call(t, caller(t), "sip:+4921112345@"+s.SIP.Addr("udp").String(), func(ev dialog.Ended) { ended <- ev })
			if got := <-ended; got.Status != tt.status {
				t.Errorf("the call ended with %d (%s), want %d", got.Status, got.Reason, tt.status)
			}
			until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
			if text := timeline(t, s); !strings.Contains(text, tt.sentence) {
				t.Errorf("the timeline does not say %q:\n%s", tt.sentence, text)
			}
		})
	}
}

// files are sound files as nobody wants them.
func files(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/none.mp3":
		fmt.Fprint(w, "\xFF\xFB\x90\x44", strings.Repeat("no sound, ", 1000))
	case r.URL.Path == "/huge.wav":
		w.Header().Set("Content-Length", "209715200")
		fmt.Fprint(w, "RIFF\x00\x00\x80\x0CWAVE")
	case strings.HasPrefix(r.URL.Path, "/away"):
		http.Redirect(w, r, r.URL.Path+"/away", http.StatusFound)
	default:
		fmt.Fprint(w, "<html>no sound</html>")
	}
}

// hanging is a reply that never comes.
func hanging(_ http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // the server sees a client that goes only behind the body
	<-r.Context().Done()
}

// endless is a reply that goes on as long as somebody reads.
func endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/xml")
	for r.Context().Err() == nil {
		if _, err := fmt.Fprint(w, strings.Repeat("<Response>", 1000)); err != nil {
			return
		}
	}
}

// timeline is what stands on the timelines of all calls.
func timeline(t *testing.T, s *server.Server) string {
	t.Helper()
	if err := s.Store.Applied(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, _, err := s.Store.Calls(t.Context(), 100, "")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, r := range records {
		_, events, err := s.Store.Call(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		ended := 0
		for _, e := range events {
			fmt.Fprintln(&text, e.Kind, e.Text)
			if e.Kind == engine.EventEnded {
				ended++
			}
		}
		if ended != 1 {
			t.Errorf("the call to %s has %d terminal events, want 1", r.To, ended)
		}
	}
	return text.String()
}
