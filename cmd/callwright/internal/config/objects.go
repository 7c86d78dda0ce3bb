// SPDX-License-Identifier: MIT

package config

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// Objects are what belongs to accounts. The admin API can change them, too.
type Objects struct {
	Accounts []Account `koanf:"accounts"`
	Apps     []App     `koanf:"apps"`
	Users    []User    `koanf:"users"`
	Groups   []Group   `koanf:"groups"`
	Numbers  []Number  `koanf:"numbers"`
	Trunks   []Trunk   `koanf:"trunks"`
	Tokens   []Token   `koanf:"tokens"`
}

// Account is a tenant. What names no account belongs to the one that is always
// there, "default".
type Account struct {
	ID   string `koanf:"id"`
	Name string `koanf:"name"`
}

// App is a customer's application.
type App struct {
	Key         string `koanf:"key"`
	Account     string `koanf:"account"`
	Secret      string `koanf:"secret"`
	Dialect     string `koanf:"dialect"`
	IncomingURL string `koanf:"incoming_url"`
	OutgoingURL string `koanf:"outgoing_url"`
	FallbackURL string `koanf:"fallback_url"`
	EarlyMedia  *bool  `koanf:"early_media"`
	// EmptyDTMF sends the field of keys also when none was pressed.
	EmptyDTMF bool              `koanf:"empty_dtmf"`
	Headers   map[string]string `koanf:"headers"`
	// EventsURL is told what the vendor has no event for.
	EventsURL string `koanf:"events_url"`
	// Whitelist names the users and groups whose calls it is asked about.
	Whitelist []string `koanf:"whitelist"`
	// Unlogged keeps requests out of the log that the app may read.
	Unlogged    bool `koanf:"unlogged"`
	AccountSID  any  `koanf:"account_sid" later:"yes"`
	Delivery    any  `koanf:"delivery" later:"yes"`
	Certificate any  `koanf:"certificate" later:"yes"`
}

// User is somebody who can be rung, and call.
type User struct {
	ID      string `koanf:"id"`
	Account string `koanf:"account"`
	Name    string `koanf:"name"`
	// Username and Password are what its phones register and call with.
	Username string `koanf:"username"`
	Password string `koanf:"password"`
	// App is asked about calls that the user makes.
	App string `koanf:"app"`
	// CallerID is the number that the user shows; empty takes the first that
	// rings it.
	CallerID string `koanf:"caller_id"`
	// Contact is the SIP URI of a phone that does not register.
	Contact string `koanf:"contact"`
	// DTMF is how keys are sent to its phones: auto, info or inband.
	DTMF string `koanf:"dtmf"`
	// SRTP is whether their sound is encrypted: off, allow or require.
	SRTP  string `koanf:"srtp"`
	Email string `koanf:"email"`
	// Language, Greeting and GreetingText are what callers of its voicemail hear.
	Language     string `koanf:"language"`
	Greeting     string `koanf:"greeting"`
	GreetingText string `koanf:"greeting_text"`
	// BusyOnBusy has the user be busy while it is in a call.
	BusyOnBusy bool `koanf:"busy_on_busy"`
}

// Token is a personal access token for the APIs of vendors.
type Token struct {
	ID      string   `koanf:"id"`
	Account string   `koanf:"account"`
	Name    string   `koanf:"name"`
	User    string   `koanf:"user"`
	Token   string   `koanf:"token"`
	Scopes  []string `koanf:"scopes"`
}

// Group is users rung together.
type Group struct {
	ID      string   `koanf:"id"`
	Account string   `koanf:"account"`
	Name    string   `koanf:"name"`
	Users   []string `koanf:"users"`
}

// Number is what can be dialled.
type Number struct {
	Number  string   `koanf:"number"`
	Account string   `koanf:"account"`
	App     string   `koanf:"app"`
	Users   []string `koanf:"users"`
	Groups  []string `koanf:"groups"`
	// VoicemailAfter is how long users ring until voicemail answers, RingTime how
	// long they do without it.
	VoicemailAfter time.Duration `koanf:"voicemail_after"`
	RingTime       time.Duration `koanf:"ring_time"`
	// OnBusy, OnOffline and OnNoAnswer are "voicemail" or a number.
	OnBusy              string `koanf:"on_busy"`
	OnOffline           string `koanf:"on_offline"`
	OnNoAnswer          string `koanf:"on_no_answer"`
	Region              any    `koanf:"region" later:"yes"`
	LookupURL           any    `koanf:"lookup_url" later:"yes"`
	LookupAuthorization any    `koanf:"lookup_authorization" later:"yes"`
	Capability          any    `koanf:"capability" later:"yes"`
}

// Trunk is how calls leave and enter.
type Trunk struct {
	Name      string         `koanf:"name"`
	Account   string         `koanf:"account"`
	Address   string         `koanf:"address"`
	Username  string         `koanf:"username"`
	Password  string         `koanf:"password"`
	From      string         `koanf:"from"`
	AllowFrom []netip.Prefix `koanf:"allow_from"`
	App       string         `koanf:"app"`
	DTMF      string         `koanf:"dtmf"` // how keys are sent to it: auto, info or inband
	// SRTP is whether sound is encrypted: off, allow or require.
	SRTP string `koanf:"srtp"`
	// Register has us register at it, and Options ask it now and then whether
	// it is there.
	Register bool          `koanf:"register"`
	Options  time.Duration `koanf:"options"`
	// Identity is where the caller id goes: from, asserted or preferred.
	Identity string            `koanf:"identity"`
	Headers  map[string]string `koanf:"headers"`
	Priority int               `koanf:"priority"`
	Weight   int               `koanf:"weight"`
	// MaxCalls and CallsPerSecond limit what it carries.
	MaxCalls       int      `koanf:"max_calls"`
	CallsPerSecond int      `koanf:"calls_per_second"`
	TLS            TrunkTLS `koanf:"tls"`
	Regions        any      `koanf:"regions" later:"yes"`
}

// TrunkTLS is what a trunk's connections are secured with: PEM files and names.
type TrunkTLS struct {
	Cert       string `koanf:"cert"`
	Key        string `koanf:"key"`
	CA         string `koanf:"ca"`
	ServerName string `koanf:"server_name"`
	ClientName string `koanf:"client_name"`
}

// Entries gives what is configured as the engine knows it.
func (c *Objects) Entries() directory.Entries {
	e := directory.Entries{}
	for _, a := range c.Accounts {
		e.Accounts = append(e.Accounts, directory.Account{ID: a.ID, Name: a.Name})
	}
	for _, a := range c.Apps {
		e.Apps = append(e.Apps, directory.App{
			Key: a.Key, Account: owner(a.Account), Secret: a.Secret, Dialect: a.Dialect,
			IncomingURL: a.IncomingURL, OutgoingURL: a.OutgoingURL, FallbackURL: a.FallbackURL,
			// sipgate.io lets callers hear prompts before anybody answered.
			EarlyMedia: a.EarlyMedia == nil || *a.EarlyMedia,
			EmptyDTMF:  a.EmptyDTMF, Headers: a.Headers, EventsURL: a.EventsURL, Whitelist: a.Whitelist, Unlogged: a.Unlogged,
		})
	}
	for _, u := range c.Users {
		e.Users = append(e.Users, directory.User{
			ID: u.ID, Account: owner(u.Account), Name: u.Name, Username: u.Username, Password: u.Password,
			App: u.App, CallerID: u.CallerID, Contact: u.Contact, DTMF: u.DTMF, SRTP: u.SRTP,
			Email: u.Email, Language: u.Language, Greeting: u.Greeting, GreetingText: u.GreetingText, BusyOnBusy: u.BusyOnBusy,
		})
	}
	for _, g := range c.Groups {
		e.Groups = append(e.Groups, directory.Group{ID: g.ID, Account: owner(g.Account), Name: g.Name, Users: g.Users})
	}
	for _, n := range c.Numbers {
		e.Numbers = append(e.Numbers, directory.Number{
			Number: n.Number, Account: owner(n.Account), App: n.App, Users: n.Users, Groups: n.Groups,
			VoicemailAfter: span(n.VoicemailAfter), RingTime: span(n.RingTime),
			OnBusy: n.OnBusy, OnOffline: n.OnOffline, OnNoAnswer: n.OnNoAnswer,
		})
	}
	for _, t := range c.Trunks {
		e.Trunks = append(e.Trunks, directory.Trunk{
			Name: t.Name, Account: owner(t.Account), Address: t.Address,
			Username: t.Username, Password: t.Password, From: t.From, AllowFrom: t.AllowFrom, App: t.App, DTMF: t.DTMF,
			SRTP: t.SRTP, Register: t.Register, Options: span(t.Options), Identity: t.Identity, Headers: t.Headers,
			Priority: t.Priority, Weight: t.Weight, MaxCalls: t.MaxCalls, CallsPerSecond: t.CallsPerSecond,
			TLS: directory.TrunkTLS(t.TLS),
		})
	}
	for _, t := range c.Tokens {
		e.Tokens = append(e.Tokens, directory.Token{
			ID: t.ID, Account: owner(t.Account), Name: t.Name, User: t.User, Secret: t.Token, Scopes: t.Scopes,
		})
	}
	return e
}

// owner gives the account of an object that may name none.
func owner(account string) string { return cmp.Or(account, directory.DefaultAccount) }

// span writes a duration as objects keep it; none is empty.
func span(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// Engine gives the limits as the engine knows them.
func (l *Limits) Engine() engine.Limits {
	return engine.Limits{
		Calls: l.Calls, CallsPerSecond: l.CallsPerSecond, MaxDuration: l.MaxDuration, Prefixes: l.Prefixes,
		OwnCallerIDs: l.OwnCallerIDs, MinutesPerDay: l.MinutesPerDay,
	}
}
