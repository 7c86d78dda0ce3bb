// SPDX-License-Identifier: MIT

package intake

import (
	"bytes"
	"strings"
)

// Status codes of RFC 3261 section 21 that an intake answers with.
const (
	statusBadRequest      = 400
	statusBodyTooLarge    = 413
	statusUnknownScheme   = 416
	statusNotImplemented  = 501
	statusUnknownVersion  = 505
	statusMessageTooLarge = 513
)

// Verdict says what to do with a message: with Message, parse it; else with a
// Status, send what Answer makes; else drop it without a word.
type Verdict struct {
	// Message is what the parser is to read: the bytes that came, or, if the
	// parser would not understand them, others that mean the same.
	Message []byte
	// Status and Phrase are what a request is answered with.
	Status int
	Phrase string
	// Reason says what is wrong with a message that is not to be parsed. It is
	// empty for what is no message at all, such as a keep-alive.
	Reason string

	cut message
}

// IsSIP says whether the first line is one of SIP, of whatever version.
func (v Verdict) IsSIP() bool {
	line, _ := requestLine(v.cut.start)
	return line.version != "" || version(v.cut.start) != ""
}

// Check judges a message: the bytes of one datagram, or of one message of a
// stream. Line ends before it do not matter. What stands behind a body of a stated length is cut off (RFC 3261
// section 18.3).
func Check(data []byte) Verdict {
	if data = bytes.TrimLeft(data, "\r\n\x00"); len(data) == 0 {
		return Verdict{}
	}
	m := cut(data)
	if head := len(data) - len(m.body); head > MaxHeader {
		return endless(data[:MaxHeader], statusMessageTooLarge, "Message Too Large")
	}
	if version(m.start) != "" {
		return m.response(data)
	}
	line, bad := requestLine(m.start)
	if line.version == "" {
		return Verdict{Reason: "not a SIP message", cut: m}
	}
	if line.method == "ACK" {
		v := m.request(line, bad, data)
		v.Status, v.Phrase = 0, "" // an ACK is never answered
		return v
	}
	return m.request(line, bad, data)
}

// request judges a request.
func (m message) request(line startLine, bad string, data []byte) Verdict {
	n := m.count()
	switch {
	case n[via] == 0:
		return Verdict{Reason: "Missing Via Header", cut: m} // an answer would not find its way
	case line.version != "SIP/2.0":
		return m.refuse(statusUnknownVersion, "Version Not Supported")
	case bad != "":
		return m.refuse(statusBadRequest, bad)
	}
	if bad := m.complete(n); bad != "" {
		return m.refuse(statusBadRequest, bad)
	}
	unusual, bad := m.normalize()
	switch method := m.method(); {
	case bad != "":
		return m.refuse(statusBadRequest, bad)
	case method != line.method:
		return m.refuse(statusBadRequest, "CSeq Method Differs")
	case strings.ToUpper(method) != method: // methods tell cases apart, the parser does not
		return m.refuse(statusNotImplemented, "Not Implemented")
	}
	switch scheme(line.uri) {
	case "":
		return m.refuse(statusBadRequest, "Request-URI: URI Without Scheme")
	case "sip", "sips", "tel":
	default:
		return m.refuse(statusUnknownScheme, "Unsupported URI Scheme")
	}
	if bad := checkURI(line.uri, false); bad != "" {
		return m.refuse(statusBadRequest, "Request-URI: "+bad)
	}
	if branch(string(m.first(via))) == cookie {
		return m.refuse(statusBadRequest, "Via: Branch Without Value")
	}
	if line.method == "REGISTER" && !m.registers() {
		return m.refuse(statusBadRequest, "To: A SIP URI Expected") // RFC 3261 section 10.3
	}
	return m.pass(data, unusual)
}

// response judges a response. Those that are not right are dropped: there is
// nobody to tell.
func (m message) response(data []byte) Verdict {
	_, status, _ := bytes.Cut(m.start, []byte{' '})
	code, _, _ := bytes.Cut(status, []byte{' '})
	n := m.count()
	switch {
	case version(m.start) != "SIP/2.0" || len(code) != 3 || !isNumber(string(code), 699) || code[0] == '0':
		return Verdict{Reason: "Status Line Not Readable", cut: m}
	case n[via] == 0:
		return Verdict{Reason: "Missing Via Header", cut: m}
	}
	if bad := m.complete(n); bad != "" {
		return Verdict{Reason: bad, cut: m}
	}
	unusual, bad := m.normalize()
	if bad != "" {
		return Verdict{Reason: bad, cut: m}
	}
	if bytes.Count(m.start, []byte{' '}) < 2 { // the blank before an empty phrase is often left out
		m.start = append(bytes.Clone(m.start), ' ')
		unusual = true
	}
	return m.pass(data, unusual)
}

// pass gives a message to the parser, written anew if it is unusual.
func (m message) pass(data []byte, unusual bool) Verdict {
	if length := m.first(contentLength); length != nil {
		want := number(length)
		if want > len(m.body) {
			v := Verdict{Reason: "Content-Length Beyond End Of Message", cut: m}
			if version(m.start) == "" {
				v = m.refuse(statusBadRequest, "Content-Length Beyond End Of Message")
			}
			return v
		}
		data = data[:len(data)-len(m.body)+want]
		m.body = m.body[:want]
	}
	if unusual {
		data = m.bytes()
	}
	return Verdict{Message: data, cut: m}
}

// refuse answers a request.
func (m message) refuse(status int, phrase string) Verdict {
	return Verdict{Status: status, Phrase: phrase, Reason: phrase, cut: m}
}

// cookie begins each branch of RFC 3261 (section 8.1.1.7).
const cookie = "z9hG4bK"

// branch gives the branch of a Via that was read.
func branch(via string) string {
	for p := range strings.SplitSeq(via, ";") {
		if b, ok := strings.CutPrefix(p, "branch="); ok {
			return b
		}
	}
	return ""
}

// registers says whether To names what can be registered.
func (m message) registers() bool {
	t := text{s: string(m.first(to))}
	if _, bad := t.display(); bad != "" {
		return false
	}
	t.take('<')
	s := scheme(t.s)
	return s == "sip" || s == "sips"
}

// complete says which field is missing that every message has, or which is there
// more than once though it can have but one value.
func (m message) complete(n [names]int) (bad string) {
	if m.bad != "" {
		return m.bad
	}
	for _, is := range []name{callID, cseq, from, to} {
		if n[is] == 0 || len(m.first(is)) == 0 {
			return "Missing " + title[is] + " Header"
		}
	}
	for _, is := range []name{callID, cseq, from, to, maxForwards, contentLength, contentType} {
		if n[is] > 1 {
			return "More Than One " + title[is] + " Header"
		}
	}
	return ""
}

// method gives the method that CSeq names.
func (m message) method() string {
	_, method, _ := bytes.Cut(m.first(cseq), []byte{' '})
	return string(method)
}

// startLine is the first line of a request.
type startLine struct{ method, uri, version string }

// requestLine reads the first line of a request: three words, one blank apart
// (RFC 3261 section 7.1). Without a version it is none.
func requestLine(start []byte) (line startLine, bad string) {
	words := strings.Split(string(start), " ")
	full := strings.Fields(string(start))
	if len(full) < 3 || version([]byte(full[len(full)-1])) == "" {
		return line, ""
	}
	line = startLine{method: full[0], uri: full[1], version: version([]byte(full[len(full)-1]))}
	switch {
	case !isToken([]byte(line.method)):
		return line, "Method Not A Token"
	case len(words) != 3 || len(full) != 3:
		return line, "Blank Out Of Place In Request Line"
	}
	return line, ""
}

// version gives the SIP version that begins a line, in upper case.
func version(start []byte) string {
	word, _, _ := bytes.Cut(start, []byte{' '})
	if len(word) < len("SIP/2.0") || len(word) > len("SIP/255.255") || !strings.EqualFold(string(word[:4]), "SIP/") {
		return ""
	}
	major, minor, ok := strings.Cut(string(word[4:]), ".")
	if !ok || !isNumber(major, 999) || !isNumber(minor, 999) {
		return ""
	}
	return strings.ToUpper(string(word))
}
