// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
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
	// Headers are sent with every request to the App.
	Headers map[string]string `json:"headers,omitempty"`
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
}

// Group is several Users rung together.
type Group struct {
	ID      string   `json:"id"`
	Account string   `json:"account"`
	Name    string   `json:"name,omitempty"`
	Users   []string `json:"users,omitempty"`
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
	// DTMF is how keys are sent to it, as in User.
	DTMF string `json:"dtmf,omitempty"`
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
}

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
}

func newIndex(e Entries) (*index, error) {
	d := &index{
		accounts: map[string]Account{DefaultAccount: {ID: DefaultAccount}}, apps: map[string]App{},
		users: map[key]User{}, usernames: map[string]User{}, groups: map[key]Group{},
		exact: map[key]Number{}, public: map[string]Number{}, patterns: map[string][]Number{},
	}
	for _, a := range e.Accounts {
		if _, twice := d.accounts[a.ID]; twice && a.ID != DefaultAccount {
			return nil, fmt.Errorf("account %q is configured twice", a.ID)
		}
		d.accounts[a.ID] = a
	}
	return d, cmp.Or(
		each(e.Apps, d.addApp), each(e.Users, d.addUser), each(e.Groups, d.addGroup),
		each(e.Numbers, d.addNumber), each(e.Trunks, d.addTrunk),
	)
}

// each does add for all entries until one fails.
func each[T any](entries []T, add func(T) error) error {
	for _, e := range entries {
		if err := add(e); err != nil {
			return err
		}
	}
	return nil
}

// owner fills in the account of an entry and sees that it is there.
func (d *index) owner(what string, account *string) error {
	*account = cmp.Or(*account, DefaultAccount)
	if _, ok := d.accounts[*account]; !ok {
		return fmt.Errorf("%s names account %q, which is not configured", what, *account)
	}
	return nil
}

// mine says whether an account has an App of that key; every account has the
// one without.
func (d *index) mine(what, account, app string) error {
	if a, ok := d.apps[app]; app != "" && (!ok || a.Account != account) {
		return fmt.Errorf("%s names app %q, which is not configured", what, app)
	}
	return nil
}

func (d *index) addApp(a App) error {
	what := fmt.Sprintf("app %q", a.Key)
	if err := d.owner(what, &a.Account); err != nil {
		return err
	}
	if _, twice := d.apps[a.Key]; twice {
		return fmt.Errorf("%s is configured twice", what)
	}
	d.apps[a.Key] = a
	return nil
}

func (d *index) addUser(u User) error {
	what := fmt.Sprintf("user %q", u.ID)
	if err := d.owner(what, &u.Account); err != nil {
		return err
	}
	if err := cmp.Or(d.mine(what, u.Account, u.App), knownDTMF(what, u.DTMF)); err != nil {
		return err
	}
	k := key{u.Account, u.ID}
	if _, twice := d.users[k]; twice {
		return fmt.Errorf("%s is configured twice", what)
	}
	if u.Username != "" {
		if other, twice := d.usernames[u.Username]; twice {
			return fmt.Errorf("%s has the username %q, which user %q has already", what, u.Username, other.ID)
		}
		d.usernames[u.Username] = u
	}
	d.users[k] = u
	return nil
}

func knownDTMF(what, way string) error {
	switch way {
	case "", DTMFAuto, DTMFInfo, DTMFInband:
		return nil
	}
	return fmt.Errorf("%s: dtmf is %q; write auto, info or inband", what, way)
}

func (d *index) addGroup(g Group) error {
	what := fmt.Sprintf("group %q", g.ID)
	if err := d.owner(what, &g.Account); err != nil {
		return err
	}
	k := key{g.Account, g.ID}
	if _, twice := d.groups[k]; twice {
		return fmt.Errorf("%s is configured twice", what)
	}
	d.groups[k] = g
	return d.areUsers(what, g.Account, g.Users)
}

// areUsers sees that ids are those of users of an account.
func (d *index) areUsers(what, account string, ids []string) error {
	for _, id := range ids {
		if _, ok := d.users[key{account, id}]; !ok {
			return fmt.Errorf("%s names user %q, which is not configured", what, id)
		}
	}
	return nil
}

func (d *index) addNumber(n Number) error {
	prefix, pattern := strings.CutSuffix(n.Number, "*")
	if !pattern {
		n.Number = NormalizeNumber(n.Number)
	}
	what := fmt.Sprintf("number %q", n.Number)
	if err := d.owner(what, &n.Account); err != nil {
		return err
	}
	if err := cmp.Or(d.mine(what, n.Account, n.App), d.areUsers(what, n.Account, n.Users)); err != nil {
		return err
	}
	for _, id := range n.Groups {
		if _, ok := d.groups[key{n.Account, id}]; !ok {
			return fmt.Errorf("%s names group %q, which is not configured", what, id)
		}
	}
	if pattern {
		return d.addPattern(what, n, prefix)
	}
	k := key{n.Account, n.Number}
	_, twice := d.exact[k]
	_, elsewhere := d.public[n.Number]
	switch {
	case twice:
		return fmt.Errorf("%s is configured twice", what)
	case elsewhere:
		return fmt.Errorf("%s is another account's already", what)
	case strings.HasPrefix(n.Number, "+"):
		d.public[n.Number] = n
	}
	d.exact[k] = n
	return nil
}

func (d *index) addPattern(what string, n Number, prefix string) error {
	n.Number = NormalizeNumber(prefix) + "*"
	all := d.patterns[n.Account]
	if slices.ContainsFunc(all, func(p Number) bool { return p.Number == n.Number }) {
		return fmt.Errorf("%s is configured twice", what)
	}
	all = append(all, n)
	digits := func(n Number) int { return len(strings.TrimPrefix(n.Number, "+")) }
	slices.SortStableFunc(all, func(a, b Number) int { return digits(b) - digits(a) })
	d.patterns[n.Account] = all
	return nil
}

func (d *index) addTrunk(t Trunk) error {
	what := fmt.Sprintf("trunk %q", t.Name)
	if err := d.owner(what, &t.Account); err != nil {
		return err
	}
	if err := cmp.Or(d.mine(what, t.Account, t.App), knownDTMF(what, t.DTMF)); err != nil {
		return err
	}
	d.trunks = append(d.trunks, t)
	return nil
}
