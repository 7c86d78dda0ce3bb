// SPDX-License-Identifier: MIT

package shield

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"
)

const (
	// rate is how many packets of one source are read in a second on average,
	// and burst how many may come at once: a phone system behind one address
	// that starts anew has some hundred phones register.
	rate  = 200
	burst = 1000
	// price is what a packet costs that was refused: as much as so many others.
	// Who guesses at numbers and passwords is soon not read any more.
	price = 20
	// places is how many sources each table tells apart, a power of two.
	places = 1 << 14
	// every is the time that one packet uses up.
	every = time.Second / rate
)

// Shield keeps how much of their shares sources have used. A source is an IPv4
// address or an IPv6 network of 64 bits, which is one customer's.
//
// Each source has a place in two tables, chosen by hashes that nobody outside can
// foresee, and is out of its share when both say so. So one that floods takes a
// few others along at most, by chance, and none by design. A place holds the time
// at which its source has its whole share again (the generic cell rate
// algorithm). It is safe for concurrent use.
type Shield struct {
	seeds  [2]maphash.Seed
	tables [2]table
	began  time.Time
}

// New makes a Shield of which nobody has used anything.
func New() *Shield {
	return &Shield{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, began: time.Now()}
}

// Take counts a packet of a source, and says whether it may be read.
func (s *Shield) Take(source netip.Addr, now time.Time) bool {
	return s.spend(source, now, every)
}

// Refused counts that a packet of a source, which was taken, was refused.
func (s *Shield) Refused(source netip.Addr, now time.Time) {
	s.spend(source, now, price*every)
}

// spend takes cost from a source's share, unless that is used up already.
func (s *Shield) spend(source netip.Addr, now time.Time, cost time.Duration) bool {
	at := now.Sub(s.began)
	ok := false
	for i := range s.tables {
		if s.tables[i].use(maphash.Comparable(s.seeds[i], Customer(source)), at, cost) {
			ok = true
		}
	}
	return ok
}

// table has a place for each of many sources.
type table [places]atomic.Int64

// use takes cost from the share of a place, unless that is used up already.
func (t *table) use(hash uint64, at, cost time.Duration) bool {
	place := &t[hash%places]
	for {
		before := place.Load()
		full := max(time.Duration(before), at)
		if full-at >= burst*every {
			return false
		}
		if place.CompareAndSwap(before, int64(full+cost)) {
			return true
		}
	}
}

// Customer is whose an address is: one of IPv4 is itself, one of IPv6 its network
// of 64 bits, for whoever has one address there has it all.
func Customer(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a
	}
	network, _ := a.Prefix(64) // it fails for addresses that are shorter only
	return network.Addr()
}
