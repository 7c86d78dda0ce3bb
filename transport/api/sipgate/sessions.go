// SPDX-License-Identifier: MIT

package sipgate

import (
	"cmp"
	"net/http"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// Programs are what users hear whose phones an API has ring.
type Programs struct {
	// PlayMessage lets a user hear a message.
	PlayMessage func(engine.Recording) engine.Program
	// SpeakGreeting has a user speak a greeting; set has callers of the user's
	// voicemail hear it from then on.
	SpeakGreeting func(box string, set bool) engine.Program
}

// playMessage is POST /sessions/voicemail/play: the phone rings, and who picks up
// hears the message. sipgate's own description calls its id datadId.
func (f *Face) playMessage(r *request) (any, error) {
	var body struct {
		DeviceID string `json:"deviceId"`
		DatadID  string `json:"datadId"`
		DataID   string `json:"dataId"`
	}
	if err := r.read(&body); err != nil {
		return nil, err
	}
	shown := cmp.Or(body.DatadID, body.DataID)
	id, err := engine.ParseID(shown)
	if err != nil {
		return nil, api.Wrong("datadId", "datadId is %s: write the id of a message, as GET /v2/history?types=VOICEMAIL shows it", short(shown))
	}
	message, err := f.config.Recordings.Recording(r.Context(), r.token.Account, id)
	switch {
	case api.Missing(err), err == nil && message.Kind != engine.RecordingMessage:
		return nil, api.Refuse(http.StatusNotFound, "there is no message %s in this account; GET /v2/history?types=VOICEMAIL lists those there are", short(shown))
	case err != nil:
		return nil, away(err)
	}
	return f.ring(r, body.DeviceID, f.config.Programs.PlayMessage(message))
}

// speakGreeting is POST /sessions/voicemail/recording: the phone rings, and what is
// said behind the tone is the greeting of the voicemail from then on.
func (f *Face) speakGreeting(r *request) (any, error) {
	var body greeting
	if err := r.read(&body); err != nil {
		return nil, err
	}
	u, ok := f.userOf(r.token.Account, cmp.Or(body.TargetID, body.DeviceID))
	if !ok {
		return nil, &api.StatusError{Status: http.StatusForbidden, Field: "targetId",
			Text: "no user of this account has the voicemail " + short(body.TargetID) + "; GET /v2/voicemails lists those there are"}
	}
	return f.ring(r, body.DeviceID, f.config.Programs.SpeakGreeting(u.ID, true))
}

// speakPrompt is POST /sessions/ivr/recording: the same for a sentence of a menu,
// which is to be played by its recording's link.
func (f *Face) speakPrompt(r *request) (any, error) {
	var body greeting
	if err := r.read(&body); err != nil {
		return nil, err
	}
	return f.ring(r, body.DeviceID, f.config.Programs.SpeakGreeting(body.TargetID, false))
}

// greeting says what is to be spoken, and where.
type greeting struct {
	DeviceID string `json:"deviceId"`
	TargetID string `json:"targetId"`
}

// ring begins a call to a phone, and gives its id.
func (f *Face) ring(r *request, device string, program engine.Program) (any, error) {
	if device == "" {
		return nil, api.Wrong("deviceId", "deviceId is missing: write the phone that rings, like e0")
	}
	u, ok := f.userOf(r.token.Account, device)
	if !ok {
		return nil, noDevice("deviceId", device)
	}
	id, err := f.config.Exchange.Originate(engine.Origination{Account: r.token.Account, Caller: u.Address(), Program: program})
	if err != nil {
		return nil, pointed(err, "deviceId", "")
	}
	return map[string]string{"sessionId": written(id)}, nil
}

// noDevice refuses a phone that is nobody's.
func noDevice(field, extension string) error {
	return &api.StatusError{Status: http.StatusForbidden, Field: field,
		Text: "no user of this account has the extension " + short(extension) + "; GET /v2/users lists their devices"}
}
