// SPDX-License-Identifier: MIT

package sip

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
)

// vigil is what a leg's stream must know of its peer besides what session
// descriptions settle: where else its packets may come from, and for how long it
// may be silent. It is guarded by the leg's lock.
type vigil struct {
	// timeout is media.timeout, which counts once the call is answered.
	timeout  time.Duration
	answered bool
	// source is where the other side is as far as is known from the beginning,
	// networks are its trunk's and proxies ours.
	source   netip.Addr
	networks []netip.Prefix
	proxies  []netip.Prefix
	// heard is the host that the last message came from.
	heard netip.Addr
}

// carrierNAT are the addresses that networks give their customers behind a
// router of theirs (RFC 6598).
var carrierNAT = netip.MustParsePrefix("100.64.0.0/10")

// hear notes where a message came from.
func (v *vigil) hear(peer string) {
	if from, err := netip.ParseAddrPort(peer); err == nil {
		v.heard = from.Addr().Unmap()
	}
}

// on adds to what was settled what the stream is to watch for.
func (v *vigil) on(r media.Remote) media.Remote {
	r.Nearby = v.nearby(r.Addr.Addr())
	// Who holds us, or is held, may well be silent.
	if v.answered && r.Send && r.Receive {
		r.LossAfter = v.timeout
	}
	return r
}

// nearby are the places that the peer's packets may come from besides the one
// that it announces: a phone behind a router sends them from where it signals
// from, and a trunk from any of its networks.
//
// Of a phone that was called behind a proxy of ours, nothing is known but that.
// If it announces an address that nobody can reach, it is followed to wherever it
// is: a proxy that relays sound would have written its own into the description.
func (v *vigil) nearby(announced netip.Addr) []netip.Prefix {
	if !v.source.IsValid() && !v.heard.IsValid() {
		return nil
	}
	proxied := func(a netip.Addr) bool {
		return !a.IsValid() || slices.ContainsFunc(v.proxies, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	if proxied(v.source) && proxied(v.heard) && len(v.networks) == 0 && (announced.IsPrivate() || carrierNAT.Contains(announced)) {
		return nil
	}
	near := slices.Clone(v.networks)
	for _, host := range []netip.Addr{v.source, v.heard} {
		if host.IsValid() {
			near = append(near, netip.PrefixFrom(host.WithZone(""), host.BitLen()))
		}
	}
	return near
}

// lost hangs up on a party of whom nothing was heard for too long.
func (l *Leg) lost(silence time.Duration) {
	l.mu.Lock()
	if l.fate.cause == "" {
		l.fate.fault = fmt.Errorf("nothing was heard of the party for %s (media.timeout)", silence.Round(time.Second/10))
	}
	l.mu.Unlock()
	l.Hangup(engine.CauseMediaLost)
}
