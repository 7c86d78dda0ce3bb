// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/intake"
)

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

// ParseParties reads the values of headers that name parties: "Name" <uri>;params,
// several of them with commas between (RFC 3261 section 20).
func ParseParties(values []string) []Party {
	var parties []Party
	for _, value := range values {
		for _, one := range splitOutside(value, ',') {
			if p := parseParty(one); p.URI != "" {
				parties = append(parties, p)
			}
		}
	}
	return parties
}

// parseParty reads one.
func parseParty(s string) Party {
	parts := splitOutside(s, '<')
	if len(parts) == 1 { // the bare URI; its parameters are the header's
		uri, _, _ := strings.Cut(strings.TrimSpace(s), ";")
		return Party{URI: uri}
	}
	uri, _, _ := strings.Cut(parts[1], ">")
	name := strings.TrimSpace(parts[0])
	name = strings.TrimSuffix(strings.TrimPrefix(name, `"`), `"`)
	return Party{Name: unquote(name), URI: strings.TrimSpace(uri)}
}

// splitOutside splits at a sign where that is not inside quotation marks, nor,
// for a comma, inside < and >.
func splitOutside(s string, at byte) []string {
	var parts []string
	quoted, angled, from := false, false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"' && !angled:
			quoted = !quoted
		case quoted:
		case c == at && !angled:
			parts = append(parts, s[from:i])
			from = i + 1
		case c == '<':
			angled = true
		case c == '>':
			angled = false
		}
	}
	return append(parts, s[from:])
}

// UserPart is the user of a SIP or tel URI, without parameters of its own
// (RFC 3966 section 3).
func UserPart(uri string) string {
	var u sip.Uri
	if err := sip.ParseUri(uri, &u); err != nil {
		return ""
	}
	user := u.User
	if u.Scheme == "tel" {
		user = u.Raw()
	}
	user, _, _ = strings.Cut(user, ";")
	if plain, err := url.PathUnescape(user); err == nil {
		return plain
	}
	return user
}

// EscapeUser writes s so that it can be the user part of a SIP URI: what is not
// allowed there is percent-encoded (RFC 3261 section 25.1).
func EscapeUser(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if intake.IsTokenByte(c) && c != '%' && c != '`' || strings.IndexByte("()&=$,;?/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// quote makes s fit between quotation marks (RFC 3261 section 25.1): control
// characters are dropped, quotes and backslashes escaped.
func quote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(Printable(s))
}

// Printable takes out of s what is no text, so that it stays on its line.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
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
		b.WriteRune(r)
	}
	return Printable(b.String())
}
