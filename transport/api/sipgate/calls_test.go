// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"strings"
	"testing"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

func TestGET_calls(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.wants("GET", "/calls", "", 200, `{"data":[]}`)
	b.calls.talks = []engine.Talk{{
		ID: id(t, callA), Muted: true, Recording: true, Held: true,
		Participants: []engine.Participant{
			{ID: id(t, callA), Address: directory.NumberAddress("+4915799912345"), Held: true},
			{ID: id(t, callB), Address: directory.Address{Kind: directory.KindUser, Value: "w0"}, Owner: true, Muted: true},
			{ID: id(t, callB), Address: directory.Address{Kind: directory.KindUser, Value: "w1", Number: "+4921101"}},
			{ID: id(t, callB), Address: directory.Anonymous()},
		},
	}, {ID: id(t, callB)}}
	b.wants("GET", "/calls", "", 200, `{"data":[
		{"callId":"`+callA+`","muted":true,"recording":true,"hold":true,"participants":[
			{"participantId":"`+callA+`","phoneNumber":"+4915799912345","muted":false,"hold":true,"owner":false},
			{"participantId":"`+callB+`","phoneNumber":"w0","muted":true,"hold":false,"owner":true},
			{"participantId":"`+callB+`","phoneNumber":"+4921101","muted":false,"hold":false,"owner":false},
			{"participantId":"`+callB+`","phoneNumber":"","muted":false,"hold":false,"owner":false}]},
		{"callId":"`+callB+`","muted":false,"recording":false,"hold":false,"participants":[]}]}`)
	if answer, text := b.ask(theirs, "GET", "/calls", ""); answer.StatusCode != 200 || strings.TrimSpace(text) != `{"data":[]}` {
		t.Errorf("another account sees %s", text)
	}
}

func TestDELETE_calls_id(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.wants("DELETE", "/calls/"+callA, "", 204, "")
	b.wants("DELETE", "/calls/"+strings.ToLower(callA), "{}", 204, "")
	b.wants("DELETE", "/calls/"+id(t, callA).String(), "", 204, "")
	b.did("hangup "+callA, "hangup "+callA, "hangup "+callA)
	b.calls.err = engine.ErrEmergency
	b.refuses("DELETE", "/calls/"+callA, "", 403, "the call goes to an emergency service", "")
	b.calls.err = engine.ErrNoCall
	b.refuses("DELETE", "/calls/"+callA, "", 404, "the requested call could not be found", "")
}

// An id that is unknown, malformed or of another account's call is the same 404.
func TestNoSuchCall(t *testing.T) {
	t.Parallel()
	b := start(t)
	_, unknown := b.ask(mine, "DELETE", "/calls/"+nowhere, "")
	for _, id := range []string{nowhere, foreign, "x", "4932215337270853042", "..", "%2F", "%00", strings.Repeat("A", 4000)} {
		answer, text := b.ask(mine, "DELETE", "/calls/"+id, "")
		checkRefusal(t, id, answer, text, 404, "the requested call could not be found", "")
		if text != unknown {
			t.Errorf("%.40s answers %s, an unknown one %s", id, text, unknown)
		}
	}
	b.did()
}
