// SPDX-License-Identifier: MIT

package dialog

import (
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// maxTries is how often credentials are sent with one request: twice, for a
// nonce that went stale or a proxy before the server.
const maxTries = 2

// maxRealms is of how many realms challenges are kept.
const maxRealms = 4

// credentials answers digest challenges (RFC 3261 section 22, RFC 8760): those
// of one peer, request after request.
type credentials struct {
	username, password string
	tries              int         // of the request that is being made
	challenges         []challenge // the last of each realm
}

// challenge is one realm's, with the count of requests that used its nonce.
type challenge struct {
	header string // the one that answers it
	*digest.Challenge
	count int
}

// answer takes a final response, and says whether it is a 401 or 407 after which
// it makes sense to try again.
func (c *credentials) answer(res *sip.Response) bool {
	asks, answers := "WWW-Authenticate", "Authorization"
	switch res.StatusCode {
	case sip.StatusUnauthorized:
	case sip.StatusProxyAuthRequired:
		asks, answers = "Proxy-Authenticate", "Proxy-Authorization"
	default:
		c.tries = 0 // what was given was taken, or not asked for
		return false
	}
	again := false
	if c.username != "" && c.tries < maxTries {
		for _, ch := range strongest(res.GetHeaders(asks)) {
			again = c.take(challenge{header: answers, Challenge: ch}) || again
		}
	}
	if !again {
		c.tries = 0
		return false
	}
	c.tries++
	return true
}

// take keeps a challenge and says whether an answer to it may be right. It cannot
// if the realm was just given one: the password is wrong then, and only a nonce
// that is too old is a reason to try again. Of a nonce from an earlier request
// some servers do not say that it is.
func (c *credentials) take(ch challenge) bool {
	i := slices.IndexFunc(c.challenges, func(old challenge) bool { return old.header == ch.header && old.Realm == ch.Realm })
	switch {
	case i < 0 && len(c.challenges) == maxRealms:
		return false
	case i < 0:
		c.challenges = append(c.challenges, ch)
		return true
	case !ch.Stale && (c.tries > 0 || c.challenges[i].Nonce == ch.Nonce):
		return false
	}
	c.challenges[i] = ch
	return true
}

// strongest gives the best challenge of each realm that we can answer: SHA-256
// before MD5.
func strongest(headers []sip.Header) []*digest.Challenge {
	var best []*digest.Challenge
	for _, h := range headers {
		ch, err := digest.ParseChallenge(h.Value())
		if err != nil {
			continue
		}
		for i := range ch.QOP {
			ch.QOP[i] = strings.ToLower(strings.TrimSpace(ch.QOP[i]))
		}
		// Who insists on auth-int wants the body signed, which nobody does.
		if !digest.CanDigest(ch) || len(ch.QOP) > 0 && !ch.SupportsQOP("auth") {
			continue
		}
		i := slices.IndexFunc(best, func(b *digest.Challenge) bool { return b.Realm == ch.Realm })
		switch {
		case i < 0:
			best = append(best, ch)
		case isMD5(best[i]) && !isMD5(ch):
			best[i] = ch
		}
	}
	return best
}

func isMD5(ch *digest.Challenge) bool {
	return ch.Algorithm == "" || strings.EqualFold(ch.Algorithm, "MD5")
}

// apply puts credentials into a request, for its method and its very
// Request-URI, byte for byte as it goes over the wire.
func (c *credentials) apply(req *sip.Request) (added []sip.Header) {
	for i := range c.challenges {
		ch := &c.challenges[i]
		ch.count++
		cred, err := digest.Digest(ch.Challenge, digest.Options{
			Method: string(req.Method), URI: req.Recipient.String(), Count: ch.count,
			Username: c.username, Password: c.password,
		})
		if err == nil { // CanDigest has seen to it
			h := sip.NewHeader(ch.header, cred.String())
			req.AppendHeader(h)
			added = append(added, h)
		}
	}
	return added
}
