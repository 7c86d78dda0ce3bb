// SPDX-License-Identifier: MIT

package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
)

// An app with a whitelist is asked about the calls of those that stand in it, told
// nothing of the others, and these go where the settings lead them.
func TestWhitelist(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		whitelist []string
		number    directory.Number
		caller    string // the user who calls out; else a call comes in
		asked     bool
	}{
		{"none", nil, directory.Number{Users: []string{"w1"}}, "", true},
		{"an empty one", []string{}, directory.Number{Users: []string{"w1"}}, "", false},
		{"a user", []string{"w9", "w1"}, directory.Number{Users: []string{"w0", "w1"}}, "", true},
		{"a user by the line", []string{"p1"}, directory.Number{Users: []string{"w1"}}, "", true},
		{"another user", []string{"w0"}, directory.Number{Users: []string{"w1"}}, "", false},
		{"a member of the group", []string{"w1"}, directory.Number{Groups: []string{"g0"}}, "", true},
		{"the group", []string{"g0"}, directory.Number{Groups: []string{"g0"}}, "", true},
		{"another group", []string{"g1"}, directory.Number{Groups: []string{"g0"}}, "", false},
		{"a number of nobody", []string{"w1"}, directory.Number{}, "", false},
		{"a call out", []string{"w1"}, directory.Number{}, "w1", true},
		{"a call out of another", []string{"w0"}, directory.Number{}, "w1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &phrase{missing: func(engine.Missing) engine.Program { return nil }}
				tt.number.Number, tt.number.App, tt.number.Account = "+4921112345", "app", directory.DefaultAccount
				e := directory.Entries{
					Apps:    []directory.App{{Key: "app", Dialect: "phrase", IncomingURL: "http://app/", EventsURL: "http://app/events"}},
					Users:   []directory.User{{ID: "w0", App: "app"}, {ID: "w1", App: "app"}, {ID: "w9"}},
					Groups:  []directory.Group{{ID: "g0", Users: []string{"w1"}}, {ID: "g1"}},
					Numbers: []directory.Number{tt.number},
				}
				e.Apps[0].Whitelist = tt.whitelist
				h := enginetest.New(t, e, map[string]engine.Dialect{"": p, "phrase": p})
				a := engine.Arrival{Account: directory.DefaultAccount, From: caller, To: called, Number: tt.number}
				if tt.caller != "" {
					a = engine.Arrival{Account: directory.DefaultAccount, To: outside, Caller: directory.User{ID: tt.caller, Account: directory.DefaultAccount, App: "app"}}
				}
				if _, err := h.Arrive(a); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if asked := len(h.App.Asked()) > 0; asked != tt.asked {
					t.Errorf("the app was asked %v", h.App.Asked())
				}
				said := false
				for _, e := range h.Journal.Events(h.Journal.Records()[0].ID, engine.EventRequest) {
					said = said || strings.Contains(e.Text, "its whitelist names no user or group of this call")
				}
				if said == tt.asked {
					t.Errorf("the timeline says why it was not asked: %v", said)
				}
				h.Close(t)
			})
		})
	}
}
