// SPDX-License-Identifier: MIT

package engine

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// DefaultAccount is the one implicit account, the tenant to whom everything
// belongs.
const DefaultAccount = "default"

// App is a customer's application.
type App struct {
	Key, Account string
	// Dialect names the language it speaks: "sipgate" today.
	Dialect string
	// IncomingURL is asked about calls that come in, OutgoingURL about calls
	// that users make, FallbackURL when the other does not answer as it should.
	IncomingURL, OutgoingURL, FallbackURL string
	// EarlyMedia says how sound is made before an answer: as early media (183)
	// when true, by answering (200) when false.
	EarlyMedia bool
	// Headers are sent with every request to the App.
	Headers map[string]string
}

// Number is what can be dialled.
type Number struct {
	// Number is E.164 with plus, an extension, or a pattern: a prefix and a
	// star ("+4921*", "*").
	Number  string
	Account string
	// App is the key of the App that is asked about calls to it.
	App string
	// Users and Groups are rung when the App leaves a call to the account
	// settings.
	Users, Groups []string
}

// User is a SIP account that can be rung.
type User struct {
	ID, Account, Name string
	// Contact is the SIP URI of a phone that does not register.
	Contact string
}

// Group is several Users rung together.
type Group struct {
	ID, Account string
	Users       []string
}

// Trunk is how calls leave and enter.
type Trunk struct {
	Name, Account string
	// Address is where calls are sent: "host:port;transport=udp".
	Address string
	// Username and Password answer a digest challenge.
	Username, Password string
	// From is the number shown when a call names no other.
	From string
	// AllowFrom are the sources whose calls are taken as this trunk's.
	AllowFrom []netip.Prefix
	// App is the key of the App for numbers that are configured nowhere.
	App string
}

// Directory is everything that is configured: who can be dialled, rung and
// asked. It is never changed after NewDirectory, so any goroutine may read it;
// a change of configuration makes a new one.
type Directory struct {
	apps     map[string]App
	users    map[string]User
	groups   map[string]Group
	exact    map[string]Number
	patterns []Number // longest prefix first
	trunks   []Trunk
}

// Entries are what a Directory is made of.
type Entries struct {
	Apps    []App
	Users   []User
	Groups  []Group
	Numbers []Number
	Trunks  []Trunk
}

// NewDirectory checks that entries name only each other and indexes them. The
// error says which entry names what is not there.
func NewDirectory(e Entries) (*Directory, error) {
	d := &Directory{
		apps: map[string]App{}, users: map[string]User{}, groups: map[string]Group{},
		exact: map[string]Number{}, trunks: slices.Clone(e.Trunks),
	}
	for _, a := range e.Apps {
		if _, twice := d.apps[a.Key]; twice {
			return nil, fmt.Errorf("app %q is configured twice", a.Key)
		}
		d.apps[a.Key] = a
	}
	for _, u := range e.Users {
		if _, twice := d.users[u.ID]; twice {
			return nil, fmt.Errorf("user %q is configured twice", u.ID)
		}
		d.users[u.ID] = u
	}
	for _, g := range e.Groups {
		if _, twice := d.groups[g.ID]; twice {
			return nil, fmt.Errorf("group %q is configured twice", g.ID)
		}
		for _, id := range g.Users {
			if _, ok := d.users[id]; !ok {
				return nil, fmt.Errorf("group %q names user %q, which is not configured", g.ID, id)
			}
		}
		d.groups[g.ID] = g
	}
	for _, n := range e.Numbers {
		if err := d.addNumber(n); err != nil {
			return nil, err
		}
	}
	for _, t := range e.Trunks {
		if _, ok := d.apps[t.App]; t.App != "" && !ok {
			return nil, fmt.Errorf("trunk %q names app %q, which is not configured", t.Name, t.App)
		}
	}
	digits := func(n Number) int { return len(strings.TrimPrefix(n.Number, "+")) }
	slices.SortStableFunc(d.patterns, func(a, b Number) int { return digits(b) - digits(a) })
	return d, nil
}

func (d *Directory) addNumber(n Number) error {
	if _, ok := d.apps[n.App]; n.App != "" && !ok {
		return fmt.Errorf("number %q names app %q, which is not configured", n.Number, n.App)
	}
	for _, id := range n.Users {
		if _, ok := d.users[id]; !ok {
			return fmt.Errorf("number %q names user %q, which is not configured", n.Number, id)
		}
	}
	for _, id := range n.Groups {
		if _, ok := d.groups[id]; !ok {
			return fmt.Errorf("number %q names group %q, which is not configured", n.Number, id)
		}
	}
	if prefix, ok := strings.CutSuffix(n.Number, "*"); ok {
		n.Number = NormalizeNumber(prefix) + "*"
		if slices.ContainsFunc(d.patterns, func(p Number) bool { return p.Number == n.Number }) {
			return fmt.Errorf("number %q is configured twice", n.Number)
		}
		d.patterns = append(d.patterns, n)
		return nil
	}
	n.Number = NormalizeNumber(n.Number)
	if _, twice := d.exact[n.Number]; twice {
		return fmt.Errorf("number %q is configured twice", n.Number)
	}
	d.exact[n.Number] = n
	return nil
}

// Number finds what was dialled: an exact number before a pattern, the longest
// pattern first.
func (d *Directory) Number(dialled string) (Number, bool) {
	dialled = NormalizeNumber(dialled)
	if n, ok := d.exact[dialled]; ok {
		return n, true
	}
	for _, p := range d.patterns {
		// A pattern may be written with or without the plus.
		prefix := strings.TrimSuffix(p.Number, "*")
		if strings.HasPrefix(dialled, prefix) || strings.HasPrefix(strings.TrimPrefix(dialled, "+"), prefix) {
			return p, true
		}
	}
	return Number{}, false
}

// NearestNumber gives the configured number that shares most with what was
// dialled, for a log line; empty when none is configured.
func (d *Directory) NearestNumber(dialled string) string {
	dialled = strings.TrimPrefix(NormalizeNumber(dialled), "+")
	best, most := "", -1
	for number := range d.exact {
		shared := commonEnds(strings.TrimPrefix(number, "+"), dialled)
		if shared > most || shared == most && number < best {
			best, most = number, shared
		}
	}
	return best
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

// App finds an App by its key.
func (d *Directory) App(key string) (App, bool) {
	a, ok := d.apps[key]
	return a, ok
}

// User finds a User by its id.
func (d *Directory) User(id string) (User, bool) {
	u, ok := d.users[id]
	return u, ok
}

// UsersOf gives the Users that a Number rings, those of its groups after its
// own, each once.
func (d *Directory) UsersOf(n Number) []User {
	ids := slices.Clone(n.Users)
	for _, g := range n.Groups {
		ids = append(ids, d.groups[g].Users...)
	}
	var users []User
	for i, id := range ids {
		if !slices.Contains(ids[:i], id) {
			users = append(users, d.users[id])
		}
	}
	return users
}

// TrunkFrom finds the trunk that takes calls from a source address.
func (d *Directory) TrunkFrom(source netip.Addr) (Trunk, bool) {
	for _, t := range d.trunks {
		for _, p := range t.AllowFrom {
			if p.Contains(source.Unmap()) {
				return t, true
			}
		}
	}
	return Trunk{}, false
}

// TrunkOut gives the trunk by which calls leave: the first with an address.
func (d *Directory) TrunkOut() (Trunk, bool) {
	for _, t := range d.trunks {
		if t.Address != "" {
			return t, true
		}
	}
	return Trunk{}, false
}
