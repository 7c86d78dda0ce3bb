// SPDX-License-Identifier: MIT

package admin

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/api"
)

// Actions are what can be done to a living call. All fail with
// engine.ErrNoCall when it is not alive, and those with sound also with
// engine.ErrNoSound, ErrKeys, ErrRecording, ErrNotRecording and ErrEmergency.
type Actions interface {
	Recorder
	Hangup(engine.ID, engine.Cause) error
	SendDigits(id engine.ID, digits string) error
	// Refer asks the party to call somebody else. It fails with
	// engine.ErrNoTransfer, and with a *engine.DialError for whom it may not call.
	Refer(id engine.ID, to string) error
}

// Recorder records living calls.
type Recorder interface {
	// Record gives the path of the file.
	Record(engine.ID, media.RecordWhat) (path string, err error)
	PauseRecording(id engine.ID, pause bool) error
	StopRecording(engine.ID) error
}

// hangup is POST /calls/{id}/hangup.
func (f *Face) hangup(c echo.Context) error {
	id, err := callOf(c)
	if err != nil {
		return err
	}
	if err := f.config.Actions.Hangup(id, engine.CauseNormal); err != nil {
		return f.refuseAction(c, id, err)
	}
	return c.NoContent(http.StatusNoContent)
}

// maxDigits is how many keys can be sent at once.
const maxDigits = 64

// sendDigits is POST /calls/{id}/dtmf with {"digits": "123#"}.
func (f *Face) sendDigits(c echo.Context) error {
	id, err := callOf(c)
	if err != nil {
		return err
	}
	sent, err := readFields(c)
	if err != nil {
		return err
	}
	asked, err := sent.only("digits")
	if err != nil {
		return err
	}
	keys := strings.ToUpper(asked["digits"])
	if keys == "" || len(keys) > maxDigits || strings.Trim(keys, "0123456789*#ABCD") != "" {
		return api.Wrong("digits", "digits is %.80q: write 1 to %d keys of 0-9 * # A-D", keys, maxDigits)
	}
	if err := f.config.Actions.SendDigits(id, keys); err != nil {
		return f.refuseAction(c, id, err)
	}
	return c.NoContent(http.StatusNoContent)
}

// refer is POST /calls/{id}/refer with {"to": "+4930123456"}.
func (f *Face) refer(c echo.Context) error {
	id, err := callOf(c)
	if err != nil {
		return err
	}
	sent, err := readFields(c)
	if err != nil {
		return err
	}
	asked, err := sent.only("to")
	if err != nil {
		return err
	}
	if asked["to"] == "" {
		return api.Wrong("to", "to is empty: write the number, user or group that the party is to call")
	}
	err = f.config.Actions.Refer(id, asked["to"])
	if refused := (*engine.DialError)(nil); errors.As(err, &refused) {
		return api.Wrong("to", "%s", refused)
	}
	if err != nil {
		return f.refuseAction(c, id, err)
	}
	return c.NoContent(http.StatusNoContent)
}

// whats are what of a call can be recorded.
func whats() map[string]media.RecordWhat {
	return map[string]media.RecordWhat{
		"said": media.RecordSaid, "heard": media.RecordHeard, "stereo": media.RecordStereo, "mixed": media.RecordMixed,
	}
}

// record is POST /calls/{id}/recording with {"action": "start", "what":
// "mixed"}.
func (f *Face) record(c echo.Context) error {
	id, err := callOf(c)
	if err != nil {
		return err
	}
	sent, err := readFields(c)
	if err != nil {
		return err
	}
	asked, err := sent.only("action", "what")
	if err != nil {
		return err
	}
	what, known := whats()[asked["what"]]
	if asked["what"] == "" {
		what, known = media.RecordMixed, true
	}
	if !known {
		return api.Wrong("what", "what is %.40q: write said, heard, stereo or mixed", asked["what"])
	}
	actions := f.config.Actions
	switch asked["action"] {
	case "start":
		path, err := actions.Record(id, what)
		if err != nil {
			return f.refuseAction(c, id, err)
		}
		return api.JSON(c, http.StatusCreated, map[string]string{"file": filepath.Base(path)})
	case "stop":
		err = actions.StopRecording(id)
	case "pause":
		err = actions.PauseRecording(id, true)
	case "resume":
		err = actions.PauseRecording(id, false)
	default:
		return api.Wrong("action", "action is %.40q: write start, stop, pause or resume", asked["action"])
	}
	if err != nil {
		return f.refuseAction(c, id, err)
	}
	return c.NoContent(http.StatusNoContent)
}

// only gives the texts of a body that has these fields and no others.
func (f fields) only(names ...string) (map[string]string, error) {
	for name := range f {
		if !slices.Contains(names, name) {
			return nil, api.Wrong(name, "there is no field %q%s", name, meant(name, slices.Clone(names)))
		}
	}
	texts := map[string]string{}
	for _, name := range names {
		text, err := f.text(name)
		if err != nil {
			return nil, err
		}
		texts[name] = text
	}
	return texts, nil
}

// refuseAction says to the client why an action was not possible.
func (f *Face) refuseAction(c echo.Context, id engine.ID, err error) error {
	switch {
	case errors.Is(err, engine.ErrRecording), errors.Is(err, engine.ErrNotRecording), errors.Is(err, engine.ErrNoSound),
		errors.Is(err, engine.ErrKeys), errors.Is(err, engine.ErrNoTransfer), errors.Is(err, engine.ErrEmergency):
		return api.Refuse(http.StatusConflict, "%s", err)
	case !errors.Is(err, engine.ErrNoCall):
		return fmt.Errorf("act on call %s: %w", id, err)
	}
	_, _, err = f.config.Calls.Call(c.Request().Context(), id)
	if api.Missing(err) {
		return noCall(id)
	}
	return api.Refuse(http.StatusConflict, "call %s is over, or is on another machine", id)
}
