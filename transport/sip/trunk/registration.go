// SPDX-License-Identifier: MIT

package trunk

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	randv2 "math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/sip/dialog"
)

const (
	// asked is for how long we register; longest is what a registrar may make of
	// it (RFC 3261 section 10.3, Min-Expires).
	asked   = 10 * time.Minute
	longest = 24 * time.Hour
	// answered is how long one REGISTER may take, farewell the last one.
	answered = 20 * time.Second
	farewell = 2 * time.Second
)

// How long is waited after the first failure, and at most. Who refuses us is
// asked so seldom that nobody takes it for an attack.
const (
	silentAgain  = 30 * time.Second
	silentMost   = 5 * time.Minute
	refusedAgain = 2 * time.Minute
	refusedMost  = time.Hour
)

// registration is ours with one trunk.
type registration struct {
	trunks  *Trunks
	trunk   directory.Trunk
	user    string // of our Contact
	peer    Peer
	expires time.Duration
	// failures are those in a row; known says that it may know us.
	failures int
	known    bool
	source   netip.Addr // of the last answer
}

// register keeps us registered until ctx ends, and then takes that back.
func (t *Trunks) register(ctx context.Context, trunk directory.Trunk) {
	r := &registration{trunks: t, trunk: trunk, user: contactUser(trunk), expires: asked}
	t.admit(r.user, keyOf(trunk))
	defer t.dismiss(r.user, keyOf(trunk))
	for r.rest(ctx, r.refresh(ctx)) {
	}
	r.leave(context.WithoutCancel(ctx))
}

// steady is how long a connection must have lasted for us to register again as
// soon as it ends. Some registrars end each of them at once.
const steady = time.Minute

// rest waits until it is time to register again: after a while, or when the
// connection has ended over which we would be called. It says false if ctx ends.
func (r *registration) rest(ctx context.Context, wait time.Duration) bool {
	var lost <-chan struct{}
	if r.peer != nil && r.failures == 0 {
		lost = r.peer.Lost()
	}
	begun := time.Now()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-lost:
		lasted := time.Since(begun)
		if wait -= lasted; lasted >= steady {
			wait = min(wait, time.Second+randv2.N(4*time.Second)) // not all at the same time
		}
		return sleep(ctx, wait)
	}
	return ctx.Err() == nil
}

// contactUser is the user of our Contact at a trunk. Nobody else can guess it, so
// a call to it is the trunk's; and it is the same after a restart, so that no call
// goes to what we were before.
func contactUser(t directory.Trunk) string {
	secret := []byte(t.Password)
	if t.Password == "" {
		secret = make([]byte, 16)
		rand.Read(secret)
	}
	mac := hmac.New(sha256.New, secret)
	for _, part := range []string{"contact", t.Account, t.Name, t.Address, t.Username} {
		mac.Write([]byte(part + "\x00"))
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

func (t *Trunks) admit(user string, k key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tokens[user] = k
}

func (t *Trunks) dismiss(user string, k key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tokens, user)
	s := t.state(k)
	s.registered, s.problem = time.Time{}, ""
}

// Of finds the trunk that we registered with at a Contact with that user.
func (t *Trunks) Of(user string) (directory.Trunk, bool) {
	t.mu.Lock()
	k, ok := t.tokens[user]
	t.mu.Unlock()
	if !ok {
		return directory.Trunk{}, false
	}
	return t.cfg.Directory.Trunk(k.account, k.name)
}

// refresh registers once, and says when to do so again.
func (r *registration) refresh(ctx context.Context) time.Duration {
	granted, err := r.ask(ctx, r.expires)
	if tooBrief := (*briefError)(nil); errors.As(err, &tooBrief) && tooBrief.least <= longest {
		r.expires = max(tooBrief.least, r.expires)
		granted, err = r.ask(ctx, r.expires)
	}
	switch {
	case ctx.Err() != nil:
		return 0 // whoever waits sees that too
	case err != nil:
		return r.failed(err)
	}
	r.failures = 0
	r.trunks.change(r.trunk, func(s *state) {
		if s.problem != "" || s.registered.IsZero() {
			r.trunks.cfg.Log.Info("registered with a trunk", "trunk", r.trunk.Name, "address", r.trunk.Address, "seconds", int(granted/time.Second))
		}
		s.registered, s.problem, s.registrar = time.Now().Add(granted), "", r.source
	})
	// Early enough for a second try, and not all trunks at the same time.
	return max(time.Duration(float64(granted)*(0.7+0.15*randv2.Float64())), time.Second)
}

// failed takes a failure, and says how long to wait after it.
func (r *registration) failed(err error) time.Duration {
	r.failures++
	wait, most := silentAgain, silentMost
	refused, tooBrief := (*refusedError)(nil), (*briefError)(nil)
	if errors.As(err, &refused) && refused.final() || errors.As(err, &tooBrief) {
		wait, most = refusedAgain, refusedMost
	}
	for range r.failures - 1 {
		wait = min(2*wait, most)
	}
	wait = time.Duration(float64(wait) * (0.75 + 0.25*randv2.Float64()))
	if refused != nil {
		wait = max(wait, min(refused.after, refusedMost))
	}
	r.trunks.change(r.trunk, func(s *state) {
		if s.problem != err.Error() {
			r.trunks.cfg.Log.Warn("not registered with a trunk", "trunk", r.trunk.Name, "address", r.trunk.Address, "err", err, "again_in_seconds", int(wait/time.Second))
		}
		if s.problem = err.Error(); !s.registered.After(time.Now()) {
			s.registered = time.Time{}
		}
	})
	return wait
}

// ask sends one REGISTER and gives how long it holds.
func (r *registration) ask(ctx context.Context, expires time.Duration) (time.Duration, error) {
	if r.peer == nil {
		peer, err := r.trunks.cfg.Peer(r.trunk)
		if err != nil {
			return 0, err
		}
		r.peer = peer
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answered, fmt.Errorf("no answer to REGISTER for %v", answered))
	defer cancel()
	contact, err := r.peer.Contact(ctx, r.user)
	if err != nil {
		return 0, err
	}
	known := r.known
	r.known = known || expires > 0
	res, err := r.peer.Register(ctx, []string{contact}, int(expires/time.Second))
	if err != nil {
		r.peer = nil // its connection may be dead, or its name lead elsewhere now
		return 0, err
	}
	if r.source = res.Source.Addr().Unmap(); res.Status/100 == 2 {
		return granted(res, r.user, expires), nil
	}
	r.known = known
	least, _ := strconv.ParseUint(header(res, "Min-Expires"), 10, 32)
	if res.Status == 423 && time.Duration(least)*time.Second > expires {
		return 0, &briefError{time.Duration(least) * time.Second}
	}
	after, _ := strconv.ParseUint(leadingDigits(header(res, "Retry-After")), 10, 32)
	return 0, &refusedError{res.Status, res.Phrase, time.Duration(after) * time.Second}
}

// leave takes back what was registered. The trunk is not waited for long.
func (r *registration) leave(ctx context.Context) {
	if !r.known {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	if _, err := r.ask(ctx, 0); err != nil {
		r.trunks.cfg.Log.Debug("take back a registration", "trunk", r.trunk.Name, "err", err)
	}
}

// granted says for how long a registrar knows us: what its answer says with our
// Contact, else for all, else what we asked for (RFC 3261 section 10.2.4).
func granted(res dialog.Response, user string, asked time.Duration) time.Duration {
	value := header(res, "Expires")
	for _, h := range res.Headers {
		if !strings.EqualFold(h.Name, "Contact") && !strings.EqualFold(h.Name, "m") {
			continue
		}
		_, mine, ok := strings.Cut(h.Value, user+"@")
		if !ok {
			continue
		}
		mine, _, _ = strings.Cut(mine, ",") // the next one's
		for p := range strings.SplitSeq(mine, ";") {
			if name, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(name), "expires") {
				value = strings.Trim(strings.TrimSpace(v), `"`)
			}
		}
	}
	seconds, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
	if err != nil {
		return asked
	}
	return min(max(time.Duration(seconds)*time.Second, time.Second), longest)
}

// briefError is a 423: the registrar wants to be asked for longer.
type briefError struct{ least time.Duration }

// Error names what it wants.
func (e *briefError) Error() string {
	return fmt.Sprintf("it registers nobody for less than %v", e.least)
}

// refusedError is any other answer that is no success.
type refusedError struct {
	status int
	phrase string
	after  time.Duration // what Retry-After says
}

// final says that it is about us, and will not pass for itself.
func (e *refusedError) final() bool {
	switch e.status {
	case 408, 480, 500, 502, 503, 504:
		return false
	}
	return true
}

// Error gives the answer, and what to look at.
func (e *refusedError) Error() string {
	answer := fmt.Sprintf("%d %s", e.status, e.phrase)
	switch e.status {
	case 401, 403, 407:
		return answer + ": check trunks[].username and password"
	case 404:
		return answer + ": check trunks[].username, which it does not know"
	}
	return answer
}

func leadingDigits(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return s
	}
	return s[:end]
}
