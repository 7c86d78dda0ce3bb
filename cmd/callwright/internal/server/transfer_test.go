// SPDX-License-Identifier: MIT

package server_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
)

// exchange is a server with three users, each with a phone that plays a tone.
type exchange struct {
	t *testing.T
	*server.Server
	alice, bob, carol *phone.Phone
}

// The tones of the phones.
const aliceTone, bobTone, carolTone = 440, 1000, 1600

func newExchange(t *testing.T) *exchange {
	t.Helper()
	x := &exchange{t: t}
	user := func(name string, tone float64) *phone.Phone {
		p, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: name, Tone: tone})
		x.must(err)
		t.Cleanup(func() { _ = p.Close() })
		return p
	}
	x.alice, x.bob, x.carol = user("alice", aliceTone), user("bob", bobTone), user("carol", carolTone)
	x.Server = start(t, "", func(c *config.Config) {
		c.Trunks, c.Users = nil, nil
		for _, p := range []*phone.Phone{x.alice, x.bob, x.carol} {
			name := strings.TrimPrefix(strings.Split(p.URI(), "@")[0], "sip:")
			c.Users = append(c.Users, config.User{ID: name[:1], Username: name, Password: "secret", Contact: p.URI()})
		}
	})
	return x
}

func (x *exchange) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// at is the address of a user.
func (x *exchange) at(user string) string { return "sip:" + user + "@" + x.SIP.Addr("udp").String() }

func login(p *phone.Phone, headers ...dialog.Header) phone.CallOptions {
	name := strings.TrimPrefix(strings.Split(p.URI(), "@")[0], "sip:")
	return phone.CallOptions{Username: name, Password: "secret", Headers: headers}
}

// call has one user call another, who picks up.
func (x *exchange) call(from, to *phone.Phone, user string) (out, in *phone.Call) {
	x.t.Helper()
	out, err := from.Dial(x.at(user), login(from))
	x.must(err)
	in = x.pickUp(to)
	x.must(out.WaitAnswer(x.t.Context()))
	return out, in
}

func (x *exchange) pickUp(p *phone.Phone) *phone.Call {
	x.t.Helper()
	in, err := p.Accept(x.t.Context())
	x.must(err)
	x.must(in.Answer())
	x.must(in.WaitAnswer(x.t.Context()))
	return in
}

// talk sees that two phones hear each other's tones.
func (x *exchange) talk(a *phone.Call, heardByA float64, b *phone.Call, heardByB float64) {
	x.t.Helper()
	x.must(a.WaitTone(x.t.Context(), heardByA, phone.Level-3))
	x.must(b.WaitTone(x.t.Context(), heardByB, phone.Level-3))
}

// over waits for the ends of calls.
func (x *exchange) over(calls ...*phone.Call) {
	x.t.Helper()
	for _, c := range calls {
		if _, err := c.WaitEnd(x.t.Context()); err != nil {
			x.t.Error(err)
		}
	}
}

// causes waits until no call is alive, and gives the causes of all records.
func (x *exchange) causes() string {
	x.t.Helper()
	until(x.t, "no call to be alive", func() bool { return x.Engine.Living() == 0 })
	var causes []string
	until(x.t, "every record to be final", func() bool {
		_, text := ask(x.t, x.Server, x.Token, "GET", "/api/v1/calls", "")
		var page struct{ Calls []struct{ Cause string } }
		x.must(json.Unmarshal([]byte(text), &page))
		causes = nil
		for _, c := range page.Calls {
			causes = append(causes, c.Cause)
		}
		return !slices.Contains(causes, "")
	})
	slices.Sort(causes)
	return strings.Join(causes, " ")
}

func TestBlindTransfer(t *testing.T) {
	t.Parallel()
	for _, byCaller := range []bool{true, false} {
		x := newExchange(t)
		out, in := x.call(x.alice, x.bob, "bob")
		x.talk(out, bobTone, in, aliceTone)
		who, stays, heard := in, out, float64(aliceTone)
		if byCaller {
			who, stays, heard = out, in, bobTone
		}
		refused := make(chan *phone.Call, 1)
		go func() {
			c, err := x.carol.Accept(t.Context())
			if err == nil {
				c.Reject(486, "Busy Here")
			}
			refused <- c
		}()
		status, err := who.Refer(t.Context(), x.at("carol"), nil)
		if x.must(err); status != 486 {
			t.Errorf("a transfer to who is busy: %d", status)
		}
		x.over(<-refused)
		status, err = who.Refer(t.Context(), "sip:eve@192.0.2.1", nil)
		if x.must(err); status != 404 {
			t.Errorf("a transfer to an address elsewhere: %d", status)
		}
		done := make(chan *phone.Call, 1)
		go func() { done <- x.pickUp(x.carol) }()
		status, err = who.Refer(t.Context(), x.at("carol"), nil)
		if x.must(err); status != 200 {
			t.Errorf("a transfer to who picks up: %d", status)
		}
		carol := <-done
		x.over(who)
		x.talk(stays, carolTone, carol, heard)
		carol.Hangup()
		x.over(carol, stays)
		// Who stays goes on as the next of its chain.
		if got := x.causes(); got != "busy busy forwarded normal normal transferred" {
			t.Errorf("causes: %s", got)
		}
	}
}

func TestAttendedTransfer(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	out, in := x.call(x.bob, x.alice, "alice")
	second, carol := x.call(x.alice, x.carol, "carol")
	x.talk(second, carolTone, carol, aliceTone)
	status, err := in.Refer(t.Context(), x.at("carol"), second)
	if x.must(err); status != 200 {
		t.Errorf("status %d", status)
	}
	x.over(in, second)
	x.talk(out, carolTone, carol, bobTone)
	out.Hangup()
	x.over(out, carol)
	if got := x.causes(); got != "normal normal transferred transferred" {
		t.Errorf("causes: %s", got)
	}
}

// Somebody else's phone takes the place of one that talks; a stranger's does not.
func TestReplaces(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	out, in := x.call(x.alice, x.bob, "bob")
	place, err := in.Place()
	x.must(err)
	for status, headers := range map[int][]dialog.Header{
		400: {{Name: place.Name, Value: "x"}, {Name: place.Name, Value: "y"}},
		481: {{Name: place.Name, Value: place.Value + "x"}},
		486: {{Name: place.Name, Value: place.Value + ";early-only"}},
	} {
		wrong, err := x.carol.Dial(x.at("bob"), login(x.carol, headers...))
		x.must(err)
		if ended, err := wrong.WaitEnd(t.Context()); err != nil || ended.Status != status {
			t.Errorf("%v: %+v, %v; want %d", headers, ended, err, status)
		}
	}
	carol, err := x.carol.Dial(x.at("nobody"), login(x.carol, place, dialog.Header{Name: "Require", Value: "replaces"}))
	x.must(err)
	x.must(carol.WaitAnswer(t.Context()))
	x.over(in)
	x.talk(out, carolTone, carol, aliceTone)
	out.Hangup()
	x.over(out, carol)
}

// A phone that sends a call on is followed to whom it could have called.
func TestDiversion(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	out, err := x.alice.Dial(x.at("bob"), login(x.alice))
	x.must(err)
	in, err := x.bob.Accept(t.Context())
	x.must(err)
	in.Divert("sip:nobody@192.0.2.1", x.at("carol"))
	carol := x.pickUp(x.carol)
	if got := carol.Header("Diversion"); len(got) != 1 || !strings.HasPrefix(got[0], "<sip:b@") {
		t.Errorf("Diversion: %q", got)
	}
	x.must(out.WaitAnswer(t.Context()))
	x.talk(out, carolTone, carol, aliceTone)
	carol.Hangup()
	x.over(out, carol)
	if got := x.causes(); got != "normal normal" {
		t.Errorf("causes: %s", got)
	}
}

// The API has a phone call somebody else, by itself.
func TestReferByTheAPI(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	out, in := x.call(x.alice, x.bob, "bob")
	var page struct{ Calls []struct{ ID string } }
	until(t, "both calls to be recorded", func() bool {
		_, text := ask(t, x.Server, x.Token, "GET", "/api/v1/calls", "")
		return json.Unmarshal([]byte(text), &page) == nil && len(page.Calls) == 2
	})
	rung := page.Calls[0].ID
	if _, text := ask(t, x.Server, x.Token, "GET", "/api/v1/calls/"+rung, ""); strings.Contains(text, `"parent":null`) {
		rung = page.Calls[1].ID // that one is alice's
	}
	if status, text := ask(t, x.Server, x.Token, "POST", "/api/v1/calls/"+rung+"/refer", `{"to":"c"}`); status != 204 {
		t.Fatalf("got %d %s", status, text)
	}
	referral, err := in.WaitReferral(t.Context())
	x.must(err)
	if referral.To != x.at("c") {
		t.Errorf("referred to %s", referral.To)
	}
	done := make(chan *phone.Call, 1)
	go func() { done <- x.pickUp(x.carol) }()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	next, err := referral.Follow(ctx, login(x.bob))
	x.must(err)
	carol := <-done
	x.over(in, out)
	x.talk(next, carolTone, carol, bobTone)
	next.Hangup()
	x.over(next, carol)
	if got := x.causes(); got != "normal normal transferred transferred" {
		t.Errorf("causes: %s", got)
	}
}
