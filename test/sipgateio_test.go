// SPDX-License-Identifier: MIT

package test

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// askedOf is a configuration whose app is one on the official client.
func askedOf(configuration string, a *nodeApp) string {
	return strings.ReplaceAll(configuration, "APP/", a.url)
}

// Fields of the events of a call to our number as the client's handlers see them,
// where FROM stands for the caller, and newCall, the first of the events.
const (
	ofCall = `"callId":"A","from":"FROM","to":"+4921100","direction":"in",`
	chain  = `"originalCallId":"A","xcid":"X"}`
	// What our answer has besides: who it was.
	byUser      = `"originalCallId":"A","xcid":"X","answeredBy":"user"}`
	byNumber    = `"originalCallId":"A","xcid":"X","answeredBy":"external"}`
	byVoicemail = `"originalCallId":"A","xcid":"X","answeredBy":"voicemail"}`
	newCall     = `{"event":"newCall","direction":"in","callId":"A","originalCallId":"A","from":"FROM","to":"+4921100",` +
		`"users":["Alice","Bob"],"userIds":["w0","w1"],"fullUserIds":["5140894w0","5140894w1"],"xcid":"X"}`
)

// from fills in the caller.
func from(caller string, events ...string) []string {
	for i := range events {
		events[i] = strings.ReplaceAll(events[i], "FROM", caller)
	}
	return events
}

// TestOfficialClient runs apps on the official client, that hear nothing, and
// has somebody call from the carrier.
func TestOfficialClient(t *testing.T) {
	t.Parallel()
	anonymous := map[string]string{"status": "603", "headers": "P-Asserted-Identity: <sip:+492111234567@127.0.0.1>\nPrivacy: id\n"}
	tests := []struct {
		name, app string
		env       []string
		targets   []phone
		caller    phone
		records   []string
		from      string   // empty means +492111234567
		events    []string // after newCall
	}{
		{
			name: "reject", app: "reject",
			caller:  phone{scenario: "caller-refused", values: map[string]string{"status": "486"}},
			records: []string{"in +4921100 busy"},
			events:  []string{`{"event":"hangup","cause":"busy",` + ofCall + chain},
		},
		{
			name: "reject who hides his number", app: "reject",
			caller:  phone{scenario: "caller-refused", values: anonymous},
			from:    "anonymous",
			records: []string{"in +4921100 rejected"},
			events:  []string{`{"event":"hangup","cause":"noAnswer",` + ofCall + chain},
		},
		{
			name: "redirect", app: "redirect", env: []string{"CALLER_ID=+4921100"},
			targets: []phone{{scenario: "target-answers"}},
			caller:  phone{scenario: "caller-hangs-up"},
			records: []string{"in +4921100 normal", "out +4915799912345 normal"},
			events: []string{
				`{"event":"answer",` + ofCall + `"answeringNumber":"+4915799912345",` + byNumber,
				`{"event":"hangup","cause":"normalClearing",` + ofCall + `"answeringNumber":"+4915799912345",` + chain,
			},
		},
		{
			name: "redirect to who is busy", app: "redirect",
			targets: []phone{{scenario: "target-refuses", values: map[string]string{"status": "486"}}},
			caller:  phone{scenario: "caller-refused", values: map[string]string{"status": "486"}},
			records: []string{"in +4921100 busy", "out +4915799912345 busy"},
			events:  []string{`{"event":"hangup","cause":"busy",` + ofCall + chain},
		},
		{
			name: "redirect, and the caller gives up", app: "redirect",
			targets: []phone{{scenario: "target-rings"}},
			caller:  phone{scenario: "caller-cancels", values: map[string]string{"status": "180"}},
			records: []string{"in +4921100 cancelled", "out +4915799912345 cancelled"},
			events:  []string{`{"event":"hangup","cause":"cancel",` + ofCall + chain},
		},
		{
			name: "multi-redirect", app: "multi-redirect",
			targets: []phone{{scenario: "targets-race", calls: 2, values: map[string]string{"winner": "4915799967890"}}},
			caller:  phone{scenario: "caller-hangs-up"},
			records: []string{"in +4921100 normal", "out +4915799967890 normal", "out +4915799912345 answered-elsewhere"},
			events: []string{
				`{"event":"answer",` + ofCall + `"answeringNumber":"+4915799967890",` + byNumber,
				`{"event":"hangup","cause":"normalClearing",` + ofCall + `"answeringNumber":"+4915799967890",` + chain,
			},
		},
		{
			name: "a menu, and no key is pressed", app: "menu", env: []string{"ANNOUNCEMENT=SOUNDS/440/100.wav", "TIMEOUT=100"},
			caller:  phone{scenario: "caller-refused", values: map[string]string{"status": "603"}},
			records: []string{"in +4921100 rejected"},
			events:  append(slices.Repeat([]string{`{"event":"dtmf","callId":"A",` + chain}, 3), `{"event":"hangup","cause":"noAnswer",`+ofCall+chain),
		},
		{
			name: "play, and a user answers", app: "play", env: []string{"ANNOUNCEMENT=SOUNDS/440/100.wav"},
			targets: []phone{{scenario: "target-rings", host: hostAlice}, {scenario: "target-hangs-up", host: hostBob}},
			caller:  phone{scenario: "caller-waits"},
			records: []string{"in +4921100 normal", "out w0 answered-elsewhere", "out w1 normal"},
			events: []string{
				`{"event":"answer","callId":"A","user":"Bob","userId":"w1","fullUserId":"5140894w1",` + ofCall[len(`"callId":"A",`):] + `"answeringNumber":"+4921100",` + byUser,
				`{"event":"hangup","cause":"normalClearing",` + ofCall + `"answeringNumber":"+4921100",` + chain,
			},
		},
	}
	url := sounds(t)
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for i, set := range tc.env {
				tc.env[i] = strings.Replace(set, "SOUNDS", url, 1)
			}
			a := startNode(t, tc.app, tc.env...)
			h := newHouseOf(t, askedOf(configuration, a), nil)
			var targets []*running
			for _, p := range tc.targets {
				targets = append(targets, h.target(t, p))
			}
			tc.caller.number = ourNumber
			h.call(t, tc.caller)
			for _, target := range targets {
				target.wait(t)
			}
			h.expectRecords(t, tc.records...)
			h.expectPorts(t, 0)
			a.expect(t, from(cmp.Or(tc.from, "+492111234567"), append([]string{newCall}, tc.events...)...)...)
		})
	}
}

// TestOfficialClientShows has an app choose what the target sees of the caller. The
// client writes anonymous="undefined" where nothing is chosen.
func TestOfficialClientShows(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ env, want string }{
		{"CALLER_ID=+4921100", "<sip:+4921100@"},
		{"ANONYMOUS=true", "<sip:anonymous@anonymous.invalid>"},
		{"ANONYMOUS=", "<sip:+492111234567@"},
	} {
		t.Run(tc.env, func(t *testing.T) {
			t.Parallel()
			a := startNode(t, "redirect", tc.env)
			h := newHouseOf(t, askedOf(configuration, a), nil)
			target := h.target(t, phone{scenario: "target-answers"})
			h.call(t, phone{scenario: "caller-hangs-up", number: ourNumber})
			target.wait(t)
			shown := regexp.MustCompile(`(?m)^From: .*`).FindString(target.read("messages"))
			if !strings.Contains(shown, tc.want) {
				t.Errorf("the target sees %q, want %s", shown, tc.want)
			}
		})
	}
}

// TestOfficialClientManyUsers rings more users than the client takes for a list.
func TestOfficialClientManyUsers(t *testing.T) {
	t.Parallel()
	a := startNode(t, "voicemail")
	var users, ids, names []string
	for i := range 30 {
		id := fmt.Sprint("w", i)
		users, ids = append(users, fmt.Sprintf("  - {id: %s, name: %[1]s}\n", id)), append(ids, id)
		names = append(names, fmt.Sprintf("%q", id))
	}
	config := configuration[:strings.Index(configuration, "  - {id: w0")] + strings.Join(users, "") + configuration[strings.Index(configuration, "numbers:"):]
	h := newHouseOf(t, askedOf(strings.Replace(config, "[w0, w1]", "["+strings.Join(ids, ", ")+"]", 1), a), nil)
	h.call(t, phone{scenario: "caller-hangs-up", number: ourNumber})
	h.expectRecords(t, "in +4921100 normal")
	h.expectPorts(t, 0)
	if got, want := a.printed()[0], `"users":[`+strings.Join(names[:20], ",")+`],`; !strings.Contains(got, want) {
		t.Errorf("the app was told %s, want %s", got, want)
	}
}

// withDesk is a configuration of telephones, of which Dave's rings for the app's
// number.
const withDesk = `
admin: {token: "of the tests"}
http: {listen: "NETWORK.10:8080", public_url: "http://NETWORK.10:8080"}
sip: {listen: ["udp://NETWORK.10:5060", "tcp://NETWORK.10:5060"]}
media: {listen: "NETWORK.10", ports: "20000-20499"}
database: "sqlite:DIR/callwright.db"
data_dir: "DIR"
apps:
  - {key: desk, dialect: sipgate, incoming_url: "APP/"}
users:
  - {id: w2, name: Carol, username: carol, password: "pw-carol", caller_id: "+4921102"}
  - {id: w3, name: Dave, username: dave, password: "pw-dave"}
numbers:
  - {number: "+4921100", app: desk, users: [w3]}
  - {number: "+4921102", users: [w2]}
  - {number: "+4921103", users: [w3]}
`

// What the apps of withDesk are told when Carol calls.
const (
	ofCarol    = `"callId":"A","from":"+4921102","to":"+4921100","direction":"in",`
	carolCalls = `{"event":"newCall","direction":"in","callId":"A","originalCallId":"A","from":"+4921102","to":"+4921100",` +
		`"users":["Dave"],"userIds":["w3"],"fullUserIds":["5140894w3"],"xcid":"X"}`
	daveAnswers = `{"event":"answer","callId":"A","user":"Dave","userId":"w3","fullUserId":"5140894w3","from":"+4921102","to":"+4921100","direction":"in",` +
		`"answeringNumber":"+4921100",` + byUser
	daveHangsUp = `{"event":"hangup","cause":"normalClearing",` + ofCarol + `"answeringNumber":"+4921100",` + chain
)

// TestOfficialClientMenu has a telephone hear a menu and type into it.
func TestOfficialClientMenu(t *testing.T) {
	t.Parallel()
	a := startNode(t, "menu", "ANNOUNCEMENT="+sounds(t)+"/440/60000.wav", "SALES=+4921103")
	h := newHouseOf(t, askedOf(withDesk, a), nil)
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
	dave := h.linphone(t, line{host: hostMobile, username: "dave", plays: toneOfDave}).registered()
	carol.do(carol.brand.dial, ourNumber)
	carol.hears(440)
	carol.press(h, "5")
	carol.hears(440)
	carol.press(h, "51")
	dave.expect(dave.brand.established)
	carol.hears(toneOfDave)
	dave.hears(toneOfCarol)
	dave.do(dave.brand.hangUp)
	carol.expect(carol.brand.closed)
	h.expectPorts(t, 0)
	a.expect(t, carolCalls,
		`{"event":"dtmf","callId":"A","dtmf":"5",`+chain,
		`{"event":"dtmf","callId":"A","dtmf":"1",`+chain,
		answersAt("+4921103", daveAnswers), answersAt("+4921103", daveHangsUp))
}

// answersAt is an event of a call that was dialled at our number and picked up at
// another one.
func answersAt(number, event string) string {
	return strings.Replace(event, `"answeringNumber":"+4921100"`, `"answeringNumber":"`+number+`"`, 1)
}

// TestOfficialClientPlays has a telephone hear an announcement before another one
// rings.
func TestOfficialClientPlays(t *testing.T) {
	t.Parallel()
	a := startNode(t, "play", "ANNOUNCEMENT="+sounds(t)+"/440/3000.wav")
	h := newHouseOf(t, askedOf(withDesk, a), nil)
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered() // linphone records no early media
	dave := h.baresip(t, line{host: hostMobile, username: "dave", plays: toneOfDave, manual: true}).registered()
	carol.do(carol.brand.dial, ourNumber)
	carol.hears(440)
	dave.expect(dave.brand.ringing)
	dave.do(dave.brand.accept)
	carol.hears(toneOfDave)
	dave.hears(toneOfCarol)
	carol.do(carol.brand.hangUp)
	dave.expect(dave.brand.closed)
	h.expectPorts(t, 0)
	a.expect(t, carolCalls, daveAnswers, daveHangsUp)
}

// TestOfficialClientOutgoing has an app be asked about a call that Carol makes, and
// choose the number that is shown.
func TestOfficialClientOutgoing(t *testing.T) {
	t.Parallel()
	a := startNode(t, "outgoing", "CALLER_ID=+4921100")
	config := strings.NewReplacer(`incoming_url:`, `outgoing_url:`, `password: "pw-carol"`, `password: "pw-carol", app: desk`).Replace(withDesk) +
		"trunks:\n  - {name: carrier, address: \"NETWORK.20:5060;transport=udp\"}\n"
	h := newHouseOf(t, askedOf(config, a), nil)
	target := h.target(t, phone{scenario: "target-answers"})
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true}).registered()
	carol.do(carol.brand.dial, elsewhere)
	carol.expect(carol.brand.established)
	carol.do(carol.brand.hangUp)
	target.wait(t)
	if invite := target.read("messages"); !strings.Contains(invite, "<sip:+4921100@") {
		t.Errorf("the carrier is not shown +4921100:\n%s", invite)
	}
	h.expectPorts(t, 0)
	const out = `"callId":"A","from":"+4921102","to":"+4915799912345","direction":"out","answeringNumber":"+4915799912345",`
	a.expect(t,
		`{"event":"newCall","direction":"out","callId":"A","originalCallId":"A","from":"+4921102","to":"+4915799912345","users":["Carol"],"userIds":["w2"],"fullUserIds":["5140894w2"],"xcid":"X"}`,
		`{"event":"answer",`+out+byNumber, `{"event":"hangup","cause":"normalClearing",`+out+chain)
}
