// SPDX-License-Identifier: MIT

package directory_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
)

// two are two accounts with users, numbers and trunks.
func two(t *testing.T) *directory.Directory {
	t.Helper()
	d, err := directory.New(directory.Entries{
		Accounts: []directory.Account{{ID: "acme"}},
		Apps:     []directory.App{{Key: "shop"}},
		Users: []directory.User{
			{ID: "w0", Name: "Alice", Username: "alice"}, {ID: "w1", Name: "Bob", Username: "bob", CallerID: "+49 40 1"}, {ID: "w2", Name: "Carol"},
			{ID: "w0", Account: "acme", Username: "dora"},
		},
		Groups: []directory.Group{{ID: "g0", Users: []string{"w1", "w2"}}},
		Numbers: []directory.Number{
			{Number: "+49301", Users: []string{"w0"}}, {Number: "+49300", Groups: []string{"g0"}}, {Number: "4921*"}, {Number: "*"},
			{Number: "+4989", Account: "acme"},
		},
		Trunks: []directory.Trunk{
			{Name: "near", AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/28")}},
			{Name: "far", Account: "acme", AllowFrom: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Whoever calls from inside reaches numbers of this server, and is to reach all
// others by a trunk, whatever pattern catches what comes from there.
func TestNumbersFromInside(t *testing.T) {
	t.Parallel()
	d := two(t)
	for dialled, want := range map[string]struct{ inside, own string }{
		"+49301": {"+49301", "+49301"}, "+492199": {"4921*", "4921*"}, "+4989": {"+4989", ""}, "+4933": {"", ""},
	} {
		inside, isInside := d.InsideNumber(directory.DefaultAccount, dialled)
		_, isOwn := d.OwnNumber(directory.DefaultAccount, dialled)
		if inside.Number != want.inside || isInside != (want.inside != "") || isOwn != (want.own != "") {
			t.Errorf("%s is %q, inside %t, own %t; want %+v", dialled, inside.Number, isInside, isOwn, want)
		}
	}
	for name, want := range map[string]bool{"4921*": true, "*": true, "+49301": true, "+4989": false, "+492199": false} {
		if n, ok := d.NumberNamed(directory.DefaultAccount, name); ok != want || ok && n.Number != name {
			t.Errorf("the number named %q is %q, %t", name, n.Number, ok)
		}
	}
	if got, want := d.NumbersOf(directory.DefaultAccount), []string{"+49300", "+49301", "4921*"}; !slices.Equal(got, want) {
		t.Errorf("the numbers are %q, want %q", got, want)
	}
}

// A user is shown to those it calls by its number, and called at it.
func TestUsersAsParties(t *testing.T) {
	t.Parallel()
	d := two(t)
	for id, number := range map[string]string{"w0": "+49301", "w1": "+49401", "w2": "+49300"} {
		u, _ := d.User(directory.DefaultAccount, id)
		want := directory.Address{Kind: directory.KindNumber, Value: number, Name: u.Name}
		if diff := cmp.Diff(want, d.Shown(u)); diff != "" {
			t.Errorf("%s is shown (-want +got):\n%s", id, diff)
		}
		want = directory.Address{Kind: directory.KindUser, Value: id, Name: u.Name, Number: number}
		if diff := cmp.Diff(want, d.AtOwnNumber(u)); diff != "" {
			t.Errorf("%s is called (-want +got):\n%s", id, diff)
		}
	}
	nobody, _ := d.User("acme", "w0")
	if shown := d.Shown(nobody); !shown.Same(nobody.Address()) || shown.Number != "" {
		t.Errorf("a user without a number is shown as %+v", shown)
	}
	if anonymous := directory.Anonymous(); anonymous.Same(anonymous) || anonymous.String() != "anonymous" {
		t.Error("two who withhold their numbers are one")
	}
}

// An app with a whitelist hears of those that stand in it: users, by their phone
// lines too, and groups that a number rings.
func TestListed(t *testing.T) {
	t.Parallel()
	d := two(t)
	alice, _ := d.User(directory.DefaultAccount, "w0")
	sales, _ := d.Number(directory.DefaultAccount, "+49300")
	for _, tt := range []struct {
		list   []string
		users  []directory.User
		number directory.Number
		want   bool
	}{
		{nil, nil, directory.Number{}, true},
		{[]string{}, []directory.User{alice}, sales, false},
		{[]string{"w0"}, []directory.User{alice}, directory.Number{}, true},
		{[]string{"p0"}, []directory.User{alice}, directory.Number{}, true},
		{[]string{"w0", "p0"}, nil, sales, false},
		{[]string{"g0"}, nil, sales, true},
		{[]string{"p2"}, nil, sales, true},
	} {
		if got := d.Listed(directory.App{Whitelist: tt.list}, tt.users, tt.number); got != tt.want {
			t.Errorf("%q lists users %v and number %q: %t, want %t", tt.list, tt.users, tt.number.Number, got, tt.want)
		}
	}
}

// Who is refused is told what comes nearest.
func TestNearest(t *testing.T) {
	t.Parallel()
	d := two(t)
	if got := d.NearestUsername("ALICIA"); got != "alice" {
		t.Errorf("nearest to ALICIA is %q", got)
	}
	if trunk, network, ok := d.NearestTrunk(netip.MustParseAddr("192.0.2.99")); !ok || trunk.Name != "near" || network.String() != "192.0.2.0/28" {
		t.Errorf("nearest to 192.0.2.99 is %q, %v, %t", trunk.Name, network, ok)
	}
	if trunk, _, ok := d.NearestTrunk(netip.MustParseAddr("2001:db8::1")); ok {
		t.Errorf("nearest of another family is %q", trunk.Name)
	}
	if got := d.Callers(); !slices.Equal(got, []string{"acme", "default"}) || !d.AnyCaller() {
		t.Errorf("callers are of %q", got)
	}
}
