// SPDX-License-Identifier: MIT

package server_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/transport/sip/phone"
)

// What an app is told of the calls that a user makes: its number is the first that
// rings it, and whom it dialled is a number where there is one.
func TestCallsOutAsAnAppSeesThem(t *testing.T) {
	t.Parallel()
	for dialled, to := range map[string]string{"201": "201", "w1": "4921112399", "004921112399": "4921112399"} {
		t.Run(dialled, func(t *testing.T) {
			t.Parallel()
			app := newPushed(t)
			alice, bob := newPhone(t, "100"), newPhone(t, "201")
			s := start(t, "", func(c *config.Config) {
				c.Accounts = []config.Account{{ID: "1234567"}}
				c.Apps = []config.App{{Key: "out", Account: "1234567", Dialect: "sipgate", OutgoingURL: app.URL}}
				c.Trunks = nil
				c.Users = []config.User{
					{ID: "w0", Name: "Alice", Account: "1234567", Username: "100", Password: "secret", App: "out"},
					{ID: "w1", Name: "Bob", Account: "1234567", Username: "201", Password: "secret", Contact: bob.URI()},
				}
				c.Numbers = []config.Number{
					{Number: "+4921112345", Account: "1234567", Users: []string{"w0"}},
					{Number: "+4921112399", Account: "1234567", Users: []string{"w1"}},
				}
			})
			call, err := alice.Dial("sip:"+dialled+"@"+s.SIP.Addr("udp").String(), phone.CallOptions{Username: "100", Password: "secret"})
			if err != nil {
				t.Fatal(err)
			}
			rung, err := bob.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rung.Reject(486, "Busy Here")
			if _, err := call.WaitEnd(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := []string{
				fmt.Sprintf("event=newCall&direction=out&callId=A&origCallId=A&from=4921112345&to=%s&"+
					"user%%5B%%5D=Alice&userId%%5B%%5D=w0&fullUserId%%5B%%5D=1234567w0&xcid=X", to),
				fmt.Sprintf("event=hangup&cause=busy&callId=A&from=4921112345&to=%s&direction=out&origCallId=A&xcid=X", to),
			}
			if diff := cmp.Diff(want, app.events(t, len(want))); diff != "" {
				t.Errorf("the app was told (-want +got):\n%s", diff)
			}
		})
	}
}
