// SPDX-License-Identifier: MIT

package sipgate

import (
	"net/http"
	"net/url"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// Allows lets tests ask a link without a server.
func Allows(l *Links, account string, id engine.ID, query string) bool {
	values, err := url.ParseQuery(query)
	return err == nil && l.allows(account, id, values)
}

// MakeBearer and OpensBearer let tests make and show bearer tokens without a server.
func MakeBearer(key []byte, t directory.Token) (string, error) { return bearers{key}.make(t) }

// OpensBearer says whether a bearer token was made of a token.
func OpensBearer(key []byte, bearer string, t directory.Token) bool {
	b := bearers{key}
	return b.idOf(bearer) == t.ID && b.opens(bearer, t)
}

// Admits says whether a header shows a token.
func Admits(key []byte, header string, t directory.Token) bool {
	f := &Face{bearers: bearers{key}}
	shown, ok := f.shownBy(&http.Request{Header: http.Header{"Authorization": {header}}})
	return ok && shown.id == t.ID && f.match(shown, t)
}
