// SPDX-License-Identifier: MIT

package dialog

import (
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// maxTries is how often credentials are sent in one dialog's INVITE: twice, for
// a nonce that went stale or a proxy before the server.
const maxTries = 2

// credentials answers digest challenges (RFC 3261 section 22, RFC 8760).
type credentials struct {
	username, password string
	tries              int
	challenges         []challenge // answered so far
}

// challenge is one realm's, with the count of requests that used its nonce.
type challenge struct {
	header string // the one that answers it
	*digest.Challenge
	count int
}

// answer takes a 401 or 407 and says whether it makes sense to try again.
func (c *credentials) answer(res *sip.Response) bool {
	asks, answers := "WWW-Authenticate", "Authorization"
	switch res.StatusCode {
	case sip.StatusUnauthorized:
	case sip.StatusProxyAuthRequired:
		asks, answers = "Proxy-Authenticate", "Proxy-Authorization"
	default:
		return false
	}
	if c.username == "" || c.tries >= maxTries {
		return false
	}
	ch := strongest(res.GetHeaders(asks))
	if ch == nil {
		return false
	}
	c.tries++
	for i, old := range c.challenges {
		if old.header == answers && old.Realm == ch.Realm {
			if !ch.Stale {
				return false // the password is wrong; another try would not help
			}
			c.challenges[i] = challenge{header: answers, Challenge: ch}
			return true
		}
	}
	c.challenges = append(c.challenges, challenge{header: answers, Challenge: ch})
	return true
}

// strongest gives the best challenge that we can answer: SHA-256 before MD5.
func strongest(headers []sip.Header) *digest.Challenge {
	var best *digest.Challenge
	for _, h := range headers {
		ch, err := digest.ParseChallenge(h.Value())
		if err != nil {
			continue
		}
		ch.Algorithm = strings.ToUpper(ch.Algorithm)
		for i := range ch.QOP {
			ch.QOP[i] = strings.TrimSpace(ch.QOP[i])
		}
		if digest.CanDigest(ch) && (best == nil || best.Algorithm != "SHA-256" && ch.Algorithm == "SHA-256") {
			best = ch
		}
	}
	return best
}

// apply puts credentials into a request, for its method and its very
// Request-URI, byte for byte.
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
