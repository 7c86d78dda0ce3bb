// SPDX-License-Identifier: MIT

package dialog

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// Whatever is let pass to the parser, nothing here breaks, and no event comes
// after the end.
func FuzzMessage(f *testing.F) {
	e, err := Listen(Config{
		Listen: []string{"udp://127.0.0.1:0"}, Log: slog.New(slog.DiscardHandler),
		Challenge: func(r Request) *Response {
			if len(r.Header("Contact")) > 1 {
				return &Response{Status: 401, Phrase: r.URI, Headers: []Header{{"WWW-Authenticate", r.To.URI}}}
			}
			return nil
		},
		Register: func(r Request) Response {
			return Response{Status: 200, Phrase: "OK", Headers: []Header{{"Contact", strings.Join(r.Header("Contact"), ",")}}}
		},
		Events: "message-summary",
		Subscribe: func(w *Watcher, r Request) Response {
			w.Notify(context.Background(), []byte(r.To.URI), func(Reply) { w.Forget() }, Header{"Subscription-State", "active"})
			return Response{Status: 200, Phrase: "OK", Headers: []Header{{"Expires", strings.Join(r.Header("Expires"), "")}}}
		},
		Incoming: func(d *Dialog, _ Invitation) Handler {
			_ = d.Progress(180, "Ringing", nil)
			_ = d.Answer([]byte("answer"))
			ended := false
			return Handler{Event: func(ev Event) {
				if ended {
					panic("an event after the end")
				}
				_, ended = ev.(Ended)
			}}
		},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = e.Close() })
	w := &wire{to: e.Addr("udp")}
	if w.conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { w.conn.Close() })
	for _, method := range []string{"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "REGISTER", "SUBSCRIBE", "DANCE"} {
		f.Add(w.bytes(withHeaders(strings.ReplaceAll(invite("fuzz"), "INVITE", method), "Event: message-summary", "Expires: 60")))
	}
	f.Add([]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:a>;tag=a" +
		"\r\nTo: <sip:b>;tag=b\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		source := w.conn.LocalAddr().(*net.UDPAddr).AddrPort()
		msg, _ := e.parse(data, "UDP", source, func([]byte, netip.AddrPort) error { return nil })
		if msg == nil {
			return
		}
		// What is ours, or points elsewhere, would have us send to anywhere.
		if strings.Contains(msg.String(), e.secret) {
			return
		}
		if req, ok := msg.(*sip.Request); ok && req.Contact() != nil && req.Contact().Address.Host != "127.0.0.1" {
			return
		}
		e.take(msg, source, e.listeners[0].packets)
		done := make(chan struct{})
		e.lanes.do(msg.CallID().Value(), func() { close(done) })
		<-done
	})
}

// What is escaped can be put into a URI and comes out as it was.
func FuzzHeaderSafe(f *testing.F) {
	f.Add("+49 21", "Alice \"A\" \\ \r\nEvil: 1")
	f.Fuzz(func(t *testing.T, user, name string) {
		uri := "sip:" + EscapeUser(user) + "@example.org"
		if user != "" {
			if u, err := parseURI(uri); err != nil || u.String() != uri {
				t.Errorf("%q became %q: %v", uri, u.String(), err)
			}
		}
		p := Party{name, uri}
		h, err := p.from("tag")
		if user != "" && err != nil {
			t.Fatal(err)
		}
		if err == nil && strings.ContainsAny(h.Value()+p.String(), "\r\n\x00") {
			t.Errorf("%q breaks out of its header", h.Value())
		}
		if sh, err := (Header{"X-Name", name}).sipHeader(); err == nil && strings.ContainsAny(sh.String(), "\r\n\x00") {
			t.Errorf("%q breaks out of its header", sh)
		}
	})
}
