// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/google/go-cmp/cmp"
)

// referrals are what calls were asked for by REFER.
func referrals(c *calls) chan Referral {
	asked := make(chan Referral, 10)
	c.prepare = func(r *record) { r.refer = func(ask Referral) { asked <- ask } }
	return asked
}

// notified takes a NOTIFY and gives its Event, its state and what it says.
func notified(t *testing.T, w *wire, skip ...string) string {
	t.Helper()
	m := w.expect("NOTIFY", skip...)
	w.send(response(m, "200 OK", ""))
	if m.(*sip.Request).Contact() == nil || value(m, "Content-Type") != fragType {
		t.Errorf("NOTIFY:\n%s", m)
	}
	return value(m, "Event") + " " + value(m, "Subscription-State") + " " + string(m.Body())
}

func TestReferIn(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	asked := referrals(c)
	_, w, call, ok := answered(t, c, "refer")
	w.send(inside("REFER", "refer", 2, ok, "Refer-To: <sip:w2@callwright.test?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2&Subject=no>"))
	if res := w.expect("202 REFER"); res.(*sip.Response).Contact() == nil {
		t.Errorf("no Contact:\n%s", res)
	}
	want := Referral{ID: 2, To: "sip:w2@callwright.test", Replaces: &Replaces{CallID: "x@y", To: "1", From: "2"}}
	if diff := cmp.Diff(want, <-asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	const active, over = "refer;id=2 active;expires=120 ", "refer;id=2 terminated;reason=noresource "
	tell := func(status int, phrase, want string) {
		t.Helper()
		if status != 100 {
			call.Notify(2, status, phrase)
		}
		if got := notified(t, w); got != want+fmt.Sprintf("SIP/2.0 %d %s\r\n", status, phrase) {
			t.Errorf("notified %q", got)
		}
	}
	tell(100, "Trying", active)
	tell(180, "Ringing", active)
	tell(486, "Busy Here", over)
	call.Notify(2, 200, "OK") // nobody wants to know any more
	call.Notify(3, 200, "OK")

	w.send(inside("REFER", "refer", 3, ok, "r: sip:w2@callwright.test;x=y", "Refer-Sub: false", "Require: norefersub"))
	if res := w.expect("202 REFER"); value(res, "Refer-Sub") != "false" {
		t.Errorf("a peer that wants no NOTIFY is promised some:\n%s", res)
	}
	if got := (<-asked).To; got != "sip:w2@callwright.test" {
		t.Errorf("asked for %q", got)
	}
	call.Notify(3, 200, "OK")
	w.silent()

	// The last word is heard though we hang up.
	w.send(inside("REFER", "refer", 4, ok, "Refer-To: tel:+49301"))
	w.expect("202 REFER")
	notified(t, w)
	call.Notify(4, 200, "OK")
	call.Hangup(0, "")
	if got := notified(t, w, "BYE"); !strings.HasSuffix(got, "200 OK\r\n") {
		t.Errorf("notified %q", got)
	}
	w.send(response(w.again("BYE"), "200 OK", ""))
	call.want("confirmed", "ended 0 local")
	call.Notify(4, 200, "OK")
	w.silent("BYE")
}

func TestReferRefused(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	referrals(c)
	_, w, _, ok := answered(t, c, "refuse")
	for i, tt := range []struct{ headers, want string }{
		{"X-None: 1", "400 REFER"},
		{"Refer-To: <sip:a@b>\nRefer-To: <sip:c@d>", "400 REFER"},
		{"Refer-To: <sip:a@b>\nr: <sip:c@d>", "400 REFER"},
		{"Refer-To: <http://a/>", "400 REFER"},
		{"Refer-To: <sip:a@b?Replaces=nothing>", "400 REFER"},
		{"Refer-To: <sip:a@b?Replaces=%zz>", "400 REFER"},
		{"Refer-To: <sip:a@b;method=BYE>", "603 REFER"},
		{"Refer-To: <sip:a@b>\nRequire: nothing", "420 REFER"},
	} {
		w.send(inside("REFER", "refuse", i+2, ok, tt.headers))
		w.expect(tt.want)
	}
	for i := range mostReferrals {
		w.send(inside("REFER", "refuse", 20+i, ok, "Refer-To: <sip:a@b>"))
		w.expect("202 REFER")
		notified(t, w)
	}
	w.send(inside("REFER", "refuse", 30, ok, "Refer-To: <sip:a@b>"))
	w.expect("486 REFER")
	w.send(inside("NOTIFY", "refuse", 31, ok, "Event: refer"))
	w.expect("481 NOTIFY")
	w.send(inside("NOTIFY", "refuse", 32, ok, "Event: presence"))
	w.expect("489 NOTIFY")
}

func TestReferOut(t *testing.T) {
	t.Parallel()
	frag := func(state, line string) []string {
		return []string{"o: refer;id=7", "Subscription-State: " + state, "Content-Type: message/sipfrag", "", line}
	}
	for _, tt := range []struct {
		name   string
		reply  []string
		notify [][]string
		want   []Referred
	}{
		{"reached", []string{"202 Accepted"}, [][]string{frag("active", "SIP/2.0 100 Trying"), frag("terminated", "SIP/2.0 200 OK")},
			[]Referred{{202, false, "202 Accepted"}, {100, false, "100 Trying"}, {200, true, "200 OK"}}},
		{"not reached", []string{"200 OK"}, [][]string{frag("active;expires=60", "SIP/2.0 486 Busy Here\r\nVia: x"), frag("terminated", "SIP/2.0 486 Busy Here")},
			[]Referred{{200, false, "200 OK"}, {486, true, "486 Busy Here"}}},
		{"it does not say", []string{"202 Accepted"}, [][]string{frag("terminated;reason=timeout", "")},
			[]Referred{{202, false, "202 Accepted"}, {408, true, "the other side does not say what came of it"}}},
		{"it will not say", []string{"202 Accepted", "Refer-Sub: false"}, nil, []Referred{{202, true, "202 Accepted"}}},
		{"refused", []string{"603 Decline"}, nil, []Referred{{603, true, "603 Decline"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCalls(t)
			_, w, call, ok := answered(t, c, "out")
			told := make(chan Referred, 10)
			must := func(err, want error) {
				t.Helper()
				if !errors.Is(err, want) {
					t.Fatalf("error %v, want %v", err, want)
				}
			}
			must(call.Refer("sip:w2@callwright.test", func(r Referred) { told <- r }), nil)
			req := w.expect("REFER")
			if value(req, "Refer-To") != "<sip:w2@callwright.test>" || req.(*sip.Request).Contact() == nil {
				t.Errorf("REFER:\n%s", req)
			}
			must(call.Refer("sip:w3@callwright.test", func(Referred) {}), ErrReferring)
			w.send(response(req, tt.reply[0], "", tt.reply[1:]...))
			for i, more := range tt.notify {
				if i == 0 {
					if diff := cmp.Diff(tt.want[0], <-told); diff != "" { // its answer is not overtaken
						t.Errorf("told (-want +got):\n%s", diff)
					}
					tt.want = tt.want[1:]
				}
				w.send(inside("NOTIFY", "out", i+2, ok, more...))
				w.expect("200 NOTIFY", "REFER")
			}
			for _, want := range tt.want {
				if diff := cmp.Diff(want, <-told); diff != "" {
					t.Errorf("told (-want +got):\n%s", diff)
				}
			}
			w.send(inside("NOTIFY", "out", 9, ok, frag("active", "no fragment")...))
			w.expect("400 NOTIFY", "REFER")
			must(call.Refer("sip:w3@callwright.test", func(Referred) {}), nil)
			w.expect("REFER")
		})
	}
}

func TestReferWhenOver(t *testing.T) {
	t.Parallel()
	_, w, d, _, inv := ring(t, Call{})
	if err := d.Refer("sip:w2@callwright.test", func(Referred) {}); !errors.Is(err, ErrOver) {
		t.Errorf("error %v, want %v", err, ErrOver)
	}
	if err := d.Refer("sip:w2@call wright.test", func(Referred) {}); err == nil || errors.Is(err, ErrOver) {
		t.Errorf("error %v of no URI", err)
	}
	w.send(response(inv, "486 Busy Here", "b"))
	w.expect("ACK")
}

// A call whose place another one is to take is found by its Call-ID and both
// tags, and only in the states in which it can be replaced.
func TestReplaced(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	c.prepare = func(r *record) { r.owner = "owner" }
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	check := func(name string, r Replaces, want int) {
		t.Helper()
		owner, no := e.Replaced(r)
		switch {
		case no == nil && want != 0, no != nil && no.Status != want:
			t.Errorf("%s: %v, want %d", name, no, want)
		case no == nil && owner != any("owner"):
			t.Errorf("%s: the call of %v", name, owner)
		}
	}
	w.send(invite("place"))
	call := c.next()
	early := Replaces{CallID: "place", To: call.tag, From: "a-place"}
	check("rings here", early, 481)
	if err := call.Answer([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	ok := w.expect("200 INVITE")
	w.send(inside("ACK", "place", 1, ok))
	call.want("confirmed")
	named, known := call.Replaces()
	if want := (Replaces{CallID: "place", To: "a-place", From: call.tag}); !known || named != want {
		t.Errorf("it is named %v", named)
	}
	check("is answered", early, 0)
	check("is answered, and wanted before", Replaces{"place", call.tag, "a-place", true}, 486)
	check("another peer", Replaces{"place", call.tag, "other", false}, 481)
	check("another tag", Replaces{"place", call.tag + "x", "a-place", false}, 481)
	check("another call", Replaces{"places", call.tag, "a-place", false}, 481)
	call.Hangup(0, "")
	check("is ending", early, 603)
	w.send(response(w.expect("BYE"), "200 OK", ""))
	call.want("confirmed", "ended 0 local")

	r := newRecord(t)
	r.owner = "owner"
	d, err := e.Call(Call{To: "sip:100@" + w.addr(), From: Party{"", "sip:a@b"}}, r.handler())
	if err != nil {
		t.Fatal(err)
	}
	inv := w.expect("INVITE", "BYE")
	w.send(response(inv, "180 Ringing", "b"))
	r.want("ringing 180")
	ringing := Replaces{inv.CallID().Value(), d.tag, "b", true}
	check("rings there", ringing, 0)
	ringing.From = "c"
	check("rings there, another fork", ringing, 481)
	w.send(response(inv, "486 Busy Here", "b"))
	w.expect("ACK")
	r.want("ringing 180", "ended 486 remote")
}

func TestParseReplaces(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Replaces{
		"a@b;to-tag=1;from-tag=2":                         {"a@b", "1", "2", false},
		" a@b ; From-Tag = 2 ;early-only; to-tag=1 ; x=y": {"a@b", "1", "2", true},
		"a@b;to-tag=1":                                    {},
		";to-tag=1;from-tag=2":                            {},
		"a\r\nX: y;to-tag=1;from-tag=2":                   {},
		"":                                                {},
	} {
		got, err := ParseReplaces(in)
		if got != want || (err == nil) != (want != Replaces{}) {
			t.Errorf("%q is read as %+v, %v", in, got, err)
		}
		if again, err := ParseReplaces(got.String()); want.CallID != "" && (err != nil || again != want) {
			t.Errorf("%q is written as %q", in, got)
		}
	}
}

func TestParseReferTo(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]referTo{
		"<sip:w2@host;user=phone>;x=y":                 {uri: "sip:w2@host;user=phone"},
		"sip:w2@host;x=y":                              {uri: "sip:w2@host"},
		`"A <b>" <sips:a?b@host?Replaces=1&Subject=2>`: {uri: "sips:a?b@host", replaces: "1"},
		`A <sips:a?b@host?replaces=1%3b2&Subject=2>`:   {uri: "sips:a?b@host", replaces: "1;2"},
		"<tel:+49301;phone-context=x>":                 {uri: "tel:+49301;phone-context=x"},
		"<sip:w2@host;METHOD=bye>":                     {uri: "sip:w2@host;METHOD=bye", method: "bye"},
		"<sip:w2@host;method=invite>":                  {uri: "sip:w2@host;method=invite"},
		"<sip:w2@host?Replaces=1&Replaces=2>":          {},
		"<mailto:a@b>":                                 {},
		"":                                             {},
	} {
		got, err := parseReferTo(in)
		if got != want || (err == nil) != (want != referTo{}) {
			t.Errorf("%q is read as %+v, %v", in, got, err)
		}
	}
}

// What a peer writes into Refer-To, Replaces and message fragments breaks nothing,
// and no line break comes out of it.
func FuzzRefer(f *testing.F) {
	f.Add("<sip:w2@host?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>", "a;to-tag=1;from-tag=2", []byte("SIP/2.0 200 OK\r\n"))
	f.Add("tel:+49301", "", []byte("SIP/2.0 1"))
	f.Fuzz(func(t *testing.T, refer, replaces string, frag []byte) {
		if to, err := parseReferTo(refer); err == nil && strings.ContainsAny(to.uri, "\r\n") {
			t.Errorf("%q holds a line break", to.uri)
		}
		if r, err := ParseReplaces(replaces); err == nil {
			if again, err := ParseReplaces(r.String()); err != nil || again != r || strings.ContainsAny(r.String(), "\r\n") {
				t.Errorf("%+v is written as %q", r, r)
			}
		}
		if status, reason, ok := fragment(frag); ok && (status < 100 || status > 699 || strings.ContainsAny(reason, "\r\n")) {
			t.Errorf("%d %q", status, reason)
		}
	})
}
