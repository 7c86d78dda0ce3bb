// SPDX-License-Identifier: MIT

package directory

import "cmp"

// Group is several Users rung together.
type Group struct {
	ID      string   `json:"id"`
	Account string   `json:"account"`
	Name    string   `json:"name,omitempty"`
	Users   []string `json:"users,omitempty"`
}

// EntryID is that of Entry.
func (g Group) EntryID() EntryID { return EntryID{EntryGroup, g.Account, g.ID} }

func (g Group) check() *EntryError {
	return g.EntryID().named("id", "numbers name groups by it, like g0")
}

func (x *index) addGroup(g Group) *EntryError {
	g.Account = cmp.Or(g.Account, DefaultAccount)
	name := g.EntryID()
	if err := cmp.Or(x.owner(name, g.Account), x.areUsers(name, g.Account, g.Users)); err != nil {
		return err
	}
	k := key{g.Account, g.ID}
	if _, twice := x.groups[k]; twice {
		return name.taken("id", "is configured twice")
	}
	x.groups[k] = g
	return nil
}

// Members gives the Users of a group.
func (d *Directory) Members(account, group string) []User {
	now := d.now.Load()
	return now.usersNamed(account, now.groups[key{account, group}].Users)
}
