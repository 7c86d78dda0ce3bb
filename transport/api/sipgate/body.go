// SPDX-License-Identifier: MIT

package sipgate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// read reads the body of a request, which is one JSON object. Fields that are not
// known are left alone: sipgate's own clients send what other products need.
func (r *request) read(body any) error {
	const shape = "one JSON object"
	text, err := r.readJSON(body, shape)
	if err == nil && !strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		return mustBe(shape)
	}
	return err
}

// readJSON reads the body of a request, which is JSON (RFC 8259) of a shape, in UTF-8,
// and names nothing twice.
func (r *request) readJSON(body any, shape string) (text []byte, err error) {
	if text, err = api.ReadBody(r.Request); err != nil {
		return nil, err
	}
	if i := bytes.IndexFunc(text, func(c rune) bool { return c == utf8.RuneError }); i >= 0 && !utf8.Valid(text) {
		return nil, api.Refuse(http.StatusBadRequest, "the body is no UTF-8 behind byte %d", i)
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch err := json.Unmarshal(text, body); {
	case errors.As(err, &syntax):
		return nil, api.Refuse(http.StatusBadRequest, "the body is no JSON: %s behind byte %d", syntax, syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return nil, api.Wrong(kind.Field, "%s must be a %s", kind.Field, strings.Replace(strings.TrimPrefix(kind.Type.String(), "*"), "string", "text: write it in quotes", 1))
	case err != nil:
		return nil, mustBe(shape)
	}
	if field, ok := twice(text); ok {
		return nil, api.Wrong(field, "%s is there twice: write it once", short(field))
	}
	return text, nil
}

func mustBe(shape string) error {
	return api.Refuse(http.StatusBadRequest, "the body must be %s", shape)
}

// twice finds a field that an object has twice, in whatever case, in a text that is
// JSON: a reader may take either.
func twice(text []byte) (field string, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	objects := []map[string]bool{} // that the place is in; nil is a list
	key := false                   // that a string is one
	for {
		token, err := d.Token()
		if err != nil {
			return "", false
		}
		in := len(objects) - 1
		name, isText := token.(string)
		switch {
		case token == json.Delim('{'):
			objects, key = append(objects, map[string]bool{}), true
			continue
		case token == json.Delim('['):
			objects, key = append(objects, nil), false
			continue
		case token == json.Delim('}'), token == json.Delim(']'):
			objects = objects[:in]
			in--
		case key && isText:
			if objects[in][strings.ToLower(name)] {
				return name, true
			}
			objects[in][strings.ToLower(name)], key = true, false
			continue
		}
		key = in >= 0 && objects[in] != nil // behind a value comes the next
	}
}

// short is a word of a client's as a sentence can hold it.
func short(word string) string { return fmt.Sprintf("%.40q", word) }

// refused says what an error of the engine means to who asked.
func refused(err error) error {
	var sound *engine.SoundError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, engine.ErrNoCall):
		return errNoCall()
	case errors.As(err, &sound):
		return api.Wrong("url", "%s", sound)
	case errors.Is(err, engine.ErrEmergency):
		return api.Refuse(http.StatusForbidden, "%s", err)
	case slices.ContainsFunc(tooEarly(), func(one error) bool { return errors.Is(err, one) }):
		return api.Refuse(http.StatusConflict, "%s", err)
	}
	return fmt.Errorf("act on a call: %w", err)
}

// tooEarly are the errors of what could be done to the call at another moment.
func tooEarly() []error {
	return []error{
		engine.ErrNoTalk, engine.ErrNoOwner, engine.ErrNoSound, engine.ErrNoTransfer, engine.ErrTransferring, engine.ErrAnnouncements, engine.ErrKeys,
		engine.ErrRecording, engine.ErrNotRecording,
	}
}

// pointed is refused where somebody is to be rung, whom a field names, and another the
// number that is shown. Money that is used up is 402, whom an operator does not let
// call 403, what is only too fast or too much at once 429, and a server that can take
// no call from anybody 503.
func pointed(err error, field, shown string) error {
	var refusal *engine.DialError
	var limit *engine.LimitError
	status := http.StatusForbidden
	switch {
	case errors.Is(err, engine.ErrUnrecorded):
		return away(err)
	case errors.Is(err, engine.ErrRung):
		return api.Refuse(http.StatusTooManyRequests, "%s", err)
	case errors.As(err, &limit) && limit.Limit == "limits.minutes_per_day":
		return api.Refuse(http.StatusPaymentRequired, "%s", limit) // what is used up comes back tomorrow
	case errors.As(err, &limit) && limit.Limit == "limits.calls_per_second":
		return api.Refuse(http.StatusTooManyRequests, "%s; try again in a second", limit)
	case errors.As(err, &limit) && !errors.As(err, &refusal):
		return api.Refuse(http.StatusServiceUnavailable, "%s; try again later", limit)
	case errors.Is(err, engine.ErrDraining):
		return api.Refuse(http.StatusServiceUnavailable, "%s", err)
	case !errors.As(err, &refusal):
		return refused(err)
	case errors.Is(err, engine.ErrCallerID):
		field = shown
	case refusal.Cause == engine.CauseNotFound:
		status = http.StatusBadRequest
	}
	return &api.StatusError{Status: status, Text: refusal.Error(), Field: field}
}
