// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/internal/peer"
)

// TestExtensions has an app say what it means, and more than one thing at a time:
// a text, a target that is rung for a while, another when that is busy, and events
// to a server of their own.
func TestExtensions(t *testing.T) {
	t.Parallel()
	peer.Need(t, "espeak-ng", "espeak-ng")
	events := startApp(t, "127.0.85.1", nil)
	config := strings.NewReplacer(`incoming_url: "APP/"`, `incoming_url: "APP/", events_url: "`+events.url+`/"`,
		"numbers:\n", "numbers:\n"+`  - {number: "+4921101", users: [w1]}
  - {number: "+4921102"}`+"\n").Replace(configuration)
	h := newHouseOf(t, config, map[string]string{
		"newCall": `<Say language="de-DE">Guten Tag</Say>
			<Dial timeout="20000" onNoAnswer="APP/"><Number timeout="10000">4915799912345</Number></Dial>`,
		"noAnswer": `<Say language="en-GB">One moment</Say><Dial><Number>+4921102</Number></Dial>
			<Say>Another</Say><Dial><Number delay="5000">+4921101</Number></Dial>`,
	})
	refuses := h.target(t, phone{scenario: "target-refuses", values: map[string]string{"status": "486"}})
	bob := h.target(t, phone{scenario: "target-hangs-up", host: hostBob})
	h.call(t, phone{scenario: "caller-waits", number: ourNumber})
	refuses.wait(t)
	bob.wait(t)
	h.app.expect(t, "newCall", "noAnswer busy", "answer 4921101 w1", "hangup normalClearing 4921101")
	want := []string{"ringing", "ringing w1", "connected 4921101 w1"}
	eventually(t, func() string {
		var got []string
		for _, post := range events.all() {
			got = append(got, describe(post))
		}
		return cmp.Diff(want, got)
	})
	said := h.told("prompt")
	for _, text := range []string{`say "Guten Tag" (speech:de-DE, `, `say "One moment" (speech:en-GB, `, `say "Another" (speech:en-US, `} {
		if !slices.ContainsFunc(said, func(line string) bool { return strings.HasPrefix(line, text) }) {
			t.Errorf("the timelines have no %s: %s", text, fmt.Sprint(said))
		}
	}
	h.expectPorts(t, 0)
}
