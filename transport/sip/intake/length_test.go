// SPDX-License-Identifier: MIT

package intake

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// request is an OPTIONS with a body of some length.
func request(length int) string {
	return fmt.Sprintf("OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\nFrom: <sip:f@g>;tag=1\r\n"+
		"To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: %d\r\n\r\n%s", length, strings.Repeat("x", length))
}

// The end of a message in a stream is found, or it is said why not and what to
// answer.
func TestLength(t *testing.T) {
	t.Parallel()
	one, two := request(0), request(700)
	long := "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\n"
	with := func(other string) string { return strings.Replace(one, "Content-Length: 0", other, 1) }
	for name, tc := range map[string]struct {
		buf    string
		length int
		says   string // the answer's first line, or the reason if there is none
	}{
		"whole":                {one, len(one), ""},
		"with the next":        {one + two, len(one), ""},
		"with a body":          {two + one, len(two), ""},
		"body to come":         {two[:len(two)-1], len(two), ""},
		"half a header":        {one[:len(one)-1], 0, ""},
		"half a line":          {"OPT", 0, ""},
		"nothing":              {"", 0, ""},
		"as long as may be":    {with("Content-Length: 65536"), len(one) + 4 + 65536, ""},
		"compact":              {with("l : 007"), len(with("l : 007")) + 7, ""},
		"folded":               {with("Content-Length:\r\n 5"), len(with("Content-Length:\r\n 5")) + 5, ""},
		"no length":            {with("X: y"), 0, "400 Missing Content-Length Header"},
		"two lengths":          {with("l: 0\r\nContent-Length: 0"), 0, "400 More Than One Content-Length Header"},
		"negative":             {with("Content-Length: -1"), 0, "400 Content-Length: Number Out Of Range"},
		"huge":                 {with("Content-Length: 99999999999999999999"), 0, "400 Content-Length: Number Out Of Range"},
		"large body":           {with("Content-Length: 65537"), 0, "413 Request Entity Too Large"},
		"large header":         {long + strings.Repeat("X: y\r\n", 3000), 0, "513 Message Too Large"},
		"endless line":         {long + "X: " + strings.Repeat("y", MaxHeader), 0, "513 Message Too Large"},
		"ACK":                  {strings.ReplaceAll(with("X: y"), "OPTIONS", "ACK"), 0, "Missing Content-Length Header"},
		"response":             {strings.Replace(with("X: y"), "OPTIONS sip:a@b SIP/2.0", "SIP/2.0 200 OK", 1), 0, "Missing Content-Length Header"},
		"no way back":          {strings.Replace(with("X: y"), "Via", "Via-Not", 1), 0, "Missing Content-Length Header"},
		"HTTP":                 {"GET / HTTP/1.1\r\n", 0, "not a SIP message"},
		"TLS where none is":    {"\x16\x03\x01", 0, "not a SIP message"},
		"bytes without an end": {strings.Repeat("x", MaxHeader), 0, "not a SIP message"},
	} {
		n, no := Length([]byte(tc.buf))
		if n != tc.length || said(no) != tc.says {
			t.Errorf("%s: length %d, says %q; want %d, %q", name, n, said(no), tc.length, tc.says)
		}
	}
}

// The answer to a datagram names where it came from if Via does not.
func TestAnswer(t *testing.T) {
	t.Parallel()
	source := netip.MustParseAddrPort("192.0.2.9:40000")
	for name, tc := range map[string]struct{ via, to, written string }{
		"port of Via":          {"192.0.2.9:5070;branch=z9hG4bK1", "192.0.2.9:5070", "192.0.2.9:5070;branch=z9hG4bK1"},
		"no port":              {"192.0.2.9", "192.0.2.9:5060", "192.0.2.9"},
		"rport":                {"192.0.2.9:5070;rport;branch=z9hG4bK1", "192.0.2.9:40000", "192.0.2.9:5070;rport=40000;branch=z9hG4bK1;received=192.0.2.9"},
		"its own say":          {"192.0.2.9:5070;received=10.9.9.9;rport=1;branch=z9hG4bK1", "192.0.2.9:40000", "192.0.2.9:5070;rport=40000;branch=z9hG4bK1;received=192.0.2.9"},
		"behind a NAT":         {"10.0.0.1:5070;branch=z9hG4bK1", "192.0.2.9:40000", "10.0.0.1:5070;branch=z9hG4bK1;received=192.0.2.9"},
		"a name":               {"host.example.com", "192.0.2.9:40000", "host.example.com;received=192.0.2.9"},
		"IPv6":                 {"[2001:db8::1]:5070", "192.0.2.9:40000", "[2001:db8::1]:5070;received=192.0.2.9"},
		"the next hop follows": {"192.0.2.9, SIP/2.0/UDP a;b=c", "192.0.2.9:5060", "192.0.2.9, SIP/2.0/UDP a;b=c"},
		"not readable":         {"192.0.2.9;;,", "192.0.2.9:40000", "192.0.2.9;;,"},
	} {
		v := Check([]byte("OPTIONS foo:bar SIP/2.0\r\nVia: SIP/2.0/UDP " + tc.via + "\r\nv: x\r\nCall-ID: 1\r\nTo: <sip:a@b>\r\n\r\n"))
		answer, to := v.Answer(source, false, "test")
		if to.String() != tc.to {
			t.Errorf("%s: goes to %s, want %s", name, to, tc.to)
		}
		tag := ";tag=" + v.tag()
		want := "SIP/2.0 400 Missing CSeq Header\r\nVia: SIP/2.0/UDP " + tc.written + "\r\nVia: x\r\nCall-ID: 1\r\nTo: <sip:a@b>" + tag +
			"\r\nServer: test\r\nContent-Length: 0\r\n\r\n"
		if string(answer) != want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, answer, want)
		}
	}
}
