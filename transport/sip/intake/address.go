// SPDX-License-Identifier: MIT

package intake

import "strings"

// address reads a name-addr or addr-spec with its parameters (RFC 3261 section
// 20.10). Without angle brackets no comma, question mark or semicolon can be the
// URI's.
func address(t *text) (bad string) {
	display, bad := t.display()
	if bad != "" {
		return bad
	}
	if !t.take('<') {
		if display != "" {
			return "No URI Behind Display Name"
		}
		return t.bare()
	}
	uri := t.until(">")
	if t.s == "" {
		return "Angle Bracket Not Closed"
	}
	t.s = t.s[1:]
	if bad := checkURI(uri, true); bad != "" {
		return bad
	}
	if display != "" {
		t.out.WriteString(display + " ")
	}
	t.out.WriteString("<" + uri + ">")
	return t.params(false)
}

// bare reads an addr-spec that stands without angle brackets.
func (t *text) bare() (bad string) {
	uri := t.until(";, \t")
	if bad := checkURI(uri, false); bad != "" {
		return bad
	}
	t.out.WriteString(uri)
	return t.params(false)
}

// display reads a display name, which is quoted or made of tokens. What is beyond
// ASCII is let pass: many send their names so.
func (t *text) display() (display, bad string) {
	t.blanks()
	if t.s != "" && t.s[0] == '"' {
		display, ok := t.quoted()
		if !ok {
			return "", "Quote Not Closed"
		}
		return display, ""
	}
	i := strings.IndexByte(t.s, '<')
	if i < 0 {
		return "", ""
	}
	display = strings.TrimRight(t.s[:i], " \t")
	for j := range len(display) {
		if c := display[j]; !IsTokenByte(c) && !blank(c) && c < 0x80 {
			// It may be a bare URI whose parameter has the bracket, or a list.
			if strings.ContainsAny(display[:j], ":") {
				return "", "Angle Bracket Out Of Place"
			}
			return "", "Display Name Not Quoted"
		}
	}
	t.s = t.s[i:]
	return display, ""
}

// contacts reads an element of Contact, where a star stands for all (RFC 3261
// section 20.10).
func contacts(t *text) (bad string) {
	if t.s == "*" {
		t.s = ""
		t.out.WriteByte('*')
		return ""
	}
	return address(t)
}

// scheme gives the scheme of a URI in lower case, and "" if it has none.
func scheme(uri string) string {
	s, _, ok := strings.Cut(uri, ":")
	if !ok || s == "" {
		return ""
	}
	for i := range len(s) {
		if c := s[i] | 0x20; !('a' <= c && c <= 'z' || i > 0 && ('0' <= s[i] && s[i] <= '9' || strings.IndexByte("+-.", s[i]) >= 0)) {
			return ""
		}
	}
	return strings.ToLower(s)
}

// checkURI says what is wrong with a URI, and "" if nothing is. Only SIP URIs are
// looked into. Headers in them are for those that are kept or referred to, not
// for what is asked for (RFC 3261 section 19.1.1).
func checkURI(uri string, headers bool) (bad string) {
	for i := range len(uri) {
		if c := uri[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == '"' {
			return "Character Not Allowed In URI"
		}
	}
	s := scheme(uri)
	switch {
	case s == "":
		return "URI Without Scheme"
	case len(uri) == len(s)+1:
		return "Empty URI"
	case strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") != "":
		return "Scheme Not Known" // the parser reads none of these
	case s == "sip" || s == "sips":
		return checkSIP(uri[len(s)+1:], headers)
	}
	return ""
}

// checkSIP looks at what stands behind "sip:". It refuses what the parser would
// cut at other places.
func checkSIP(s string, headers bool) (bad string) {
	user, rest, found := strings.Cut(s, "@")
	switch {
	case strings.HasPrefix(s, "//"):
		return "Slashes Not Allowed In SIP URI"
	case !found:
		rest = s
	case user == "" || user[0] == ':' || strings.ContainsAny(user, "[]"):
		return "User Part Not Readable"
	}
	t := text{s: rest}
	host := t.host(":;?")
	switch {
	case !isHost(host):
		return "Host Expected In URI"
	case !found && strings.Contains(t.s, "["):
		return "Bracket Out Of Place"
	}
	if strings.HasPrefix(t.s, ":") {
		t.s = t.s[1:]
		if !isPort(t.until(";?")) {
			return "Port Not A Number"
		}
	}
	if t.until("?"); t.s != "" && !headers {
		return "Headers Not Allowed In This URI"
	}
	return ""
}
