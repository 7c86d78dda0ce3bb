// SPDX-License-Identifier: MIT

package speech

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/internal/peer"
)

// newServer makes a Server that asks h.
func newServer(t *testing.T, path string, h http.HandlerFunc) (*Server, string) {
	t.Helper()
	there := httptest.NewServer(h)
	t.Cleanup(there.Close)
	s, err := NewServer(ServerConfig{URL: there.URL + path, Key: "sk-secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, there.URL
}

// The sound is what espeak-ng wrote into its file, for want of a server.
func TestServer(t *testing.T) {
	t.Parallel()
	peer.Need(t, "espeak-ng", "espeak-ng")
	file, err := exec.CommandContext(t.Context(), "espeak-ng", "--stdout", "hello").Output()
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan map[string]string, 1)
	answer := func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		body["request"] = r.Method + " " + r.URL.String() + " " + r.Header.Get("Authorization") + " " + r.Header.Get("Content-Type")
		asked <- body
		w.Header().Set("Content-Type", "audio/wav")
		w.Write(file)
	}
	for _, path := range []string{"", "/", "/v1", "/v1/", "/v1/audio/speech"} {
		s, _ := newServer(t, path, answer)
		sound, err := s.Speak(t.Context(), engine.Speech{Text: `"Hallo"`, Language: "de-DE"})
		if err != nil {
			t.Fatal(err)
		}
		if sound.Duration() < 300*time.Millisecond || loudness(sound) < 100_000 || sound.Name != "speech:de-DE" || sound.Text != `"Hallo"` {
			t.Errorf("%s: %q, %s of loudness %d", path, sound.Name, sound.Duration(), loudness(sound))
		}
		want := map[string]string{
			"request": "POST /v1/audio/speech Bearer sk-secret application/json",
			"model":   "tts-1", "voice": "alloy", "input": `"Hallo"`, "response_format": "wav",
		}
		if diff := cmp.Diff(want, <-asked); diff != "" {
			t.Errorf("%s: asked (-want +got):\n%s", path, diff)
		}
	}
	s, there := newServer(t, "/tts", answer)
	s.config.Model, s.config.Voice, s.config.Key = "piper", "thorsten", ""
	if _, err := s.Speak(t.Context(), engine.Speech{Text: "x", Voice: "eva"}); err != nil {
		t.Errorf("%s: %v", there, err)
	}
	want := map[string]string{"request": "POST /tts/v1/audio/speech  application/json", "model": "piper", "voice": "eva", "input": "x", "response_format": "wav"}
	if diff := cmp.Diff(want, <-asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestServerExplains(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status       int
		answer, want string
	}{
		"a wrong key":   {401, `{"error":{"message":"Incorrect API key provided: sk-secret."}}`, ` answered 401 (it said "Incorrect API key provided: …."): set speech.key to one that it knows`},
		"a wrong path":  {404, `{"detail":"Not Found"}`, ` answered 404 (it said "Not Found"): set speech.url to a server that has /v1/audio/speech`},
		"a wrong voice": {400, `{"error":"unknown voice"}`, ` answered 400 (it said "unknown voice"): look at speech.model, and at speech.voice or the voice of the document`},
		"a list":        {422, `{"detail":[{"loc":["body","voice"]}]}`, ` answered 422 (it said "{\"detail\":[{`},
		"too much":      {429, "", " answered 429: try again later"},
		"a fault":       {500, "<html>\n" + strings.Repeat("x", 5000), ` answered 500 (it said "<html> xxx`},
		"a redirect":    {302, "", " answered 302: set speech.url to where it leads"},
		"nothing":       {204, "", " answered 204: look at what speech.url leads to"},
		"a web page":    {200, "<html>", "answered cannot be played: read prompt speech:de-DE: the file is not sound but a web page (HTML)"},
		"an empty file": {200, "", "answered cannot be played: read prompt speech:de-DE: the file is empty"},
	} {
		s, _ := newServer(t, "", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.answer)
		})
		_, err := s.Speak(t.Context(), engine.Speech{Text: "x", Language: "de-DE"})
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "sk-secret") || len(err.Error()) > 500 {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	gone, err := NewServer(ServerConfig{URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.Speak(t.Context(), engine.Speech{Text: "x"}); err == nil ||
		!strings.Contains(err.Error(), "the speech server http://127.0.0.1:1/v1/audio/speech cannot be reached (dial tcp 127.0.0.1:1: connect: connection refused): look whether it runs, and at speech.url") {
		t.Error(err)
	}
	for _, wrong := range []string{"", "api.openai.com", "ftp://x", "http://", "http://u:p@h", "http://h/?k=1", "http://h\x00"} {
		if _, err := NewServer(ServerConfig{URL: wrong}); err == nil || !strings.Contains(err.Error(), "speech.url must be the URL of a server") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// A server that gives sound without end is not listened to for ever.
func TestServerBounds(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t, "", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x20\x00\x44\xac\x00\x00\x00\x00\x00\x00\x80\x00\x20\x00data\xff\xff\xff\xff")
		for silence := make([]byte, 1<<16); r.Context().Err() == nil; {
			if _, err := w.Write(silence); err != nil {
				return
			}
		}
	})
	if _, err := s.Speak(t.Context(), engine.Speech{Text: "x", Language: "de-DE"}); err == nil || err.Error() != errTooMuchSound.Error() {
		t.Errorf("sound without end: %v", err)
	}
}

// A server that answers slowly, or never, is left, and that is an outage.
func TestServerSilent(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"never": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"byte by byte": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "RIFF")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		s, there := newServer(t, "", func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // so that it sees who asks leave
			answer(w, r)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err := s.Speak(ctx, engine.Speech{Text: "x", Language: "de-DE"})
		cancel()
		var outage *OutageError
		if !errors.As(err, &outage) || !strings.HasPrefix(err.Error(), "the speech server "+there+"/v1/audio/speech did not answer with the whole sound within ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzMessage reads what any server says.
func FuzzMessage(f *testing.F) {
	f.Add([]byte(`{"error":{"message":"no"}}`))
	f.Add([]byte(`{"error":"no","detail":[1]}`))
	f.Add([]byte("<html>\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if text := message(body); len([]rune(text)) > 200 || strings.ContainsAny(text, "\r\n\x00") {
			t.Errorf("%q", text)
		}
	})
}
