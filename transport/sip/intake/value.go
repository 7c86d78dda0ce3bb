// SPDX-License-Identifier: MIT

package intake

import (
	"strconv"
	"strings"
)

// text is a header value that is being read. What has been read is written to
// out in the one form that every parser reads.
type text struct {
	s   string
	out strings.Builder
}

func (t *text) blanks() { t.s = strings.TrimLeft(t.s, " \t") }

// take reads c, with blanks around it, and says whether it was there.
func (t *text) take(c byte) bool {
	t.blanks()
	if t.s == "" || t.s[0] != c {
		return false
	}
	t.s = t.s[1:]
	t.blanks()
	return true
}

// token reads a token; it is empty if there is none.
func (t *text) token() string {
	i := 0
	for i < len(t.s) && IsTokenByte(t.s[i]) {
		i++
	}
	token := t.s[:i]
	t.s = t.s[i:]
	return token
}

// until reads up to one of some bytes.
func (t *text) until(stop string) string {
	i := strings.IndexAny(t.s, stop)
	if i < 0 {
		i = len(t.s)
	}
	read := t.s[:i]
	t.s = t.s[i:]
	return read
}

// quoted reads a quoted string with its quotes (RFC 3261 section 25.1).
func (t *text) quoted() (string, bool) {
	for i := 1; i < len(t.s); i++ {
		switch t.s[i] {
		case '\\':
			i++
		case '"':
			read := t.s[:i+1]
			t.s = t.s[i+1:]
			return read, true
		}
	}
	return "", false
}

// params reads parameters up to a comma or the end. strict refuses those that are
// empty, as in ";;", and what the parser would take for the next element.
func (t *text) params(strict bool) (bad string) {
	for t.take(';') {
		n := t.token()
		if n == "" {
			if strict || t.s != "" && t.s[0] != ';' && t.s[0] != ',' {
				return "Empty Parameter"
			}
			continue
		}
		t.out.WriteByte(';')
		t.out.WriteString(known(n))
		if !t.take('=') {
			continue
		}
		var value string
		if ok := t.s != "" && t.s[0] == '"'; !ok {
			value = t.until(";, \t\"")
		} else if value, ok = t.quoted(); !ok || strict && strings.ContainsAny(value, ";,=") {
			return "Parameter Not Readable" // maybe legal, but the parser would break on it
		}
		t.out.WriteByte('=')
		t.out.WriteString(value)
	}
	t.blanks()
	return ""
}

// known writes the name of a parameter that matters in lower case.
func known(n string) string {
	for _, k := range []string{"tag", "branch", "received", "rport", "maddr", "expires", "q"} {
		if len(n) == len(k) && strings.EqualFold(n, k) {
			return k
		}
	}
	return n
}

// list reads elements that are separated by commas.
func list(value string, element func(*text) string) (all []string, bad string) {
	t := text{s: value}
	for {
		t.blanks()
		t.out.Reset()
		if bad := element(&t); bad != "" {
			return nil, bad
		}
		all = append(all, t.out.String())
		if t.blanks(); t.s == "" {
			return all, ""
		}
		if !t.take(',') {
			return nil, "Comma Expected"
		}
	}
}

// hop reads one element of Via (RFC 3261 section 25.1, via-parm).
func hop(t *text) (bad string) {
	protocol := t.token()
	if protocol == "" || !t.take('/') {
		return "Protocol Expected"
	}
	version := t.token()
	if version == "" || !t.take('/') {
		return "Version Expected"
	}
	transport := t.token()
	if transport == "" || t.s == "" || !blank(t.s[0]) {
		return "Transport Expected"
	}
	t.blanks()
	host, port, bad := t.hostport()
	if bad != "" {
		return bad
	}
	t.out.WriteString(protocol + "/" + version + "/" + transport + " " + host)
	if port != "" {
		t.out.WriteString(":" + port)
	}
	return t.params(true)
}

// host reads a host, which ends at one of some bytes or with its bracket.
func (t *text) host(stop string) string {
	if end := strings.IndexByte(t.s, ']'); end > 0 && t.s[0] == '[' {
		host := t.s[:end+1]
		t.s = t.s[end+1:]
		return host
	}
	return t.until(stop)
}

// hostport reads a host and, if there is one, a port.
func (t *text) hostport() (host, port, bad string) {
	if host = t.host(":;, \t"); !isHost(host) {
		return "", "", "Host Expected"
	}
	if !t.take(':') {
		return host, "", ""
	}
	if port = t.until(";, \t"); !isPort(port) {
		return "", "", "Port Not A Number"
	}
	return host, port, ""
}

func isHost(s string) bool {
	if strings.HasPrefix(s, "[") {
		return len(s) > 2 && len(s) < 42 && s[len(s)-1] == ']' && strings.Trim(s[1:len(s)-1], "0123456789abcdefABCDEF:.") == ""
	}
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return s != ""
}

func isPort(s string) bool { return isNumber(s, 65535) }

// isNumber says whether s is a decimal number up to a limit, however many zeros
// stand before it.
func isNumber(s string, limit uint64) bool {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return err == nil && n <= limit
}

// sequence reads CSeq: a number below 2^31 (RFC 3261 section 8.1.1.5) and a
// method.
func sequence(t *text) (bad string) {
	number := t.until(" \t")
	t.blanks()
	method := t.token()
	switch {
	case !isNumber(number, 1<<31-1):
		return "Number Out Of Range"
	case method == "":
		return "Method Expected"
	}
	t.out.WriteString(number + " " + method)
	return ""
}

// hops reads Max-Forwards. 255 is the most there is (RFC 3261 section 20.22), and
// what is beyond is taken for it.
func hops(t *text) (bad string) {
	number := t.until(" \t")
	switch {
	case number == "" || strings.Trim(number, "0123456789") != "":
		return "Number Expected"
	case !isNumber(number, 255):
		number = "255"
	}
	t.out.WriteString(number)
	return ""
}
