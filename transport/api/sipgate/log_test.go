// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/engine"
)

// at is a moment of the tests, in another time zone than UTC.
func at(second int) time.Time {
	return time.Date(2026, 3, 1, 14, 0, second, 0, time.FixedZone("", 7200))
}

func TestGET_log_webhooks(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.wants("GET", "/log/webhooks", "", 200, `{"items":[]}`)
	a, other := id(t, callA), id(t, callB)
	asks := func(call engine.ID, second int, name, url string) engine.Event {
		return engine.Event{Call: call, At: at(second), Kind: engine.EventRequest, Text: name, Data: engine.Data{Name: name, URL: url, Method: "POST", Body: "event=" + name}}
	}
	hears := func(call engine.ID, name, url, text string, status int, body string) engine.Event {
		return engine.Event{Call: call, At: at(9), Kind: engine.EventReply, Text: name + ": " + text, Data: engine.Data{Name: name, URL: url, Status: status, Body: body}}
	}
	unlogged := asks(a, 6, "dtmf", "http://a/")
	unlogged.Data.Unlogged = true
	problem := func(sentence string) engine.Event {
		return engine.Event{Call: a, Kind: engine.EventProblem, Data: engine.Data{Problem: &engine.Problem{Line: 1, Column: 2, Sentence: sentence}}}
	}
	b.archive.events = []engine.Event{
		{Call: a, Kind: engine.EventIncoming, At: at(0)},
		{Call: a, Kind: engine.EventRequest, Text: "newCall: nobody to ask", Data: engine.Data{Name: "newCall"}},
		asks(a, 1, "newCall", "http://a/"),
		asks(other, 2, "newCall", "http://a/other"),
		hears(a, "newCall", "http://a/", "http://a/ did not answer within 10 s; trying the fallback", 0, ""),
		hears(a, "newCall", "http://b/", "200 from http://b/ in 3 ms", 200, "<Response><Dail/></Response>"),
		problem("<Dail> is not known"), problem("no verb"),
		hears(other, "newCall", "http://a/other", "http://a/other answered 500; it must be 200", 500, "Oops"),
		unlogged, hears(a, "dtmf", "http://a/", "200 from http://a/ in 1 ms", 200, "<Response/>"), problem("of the dtmf"),
		asks(a, 7, "hangup", "http://a/"),
		hears(a, "answer", "http://a/", "200 from http://a/ in 1 ms", 200, "of nothing that was asked"),
	}
	slices.Reverse(b.archive.events) // the newest first
	b.wants("GET", "/log/webhooks", "", 200, `{"items":[
		{"created":"2026-03-01T12:00:07Z","url":"http://a/","request":"event=hangup","response":"","xmlError":"","status":""},
		{"created":"2026-03-01T12:00:09Z","url":"http://b/","request":"event=newCall","response":"HTTP/1.1 200 OK\r\n\r\n<Response><Dail/></Response>","xmlError":"line 1, column 2: <Dail> is not known; line 1, column 2: no verb","status":"200"},
		{"created":"2026-03-01T12:00:02Z","url":"http://a/other","request":"event=newCall","response":"HTTP/1.1 500 Internal Server Error\r\n\r\nOops","xmlError":"http://a/other answered 500; it must be 200","status":"500"},
		{"created":"2026-03-01T12:00:01Z","url":"http://a/","request":"event=newCall","response":"","xmlError":"http://a/ did not answer within 10 s; trying the fallback","status":""}]}`)
	var many []engine.Event
	for i := range 1000 {
		many = append(many, asks(a, -i, "dtmf", "http://a/"))
	}
	b.archive.events = many
	_, text := b.ask(mine, "GET", "/log/webhooks", "")
	items := decoded(t, text).(map[string]any)["items"].([]any)
	if len(items) != 100 || items[0].(map[string]any)["created"] != "2026-03-01T12:00:00Z" {
		t.Errorf("%d of 1000 pushes, the first %v", len(items), items[0])
	}
	if answer, text := b.ask(theirs, "GET", "/log/webhooks", ""); answer.StatusCode != 200 || len(decoded(t, text).(map[string]any)["items"].([]any)) > 0 {
		t.Errorf("another account sees %s", text)
	}
	b.archive.err = errors.New("disk on fire")
	b.refuses("GET", "/log/webhooks", "", 503, "the database is away", "")
}
