// SPDX-License-Identifier: MIT

package sipgateio

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
)

const (
	aliceAnswers = "http://app.example/answer"
	hangupURL    = "http://app.example/hangup"
)

var (
	alice = directory.User{ID: "w0", Name: "Alice"}
	bob   = directory.User{ID: "w1", Name: "Bob & Söhne"}
)

func mustID(t *testing.T, s string) engine.ID {
	t.Helper()
	id, err := engine.ParseID(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// call is an incoming call to a number of Alice and Bob, whose App subscribed
// to everything.
func call(t *testing.T) engine.CallInfo {
	t.Helper()
	id := mustID(t, "0190a1b2-c3d4-7ef0-8123-456789abcdef")
	return engine.CallInfo{
		Record: engine.Record{
			ID: id, Chain: id, Account: "1234567", App: "shop", Number: "+4915791234567", Direction: engine.In,
			From: directory.NumberAddress("+492111234567"), To: directory.NumberAddress("+4915791234567"),
			Dialect: engine.DialectState{OnAnswer: aliceAnswers, OnHangup: hangupURL},
		},
		App: directory.App{
			Key: "shop", IncomingURL: "http://app.example/in", OutgoingURL: "http://app.example/out",
			FallbackURL: "http://spare.example/",
		},
		Users: []directory.User{alice, bob},
	}
}

func incoming() engine.Event { return engine.Event{Kind: engine.EventIncoming} }

func answeredEvent(by directory.Address) engine.Event {
	return engine.Event{Kind: engine.EventAnswered, Data: engine.Data{Party: &by}}
}

func endedEvent(cause engine.Cause) engine.Event {
	return engine.Event{Kind: engine.EventEnded, Data: engine.Data{Cause: cause}}
}

func gatheredEvent(digits string) engine.Event {
	return engine.Event{Kind: engine.EventGathered, Data: engine.Data{Digits: digits, URL: "http://app.example/dtmf?step=1&x=2"}}
}

func unansweredEvent(cause engine.Cause) engine.Event {
	return engine.Event{Kind: engine.EventUnanswered, Data: engine.Data{Cause: cause, URL: "http://app.example/missed"}}
}

// TestPushBodies has each push as it is sent, one field a line.
func TestPushBodies(t *testing.T) {
	t.Parallel()
	const id, chainID = "callId=0190A1B2C3D47EF08123456789ABCDEF", "origCallId=0190A1B2C3D47EF08123456789ABCDEF"
	const fromTo = "from=492111234567 to=4915791234567 "
	const end = " " + chainID + " xcid=8123456789abcdef"
	user := func(u directory.User) directory.Address {
		return directory.Address{Kind: directory.KindUser, Value: u.ID, Name: u.Name}
	}
	external := directory.NumberAddress("4921199999999")
	tests := []struct {
		name   string
		change func(*engine.CallInfo)
		event  engine.Event
		want   string
	}{
		{"newCall", nil, incoming(),
			"event=newCall direction=in " + id + " " + chainID + " " + fromTo +
				"user%5B%5D=Alice user%5B%5D=Bob+%26+S%C3%B6hne userId%5B%5D=w0 userId%5B%5D=w1 " +
				"fullUserId%5B%5D=1234567w0 fullUserId%5B%5D=1234567w1 xcid=8123456789abcdef"},
		{"newCall outgoing", func(c *engine.CallInfo) { c.Direction, c.Users = engine.Out, []directory.User{alice} },
			engine.Event{Kind: engine.EventOutgoing},
			"event=newCall direction=out " + id + " " + chainID + " " + fromTo +
				"user%5B%5D=Alice userId%5B%5D=w0 fullUserId%5B%5D=1234567w0 xcid=8123456789abcdef"},
		{"newCall out, to a user whom the caller dialled by a number", func(c *engine.CallInfo) {
			c.Direction, c.Users, c.Number, c.To, c.Dialled = engine.Out, []directory.User{alice}, "", user(bob), "201"
		}, incoming(),
			"event=newCall direction=out " + id + " " + chainID + " from=492111234567 to=201 " +
				"user%5B%5D=Alice userId%5B%5D=w0 fullUserId%5B%5D=1234567w0 xcid=8123456789abcdef"},
		{"newCall out, to a user by its id", func(c *engine.CallInfo) {
			c.Direction, c.Users, c.Number, c.To, c.Dialled = engine.Out, []directory.User{alice}, "", user(bob), "w1"
		}, incoming(),
			"event=newCall direction=out " + id + " " + chainID + " from=492111234567 to=anonymous " +
				"user%5B%5D=Alice userId%5B%5D=w0 fullUserId%5B%5D=1234567w0 xcid=8123456789abcdef"},
		{"newCall of a voicemail", func(c *engine.CallInfo) {
			c.Chain, c.Diversion = mustID(t, "0190a1b2-0000-7000-9fed-cba987654321"), "+4915791234567"
			c.Destination = &directory.Address{Kind: directory.KindVoicemail, Value: "w0"}
		}, incoming(),
			"event=newCall direction=in " + id + " origCallId=0190A1B2000070009FEDCBA987654321 " + fromTo +
				"user%5B%5D=voicemail xcid=9fedcba987654321 diversion=4915791234567"},
		{"newCall withheld and diverted", func(c *engine.CallInfo) {
			c.From, c.Diversion, c.Users = directory.Anonymous(), "+4930123456", []directory.User{alice}
		}, incoming(),
			"event=newCall direction=in " + id + " " + chainID + " from=anonymous to=4915791234567 " +
				"user%5B%5D=Alice userId%5B%5D=w0 fullUserId%5B%5D=1234567w0 xcid=8123456789abcdef diversion=4930123456"},
		{"newCall that rings nobody", func(c *engine.CallInfo) { c.Users = nil }, incoming(),
			"event=newCall direction=in " + id + " " + chainID + " " + fromTo +
				"user%5B%5D= userId%5B%5D= fullUserId%5B%5D= xcid=8123456789abcdef"},
		{"newCall between parties without numbers", func(c *engine.CallInfo) {
			c.From, c.To = user(bob), directory.Address{Kind: directory.KindSIP, Value: "sip:alice@example.com"}
			c.Users = []directory.User{{ID: "w0"}}
		}, incoming(),
			"event=newCall direction=in " + id + " " + chainID + " from=anonymous to=4915791234567 " +
				"user%5B%5D=w0 userId%5B%5D=w0 fullUserId%5B%5D=1234567w0 xcid=8123456789abcdef"},
		{"newCall of a SIP address that is a number", func(c *engine.CallInfo) {
			c.From = directory.Address{Kind: directory.KindSIP, Value: "sip:+49-211-1234567@example.com;user=phone"}
			c.Users = []directory.User{alice}
		}, incoming(),
			"event=newCall direction=in " + id + " " + chainID + " " + fromTo +
				"user%5B%5D=Alice userId%5B%5D=w0 fullUserId%5B%5D=1234567w0 xcid=8123456789abcdef"},
		{"newCall further down a chain", func(c *engine.CallInfo) {
			c.Chain, c.Users = mustID(t, "0190a1b2-0000-7000-9fed-cba987654321"), []directory.User{alice}
		}, incoming(),
			"event=newCall direction=in " + id + " origCallId=0190A1B2000070009FEDCBA987654321 " + fromTo +
				"user%5B%5D=Alice userId%5B%5D=w0 fullUserId%5B%5D=1234567w0 xcid=9fedcba987654321"},

		{"dtmf", nil, gatheredEvent("12*#"), "event=dtmf " + id + " dtmf=12%2A%23" + end},
		{"dtmf without digits", nil, gatheredEvent(""), "event=dtmf " + id + end},
		{"dtmf without digits, for an app that wants the field", func(c *engine.CallInfo) { c.App.EmptyDTMF = true }, gatheredEvent(""),
			"event=dtmf " + id + " dtmf=" + end},

		{"noAnswer", func(c *engine.CallInfo) { c.Diversion = "4930123456" }, unansweredEvent(engine.CauseBusy),
			"event=noAnswer cause=busy " + id + " " + fromTo + "direction=in diversion=4930123456" + end},
		{"noAnswer of an outgoing call", func(c *engine.CallInfo) {
			c.Direction, c.To = engine.Out, directory.Address{Kind: directory.KindUser, Value: "w1"}
		},
			unansweredEvent(engine.CauseOffline),
			"event=noAnswer cause=notFound " + id + " " + fromTo + "direction=out" + end},

		{"answer by a user", nil, answeredEvent(user(bob)),
			"event=answer " + id + " user=Bob+%26+S%C3%B6hne userId=w1 fullUserId=1234567w1 " +
				fromTo + "direction=in answeringNumber=4915791234567" + end + " answeredBy=user"},
		{"answer by a number", func(c *engine.CallInfo) { c.Diversion = "4930123456" }, answeredEvent(external),
			"event=answer " + id + " " + fromTo + "direction=in answeringNumber=4921199999999 diversion=4930123456" + end + " answeredBy=external"},
		{"answer of an outgoing call", func(c *engine.CallInfo) { c.Direction = engine.Out }, answeredEvent(user(bob)),
			"event=answer " + id + " " + fromTo + "direction=out answeringNumber=4915791234567" + end + " answeredBy=user"},
		{"answer by a user of another number", func(c *engine.CallInfo) { c.Users = nil }, answeredEvent(user(alice)),
			"event=answer " + id + " user=Alice userId=w0 fullUserId=1234567w0 " +
				fromTo + "direction=in answeringNumber=4915791234567" + end + " answeredBy=user"},
		{"answer by a voicemail", nil, answeredEvent(directory.Address{Kind: directory.KindVoicemail, Value: "w0"}),
			"event=answer " + id + " " + fromTo + "direction=in answeringNumber=4915791234567" + end + " answeredBy=voicemail"},
		{"answer with a diversion that is no number", func(c *engine.CallInfo) { c.Diversion = "123456e0" }, answeredEvent(external),
			"event=answer " + id + " " + fromTo + "direction=in answeringNumber=4921199999999" + end + " answeredBy=external"},

		{"hangup that nobody answered", nil, endedEvent(engine.CauseCancelled),
			"event=hangup cause=cancel " + id + " " + fromTo + "direction=in" + end},
		{"hangup after a number answered", func(c *engine.CallInfo) { c.AnsweredBy, c.Diversion = &external, "+4930123456" },
			endedEvent(engine.CauseNormal),
			"event=hangup cause=normalClearing " + id + " " + fromTo + "direction=in answeringNumber=4921199999999 diversion=4930123456" + end},
		{"hangup after a user answered", func(c *engine.CallInfo) { by := user(alice); c.AnsweredBy = &by },
			endedEvent(engine.CauseMaxDuration),
			"event=hangup cause=normalClearing " + id + " " + fromTo + "direction=in answeringNumber=4915791234567" + end},
		{"hangup of an established call by the server", func(c *engine.CallInfo) { c.AnsweredBy, c.Cause = &external, engine.CauseInterrupted }, endedEvent(""),
			"event=hangup cause=normalClearing " + id + " " + fromTo + "direction=in answeringNumber=4921199999999" + end},
		{"hangup by the server before anybody answered", nil, endedEvent(engine.CauseShutdown),
			"event=hangup cause=congestion " + id + " " + fromTo + "direction=in" + end},
		{"hangup of a transfer that leads to nobody", func(c *engine.CallInfo) { c.AnsweredBy = &external }, endedEvent(engine.CauseBusy),
			"event=hangup cause=busy " + id + " " + fromTo + "direction=in answeringNumber=4921199999999" + end},
		{"hangup whose cause is in the record", func(c *engine.CallInfo) { c.Cause = engine.CauseBusy }, endedEvent(""),
			"event=hangup cause=busy " + id + " " + fromTo + "direction=in" + end},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := call(t)
			if tt.change != nil {
				tt.change(&c)
			}
			got := send(t, c, tt.event)
			want := strings.Fields(tt.want)
			if diff := cmp.Diff(want, strings.Split(string(got.Body), "&")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if name := strings.TrimPrefix(want[0], "event="); got.Name != name {
				t.Errorf("the request is named %q, want %q", got.Name, name)
			}
			if _, err := url.ParseQuery(string(got.Body)); err != nil {
				t.Error(err)
			}
		})
	}
}

// send gives the one request about an event.
func send(t *testing.T, c engine.CallInfo, e engine.Event) engine.Request {
	t.Helper()
	d := New(nil)
	if r := d.Request(c, e); r.URL != "" {
		return r
	}
	told := d.Notify(c, e)
	if len(told) != 1 {
		t.Fatalf("%s makes %d requests, want 1", e.Kind, len(told))
	}
	return told[0]
}

func TestPushURLs(t *testing.T) {
	t.Parallel()
	out := call(t)
	out.Direction = engine.Out
	for event, want := range map[*engine.Event]string{
		{Kind: engine.EventIncoming}:                      "http://app.example/in",
		ptr(gatheredEvent("1")):                           "http://app.example/dtmf?step=1&x=2",
		ptr(answeredEvent(directory.NumberAddress("49"))): aliceAnswers,
		ptr(endedEvent(engine.CauseBusy)):                 hangupURL,
	} {
		r := send(t, call(t), *event)
		if r.URL != want || r.Fallback != "http://spare.example/" || r.Method != http.MethodPost {
			t.Errorf("%s: %s to %q, else %q; want POST to %q, else http://spare.example/", event.Kind, r.Method, r.URL, r.Fallback, want)
		}
	}
	if r := send(t, out, engine.Event{Kind: engine.EventOutgoing}); r.URL != "http://app.example/out" {
		t.Errorf("an outgoing call is asked about at %q", r.URL)
	}
}

func ptr[T any](v T) *T { return &v }

func TestPushHeadersAndPolicy(t *testing.T) {
	t.Parallel()
	c := call(t)
	c.App.Headers = map[string]string{"x-forwarded-for": "217.116.118.254", "user-agent": "mine"}
	r := send(t, c, incoming())
	want := http.Header{
		"Content-Type":    {"application/x-www-form-urlencoded; charset=UTF-8"},
		"Accept":          {"application/xml, text/plain, text/html"},
		"Accept-Charset":  {"utf-8"},
		"User-Agent":      {"mine"},
		"X-Forwarded-For": {"217.116.118.254"},
	}
	if diff := cmp.Diff(want, r.Header); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	c.App.Headers = nil
	if got := send(t, c, incoming()).Header.Get("User-Agent"); got != "sipgate.io" {
		t.Errorf("User-Agent is %q", got)
	}
	if diff := cmp.Diff(engine.Policy{Timeout: 10 * time.Second, Redirects: 3, SuccessFrom: 200, SuccessTo: 200}, r.Policy); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
}

func TestNothingIsSent(t *testing.T) {
	t.Parallel()
	d := New(nil)
	subscribed, unsubscribed, unasked := call(t), call(t), call(t)
	unsubscribed.Dialect = nil
	unasked.App = directory.App{}
	if r := d.Request(unasked, incoming()); r.URL != "" || r.Name != newCall {
		t.Errorf("an app without a URL is asked %q at %q", r.Name, r.URL)
	}
	if r := d.Request(subscribed, engine.Event{Kind: engine.EventDigit}); r.URL != "" {
		t.Errorf("a digit asks %q", r.URL)
	}
	for name, told := range map[string][]engine.Request{
		"answer that nobody subscribed to": d.Notify(unsubscribed, answeredEvent(directory.NumberAddress("49"))),
		"hangup that nobody subscribed to": d.Notify(unsubscribed, endedEvent(engine.CauseBusy)),
		"answer by ourselves":              d.Notify(subscribed, engine.Event{Kind: engine.EventAnswered}),
		"ringing":                          d.Notify(subscribed, engine.Event{Kind: engine.EventRinging}),
	} {
		if len(told) != 0 {
			t.Errorf("%s is told: %s", name, told[0].Body)
		}
	}
}

func TestAtMostTwentyUsers(t *testing.T) {
	t.Parallel()
	c := call(t)
	c.Users = nil
	for i := range 25 {
		c.Users = append(c.Users, directory.User{ID: fmt.Sprintf("w%d", i), Name: "Name"})
	}
	fields, err := url.ParseQuery(string(send(t, c, incoming()).Body))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"user[]", "userId[]", "fullUserId[]"} {
		if len(fields[name]) != 20 {
			t.Errorf("%d times %s, want 20", len(fields[name]), name)
		}
	}
}

func TestFullUserIDOfNamedAccount(t *testing.T) {
	t.Parallel()
	// The value is for ever: apps keep it.
	if got := fullUserID(directory.DefaultAccount, alice); got != "5140894w0" {
		t.Errorf("got %s", got)
	}
}

func TestCauses(t *testing.T) {
	t.Parallel()
	known := " normalClearing busy cancel noAnswer congestion notFound forwarded "
	for _, cause := range []engine.Cause{
		engine.CauseNormal, engine.CauseBusy, engine.CauseRejected, engine.CauseNoAnswer, engine.CauseCancelled, engine.CauseElsewhere,
		engine.CauseUnreachable, engine.CauseNotFound, engine.CauseOffline, engine.CauseForwarded, engine.CauseNoCodec, engine.CauseNoAck,
		engine.CauseMaxDuration, engine.CauseShutdown, engine.CauseInterrupted, engine.CauseOverload, engine.CauseFailed, "unheard of",
	} {
		fields, err := url.ParseQuery(string(send(t, call(t), endedEvent(cause)).Body))
		if err != nil {
			t.Fatal(err)
		}
		if got := fields.Get("cause"); got == "" || !strings.Contains(known, " "+got+" ") {
			t.Errorf("%s is told as %q, which sipgate.io does not know", cause, got)
		}
	}
}

func TestDefaultDelivers(t *testing.T) {
	t.Parallel()
	d := New(func(c engine.CallInfo) engine.Program {
		return engine.Program{verbs.Play{URL: c.ID.String()}}
	})
	c := call(t)
	for _, why := range []engine.Missing{engine.MissingUnreachable, engine.MissingBad, engine.MissingEmpty, engine.MissingEnd} {
		if diff := cmp.Diff(engine.Program{verbs.Play{URL: c.ID.String()}}, d.Default(c, engine.Event{}, why)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", why, diff)
		}
	}
}

// TestDocumentedPushes compares with the bodies of the four curl commands of
// sipgate's documentation, decoded: every field there is sent here, and here is
// nothing else but the chain, which is documented apart, and who answered, which is
// ours.
func TestDocumentedPushes(t *testing.T) {
	t.Parallel()
	john := directory.User{ID: "w0", Name: "John Doe"}
	johnAnswers := directory.Address{Kind: directory.KindUser, Value: "w0"}
	answering := directory.NumberAddress("4921199999999")
	tests := []struct {
		body    string
		change  func(*engine.CallInfo)
		event   engine.Event
		changed map[string][]string // the example names a party's number that no field of ours can be
	}{
		{body: "event=newCall&from=492111234567&to=4915791234567&direction=in&callId=123456&user[]=Alice&user[]=Bob&userId[]=w0&userId[]=w1&fullUserId[]=1234567w0&fullUserId[]=1234567w1",
			change: func(c *engine.CallInfo) { c.Users[1].Name = "Bob" }, event: incoming()},
		{body: "event=answer&callId=123456&user=John+Doe&userId=w0&fullUserId=1234567w0&from=492111234567&to=4915791234567&direction=in&answeringNumber=21199999999",
			change:  func(c *engine.CallInfo) { c.Users = []directory.User{john} },
			event:   answeredEvent(johnAnswers),
			changed: map[string][]string{"answeringNumber": {"4915791234567"}}},
		{body: "event=hangup&cause=normalClearing&callId=123456&from=492111234567&to=4915791234567&direction=in&answeringNumber=4921199999999",
			change: func(c *engine.CallInfo) { c.AnsweredBy = &answering }, event: endedEvent(engine.CauseNormal)},
		{body: "event=dtmf&dtmf=1&callId=123456", change: func(*engine.CallInfo) {}, event: gatheredEvent("1")},
	}
	for _, tt := range tests {
		want, err := url.ParseQuery(tt.body)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(want.Get("event"), func(t *testing.T) {
			t.Parallel()
			c := call(t)
			tt.change(&c)
			got, err := url.ParseQuery(string(send(t, c, tt.event).Body))
			if err != nil {
				t.Fatal(err)
			}
			want.Set("callId", callID(c.ID))
			want.Set("origCallId", callID(c.ID))
			want.Set("xcid", "8123456789abcdef")
			if want.Get("event") == answer {
				want.Set("answeredBy", "user")
			}
			for name, values := range tt.changed {
				want[name] = values
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
