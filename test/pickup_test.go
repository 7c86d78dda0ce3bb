// SPDX-License-Identifier: MIT

package test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPickup has Carol take a call that rings at Alice and Bob, by the place that
// Bob's phone has in it (RFC 3891): the app is told who it was.
func TestPickup(t *testing.T) {
	t.Parallel()
	events := startApp(t, "127.0.101.1", nil)
	config := strings.NewReplacer(`incoming_url: "APP/"`, `incoming_url: "APP/", events_url: "`+events.url+`/"`,
		"numbers:\n", `  - {id: w2, name: Carol, username: carol, password: "pw-carol"}`+"\nnumbers:\n").Replace(configuration)
	h := newHouseOf(t, config, onCall(""))
	alice := h.target(t, phone{scenario: "target-rings", host: hostAlice})
	bob := h.target(t, phone{scenario: "target-rings", host: hostBob})
	caller := h.start(t, phone{scenario: "caller-waits", number: ourNumber})
	var place []string // the dialog that Bob's phone has with us: Call-ID, our tag, its own
	eventually(t, func() string {
		rings := regexp.MustCompile(`(?s)SIP/2.0 180 .*?\nContact`).FindString(strings.ReplaceAll(bob.read("messages"), "\r", ""))
		place = nil
		for _, header := range []string{`Call-ID: (\S+)`, `From: .*;tag=(\S+)`, `To: .*;tag=(\S+)`} {
			if found := regexp.MustCompile(`(?m)^` + header).FindStringSubmatch(rings); found != nil {
				place = append(place, found[1])
			}
		}
		if len(place) != 3 {
			return "Bob's phone does not ring"
		}
		return ""
	})
	values := credentials("carol", "pw-carol", "")
	values["headers"] = "Replaces: " + place[0] + ";to-tag=" + place[1] + ";from-tag=" + place[2] + "\n"
	h.call(t, phone{scenario: "user-calls", host: hostDesk, number: "pickup", values: values})
	for _, ended := range []*running{alice, bob, caller} {
		ended.wait(t)
	}
	h.app.expect(t, "newCall", "answer 4921100 w2", "hangup normalClearing 4921100")
	eventually(t, func() string {
		var got []string
		for _, post := range events.all() {
			if got = append(got, describe(post)); post.Get("event") == "connected" && (post.Get("user") != "Carol" || post.Get("answeredBy") != "user") {
				t.Errorf("who is connected is %v", post)
			}
		}
		if len(got) > 1 && got[0] == "ringing w1" { // both ring at the same time
			got[0], got[1] = got[1], got[0]
		}
		return cmp.Diff([]string{"ringing w0", "ringing w1", "connected 4921100 w2"}, got)
	})
	h.expectPorts(t, 0)
}
