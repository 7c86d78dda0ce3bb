// SPDX-License-Identifier: MIT

package sipgate

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/internal/nearest"
	"github.com/callwright/callwright/transport/api"
)

// Tokens are the tokens that may be shown.
type Tokens interface {
	// Token finds one by its id.
	Token(id string) (engine.Token, bool)
}

// allScopes is the scope that is every other.
const allScopes = "all"

// howToShow says what a client must send; it is the same whatever was wrong.
const howToShow = "send the id and the secret of one of your tokens as the header Authorization: Basic base64(ID:SECRET), or its bearer token as Authorization: Bearer TOKEN"

// admit gives the token that a request shows, if that may do what one of the
// scopes says. Who shows a token that is not there learns as much, and as fast, as
// who shows a wrong secret.
func (f *Face) admit(r *http.Request, answer http.Header, scopes []string) (engine.Token, error) {
	from := sourceOf(r)
	shown, ok := shownBy(r)
	if !ok {
		return engine.Token{}, unauthorized(answer)
	}
	if wait := f.throttle.wait(from, shown.id); wait != "" {
		answer.Set("Retry-After", wait)
		return engine.Token{}, api.Refuse(http.StatusTooManyRequests, "too many wrong tokens came from your address; try again in %s seconds", wait)
	}
	token, known := f.config.Tokens.Token(shown.id)
	if !shown.matches(token.Secret) || !known {
		f.throttle.wrong(from)
		f.complain(from, shown.id, known)
		return engine.Token{}, unauthorized(answer)
	}
	f.throttle.right(from, token.ID)
	if !may(token.Scopes, scopes) {
		f.config.Log.Warn("refused a request to /v2: the token has not the scope; add it to the token's scopes, or take another token",
			"method", r.Method, "path", r.URL.Path, "token", token.ID, "needed", strings.Join(scopes, " or "), "scopes", token.Scopes, "from", from)
		return engine.Token{}, api.Refuse(http.StatusForbidden, "the token %s may not do this: it needs the scope %s", token.ID, strings.Join(scopes, " or "))
	}
	return token, nil
}

// may says whether the scopes of a token have one of those that are needed. A
// token without scopes may do everything.
func may(has, needed []string) bool {
	return len(has) == 0 || len(needed) == 0 || slices.ContainsFunc(has, func(scope string) bool {
		return scope == allScopes || slices.Contains(needed, scope)
	})
}

// credentials are what a request shows.
type credentials struct {
	// id is that of the token.
	id     string
	secret string
}

// shownBy reads the credentials of a request (RFC 7617).
func shownBy(r *http.Request) (credentials, bool) {
	id, secret, ok := r.BasicAuth()
	return credentials{id: id, secret: secret}, ok && id != "" && secret != ""
}

// matches says whether these are credentials of a token with this secret, in the
// same time for every secret. An empty one has none.
func (c credentials) matches(secret string) bool {
	is, want := sha256.Sum256([]byte(c.secret)), sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(is[:], want[:]) == 1 && secret != ""
}

// complain tells the operator of a guess, or of a slip.
func (f *Face) complain(from netip.Addr, id string, known bool) {
	why := "the secret is another one; compare it with the token's (tokens[].token)"
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
	answer.Set("WWW-Authenticate", `Basic realm="callwright", charset="UTF-8"`)
	return api.Refuse(http.StatusUnauthorized, "the token is missing or wrong; %s", howToShow)
}

// sourceOf gives who sent a request: of IPv6 the network, for everybody has as
// many addresses there as he likes.
func sourceOf(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	source, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	source = source.Unmap().WithZone("")
	if source.Is6() {
		network, _ := source.Prefix(64) // never fails for a length within the address
		return network.Addr()
	}
	return source
}
