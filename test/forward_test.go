// SPDX-License-Identifier: MIT

package test

import (
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/peer"
)

// Fields of the events of a second call in the chain, as the client sees them, where
// FROM stands for the caller.
const (
	ofSecond = `"callId":"B","from":"FROM","to":"+4921100","direction":"in",`
	ofBob    = `"callId":"B","from":"FROM","to":"+4921101","direction":"in",`
	atFirst  = `"answeringNumber":"+4921100",`
	atSecond = `"answeringNumber":"+4921101",`
	diverted = `"diversion":"+4921100","originalCallId":"A","xcid":"X"}`
)

// TestOfficialClientTimedVoicemail has a call go on to the voicemail when nobody
// has answered: for the app it is a second one.
func TestOfficialClientTimedVoicemail(t *testing.T) {
	t.Parallel()
	a := startNode(t, "voicemail", "OPEN=true")
	config := strings.Replace(withDesk, "app: desk, users: [w3]", "app: desk, users: [w3], voicemail_after: 1s", 1)
	h := newHouseOf(t, askedOf(config, a), nil)
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
	dave := h.baresip(t, line{host: hostMobile, username: "dave", manual: true}).registered()
	carol.do(carol.brand.dial, ourNumber)
	dave.expect(dave.brand.ringing)
	dave.expect(dave.brand.closed)
	carol.expect(carol.brand.established)
	carol.hasHeard(0, beep)
	eventually(t, func() string { return holds(h.dir, toneOfCarol) })
	carol.do(carol.brand.hangUp)
	h.expectPorts(t, 0)
	a.expect(t, toDavesVoicemail()...)
}

// toDavesVoicemail is what an app is told of a call of Carol's that goes there.
func toDavesVoicemail() []string {
	return from("+4921102", carolCalls,
		`{"event":"hangup","cause":"forwarded",`+ofCall+chain,
		`{"event":"newCall","direction":"in","callId":"B","originalCallId":"A","from":"FROM","to":"+4921100","users":["voicemail"],"xcid":"X","diversion":"+4921100"}`,
		`{"event":"answer",`+ofSecond+atFirst+diverted[:len(diverted)-1]+`,"answeredBy":"voicemail"}`,
		`{"event":"hangup","cause":"normalClearing",`+ofSecond+atFirst+diverted)
}

// TestOfficialClientFindsNobody has a call go on to the voicemail when no telephone
// is registered: the greeting is spoken, and whoever leaves a message is in no
// conversation.
func TestOfficialClientFindsNobody(t *testing.T) {
	t.Parallel()
	peer.Need(t, "espeak-ng", "espeak-ng")
	a := startNode(t, "voicemail", "OPEN=true")
	config := strings.NewReplacer("app: desk, users: [w3]", "app: desk, users: [w3], on_offline: voicemail",
		`password: "pw-dave"`, `password: "pw-dave", greeting_text: "Dave is out. Please say what you want."`).Replace(withTokens)
	h := newHouseOf(t, askedOf(config, a), nil)
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
	c := h.console(t)
	carol.do(carol.brand.dial, ourNumber)
	carol.expect(carol.brand.established)
	carol.hasHeard(0, beep)
	if got := voices(carol.heard()); got < time.Second {
		t.Errorf("%v of the greeting were heard", got)
	}
	eventually(t, func() string { return holds(h.dir, toneOfCarol) })
	c.says(`{"result":[]}`, "rtcm.getEstablishedCalls")
	carol.do(carol.brand.hangUp)
	h.expectPorts(t, 0)
	a.expect(t, toDavesVoicemail()...)
}

// TestOfficialClientForwards has the rules of a number send a call on: for the app
// it is a second one.
func TestOfficialClientForwards(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, rule, status string }{
		{"busy", "on_busy", "486"},
		{"offline", "on_offline", "404"},
		{"no answer", "on_no_answer", "603"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := startNode(t, "voicemail", "OPEN=true")
			config := strings.Replace(configuration, "app: shop, users: [w0, w1]}", "app: shop, users: [w0], "+tc.rule+`: "+4921101"}
  - {number: "+4921101", users: [w1]}`, 1)
			h := newHouseOf(t, askedOf(config, a), nil)
			alice := h.target(t, phone{scenario: "target-refuses", host: hostAlice, values: map[string]string{"status": tc.status}})
			bob := h.target(t, phone{scenario: "target-answers", host: hostBob})
			h.call(t, phone{scenario: "caller-hangs-up", number: ourNumber})
			alice.wait(t)
			bob.wait(t)
			h.expectPorts(t, 0)
			a.expect(t, from("+492111234567",
				`{"event":"newCall","direction":"in","callId":"A","originalCallId":"A","from":"FROM","to":"+4921100","users":["Alice"],"userIds":["w0"],"fullUserIds":["5140894w0"],"xcid":"X"}`,
				`{"event":"hangup","cause":"forwarded",`+ofCall+chain,
				`{"event":"newCall","direction":"in","callId":"B","originalCallId":"A","from":"FROM","to":"+4921101","users":["Bob"],"userIds":["w1"],"fullUserIds":["5140894w1"],"xcid":"X","diversion":"+4921100"}`,
				`{"event":"answer","callId":"B","user":"Bob","userId":"w1","fullUserId":"5140894w1",`+strings.TrimPrefix(ofBob, `"callId":"B",`)+atSecond+diverted[:len(diverted)-1]+`,"answeredBy":"user"}`,
				`{"event":"hangup","cause":"normalClearing",`+ofBob+atSecond+diverted)...)
		})
	}
}
