// SPDX-License-Identifier: MIT

package registrar

import (
	"slices"

	"github.com/callwright/callwright/directory"
)

// makeRoom takes places out until a user has no more than are allowed, and gives
// those that stay and those that go. saved are those of the request that needs
// the room; they stay. With false there is no room to be made.
func (r *Registrar) makeRoom(places, saved []directory.Registration) (stay, gone []directory.Registration, ok bool) {
	stay = slices.Clone(places)
	for len(stay) > r.cfg.Contacts {
		at := r.dispensable(stay, saved)
		if at < 0 {
			return nil, nil, false
		}
		gone = append(gone, stay[at])
		stay = slices.Delete(stay, at, at+1)
	}
	return stay, gone, true
}

// dispensable finds the place that is missed least, or -1: one that cannot be
// reached, or else the oldest of the same phone, as far as that can be told. A
// phone that starts anew at another port leaves its old place behind; those that
// are alive are heard of again and again, so they are not the oldest.
func (r *Registrar) dispensable(places, saved []directory.Registration) int {
	old := func(p directory.Registration) bool {
		return !slices.ContainsFunc(saved, func(s directory.Registration) bool { return s.Contact == p.Contact })
	}
	at := slices.IndexFunc(places, func(p directory.Registration) bool { return old(p) && !r.cfg.Reachable(p) })
	if at >= 0 {
		return at
	}
	return slices.IndexFunc(places, func(p directory.Registration) bool { return old(p) && samePhone(p, saved[0]) })
}

// samePhone says whether two registrations may be of one phone: it calls itself
// the same and is at the same address.
func samePhone(a, b directory.Registration) bool {
	from, err := source(a)
	to, err2 := source(b)
	return err == nil && err2 == nil && a.Agent == b.Agent && from.Addr() == to.Addr()
}
