// SPDX-License-Identifier: MIT

package directory

import (
	"cmp"
	"slices"
	"strings"
)

// MaxURL is how many characters a URL may have that an App is asked at, or that
// leads to sound. It stands on the timeline of each call.
const MaxURL = 2048

// mostWhitelisted is how many users and groups an App's whitelist may name.
const mostWhitelisted = 1000

// App is a customer's application.
type App struct {
	// Key names it, once on the whole server.
	Key     string `json:"key"`
	Account string `json:"account"`
	// Secret is what it shows to the APIs.
	Secret string `json:"secret,omitempty"`
	// Dialect names the language it speaks: "sipgate" today.
	Dialect string `json:"dialect"`
	// IncomingURL is asked about calls that come in, OutgoingURL about calls
	// that users make, FallbackURL when the other does not answer as it should.
	IncomingURL string `json:"incoming_url,omitempty"`
	OutgoingURL string `json:"outgoing_url,omitempty"`
	FallbackURL string `json:"fallback_url,omitempty"`
	// EarlyMedia says how sound is made before an answer: as early media (183)
	// when true, by answering (200) when false.
	EarlyMedia bool `json:"early_media"`
	// EmptyDTMF names the keys of a caller who pressed none, as an empty text. It
	// is for apps that want the field always: sipgate.io's documentation shows it
	// both empty and missing.
	EmptyDTMF bool `json:"empty_dtmf,omitempty"`
	// Headers are sent with every request to the App.
	Headers map[string]string `json:"headers,omitempty"`
	// EventsURL is told what happened that the vendor has no event for, unless a
	// document names another URL.
	EventsURL string `json:"events_url,omitempty"`
	// Whitelist names the users and groups (w0, g1, or p0 for w0) whose calls the
	// App is asked and told about; nil is all of them.
	Whitelist []string `json:"whitelist,omitzero"`
	// Unlogged keeps requests to the App out of the log that it may read.
	Unlogged bool `json:"unlogged,omitempty"`
}

// EntryID is that of Entry.
func (a App) EntryID() EntryID { return EntryID{EntryApp, "", a.Key} }

func (a App) check(dialects []string) *EntryError {
	name := a.EntryID()
	if e := name.named("key", "numbers name their app by it"); e != nil {
		return e
	}
	if !slices.Contains(dialects, a.Dialect) {
		return name.wrong("dialect", "has the dialect %q: this version speaks %s", a.Dialect, strings.Join(dialects, ", "))
	}
	for _, f := range []struct{ field, url string }{
		{"incoming_url", a.IncomingURL}, {"outgoing_url", a.OutgoingURL}, {"fallback_url", a.FallbackURL},
		{"events_url", a.EventsURL},
	} {
		if len(f.url) > MaxURL {
			return name.wrong(f.field, "has the %s %.100q…, which has %d characters: write at most %d", f.field, f.url, len(f.url), MaxURL)
		}
		if f.url != "" && !IsURL(f.url) {
			return name.wrong(f.field, "has the %s %q: write a whole URL, like https://example.com/calls", f.field, f.url)
		}
	}
	if n := len(a.Whitelist); n > mostWhitelisted {
		return name.wrong("whitelist", "names %d users and groups in its whitelist: name at most %d, or leave it out for all", n, mostWhitelisted)
	}
	for header, value := range a.Headers {
		if header == "" || strings.ContainsAny(header, " \t\r\n:") || strings.ContainsAny(value, "\r\n\x00") {
			return name.wrong("headers", "has the header %q: write a name without spaces and colons, and a value in one line", header)
		}
	}
	return nil
}

func (x *index) addApp(a App) *EntryError {
	a.Account = cmp.Or(a.Account, DefaultAccount)
	name := a.EntryID()
	if err := x.owner(name, a.Account); err != nil {
		return err
	}
	if _, twice := x.apps[a.Key]; twice {
		return name.taken("key", "is configured twice")
	}
	x.apps[a.Key] = a
	return nil
}

// mine sees that the account of an entry has an App of that key; every account
// has the one without.
func (x *index) mine(n EntryID, account, app string) *EntryError {
	if a, ok := x.apps[app]; app != "" && (!ok || a.Account != account) {
		return n.wrong("app", "names app %q, which is not configured", app)
	}
	return nil
}

// whitelists sees that an App is asked about users and groups that are there.
func (x *index) whitelists(a App) *EntryError {
	for _, id := range a.Whitelist {
		if !x.isParty(cmp.Or(a.Account, DefaultAccount), id) {
			return a.EntryID().wrong("whitelist", "names %q in its whitelist, which is no user or group of the account: write ids like w0, g1, or p0 for the user w0", id)
		}
	}
	return nil
}

// isParty says whether an account has what a whitelist names: a user, a group, or
// by its phone line (p0) the user w0.
func (x *index) isParty(account, id string) bool {
	line, ok := strings.CutPrefix(id, "p")
	_, user := x.users[key{account, id}]
	_, group := x.groups[key{account, id}]
	_, ofLine := x.users[key{account, "w" + line}]
	return user || group || ok && ofLine
}

// App finds an App by its key.
func (d *Directory) App(key string) (App, bool) {
	a, ok := d.now.Load().apps[key]
	return a, ok
}

// Listed says whether an App is asked and told about a call of these Users, that
// came to this Number or to none.
func (d *Directory) Listed(a App, users []User, n Number) bool {
	if a.Whitelist == nil {
		return true
	}
	parties := slices.Clone(n.Groups)
	for _, u := range slices.Concat(users, d.UsersOf(n)) {
		parties = append(parties, u.ID)
		if line, ok := strings.CutPrefix(u.ID, "w"); ok {
			parties = append(parties, "p"+line)
		}
	}
	return slices.ContainsFunc(a.Whitelist, func(id string) bool { return slices.Contains(parties, id) })
}
