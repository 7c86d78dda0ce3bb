// SPDX-License-Identifier: MIT

package test

import (
	"strings"
	"testing"
)

// TestCarelessApps has apps on the official client fail in all the ways that it
// makes easy. None disturbs the call: the number's users ring, and Bob answers.
func TestCarelessApps(t *testing.T) {
	t.Parallel()
	const (
		impatient = "webhooks: {timeout: 500ms}\n"
		fromThem  = `incoming_url: "APP/", headers: {X-Forwarded-For: "212.9.46.32"}`
	)
	bobHangsUp := `{"event":"hangup","cause":"normalClearing",` + ofCall + `"answeringNumber":"+4921100",` + chain
	tests := []struct {
		name, fault string
		config      string // replaces the app's URL, or is put before everything
		dies        bool
		events      []string
	}{
		{name: "it throws", fault: "throw", dies: true, events: []string{newCall}},
		{name: "it rejects", fault: "reject", dies: true, events: []string{newCall}},
		{name: "it exits", fault: "exit", dies: true, events: []string{newCall}},
		{name: "it plays what is not there", fault: "play", dies: true, events: []string{newCall}},
		{name: "it does not answer", fault: "sleep", config: impatient, events: []string{newCall}},
		{name: "it has no handler of keys", fault: "gather", events: []string{newCall, bobHangsUp}},
		{name: "it redirects to nobody", fault: "redirect", events: []string{newCall, bobHangsUp}},
		{name: "it believes nobody but sipgate", fault: "verify"},
		{name: "it wants a signature of sipgate", fault: "verify", config: fromThem},
		{name: "it throws when it is told of the answer", fault: "later-throw", dies: true, events: []string{newCall}},
		{name: "it never answers what it is told", fault: "later-sleep", config: impatient, events: []string{newCall}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := startNode(t, "careless", "FAULT="+tc.fault)
			config := configuration
			if tc.config == impatient {
				config = impatient + config
			} else if tc.config != "" {
				config = strings.Replace(config, `incoming_url: "APP/"`, tc.config, 1)
			}
			h := newHouseOf(t, askedOf(config, a), nil)
			alice := h.target(t, phone{scenario: "target-rings", host: hostAlice})
			bob := h.target(t, phone{scenario: "target-hangs-up", host: hostBob})
			h.call(t, phone{scenario: "caller-waits", number: ourNumber})
			alice.wait(t)
			bob.wait(t)
			h.expectRecords(t, "in +4921100 normal", "out w0 answered-elsewhere", "out w1 normal")
			h.expectPorts(t, 0)
			a.expect(t, from("+492111234567", tc.events...)...)
			if tc.dies {
				a.died(t)
			}
		})
	}
}
