// SPDX-License-Identifier: MIT

package test

import (
	"slices"
	"strings"
	"testing"
)

// hostThird and toneOfErin are of the telephone that a call is transferred to.
const (
	hostThird  = "43"
	toneOfErin = 1900
)

// withThree is the configuration of telephones, with a third one.
var withThree = strings.Replace(wanting("auto"), "numbers:\n", `  - {id: w4, name: Erin, username: erin, password: "pw-erin"}
numbers:
  - {number: "+4921104", users: [w4]}
`, 1)

// three starts Carol's, Dave's and Erin's telephones, of two makes, and has Carol
// call Dave.
func (h *house) three(t *testing.T, carols, daves, erins maker) (carol, dave, erin *telephone) {
	t.Helper()
	carol = carols(h, t, line{host: hostDesk, username: "carol", plays: toneOfCarol})
	dave = daves(h, t, line{host: hostMobile, username: "dave", plays: toneOfDave})
	erin = erins(h, t, line{host: hostThird, username: "erin", plays: toneOfErin})
	for _, p := range []*telephone{carol, dave, erin} {
		p.registered()
	}
	carol.do(carol.brand.dial, "+4921103")
	dave.expect(dave.brand.established)
	carol.expect(carol.brand.established)
	carol.hears(toneOfDave)
	dave.hears(toneOfCarol)
	return carol, dave, erin
}

// TestBlindTransfer has either party of a call send the other one on to somebody
// else.
func TestBlindTransfer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name            string
		carols, daves   maker
		callerTransfers bool
	}{
		{"the caller's linphone sends a baresip on", (*house).linphone, (*house).baresip, true},
		{"the caller's baresip sends a linphone on", (*house).baresip, (*house).linphone, true},
		{"the called linphone sends a baresip on", (*house).baresip, (*house).linphone, false},
		{"the called baresip sends a linphone on", (*house).linphone, (*house).baresip, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHouseOf(t, withThree, nil)
			who, sent, erin := h.three(t, tc.carols, tc.daves, (*house).baresip)
			hears := toneOfDave
			if !tc.callerTransfers {
				who, sent, hears = sent, who, toneOfCarol
			}
			who.do(who.brand.transfer, "+4921104")
			erin.expect(erin.brand.established)
			who.expect(who.brand.closed)
			erin.hears(hears)
			sent.hears(toneOfErin)
			erin.do(erin.brand.hangUp)
			sent.expect(sent.brand.closed)
			h.expectPorts(t, 0)
		})
	}
}

// TestAttendedTransfer has a telephone call somebody else first, and then connect
// the two.
func TestAttendedTransfer(t *testing.T) {
	t.Parallel()
	h := newHouseOf(t, withThree, nil)
	carol, dave, erin := h.three(t, (*house).linphone, (*house).baresip, (*house).baresip)
	carol.do(carol.brand.hold)
	carol.expect("is now paused")
	carol.do(carol.brand.dial, "+4921104")
	erin.expect(erin.brand.established)
	carol.expect(carol.brand.established)
	carol.do("transfer 1 --to-call 2")
	erin.hears(toneOfDave)
	dave.hears(toneOfErin)
	erin.do(erin.brand.hangUp)
	dave.expect(dave.brand.closed)
	h.expectPorts(t, 0)
}

// TestTransferFails gives the other party back when who it is sent on to is not
// there.
func TestTransferFails(t *testing.T) {
	t.Parallel()
	h := newHouseOf(t, wanting("auto"), nil)
	carol := h.linphone(t, line{host: hostDesk, username: "carol", plays: toneOfCarol}).registered()
	dave := h.baresip(t, line{host: hostMobile, username: "dave", plays: toneOfDave}).registered()
	carol.do(carol.brand.dial, "+4921103")
	dave.expect(dave.brand.established)
	carol.expect(carol.brand.established)
	carol.do(carol.brand.transfer, "+4921199")
	carol.tells("SIP/2.0 502 Bad Gateway") // in a NOTIFY
	carol.hears(toneOfDave)
	dave.hears(toneOfCarol)
	carol.do(carol.brand.hangUp)
	dave.expect(dave.brand.closed)
	h.expectPorts(t, 0)
}

// TestReferredByTheAPI has the API ask a telephone to call somebody else.
func TestReferredByTheAPI(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		carols maker
	}{{"linphone", (*house).linphone}, {"baresip", (*house).baresip}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHouseOf(t, withThree, nil)
			carol, dave, erin := h.three(t, tc.carols, (*house).baresip, (*house).baresip)
			var list struct{ Calls []record }
			if err := h.get("/api/v1/calls", &list); err != nil {
				t.Fatal(err)
			}
			at := slices.IndexFunc(list.Calls, func(r record) bool { return r.To == "+4921103" })
			if at < 0 {
				t.Fatalf("Carol's call is not among %v", list.Calls)
			}
			h.post(t, "/api/v1/calls/"+list.Calls[at].ID+"/refer", `{"to": "+4921104"}`)
			erin.expect(erin.brand.established)
			dave.expect(dave.brand.closed)
			erin.hears(toneOfCarol)
			erin.do(erin.brand.hangUp)
			carol.expect(carol.brand.closed)
			h.expectPorts(t, 0)
		})
	}
}
