// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
)

// Directory is everything that is configured: who can be dialled, rung and
// asked. Any goroutine may read it, and the call path does so without asking a
// database. A change of configuration replaces what it holds as a whole.
type Directory struct {
	now atomic.Pointer[index]
	// changed is closed when something else is held.
	changed atomic.Pointer[chan struct{}]
	// emergency are the numbers of emergency services, without a plus.
	emergency []string
}

// NewDirectory checks that entries name only each other and indexes them. The
// error says which entry names what is not there. Emergency are the numbers of
// emergency services ("112"); no entry can have one of them.
func NewDirectory(e Entries, emergency ...string) (*Directory, error) {
	d := &Directory{}
	for _, n := range emergency {
		d.emergency = append(d.emergency, strings.TrimPrefix(NormalizeNumber(n), "+"))
	}
	if err := d.Replace(e); err != nil {
		return nil, err
	}
	return d, nil
}

// Replace has the Directory hold other entries from now on. With an error,
// which is NewDirectory's, it holds what it held.
func (d *Directory) Replace(e Entries) error {
	index, err := newIndex(e)
	if err == nil {
		err = index.without(d.emergency)
	}
	if err != nil {
		return err
	}
	d.now.Store(index)
	changed := make(chan struct{})
	if old := d.changed.Swap(&changed); old != nil {
		close(*old)
	}
	return nil
}

// Changed gives what is closed as soon as the Directory holds other entries than
// at the time of the call, or some moments before.
func (d *Directory) Changed() <-chan struct{} { return *d.changed.Load() }

// Emergency says whether a party is an emergency service, however its number is
// written.
func (d *Directory) Emergency(a Address) bool {
	return a.Kind == KindNumber && slices.Contains(d.emergency, strings.TrimPrefix(a.Value, "+"))
}

// Number finds what was dialled by somebody of an account: one of the account's
// numbers, exact before pattern and the longest pattern first, else an E.164
// number of another account, as if the call came from outside.
func (d *Directory) Number(account, dialled string) (Number, bool) {
	now := d.now.Load()
	dialled = NormalizeNumber(dialled)
	if n, ok := now.exactly(account, dialled); ok {
		return n, true
	}
	return now.pattern(account, dialled)
}

// ours finds a number that somebody of an account calls from inside, if it is one
// of this server: as Number does, but for a pattern of everything, which is there
// for trunks and would keep anybody from calling out.
func (d *Directory) ours(account, dialled string) (Number, bool) {
	now := d.now.Load()
	if n, ok := now.exactly(account, dialled); ok {
		return n, true
	}
	if n, ok := now.pattern(account, dialled); ok && strings.ContainsAny(n.Number, "0123456789") {
		return n, true
	}
	return Number{}, false
}

// own finds a number that somebody of an account calls from inside, if it is one of
// that account.
func (d *Directory) own(account, dialled string) (Number, bool) {
	n, ok := d.ours(account, dialled)
	return n, ok && n.Account == account
}

// exactly finds a number that somebody of an account can call, patterns aside.
func (d *index) exactly(account, dialled string) (Number, bool) {
	if n, ok := d.exact[key{account, dialled}]; ok {
		return n, true
	}
	n, ok := d.public[dialled]
	return n, ok
}

// pattern finds an account's longest pattern for a number.
func (d *index) pattern(account, dialled string) (Number, bool) {
	for _, p := range d.patterns[account] {
		// A pattern may be written with or without the plus.
		prefix := strings.TrimSuffix(p.Number, "*")
		if strings.HasPrefix(dialled, prefix) || strings.HasPrefix(strings.TrimPrefix(dialled, "+"), prefix) {
			return p, true
		}
	}
	return Number{}, false
}

// configured finds a Number by the name that records have of it, a pattern's
// too.
func (d *Directory) configured(account, number string) (Number, bool) {
	now := d.now.Load()
	for _, p := range now.patterns[account] {
		if p.Number == number {
			return p, true
		}
	}
	n, ok := now.exact[key{account, number}]
	return n, ok
}

// NearestNumber gives the configured number that an account may call and that
// shares most with what was dialled, for a log line; empty when none is
// configured.
func (d *Directory) NearestNumber(account, dialled string) string {
	dialled = strings.TrimPrefix(NormalizeNumber(dialled), "+")
	best, most := "", -1
	for k := range d.now.Load().exact {
		if k.account != account {
			continue
		}
		shared := commonEnds(strings.TrimPrefix(k.id, "+"), dialled)
		if shared > most || shared == most && k.id < best {
			best, most = k.id, shared
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
	a, ok := d.now.Load().apps[key]
	return a, ok
}

// User finds a User by its account and id.
func (d *Directory) User(account, id string) (User, bool) {
	u, ok := d.now.Load().users[key{account, id}]
	return u, ok
}

// UserNamed finds a User by the username that its phones register with.
func (d *Directory) UserNamed(username string) (User, bool) {
	u, ok := d.now.Load().usernames[username]
	return u, ok
}

// Dialled finds what a User dialled: an emergency service, one of its account's
// numbers, users (by id or username) or groups, a number that a pattern of the
// account or another account's E.164 number is, or one that is to be reached by a
// trunk. A pattern of everything is for trunks, and takes no part. The Number is
// empty but for a number of ours; ok is false for what is none of these.
func (d *Directory) Dialled(u User, dialled string) (to Address, number Number, ok bool) {
	plain := NormalizeNumber(dialled)
	if to = NumberAddress(plain); d.Emergency(to) {
		return to, Number{}, true
	}
	if n, mine := d.now.Load().exact[key{u.Account, plain}]; mine {
		return to, n, true
	}
	if party, mine := d.Party(u.Account, dialled); mine {
		return party, Number{}, true
	}
	if !IsNumber(dialled) {
		return to, Number{}, false
	}
	number, _ = d.ours(u.Account, plain)
	return to, number, true
}

// Party names what somebody of an account dialled when it is one of the
// account's users, by id or username, or groups. Anything else is not found.
func (d *Directory) Party(account, dialled string) (Address, bool) {
	now := d.now.Load()
	if u, ok := now.users[key{account, dialled}]; ok {
		return d.atOwnNumber(u), true
	}
	if u, ok := now.usernames[dialled]; ok && u.Account == account {
		return d.atOwnNumber(u), true
	}
	if g, ok := now.groups[key{account, dialled}]; ok {
		return Address{Kind: KindGroup, Value: g.ID, Name: g.Name}, true
	}
	return Address{}, false
}

// Address is the User as a party.
func (u User) Address() Address { return Address{Kind: KindUser, Value: u.ID, Name: u.Name} }

// CallerID is the number that a User shows when it calls: its own, or the first
// E.164 number that rings it; empty if there is none.
func (d *Directory) CallerID(u User) string {
	if u.CallerID != "" {
		return NormalizeNumber(u.CallerID)
	}
	best := ""
	for _, n := range d.now.Load().public {
		rings := func(other User) bool { return other.ID == u.ID }
		if n.Account == u.Account && slices.ContainsFunc(d.UsersOf(n), rings) && (best == "" || n.Number < best) {
			best = n.Number
		}
	}
	return best
}

// shown is the party that a User is to those it calls.
func (d *Directory) shown(u User) Address {
	if number := d.CallerID(u); number != "" {
		return Address{Kind: KindNumber, Value: number, Name: u.Name}
	}
	return u.Address()
}

// atOwnNumber is a User that is called as such, by none of the numbers that ring it.
func (d *Directory) atOwnNumber(u User) Address {
	a := u.Address()
	a.Number = d.CallerID(u)
	return a
}

// UsersOf gives the Users that a Number rings, those of its groups after its
// own, each once.
func (d *Directory) UsersOf(n Number) []User {
	now := d.now.Load()
	ids := slices.Clone(n.Users)
	for _, g := range n.Groups {
		ids = append(ids, now.groups[key{n.Account, g}].Users...)
	}
	return now.usersNamed(n.Account, ids)
}

// Members gives the Users of a group.
func (d *Directory) Members(account, group string) []User {
	now := d.now.Load()
	return now.usersNamed(account, now.groups[key{account, group}].Users)
}

// usersNamed gives the Users with these ids, each once.
func (d *index) usersNamed(account string, ids []string) []User {
	var users []User
	for i, id := range ids {
		if u, ok := d.users[key{account, id}]; ok && !slices.Contains(ids[:i], id) {
			users = append(users, u)
		}
	}
	return users
}

// Trunks gives all trunks of all accounts.
func (d *Directory) Trunks() []Trunk { return slices.Clone(d.now.Load().trunks) }

// Trunk finds a Trunk by its account and name.
func (d *Directory) Trunk(account, name string) (Trunk, bool) {
	for _, t := range d.now.Load().trunks {
		if t.Account == account && t.Name == name {
			return t, true
		}
	}
	return Trunk{}, false
}

// TrunkFrom finds the trunk that takes calls from a source address: the one that
// names it most closely.
func (d *Directory) TrunkFrom(source netip.Addr) (trunk Trunk, ok bool) {
	closest := -1
	for _, t := range d.now.Load().trunks {
		for _, p := range t.AllowFrom {
			if p.Contains(source.Unmap()) && p.Bits() > closest {
				trunk, ok, closest = t, true, p.Bits()
			}
		}
	}
	return trunk, ok
}

// NearestUsername gives the configured username that shares most with one, for a
// log line; empty when none is configured.
func (d *Directory) NearestUsername(username string) string {
	best, most := "", -1
	for name := range d.now.Load().usernames {
		shared := commonEnds(strings.ToLower(name), strings.ToLower(username))
		if shared > most || shared == most && name < best {
			best, most = name, shared
		}
	}
	return best
}

// NearestTrunk gives the trunk whose calls come from the network that has most in
// common with a source, and that network, for a log line; none when no trunk names
// a network of its family.
func (d *Directory) NearestTrunk(source netip.Addr) (trunk Trunk, network netip.Prefix, ok bool) {
	most := -1
	for _, t := range d.now.Load().trunks {
		for _, p := range t.AllowFrom {
			if p.Addr().Is4() != source.Is4() {
				continue
			}
			shared := 0
			for shared < p.Bits() && netip.PrefixFrom(p.Addr(), shared+1).Contains(source) {
				shared++
			}
			if shared > most {
				trunk, network, ok, most = t, p, true, shared
			}
		}
	}
	return trunk, network, ok
}

// TrunksOut gives the trunks by which calls of an account can leave, in the order
// in which they are to be tried: by Priority, and those that are equal as chance
// and their Weights have it (RFC 2782). They are the account's own or, if it has
// none with an address, the operator's.
func (d *Directory) TrunksOut(account string) []Trunk {
	var out []Trunk
	for _, owner := range []string{account, DefaultAccount} {
		for _, t := range d.now.Load().trunks {
			if t.Address != "" && t.Account == owner {
				out = append(out, t)
			}
		}
		if len(out) > 0 {
			break
		}
	}
	// The least of exponential draws is each one's with the chance that its
	// weight has, and so are those that follow.
	draws := make(map[string]float64, len(out))
	for _, t := range out {
		draws[t.Name] = rand.ExpFloat64() / float64(max(t.Weight, 1))
	}
	slices.SortStableFunc(out, func(a, b Trunk) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(draws[a.Name], draws[b.Name]))
	})
	return out
}

// AnyCaller says whether anybody can register and call: a User with a username.
func (d *Directory) AnyCaller() bool { return len(d.now.Load().usernames) > 0 }

// Callers names the accounts of which somebody can call out: a User with a
// username.
func (d *Directory) Callers() []string {
	var accounts []string
	for _, u := range d.now.Load().usernames {
		if !slices.Contains(accounts, u.Account) {
			accounts = append(accounts, u.Account)
		}
	}
	slices.Sort(accounts)
	return accounts
}
