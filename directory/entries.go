// SPDX-License-Identifier: MIT

package directory

import (
	"fmt"
	"slices"
)

// Entries are what a Directory is made of. An entry that names no Account is
// DefaultAccount's, which is always there.
type Entries struct {
	Accounts []Account
	Apps     []App
	Users    []User
	Groups   []Group
	Numbers  []Number
	Trunks   []Trunk
	Tokens   []Token
}

// Add adds entries.
func (e *Entries) Add(entries ...Entry) {
	for _, one := range entries {
		switch one := one.(type) {
		case Account:
			e.Accounts = append(e.Accounts, one)
		case App:
			e.Apps = append(e.Apps, one)
		case User:
			e.Users = append(e.Users, one)
		case Group:
			e.Groups = append(e.Groups, one)
		case Number:
			e.Numbers = append(e.Numbers, one)
		case Trunk:
			e.Trunks = append(e.Trunks, one)
		case Token:
			e.Tokens = append(e.Tokens, one)
		}
	}
}

// All gives every entry, those that are named by others before these.
func (e *Entries) All() []Entry {
	return slices.Concat(entriesOf(e.Accounts), entriesOf(e.Apps), entriesOf(e.Users),
		entriesOf(e.Groups), entriesOf(e.Numbers), entriesOf(e.Trunks), entriesOf(e.Tokens))
}

func entriesOf[T Entry](list []T) []Entry {
	entries := make([]Entry, len(list))
	for i, one := range list {
		entries[i] = one
	}
	return entries
}

// Check sees that each entry means something by itself; whether they fit each
// other is known to New. Dialects are the languages that Apps may speak. The error is
// an *EntryError.
func (e Entries) Check(dialects []string) error {
	return firstOf(
		each(e.Accounts, Account.check), each(e.Apps, func(a App) *EntryError { return a.check(dialects) }),
		each(e.Users, User.check), each(e.Groups, Group.check), each(e.Numbers, Number.check), each(e.Trunks, Trunk.check),
		each(e.Tokens, Token.check),
	)
}

// each does something with all entries until one fails.
func each[T any](entries []T, do func(T) *EntryError) *EntryError {
	for i, e := range entries {
		if err := do(e); err != nil {
			err.Index = i
			return err
		}
	}
	return nil
}

// firstOf gives the first failure as an error.
func firstOf(failures ...*EntryError) error {
	for _, e := range failures {
		if e != nil {
			return e
		}
	}
	return nil
}

// Entry is one of the Entries: an Account, App, User, Group, Number, Trunk or
// Token.
type Entry interface{ EntryID() EntryID }

// EntryID names one of the Entries.
type EntryID struct {
	// Kind is one of the constants.
	Kind string
	// Account is empty for what exists once on the whole server: Accounts, Apps,
	// Tokens and E.164 Numbers.
	Account string
	// ID is an App's key, a Number's number, a Trunk's name.
	ID string
}

// String names the entry in a sentence: `app "shop"`.
func (id EntryID) String() string { return fmt.Sprintf("%s %q", id.Kind, id.ID) }

// The kinds of Entries.
const (
	EntryAccount = "account"
	EntryApp     = "app"
	EntryUser    = "user"
	EntryGroup   = "group"
	EntryNumber  = "number"
	EntryTrunk   = "trunk"
	EntryToken   = "token"
)
