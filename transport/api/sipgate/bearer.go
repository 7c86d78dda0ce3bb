// SPDX-License-Identifier: MIT

package sipgate

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/api"
)

// bearerLife is how long a bearer token lets in.
const bearerLife = 30 * 24 * time.Hour

// issuer is who made a bearer token, and is the only one whose are taken.
const issuer = "callwright"

// claims are what a bearer token says (RFC 7519). What it may do is looked up with
// its token when it is shown.
type claims struct {
	jwt.RegisteredClaims
	Account string `json:"account"`
}

// bearers makes and reads bearer tokens: JWTs with a signature of the server (HMAC
// SHA-256). They end with the token that they were made of, and with its secret.
type bearers struct{ key []byte }

// of gives the key that signs for a token. Another secret is another key.
func (b bearers) of(t directory.Token) []byte {
	m := hmac.New(sha256.New, b.key)
	fmt.Fprintf(m, "%s %s", t.ID, t.Secret) // a hash takes everything
	return m.Sum(nil)
}

// make makes a bearer token.
func (b bearers) make(t directory.Token) (string, error) {
	now := time.Now()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{Account: t.Account, RegisteredClaims: jwt.RegisteredClaims{
		Issuer: issuer, Subject: t.User, ID: t.ID, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(bearerLife)),
	}}).SignedString(b.of(t))
	if err != nil {
		return "", fmt.Errorf("sign a bearer token: %w", err)
	}
	return signed, nil
}

// idOf gives the id of the token that a bearer token says it was made of. Whether
// that is so is told by opens.
func (bearers) idOf(bearer string) string {
	var said claims
	if _, _, err := jwt.NewParser().ParseUnverified(bearer, &said); err != nil {
		return ""
	}
	return said.ID
}

// opens says whether a bearer token was made of a token, and its time is not over.
func (b bearers) opens(bearer string, t directory.Token) bool {
	var said claims
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithExpirationRequired())
	_, err := parser.ParseWithClaims(bearer, &said, func(*jwt.Token) (any, error) { return b.of(t), nil })
	return err == nil && t.Secret != "" && said.ID == t.ID && said.Account == t.Account
}

// makeBearer is POST /authorization/token: whoever shows the secret of a token gets a
// bearer token of it (RFC 6749 section 4.4).
func (f *Face) makeBearer(r *request) (any, error) {
	if _, _, basic := r.BasicAuth(); !basic {
		return nil, api.Refuse(http.StatusForbidden, "a bearer token makes no other: show the id and the secret of the token itself")
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		if grant := r.FormValue("grant_type"); grant != "client_credentials" {
			return nil, api.Refuse(http.StatusBadRequest, "grant_type is %.40q: write client_credentials", grant)
		}
	}
	bearer, err := f.bearers.make(r.token)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"access_token": bearer, "token_type": "Bearer", "expires_in": int64(bearerLife / time.Second),
		"scope": scopesOf(r.token),
	}, nil
}

// scopesOf gives what a token may do in the words of RFC 6749 section 3.3.
func scopesOf(t directory.Token) string {
	if len(t.Scopes) == 0 {
		return allScopes
	}
	return strings.Join(t.Scopes, " ")
}
