// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"strings"
	"testing"
)

// withTrunk is the configuration, with more settings of the trunk.
func withTrunk(settings string) string {
	return strings.Replace(configuration, "name: carrier, ", "name: carrier, "+settings+", ", 1)
}

// TestTrunkSees has the carrier look at what it is told of who calls.
func TestTrunkSees(t *testing.T) {
	t.Parallel()
	const anonymous = `<Dial anonymous="true"><Number>4915799912345</Number></Dial>`
	for _, tc := range []struct{ name, settings, verbs, want string }{
		{"the number in From", "identity: from", dialElsewhere, "From: .*sip:.492111234567@"},
		{"the number asserted", "identity: asserted", dialElsewhere, "From: .*sip:house@.*P-Asserted-Identity: .*sip:.492111234567@"},
		{"the number preferred", "identity: preferred", dialElsewhere, "From: .*sip:house@.*P-Preferred-Identity: .*sip:.492111234567@"},
		{"nobody", "identity: from", anonymous, "From: .*anonymous@anonymous.invalid.*Privacy: id"},
		{"a header of its own", `headers: {X-Tariff: "night"}`, dialElsewhere, "X-Tariff: night"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHouseOf(t, withTrunk(tc.settings), onCall(tc.verbs))
			target := h.target(t, phone{scenario: "target-sees", values: map[string]string{"want": tc.want}})
			h.call(t, phone{scenario: "caller-hangs-up", number: ourNumber})
			target.wait(t)
			h.expectRecords(t, "in +4921100 normal", "out +4915799912345 normal")
		})
	}
}

// TestTrunkRegisters registers with a carrier that asks for the password.
func TestTrunkRegisters(t *testing.T) {
	t.Parallel()
	for _, tcp := range []bool{false, true} {
		t.Run(fmt.Sprintf("TCP %t", tcp), func(t *testing.T) {
			t.Parallel()
			var carrier *running
			newHouseOf(t, strings.Replace(trunkBy(tcp), "name: carrier, ", "name: carrier, register: true, ", 1), nil, func(h *house) {
				carrier = h.target(t, phone{scenario: "target-registers", tcp: tcp})
			})
			carrier.wait(t)
		})
	}
}

// TestTrunkIsAsked asks a carrier again and again whether it is there.
func TestTrunkIsAsked(t *testing.T) {
	t.Parallel()
	h := newHouseOf(t, withTrunk("options: 1s"), nil)
	h.target(t, phone{scenario: "target-is-there", calls: 3}).wait(t)
}

// TestTrunkFails has a call go by another trunk when the first one does not take
// it, or is not there at all.
func TestTrunkFails(t *testing.T) {
	t.Parallel()
	spare := configuration + `  - {name: spare, address: "NETWORK.21:5060;transport=udp", priority: 1, allow_from: ["NETWORK.21/32"]}
`
	for _, first := range []string{"refuses", "is not there"} {
		t.Run(first, func(t *testing.T) {
			t.Parallel()
			h := newHouseOf(t, spare, onCall(dialElsewhere))
			target := h.target(t, phone{scenario: "target-answers", host: hostSpare})
			if first == "refuses" {
				carrier := h.target(t, phone{scenario: "target-is-full"})
				defer carrier.wait(t)
			}
			h.call(t, phone{scenario: "caller-hangs-up", number: ourNumber})
			target.wait(t)
			h.expectRecords(t, "in +4921100 normal", "out +4915799912345 normal")
			h.expectPorts(t, 0)
		})
	}
}
