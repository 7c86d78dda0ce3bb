// SPDX-License-Identifier: MIT

package directory_test

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/directory"
)

func TestDirectory(t *testing.T) {
	t.Parallel()
	d, err := directory.New(directory.Entries{
		Apps:    []directory.App{{Key: "a"}},
		Users:   []directory.User{{ID: "w0"}, {ID: "w1"}, {ID: "w2"}},
		Groups:  []directory.Group{{ID: "g0", Users: []string{"w1", "w0", "w2"}}},
		Numbers: []directory.Number{{Number: "*"}, {Number: "4921*"}, {Number: "+49211*"}, {Number: "+49 (30) 1*"}, {Number: "+1202*"}, {Number: "12025*"}, {Number: "4921112345", Users: []string{"w1"}, Groups: []string{"g0"}}, {Number: "100"}},
		Trunks: []directory.Trunk{
			{Name: "in", AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
			{Name: "out", Address: "192.0.2.9:5060"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for dialled, want := range map[string]string{
		"+4921112345": "4921112345", "004921112345": "4921112345", "+4921199": "+49211*", "+492199999": "4921*", "+493012": "+49301*", "+12025550100": "12025*",
		"100": "100", "+1": "*", "alice": "*",
	} {
		got, ok := d.Number(directory.DefaultAccount, dialled)
		if want = strings.Replace(want, "4921112345", "+4921112345", 1); !ok || got.Number != want {
			t.Errorf("Number(%q) = %q, %t, want %q", dialled, got.Number, ok, want)
		}
	}
	n, _ := d.Number(directory.DefaultAccount, "+4921112345")
	var users []string
	for _, u := range d.UsersOf(n) {
		users = append(users, u.ID)
	}
	if !slices.Equal(users, []string{"w1", "w0", "w2"}) {
		t.Errorf("users %v, want each once, the number's own first", users)
	}
	if got := d.NearestNumber(directory.DefaultAccount, "4921112346"); got != "+4921112345" {
		t.Errorf("nearest to 4921112346 is %q", got)
	}
	if in, ok := d.TrunkFrom(netip.MustParseAddr("::ffff:192.0.2.7")); !ok || in.Name != "in" {
		t.Errorf("trunk from a mapped address: %q, %t", in.Name, ok)
	}
	if _, ok := d.TrunkFrom(netip.MustParseAddr("198.51.100.1")); ok {
		t.Error("a stranger came in by a trunk")
	}
	if out := d.TrunksOut(directory.DefaultAccount); len(out) == 0 || out[0].Name != "out" {
		t.Errorf("trunks out: %v", out)
	}
}

// What users dial means, in this order, a number of theirs, a user or group, a
// number of another account, a number somewhere.
func TestDialled(t *testing.T) {
	t.Parallel()
	d, err := directory.New(directory.Entries{
		Accounts: []directory.Account{{ID: "acme"}},
		Users:    []directory.User{{ID: "w0", Username: "100"}, {ID: "w1", Username: "200"}},
		Groups:   []directory.Group{{ID: "sales"}},
		Numbers:  []directory.Number{{Number: "100"}, {Number: "*"}, {Number: "+49301", Account: "acme"}, {Number: "+49212*"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for dialled, want := range map[string]struct {
		to     string
		kind   directory.AddressKind
		number string
		ok     bool
	}{
		"100": {"100", directory.KindNumber, "100", true}, "200": {"w1", directory.KindUser, "", true}, "w0": {"w0", directory.KindUser, "", true},
		"sales": {"sales", directory.KindGroup, "", true}, "004930 1": {"+49301", directory.KindNumber, "+49301", true},
		"+49 212 7": {"+492127", directory.KindNumber, "+49212*", true},
		"0211 99":   {"021199", directory.KindNumber, "", true}, "nobody": {"nobody", directory.KindNumber, "", false},
	} {
		to, number, ok := d.Dialled(directory.User{Account: directory.DefaultAccount}, dialled)
		if to.Value != want.to || to.Kind != want.kind || number.Number != want.number || ok != want.ok {
			t.Errorf("%q is %s %q, number %q, %t; want %+v", dialled, to.Kind, to.Value, number.Number, ok, want)
		}
	}
}

// What belongs to one account is not seen by another, but for its E.164 numbers,
// which anybody may call.
func TestAccountsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	e := directory.Entries{
		Accounts: []directory.Account{{ID: "acme"}, {ID: "emca"}},
		Apps:     []directory.App{{Key: "a", Account: "acme"}},
		Users: []directory.User{
			{ID: "w0", Account: "acme", Username: "alice", Name: "Alice"}, {ID: "w0", Account: "emca", Username: "bob", Name: "Bob"},
		},
		Groups: []directory.Group{{ID: "g0", Account: "acme", Users: []string{"w0"}}},
		Numbers: []directory.Number{
			{Number: "100", Account: "acme"}, {Number: "+49301", Account: "acme", Users: []string{"w0"}}, {Number: "2*", Account: "acme"},
		},
		Trunks: []directory.Trunk{{Name: "ours", Address: "192.0.2.1"}, {Name: "theirs", Account: "acme", Address: "192.0.2.2"}},
	}
	d, err := directory.New(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		account, dialled string
		number           bool
		party            string
	}{
		{"acme", "100", true, ""}, {"emca", "100", false, ""},
		{"acme", "200", true, ""}, {"emca", "200", false, ""},
		{"acme", "+49301", true, ""}, {"emca", "+49301", true, ""},
		{"acme", "alice", false, "Alice"}, {"emca", "alice", false, ""},
		{"acme", "w0", false, "Alice"}, {"emca", "w0", false, "Bob"},
		{"acme", "g0", false, "g0"}, {"emca", "g0", false, ""},
	} {
		if _, ok := d.Number(tt.account, tt.dialled); ok != tt.number {
			t.Errorf("%s dials %s: number %t, want %t", tt.account, tt.dialled, ok, tt.number)
		}
		party, ok := d.Party(tt.account, tt.dialled)
		if got := cmp.Or(party.Name, party.Value); got != tt.party || ok != (tt.party != "") {
			t.Errorf("%s dials %s: party %q, want %q", tt.account, tt.dialled, got, tt.party)
		}
	}
	for account, want := range map[string]string{"acme": "theirs", "emca": "ours", directory.DefaultAccount: "ours"} {
		if out := d.TrunksOut(account); len(out) == 0 || out[0].Name != want {
			t.Errorf("%s calls out by %v, want %q first", account, out, want)
		}
	}
	if got := d.NearestNumber("emca", "101"); got != "" {
		t.Errorf("emca is told of %q", got)
	}
	if u, _ := d.User("acme", "w0"); d.CallerID(u) != "+49301" {
		t.Errorf("Alice shows %q", d.CallerID(u))
	}

	e.Numbers = append(e.Numbers, directory.Number{Number: "+4940"})
	e.Trunks = nil
	if err := d.Replace(e); err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Number("emca", "+4940"); !ok {
		t.Error("a number that was added is not found")
	}
	if len(d.TrunksOut("acme")) > 0 {
		t.Error("a trunk that was taken away is still there")
	}
	if err := d.Replace(directory.Entries{Numbers: []directory.Number{{Number: "1", App: "gone"}}}); err == nil {
		t.Error("entries that name what is not there were taken")
	}
	if _, ok := d.Number("emca", "+4940"); !ok {
		t.Error("entries that were refused took the place of the old ones")
	}
}

func TestDirectoryComplains(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]directory.Entries{
		`app "a" is configured twice`:                      {Apps: []directory.App{{Key: "a"}, {Key: "a"}}},
		`user "u" is configured twice`:                     {Users: []directory.User{{ID: "u"}, {ID: "u"}}},
		`group "g" is configured twice`:                    {Groups: []directory.Group{{ID: "g"}, {ID: "g"}}},
		`group "g" names user "u"`:                         {Groups: []directory.Group{{ID: "g", Users: []string{"u"}}}},
		`number "1" names app "b"`:                         {Numbers: []directory.Number{{Number: "1", App: "b"}}},
		`number "1" names user "u"`:                        {Numbers: []directory.Number{{Number: "1", Users: []string{"u"}}}},
		`number "1" names group "g"`:                       {Numbers: []directory.Number{{Number: "1", Groups: []string{"g"}}}},
		`number "+4921112345" is configured twice`:         {Numbers: []directory.Number{{Number: "+4921112345"}, {Number: "4921112345"}}},
		`number "4*" is configured twice`:                  {Numbers: []directory.Number{{Number: "4*"}, {Number: "4*"}}},
		`account "a" is configured twice`:                  {Accounts: []directory.Account{{ID: "a"}, {ID: "a"}}},
		`user "u" names account "b"`:                       {Users: []directory.User{{ID: "u", Account: "b"}}},
		`user "u" names app "a"`:                           {Apps: []directory.App{{Key: "a"}}, Accounts: []directory.Account{{ID: "b"}}, Users: []directory.User{{ID: "u", Account: "b", App: "a"}}},
		`user "v" has the username "x", which user "u"`:    {Users: []directory.User{{ID: "u", Username: "x"}, {ID: "v", Username: "x"}}},
		`user "u" has the dtmf "morse"`:                    {Users: []directory.User{{ID: "u", DTMF: "morse"}}},
		`user "u" has the srtp "maybe": write off, allow`:  {Users: []directory.User{{ID: "u", SRTP: "maybe"}}},
		`trunk "t" has the srtp "on": write off, allow`:    {Trunks: []directory.Trunk{{Name: "t", Address: "a:1", SRTP: "on"}}},
		`number "+49301" is another account's already`:     {Accounts: []directory.Account{{ID: "b"}}, Numbers: []directory.Number{{Number: "+49301"}, {Number: "+49301", Account: "b"}}},
		`trunk "t" names app "b", which is not configured`: {Trunks: []directory.Trunk{{Name: "t", App: "b"}}},
	} {
		if _, err := directory.New(e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Nobody can have the number of an emergency service.
func TestEmergencyNumbersAreTaken(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]directory.Entries{
		`number "112" is an emergency number`: {Numbers: []directory.Number{{Number: "112"}}},
		`user "u" has an emergency number`:    {Users: []directory.User{{ID: "u", Username: "112"}}},
		`group "112" has an emergency number`: {Groups: []directory.Group{{ID: "112"}}},
	} {
		if _, err := directory.New(e, "1-1-2"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	d, err := directory.New(directory.Entries{Numbers: []directory.Number{{Number: "*"}}}, "1-1-2")
	if err != nil {
		t.Fatal(err)
	}
	for number, want := range map[string]bool{"112": true, "+112": true, "1 12": true, "1120": false, "110": false} {
		if got := d.Emergency(directory.NumberAddress(number)); got != want {
			t.Errorf("%s is an emergency: %t, want %t", number, got, want)
		}
	}
}

// Whoever follows a Directory learns of each change.
func TestDirectoryChanged(t *testing.T) {
	t.Parallel()
	d, err := directory.New(directory.Entries{})
	if err != nil {
		t.Fatal(err)
	}
	changed := d.Changed()
	if err := d.Replace(directory.Entries{Trunks: []directory.Trunk{{Name: "t"}}}); err != nil {
		t.Fatal(err)
	}
	<-changed
	if got, ok := d.Trunk(directory.DefaultAccount, "t"); !ok || got.Name != "t" || len(d.Trunks()) != 1 {
		t.Errorf("it holds %v", d.Trunks())
	}
	if _, ok := d.Trunk("acme", "t"); ok {
		t.Error("a trunk of nobody")
	}
	select {
	case <-d.Changed():
		t.Error("it changed once more")
	default:
	}
	if err := d.Replace(directory.Entries{Trunks: []directory.Trunk{{Name: "t", Account: "nobody"}}}); err == nil {
		t.Error("wrong entries were taken")
	}
	select {
	case <-d.Changed():
		t.Error("it changed by nothing")
	default:
	}
}
