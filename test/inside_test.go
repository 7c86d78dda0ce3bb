// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/peer"
)

// TestConversation has each side of a call in turn ask all that can be asked in
// the middle of one, while the other side talks on.
func TestConversation(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name           string
		caller, target phone
	}{
		{"the caller asks", phone{scenario: "caller-asks"}, phone{scenario: "target-answers"}},
		{"the caller asks over TCP", phone{scenario: "caller-asks", tcp: true}, phone{scenario: "target-answers"}},
		{"the target asks", phone{scenario: "caller-waits"}, phone{scenario: "target-asks"}},
		{"the target asks over TCP", phone{scenario: "caller-waits"}, phone{scenario: "target-asks", tcp: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHouseOf(t, trunkBy(tc.target.tcp), onCall(dialElsewhere))
			tc.caller.number = ourNumber
			target := h.target(t, tc.target)
			h.call(t, tc.caller)
			target.wait(t)
			h.expectRecords(t, "in +4921100 normal", "out +4915799912345 normal")
			h.expectPorts(t, 0)
		})
	}
}

// TestWaysOfCallers are the ways in which a caller may set up a call and go on.
func TestWaysOfCallers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, caller, target string }{
		{"it leaves the offer to us", "caller-offers-late", "target-answers"},
		{"it is behind a proxy and moves", "caller-moves", "target-hangs-up"},
		{"it hears sound before an answer", "caller-hears-early", "target-plays-early"},
		{"it acknowledges what comes early", "caller-acknowledges-early", "target-answers"},
		{"it keeps time", "caller-keeps-time", "target-answers"},
	} {
		for _, tcp := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TCP %t", tc.name, tcp), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, onCall(dialElsewhere))
				target := h.target(t, phone{scenario: tc.target})
				h.call(t, phone{scenario: tc.caller, number: ourNumber, tcp: tcp})
				target.wait(t)
				h.expectRecords(t, "in +4921100 normal", "out +4915799912345 normal")
				h.expectPorts(t, 0)
			})
		}
	}
}

// TestWaysOfTargets are the ways in which a target may take a call.
func TestWaysOfTargets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, target string }{
		{"it is behind a proxy and moves", "target-moves"},
		{"it sends sound before an answer", "target-plays-early"},
		{"it is two phones", "target-forks"},
		{"it repeats its answer", "target-repeats"},
		{"it wants its early sound acknowledged", "target-wants-acknowledgement"},
		{"it keeps time", "target-keeps-time"},
	} {
		for _, tcp := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TCP %t", tc.name, tcp), func(t *testing.T) {
				t.Parallel()
				h := newHouseOf(t, trunkBy(tcp), onCall(dialElsewhere))
				target := h.target(t, phone{scenario: tc.target, tcp: tcp})
				h.call(t, phone{scenario: "caller-hangs-up", number: ourNumber, values: map[string]string{"talk": "5000"}}) // what the target does takes a moment
				target.wait(t)
				h.expectRecords(t, "in +4921100 normal", "out +4915799912345 normal")
				h.expectPorts(t, 0)
			})
		}
	}
}

// trunkBy is the configuration, with a trunk that is reached by UDP or by TCP.
func trunkBy(tcp bool) string {
	if tcp {
		return strings.Replace(configuration, "transport=udp", "transport=tcp", 1)
	}
	return configuration
}

// TestCallerTypesByInfo has the keys that a caller sends by INFO reach the app.
func TestCallerTypesByInfo(t *testing.T) {
	t.Parallel()
	h := newHouseOf(t, strings.Replace(configuration, `incoming_url: "APP/"`, `incoming_url: "APP/", early_media: false`, 1), map[string]string{
		"newCall": `<Gather onData="APP/" maxDigits="2" timeout="20000"/>`,
		"dtmf":    `<Hangup/>`,
	})
	h.call(t, phone{scenario: "caller-types", number: ourNumber})
	told := ""
	for _, post := range h.app.last(t) {
		told += post.Get("dtmf")
	}
	if told != "12" {
		t.Errorf("the app was told %q, want 12", told)
	}
}

// TestOptions asks what is understood here, as carriers and load balancers do to
// see whether we are there; nobody else is told.
func TestOptions(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	for _, tcp := range []bool{false, true} {
		h.call(t, phone{scenario: "asks-options", number: "ping", tcp: tcp, values: map[string]string{"want": "Allow: .*UPDATE"}})
		h.call(t, phone{scenario: "asks-options", host: hostStranger, number: "ping", tcp: tcp, values: map[string]string{"status": "403"}})
	}
}

// TestIPv6 has all that can be asked in a call be asked at ::1, over UDP and TCP:
// of the signalling, and of the sound.
func TestIPv6(t *testing.T) {
	t.Parallel()
	peer.NeedIPv6(t)
	config := strings.NewReplacer(
		"udp://NETWORK.10:5060", "udp://[::1]:SERVER", "tcp://NETWORK.10:5060", "tcp://[::1]:SERVER",
		`listen: "NETWORK.10", ports`, `listen: "::1", ports`,
		"NETWORK.20:5060;transport=udp", "[::1]:CARRIER;transport=udp", "NETWORK.20/32", "::1/128",
	).Replace(configuration)
	h := newHouseOf(t, config, onCall(dialElsewhere))
	for _, tc := range []struct {
		caller, target string
		tcp            bool
	}{
		{"caller-asks", "target-answers", false},
		{"caller-asks", "target-answers", true},
		{"caller-moves", "target-hangs-up", true},
	} {
		target := h.target(t, phone{scenario: tc.target})
		h.call(t, phone{scenario: tc.caller, number: ourNumber, tcp: tc.tcp})
		target.wait(t)
	}
	h.expectRecords(t, slices.Repeat([]string{"in +4921100 normal", "out +4915799912345 normal"}, 3)...)
	h.expectPorts(t, 0)
}
