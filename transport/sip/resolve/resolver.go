// SPDX-License-Identifier: MIT

package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Target is what a SIP URI says about where it leads.
type Target struct {
	// Host is a name or an address, without brackets.
	Host string
	// Port is 0 if none is given.
	Port int
	// Network is the transport, "UDP" or another as Via names it; empty if none
	// is given.
	Network string
	// Secure says that the URI is a sips: one.
	Secure bool
}

// Place is where a request can be sent to.
type Place struct {
	Network string
	Addr    netip.AddrPort
	// Name is the host of the Target: what a certificate must be for (RFC 5922
	// section 4).
	Name string
}

// String writes a place as logs and errors have it.
func (p Place) String() string { return p.Addr.String() + " by " + p.Network }

// Config is what a Resolver needs to know. The zero value asks the servers of the
// system.
type Config struct {
	// Servers are asked in place of those of the system: "192.0.2.53:53".
	Servers []string
	// Hosts is the file of names that need no server; empty is /etc/hosts.
	Hosts string
	// Networks are the transports that may be chosen where the target leaves it
	// open, the most preferred one first; none means UDP, TCP, TLS.
	Networks []string
	// Timeout is how long Places may take; 0 is 3 s.
	Timeout time.Duration
}

// avoided is how long a place that has failed is tried last.
const avoided = 30 * time.Second

// maxKept is how many answers, and how many failed places, are kept.
const maxKept = 4096

// Resolver finds places. Its methods may be called from any goroutine.
type Resolver struct {
	cfg    Config
	client dns.Client
	try    time.Duration // how long one server has to answer

	mu     sync.Mutex
	kept   map[question]*answer
	asking map[question]chan struct{}
	failed map[Place]time.Time
}

// New makes a Resolver that knows nothing yet.
func New(cfg Config) *Resolver {
	cfg.Hosts = cmp.Or(cfg.Hosts, "/etc/hosts")
	cfg.Timeout = cmp.Or(cfg.Timeout, 3*time.Second)
	if len(cfg.Networks) == 0 {
		cfg.Networks = []string{"UDP", "TCP", "TLS"}
	}
	return &Resolver{
		cfg: cfg, try: tryTime,
		kept: map[question]*answer{}, asking: map[question]chan struct{}{}, failed: map[Place]time.Time{},
	}
}

// Places gives the places of a target, those to be tried first in front; at least
// one without an error. A target with an address needs no time.
func (r *Resolver) Places(ctx context.Context, t Target) ([]Place, error) {
	if t.Secure {
		t.Network = secured(t.Network)
	}
	if t.Port < 0 || t.Port > 65535 {
		return nil, fmt.Errorf("find %s: the port %d is not from 1 to 65535", t.Host, t.Port)
	}
	if addr, err := netip.ParseAddr(t.Host); err == nil {
		network := cmp.Or(t.Network, "UDP")
		return []Place{{network, netip.AddrPortFrom(addr.Unmap(), uint16(cmp.Or(t.Port, portOf(network)))), t.Host}}, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.cfg.Timeout, fmt.Errorf("the DNS servers did not answer within %v", r.cfg.Timeout))
	defer cancel()
	places, err := r.find(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", t.Host, err)
	}
	return r.failedLast(places), nil
}

// find goes the steps of RFC 3263 section 4.
func (r *Resolver) find(ctx context.Context, t Target) ([]Place, error) {
	// A name without a dot is no domain; asking for its services is in vain.
	if t.Port == 0 && strings.Contains(t.Host, ".") {
		places, found, err := r.services(ctx, t)
		if found || err != nil {
			return places, err
		}
	}
	network := t.Network
	if network == "" {
		network = "UDP"
	}
	addrs, err := r.addresses(ctx, t.Host)
	if err != nil {
		return nil, err
	}
	return placesAt(addrs, network, cmp.Or(t.Port, portOf(network)), t.Host), nil
}

// services gives the places that SRV records name, and says whether there are
// such records. Which of them apply is said by NAPTR records, if the target
// leaves its transport open.
func (r *Resolver) services(ctx context.Context, t Target) (places []Place, found bool, err error) {
	choices := []choice{{t.Network, service(t.Network, t.Host)}}
	if t.Network == "" {
		choices = nil
		for _, n := range r.cfg.Networks {
			choices = append(choices, choice{n, service(n, t.Host)})
		}
		records, err := r.ask(ctx, t.Host, dns.TypeNAPTR)
		if err != nil {
			return nil, false, err
		}
		if chosen := choose(records, r.cfg.Networks); len(chosen) > 0 {
			choices = chosen
		}
	}
	type result struct {
		places []Place
		found  bool
		err    error
	}
	results := each(choices, func(c choice) (res result) {
		res.places, res.found, res.err = r.service(ctx, c, t.Host)
		return res
	})
	for _, res := range results {
		places = append(places, res.places...)
		found = found || res.found
		err = errors.Join(err, res.err)
	}
	switch {
	case len(places) > 0:
		return places, true, nil
	case err != nil:
		return nil, false, err
	case found:
		return nil, true, errors.New("its SRV records name no host that can be reached")
	}
	return nil, false, nil
}

// service gives the places of one SRV name, and says whether it has records.
func (r *Resolver) service(ctx context.Context, c choice, host string) (places []Place, found bool, err error) {
	records, err := r.ask(ctx, c.name, dns.TypeSRV)
	if err != nil {
		return nil, false, err
	}
	servers := byWeight(records)
	lists := each(servers, func(s *dns.SRV) []Place {
		if s.Target == "." { // decidedly not there (RFC 2782)
			return nil
		}
		addrs, err := r.addresses(ctx, strings.TrimSuffix(s.Target, "."))
		if err != nil {
			return nil // the others are tried
		}
		return placesAt(addrs, c.network, int(s.Port), host)
	})
	return slices.Concat(lists...), len(servers) > 0, nil
}

// addresses gives the addresses of a host, at least one without an error: those
// of IPv4 first, because more of the telephone world is reached by it.
func (r *Resolver) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr.Unmap()}, nil
	}
	if addrs := hosts(r.cfg.Hosts, host); len(addrs) > 0 {
		return addrs, nil
	}
	var failure error
	for _, name := range r.system().NameList(host) {
		type result struct {
			records []dns.RR
			err     error
		}
		results := each([]uint16{dns.TypeA, dns.TypeAAAA}, func(kind uint16) (res result) {
			res.records, res.err = r.ask(ctx, name, kind)
			return res
		})
		var addrs []netip.Addr
		for _, res := range results {
			addrs = append(addrs, addressesIn(res.records)...)
			failure = errors.Join(failure, res.err)
		}
		if len(addrs) > 0 {
			return addrs, nil
		}
	}
	if failure != nil {
		return nil, failure
	}
	return nil, errors.New("the DNS knows no address of it: check the name")
}

func placesAt(addrs []netip.Addr, network string, port int, name string) []Place {
	places := make([]Place, len(addrs))
	for i, a := range addrs {
		places[i] = Place{network, netip.AddrPortFrom(a, uint16(port)), name}
	}
	return places
}

// Failed says that a place could not be reached, or did not answer.
func (r *Resolver) Failed(p Place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.failed) >= maxKept {
		clear(r.failed)
	}
	r.failed[p] = time.Now()
}

// Doubtful says that a place has failed just now.
func (r *Resolver) Doubtful(p Place) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.penalty(p) > 0
}

// Works says that a place has answered.
func (r *Resolver) Works(p Place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.failed, p)
}

// failedLast moves places that have failed just now behind the others.
func (r *Resolver) failedLast(places []Place) []Place {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortStableFunc(places, func(a, b Place) int { return cmp.Compare(r.penalty(a), r.penalty(b)) })
	return places
}

// penalty is 1 for a place that has failed just now. r.mu is held.
func (r *Resolver) penalty(p Place) int {
	at, ok := r.failed[p]
	switch {
	case !ok:
		return 0
	case time.Since(at) > avoided:
		delete(r.failed, p)
		return 0
	}
	return 1
}

// each does something for all at the same time.
func each[T, R any](all []T, do func(T) R) []R {
	results := make([]R, len(all))
	var wg sync.WaitGroup
	for i, one := range all {
		wg.Go(func() { results[i] = do(one) })
	}
	wg.Wait()
	return results
}
