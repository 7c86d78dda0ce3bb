// SPDX-License-Identifier: MIT

package sipgateio

import (
	"cmp"
	"strconv"

	"github.com/callwright/callwright/engine"
)

// The names of the pushes about audio that is stored, which sipgate.io has not
// got.
const (
	recording = "recording"
	voicemail = "voicemail"
)

// stored words what the App is told about audio that is stored, if it wants to
// know of events of ours.
func stored(c engine.CallInfo, e engine.Event) []engine.Request {
	url := cmp.Or(c.Dialect["onEvent"], c.App.EventsURL)
	if url == "" || e.Data.Recording == nil {
		return nil
	}
	name := recording
	if e.Kind == engine.EventVoicemail {
		name = voicemail
	}
	return []engine.Request{push(c, name, url, storedFields(c, name, e))}
}

func storedFields(c engine.CallInfo, name string, e engine.Event) form {
	r := e.Data.Recording
	var f form
	f.add("event", name)
	f.add("callId", callID(r.Call))
	if name == voicemail && !engine.IsNumber(r.Box) {
		u, _ := user(c, engine.Address{Kind: engine.KindUser, Value: r.Box})
		f.add("user", userName(u))
		f.add("userId", u.ID)
		f.add("fullUserId", fullUserID(c.Account, u))
	}
	f.add("from", number(c.From))
	f.add("to", called(c))
	f.add("direction", string(c.Direction))
	f.add("recordingId", r.ID.String())
	f.add("duration", strconv.FormatFloat(r.Duration.Seconds(), 'f', 1, 64))
	f.addIfSet("url", e.Data.URL)
	f.addDiversion(c)
	f.addChain(c)
	return f
}
