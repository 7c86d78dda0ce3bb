// SPDX-License-Identifier: MIT

package speech

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
)

// What a server is asked for when nothing else is configured: what OpenAI's has.
const (
	DefaultModel = "tts-1"
	DefaultVoice = "alloy"
)

// speechPath is where such servers speak.
const speechPath = "/v1/audio/speech"

// ServerConfig says which server speaks. All of it is the operator's.
type ServerConfig struct {
	// URL is that of the server, with or without /v1: "https://api.openai.com".
	// Required.
	URL string
	// Key is what the server is shown; empty shows it nothing.
	Key string
	// Model and Voice are what it is asked for; empty is DefaultModel and
	// DefaultVoice. A document may name another voice.
	Model, Voice string
}

// Server speaks by a server that does so as OpenAI's does, by
// POST /v1/audio/speech. Such servers know no languages: they read the text as
// what it is in. It is safe for use by many goroutines at once.
type Server struct {
	config ServerConfig
	url    string
	client *http.Client
}

// NewServer makes a Server. The error says what is wrong with its URL.
func NewServer(config ServerConfig) (*Server, error) {
	u, err := url.Parse(config.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.User != nil {
		return nil, errors.New("speech.url must be the URL of a server, without password and query, like https://api.openai.com")
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), speechPath)
	u.Path = strings.TrimSuffix(u.Path, "/v1") + speechPath
	config.Model, config.Voice = cmp.Or(config.Model, DefaultModel), cmp.Or(config.Voice, DefaultVoice)
	return &Server{config: config, url: u.String(), client: &http.Client{
		Transport: http.DefaultTransport.(*http.Transport).Clone(),
		// A redirect would make a GET of the request, and its key is for one server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close lets go of connections that are not in use.
func (s *Server) Close() { s.client.CloseIdleConnections() }

// Speak asks the server.
func (s *Server) Speak(ctx context.Context, what engine.Speech) (*media.Prompt, error) {
	body, err := json.Marshal(struct {
		Model  string `json:"model"`
		Input  string `json:"input"`
		Voice  string `json:"voice"`
		Format string `json:"response_format"`
	}{s.config.Model, what.Text, cmp.Or(what.Voice, s.config.Voice), "wav"})
	if err != nil {
		return nil, fmt.Errorf("word the request for speech: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("word the request for speech: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "audio/wav")
	if s.config.Key != "" {
		req.Header.Set("Authorization", "Bearer "+s.config.Key)
	}
	began := time.Now()
	reply, err := s.client.Do(req)
	if err != nil {
		return nil, s.unreached(err, time.Since(began))
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return nil, s.refused(reply)
	}
	sound, err := decode(what, reply.Body)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, s.unreached(err, time.Since(began))
	case err != nil && ctx.Err() == nil && !errors.Is(err, errTooMuchSound):
		return nil, &OutageError{fmt.Errorf("what the speech server %s answered cannot be played: %w", s.url, err)}
	}
	return sound, err
}

// unreached says that there is no answer, or not all of it. It is an outage unless
// nobody wanted it any more.
func (s *Server) unreached(err error, took time.Duration) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // the rest is said here
	}
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return &OutageError{fmt.Errorf("the speech server %s did not answer with the whole sound within %s: look whether it runs and is fast enough, and at speech.url",
			s.url, took.Round(100*time.Millisecond))}
	}
	return &OutageError{fmt.Errorf("the speech server %s cannot be reached (%w): look whether it runs, and at speech.url", s.url, err)}
}

// refused says what the server answered in place of sound, and what to change.
func (s *Server) refused(reply *http.Response) error {
	advice := "look at what speech.url leads to"
	switch code := reply.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		advice = "set speech.key to one that it knows"
	case code == http.StatusNotFound:
		advice = "set speech.url to a server that has " + speechPath + ", and speech.model to one of its models"
	case code == http.StatusTooManyRequests:
		advice = "try again later, or ask its operator for more"
	case code >= http.StatusInternalServerError:
		advice = "it has a fault of its own, look at its log"
	case code >= http.StatusMultipleChoices && code < http.StatusBadRequest:
		advice = "set speech.url to where it leads"
	case code == http.StatusBadRequest || code == http.StatusUnprocessableEntity:
		advice = "look at speech.model, and at speech.voice or the voice of the document"
	}
	said, _ := io.ReadAll(io.LimitReader(reply.Body, 4<<10)) // a part says something, too
	text := message(said)
	if s.config.Key != "" {
		text = strings.ReplaceAll(text, s.config.Key, "…")
	}
	if text != "" {
		text = fmt.Sprintf(" (it said %q)", text)
	}
	err := fmt.Errorf("the speech server %s answered %d%s: %s", s.url, reply.StatusCode, text, advice)
	if reply.StatusCode == http.StatusBadRequest || reply.StatusCode == http.StatusUnprocessableEntity {
		return err // it may be this text, or its voice
	}
	return &OutageError{err}
}

// message finds what a server's error says, where such servers have it, cut to
// what people read.
func message(body []byte) string {
	text := string(body)
	var object struct {
		Error   json.RawMessage `json:"error"`
		Detail  json.RawMessage `json:"detail"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(body, &object) == nil {
		var nested struct {
			Message string `json:"message"`
		}
		var plain string
		for _, part := range []json.RawMessage{object.Error, object.Detail} {
			if json.Unmarshal(part, &nested) == nil || json.Unmarshal(part, &plain) == nil {
				break
			}
		}
		text = cmp.Or(nested.Message, plain, object.Message, text)
	}
	text = speakable(text)
	runes := []rune(text)
	return string(runes[:min(len(runes), 200)])
}

var _ Provider = (*Server)(nil)
