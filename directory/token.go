// SPDX-License-Identifier: MIT

package directory

import (
	"cmp"
	"slices"
	"strings"
)

// Token is a personal access token: what somebody shows to the API of a vendor.
type Token struct {
	// ID names it, once on the whole server: "token-" and six letters or digits.
	ID      string `json:"id"`
	Account string `json:"account"`
	// Name is for people.
	Name string `json:"name,omitempty"`
	// User is whose it is; who shows it acts as that one.
	User string `json:"user,omitempty"`
	// Secret is what is shown with the ID: a UUID of version 4.
	Secret string `json:"token,omitempty"`
	// Scopes are what may be done with it, as the vendor calls it ("rtcm:read");
	// none is everything.
	Scopes []string `json:"scopes,omitempty"`
}

// TokenPrefix begins the id of every Token; six letters or digits follow.
const TokenPrefix = "token-"

// TokenScopes are what the Scopes of a Token may be: "all", and what the faces of
// vendors ask for.
func TokenScopes() []string {
	return []string{
		"all", "balance:read", "devices:read", "groups:read", "history:read", "history:write", "log:webhooks:read",
		"numbers:read", "phonelines:read", "rtcm:read", "rtcm:write", "sessions:calls:write", "sessions:write",
		"settings:sipgateio:read", "settings:sipgateio:write", "users:read", "voicemails:read",
	}
}

// EntryID is that of Entry.
func (t Token) EntryID() EntryID { return EntryID{EntryToken, "", t.ID} }

// check wants ids and secrets in the shape that clients of sipgate.io look for
// before they send them.
func (t Token) check() *EntryError {
	name := t.EntryID()
	if e := name.named("id", "it is shown with the secret, like token-4x7Q2b"); e != nil {
		return e
	}
	switch {
	case !isTokenID(t.ID):
		return name.wrong("id", "has an id that clients refuse: write token- and six letters or digits, like token-4x7Q2b")
	case t.Secret == "":
		return name.wrong("token", "has no secret: write a UUID of version 4 as its token, like the one that uuidgen -r prints")
	case !isUUID4(t.Secret):
		return name.wrong("token", "has a secret that is no UUID of version 4, which clients refuse: write one like uuidgen -r prints")
	case t.User == "":
		return name.wrong("user", "has no user: who shows it acts as one of the account, so write its id, like w0")
	case strings.ContainsFunc(t.Name, isControl):
		return name.wrong("name", "has a name with a line break or another control character: write it in one line")
	}
	for _, scope := range t.Scopes {
		if !slices.Contains(TokenScopes(), scope) {
			return name.wrong("scopes", "has the scope %q: leave scopes out for everything, or write some of %s", scope, strings.Join(TokenScopes(), ", "))
		}
	}
	return nil
}

func isTokenID(id string) bool {
	rest, ok := strings.CutPrefix(id, TokenPrefix)
	return ok && len(rest) == 6 && !strings.ContainsFunc(rest, func(r rune) bool { return !isLetter(r) && !isDigit(r) })
}

// isUUID4 says whether s is a UUID of version 4 in its text form (RFC 9562
// section 5.4).
func isUUID4(s string) bool {
	if len(s) != 36 || s[14] != '4' || !strings.ContainsRune("89abAB", rune(s[19])) {
		return false
	}
	for i, r := range s {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && !isDigit(r) && (r < 'a' || r > 'f') && (r < 'A' || r > 'F') {
			return false
		}
	}
	return true
}

func (x *index) addToken(t Token) *EntryError {
	t.Account = cmp.Or(t.Account, DefaultAccount)
	name := t.EntryID()
	if err := x.owner(name, t.Account); err != nil {
		return err
	}
	if _, ok := x.users[key{t.Account, t.User}]; !ok {
		return name.wrong("user", "names user %q, which is not configured", t.User)
	}
	if _, twice := x.tokens[t.ID]; twice {
		return name.taken("id", "is configured twice")
	}
	x.tokens[t.ID] = t
	return nil
}

// Token finds a Token by its id.
func (d *Directory) Token(id string) (Token, bool) {
	t, ok := d.now.Load().tokens[id]
	return t, ok
}
