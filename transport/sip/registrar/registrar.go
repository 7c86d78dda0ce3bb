// SPDX-License-Identifier: MIT

package registrar

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
)

const (
	// sweepEvery is how often what has expired, or is nobody's, is forgotten.
	sweepEvery = 5 * time.Second
	// durableWithin is how long a phone is kept waiting for the disk.
	durableWithin = 5 * time.Second
)

// Journal makes registrations durable. engine.Journal is one.
type Journal interface {
	Append(changes ...engine.Change)
	Durable(ctx context.Context) error
}

// Config is what a Registrar is made of.
type Config struct {
	Journal Journal
	Log     *slog.Logger
	// Node names this machine in registrations.
	Node string
	// May says whether a user is still there and may register; the phones of
	// one that is not are forgotten within seconds. Required.
	May func(account, user string) bool
	// Reachable says whether a phone can still be rung at a place. Those where
	// it cannot are the first to go when there are too many. It must not call
	// the Registrar. Required.
	Reachable func(directory.Registration) bool
	// Saved is what was kept of an earlier run.
	Saved []directory.Registration
	// Contacts is how many places a user may be at; 0 is 10.
	Contacts int
	// Expires is for how long a phone is kept that does not say, MinExpires the
	// shortest and MaxExpires the longest that it may say. 0 is an hour, a minute
	// and two hours.
	Expires, MinExpires, MaxExpires time.Duration
}

// owner is a user.
type owner struct{ account, user string }

// Registrar knows where phones are. Its methods may be called from any
// goroutine.
type Registrar struct {
	cfg   Config
	stop  context.CancelFunc
	swept sync.WaitGroup

	mu     sync.Mutex
	places map[owner][]directory.Registration
	// sources counts the registrations that came from an address.
	sources map[netip.AddrPort]int
}

// New makes a Registrar that knows what was saved.
func New(cfg Config) *Registrar {
	cfg.Contacts = cmp.Or(cfg.Contacts, 10)
	cfg.Expires = cmp.Or(cfg.Expires, time.Hour)
	cfg.MinExpires = cmp.Or(cfg.MinExpires, time.Minute)
	cfg.MaxExpires = cmp.Or(cfg.MaxExpires, 2*time.Hour)
	r := &Registrar{cfg: cfg, places: map[owner][]directory.Registration{}, sources: map[netip.AddrPort]int{}}
	for _, saved := range cfg.Saved {
		r.put(saved)
	}
	r.cfg.Saved = nil
	return r
}

// Start begins to forget what has expired.
func (r *Registrar) Start() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.swept.Go(func() {
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			r.sweep(time.Now())
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
}

// Close ends what Start began. What is registered stays so.
func (r *Registrar) Close() {
	if r.stop != nil {
		r.stop()
	}
	r.swept.Wait()
}

// Register carries out what a user's phone wants, all of it or nothing. It
// returns when that is durable.
func (r *Registrar) Register(u directory.User, req dialog.Request) dialog.Response {
	wanted, no := r.read(req)
	if no != nil {
		return *no
	}
	places, no := r.update(u, req, wanted)
	if no != nil {
		return *no
	}
	ctx, cancel := context.WithTimeout(context.Background(), durableWithin)
	defer cancel()
	if wanted.all || len(wanted.each) > 0 {
		if err := r.cfg.Journal.Durable(ctx); err != nil {
			r.cfg.Log.Error("a registration could not be kept", "user", u.ID, "err", err)
			return *refuse(sip.StatusServiceUnavailable, "Service Unavailable", dialog.Header{Name: "Retry-After", Value: "5"})
		}
	}
	ok := dialog.Response{Status: sip.StatusOK, Phrase: "OK"}
	for _, p := range places {
		ok.Headers = append(ok.Headers, dialog.Header{
			Name: "Contact", Value: "<" + p.Contact + ">;expires=" + seconds(time.Until(p.Expires)),
		})
	}
	return ok
}

// update changes where a user is, and gives all places.
func (r *Registrar) update(u directory.User, req dialog.Request, wanted wishes) ([]directory.Registration, *dialog.Response) {
	r.mu.Lock()
	defer r.mu.Unlock()
	who, now := owner{u.Account, u.ID}, time.Now()
	before := slices.DeleteFunc(slices.Clone(r.places[who]), func(p directory.Registration) bool { return !now.Before(p.Expires) })
	places := slices.Clone(before)
	if wanted.all {
		for _, p := range before {
			wanted.each = append(wanted.each, wish{contact: p.Contact})
		}
	}
	var saved, ended []directory.Registration
	for _, w := range wanted.each {
		same := func(p directory.Registration) bool { return p.Contact == w.contact }
		if i := slices.IndexFunc(before, same); i >= 0 && before[i].CallID == req.CallID && req.CSeq <= before[i].CSeq {
			return nil, refuse(sip.StatusInternalServerError, "CSeq Out Of Order")
		}
		at := slices.IndexFunc(places, same)
		if w.expires == 0 {
			if at >= 0 {
				ended = append(ended, places[at])
				places = slices.Delete(places, at, at+1)
				saved = slices.DeleteFunc(saved, same) // what one request gives and takes back
			}
			continue
		}
		p := r.registration(u, req, w, now)
		saved = append(saved, p)
		if at >= 0 {
			places[at] = p
		} else {
			places = append(places, p)
		}
	}
	if len(places) > r.cfg.Contacts && len(saved) > 0 {
		stay, gone, ok := r.makeRoom(places, saved)
		if !ok {
			return nil, refuse(sip.StatusForbidden, "Too Many Contacts",
				warning("a user can be registered at %d contacts; take one back, or wait until one expires", r.cfg.Contacts))
		}
		places = stay
		for _, p := range gone {
			r.cfg.Log.Info("forgot where a phone was, to make room for another", "user", u.ID, "contact", p.Contact, "source", p.Source)
			r.forget(p)
		}
	}
	for _, p := range ended {
		r.drop(p)
		r.cfg.Journal.Append(engine.RegistrationEnded{Account: p.Account, User: p.User, Contact: p.Contact})
	}
	for _, p := range saved {
		r.put(p)
		r.cfg.Journal.Append(engine.RegistrationSaved{Registration: p})
	}
	return places, nil
}

// registration is what is kept of a wish. Its strings are copies, so that no
// message stays in memory with them.
func (r *Registrar) registration(u directory.User, req dialog.Request, w wish, now time.Time) directory.Registration {
	agent := ""
	if values := req.Header("User-Agent"); len(values) > 0 {
		agent = values[0][:min(len(values[0]), 100)]
	}
	return directory.Registration{
		Account: u.Account, User: u.ID, Contact: w.contact,
		Source: strings.ToLower(req.Network) + ":" + req.Hop.String(),
		CallID: strings.Clone(req.CallID), CSeq: req.CSeq, Agent: strings.Clone(strings.ToValidUTF8(agent, "")),
		Node: r.cfg.Node, Expires: now.Add(w.expires),
	}
}

// put adds a registration, or takes it in place of that of the same contact.
// r.mu is held.
func (r *Registrar) put(p directory.Registration) {
	r.drop(p)
	who := owner{p.Account, p.User}
	r.places[who] = append(r.places[who], p)
	if at, err := source(p); err == nil {
		r.sources[at]++
	}
}

// drop takes out the registration of the same contact. r.mu is held.
func (r *Registrar) drop(p directory.Registration) {
	who := owner{p.Account, p.User}
	at := slices.IndexFunc(r.places[who], func(q directory.Registration) bool { return q.Contact == p.Contact })
	if at < 0 {
		return
	}
	if from, err := source(r.places[who][at]); err == nil {
		if r.sources[from]--; r.sources[from] == 0 {
			delete(r.sources, from)
		}
	}
	if r.places[who] = slices.Delete(r.places[who], at, at+1); len(r.places[who]) == 0 {
		delete(r.places, who)
	}
}

// source is the address that a registration came from.
func source(p directory.Registration) (netip.AddrPort, error) {
	_, address, _ := strings.Cut(p.Source, ":")
	return netip.ParseAddrPort(address)
}

// sweep forgets what has expired, and the phones of users who may not register
// any more: another user with the same id must not get them. What is kept of a
// phone that was at another node is left to that one, where it may be again.
func (r *Registrar) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var gone []directory.Registration
	for who, places := range r.places {
		may := r.cfg.May(who.account, who.user)
		for _, p := range places {
			if !may || !now.Before(p.Expires) {
				gone = append(gone, p)
			}
		}
	}
	for _, p := range gone {
		r.forget(p)
	}
}

// forget drops a registration that its phone has not taken back. r.mu is held.
func (r *Registrar) forget(p directory.Registration) {
	r.drop(p)
	if p.Node == r.cfg.Node {
		r.cfg.Journal.Append(engine.RegistrationEnded{Account: p.Account, User: p.User, Contact: p.Contact})
	}
}

// All gives where the phones of all users are now.
func (r *Registrar) All() []directory.Registration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var live []directory.Registration
	now := time.Now()
	for _, places := range r.places {
		for _, p := range places {
			if now.Before(p.Expires) {
				live = append(live, p)
			}
		}
	}
	return live
}

// Places gives where a user's phones are now, the one heard of last at the end.
func (r *Registrar) Places(account, user string) []directory.Registration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var live []directory.Registration
	now := time.Now()
	for _, p := range r.places[owner{account, user}] {
		if now.Before(p.Expires) {
			live = append(live, p)
		}
	}
	return live
}

// Knows says whether a phone is registered from a source.
func (r *Registrar) Knows(source netip.AddrPort) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sources[source] > 0
}
