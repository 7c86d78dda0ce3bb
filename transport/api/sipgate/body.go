// SPDX-License-Identifier: MIT

package sipgate

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// read reads the body of a request, which is one JSON object. Fields that are not
// known are left alone: sipgate's own clients send what other products need.
func (r *request) read(body any) error {
	text, err := api.ReadBody(r.Request)
	if err != nil {
		return err
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch err := json.Unmarshal(text, body); {
	case err == nil && strings.HasPrefix(strings.TrimSpace(string(text)), "{"):
		return nil
	case errors.As(err, &syntax):
		return api.Refuse(http.StatusBadRequest, "the body is no JSON: %s behind byte %d", syntax, syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return api.Wrong(kind.Field, "%s must be a %s", kind.Field, strings.Replace(strings.TrimPrefix(kind.Type.String(), "*"), "string", "text: write it in quotes", 1))
	}
	return api.Refuse(http.StatusBadRequest, "the body must be one JSON object")
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
		engine.ErrNoTalk, engine.ErrNoOwner, engine.ErrNoSound, engine.ErrNoTransfer, engine.ErrTransferring, engine.ErrAnnouncements,
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
