// SPDX-License-Identifier: MIT

package engine_test

import (
	"testing"
	"testing/synctest"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs"
)

// Which number a user's call shows: Dial's, else the user's own, else the first
// that rings it; and none if it or the app wishes so.
func TestCallerIDOut(t *testing.T) {
	t.Parallel()
	own, foreign := directory.NumberAddress("+4921112345"), directory.NumberAddress("+12025550100")
	block := directory.NumberAddress("+4930777123")
	yes, no := true, false
	const complaint = "+12025550100 is no number of the account, and the call is shown as +4921112345 instead: " +
		"write one of its numbers (it has +4921112345, +4930777*)"
	for _, tt := range []struct {
		name      string
		callerID  string // of the user
		dial      verbs.Dial
		withheld  bool
		ownOnly   bool
		shown     string
		complaint string
	}{
		{"the first number that rings it", "", verbs.Dial{}, false, false, own.Value, ""},
		{"its own", "+4930888", verbs.Dial{}, false, false, "+4930888", ""},
		{"the app's", "+4930888", verbs.Dial{CallerID: &foreign}, false, false, foreign.Value, ""},
		{"the app's, which must be ours, and is", "+4930888", verbs.Dial{CallerID: &own}, false, true, own.Value, ""},
		{"the app's, of a block of ours", "", verbs.Dial{CallerID: &block}, false, true, block.Value, ""},
		{"the app's, which must be ours, and is not", "", verbs.Dial{CallerID: &foreign}, false, true, own.Value, complaint},
		{"withheld by the app", "", verbs.Dial{Anonymous: &yes, CallerID: &own}, false, false, "anonymous", ""},
		{"withheld by the user", "", verbs.Dial{}, true, false, "anonymous", ""},
		{"withheld by the user, shown by the app", "", verbs.Dial{Anonymous: &no}, true, false, own.Value, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tt.dial.Targets = []engine.Target{{Address: outside}}
				p := &phrase{programs: []engine.Program{{tt.dial}}}
				u := directory.User{ID: "w1", Account: directory.DefaultAccount, CallerID: tt.callerID}
				e := entries
				e.Users = []directory.User{u}
				e.Numbers = []directory.Number{{Number: own.Value, Users: []string{"w1"}}, {Number: "+4930777*"}, {Number: "*"}}
				h := enginetest.New(t, e, map[string]engine.Dialect{"": p, "phrase": p},
					func(c *engine.Config) { c.Limits.OwnCallerIDs = tt.ownOnly })
				h.Target(outside.Value, pickUp)
				from := u.Address()
				if tt.withheld {
					from = directory.Anonymous()
				}
				u.App = "app"
				leg, err := h.Arrive(engine.Arrival{Account: u.Account, Caller: u, From: from, To: outside})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				leg.HangUp()
				synctest.Wait()
				equal(t, "shown", h.Dialled()[0].Request.From.String(), tt.shown)
				got := ""
				for _, e := range h.Journal.Events(h.Journal.Records()[0].ID, engine.EventProblem) {
					got += e.Data.Problem.Sentence
				}
				equal(t, "complaint", got, tt.complaint)
				h.Close(t)
			})
		})
	}
}
