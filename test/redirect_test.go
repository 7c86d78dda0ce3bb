// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"strings"
	"testing"
)

// TestOfficialClientRings has Carol call, and the telephones ring that the app on the
// official client names, or leaves to the settings. Erin has the call whenever she
// rings; Dave, who hears nothing of it, is told that it is over.
func TestOfficialClientRings(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, app, env string
		rule           string // whom the number rings
		dave           bool   // he rings, too
		users          string // of newCall
		answered       string // the number at which Erin did
	}{
		{"redirect", "redirect", "NUMBER=+4921104", "users: [w3]", false, "", "+4921104"},
		{"multi-redirect", "multi-redirect", "NUMBERS=+4921103,+4921104", "users: [w3]", true, "", "+4921104"},
		{"a group", "voicemail", "OPEN=true", "groups: [g0]", true,
			`"users":["Dave","Erin"],"userIds":["w3","w4"],"fullUserIds":["5140894w3","5140894w4"]`, "+4921100"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := startNode(t, tc.app, tc.env)
			config := strings.NewReplacer("app: desk, users: [w3]", "app: desk, "+tc.rule, "tokens:\n", "groups:\n  - {id: g0, users: [w3, w4]}\ntokens:\n").Replace(withTokens)
			h := newHouseOf(t, askedOf(config, a), nil)
			carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
			dave := h.baresip(t, line{host: hostMobile, username: "dave", manual: true, plays: toneOfDave}).registered()
			erin := h.baresip(t, line{host: hostThird, username: "erin", manual: true, plays: toneOfErin}).registered()
			carol.do(carol.brand.dial, ourNumber)
			erin.expect(erin.brand.ringing)
			if tc.dave {
				dave.expect(dave.brand.ringing)
			}
			erin.do(erin.brand.accept)
			erin.hears(toneOfCarol)
			carol.hears(toneOfErin)
			if tc.dave {
				dave.expect(dave.brand.closed)
			}
			if n := len(dave.heard()); n != 0 {
				t.Errorf("Dave has heard %d bytes", n)
			}
			erin.do(erin.brand.hangUp)
			carol.expect(carol.brand.closed)
			h.expectPorts(t, 0)
			begins := carolCalls
			if tc.users != "" {
				begins = strings.Replace(begins, `"users":["Dave"],"userIds":["w3"],"fullUserIds":["5140894w3"]`, tc.users, 1)
			}
			a.expect(t, begins, answersAt(tc.answered, erinAnswers), answersAt(tc.answered, daveHangsUp))
		})
	}
}

// TestOfficialClientRejects has a telephone be told that we are busy, and hear
// nothing.
func TestOfficialClientRejects(t *testing.T) {
	t.Parallel()
	a := startNode(t, "reject")
	h := newHouseOf(t, askedOf(withDesk, a), nil)
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
	carol.do(carol.brand.dial, ourNumber)
	carol.expect(carol.brand.closed + " 486 Busy Here")
	if n := len(carol.heard()); n != 0 {
		t.Errorf("Carol has heard %d bytes", n)
	}
	h.expectPorts(t, 0)
	a.expect(t, carolCalls, `{"event":"hangup","cause":"busy",`+ofCarol+chain)
}

// TestOfficialClientMenuKeys has a telephone press what leads out of a menu in one
// call after the other: to the voicemail, to whom the number rings, and to the end.
func TestOfficialClientMenuKeys(t *testing.T) {
	t.Parallel()
	a := startNode(t, "menu", "ANNOUNCEMENT="+sounds(t)+"/440/60000.wav")
	config := strings.Replace(withDesk, `password: "pw-dave"`, `password: "pw-dave", greeting: "`+sounds(t)+`/520/800.wav"`, 1)
	h := newHouseOf(t, askedOf(config, a), nil)
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
	dave := h.baresip(t, line{host: hostMobile, username: "dave", plays: toneOfDave}).registered()
	pressed := "" // in all calls, the latest first
	before := 0
	choose := func(key string, told int) {
		a.told(t, told) // of the end of the call before
		before = len(carol.heard())
		carol.do(carol.brand.dial, ourNumber)
		carol.hears(440)
		carol.do(carol.brand.key, key)
		pressed = key + pressed
		eventually(t, func() string {
			if got := h.keys(); got != pressed {
				return fmt.Sprintf("the timelines have the keys %q, want %q", got, pressed)
			}
			return ""
		})
	}
	choose("2", 0)
	carol.hasHeard(before, 440, 520, beep)
	carol.do(carol.brand.hangUp)
	carol.expect(carol.brand.closed)
	if n := len(dave.heard()); n != 0 {
		t.Errorf("Dave has heard %d bytes of a call to the voicemail", n)
	}
	choose("9", 4)
	carol.hears(toneOfDave)
	dave.hears(toneOfCarol)
	dave.do(dave.brand.hangUp)
	carol.expect(carol.brand.closed)
	choose("0", 8)
	carol.expect(carol.brand.closed)
	h.expectPorts(t, 0)

	of := func(call, chain string, events ...string) (named []string) {
		for _, event := range events {
			named = append(named, strings.NewReplacer(`"A"`, `"`+call+`"`, `"X"`, `"`+chain+`"`).Replace(event))
		}
		return named
	}
	key := func(key string) string { return `{"event":"dtmf","callId":"A","dtmf":"` + key + `",` + chain }
	voicemailAnswers := `{"event":"answer",` + ofCarol + `"answeringNumber":"+4921100",` + byVoicemail
	want := of("A", "X", carolCalls, key("2"), voicemailAnswers, daveHangsUp)
	want = append(want, of("B", "Y", carolCalls, key("9"), daveAnswers, daveHangsUp)...)
	want = append(want, of("C", "Z", carolCalls, key("0"), `{"event":"hangup","cause":"noAnswer",`+ofCarol+chain)...)
	a.expect(t, want...)
}
