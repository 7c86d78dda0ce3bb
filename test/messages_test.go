// SPDX-License-Identifier: MIT

package test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
)

// withVoicemail has a number whose callers leave messages for Dave.
var withVoicemail = strings.NewReplacer(`{number: "+4921100", app: menu}`, `{number: "+4921100", app: menu, users: [w3]}`,
	`password: "pw-dave"`, `password: "pw-dave", greeting_text: "Yes?"`).Replace(wanting("auto"))

// beep is the tone that callers speak behind, in hertz.
const beep = 1000

// toVoicemail has an app send callers there.
const toVoicemail = "<Dial><Voicemail/></Dial>"

// leaveMessage has a telephone that plays leave a message behind the tone.
func (p *telephone) leaveMessage(number string) {
	p.t.Helper()
	before := len(p.heard())
	p.do(p.brand.dial, number)
	p.expect(p.brand.established)
	p.hasHeard(before, beep)
	after := len(p.heard())
	eventually(p.t, func() string {
		if len(p.heard())-after < 2*16000 { // what is recorded of two seconds
			return "no two seconds have passed"
		}
		return ""
	})
	p.do(p.brand.hangUp)
	p.expect(p.brand.closed)
}

// shows waits until a baresip shows its user, Dave, how many messages wait.
func (p *telephone) shows(waiting, counts string) {
	p.t.Helper()
	p.tells("----- MWI for sip:dave@callwright.test -----\nMessages-Waiting: " + waiting +
		"\r\nMessage-Account: sip:dave@callwright.test\r\nVoice-Message: " + counts + " (0/0)")
}

// TestMessagesWait has telephones of one user told of a message that somebody
// leaves, and that it was heard: a baresip that subscribes, and a linphone, which
// cannot and is told all the same.
func TestMessagesWait(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ transport, via string }{{"udp", ""}, {"tcp", ""}, {"tls", ""}, {"udp", hostProxy}, {"tcp", hostProxy}} {
		t.Run(tc.transport+tc.via, func(t *testing.T) {
			t.Parallel()
			config := withVoicemail
			switch {
			case tc.via != "":
				config = strings.Replace(config, "sip: {", `sip: {proxies: ["NETWORK.50/32"], `, 1)
			case tc.transport == "tls":
				config = strings.Replace(config, `"tcp://NETWORK.10:5060"]`, `"tcp://NETWORK.10:5060", "tls://NETWORK.10:5061"], tls: {cert: "DIR/cert.pem", key: "DIR/key.pem"}`, 1)
			}
			h := newHouseOf(t, config, onCall(toVoicemail))
			if tc.via != "" {
				h.proxy(t, tc.transport, "udp")
			}
			carol := h.baresip(t, line{host: hostDesk, username: "carol", plays: toneOfCarol}).registered()
			asks := h.baresip(t, line{host: hostMobile, username: "dave", watches: true, transport: tc.transport, via: tc.via}).registered()
			silent := h.linphone(t, line{host: hostBob, username: "dave", transport: tc.transport, via: tc.via}).registered()
			asks.shows("no", "0/0")
			silent.tells("Voice-Message: 0/0 (0/0)")
			silent.tells("Message-Account: sip:dave@" + h.host(hostServer))
			carol.leaveMessage("+4921100")
			asks.shows("yes", "1/0")
			silent.tells("Voice-Message: 1/0 (0/0)")
			var list struct{ Recordings []struct{ ID string } }
			if err := h.get("/api/v1/recordings?kind=voicemail&box=w3", &list); err != nil || len(list.Recordings) != 1 {
				t.Fatalf("the messages are %+v, %v", list, err)
			}
			h.order(t, http.MethodPut, "/api/v1/recordings/"+list.Recordings[0].ID+"/heard", `{"heard": true}`)
			asks.shows("no", "0/1")
			silent.tells("Voice-Message: 0/1 (0/0)")
		})
	}
}

// TestSubscribes subscribes with sipp: to one's own messages, to those of others,
// and to something else.
func TestSubscribes(t *testing.T) {
	t.Parallel()
	h := newHouseOf(t, withVoicemail, nil)
	h.reasons = []string{`w2 wants to know of the messages of \"dave\"`, `it wants to watch the event \"presence\"`, "the username or the password is wrong"}
	for _, tcp := range []bool{false, true} {
		for _, tc := range []struct{ number, status, want, changed, value string }{
			{"carol", "200", "Expires: 300", "", ""},
			{"w2", "200", "Expires: 7200", "expires", "100000"},
			{"carol", "423", "Min-Expires: 60", "expires", "30"},
			{"carol", "489", "Allow-Events: message-summary", "event", "presence"},
			{"carol", "401", "WWW-Authenticate", "password", "wrong"},
			{"dave", "403", "Users Watch Only Their Own Box", "", ""},
		} {
			values := credentials("carol", "pw-carol", tc.status)
			maps.Copy(values, map[string]string{"event": "message-summary", "want": tc.want})
			if tc.changed != "" {
				values[tc.changed] = tc.value
			}
			h.call(t, phone{scenario: "watches", host: hostAlice, number: tc.number, tcp: tcp, values: values})
		}
	}
}
