// SPDX-License-Identifier: MIT

package admin

import "github.com/callwright/callwright/directory"

// kind is one sort of configured objects, with routes of its own.
type kind struct {
	// path is the name of the routes, and of the list in an answer.
	path string
	// name is that of directory.EntryID.
	name string
	// id is the field that names an object.
	id string
	// blank makes an object with an account, an id and the defaults.
	blank func(account, id string) directory.Entry
	// of picks the objects of the kind.
	of func(directory.Entries) []directory.Entry
}

// kinds are all of them.
func kinds() []kind {
	return []kind{
		{"accounts", directory.EntryAccount, "id",
			func(_, id string) directory.Entry { return directory.Account{ID: id} },
			func(e directory.Entries) []directory.Entry {
				return (&directory.Entries{Accounts: withDefault(e.Accounts)}).All()
			}},
		{"apps", directory.EntryApp, "key",
			// sipgate.io lets callers hear prompts before anybody answered.
			func(account, key string) directory.Entry {
				return directory.App{Key: key, Account: account, EarlyMedia: true}
			},
			func(e directory.Entries) []directory.Entry { return (&directory.Entries{Apps: e.Apps}).All() }},
		{"users", directory.EntryUser, "id",
			func(account, id string) directory.Entry { return directory.User{ID: id, Account: account} },
			func(e directory.Entries) []directory.Entry { return (&directory.Entries{Users: e.Users}).All() }},
		{"groups", directory.EntryGroup, "id",
			func(account, id string) directory.Entry { return directory.Group{ID: id, Account: account} },
			func(e directory.Entries) []directory.Entry { return (&directory.Entries{Groups: e.Groups}).All() }},
		{"numbers", directory.EntryNumber, "number",
			func(account, number string) directory.Entry {
				return directory.Number{Number: number, Account: account}
			},
			func(e directory.Entries) []directory.Entry { return (&directory.Entries{Numbers: e.Numbers}).All() }},
		{"trunks", directory.EntryTrunk, "name",
			func(account, name string) directory.Entry { return directory.Trunk{Name: name, Account: account} },
			func(e directory.Entries) []directory.Entry { return (&directory.Entries{Trunks: e.Trunks}).All() }},
		{"tokens", directory.EntryToken, "id",
			func(account, id string) directory.Entry { return directory.Token{ID: id, Account: account} },
			func(e directory.Entries) []directory.Entry { return (&directory.Entries{Tokens: e.Tokens}).All() }},
	}
}

// withDefault adds the account that is always there.
func withDefault(accounts []directory.Account) []directory.Account {
	for _, a := range accounts {
		if a.ID == directory.DefaultAccount {
			return accounts
		}
	}
	return append([]directory.Account{{ID: directory.DefaultAccount}}, accounts...)
}

// ownerOf gives the account that an object belongs to; an account's is empty.
func ownerOf(e directory.Entry) string {
	switch e := e.(type) {
	case directory.App:
		return e.Account
	case directory.User:
		return e.Account
	case directory.Group:
		return e.Account
	case directory.Number:
		return e.Account
	case directory.Trunk:
		return e.Account
	case directory.Token:
		return e.Account
	}
	return ""
}

// withoutSecret is an object as it may be shown.
func withoutSecret(e directory.Entry) directory.Entry {
	switch e := e.(type) {
	case directory.App:
		e.Secret = ""
		return e
	case directory.User:
		e.Password = ""
		return e
	case directory.Trunk:
		e.Password = ""
		return e
	case directory.Token:
		e.Secret = ""
		return e
	}
	return e
}

// keepSecret gives an object the secret of the old one, as long as there is
// somebody whose secret it is.
func keepSecret(e, old directory.Entry) directory.Entry {
	switch e := e.(type) {
	case directory.App:
		if old, ok := old.(directory.App); ok {
			e.Secret = old.Secret
		}
		return e
	case directory.User:
		if old, ok := old.(directory.User); ok && e.Username != "" {
			e.Password = old.Password
		}
		return e
	case directory.Trunk:
		if old, ok := old.(directory.Trunk); ok && e.Username != "" {
			e.Password = old.Password
		}
		return e
	case directory.Token:
		if old, ok := old.(directory.Token); ok {
			e.Secret = old.Secret
		}
		return e
	}
	return e
}
