// SPDX-License-Identifier: MIT

package test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestOfficialClientControls has Dave's console do to his conversation with Carol
// what the client's module can, but transfer it. Nobody of another account can.
func TestOfficialClientControls(t *testing.T) {
	t.Parallel()
	a := startNode(t, "voicemail", "OPEN=true")
	events := startApp(t, "127.0.101.2", nil)
	config := strings.Replace(withStrangers(withTokens), `incoming_url: "APP/"`, `incoming_url: "APP/", events_url: "`+events.url+`/"`, 1)
	h := newHouseOf(t, askedOf(config, a), nil)
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
	dave := h.baresip(t, line{host: hostMobile, username: "dave", plays: toneOfDave}).registered()
	c := h.console(t)
	c.talks(0)
	carol.do(carol.brand.dial, ourNumber)
	carol.hears(toneOfDave)
	established := c.talks(1)[0]
	id := call{established.CallID}
	want := talk{CallID: id.CallID, Participants: []participant{{PhoneNumber: "+4921102"}, {PhoneNumber: "+4921100", Owner: true}}}
	if diff := cmp.Diff(want, established, cmpopts.IgnoreFields(participant{}, "ParticipantID")); diff != "" {
		t.Errorf("the established call, -want +got:\n%s", diff)
	}
	h.foreign(t, id.CallID)

	c.done("rtcm.mute", id, true)
	if now := c.talks(1)[0]; !now.Muted || !now.Participants[1].Muted || now.Participants[0].Muted {
		t.Errorf("a call whose owner is muted is %+v", now)
	}
	carol.hearsNoMore(toneOfDave)
	dave.hears(toneOfCarol)
	c.done("rtcm.mute", id, false)
	carol.hears(toneOfDave)

	c.done("rtcm.hold", id, true)
	carol.hearsNoMore(toneOfDave)
	dave.hearsNoMore(toneOfCarol)
	c.done("rtcm.hold", id, false)
	carol.hears(toneOfDave)
	dave.hears(toneOfCarol)

	carolBefore, daveBefore := len(carol.heard()), len(dave.heard())
	c.done("rtcm.announce", id, sounds(t)+"/440/3000.wav")
	carol.hasHeard(carolBefore, 440)
	dave.hasHeard(daveBefore, 440)
	carol.hears(toneOfDave)
	dave.hears(toneOfCarol)

	c.done("rtcm.sendDTMF", id, "5#")
	for _, key := range []string{"5", "#"} {
		carol.expect(carol.brand.keyHeard, key)
	}
	for _, key := range []string{"5", "#"} {
		dave.expect(dave.brand.keyHeard, key)
	}

	c.done("rtcm.record", id, map[string]bool{"value": true, "announcement": true})
	for _, hz := range []int{toneOfCarol, toneOfDave} {
		eventually(t, func() string { return holds(h.dir, hz) })
	}
	if now := c.talks(1)[0]; !now.Recording || now.Muted || now.Hold {
		t.Errorf("a call that is recorded is %+v", now)
	}
	c.done("rtcm.record", id, map[string]bool{"value": false, "announcement": false})

	c.says(`{"error":"The requested Call could not be found"}`, "rtcm.hangUp", call{"01A1FF933CF37D378A308302E02F0B70"})
	c.says(`{"error":"The requested Call could not be found"}`, "rtcm.mute", call{"nothing"}, true)
	c.says(`{"error":"Request failed with status code 400"}`, "rtcm.announce", id, a.url)

	dave.do(dave.brand.hangUp)
	carol.expect(carol.brand.closed)
	c.talks(0)
	h.expectPorts(t, 0)
	a.expect(t, carolCalls, daveAnswers, daveHangsUp)

	h.foreign(t, id.CallID)
	c.recorded(id, events, toneOfCarol, toneOfDave)
}

// recorded sees that a call with two tones was recorded once, that the app was told,
// and that what it was told and what the history has lead to the same sound.
func (c *console) recorded(id call, events *app, tones ...int) {
	c.t.Helper()
	var told url.Values
	eventually(c.t, func() string {
		for _, post := range events.all() {
			if post.Get("event") == "recording" {
				told = post
				return ""
			}
		}
		return "the app is not told of the recording"
	})
	calls := c.history("CALL")
	if len(calls) != 1 || calls[0].CallID != id.CallID || calls[0].Source != "+4921102" || len(calls[0].Recordings) != 1 {
		c.t.Fatalf("the calls in the history are %+v, want one with a recording", calls)
	}
	kept := calls[0].Recordings[0]
	if seconds, err := strconv.ParseFloat(told.Get("duration"), 64); err != nil || seconds < 2 ||
		told.Get("callId") != id.CallID || told.Get("to") != "4921100" || told.Get("recordingId") != kept.ID {
		c.t.Errorf("the app is told of the recording %v, want %s of some seconds", told, kept.ID)
	}
	for _, url := range []string{kept.URL, told.Get("url")} {
		conversation := download(c.t, url)
		for _, hz := range tones {
			if complaint := has(conversation, hz); complaint != "" {
				c.t.Error(complaint)
			}
		}
	}
}
