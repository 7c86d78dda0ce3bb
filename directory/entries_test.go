// SPDX-License-Identifier: MIT

package directory_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
)

// Entries come out of Entries as they went in, and each that means nothing is
// complained about with its place among its kind.
func TestCheck(t *testing.T) {
	t.Parallel()
	all := []directory.Entry{
		directory.Account{ID: "acme"}, directory.App{Key: "shop", Dialect: "sipgate"}, directory.User{ID: "w0"}, directory.Group{ID: "g0"},
		directory.Number{Number: "100"}, directory.Trunk{Name: "carrier", Address: "192.0.2.1"},
		directory.Token{ID: "token-4x7Q2b", User: "w0", Secret: "d5f3a8a2-1c5e-4a0e-9c7b-2f1d3e4c5b6a"},
	}
	var sound directory.Entries
	sound.Add(all...)
	if diff := cmp.Diff(all, sound.All(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("they come out (-want +got):\n%s", diff)
	}
	if err := sound.Check([]string{"sipgate"}); err != nil {
		t.Errorf("entries without a fault: %v", err)
	}
	for want, wrong := range map[string]directory.Entry{
		`accounts[1] has no id`:                               directory.Account{},
		`app "a" has the dialect "latin"`:                     directory.App{Key: "a", Dialect: "latin"},
		`app "b" has the incoming_url "shop"`:                 directory.App{Key: "b", Dialect: "sipgate", IncomingURL: "shop"},
		`app "c" has the header "X Y"`:                        directory.App{Key: "c", Dialect: "sipgate", Headers: map[string]string{"X Y": "1"}},
		`user "u" has a username and no password`:             directory.User{ID: "u", Username: "u"},
		`user "u" has a password and no username`:             directory.User{ID: "u", Password: "u"},
		`user "u" has the username "u@h"`:                     directory.User{ID: "u", Username: "u@h", Password: "p"},
		`user "u" has a name with a line break`:               directory.User{ID: "u", Name: "U\nser"},
		`user "u" has the caller_id "me"`:                     directory.User{ID: "u", CallerID: "me"},
		`user "u" has the contact "sip:u@h;transport=pigeon"`: directory.User{ID: "u", Contact: "sip:u@h;transport=pigeon"},
		`user "u" has the dtmf "morse"`:                       directory.User{ID: "u", DTMF: "morse"},
		`groups[1] has no id`:                                 directory.Group{},
		`group "g\t" has a id with a control`:                 directory.Group{ID: "g\t"},
		`number "nobody" is no number`:                        directory.Number{Number: "nobody"},
		`numbers[1] has no number`:                            directory.Number{},
		`trunk "t" has neither an address`:                    directory.Trunk{Name: "t"},
		`trunk "t" has the address "a:99999"`:                 directory.Trunk{Name: "t", Address: "a:99999"},
		`trunk "t" has the address "[::1"`:                    directory.Trunk{Name: "t", Address: "[::1"},
		`trunk "t" has an empty network in allow_from`:        directory.Trunk{Name: "t", AllowFrom: []netip.Prefix{{}}},
		`trunk "t" shows the number "a b"`:                    directory.Trunk{Name: "t", Address: "a", From: "a b"},
		`trunk "t" has the srtp "perhaps"`:                    directory.Trunk{Name: "t", Address: "[::1]:5060", SRTP: "perhaps"},
		`token "token-1" has an id that clients refuse`:       directory.Token{ID: "token-1"},
		`user "u" has the contact "tel:1"`:                    directory.User{ID: "u", Contact: "tel:1"},
	} {
		var e directory.Entries
		e.Add(all...)
		e.Add(wrong)
		if err := e.Check([]string{"sipgate"}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
