// SPDX-License-Identifier: MIT

package dialog

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/resolve"
)

// Addresses of IPv6 stand in brackets in URIs and in the host of Via (RFC 3261
// section 25.1), and without them in received (RFC 5118 section 4.5).
func TestIPv6Forms(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Listen: []string{"udp://[::1]:0"}, Incoming: c.incoming})
	conn, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
	must(t, err)
	w := &wire{t: t, conn: conn, to: e.Addr("udp"), seen: map[string]bool{}}
	t.Cleanup(func() { conn.Close() })
	us, they := e.Addr("udp").String(), w.addr()

	// Behind a NAT Via and Contact have another address than the source.
	behind := strings.NewReplacer("UDP ADDR", "UDP [2001:db8::9]:5070", "alice@ADDR>\n\tMax", "alice@[2001:db8::9]:5070>\n\tMax").Replace(invite("nat"))
	w.send(behind)
	call := c.next()
	if call.Header("Contact")[0] != "<sip:alice@[2001:db8::9]:5070>" {
		t.Fatalf("Contact %s", call.Header("Contact"))
	}
	must(t, call.Progress(180, "Ringing", nil))
	ringing := w.expect("180 INVITE")
	via := ringing.Via()
	if received, _ := via.Params.Get("received"); received != "::1" || !strings.HasPrefix(via.Value(), "SIP/2.0/UDP [2001:db8::9]:5070;") {
		t.Errorf("Via %s", via.Value())
	}
	if got, want := value(ringing, "Contact"), "<sip:100@"+us+">"; got != want {
		t.Errorf("Contact %s, want %s", got, want)
	}
	call.Hangup(486, "Busy Here")
	w.expect("486 INVITE", "180 INVITE")

	r := newRecord(t)
	d, err := e.Call(Call{To: "sip:100@" + they, From: Party{URI: "sip:200@[2001:db8::1]"}, Body: []byte("offer")}, r.handler())
	must(t, err)
	inv := w.expect("INVITE", "486 INVITE").(*sip.Request)
	for name, want := range map[string]string{
		"Via": "SIP/2.0/UDP " + us + ";", "Contact": "<sip:200@" + us + ">", "To": "<sip:100@" + they + ">", "From": "<sip:200@[2001:db8::1]>;",
	} {
		if got := inv.GetHeader(name).Value(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got, want := inv.Recipient.String(), "sip:100@"+they; got != want {
		t.Errorf("Request-URI %s, want %s", got, want)
	}
	w.send(response(inv, "200 OK", "b", "Contact: <sip:100@"+they+">", "Record-Route: <sip:"+they+";lr>"))
	ack := w.expect("ACK", "INVITE", "486 INVITE").(*sip.Request)
	if got, want := ack.GetHeader("Route").Value(), "<sip:"+they+";lr>"; got != want {
		t.Errorf("Route %s, want %s", got, want)
	}
	w.end(d, "486 INVITE")
	r.want("answered", "ended 0 local")
}

// What a URI says is where it leads, whatever it is written like.
func TestHopTo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		uri, network string
		want         resolve.Target
	}{
		{"sip:a@[2001:db8::1]", "", resolve.Target{Host: "2001:db8::1"}},
		{"sip:a@[2001:db8::1]:5070;transport=tcp", "UDP", resolve.Target{Host: "2001:db8::1", Port: 5070, Network: "TCP"}},
		{"sip:a@h:5070", "TLS", resolve.Target{Host: "h", Port: 5070, Network: "TLS"}},
		{"sip:h;transport=WsS", "", resolve.Target{Host: "h", Network: "WSS"}},
		{"sips:a@h;transport=tcp", "", resolve.Target{Host: "h", Network: "TLS", Secure: true}},
		{"sips:a@h;transport=ws", "", resolve.Target{Host: "h", Network: "WSS", Secure: true}},
		{"sips:a@h", "WSS", resolve.Target{Host: "h", Network: "WSS", Secure: true}},
		{"sips:a@h", "", resolve.Target{Host: "h", Network: "TLS", Secure: true}},
	} {
		u, err := parseURI(tc.uri)
		must(t, err)
		if got := hopTo(u, tc.network).to; got != tc.want {
			t.Errorf("%s by %q: %+v, want %+v", tc.uri, tc.network, got, tc.want)
		}
	}
}

// Of several sockets, the one leads to a peer that is on the interface to it.
func TestListenerFor(t *testing.T) {
	t.Parallel()
	e := open(t, Config{Listen: []string{"udp://127.0.5.3:0", "udp://127.0.0.1:0", "udp://[::1]:0", "tcp://127.0.0.1:0"}})
	for _, tc := range []struct {
		network, peer string
		want          int // which of Listen; -1 is none
	}{
		{"UDP", "127.0.0.1:9", 1}, {"UDP", "[::1]:9", 2}, {"TCP", "127.0.0.1:9", 3}, {"TCP", "[::1]:9", -1}, {"TLS", "127.0.0.1:9", -1},
		{"UDP", "[::ffff:127.0.0.1]:9", 1},
	} {
		got := e.listenerFor(resolve.Place{Network: tc.network, Addr: netip.MustParseAddrPort(tc.peer)})
		if tc.want < 0 && got != nil || tc.want >= 0 && got != e.listeners[tc.want] {
			t.Errorf("%s to %s: %+v", tc.network, tc.peer, got)
		}
	}
}

// A packet that is none does not end the socket.
func TestSocketGoesOn(t *testing.T) {
	t.Parallel()
	e := open(t, Config{})
	w := newWire(t, e.Addr("udp"))
	for _, garbage := range [][]byte{nil, {0}, []byte("\r\n\r\n"), make([]byte, 65000)} {
		if _, err := w.conn.WriteToUDPAddrPort(garbage, w.to); err != nil {
			t.Fatal(err)
		}
	}
	must(t, w.conn.SetReadDeadline(time.Now().Add(patience)))
	w.send(strings.ReplaceAll(invite("after"), "INVITE", "OPTIONS"))
	w.expect("200 OPTIONS")
}
