// SPDX-License-Identifier: MIT

package test

import (
	"strings"
	"testing"
)

// transferOrder is what the client's transfer is given.
type transferOrder struct {
	Attended    bool   `json:"attended"`
	PhoneNumber string `json:"phoneNumber"`
}

// erinAnswers is what is told when she picks up in place of Dave.
var erinAnswers = strings.NewReplacer("Dave", "Erin", "w3", "w4").Replace(daveAnswers)

// erinsCall is what an app is told of a call of Carol's that was sent on to Erin.
var erinsCall = []string{
	`{"event":"newCall","direction":"in","callId":"B","originalCallId":"A","from":"+4921102","to":"+4921104",` +
		`"users":["Erin"],"userIds":["w4"],"fullUserIds":["5140894w4"],"xcid":"X","diversion":"+4921100"}`,
	`{"event":"answer","callId":"B","user":"Erin","userId":"w4","fullUserId":"5140894w4",` + ofErin + byUser,
	`{"event":"hangup","cause":"normalClearing","callId":"B",` + ofErin + chain,
}

const ofErin = `"from":"+4921102","to":"+4921104","direction":"in","answeringNumber":"+4921104","diversion":"+4921100",`

// TestOfficialClientTransfers has Dave's console send Carol on to Erin, after an
// attempt to send her nowhere.
func TestOfficialClientTransfers(t *testing.T) {
	t.Parallel()
	a := startNode(t, "voicemail", "OPEN=true")
	h := newHouseOf(t, askedOf(withTokens, a), nil)
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
	dave := h.baresip(t, line{host: hostMobile, username: "dave", plays: toneOfDave}).registered()
	erin := h.baresip(t, line{host: hostThird, username: "erin", plays: toneOfErin}).registered()
	c := h.console(t)
	carol.do(carol.brand.dial, ourNumber)
	carol.hears(toneOfDave)
	id := call{c.talks(1)[0].CallID}

	c.done("rtcm.transfer", id, transferOrder{PhoneNumber: "+4921199"}) // which nobody has
	carol.hears(toneOfDave)
	dave.hears(toneOfCarol)

	c.done("rtcm.transfer", id, transferOrder{PhoneNumber: "+4921104"})
	erin.hears(toneOfCarol)
	carol.hears(toneOfErin)
	dave.expect(dave.brand.closed)
	c.done("rtcm.hangUp", call{c.talks(1)[0].CallID})
	carol.expect(carol.brand.closed)
	erin.expect(erin.brand.closed)
	h.expectPorts(t, 0)
	a.expect(t, carolCalls, daveAnswers, erinsCall[0], erinsCall[1],
		`{"event":"hangup","cause":"forwarded",`+ofCarol+`"answeringNumber":"+4921100",`+chain, erinsCall[2])
}

// TestOfficialClientTransfersAttended has Dave talk to Erin before Carol does.
func TestOfficialClientTransfersAttended(t *testing.T) {
	t.Parallel()
	a := startNode(t, "voicemail", "OPEN=true")
	h := newHouseOf(t, askedOf(withTokens, a), nil)
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
	dave := h.baresip(t, line{host: hostMobile, username: "dave", plays: toneOfDave}).registered()
	erin := h.baresip(t, line{host: hostThird, username: "erin", plays: toneOfErin}).registered()
	c := h.console(t)
	carol.do(carol.brand.dial, ourNumber)
	carol.hears(toneOfDave)
	c.done("rtcm.transfer", call{c.talks(1)[0].CallID}, transferOrder{Attended: true, PhoneNumber: "+4921104"})
	erin.hears(toneOfDave)
	dave.hears(toneOfErin)
	carol.hearsNoMore(toneOfDave)
	dave.do(dave.brand.hangUp)
	erin.hears(toneOfCarol)
	carol.hears(toneOfErin)
	erin.do(erin.brand.hangUp)
	carol.expect(carol.brand.closed)
	h.expectPorts(t, 0)
	a.expect(t, carolCalls, daveAnswers, answersAt("+4921104", erinAnswers), answersAt("+4921104", daveHangsUp))
}

// TestOfficialClientTransfersAfterPlay has an app send a call on when its
// announcement has ended: to a number outside, and to Erin.
func TestOfficialClientTransfersAfterPlay(t *testing.T) {
	t.Parallel()
	config := withTokens + "trunks:\n  - {name: carrier, address: \"NETWORK.20:5060;transport=udp\", allow_from: [\"NETWORK.20/32\"]}\n"
	begin := func(t *testing.T, to string) (h *house, a *nodeApp, carol *telephone) {
		a = newNode(t)
		h = newHouseOf(t, askedOf(config, a), nil)
		a.start(t, "play-and-transfer", append(h.rest(), "ANNOUNCEMENT="+sounds(t)+"/440/5000.wav", "NUMBER="+to)...)
		carol = h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
		h.baresip(t, line{host: hostMobile, username: "dave", manual: true}).registered()
		return h, a, carol
	}
	t.Run("outside", func(t *testing.T) {
		t.Parallel()
		h, a, carol := begin(t, elsewhere)
		target := h.target(t, phone{scenario: "target-answers"})
		carol.do(carol.brand.dial, ourNumber)
		carol.hears(440)
		carol.expect(carol.brand.established)
		carol.do(carol.brand.hangUp)
		target.wait(t)
		h.expectPorts(t, 0)
		a.expect(t, carolCalls,
			`{"event":"answer",`+ofCarol+`"answeringNumber":"`+elsewhere+`",`+byNumber,
			`{"event":"hangup","cause":"normalClearing",`+ofCarol+`"answeringNumber":"`+elsewhere+`",`+chain)
	})
	t.Run("inside", func(t *testing.T) {
		t.Parallel()
		h, a, carol := begin(t, "+4921104")
		erin := h.baresip(t, line{host: hostThird, username: "erin", plays: toneOfErin}).registered()
		carol.do(carol.brand.dial, ourNumber)
		carol.hears(440)
		erin.hears(toneOfCarol)
		carol.hears(toneOfErin)
		erin.do(erin.brand.hangUp)
		carol.expect(carol.brand.closed)
		h.expectPorts(t, 0)
		a.expect(t, append([]string{carolCalls, `{"event":"hangup","cause":"forwarded",` + ofCarol + chain}, erinsCall...)...)
	})
}

// TestOfficialClientInitiates has Dave's console call Carol from Dave's phone, which
// are two calls for the app: one that goes out, and one that comes in.
func TestOfficialClientInitiates(t *testing.T) {
	t.Parallel()
	a := startNode(t, "voicemail", "OPEN=true")
	config := strings.NewReplacer(`incoming_url: "APP/"`, `incoming_url: "APP/", outgoing_url: "APP/"`,
		`password: "pw-dave"`, `password: "pw-dave", app: desk`, `"+4921102", users`, `"+4921102", app: desk, users`).Replace(withTokens)
	h := newHouseOf(t, askedOf(config, a), nil)
	carol := h.baresip(t, line{host: hostDesk, username: "carol", plays: toneOfCarol}).registered()
	dave := h.baresip(t, line{host: hostMobile, username: "dave", plays: toneOfDave}).registered()
	c := h.console(t)
	var session struct{ SessionID string }
	c.get(&session, "call.initiate", map[string]string{"from": "e3", "to": "+4921102"})
	dave.expect(dave.brand.established)
	carol.expect(carol.brand.established)
	dave.hears(toneOfCarol)
	carol.hears(toneOfDave)
	if id := c.talks(1)[0].CallID; id != session.SessionID || !strings.Contains(a.printed()[0], `"callId":"`+id+`"`) {
		t.Errorf("the session is %s, the conversation %s, and the app was told %s", session.SessionID, id, a.printed()[0])
	}
	c.done("rtcm.hangUp", call{session.SessionID})
	carol.expect(carol.brand.closed)
	dave.expect(dave.brand.closed)
	h.expectPorts(t, 0)
	c.says(`{"error":"Cannot access extension - not found or forbidden"}`, "call.initiate", map[string]string{"from": "e99", "to": "+4921102"})
	const between = `"from":"+4921100","to":"+4921102","direction":"`
	answered := `"answeringNumber":"+4921102",`
	a.expect(t,
		`{"event":"newCall","direction":"out","callId":"A","originalCallId":"A","from":"+4921100","to":"+4921102","users":["Dave"],"userIds":["w3"],"fullUserIds":["5140894w3"],"xcid":"X"}`,
		`{"event":"newCall","direction":"in","callId":"B","originalCallId":"A","from":"+4921100","to":"+4921102","users":["Carol"],"userIds":["w2"],"fullUserIds":["5140894w2"],"xcid":"X"}`,
		`{"event":"answer","callId":"B","user":"Carol","userId":"w2","fullUserId":"5140894w2",`+between+`in",`+answered+byUser,
		`{"event":"answer","callId":"A",`+between+`out",`+answered+byUser,
		`{"event":"hangup","cause":"normalClearing","callId":"A",`+between+`out",`+answered+chain,
		`{"event":"hangup","cause":"normalClearing","callId":"B",`+between+`in",`+answered+chain)
}
