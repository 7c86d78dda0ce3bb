// SPDX-License-Identifier: MIT

package engine

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// DefaultAccount is the one implicit account: the operator's own, to whom
// everything belongs that names no other.
const DefaultAccount = "default"

// Account is a tenant. What belongs to one is not seen by another.
type Account struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

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

// Number is what can be dialled.
type Number struct {
	// Number is E.164 with plus, an extension, or a pattern: a prefix and a
	// star ("+4921*", "*"). E.164 numbers exist once on the whole server,
	// extensions and patterns once in an account.
	Number  string `json:"number"`
	Account string `json:"account"`
	// App is the key of the App that is asked about calls to it.
	App string `json:"app,omitempty"`
	// Users and Groups are rung when the App leaves a call to the account
	// settings.
	Users  []string `json:"users,omitempty"`
	Groups []string `json:"groups,omitempty"`
	// VoicemailAfter sends a call that nobody picks up for so long, as a duration
	// ("20s"), to voicemail; also one to users who are busy or offline, unless
	// there is another rule for that. Empty is never.
	VoicemailAfter string `json:"voicemail_after,omitempty"`
	// OnBusy, OnOffline and OnNoAnswer are where a call goes that reaches nobody:
	// RuleVoicemail or a number; empty ends it.
	OnBusy     string `json:"on_busy,omitempty"`
	OnOffline  string `json:"on_offline,omitempty"`
	OnNoAnswer string `json:"on_no_answer,omitempty"`
	// RingTime is how long users ring, as a duration, where VoicemailAfter does
	// not say; empty is a minute.
	RingTime string `json:"ring_time,omitempty"`
}

// RuleVoicemail leads a call to voicemail.
const RuleVoicemail = "voicemail"

// ID gives what names the Number in its account: the number or pattern in its
// one form, as NormalizeNumber writes it.
func (n Number) ID() string {
	if prefix, ok := strings.CutSuffix(n.Number, "*"); ok {
		return NormalizeNumber(prefix) + "*"
	}
	return NormalizeNumber(n.Number)
}

// public says whether the Number is E.164, so that anybody can dial it.
func (n Number) public() bool {
	return strings.HasPrefix(n.ID(), "+") && !strings.HasSuffix(n.Number, "*")
}

// The ways in which keys can be sent to a phone or a trunk, as the
// configuration names them.
const (
	DTMFAuto   = "auto"   // telephone-event where it was agreed to, else tones
	DTMFInfo   = "info"   // SIP INFO
	DTMFInband = "inband" // tones, and telephone-event is not offered
)

// User is a SIP account that can register and be rung.
type User struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	// Username and Password are what its phones register and call with (RFC
	// 3261 section 22). A username exists once on the whole server; who has
	// none can not register.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// App is the key of the App that is asked about calls that it makes.
	App string `json:"app,omitempty"`
	// CallerID is the number that it shows when it calls; empty takes the first
	// number that rings it.
	CallerID string `json:"caller_id,omitempty"`
	// Contact is the SIP URI of a phone that does not register.
	Contact string `json:"contact,omitempty"`
	// DTMF is how keys are sent to its phones: DTMFAuto (also when empty),
	// DTMFInfo or DTMFInband.
	DTMF string `json:"dtmf,omitempty"`
	// SRTP says whether sound to and from its phones is encrypted: SRTPAllow
	// (also when empty), SRTPOff or SRTPRequire.
	SRTP string `json:"srtp,omitempty"`
	// Email is where the user gets mail, for those who ask.
	Email string `json:"email,omitempty"`
	// Language is what is spoken to those who reach the user's voicemail, as a tag
	// of BCP 47 ("de-DE"); empty is the server's.
	Language string `json:"language,omitempty"`
	// Greeting is what they hear: the URL of a sound file, or its path on the
	// server. Without one GreetingText is spoken, and without that a sentence of
	// ours.
	Greeting     string `json:"greeting,omitempty"`
	GreetingText string `json:"greeting_text,omitempty"`
	// BusyOnBusy has the user be busy for others while it is in a call.
	BusyOnBusy bool `json:"busy_on_busy,omitempty"`
}

// Group is several Users rung together.
type Group struct {
	ID      string   `json:"id"`
	Account string   `json:"account"`
	Name    string   `json:"name,omitempty"`
	Users   []string `json:"users,omitempty"`
}

// Token is a personal access token: what somebody shows to the API of a vendor.
type Token struct {
	// ID names it, once on the whole server: "token-" and six letters or digits.
	ID      string `json:"id"`
	Account string `json:"account"`
	// Name is for people.
	Name string `json:"name,omitempty"`
	// User is whose it is; who shows it acts as that one.
	User string `json:"user,omitempty"`
	// Secret is what is shown with the ID: a UUID of version 4.
	Secret string `json:"token,omitempty"`
	// Scopes are what may be done with it, as the vendor calls it ("rtcm:read");
	// none is everything.
	Scopes []string `json:"scopes,omitempty"`
}

// Trunk is how calls leave and enter.
type Trunk struct {
	Name    string `json:"name"`
	Account string `json:"account"`
	// Address is where calls are sent: "host:port;transport=udp". A trunk
	// without one only takes calls.
	Address string `json:"address,omitempty"`
	// Username and Password answer a digest challenge.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// From is the number shown when a call names no other.
	From string `json:"from,omitempty"`
	// AllowFrom are the sources whose calls are taken as this trunk's.
	AllowFrom []netip.Prefix `json:"allow_from,omitempty"`
	// App is the key of the App for numbers that are configured nowhere.
	App string `json:"app,omitempty"`
	// DTMF is how keys are sent to it, and SRTP whether sound is encrypted, as
	// in User.
	DTMF string `json:"dtmf,omitempty"`
	SRTP string `json:"srtp,omitempty"`
	// Register has us register at Address with Username, for the calls that the
	// other side sends only to who is registered (RFC 3261 section 10).
	Register bool `json:"register,omitempty"`
	// Identity is where the caller id goes: IdentityFrom (also when empty),
	// IdentityAsserted or IdentityPreferred.
	Identity string `json:"identity,omitempty"`
	// Headers are sent with every INVITE to it.
	Headers map[string]string `json:"headers,omitempty"`
	// Options is how often it is asked with OPTIONS whether it is there, as a
	// duration ("30s"); empty is never. One that does not answer gets no calls
	// while another does.
	Options string `json:"options,omitempty"`
	// Priority orders the trunks of an account, least first, as of SRV records
	// (RFC 2782); of those that are equal each gets calls by its share of their
	// Weights, of which 0 counts as 1.
	Priority int `json:"priority,omitempty"`
	Weight   int `json:"weight,omitempty"`
	// MaxCalls is how many calls it may carry at once, both ways, and
	// CallsPerSecond how many may begin on it in one second; 0 is no limit.
	MaxCalls       int `json:"max_calls,omitempty"`
	CallsPerSecond int `json:"calls_per_second,omitempty"`
	// TLS is what its connections are secured with.
	TLS TrunkTLS `json:"tls,omitzero"`
}

// The values of User.SRTP and Trunk.SRTP.
const (
	SRTPOff     = "off"     // never: a peer that insists on it is refused
	SRTPAllow   = "allow"   // when the peer offers it
	SRTPRequire = "require" // always: a peer without it is refused
)

// The values of Trunk.Identity.
const (
	IdentityFrom      = "from"      // the caller id is the user of From
	IdentityAsserted  = "asserted"  // Username is, and the caller id is in P-Asserted-Identity (RFC 3325)
	IdentityPreferred = "preferred" // the same with P-Preferred-Identity
)

// TrunkTLS is what a Trunk's connections are secured with.
type TrunkTLS struct {
	// Cert and Key are the PEM files of the certificate that we show to it.
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
	// CA is the PEM file of those who may have signed its certificate; empty
	// means those that the system trusts.
	CA string `json:"ca,omitempty"`
	// ServerName is the name that its certificate must have; empty is the host
	// of its address.
	ServerName string `json:"server_name,omitempty"`
	// ClientName, if set, is the name that the certificate must have which it
	// shows to us when it calls: its calls come by TLS and with that one only.
	ClientName string `json:"client_name,omitempty"`
}

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

// Entry is one of the Entries: an Account, App, User, Group, Number, Trunk or
// Token.
type Entry interface{ EntryID() EntryID }

// EntryID is that of Entry.
func (a Account) EntryID() EntryID { return EntryID{EntryAccount, "", a.ID} }

// EntryID is that of Entry.
func (a App) EntryID() EntryID { return EntryID{EntryApp, "", a.Key} }

// EntryID is that of Entry.
func (u User) EntryID() EntryID { return EntryID{EntryUser, u.Account, u.ID} }

// EntryID is that of Entry.
func (g Group) EntryID() EntryID { return EntryID{EntryGroup, g.Account, g.ID} }

// EntryID is that of Entry.
func (n Number) EntryID() EntryID {
	if n.public() {
		return EntryID{EntryNumber, "", n.ID()}
	}
	return EntryID{EntryNumber, n.Account, n.ID()}
}

// EntryID is that of Entry.
func (t Trunk) EntryID() EntryID { return EntryID{EntryTrunk, t.Account, t.Name} }

// EntryID is that of Entry.
func (t Token) EntryID() EntryID { return EntryID{EntryToken, "", t.ID} }

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
