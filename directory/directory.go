// SPDX-License-Identifier: MIT

package directory

import (
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

// New checks that entries name only each other and indexes them. The error says
// which entry names what is not there. Emergency are the numbers of emergency
// services ("112"); no entry can have one of them.
func New(e Entries, emergency ...string) (*Directory, error) {
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
// which is New's, it holds what it held.
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
	number, _ = d.InsideNumber(u.Account, plain)
	return to, number, true
}

// Party names what somebody of an account dialled when it is one of the
// account's users, by id or username, or groups. Anything else is not found.
func (d *Directory) Party(account, dialled string) (Address, bool) {
	now := d.now.Load()
	if u, ok := now.users[key{account, dialled}]; ok {
		return d.AtOwnNumber(u), true
	}
	if u, ok := now.usernames[dialled]; ok && u.Account == account {
		return d.AtOwnNumber(u), true
	}
	if g, ok := now.groups[key{account, dialled}]; ok {
		return Address{Kind: KindGroup, Value: g.ID, Name: g.Name}, true
	}
	return Address{}, false
}
