// SPDX-License-Identifier: MIT

package resolve

import (
	"context"
	"fmt"
	"time"

	"github.com/miekg/dns"
)

const (
	// tryTime is how long one server has to answer, until the next is asked.
	tryTime = time.Second
	// rounds is how often all servers are asked.
	rounds = 2
	// leastKept and mostKept bound how long an answer is kept, and denialKept
	// how long it is that there is nothing.
	leastKept  = time.Second
	mostKept   = time.Hour
	denialKept = time.Minute
	// staleKept is how long an answer that is too old is used when no server
	// answers (RFC 8767).
	staleKept = 24 * time.Hour
)

// question is what a server is asked.
type question struct {
	name string
	kind uint16
}

// answer is what it said, for as long as that is to be believed.
type answer struct {
	records []dns.RR
	until   time.Time
}

// ask gives the records of a name; none if there are none. Of several who ask the
// same at a time one does, and the others wait.
func (r *Resolver) ask(ctx context.Context, name string, kind uint16) ([]dns.RR, error) {
	q := question{dns.CanonicalName(name), kind}
	for {
		r.mu.Lock()
		known := r.kept[q]
		if known != nil && time.Now().Before(known.until) {
			r.mu.Unlock()
			return known.records, nil
		}
		other := r.asking[q]
		if other == nil {
			r.asking[q] = make(chan struct{})
		}
		r.mu.Unlock()
		if other == nil {
			return r.askAnew(ctx, q, known)
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// askAnew asks the servers. old is what they said last.
func (r *Resolver) askAnew(ctx context.Context, q question, old *answer) ([]dns.RR, error) {
	fresh, err := r.exchange(ctx, q)
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.asking[q])
	delete(r.asking, q)
	switch {
	case err == nil:
		r.keep(q, fresh)
		return fresh.records, nil
	case old != nil && time.Since(old.until) < staleKept:
		return old.records, nil
	}
	return nil, err
}

// keep keeps an answer. When there is no room, those go that are too old, or all.
// r.mu is held.
func (r *Resolver) keep(q question, a *answer) {
	if len(r.kept) >= maxKept {
		for q, a := range r.kept {
			if time.Now().After(a.until) {
				delete(r.kept, q)
			}
		}
		if len(r.kept) >= maxKept {
			clear(r.kept)
		}
	}
	r.kept[q] = a
}

// system gives the servers to ask, and how names are completed. The file is read
// each time: that is nothing beside asking, and it may change.
func (r *Resolver) system() *dns.ClientConfig {
	if len(r.cfg.Servers) > 0 {
		return &dns.ClientConfig{Servers: r.cfg.Servers, Ndots: 1}
	}
	c, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil || len(c.Servers) == 0 {
		return &dns.ClientConfig{Servers: []string{"127.0.0.1:53"}, Ndots: 1}
	}
	for i, s := range c.Servers {
		c.Servers[i] = joinPort(s, c.Port)
	}
	return c
}

// exchange asks the servers one after the other until one gives an answer.
func (r *Resolver) exchange(ctx context.Context, q question) (*answer, error) {
	msg := new(dns.Msg)
	msg.SetQuestion(q.name, q.kind)
	msg.SetEdns0(1232, false)
	var last error
	for range rounds {
		for _, server := range r.system().Servers {
			reply, err := r.exchangeWith(ctx, server, msg)
			switch {
			case over(ctx):
				return nil, context.Cause(ctx)
			case err != nil:
				last = fmt.Errorf("ask the DNS server %s: %w", server, err)
			case reply.Rcode == dns.RcodeSuccess, reply.Rcode == dns.RcodeNameError:
				return answered(reply, q), nil
			default:
				last = fmt.Errorf("the DNS server %s answers %s", server, dns.RcodeToString[reply.Rcode])
			}
		}
	}
	return nil, last
}

// over says whether a context has ended. A socket knows of its deadline a little
// before the context does.
func over(ctx context.Context) bool {
	if until, ok := ctx.Deadline(); ok && !time.Now().Before(until) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}

func (r *Resolver) exchangeWith(ctx context.Context, server string, msg *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, r.try)
	defer cancel()
	reply, _, err := r.client.ExchangeContext(ctx, msg, server)
	if err != nil || !reply.Truncated {
		return reply, err
	}
	byTCP := dns.Client{Net: "tcp"}
	reply, _, err = byTCP.ExchangeContext(ctx, msg, server)
	return reply, err
}

// answered takes what is in a reply, and for how long it holds.
func answered(reply *dns.Msg, q question) *answer {
	a := &answer{}
	keep := mostKept
	for _, rr := range reply.Answer {
		keep = min(keep, time.Duration(rr.Header().Ttl)*time.Second)
		if rr.Header().Rrtype == q.kind {
			a.records = append(a.records, rr)
		}
	}
	if len(a.records) == 0 {
		keep = min(keep, denialKept)
		for _, rr := range reply.Ns {
			if soa, ok := rr.(*dns.SOA); ok { // RFC 2308 section 5
				keep = min(keep, time.Duration(min(soa.Minttl, soa.Hdr.Ttl))*time.Second)
			}
		}
	}
	a.until = time.Now().Add(max(keep, leastKept))
	return a
}
