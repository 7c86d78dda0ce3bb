// SPDX-License-Identifier: MIT

package sip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/digest"
	"github.com/callwright/callwright/transport/sip/registrar"
	"github.com/callwright/callwright/transport/sip/trunk"
)

// gate finds out which user a request comes from, by its credentials.
type gate struct {
	directory *directory.Directory
	registrar *registrar.Registrar
	trunks    *trunk.Trunks
	verifier  *digest.Verifier
	throttle  *digest.Throttle
	log       *slog.Logger
	// refuse, if set, is told of a call of which the log is told: whose it would be,
	// and why it was refused.
	refuse func(r dialog.Request, of directory.User, no dialog.Response)
}

func newGate(cfg Config, r *registrar.Registrar, t *trunk.Trunks) *gate {
	return &gate{
		directory: cfg.Directory, registrar: r, trunks: t, throttle: digest.NewThrottle(), log: cfg.Log,
		verifier: digest.New(digest.Config{Realm: cfg.Realm, Password: func(username string) (string, bool) {
			u, ok := cfg.Directory.UserNamed(username)
			return u.Password, ok
		}}),
	}
}

// look says what to answer a REGISTER or a new call with; nil lets it in. It is
// the same for a user who is not there as for a wrong password. Calls by a trunk
// need no credentials.
func (g *gate) look(r dialog.Request) *dialog.Response {
	c, err := g.verifier.Find(r.Header("Authorization"), r.Source.Addr())
	switch {
	case err != nil && r.Method == "INVITE" && g.isTrunk(r):
		return nil
	case !g.directory.AnyCaller():
		_, reason := g.trunkOf(r)
		return &dialog.Response{Status: 403, Phrase: "Forbidden", Reason: reason}
	case err != nil:
		no := g.challenge(r, false)
		if r.Method == "INVITE" && !g.registered(r.Hop, dialog.UserPart(r.From.URI)) {
			no.Reason = g.unnamed(r)
		}
		return no
	}
	if wait := g.throttle.Wait(r.Source, c.Username, g.ownPhone(r, c.Username)); wait > 0 {
		return &dialog.Response{Status: 503, Phrase: "Too Many Wrong Passwords", Headers: []dialog.Header{
			{Name: "Retry-After", Value: strconv.Itoa(int(wait/time.Second) + 1)},
		}}
	}
	return g.check(r, c)
}

// check says what to answer credentials with that are not right.
func (g *gate) check(r dialog.Request, c digest.Credentials) *dialog.Response {
	err := g.verifier.Check(c, r.Method, r.URI)
	if err == nil {
		return nil
	}
	g.refused(r, c.Username, err)
	return g.challenge(r, digest.Renewable(err))
}

// enter uses the credentials of a request, and gives the user whose they are;
// none for a call by a trunk. It trusts nobody to have looked.
func (g *gate) enter(r dialog.Request) (directory.User, *dialog.Response) {
	c, err := g.verifier.Find(r.Header("Authorization"), r.Source.Addr())
	if err != nil {
		return directory.User{}, nil
	}
	if no := g.check(r, c); no != nil {
		return directory.User{}, no
	}
	if err := g.verifier.Spend(c); err != nil {
		g.refused(r, c.Username, err)
		return directory.User{}, g.challenge(r, true)
	}
	user, ok := g.directory.UserNamed(c.Username)
	if !ok { // taken out just now
		return directory.User{}, g.challenge(r, false)
	}
	g.throttle.Right(r.Source, c.Username, g.ownPhone(r, c.Username))
	return user, nil
}

// isTrunk says whether a call is a trunk's. At an address that a trunk shares with
// phones, one that is registered calls as its user.
func (g *gate) isTrunk(r dialog.Request) bool {
	_, no := g.trunkOf(r)
	return no == "" && !g.registered(r.Hop, dialog.UserPart(r.From.URI))
}

// trunkOf finds the trunk that a request comes by, or says why it comes by none. A
// trunk that we registered with is known by the Contact that it alone was given,
// from wherever it calls; any other by its address.
func (g *gate) trunkOf(r dialog.Request) (t directory.Trunk, no string) {
	t, ok := g.trunks.Of(dialog.UserPart(r.URI))
	if !ok {
		t, ok = g.directory.TrunkFrom(r.Source.Addr())
	}
	switch {
	case !ok:
		no = "no trunk has " + r.Source.Addr().String() + " in its allow_from"
		if nearest, network, ok := g.directory.NearestTrunk(r.Source.Addr()); ok {
			no += fmt.Sprintf(", the nearest network is %s of trunk %q", network, nearest.Name)
		}
		return t, no + ": to take its calls, add the address to allow_from of a trunk, or give a user a username and a password"
	case t.TLS.ClientName != "" && !slices.Contains(r.Names, t.TLS.ClientName):
		return t, fmt.Sprintf("%s is in allow_from of trunk %q, which must show a certificate in the name of %q (trunks[].tls.client_name) and has shown %q",
			r.Source.Addr(), t.Name, t.TLS.ClientName, strings.Join(r.Names, ", "))
	}
	return t, ""
}

// unnamed says why a call is of no trunk that looks like one's: it comes from the
// address of a trunk without the certificate that it must have, or a number calls
// a number of ours, as when a carrier has a new address. It is empty for others,
// who may be users; who is one it does not ask, since it takes time to tell.
func (g *gate) unnamed(r dialog.Request) string {
	t, no := g.trunkOf(r)
	if t.Name != "" {
		return no
	}
	nearest, _, ok := g.directory.NearestTrunk(r.Source.Addr())
	_, ours := g.directory.Number(nearest.Account, dialog.UserPart(r.URI))
	if !ok || !ours || !directory.IsNumber(dialog.UserPart(r.From.URI)) {
		return ""
	}
	return "a password is wanted, since " + no
}

// registered says whether a phone of a user is registered from a source.
func (g *gate) registered(source netip.AddrPort, username string) bool {
	u, _ := g.directory.UserNamed(username)
	return slices.ContainsFunc(g.registrar.Places(u.Account, u.ID), func(p directory.Registration) bool {
		_, address := flow(p)
		return address == source.String()
	})
}

// ownPhone says whether a request comes from a phone of a user that is registered.
// Behind a proxy nobody can tell: all come from where the phone registered.
func (g *gate) ownPhone(r dialog.Request, username string) bool {
	return r.Hop == r.Source && g.registered(r.Hop, username)
}

func (g *gate) challenge(r dialog.Request, stale bool) *dialog.Response {
	no := &dialog.Response{Status: 401, Phrase: "Unauthorized"}
	for _, value := range g.verifier.Challenge(stale, strings.Join(r.Header("User-Agent"), " "), r.Source.Addr()) {
		no.Headers = append(no.Headers, dialog.Header{Name: "WWW-Authenticate", Value: value})
	}
	return no
}

// refused writes to the log why credentials were not taken: once in a minute
// for a source, and what happens to every phone not at all. What happens to all
// of them after a restart is said once in a minute, and is no fault.
func (g *gate) refused(r dialog.Request, username string, err error) {
	level, log, waits := slog.LevelWarn, false, false
	user, known := g.directory.UserNamed(username)
	switch {
	case errors.Is(err, digest.ErrStale):
		return
	case errors.Is(err, digest.ErrForeign):
		level, log = slog.LevelInfo, g.throttle.Odd(netip.Addr{}, err.Error())
	case errors.Is(err, digest.ErrWrong):
		log, waits = g.throttle.Wrong(r.Source, username, g.ownPhone(r, username))
	default:
		log = g.throttle.Odd(r.Source.Addr(), err.Error())
	}
	if !log {
		return
	}
	// Looked for in any case, so that nobody learns by the time it takes who is there.
	if nearest := g.directory.NearestUsername(username); !known && nearest != "" {
		err = fmt.Errorf("no user has that username, the nearest one is %q", nearest)
	} else if !known {
		err = errors.New("no user has that username")
	}
	text := "credentials refused"
	if waits {
		text += ", and no more are looked at for the rest of the minute"
	}
	g.log.Log(context.Background(), level, text, "request", r.Method, "username", username, "source", r.Source, "reason", err.Error())
	if r.Method == "INVITE" && level == slog.LevelWarn && g.refuse != nil {
		g.refuse(r, user, dialog.Response{Status: 401, Reason: fmt.Sprintf("%s of %q: %v", text, username, err)})
	}
}
