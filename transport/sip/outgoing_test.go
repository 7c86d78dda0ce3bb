// SPDX-License-Identifier: MIT

package sip

import (
	"errors"
	"strings"
	"testing"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
)

// withPhone has the house reach a phone as its trunk.
func withPhone(t *testing.T, p *phone.Phone, trunk directory.Trunk) *house {
	return newHouse(t, func(_ *house, e *directory.Entries) {
		trunk.Name, trunk.Address = "out", p.Addr().String()+";transport=udp"
		e.Trunks = append(e.Trunks, trunk)
		e.Users = []directory.User{{ID: "w0", Name: "Alice", Contact: p.URI()}, {ID: "w1", Name: "Bob"}}
	})
}

// dial has the house ring a target.
func (h *house) dial(r engine.DialRequest) *call {
	h.t.Helper()
	r.Account = directory.DefaultAccount
	leg, err := h.server.Dial(r)
	must(h.t, err)
	return listen(h.t, leg, engine.Arrival{})
}

func TestOutgoing(t *testing.T) {
	t.Parallel()
	p := newPhone(t, phone.Config{})
	h := withPhone(t, p, directory.Trunk{From: "+4921100"})
	number := func(n string) engine.Target { return engine.Target{Address: directory.NumberAddress(n)} }
	host := "127.0.0.1"
	for _, tc := range []struct {
		name    string
		request engine.DialRequest
		to      string
		from    dialog.Party
		headers map[string]string
	}{
		{"a number", engine.DialRequest{Target: number("+49301"), From: directory.Address{Kind: directory.KindNumber, Value: "+4940", Name: "Bob"}, Diversion: "+4922"},
			"sip:+49301@", dialog.Party{Name: "Bob", URI: "sip:+4940@" + host}, map[string]string{"Diversion": "<sip:+4922@" + host + ">"}},
		{"withheld", engine.DialRequest{Target: number("+49301"), From: directory.Anonymous()},
			"sip:+49301@", dialog.Party{Name: "Anonymous", URI: "sip:anonymous@anonymous.invalid"}, map[string]string{"Privacy": "id"}},
		{"by a user", engine.DialRequest{Target: number("+49301"), From: directory.Address{Kind: directory.KindUser, Value: "w1"}},
			"sip:+49301@", dialog.Party{URI: "sip:+4921100@" + host}, nil},
		{"a user, by somebody with a strange address", engine.DialRequest{
			Target: engine.Target{Address: directory.Address{Kind: directory.KindUser, Value: "w0"}}, From: directory.Address{Kind: directory.KindSIP, Value: "sip:bo b@x:1"}},
			"sip:alice@", dialog.Party{URI: "sip:bo%20b@" + host}, nil},
	} {
		leg := h.dial(tc.request)
		in, err := p.Accept(t.Context())
		must(t, err)
		if !strings.HasPrefix(in.To.URI, tc.to) || in.From != tc.from {
			t.Errorf("%s: to %s from %+v", tc.name, in.To.URI, in.From)
		}
		for name, want := range tc.headers {
			if got := in.Header(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s: %q, want %q", tc.name, name, got, want)
			}
		}
		in.Reject(486, "Busy Here")
		leg.want(engine.LegEnded{Cause: engine.CauseBusy, Remote: true, Text: "486 Busy Here", Figures: media.Figures{Sent: 7}})
	}
}

func TestOutgoingAnswered(t *testing.T) {
	t.Parallel()
	p := newPhone(t, phone.Config{Codecs: []media.Codec{media.PCMA}})
	h := withPhone(t, p, directory.Trunk{})
	leg := h.dial(engine.DialRequest{Target: engine.Target{Address: directory.NumberAddress("+49301")}, From: directory.NumberAddress("1"), Near: 5})
	if h.plane.open[1].Near != 5 {
		t.Error("the stream is not opened near its peer's")
	}
	in, err := p.Accept(t.Context())
	must(t, err)
	must(t, in.Ring())
	must(t, in.RingAloud())
	must(t, in.Answer())
	leg.want(engine.LegRinging{Status: 180}, engine.LegRinging{Status: 183, Sound: true}, engine.LegAnswered{})
	if r := h.plane.connected(); len(r) != 2 || r[1].Codec != media.PCMA || !r[1].Send || !r[1].Receive {
		t.Errorf("connected %+v", r)
	}
	leg.Hangup(engine.CauseMaxDuration)
	leg.want(engine.LegEnded{Cause: engine.CauseMaxDuration, Figures: media.Figures{Sent: 7}})
	if _, err := in.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
}

// A leg that is cancelled ends with the cause it was given, and phones that rang
// in vain learn that somebody else picked up.
func TestOutgoingCancelled(t *testing.T) {
	t.Parallel()
	p := newPhone(t, phone.Config{})
	h := withPhone(t, p, directory.Trunk{})
	leg := h.dial(engine.DialRequest{Target: engine.Target{Address: directory.NumberAddress("+49301")}, From: directory.NumberAddress("1")})
	in, err := p.Accept(t.Context())
	must(t, err)
	must(t, in.Ring())
	leg.want(engine.LegRinging{Status: 180})
	leg.Hangup(engine.CauseElsewhere)
	leg.want(engine.LegEnded{Cause: engine.CauseElsewhere, Figures: media.Figures{Sent: 7}})
	if ended, err := in.WaitEnd(t.Context()); err != nil || ended.Status != 487 {
		t.Errorf("ended %+v, %v", ended, err)
	}
}

func TestDialRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(_ *house, e *directory.Entries) {
		e.Users = []directory.User{{ID: "w1", Name: "Bob"}, {ID: "w2", Name: "Eve", Contact: "sip:eve@127.0.0.1:99999"}}
	})
	for _, tc := range []struct {
		target directory.Address
		cause  engine.Cause
		says   string
	}{
		{directory.NumberAddress("+49301"), engine.CauseUnreachable, "trunks[].address"},
		{directory.Address{Kind: directory.KindUser, Value: "w1", Name: "Bob"}, engine.CauseOffline, "users[].contact"},
		{directory.Address{Kind: directory.KindUser, Value: "w2", Name: "Eve"}, engine.CauseUnreachable, "no way to its address"},
		{directory.Anonymous(), engine.CauseNotFound, "neither a number nor a user"},
	} {
		_, err := h.server.Dial(engine.DialRequest{Account: directory.DefaultAccount, Target: engine.Target{Address: tc.target}, From: directory.NumberAddress("1")})
		var refused *engine.DialError
		if !errors.As(err, &refused) || refused.Cause != tc.cause || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", tc.target, err)
		}
	}
}
