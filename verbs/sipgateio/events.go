// SPDX-License-Identifier: MIT

package sipgateio

import (
	"cmp"
	"strconv"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// The names of the pushes that sipgate.io has not got. They go to the onEvent of
// <Response> or the App's events URL and nowhere else, so an app that knows
// nothing of them never sees one.
const (
	ringing   = "ringing"
	connected = "connected"
	recording = "recording"
	voicemail = "voicemail"
)

// extra words what the App is told about an event beyond what sipgate.io tells, if
// it wants to know. Whatever becomes of that, nothing else waits for it.
func extra(c engine.CallInfo, e engine.Event) []engine.Request {
	url := cmp.Or(c.Dialect[OnEvent], c.App.EventsURL)
	name, fields := extraFields(c, e)
	if url == "" || name == "" {
		return nil
	}
	r := push(c, name, url, fields)
	r.Fallback, r.Aside = "", true
	return []engine.Request{r}
}

// extraFields gives the name and the fields of the push about an event; no name if
// there is none.
func extraFields(c engine.CallInfo, e engine.Event) (name string, f form) {
	switch e.Kind {
	case engine.EventRinging:
		if e.Data.Party != nil {
			return ringing, ringingFields(c, *e.Data.Party)
		}
	case engine.EventAnswered:
		if by := answeredBy(c, e); by != nil {
			return connected, connectedFields(c, *by)
		}
	case engine.EventBridged: // of these it is told where a transfer came to nothing
		if e.Data.Party != nil {
			return connected, connectedFields(c, *e.Data.Party)
		}
	case engine.EventRecorded:
		if e.Data.Recording == nil {
			return "", nil
		}
		switch e.Data.Recording.Kind {
		case engine.RecordingCall:
			return recording, storedFields(c, recording, e)
		case engine.RecordingMessage:
			return voicemail, storedFields(c, voicemail, e)
		}
	}
	return "", nil
}

// ringingFields are who rings.
func ringingFields(c engine.CallInfo, who directory.Address) form {
	var f form
	f.add("event", ringing)
	f.add("callId", callID(c.ID))
	f.addUser(c, who)
	f.addParties(c, nil)
	f.addDiversion(c)
	f.addChain(c)
	f.add("ringingNumber", answeringNumber(c, who))
	return f
}

// connectedFields are who talks now, whoever that is and whichever way the call
// goes.
func connectedFields(c engine.CallInfo, by directory.Address) form {
	var f form
	f.add("event", connected)
	f.add("callId", callID(c.ID))
	f.addUser(c, by)
	f.addParties(c, &by)
	f.addDiversion(c)
	f.addChain(c)
	f.add("answeredBy", kindOf(by))
	return f
}

// kindOf says what sort of party picked up.
func kindOf(by directory.Address) string {
	switch by.Kind {
	case directory.KindUser:
		return "user"
	case directory.KindVoicemail:
		return "voicemail"
	}
	return "external"
}

// storedFields are whose voicemail a message is in, and where stored audio lies.
func storedFields(c engine.CallInfo, name string, e engine.Event) form {
	r := e.Data.Recording
	var f form
	f.add("event", name)
	f.add("callId", callID(r.Call))
	if owner := e.Data.Party; name == voicemail && owner != nil {
		f.addUser(c, *owner)
	}
	f.addParties(c, nil)
	f.addDiversion(c)
	f.addChain(c)
	f.add("recordingId", callID(r.ID))
	f.add("duration", strconv.FormatFloat(r.Duration.Seconds(), 'f', 1, 64))
	f.addIfSet("url", e.Data.URL)
	return f
}
