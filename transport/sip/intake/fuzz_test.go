// SPDX-License-Identifier: MIT

package intake

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// What passes is read by the parser, whole; what is answered keeps to its lines.
func FuzzCheck(f *testing.F) {
	for _, data := range torture(f) {
		f.Add(data)
	}
	f.Add([]byte(request(3)))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		v := Check(data)
		if !bytes.Equal(before, data) {
			t.Fatal("the bytes were changed")
		}
		if answer, _ := v.Answer(netip.MustParseAddrPort("[2001:db8::1]:5060"), false, "x"); answer != nil {
			if v.Message != nil || !bytes.HasSuffix(answer, []byte("\r\n\r\n")) || bytes.Count(answer, []byte("\r\n\r\n")) != 1 ||
				bytes.Count(answer, []byte{'\n'}) != bytes.Count(answer, []byte("\r\n")) || bytes.Count(answer, []byte{'\r'}) != bytes.Count(answer, []byte("\r\n")) {
				t.Fatalf("answer %q to %q", answer, data)
			}
		}
		if v.Message == nil {
			return
		}
		msg, err := sip.ParseMessage(v.Message)
		if err != nil {
			t.Fatalf("the parser does not take %q: %v", v.Message, err)
		}
		if msg.Via() == nil || msg.From() == nil || msg.To() == nil || msg.CallID() == nil || msg.CSeq() == nil {
			t.Fatalf("not all of %q", v.Message)
		}
		if req, ok := msg.(*sip.Request); ok && (req.CSeq().MethodName != req.Method || req.SipVersion != "SIP/2.0" || req.Recipient.Scheme == "") {
			t.Fatalf("not a request: %q", v.Message)
		}
		if again := Check(v.Message); !bytes.Equal(again.Message, v.Message) {
			t.Fatalf("%q became %q: %s", v.Message, again.Message, again.Reason)
		}
	})
}

// A URI that passes is read by the parser, and is written as it was.
func FuzzURI(f *testing.F) {
	for _, uri := range []string{
		"sip:alice@example.org:5060;transport=tcp?subject=x", "sips:[2001:db8::1]:5061", "tel:+49-21;phone-context=+49",
		"sip:sips%3Auser%40example.com@example.net", "sip:user;par=u%40example.net@example.com", "sip:*21#@host", "sip:a:b:c@d",
		"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
		"urn:service:sos", "sip:", "sip:@", "sip:a@b:", "sip://a@b", "sip:a@[::1", "sip:a@b;", "sip:a@b;?", "*",
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if checkURI(uri, true) != "" {
			return
		}
		var u sip.Uri
		if err := sip.ParseUri(uri, &u); err != nil {
			t.Fatalf("%q: %v", uri, err)
		}
		if sipURI := u.Scheme == "sip" || u.Scheme == "sips"; sipURI && u.Host == "" || u.Scheme != scheme(uri) {
			t.Fatalf("%q is read as %+v", uri, u)
		}
		if bad := checkURI(u.String(), true); bad != "" {
			t.Fatalf("%q is written as %q: %s", uri, u.String(), bad)
		}
	})
}

// A Via that passes is read by the parser: the same hops, hosts and branches.
func FuzzVia(f *testing.F) {
	for _, value := range []string{
		"SIP/2.0/UDP host:5060;branch=z9hG4bK1;rport", "SIP  / 2.0\t/ TCP  a ; branch = b , SIP/2.0/TLS [::1]:5061",
		"SIP/2.0/UDP 192.0.2.15;;,;,,", "SIP/2.0/UDP a;x=\"y z\"", "SIP/7.0/UDP c", "SIP/2.0/UDP a:99999", "SIP/2.0/UDP",
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if strings.ContainsAny(value, "\r\n") {
			return
		}
		hops, bad := list(value, hop)
		if bad != "" {
			return
		}
		for _, h := range hops {
			msg, err := sip.ParseMessage([]byte("SIP/2.0 200 OK\r\nVia: " + h + "\r\n\r\n"))
			if err != nil || len(msg.GetHeaders("Via")) != 1 || msg.Via().Host == "" {
				t.Fatalf("%q of %q is read as %v: %v", h, value, msg, err)
			}
			if again, bad := list(h, hop); bad != "" || len(again) != 1 || again[0] != h {
				t.Fatalf("%q becomes %q: %s", h, again, bad)
			}
		}
	})
}

// However a stream is cut, its messages are as long; and nothing wants more than
// a header to tell.
func FuzzLength(f *testing.F) {
	f.Add([]byte(request(0) + request(7)))
	f.Add([]byte("INVITE sip:a SIP/2.0\r\nl: 1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, buf []byte) {
		n, no := Length(buf)
		if n > MaxMessage || n > 0 && no.Reason != "" || n == 0 && no.Reason == "" && len(buf) >= MaxHeader {
			t.Fatalf("length %d, %q", n, no.Reason)
		}
		if m, _ := Length(buf[:len(buf)/2]); m != 0 && m != n {
			t.Fatalf("length %d, and %d by half of it", n, m)
		}
	})
}
