// SPDX-License-Identifier: MIT

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/callwright/callwright/engine"
)

// showRecord waits for the last event, checks that nothing is missing, and
// prints the record as the API gives it.
func (s *stage) showRecord(ctx context.Context) error {
	id, events, err := s.show.await(ctx)
	if err != nil {
		return fmt.Errorf("after the call: %w", err)
	}
	if err := complete(events); err != nil {
		return err
	}
	record, err := fetch(ctx, "http://"+s.API.Addr().String()+"/api/v1/calls/"+id.String(), s.Token)
	if err != nil {
		return fmt.Errorf("read the stored record: %w", err)
	}
	for key, want := range map[string]any{
		"state": "ended", "cause": string(engine.CauseNormal), "from": "+4930111111", "to": number, "answered_by": target,
	} {
		if record[key] != want {
			return fmt.Errorf("the stored record says %s is %v instead of %v", key, record[key], want)
		}
	}
	delete(record, "timeline")
	text, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return fmt.Errorf("print the stored record: %w", err)
	}
	s.show.say("record", "GET /api/v1/calls/%s\n%s", id, text)
	s.show.say("callwright", "the demo went well")
	return nil
}

// complete sees that the app was told everything, in order, and that the media
// figures are there.
func complete(events []engine.Event) error {
	var told []string
	for _, e := range events {
		if e.Kind == engine.EventReply {
			told = append(told, e.Data.Name)
		}
	}
	if got, want := strings.Join(told, " "), "newCall dtmf answer hangup"; got != want {
		return fmt.Errorf("the app was told %q instead of %q", got, want)
	}
	return nil
}

// fetch gets a JSON object that is for those with a token.
func fetch(ctx context.Context, url, token string) (map[string]any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		return nil, err
	}
	if reply.StatusCode != http.StatusOK {
		return nil, errors.New(reply.Status + ": " + string(bytes.TrimSpace(body)))
	}
	var object map[string]any
	return object, json.Unmarshal(body, &object)
}
