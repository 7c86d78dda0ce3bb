// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"slices"
	"strings"
)

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
	d := &index{
		accounts: map[string]Account{DefaultAccount: {ID: DefaultAccount}}, apps: map[string]App{},
		users: map[key]User{}, usernames: map[string]User{}, groups: map[key]Group{},
		exact: map[key]Number{}, public: map[string]Number{}, patterns: map[string][]Number{},
		tokens: map[string]Token{},
	}
	for _, a := range e.Accounts {
		if _, twice := d.accounts[a.ID]; twice && a.ID != DefaultAccount {
			return nil, a.EntryID().taken("id", "is configured twice")
		}
		d.accounts[a.ID] = a
	}
	return d, firstOf(
		each(e.Apps, d.addApp), each(e.Users, d.addUser), each(e.Groups, d.addGroup),
		each(e.Numbers, d.addNumber), each(e.Trunks, d.addTrunk),
		each(e.Tokens, d.addToken), each(e.Apps, d.whitelists),
	)
}

// without sees that nobody else has the number of an emergency service: whoever
// dials it must reach that.
func (d *index) without(emergency []string) error {
	for _, n := range emergency {
		for k, number := range d.exact {
			if strings.TrimPrefix(k.id, "+") == n {
				return number.EntryID().taken("number", "is an emergency number (limits.emergency)")
			}
		}
		for k, user := range d.users {
			if k.id == n || user.Username == n {
				return user.EntryID().taken("id", "has an emergency number as its id or username (limits.emergency)")
			}
		}
		for k, group := range d.groups {
			if k.id == n {
				return group.EntryID().taken("id", "has an emergency number as its id (limits.emergency)")
			}
		}
		if err := d.urgentRules(n); err != nil {
			return err
		}
	}
	return nil
}

// owner sees that the account of an entry is there.
func (d *index) owner(n EntryID, account string) *EntryError {
	if _, ok := d.accounts[account]; !ok {
		return n.wrong("account", "names account %q, which is not configured", account)
	}
	return nil
}

// mine sees that the account of an entry has an App of that key; every account
// has the one without.
func (d *index) mine(n EntryID, account, app string) *EntryError {
	if a, ok := d.apps[app]; app != "" && (!ok || a.Account != account) {
		return n.wrong("app", "names app %q, which is not configured", app)
	}
	return nil
}

// areUsers sees that ids are those of users of an entry's account.
func (d *index) areUsers(n EntryID, account string, ids []string) *EntryError {
	for _, id := range ids {
		if _, ok := d.users[key{account, id}]; !ok {
			return n.wrong("users", "names user %q, which is not configured", id)
		}
	}
	return nil
}

func (d *index) addApp(a App) *EntryError {
	a.Account = cmp.Or(a.Account, DefaultAccount)
	name := a.EntryID()
	if err := d.owner(name, a.Account); err != nil {
		return err
	}
	if _, twice := d.apps[a.Key]; twice {
		return name.taken("key", "is configured twice")
	}
	d.apps[a.Key] = a
	return nil
}

func (d *index) addUser(u User) *EntryError {
	u.Account = cmp.Or(u.Account, DefaultAccount)
	name := u.EntryID()
	if err := cmp.Or(d.owner(name, u.Account), d.mine(name, u.Account, u.App), name.dtmf(u.DTMF), name.srtp(u.SRTP)); err != nil {
		return err
	}
	k := key{u.Account, u.ID}
	if _, twice := d.users[k]; twice {
		return name.taken("id", "is configured twice")
	}
	if u.Username != "" {
		if other, twice := d.usernames[u.Username]; twice {
			return name.taken("username", "has the username %q, which user %q has already", u.Username, other.ID)
		}
		d.usernames[u.Username] = u
	}
	d.users[k] = u
	return nil
}

func (d *index) addGroup(g Group) *EntryError {
	g.Account = cmp.Or(g.Account, DefaultAccount)
	name := g.EntryID()
	if err := cmp.Or(d.owner(name, g.Account), d.areUsers(name, g.Account, g.Users)); err != nil {
		return err
	}
	k := key{g.Account, g.ID}
	if _, twice := d.groups[k]; twice {
		return name.taken("id", "is configured twice")
	}
	d.groups[k] = g
	return nil
}

func (d *index) addNumber(n Number) *EntryError {
	n.Account = cmp.Or(n.Account, DefaultAccount)
	name := n.EntryID()
	if err := cmp.Or(d.owner(name, n.Account), d.mine(name, n.Account, n.App), d.areUsers(name, n.Account, n.Users)); err != nil {
		return err
	}
	for _, id := range n.Groups {
		if _, ok := d.groups[key{n.Account, id}]; !ok {
			return name.wrong("groups", "names group %q, which is not configured", id)
		}
	}
	if strings.HasSuffix(n.Number, "*") {
		return d.addPattern(n)
	}
	n.Number = n.ID()
	k := key{n.Account, n.Number}
	_, twice := d.exact[k]
	_, elsewhere := d.public[n.Number]
	switch {
	case twice:
		return name.taken("number", "is configured twice")
	case elsewhere:
		return name.taken("number", "is another account's already")
	case n.public():
		d.public[n.Number] = n
	}
	d.exact[k] = n
	return nil
}

func (d *index) addPattern(n Number) *EntryError {
	name := n.EntryID()
	n.Number = n.ID()
	all := d.patterns[n.Account]
	if slices.ContainsFunc(all, func(p Number) bool { return p.Number == n.Number }) {
		return name.taken("number", "is configured twice")
	}
	all = append(all, n)
	digits := func(n Number) int { return len(strings.TrimPrefix(n.Number, "+")) }
	slices.SortStableFunc(all, func(a, b Number) int { return digits(b) - digits(a) })
	d.patterns[n.Account] = all
	return nil
}

func (d *index) addTrunk(t Trunk) *EntryError {
	t.Account = cmp.Or(t.Account, DefaultAccount)
	name := t.EntryID()
	if err := cmp.Or(d.owner(name, t.Account), d.mine(name, t.Account, t.App), name.dtmf(t.DTMF), name.srtp(t.SRTP)); err != nil {
		return err
	}
	if slices.ContainsFunc(d.trunks, func(o Trunk) bool { return o.Name == t.Name && o.Account == t.Account }) {
		return name.taken("name", "is configured twice")
	}
	d.trunks = append(d.trunks, t)
	return nil
}
