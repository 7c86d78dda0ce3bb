// SPDX-License-Identifier: MIT

package intake

import (
	"bytes"
	"strings"
)

// name is a header field that is looked at here.
type name uint8

const (
	other name = iota
	via
	from
	to
	callID
	cseq
	contact
	maxForwards
	contentLength
	contentType
	route
	recordRoute
	referTo
	referredBy
	names // how many there are
)

// title is how fields are called in answers and in what is said about them.
var title = [names]string{
	"", "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Content-Length", "Content-Type",
	"Route", "Record-Route", "Refer-To", "Referred-By",
}

// called gives the field of a name, which may be written in its compact form
// (RFC 3261 section 7.3.3) and in any case.
func called(n []byte) name {
	if len(n) > len("Content-Length") {
		return other
	}
	switch strings.ToLower(string(n)) {
	case "via", "v":
		return via
	case "from", "f":
		return from
	case "to", "t":
		return to
	case "call-id", "i":
		return callID
	case "cseq":
		return cseq
	case "contact", "m":
		return contact
	case "max-forwards":
		return maxForwards
	case "content-length", "l":
		return contentLength
	case "content-type", "c":
		return contentType
	case "route":
		return route
	case "record-route":
		return recordRoute
	case "refer-to", "r":
		return referTo
	case "referred-by", "b":
		return referredBy
	}
	return other
}

// field is one header field.
type field struct {
	is   name
	name []byte // as it is written
	// value is what it says: on one line, without blanks around it.
	value []byte
}

// message is a message cut into its parts, which are those of the bytes that
// came unless a field was folded.
type message struct {
	start  []byte
	fields []field
	body   []byte // all that comes behind the header
	// bad is the first thing that is wrong with the lines.
	bad string
}

// cut takes a message apart. It is lenient, so that something can be answered to
// what nobody could parse.
func cut(data []byte) message {
	var m message
	m.start, data = m.line(data)
	m.fields = make([]field, 0, 16)
	for {
		if len(data) == 0 {
			m.complain("Missing Blank Line Behind Header")
			return m
		}
		var line []byte
		if line, data = m.line(data); len(line) == 0 {
			m.body = data
			return m
		}
		if len(data) > 0 && blank(data[0]) {
			line, data = m.unfold(line, data)
		}
		m.add(line)
	}
}

// add puts a line that is a header field among the fields.
func (m *message) add(line []byte) {
	n, value, ok := bytes.Cut(line, []byte{':'})
	n = bytes.Trim(n, " \t")
	if !ok || !isToken(n) {
		m.complain("Header Line Without Name")
		return
	}
	m.fields = append(m.fields, field{is: called(n), name: n, value: bytes.Trim(value, " \t")})
}

// line takes a line off; it ends with CR LF (RFC 3261 section 7).
func (m *message) line(data []byte) (line, rest []byte) {
	switch i := bytes.IndexByte(data, '\n'); {
	case i < 0:
		m.complain("Line Without End")
		line = data
	case i == 0 || data[i-1] != '\r':
		m.complain("Line Without Carriage Return")
		line, rest = data[:i], data[i+1:]
	default:
		line, rest = data[:i-1], data[i+1:]
	}
	if bytes.IndexByte(line, '\r') >= 0 {
		m.complain("Carriage Return Inside Line")
		line = bytes.ReplaceAll(line, []byte{'\r'}, nil)
	}
	return line, rest
}

// unfold joins a line with those that go on with it (RFC 3261 section 7.3.1).
func (m *message) unfold(line, data []byte) (whole, rest []byte) {
	whole = append(make([]byte, 0, 2*len(line)), bytes.TrimRight(line, " \t")...)
	for len(data) > 0 && blank(data[0]) {
		line, data = m.line(data)
		whole = append(whole, ' ')
		whole = append(whole, bytes.Trim(line, " \t")...)
	}
	return whole, data
}

func (m *message) complain(what string) {
	if m.bad == "" {
		m.bad = what
	}
}

// first gives the value of the first field of a name, or nil.
func (m *message) first(n name) []byte {
	for i := range m.fields {
		if m.fields[i].is == n {
			return m.fields[i].value
		}
	}
	return nil
}

// count says how many fields there are of each name.
func (m *message) count() (n [names]int) {
	for i := range m.fields {
		n[m.fields[i].is]++
	}
	return n
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// isToken says whether s is a token (RFC 3261 section 25.1).
func isToken(s []byte) bool {
	for _, c := range s {
		if !IsTokenByte(c) {
			return false
		}
	}
	return len(s) > 0
}

// IsTokenByte says whether c may be in a token (RFC 3261 section 25.1).
func IsTokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c != 0 && strings.IndexByte("-.!%*_+`'~", c) >= 0
}
