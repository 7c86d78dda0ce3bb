// SPDX-License-Identifier: MIT

package sipgate

import (
	"cmp"
	"context"
	"strings"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// Control is what can be done to a living call from its first ringing on: before both
// sides talk it is noted, and done when they do. All fail with engine.ErrNoCall when
// it is not alive, and with engine.ErrNoTalk or ErrNoSound when nobody comes to talk.
type Control interface {
	// Mute has the others not hear the account's own User.
	Mute(id engine.ID, on bool) error
	// Hold has nobody hear anybody.
	Hold(id engine.ID, on bool) error
	// Announce plays the sound at a URL to everybody in the call. It fails with an
	// *engine.SoundError for a sound that is none, or cannot be had.
	Announce(ctx context.Context, id engine.ID, url string) error
	// SendDigits sends keys to everybody in the call.
	SendDigits(id engine.ID, digits string) error
	// RecordTalk begins or ends a recording; announcement says so to everybody. What
	// is so already is no failure.
	RecordTalk(ctx context.Context, id engine.ID, on, announcement bool) error
}

// Exchange connects those who are not.
type Exchange interface {
	// Transfer sends the party of a call to somebody else. It fails with
	// engine.ErrNoTransfer when it cannot be sent now, and with an
	// *engine.DialError for whom it may not be sent to.
	Transfer(id engine.ID, to engine.TransferOrder) error
	// Originate begins a call and gives its id. It fails with an *engine.DialError
	// for whom may not be called, an *engine.LimitError, or engine.ErrDraining.
	Originate(engine.Origination) (engine.ID, error)
}

// mute is PUT /calls/{callId}/muted.
func (f *Face) mute(r *request) (any, error) { return nil, f.switched(r, f.config.Control.Mute) }

// hold is PUT /calls/{callId}/hold.
func (f *Face) hold(r *request) (any, error) { return nil, f.switched(r, f.config.Control.Hold) }

// switched does what {"value": true} asks for.
func (f *Face) switched(r *request, do func(engine.ID, bool) error) error {
	var body struct {
		Value *bool `json:"value"`
	}
	id, err := f.call(r)
	if err = cmp.Or(err, r.read(&body)); err != nil {
		return err
	}
	if body.Value == nil {
		return api.Wrong("value", "value is missing: write true or false")
	}
	return refused(do(id, *body.Value))
}

// record is PUT /calls/{callId}/recording.
func (f *Face) record(r *request) (any, error) {
	var body struct {
		Value        *bool `json:"value"`
		Announcement *bool `json:"announcement"`
	}
	id, err := f.call(r)
	if err = cmp.Or(err, r.read(&body)); err != nil {
		return nil, err
	}
	switch {
	case body.Value == nil:
		return nil, api.Wrong("value", "value is missing: write true to begin recording, false to end it")
	case body.Announcement == nil:
		return nil, api.Wrong("announcement", "announcement is missing: write true to have the recording announced to everybody in the call, else false")
	}
	return nil, refused(f.config.Control.RecordTalk(r.Context(), id, *body.Value, *body.Announcement))
}

// announce is POST /calls/{callId}/announcements.
func (f *Face) announce(r *request) (any, error) {
	var body struct {
		URL string `json:"url"`
	}
	id, err := f.call(r)
	if err = cmp.Or(err, r.read(&body)); err != nil {
		return nil, err
	}
	if n := len(body.URL); n > directory.MaxURL {
		return nil, api.Wrong("url", "url has %d characters: write at most %d", n, directory.MaxURL)
	}
	if !directory.IsURL(body.URL) {
		return nil, api.Wrong("url", "url is %.100q: write the http or https URL of a WAV file (16 bit PCM, 8 kHz, mono)", body.URL)
	}
	return nil, refused(f.config.Control.Announce(r.Context(), id, body.URL))
}

// maxDigits is how many keys can be sent at once.
const maxDigits = 64

// sendDigits is POST /calls/{callId}/dtmf.
func (f *Face) sendDigits(r *request) (any, error) {
	var body struct {
		Sequence string `json:"sequence"`
	}
	id, err := f.call(r)
	if err = cmp.Or(err, r.read(&body)); err != nil {
		return nil, err
	}
	keys := strings.ToUpper(body.Sequence)
	if keys == "" || len(keys) > maxDigits || strings.Trim(keys, "0123456789ABCD#*") != "" {
		return nil, api.Wrong("sequence", "sequence is %.80q: write 1 to %d keys of 0-9 A-D # *", body.Sequence, maxDigits)
	}
	return nil, refused(f.config.Control.SendDigits(id, keys))
}

// transfer is POST /calls/{callId}/transfer.
func (f *Face) transfer(r *request) (any, error) {
	var body struct {
		Attended    *bool  `json:"attended"`
		PhoneNumber string `json:"phoneNumber"`
		CallerID    string `json:"callerId"`
	}
	id, err := f.call(r)
	if err = cmp.Or(err, r.read(&body)); err != nil {
		return nil, err
	}
	switch {
	case body.Attended == nil:
		return nil, api.Wrong("attended", "attended is missing: write true to talk to whoever is there before the transfer, else false")
	case body.PhoneNumber == "":
		return nil, api.Wrong("phoneNumber", "phoneNumber is missing: write the number that the call goes to")
	case body.CallerID != "" && !directory.IsNumber(body.CallerID):
		return nil, api.Wrong("callerId", "callerId is %.40q: write a number like +4921112345, or leave it out", body.CallerID)
	}
	to, err := f.party(r.token.Account, "phoneNumber", body.PhoneNumber)
	if err != nil {
		return nil, err
	}
	err = f.config.Exchange.Transfer(id, engine.TransferOrder{To: to, Attended: *body.Attended, CallerID: body.CallerID})
	return nil, pointed(err, "phoneNumber", "callerId")
}

// newCall is POST /sessions/calls.
func (f *Face) newCall(r *request) (any, error) {
	var body struct {
		Caller   string `json:"caller"`
		Callee   string `json:"callee"`
		CallerID string `json:"callerId"`
		DeviceID string `json:"deviceId"`
	}
	if err := r.read(&body); err != nil {
		return nil, err
	}
	phone, field := body.Caller, "caller"
	switch {
	case body.Caller == "":
		return nil, api.Wrong("caller", "caller is missing: write the extension whose phone rings first, like e0 or p0")
	case body.CallerID != "" && !directory.IsNumber(body.CallerID):
		return nil, api.Wrong("callerId", "callerId is %.40q: write a number like +4921112345, or leave it out", body.CallerID)
	case body.DeviceID != "":
		phone, field = body.DeviceID, "deviceId"
	case directory.IsNumber(body.Caller):
		return nil, api.Wrong("deviceId", "deviceId is missing: caller is a number, so name the phone that rings first, like e0")
	}
	callee, err := f.party(r.token.Account, "callee", body.Callee)
	if err != nil {
		return nil, err
	}
	if _, ours := f.userOf(r.token.Account, callee); !ours && !directory.IsNumber(callee) {
		return nil, api.Wrong("callee", "callee is %.40q: write the number to be called, like +4915799912345", body.Callee)
	}
	user, ok := f.userOf(r.token.Account, phone)
	if !ok {
		return nil, noDevice(field, phone)
	}
	shown, shownBy := body.CallerID, "callerId"
	if shown == "" && user.CallerID == "" && directory.IsNumber(body.Caller) {
		shown, shownBy = body.Caller, "caller"
	}
	id, err := f.config.Exchange.Originate(engine.Origination{Account: r.token.Account, Caller: user.Address(), Callee: callee, CallerID: shown})
	if err != nil {
		return nil, pointed(err, "callee", shownBy)
	}
	return map[string]string{"sessionId": written(id)}, nil
}
