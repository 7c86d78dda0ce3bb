// SPDX-License-Identifier: MIT

package admin

import (
	"github.com/callwright/callwright/engine"
)

// kind is one sort of configured objects, with routes of its own.
type kind struct {
	// path is the name of the routes, and of the list in an answer.
	path string
	// name is that of engine.EntryID.
	name string
	// id is the field that names an object.
	id string
	// blank makes an object with an account, an id and the defaults.
	blank func(account, id string) engine.Entry
	// of picks the objects of the kind.
	of func(engine.Entries) []engine.Entry
}

// kinds are all of them.
func kinds() []kind {
	return []kind{
		{"accounts", engine.EntryAccount, "id",
			func(_, id string) engine.Entry { return engine.Account{ID: id} },
			func(e engine.Entries) []engine.Entry {
				return (&engine.Entries{Accounts: withDefault(e.Accounts)}).All()
			}},
		{"apps", engine.EntryApp, "key",
			// sipgate.io lets callers hear prompts before anybody answered.
			func(account, key string) engine.Entry {
				return engine.App{Key: key, Account: account, EarlyMedia: true}
			},
			func(e engine.Entries) []engine.Entry { return (&engine.Entries{Apps: e.Apps}).All() }},
		{"users", engine.EntryUser, "id",
			func(account, id string) engine.Entry { return engine.User{ID: id, Account: account} },
			func(e engine.Entries) []engine.Entry { return (&engine.Entries{Users: e.Users}).All() }},
		{"groups", engine.EntryGroup, "id",
			func(account, id string) engine.Entry { return engine.Group{ID: id, Account: account} },
			func(e engine.Entries) []engine.Entry { return (&engine.Entries{Groups: e.Groups}).All() }},
		{"numbers", engine.EntryNumber, "number",
			func(account, number string) engine.Entry { return engine.Number{Number: number, Account: account} },
			func(e engine.Entries) []engine.Entry { return (&engine.Entries{Numbers: e.Numbers}).All() }},
		{"trunks", engine.EntryTrunk, "name",
			func(account, name string) engine.Entry { return engine.Trunk{Name: name, Account: account} },
			func(e engine.Entries) []engine.Entry { return (&engine.Entries{Trunks: e.Trunks}).All() }},
		{"tokens", engine.EntryToken, "id",
			func(account, id string) engine.Entry { return engine.Token{ID: id, Account: account} },
			func(e engine.Entries) []engine.Entry { return (&engine.Entries{Tokens: e.Tokens}).All() }},
	}
}

// withDefault adds the account that is always there.
func withDefault(accounts []engine.Account) []engine.Account {
	for _, a := range accounts {
		if a.ID == engine.DefaultAccount {
			return accounts
		}
	}
	return append([]engine.Account{{ID: engine.DefaultAccount}}, accounts...)
}

// ownerOf gives the account that an object belongs to; an account's is empty.
func ownerOf(e engine.Entry) string {
	switch e := e.(type) {
	case engine.App:
		return e.Account
	case engine.User:
		return e.Account
	case engine.Group:
		return e.Account
	case engine.Number:
		return e.Account
	case engine.Trunk:
		return e.Account
	case engine.Token:
		return e.Account
	}
	return ""
}

// withoutSecret is an object as it may be shown.
func withoutSecret(e engine.Entry) engine.Entry {
	switch e := e.(type) {
	case engine.App:
		e.Secret = ""
		return e
	case engine.User:
		e.Password = ""
		return e
	case engine.Trunk:
		e.Password = ""
		return e
	case engine.Token:
		e.Secret = ""
		return e
	}
	return e
}

// keepSecret gives an object the secret of the old one, as long as there is
// somebody whose secret it is.
func keepSecret(e, old engine.Entry) engine.Entry {
	switch e := e.(type) {
	case engine.App:
		if old, ok := old.(engine.App); ok {
			e.Secret = old.Secret
		}
		return e
	case engine.User:
		if old, ok := old.(engine.User); ok && e.Username != "" {
			e.Password = old.Password
		}
		return e
	case engine.Trunk:
		if old, ok := old.(engine.Trunk); ok && e.Username != "" {
			e.Password = old.Password
		}
		return e
	case engine.Token:
		if old, ok := old.(engine.Token); ok {
			e.Secret = old.Secret
		}
		return e
	}
	return e
}
