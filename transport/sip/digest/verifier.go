// SPDX-License-Identifier: MIT

package digest

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// DefaultRealm is the realm of challenges when none is configured.
const DefaultRealm = "callwright"

// The reasons why credentials are not taken.
var (
	// ErrMissing says that there are none for our realm.
	ErrMissing = errors.New("no credentials")
	// ErrUnreadable says that they cannot be understood.
	ErrUnreadable = errors.New("the credentials cannot be read")
	// ErrForeign says that the nonce was not made here since the start, or for
	// another source.
	ErrForeign = errors.New("the nonce was not made since the server's start, or not for this address")
	// ErrStale says that the nonce is too old.
	ErrStale = errors.New("the nonce is too old")
	// ErrReplayed says that the nonce was used so often already.
	ErrReplayed = errors.New("the nonce was used before: a repetition, or a replay")
	// ErrWrong says that there is no such user, or that the password is wrong.
	// Nobody outside may learn which.
	ErrWrong = errors.New("the username or the password is wrong")
	// ErrElsewhere says that the credentials were made for another request.
	ErrElsewhere = errors.New("the credentials are for another URI")
)

// Renewable says whether it was the nonce that was wrong: then the answer is
// marked as stale, and whoever has the password tries again by itself (RFC 7616
// section 3.3).
func Renewable(err error) bool {
	return errors.Is(err, ErrForeign) || errors.Is(err, ErrStale) || errors.Is(err, ErrReplayed)
}

// Config is what a Verifier is made of.
type Config struct {
	// Realm is what the credentials are for; empty is DefaultRealm. It is part
	// of what phones compute, so a change makes them ask their user again.
	Realm string
	// Password gives the password of a username. Required.
	Password func(username string) (password string, ok bool)
	// Lifetime is how long a nonce may be used; 0 is 5 minutes.
	Lifetime time.Duration
	// Remembered is how many used nonces are kept in memory, some 50 bytes each;
	// 0 is 65,536. When more are used within a Lifetime, it is shortened.
	Remembered int
}

// Verifier challenges and checks credentials. Its methods may be called from any
// goroutine.
type Verifier struct {
	cfg    Config
	mint   *mint
	used   *memory
	nobody string // the password of users that are not there
}

// New makes a Verifier. Nonces of another one, also of an earlier run, are
// foreign to it.
func New(cfg Config) *Verifier {
	cfg.Realm = cmp.Or(cfg.Realm, DefaultRealm)
	cfg.Lifetime = cmp.Or(cfg.Lifetime, 5*time.Minute)
	cfg.Remembered = cmp.Or(cfg.Remembered, 65536)
	return &Verifier{cfg: cfg, mint: newMint(), used: newMemory(cfg.Remembered), nobody: rand.Text()}
}

// Challenge gives the values of WWW-Authenticate headers for whoever names
// itself agent (User-Agent) and asks from source. stale says that the password
// was not looked at.
//
// Only the same source, whatever its port, can answer: who reads a phone's
// credentials on their way cannot use them elsewhere. The cost is that a phone
// whose requests come by one proxy and then another is challenged again at every
// change, and one that changes with each request never gets in (RFC 2617 section
// 3.2.1 warns of it).
//
// MD5 stands before SHA-256, against the advice of RFC 8760 section 2.4 to put
// the stronger one first: sipp before 3.7, PJSIP before 2.11 and others take the
// first or nothing. Who knows both is free to take the second.
func (v *Verifier) Challenge(stale bool, agent string, source netip.Addr) []string {
	algorithms := []string{"MD5", "SHA-256"}
	if onlyMD5(agent) {
		algorithms = algorithms[:1]
	}
	nonce := v.mint.make(time.Now(), source)
	var values []string
	for _, algorithm := range algorithms {
		c := digest.Challenge{Realm: v.cfg.Realm, Nonce: nonce, Algorithm: algorithm, QOP: []string{"auth"}, Stale: stale}
		values = append(values, c.String())
	}
	return values
}

// onlyMD5 says whether a user agent gives up when it is offered anything else:
// baresip before 3.11 does (baresip/re#1103).
func onlyMD5(agent string) bool {
	var major, minor int
	_, err := fmt.Sscanf(agent, "baresip v%d.%d.", &major, &minor)
	return err == nil && (major < 3 || major == 3 && minor < 11)
}

// Credentials are what answers a challenge of ours.
type Credentials struct {
	Username string
	source   netip.Addr
	fields   *digest.Credentials
}

// Find gives the credentials for our realm among the Authorization headers that
// came from source. The error is ErrMissing or ErrUnreadable.
func (v *Verifier) Find(headers []string, source netip.Addr) (Credentials, error) {
	err := ErrMissing
	for _, h := range headers {
		if !digest.IsDigest(h) {
			continue
		}
		fields, unreadable := digest.ParseCredentials(h)
		switch {
		case unreadable != nil:
			err = ErrUnreadable
		case fields.Realm == v.cfg.Realm:
			return Credentials{fields.Username, source, fields}, nil
		}
	}
	return Credentials{}, err
}

// Check says whether credentials are right for a request. It changes nothing, so
// a repetition is as right as the first. It takes as long for a user who is not
// there as for a wrong password.
func (v *Verifier) Check(c Credentials, method, uri string) error {
	f := c.fields
	nonce, ours := v.mint.read(f.Nonce, c.source)
	age := time.Since(time.Unix(0, nonce.made()))
	switch {
	case !ours:
		return ErrForeign
	case age > v.cfg.Lifetime, v.used.forgotten(nonce):
		return ErrStale
	}
	password, known := v.cfg.Password(c.Username)
	if !known {
		password = v.nobody
	}
	want, err := v.answer(f, method, password)
	if err != nil {
		return err
	}
	right := subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(f.Response))) == 1
	switch {
	case !right || !known || password == "":
		return ErrWrong
	case !sameResource(f.URI, uri):
		return ErrElsewhere
	}
	return nil
}

// answer computes the response that the credentials should have.
func (v *Verifier) answer(f *digest.Credentials, method, password string) (string, error) {
	ask := digest.Challenge{Realm: f.Realm, Nonce: f.Nonce, Algorithm: strings.ToUpper(f.Algorithm)}
	algorithm := cmp.Or(ask.Algorithm, "MD5")
	switch {
	case algorithm != "MD5" && algorithm != "SHA-256" || f.Userhash:
		return "", fmt.Errorf("%w: algorithm %q was not offered", ErrUnreadable, f.Algorithm)
	case f.QOP == "auth" && f.Cnonce != "" && 0 < f.Nc && f.Nc < onlyOnce:
		ask.QOP = []string{"auth"}
	case f.QOP == "" && f.Nc == 0 && algorithm == "MD5":
		// As in RFC 2069: old clients leave qop out.
	default:
		return "", fmt.Errorf("%w: qop, cnonce and nc do not go together", ErrUnreadable)
	}
	made, err := digest.Digest(&ask, digest.Options{
		Method: method, URI: f.URI, Count: f.Nc, Cnonce: f.Cnonce, Username: f.Username, Password: password,
	})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return made.Response, nil
}

// Spend uses credentials that Check has found right. The count of a nonce must
// grow; one without a count is good for one request. The error is ErrReplayed.
func (v *Verifier) Spend(c Credentials) error {
	nonce, ours := v.mint.read(c.fields.Nonce, c.source)
	count := int32(min(c.fields.Nc, math.MaxInt32))
	if c.fields.QOP == "" {
		count = onlyOnce
	}
	if !ours || !v.used.use(nonce, count) {
		return ErrReplayed
	}
	return nil
}

// sameResource says whether credentials that name one URI are good for a request
// to another (RFC 7616 section 3.4.6). Whom they name must agree; the host need
// not, because proxies and NATs have phones write different ones for the same
// server, and sipp writes the address it sends to, without a user.
func sameResource(named, requested string) bool {
	var a, b sip.Uri
	if sip.ParseUri(named, &a) != nil || sip.ParseUri(requested, &b) != nil {
		return false
	}
	return a.User == "" || a.User == b.User
}
