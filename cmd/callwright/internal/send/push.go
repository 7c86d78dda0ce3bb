// SPDX-License-Identifier: MIT

package send

import (
	"fmt"
	"strings"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs/sipgateio"
)

// The pushes of the sipgate.io API.
const (
	NewCall = "newCall"
	Answer  = "answer"
	DTMF    = "dtmf"
	Hangup  = "hangup"
	// NoAnswer is ours: a <Dial> with onNoAnswer reached nobody.
	NoAnswer = "noAnswer"
)

// Push is one thing that an app is asked or told.
type Push struct {
	// Name is NewCall, DTMF, NoAnswer, Answer or Hangup.
	Name string
	// URL is where the app listens for it.
	URL string
	// Call is the call that it is about.
	Call engine.CallInfo
	// Digits were typed, By picked up, Cause ended the call or is why nobody was
	// reached.
	Digits string
	By     *directory.Address
	Cause  engine.Cause
	// Flags are those that say in the next commands that it is the same call.
	Flags []string
}

// event gives what happened on the call.
func (p Push) event() engine.Event {
	e := engine.Event{Call: p.Call.ID, At: time.Now()}
	switch p.Name {
	case NewCall:
		e.Kind = engine.EventIncoming
	case DTMF:
		e.Kind, e.Data = engine.EventGathered, engine.Data{Digits: p.Digits, URL: p.URL}
	case NoAnswer:
		e.Kind, e.Data = engine.EventUnanswered, engine.Data{Cause: p.Cause, URL: p.URL}
	case Answer:
		e.Kind, e.Data = engine.EventAnswered, engine.Data{Party: p.By}
	case Hangup:
		e.Kind, e.Data = engine.EventEnded, engine.Data{Cause: p.Cause}
	}
	return e
}

// call gives the call as the dialect is to see it.
func (p Push) call() engine.CallInfo {
	c := p.Call
	c.App.IncomingURL, c.App.OutgoingURL = p.URL, p.URL
	c.Dialect = engine.DialectState{sipgateio.OnAnswer: p.URL, sipgateio.OnHangup: p.URL}
	c.AnsweredBy = p.By
	return c
}

// asks says whether the app's answer is read.
func (p Push) asks() bool { return p.Name == NewCall || p.Name == DTMF || p.Name == NoAnswer }

// picksUp is who may answer such a call: its first user, or whom a user calls.
func (p Push) picksUp() string {
	switch {
	case p.Call.Direction == engine.Out:
		return p.Call.To.Value
	case len(p.Call.Users) > 0:
		return p.Call.Users[0].ID
	}
	return "w0"
}

// request has the dialect word the push.
func (p Push) request(d engine.Dialect) (engine.Request, error) {
	if p.asks() {
		return d.Request(p.call(), p.event()), nil
	}
	requests := d.Notify(p.call(), p.event())
	if len(requests) == 0 {
		return engine.Request{}, fmt.Errorf("the dialect has no %s for such a call", p.Name)
	}
	return requests[0], nil
}

// Party reads a number, "anonymous" or a SIP URI.
func Party(text string) (directory.Address, error) {
	switch {
	case text == "anonymous":
		return directory.Anonymous(), nil
	case directory.IsNumber(text):
		return directory.NumberAddress(text), nil
	case strings.HasPrefix(text, "sip:") || strings.HasPrefix(text, "sips:"):
		return directory.Address{Kind: directory.KindSIP, Value: text}, nil
	}
	return directory.Address{}, fmt.Errorf("%q is no party: write a number like 492111234567, anonymous, or a SIP URI", text)
}

// User reads "w0" or "w0=Alice".
func User(text string) directory.User {
	id, name, _ := strings.Cut(text, "=")
	return directory.User{ID: id, Name: name}
}

// causes are the words of the push API for why a call ended.
var causes = map[string]engine.Cause{
	"normalClearing": engine.CauseNormal, "busy": engine.CauseBusy, "cancel": engine.CauseCancelled,
	"noAnswer": engine.CauseNoAnswer, "congestion": engine.CauseUnreachable, "notFound": engine.CauseNotFound,
	"forwarded": engine.CauseForwarded,
}

// Cause gives the cause that the push API calls so.
func Cause(word string) engine.Cause { return causes[word] }
