// SPDX-License-Identifier: MIT

package sipgateio

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

const eventsURL = "http://app.example/events"

// TestEventBodies has each push of ours as it is sent, one field a line.
func TestEventBodies(t *testing.T) {
	t.Parallel()
	const id, parties = "callId=0190A1B2C3D47EF08123456789ABCDEF", "from=492111234567 to=4915791234567 direction=in"
	const chain = " origCallId=0190A1B2C3D47EF08123456789ABCDEF xcid=8123456789abcdef"
	const bobs, alices = " user=Bob+%26+S%C3%B6hne userId=w1 fullUserId=1234567w1 ", " user=Alice userId=w0 fullUserId=1234567w0 "
	user := directory.Address{Kind: directory.KindUser, Value: "w1"}
	external := directory.NumberAddress("4921199999999")
	stored := func(kind engine.RecordingKind, box, url string) engine.Event {
		return engine.Event{Kind: engine.EventRecorded, Data: engine.Data{URL: url, Recording: &engine.Recording{
			Kind: kind, ID: mustID(t, "0190a1b2-0000-7000-9fed-cba987654321"), Call: call(t).ID, Box: box, Duration: 12345 * time.Millisecond,
		}}}
	}
	messageFor := func(owner directory.Address) engine.Event {
		e := stored(engine.RecordingMessage, owner.Value, "https://calls.example.com/a.wav?t=1")
		e.Data.Party = &owner
		return e
	}
	ringsAt := func(who directory.Address) engine.Event {
		return engine.Event{Kind: engine.EventRinging, Data: engine.Data{Party: &who}}
	}
	for _, tt := range []struct {
		name   string
		change func(*engine.CallInfo)
		event  engine.Event
		want   string
	}{
		{"ringing of a user", nil, ringsAt(user), "event=ringing " + id + bobs + parties + chain + " ringingNumber=4915791234567"},
		{"ringing of a number", func(c *engine.CallInfo) { c.Diversion = "4930123456" }, ringsAt(external),
			"event=ringing " + id + " " + parties + " diversion=4930123456" + chain + " ringingNumber=4921199999999"},
		{"connected with a user", nil, answeredEvent(user),
			"event=connected " + id + bobs + parties + " answeringNumber=4915791234567" + chain + " answeredBy=user"},
		{"connected with a user who was called by a user", func(c *engine.CallInfo) { c.Direction = engine.Out }, answeredEvent(user),
			"event=connected " + id + bobs + strings.Replace(parties, "=in", "=out", 1) + " answeringNumber=4915791234567" + chain + " answeredBy=user"},
		{"connected with a number", nil, answeredEvent(external),
			"event=connected " + id + " " + parties + " answeringNumber=4921199999999" + chain + " answeredBy=external"},
		{"connected with a voicemail", nil, answeredEvent(directory.Address{Kind: directory.KindVoicemail, Value: "w0"}),
			"event=connected " + id + " " + parties + " answeringNumber=4915791234567" + chain + " answeredBy=voicemail"},
		{"connected with a user as before", nil, engine.Event{Kind: engine.EventBridged, Data: engine.Data{Party: &user}},
			"event=connected " + id + bobs + parties + " answeringNumber=4915791234567" + chain + " answeredBy=user"},
		{"a message of a user", func(c *engine.CallInfo) { c.Users = nil }, messageFor(directory.Address{Kind: directory.KindUser, Value: "w0", Name: "Alice"}),
			"event=voicemail " + id + alices + parties + chain +
				" recordingId=0190A1B2000070009FEDCBA987654321 duration=12.3 url=https%3A%2F%2Fcalls.example.com%2Fa.wav%3Ft%3D1"},
		{"a message of a number", nil, stored(engine.RecordingMessage, "+4915791234567", ""),
			"event=voicemail " + id + " " + parties + chain + " recordingId=0190A1B2000070009FEDCBA987654321 duration=12.3"},
		{"a recording", nil, stored(engine.RecordingCall, "", ""),
			"event=recording " + id + " " + parties + chain + " recordingId=0190A1B2000070009FEDCBA987654321 duration=12.3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := call(t)
			c.Dialect = engine.DialectState{OnEvent: eventsURL}
			if tt.change != nil {
				tt.change(&c)
			}
			r := send(t, c, tt.event)
			if diff := cmp.Diff(strings.Fields(tt.want), strings.Split(string(r.Body), "&")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !r.Aside || r.URL != eventsURL || r.Fallback != "" || "event="+r.Name != strings.Fields(tt.want)[0] {
				t.Errorf("%s is told at %q, else %q, aside: %v", r.Name, r.URL, r.Fallback, r.Aside)
			}
		})
	}
}

// Events of ours go where they are wanted, and nowhere else.
func TestEventURLs(t *testing.T) {
	t.Parallel()
	alices := directory.Address{Kind: directory.KindUser, Value: "w0"}
	answered := answeredEvent(alices)
	for name, tt := range map[string]struct {
		state  engine.DialectState
		events string
		event  engine.Event
		want   []string
	}{
		"nowhere":                      {nil, "", answered, nil},
		"the app's":                    {nil, "http://app.example/all", answered, []string{"connected http://app.example/all"}},
		"the document's comes first":   {engine.DialectState{OnEvent: eventsURL}, "http://app.example/all", answered, []string{"connected " + eventsURL}},
		"beside what sipgate.io tells": {engine.DialectState{OnEvent: eventsURL, OnAnswer: aliceAnswers}, "", answered, []string{"answer " + aliceAnswers, "connected " + eventsURL}},
		"not in place of it":           {engine.DialectState{OnAnswer: aliceAnswers}, "", answered, []string{"answer " + aliceAnswers}},
		"nothing of the end":           {engine.DialectState{OnEvent: eventsURL}, "", endedEvent(engine.CauseBusy), nil},
		"nothing of a greeting": {engine.DialectState{OnEvent: eventsURL}, "", engine.Event{
			Kind: engine.EventRecorded, Data: engine.Data{Recording: &engine.Recording{Kind: engine.RecordingGreeting, Box: "w0"}},
		}, nil},
		"nothing beside it of a transfer to nobody": {engine.DialectState{OnEvent: eventsURL, OnAnswer: aliceAnswers}, "",
			engine.Event{Kind: engine.EventBridged, Data: answered.Data}, []string{"connected " + eventsURL}},
		"nothing of an empty recording": {engine.DialectState{OnEvent: eventsURL}, "", engine.Event{Kind: engine.EventRecorded}, nil},
	} {
		c := call(t)
		c.Dialect, c.App.EventsURL = tt.state, tt.events
		var got []string
		for _, r := range New(nil).Notify(c, tt.event) {
			got = append(got, r.Name+" "+r.URL)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
