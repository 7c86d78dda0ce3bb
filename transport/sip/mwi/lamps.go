// SPDX-License-Identifier: MIT

package mwi

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/directory"
)

const (
	// sweepEvery is how often it is seen whose subscription has expired.
	sweepEvery = time.Second
	// countWithin is how long a count may take, and countAgain when it is tried
	// again if it failed.
	countWithin = 5 * time.Second
	countAgain  = 10 * time.Second
	// settle is how long a phone has for itself after it has registered.
	settle = 500 * time.Millisecond
	// farewell is how long phones have to answer that it is over.
	farewell = 500 * time.Millisecond
)

// Mailboxes counts messages. engine.Recordings is one.
type Mailboxes interface {
	// Messages counts those in a box that are not heard yet, and those that are.
	Messages(ctx context.Context, account, box string) (unheard, heard int, err error)
}

// Config is what Lamps are made of.
type Config struct {
	Mailboxes Mailboxes
	Log       *slog.Logger
	// May says whether a user is still there and may be told. Required.
	May func(account, user string) bool
	// Phones gives where a user is registered and can be reached, and Unasked the
	// Watcher of such a phone that has not subscribed, with the URI that its
	// messages are named after. Required.
	Phones  func(account, user string) []directory.Registration
	Unasked func(directory.Registration) (w Watcher, account string, err error)
	// Expires is for how long a subscription lasts that does not say, MinExpires
	// the shortest and MaxExpires the longest that may be said. 0 is an hour, a
	// minute and two hours.
	Expires, MinExpires, MaxExpires time.Duration
	// Most is how many subscriptions there may be, and MostOfOne how many of a
	// user; 0 is 10,000 and 10.
	Most, MostOfOne int
}

// owner is a user.
type owner struct{ account, user string }

// job is what is to be told to a user's phones.
type job struct {
	counts counts // known if they need not be counted
	// all of them are to be told, or those at contacts, besides those that wait.
	all      bool
	contacts []string
	after    time.Time
}

// Lamps are what all phones show. Their methods may be called from any goroutine.
type Lamps struct {
	cfg  Config
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup
	wake chan struct{}

	mu      sync.Mutex
	lamps   map[owner][]*lamp
	watched map[Watcher]*lamp // those that have subscribed
	jobs    map[owner]*job
	flying  int // NOTIFYs that have no answer
	closed  bool
	landed  chan struct{} // closed when all have one after Close

	// blind says until when messages cannot be counted. Only tell touches it.
	blind time.Time
}

// New makes Lamps that tell nobody yet.
func New(cfg Config) *Lamps {
	cfg.Expires = cmp.Or(cfg.Expires, time.Hour)
	cfg.MinExpires = cmp.Or(cfg.MinExpires, time.Minute)
	cfg.MaxExpires = cmp.Or(cfg.MaxExpires, 2*time.Hour)
	cfg.Most, cfg.MostOfOne = cmp.Or(cfg.Most, 10_000), cmp.Or(cfg.MostOfOne, 10)
	l := &Lamps{
		cfg: cfg, wake: make(chan struct{}, 1), landed: make(chan struct{}),
		lamps: map[owner][]*lamp{}, watched: map[Watcher]*lamp{}, jobs: map[owner]*job{},
	}
	l.ctx, l.stop = context.WithCancel(context.Background())
	return l
}

// Start begins to tell.
func (l *Lamps) Start() {
	l.work.Go(func() {
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			select {
			case <-l.wake:
			case now := <-tick.C:
				l.sweep(now)
			case <-l.ctx.Done():
				return
			}
			l.carryOut(time.Now())
		}
	})
}

// Close tells those that have subscribed that it is over, and waits a little for
// them. What is asked for from now on is refused.
func (l *Lamps) Close() {
	l.stop()
	l.work.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.closed, l.ctx = true, ctx
	for _, p := range l.watched {
		if p.lives() {
			l.end(p, reasonShutdown)
		}
	}
	if l.flying == 0 {
		close(l.landed)
	}
	l.mu.Unlock()
	select {
	case <-l.landed:
	case <-ctx.Done():
	}
}

// Indicate tells a user's phones how many messages wait.
func (l *Lamps) Indicate(account, user string, unheard, heard int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.want(owner{account, user}, counts{true, unheard, heard}, func(j *job) { j.all = true })
}

// Registered tells a user's phones that have just registered at contacts, a moment
// later: those that subscribe have done so by then.
func (l *Lamps) Registered(account, user string, contacts []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	who := owner{account, user}
	if l.closed {
		return
	}
	if l.jobs[who] == nil {
		l.jobs[who] = &job{after: time.Now().Add(settle)}
	}
	for _, c := range contacts {
		l.jobs[who].contacts = append(l.jobs[who].contacts, place(c))
	}
}

// want has something told to a user's phones, with the counts if they are known.
// l.mu is held.
func (l *Lamps) want(who owner, c counts, change func(*job)) {
	if l.closed {
		return
	}
	j := l.jobs[who]
	if j == nil {
		j = &job{}
		l.jobs[who] = j
	}
	j.after = time.Time{}
	if c.known {
		j.counts = c
	}
	if change != nil {
		change(j)
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// carryOut does what there is to do, user by user.
func (l *Lamps) carryOut(now time.Time) {
	l.mu.Lock()
	var ready []owner
	for who, j := range l.jobs {
		if !now.Before(j.after) {
			ready = append(ready, who)
		}
	}
	l.mu.Unlock()
	for _, who := range ready {
		l.tell(who)
	}
}

// tell tells a user's phones what there is to tell. One user comes after the
// other, and what was counted last is told last.
func (l *Lamps) tell(who owner) {
	l.mu.Lock()
	j := l.jobs[who]
	delete(l.jobs, who)
	l.mu.Unlock()
	if !l.cfg.May(who.account, who.user) {
		return
	}
	c := j.counts
	if !c.known {
		c = l.count(who)
	}
	phones := l.cfg.Phones(who.account, who.user)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil {
		return
	}
	for _, p := range slices.Clone(l.lamps[who]) {
		if p.wanted || c.known && j.all && p.lives() {
			l.show(p, c)
		}
	}
	if !c.known {
		l.later(who, j)
		return
	}
	for _, r := range phones {
		if j.all || slices.Contains(j.contacts, place(r.Contact)) {
			l.showUnasked(who, r, c)
		}
	}
}

// count counts a user's messages.
func (l *Lamps) count(who owner) counts {
	if time.Now().Before(l.blind) {
		return counts{}
	}
	ctx, cancel := context.WithTimeout(l.ctx, countWithin)
	defer cancel()
	unheard, heard, err := l.cfg.Mailboxes.Messages(ctx, who.account, who.user)
	if err == nil {
		l.blind = time.Time{}
		return counts{true, unheard, heard}
	}
	if l.blind.IsZero() && l.ctx.Err() == nil {
		l.cfg.Log.Warn("the messages that wait cannot be counted; phones are told later", "user", who.user, "err", err)
	}
	l.blind = time.Now().Add(countAgain)
	return counts{}
}

// later has what could not be told tried again. l.mu is held.
func (l *Lamps) later(who owner, j *job) {
	if l.jobs[who] == nil {
		j.after, j.all = l.blind, true
		l.jobs[who] = j
	}
}

// showUnasked tells a phone that is registered, unless it has subscribed. l.mu is
// held.
func (l *Lamps) showUnasked(who owner, r directory.Registration, c counts) {
	var told *lamp // that this is being told to already
	for _, p := range l.lamps[who] {
		switch {
		case !p.is(r):
		case p.lives():
			return
		case p.expires.IsZero():
			told = p
		}
	}
	if told != nil {
		l.show(told, c)
		return
	}
	w, account, err := l.cfg.Unasked(r)
	if err != nil {
		l.cfg.Log.Info("a phone cannot be told that messages wait", "user", who.user, "contact", r.Contact, "err", err)
		return
	}
	p := &lamp{owner: who, watcher: w, account: account, contact: place(r.Contact)}
	l.lamps[who] = append(l.lamps[who], p)
	l.show(p, c)
}

// sweep ends the subscriptions that have expired, and those of users who are not
// there any more.
func (l *Lamps) sweep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	may := map[owner]bool{}
	for _, p := range l.watched {
		if !p.lives() {
			continue
		}
		if _, asked := may[p.owner]; !asked {
			may[p.owner] = l.cfg.May(p.owner.account, p.owner.user)
		}
		switch {
		case !may[p.owner]:
			l.end(p, reasonGone)
		case !now.Before(p.expires):
			l.end(p, reasonTimeout)
		}
	}
}

// address is where a registration came from.
func address(r directory.Registration) string {
	_, at, _ := strings.Cut(r.Source, ":")
	return at
}
