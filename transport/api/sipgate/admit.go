// SPDX-License-Identifier: MIT

package sipgate

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/internal/nearest"
	"github.com/callwright/callwright/transport/api"
)

// Directory is asked who there is.
type Directory interface {
	// Token finds a token by its id.
	Token(id string) (directory.Token, bool)
	// NumberNamed finds a number by the name that records have of it.
	NumberNamed(account, number string) (directory.Number, bool)
	// UsersOf gives the users whom a number rings.
	UsersOf(n directory.Number) []directory.User
}

// allScopes is the scope that is every other.
const allScopes = "all"

// howToShow says what a client must send; it is the same whatever was wrong.
const howToShow = "send the id and the secret of one of your tokens as the header Authorization: Basic base64(ID:SECRET), or its bearer token as Authorization: Bearer TOKEN"

// admit gives the token that a request shows, if that may do what one of the
// scopes says. Who shows a token that is not there learns as much, and as fast, as
// who shows a wrong secret.
func (f *Face) admit(r *http.Request, answer http.Header, scopes []string) (directory.Token, error) {
	from := api.SourceOf(r.RemoteAddr)
	shown, ok := f.shownBy(r)
	if !ok {
		return directory.Token{}, unauthorized(answer)
	}
	token, known := f.config.Directory.Token(shown.id)
	if !f.match(shown, token) || !known {
		return directory.Token{}, f.wrong(from, shown.id, known, answer)
	}
	if !may(token.Scopes, scopes) {
		f.config.Log.Warn("refused a request to /v2: the token has not the scope; add it to the token's scopes, or take another token",
			"method", r.Method, "path", r.URL.Path, "token", token.ID, "needed", strings.Join(scopes, " or "), "scopes", token.Scopes, "from", from)
		return directory.Token{}, api.Refuse(http.StatusForbidden, "the token %s may not do this: it needs the scope %s", token.ID, strings.Join(scopes, " or "))
	}
	return token, nil
}

// wrong refuses credentials that are wrong.
func (f *Face) wrong(from netip.Addr, id string, known bool, answer http.Header) error {
	wait, tell := f.throttle.wrong(from)
	if wait != "" {
		answer.Set("Retry-After", wait)
		return api.Refuse(http.StatusTooManyRequests, "this token is wrong like many that came from your address before; try again in %s seconds with another", wait)
	}
	if tell {
		f.complain(from, id, known)
	}
	return unauthorized(answer)
}

// may says whether the scopes of a token have one of those that are needed. A
// token without scopes may do everything.
func may(has, needed []string) bool {
	return len(has) == 0 || len(needed) == 0 || slices.ContainsFunc(has, func(scope string) bool {
		return scope == allScopes || slices.Contains(needed, scope)
	})
}

// credentials are what a request shows: the id of a token, and its secret or a
// bearer token of it.
type credentials struct {
	id, secret, bearer string
}

// shownBy reads the credentials of a request (RFC 7617 and RFC 6750 section 2.1).
func (f *Face) shownBy(r *http.Request) (credentials, bool) {
	if scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		bearer = strings.TrimSpace(bearer)
		return credentials{id: f.bearers.idOf(bearer), bearer: bearer}, bearer != ""
	}
	id, secret, ok := r.BasicAuth()
	return credentials{id: id, secret: secret}, ok && id != "" && secret != ""
}

// match says whether these are credentials of a token, in the same time for every
// secret.
func (f *Face) match(c credentials, t directory.Token) bool {
	if c.bearer != "" {
		return f.bearers.opens(c.bearer, t)
	}
	is, want := sha256.Sum256([]byte(c.secret)), sha256.Sum256([]byte(t.Secret))
	return subtle.ConstantTimeCompare(is[:], want[:]) == 1 && t.Secret != ""
}

// complain tells the operator of a guess, or of a slip.
func (f *Face) complain(from netip.Addr, id string, known bool) {
	why := "the secret is another one, or the bearer token is too old; compare it with the token's (tokens[].token), or make a new one"
	if !known {
		var ids []string
		for _, t := range f.config.Settings.Entries().Tokens {
			ids = append(ids, t.ID)
		}
		why = "there is no such token; make it (tokens[].id), or correct the id"
		if best := nearest.Of(id, ids); best != "" {
			why += ": did they mean " + best + "?"
		}
	}
	if len(id) > 64 {
		id = id[:64]
	}
	f.config.Log.Warn("refused a request to /v2: "+why, "token", id, "from", from)
}

func unauthorized(answer http.Header) error {
	answer.Add("WWW-Authenticate", `Basic realm="callwright", charset="UTF-8"`)
	answer.Add("WWW-Authenticate", `Bearer realm="callwright"`)
	return api.Refuse(http.StatusUnauthorized, "the token is missing or wrong; %s", howToShow)
}
