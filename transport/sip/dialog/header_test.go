// SPDX-License-Identifier: MIT

package dialog

import (
	"context"
	"strings"
	"testing"
)

// evil would be a header of its own if a line break got through.
const evil = "x\r\nEvil: 1\r\n\r\nx"

// Whatever whoever uses this package hands over, no header has a line break of
// it: it is refused, or it comes without.
func TestNoLineBreaks(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	bad := Response{Status: 200, Phrase: evil, Headers: []Header{{"X-Evil", evil}, {"X" + evil, "1"}}}
	e := open(t, Config{
		Incoming: c.incoming, Register: func(Request) Response { return bad },
		Challenge: func(r Request) *Response {
			if r.CallID != "challenged" {
				return nil
			}
			return &Response{Status: 401, Phrase: evil, Headers: bad.Headers}
		},
	})
	w := newWire(t, e.Addr("udp"))
	for name, call := range map[string]Call{
		"To":           {To: "sip:a" + evil + "@" + w.addr(), From: Party{URI: "sip:b@test"}},
		"From":         {To: "sip:a@" + w.addr(), From: Party{URI: "sip:b" + evil + "@test"}},
		"header":       {To: "sip:a@" + w.addr(), From: Party{URI: "sip:b@test"}, Headers: []Header{{"X-Evil", evil}}},
		"header name":  {To: "sip:a@" + w.addr(), From: Party{URI: "sip:b@test"}, Headers: []Header{{"X" + evil, "1"}}},
		"line feed":    {To: "sip:a@" + w.addr(), From: Party{URI: "sip:b@test"}, Headers: []Header{{"X-Evil", "x\nEvil: 1"}}},
		"escaped user": {To: "sip:" + evil, From: Party{URI: "sip:b@test"}},
	} {
		if _, err := e.Call(call, Handler{Event: func(Event) {}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	asker, err := e.Asker(Asking{To: "sip:" + w.addr(), User: "sip:b@test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := asker.Register(context.Background(), []string{"<sip:" + evil + ">"}, 60); err == nil {
		t.Error("a Contact with line breaks is registered")
	}

	calm := func(want string) {
		t.Helper()
		msg := w.expect(want)
		if strings.Contains(msg.String(), "\nEvil") {
			t.Errorf("%s has a header too many:\n%s", want, msg)
		}
	}
	r := newRecord(t)
	out, err := e.Call(Call{To: "sip:" + EscapeUser(evil) + "@" + w.addr(), From: Party{Name: evil, URI: "sip:b@test"}}, r.handler())
	if err != nil {
		t.Fatal(err)
	}
	calm("INVITE")
	out.Hangup(0, "")

	w = newWire(t, e.Addr("udp"))
	w.send(invite("challenged"))
	calm("401 INVITE")
	w = newWire(t, e.Addr("udp"))
	w.send(strings.ReplaceAll(invite("registers"), "INVITE", "REGISTER"))
	calm("200 REGISTER")
	w = newWire(t, e.Addr("udp"))
	w.send(invite("in"))
	call := c.next()
	if err := call.Progress(180, evil, nil); err != nil {
		t.Fatal(err)
	}
	calm("180 INVITE")
	call.Hangup(486, evil, Header{"Reason", evil})
	calm("486 INVITE")
}
