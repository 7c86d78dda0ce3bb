// SPDX-License-Identifier: MIT

package directory

import "strings"

// key names an entry that exists once in an account.
type key struct{ account, id string }

// index is a Directory at one moment. It is never changed once it is made.
type index struct {
	accounts  map[string]Account
	apps      map[string]App
	users     map[key]User
	usernames map[string]User
	groups    map[key]Group
	exact     map[key]Number
	public    map[string]Number   // E.164 numbers of all accounts
	patterns  map[string][]Number // by account, longest prefix first
	trunks    []Trunk
	tokens    map[string]Token
}

func newIndex(e Entries) (*index, error) {
	x := &index{
		accounts: map[string]Account{DefaultAccount: {ID: DefaultAccount}}, apps: map[string]App{},
		users: map[key]User{}, usernames: map[string]User{}, groups: map[key]Group{},
		exact: map[key]Number{}, public: map[string]Number{}, patterns: map[string][]Number{},
		tokens: map[string]Token{},
	}
	for _, a := range e.Accounts {
		if _, twice := x.accounts[a.ID]; twice && a.ID != DefaultAccount {
			return nil, a.EntryID().taken("id", "is configured twice")
		}
		x.accounts[a.ID] = a
	}
	return x, firstOf(
		each(e.Apps, x.addApp), each(e.Users, x.addUser), each(e.Groups, x.addGroup),
		each(e.Numbers, x.addNumber), each(e.Trunks, x.addTrunk),
		each(e.Tokens, x.addToken), each(e.Apps, x.whitelists),
	)
}

// without sees that nobody else has the number of an emergency service: whoever
// dials it must reach that.
func (x *index) without(emergency []string) error {
	for _, n := range emergency {
		for k, number := range x.exact {
			if strings.TrimPrefix(k.id, "+") == n {
				return number.EntryID().taken("number", "is an emergency number (limits.emergency)")
			}
		}
		for k, user := range x.users {
			if k.id == n || user.Username == n {
				return user.EntryID().taken("id", "has an emergency number as its id or username (limits.emergency)")
			}
		}
		for k, group := range x.groups {
			if k.id == n {
				return group.EntryID().taken("id", "has an emergency number as its id (limits.emergency)")
			}
		}
		if err := x.urgentRules(n); err != nil {
			return err
		}
	}
	return nil
}

// commonEnds counts the bytes that a and b share from the front or from the
// back, whichever is more: numbers differ by a prefix or by an extension.
func commonEnds(a, b string) int {
	n := min(len(a), len(b))
	front, back := 0, 0
	for front < n && a[front] == b[front] {
		front++
	}
	for back < n && a[len(a)-1-back] == b[len(b)-1-back] {
		back++
	}
	return max(front, back)
}
