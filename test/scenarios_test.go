// SPDX-License-Identifier: MIT

package test

import (
	"crypto/md5"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The number that leads to the app, and one behind the trunk.
const (
	ourNumber = "+4921100"
	elsewhere = "+4915799912345"
)

const (
	dialElsewhere = "<Dial><Number>4915799912345</Number></Dial>"
	dialTwo       = "<Dial><Number>4915799912345</Number><Number>4915799967890</Number></Dial>"
)

// onCall is a script that answers newCall with some verbs.
func onCall(verbs string) map[string]string { return map[string]string{"newCall": verbs} }

func TestCallerHangsUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, onCall(dialElsewhere))
	target := h.target(t, phone{scenario: "target-answers"})
	caller := h.start(t, phone{scenario: "caller-hangs-up", number: ourNumber, values: map[string]string{"talk": "10000"}})
	h.expectPorts(t, 2)
	caller.wait(t)
	target.wait(t)
	h.app.expect(t, "newCall", "answer 4915799912345", "hangup normalClearing 4915799912345")
	h.expectRecords(t, "in +4921100 normal", "out +4915799912345 normal")
	h.expectPorts(t, 0)
}

func TestTargetHangsUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, onCall(dialElsewhere))
	target := h.target(t, phone{scenario: "target-hangs-up"})
	h.call(t, phone{scenario: "caller-waits", number: ourNumber})
	target.wait(t)
	h.app.expect(t, "newCall", "answer 4915799912345", "hangup normalClearing 4915799912345")
	h.expectRecords(t, "in +4921100 normal", "out +4915799912345 normal")
	h.expectPorts(t, 0)
}

func TestOverTCP(t *testing.T) {
	t.Parallel()
	h := newHouse(t, onCall(dialElsewhere))
	target := h.target(t, phone{scenario: "target-hangs-up"})
	h.call(t, phone{scenario: "caller-waits", number: ourNumber, tcp: true})
	target.wait(t)
	h.app.expect(t, "newCall", "answer 4915799912345", "hangup normalClearing 4915799912345")
	h.expectRecords(t, "in +4921100 normal", "out +4915799912345 normal")
	h.expectPorts(t, 0)
}

// TestTrunkWantsCredentials answers a challenge of the trunk.
func TestTrunkWantsCredentials(t *testing.T) {
	t.Parallel()
	h := newHouse(t, onCall(dialElsewhere))
	target := h.target(t, phone{scenario: "target-wants-credentials"})
	h.call(t, phone{scenario: "caller-hangs-up", number: ourNumber})
	target.wait(t)
	h.app.expect(t, "newCall", "answer 4915799912345", "hangup normalClearing 4915799912345")
	h.expectRecords(t, "in +4921100 normal", "out +4915799912345 normal")
	h.expectPorts(t, 0)

	// sipp's own verifyauth takes hardly any right answer for right, so the
	// answer is checked here (RFC 2617 section 3.2.2.1).
	sent := target.read("messages")
	field := func(name string) string {
		found := regexp.MustCompile(`Proxy-Authorization: Digest .*\b` + name + `="?([^",\s]+)`).FindStringSubmatch(sent)
		if found == nil {
			t.Fatalf("no %s in a Proxy-Authorization of\n%s", name, sent)
		}
		return found[1]
	}
	sum := func(parts ...string) string {
		return fmt.Sprintf("%x", md5.Sum([]byte(strings.Join(parts, ":"))))
	}
	want := sum(sum("house", "carrier.test", "s3cret"), "7b2f", field("nc"), field("cnonce"), "auth", sum("INVITE", field("uri")))
	if got := field("response"); got != want {
		t.Errorf("response = %s, want %s", got, want)
	}
}

// TestTrunkNeverBelieves shows credentials once, and not again to who does not
// take them.
func TestTrunkNeverBelieves(t *testing.T) {
	t.Parallel()
	h := newHouse(t, onCall(dialElsewhere))
	target := h.target(t, phone{scenario: "target-never-believes"})
	h.call(t, phone{scenario: "caller-refused", number: ourNumber, values: map[string]string{"status": "502"}})
	target.wait(t)
	h.expectRecords(t, "in +4921100 unreachable", "out +4915799912345 unreachable")
	if n := strings.Count(target.read("messages"), "\nINVITE sip:"); n != 2 {
		t.Errorf("the trunk was asked %d times, want 2", n)
	}
}

// TestRefusals are the calls that never have a second party.
func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, verbs, status string
		hangup, record      string
	}{
		{"rejected as busy", `<Reject reason="busy"/>`, "486", "hangup busy", "in +4921100 busy"},
		{"rejected", `<Reject/>`, "603", "hangup noAnswer", "in +4921100 rejected"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, onCall(tc.verbs))
			h.call(t, phone{scenario: "caller-refused", number: ourNumber, values: map[string]string{"status": tc.status}})
			h.app.expect(t, "newCall", tc.hangup)
			h.expectRecords(t, tc.record)
			h.expectPorts(t, 0)
		})
	}
}

// TestTargetRefuses passes on why the target did not take the call.
func TestTargetRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, status   string
		caller         string // the status that the caller gets
		hangup, record string
	}{
		{"busy", "486", "486", "hangup busy", "busy"},
		{"declined", "603", "603", "hangup noAnswer", "rejected"},
		{"not known", "404", "404", "hangup notFound", "not-found"},
		{"not there", "480", "480", "hangup noAnswer", "no-answer"},
		{"broken", "500", "502", "hangup congestion", "unreachable"},
		{"full", "503", "502", "hangup congestion", "unreachable"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, onCall(dialElsewhere))
			target := h.target(t, phone{scenario: "target-refuses", values: map[string]string{"status": tc.status}})
			h.call(t, phone{scenario: "caller-refused", number: ourNumber, values: map[string]string{"status": tc.caller}})
			target.wait(t)
			h.app.expect(t, "newCall", tc.hangup)
			h.expectRecords(t, "in +4921100 "+tc.record, "out +4915799912345 "+tc.record)
			h.expectPorts(t, 0)
		})
	}
}

func TestCallerCancelsWhileItRings(t *testing.T) {
	t.Parallel()
	h := newHouse(t, onCall(dialElsewhere))
	target := h.target(t, phone{scenario: "target-rings"})
	h.call(t, phone{scenario: "caller-cancels", number: ourNumber, values: map[string]string{"status": "180"}})
	target.wait(t)
	h.app.expect(t, "newCall", "hangup cancel")
	h.expectRecords(t, "in +4921100 cancelled", "out +4915799912345 cancelled")
	h.expectPorts(t, 0)
}

// TestCallerCancelsEarlyMedia gives up during a Gather before any answer.
func TestCallerCancelsEarlyMedia(t *testing.T) {
	t.Parallel()
	h := newHouse(t, onCall(`<Gather onData="APP/" timeout="30000"/>`))
	h.call(t, phone{scenario: "caller-cancels", number: ourNumber, values: map[string]string{"status": "183"}})
	h.app.expect(t, "newCall", "hangup cancel")
	h.expectRecords(t, "in +4921100 cancelled")
	h.expectPorts(t, 0)
}

// TestManyCancel has a hundred callers give up just when their prompt begins:
// whatever the crossing meets, each call is one that was cancelled.
func TestManyCancel(t *testing.T) {
	t.Parallel()
	const calls = 100
	h := newHouse(t, onCall(`<Gather onData="APP/" timeout="30000"><Play><Url>APP/prompt.wav</Url></Play></Gather>`))
	h.call(t, phone{scenario: "caller-cancels", number: ourNumber, calls: calls, values: map[string]string{"status": "183", "patience": "20"}})
	h.expectRecords(t, slices.Repeat([]string{"in +4921100 cancelled"}, calls)...)
	h.expectPorts(t, 0)
	h.app.expectMany(t, calls, "newCall", "hangup cancel")
}

// TestManyHangUpAtOnce has a hundred callers send BYE right behind the ACK.
func TestManyHangUpAtOnce(t *testing.T) {
	t.Parallel()
	const calls = 100
	h := newHouse(t, onCall(dialElsewhere))
	targets := h.target(t, phone{scenario: "target-answers", calls: calls})
	h.call(t, phone{scenario: "caller-hangs-up", number: ourNumber, calls: calls, values: map[string]string{"talk": "1"}})
	targets.wait(t)
	h.expectRecords(t, slices.Repeat([]string{"in +4921100 normal", "out +4915799912345 normal"}, calls)...)
	h.expectPorts(t, 0)
	h.app.expectMany(t, calls, "newCall", "answer 4915799912345", "hangup normalClearing 4915799912345")
}

// TestRepetitions has the network double and lose messages: one call comes of
// it, told once.
func TestRepetitions(t *testing.T) {
	t.Parallel()
	h := newHouse(t, onCall(dialElsewhere))
	target := h.target(t, phone{scenario: "target-answers"})
	h.app.slow = 400 * time.Millisecond
	h.call(t, phone{scenario: "caller-repeats", number: ourNumber, values: map[string]string{"t1": "50"}})
	target.wait(t)
	h.app.expect(t, "newCall", "answer 4915799912345", "hangup normalClearing 4915799912345")
	incoming := h.expectRecords(t, "in +4921100 normal", "out +4915799912345 normal")
	h.expectPorts(t, 0)
	// The second BYE comes when the timeline is complete, or nearly so.
	counts := map[string]int{}
	for _, r := range incoming {
		for _, e := range r.Timeline {
			for _, message := range []string{"<- INVITE", "-> 200 OK"} {
				if strings.HasPrefix(e.Text, message) {
					counts[message]++
				}
			}
		}
	}
	if counts["<- INVITE"] < 2 || counts["-> 200 OK"] < 3 {
		t.Errorf("the timeline does not show the repetitions: %v", counts)
	}
}

// TestTwoNumbers rings two numbers behind one trunk; the first to answer wins.
func TestTwoNumbers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, onCall(dialTwo))
	targets := h.target(t, phone{scenario: "targets-race", calls: 2, values: map[string]string{"winner": "4915799967890"}})
	h.call(t, phone{scenario: "caller-hangs-up", number: ourNumber})
	targets.wait(t)
	h.app.expect(t, "newCall", "answer 4915799967890", "hangup normalClearing 4915799967890")
	h.expectRecords(t, "in +4921100 normal", "out +4915799967890 normal", "out +4915799912345 answered-elsewhere")
	h.expectPorts(t, 0)
}

// TestPhoneRedirects follows a phone that says where else to call, as its user
// might dial: for the app it is a second call. A carrier that says so sends nobody elsewhere at our expense.
func TestPhoneRedirects(t *testing.T) {
	t.Parallel()
	elsewhere := map[string]string{"winner": elsewhere}
	config := strings.Replace(configuration, "users: [w0, w1]", "users: [w0]", 1)
	t.Run("a phone", func(t *testing.T) {
		t.Parallel()
		h := newHouseOf(t, config, onCall(""))
		alice := h.target(t, phone{scenario: "target-redirects", host: hostAlice, values: elsewhere})
		target := h.target(t, phone{scenario: "target-answers"})
		h.call(t, phone{scenario: "caller-hangs-up", number: ourNumber})
		alice.wait(t)
		target.wait(t)
		h.expectRecords(t, "in +4921100 forwarded", "out w0 forwarded", "in +4915799912345 normal", "out +4915799912345 normal")
		h.expectPorts(t, 0)
	})
	t.Run("a carrier", func(t *testing.T) {
		t.Parallel()
		h := newHouseOf(t, config, onCall(dialElsewhere))
		target := h.target(t, phone{scenario: "target-redirects", values: elsewhere})
		h.call(t, phone{scenario: "caller-refused", number: ourNumber, values: map[string]string{"status": "502"}})
		target.wait(t)
		h.expectRecords(t, "in +4921100 unreachable", "out +4915799912345 unreachable")
		h.expectPorts(t, 0)
	})
}

// TestTwoUsers has an app that leaves the call alone: the number's users ring,
// at two phones, and Bob is first.
func TestTwoUsers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, onCall(""))
	alice := h.target(t, phone{scenario: "target-rings", host: hostAlice})
	bob := h.target(t, phone{scenario: "target-hangs-up", host: hostBob})
	h.call(t, phone{scenario: "caller-waits", number: ourNumber})
	alice.wait(t)
	bob.wait(t)
	h.app.expect(t, "newCall", "answer 4921100 w1", "hangup normalClearing 4921100")
	h.expectRecords(t, "in +4921100 normal", "out w0 answered-elsewhere", "out w1 normal")
	h.expectPorts(t, 0)
}

// TestNotLetIn are the calls that never become one, or no more than a record;
// the app is not asked, and the log says why.
func TestNotLetIn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		phone  phone
		status string
		reason string // in the log
		cause  string // in the record
	}{
		{"unknown number", phone{number: "+4921199"}, "404", "+4921199", "not-found"},
		{"unknown source", phone{number: ourNumber, host: hostStranger}, "403", "allow_from", "forbidden"},
		{"unknown source over TCP", phone{number: ourNumber, host: hostStranger, tcp: true}, "403", "allow_from", "forbidden"},
		{"no codec in common", phone{number: ourNumber, values: map[string]string{"formats": "18 3"}}, "488", "codec", "no-codec"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, onCall("<Hangup/>"))
			h.reasons = []string{tc.reason}
			p := tc.phone
			p.scenario = "caller-refused"
			if p.values == nil {
				p.values = map[string]string{}
			}
			p.values["status"] = tc.status
			h.call(t, p)
			h.expectRecords(t, "in "+p.number+" "+tc.cause)
			h.expectPorts(t, 0)
			if posts := h.app.all(); len(posts) != 0 {
				t.Errorf("the app was told %v", posts)
			}
		})
	}
}
