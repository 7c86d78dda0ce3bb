// SPDX-License-Identifier: MIT

package trunk

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// Peer is the other side of a trunk. Its answers are final responses; an error
// is that none came.
type Peer interface {
	// Register has us known at contacts for some seconds, 0 forgets them.
	Register(ctx context.Context, contacts []string, expires int) (dialog.Response, error)
	// Options asks whether it is there.
	Options(context.Context) (dialog.Response, error)
	// Contact is where it reaches us as a user.
	Contact(ctx context.Context, user string) (string, error)
	// Lost gives what is closed when the connection of the last Register ends.
	Lost() <-chan struct{}
}

// Config is what Trunks are made of.
type Config struct {
	Directory *directory.Directory
	// Peer gives the other side of a trunk that has an address. What one Peer is
	// asked, it is asked one after the other.
	Peer func(directory.Trunk) (Peer, error)
	Log  *slog.Logger
}

// Trunks are those of a Directory, and how each of them does. All methods may be
// called from any goroutine.
type Trunks struct {
	cfg  Config
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	mu     sync.Mutex
	states map[key]*state
	tokens map[string]key // of those that register
	kept   map[key]*keeper
}

// key names a trunk.
type key struct{ account, name string }

func keyOf(t directory.Trunk) key { return key{t.Account, t.Name} }

// state is how one trunk does.
type state struct {
	seats seats
	// down says that it does not answer OPTIONS, of which it has missed some;
	// until is how long it wants no calls.
	missed int
	down   bool
	until  time.Time
	// reason is why it gets no calls, while it is not healthy.
	reason string
	// registered is until when it knows us, problem why it does not.
	registered time.Time
	problem    string
	// registrar is who said so last.
	registrar netip.Addr
}

// healthy says whether calls may be sent to it.
func (s *state) healthy(now time.Time) bool { return !s.down && !now.Before(s.until) }

// keeper is what keeps one trunk registered and watched.
type keeper struct {
	watched watched
	stop    context.CancelFunc
	done    chan struct{}
}

// watched is what a keeper depends on of its trunk.
type watched struct {
	address, username, password, options string
	register                             bool
	tls                                  directory.TrunkTLS
}

func watchedOf(t directory.Trunk) watched {
	return watched{t.Address, t.Username, t.Password, t.Options, t.Register, t.TLS}
}

// New makes Trunks that ask nobody anything yet.
func New(cfg Config) *Trunks {
	t := &Trunks{cfg: cfg, states: map[key]*state{}, tokens: map[string]key{}, kept: map[key]*keeper{}}
	t.ctx, t.stop = context.WithCancel(context.Background())
	return t
}

// Start begins to register and to watch, and follows the Directory from then on.
func (t *Trunks) Start() {
	t.work.Go(func() {
		for {
			changed := t.cfg.Directory.Changed()
			t.keep(t.cfg.Directory.Trunks())
			select {
			case <-changed:
			case <-t.ctx.Done():
				return
			}
		}
	})
}

// Close takes back what is registered, which takes two seconds at most, and
// stops. It may be called more than once, and without Start.
func (t *Trunks) Close() {
	t.stop()
	t.work.Wait()
}

// keep has the trunks that are configured kept, and no others.
func (t *Trunks) keep(trunks []directory.Trunk) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, old := range t.kept {
		now := slices.IndexFunc(trunks, func(trunk directory.Trunk) bool { return keyOf(trunk) == k })
		if now < 0 || watchedOf(trunks[now]) != old.watched {
			old.stop()
		}
		if now < 0 {
			delete(t.kept, k)
		}
	}
	for k, s := range t.states {
		gone := !slices.ContainsFunc(trunks, func(trunk directory.Trunk) bool { return keyOf(trunk) == k })
		if gone && s.seats.taken == 0 {
			delete(t.states, k)
		}
	}
	for _, trunk := range trunks {
		old := t.kept[keyOf(trunk)]
		if old != nil && old.watched == watchedOf(trunk) || t.ctx.Err() != nil {
			continue
		}
		k := &keeper{watched: watchedOf(trunk), done: make(chan struct{})}
		var ctx context.Context
		ctx, k.stop = context.WithCancel(t.ctx)
		t.kept[keyOf(trunk)] = k
		t.work.Go(func() {
			defer close(k.done)
			if old != nil {
				<-old.done // it may still be taking back what we are about to register
			}
			t.tend(ctx, trunk)
		})
	}
}

// tend keeps a trunk until ctx ends.
func (t *Trunks) tend(ctx context.Context, trunk directory.Trunk) {
	t.change(trunk, func(s *state) { *s = state{seats: s.seats, until: s.until} })
	var both sync.WaitGroup
	if trunk.Register {
		both.Go(func() { t.register(ctx, trunk) })
	}
	if every, err := time.ParseDuration(trunk.Options); err == nil && every > 0 {
		both.Go(func() { t.watch(ctx, trunk, every) })
	}
	both.Wait()
}

// change does something with the state of a trunk.
func (t *Trunks) change(trunk directory.Trunk, do func(*state)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do(t.state(keyOf(trunk)))
}

// state gives that of a trunk. t.mu is held.
func (t *Trunks) state(k key) *state {
	s := t.states[k]
	if s == nil {
		s = &state{}
		t.states[k] = s
	}
	return s
}

// Order gives trunks in the order in which a call tries them: those that answer
// first.
func (t *Trunks) Order(trunks []directory.Trunk) []directory.Trunk {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	ordered := slices.Clone(trunks)
	slices.SortStableFunc(ordered, func(a, b directory.Trunk) int {
		return cmp.Compare(t.rank(a, now), t.rank(b, now))
	})
	return ordered
}

func (t *Trunks) rank(trunk directory.Trunk, now time.Time) int {
	if s := t.states[keyOf(trunk)]; s != nil && !s.healthy(now) {
		return 1
	}
	return 0
}

// Knows says whether an address is that of somebody whom we are registered with,
// who may ask by OPTIONS how we are.
func (t *Trunks) Knows(a netip.Addr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.tokens {
		if s := t.states[k]; s != nil && s.registrar == a.Unmap() && s.registered.After(time.Now()) {
			return true
		}
	}
	return false
}

// longestRefusal is how long a trunk is believed to want no calls.
const longestRefusal = 10 * time.Minute

// Avoid has a trunk be left for last for some time: it wants no calls (RFC 3261
// section 21.5.4), or does not answer. Why says it to a person.
func (t *Trunks) Avoid(trunk directory.Trunk, wait time.Duration, why string) {
	wait = min(wait, longestRefusal)
	if wait <= 0 {
		return
	}
	now := time.Now()
	t.change(trunk, func(s *state) {
		if s.healthy(now) {
			t.cfg.Log.Warn("a trunk takes no calls; others are tried first for some time", "trunk", trunk.Name, "reason", why, "seconds", int(wait/time.Second))
		}
		if until := now.Add(wait); until.After(s.until) {
			s.until, s.reason = until, why
		}
	})
}

// Status gives how all trunks do that are configured, by account and name.
func (t *Trunks) Status() []directory.TrunkStatus {
	all := t.cfg.Directory.Trunks()
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	status := make([]directory.TrunkStatus, 0, len(all))
	for _, trunk := range all {
		s := t.states[keyOf(trunk)]
		if s == nil {
			s = &state{}
		}
		one := directory.TrunkStatus{
			Account: trunk.Account, Name: trunk.Name, Healthy: s.healthy(now), Calls: s.seats.taken, Error: s.problem,
		}
		if !one.Healthy {
			one.Error = cmp.Or(s.problem, s.reason)
		}
		if s.registered.After(now) {
			one.RegisteredUntil = s.registered
		}
		status = append(status, one)
	}
	return status
}
