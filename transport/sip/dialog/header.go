// SPDX-License-Identifier: MIT

package dialog

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// maxForwards is how many hops a request of ours may take (RFC 3261 section
// 8.1.1.6), and sdpType the one kind of body that we offer.
const (
	maxForwards = 70
	sdpType     = "application/sdp"
)

// Header is one header field that a caller adds to a message.
type Header struct{ Name, Value string }

// Party is one side of a call as From and To show it.
type Party struct {
	Name string // display name, may be empty
	URI  string // "sip:user@host"
}

// String writes the party as a header does: "Name" <sip:user@host>.
func (p Party) String() string {
	if p.Name == "" {
		return "<" + p.URI + ">"
	}
	return `"` + quote(p.Name) + `" <` + p.URI + ">"
}

// EscapeUser writes s so that it can be the user part of a SIP URI: what is not
// allowed there is percent-encoded (RFC 3261 section 25.1).
func EscapeUser(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if isTokenByte(c) && c != '%' && c != '`' || strings.IndexByte("()&=$,;?/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// sipHeader checks a header and gives it in sipgo's form. Whatever comes from
// outside goes through here, so no line break can smuggle a header in.
func (h Header) sipHeader() (sip.Header, error) {
	if h.Name == "" || strings.ContainsFunc(h.Name, func(r rune) bool { return r > 0x7e || !isTokenByte(byte(r)) }) {
		return nil, fmt.Errorf("header name %q is not a token", h.Name)
	}
	if i := strings.IndexFunc(h.Value, isControl); i >= 0 {
		return nil, fmt.Errorf("header %s: value %q has a control character", h.Name, h.Value)
	}
	return sip.NewHeader(h.Name, h.Value), nil
}

// parseURI reads a SIP URI that we are to send, and refuses what would break
// out of a header.
func parseURI(s string) (sip.Uri, error) {
	var u sip.Uri
	if strings.ContainsFunc(s, func(r rune) bool { return isControl(r) || strings.ContainsRune(" <>\"", r) }) {
		return u, fmt.Errorf("SIP URI %q has a character that is not allowed", s)
	}
	if err := sip.ParseUri(s, &u); err != nil {
		return u, fmt.Errorf("SIP URI %q: %w", s, err)
	}
	if u.Scheme != "sip" && u.Scheme != "sips" || u.Host == "" {
		return u, fmt.Errorf("SIP URI %q: want sip:user@host or sips:user@host", s)
	}
	u.Host = strings.Trim(u.Host, "[]")
	return u, nil
}

// from gives the party as a From header with a tag.
func (p Party) from(tag string) (*sip.FromHeader, error) {
	u, err := parseURI(p.URI)
	if err != nil {
		return nil, err
	}
	h := &sip.FromHeader{DisplayName: quote(p.Name), Address: u}
	h.Params.Add("tag", tag)
	return h, nil
}

// quote makes s fit between quotation marks (RFC 3261 section 25.1): control
// characters are dropped, quotes and backslashes escaped.
func quote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(printable(s))
}

// printable leaves control characters out, so that s stays on its line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return -1
		}
		return r
	}, s)
}

// unquote undoes quote in what a peer sent.
func unquote(s string) string {
	var b strings.Builder
	escaped := false
	for _, r := range s {
		if r == '\\' && !escaped {
			escaped = true
			continue
		}
		escaped = false
		if !isControl(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// isTokenByte says whether c may be in a token (RFC 3261 section 25.1).
func isTokenByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c != 0 && strings.IndexByte("-.!%*_+`'~", c) >= 0
}

// mostContacts is how many places a redirection may name.
const mostContacts = 10

// contacts gives where a 3xx sends us, the best first (RFC 3261 section 8.1.3.4).
func contacts(res *sip.Response) []string {
	if res.StatusCode/100 != 3 {
		return nil
	}
	var all []*sip.ContactHeader
	for _, h := range res.GetHeaders("Contact") {
		if c, ok := h.(*sip.ContactHeader); ok && !c.Address.Wildcard {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b *sip.ContactHeader) int { return cmp.Compare(preference(b), preference(a)) })
	var uris []string
	for _, c := range all[:min(len(all), mostContacts)] {
		uris = append(uris, c.Address.String())
	}
	return uris
}

// preference is the q value of a Contact; none is 1 (RFC 3261 section 20.10).
func preference(c *sip.ContactHeader) float64 {
	s, _ := c.Params.Get("q")
	if q, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
		return q
	}
	return 1
}
