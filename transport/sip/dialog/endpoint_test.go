// SPDX-License-Identifier: MIT

package dialog

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/callwright/callwright/transport/sip/secure"
	"github.com/callwright/callwright/transport/sip/secure/securetest"
)

// Two endpoints call each other over all transports, on IPv4 and IPv6, and either
// side hangs up.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	authority := securetest.New(t)
	files := secure.Files{}
	files.Cert, files.Key = authority.Issue("127.0.0.1", "::1")
	for _, network := range []string{"udp", "tcp", "tls", "ws", "wss"} {
		for _, host := range []string{"127.0.0.1", "[::1]"} {
			for _, calleeEnds := range []bool{false, true} {
				t.Run(fmt.Sprint(network, host, calleeEnds), func(t *testing.T) {
					t.Parallel()
					c := newCalls(t)
					listen := []string{network + "://" + host + ":0"}
					r := newRecord(t)
					r.trace, r.once = true, network == "udp"
					cfg := Config{Listen: listen, TLS: files}
					if !r.once { // then only T1 has a 200 repeated, and nothing else is
						cfg.T1, cfg.T2 = patience, patience
					}
					a := open(t, cfg)
					cfg.Incoming = c.incoming
					b := open(t, cfg)
					to := fmt.Sprintf("sip:100@%s;transport=%s", b.Addr(network), network)
					d, err := a.Call(Call{To: to, From: Party{URI: "sip:200@test"}, Body: []byte("offer"), TLS: secure.Client{CA: authority.CA}}, r.handler())
					if err != nil {
						t.Fatal(err)
					}
					call := c.next()
					contact := call.Header("Contact")[0]
					want := "<sip:200@" + a.Addr(network).String()
					if network != "udp" {
						want += ";transport=" + network
					}
					if via := call.Header("Via")[0]; contact != want+">" || !strings.HasPrefix(via, "SIP/2.0/"+strings.ToUpper(network)+" "+a.Addr(network).String()+";") {
						t.Errorf("Contact %s\nVia %s", contact, via)
					}
					_ = call.Progress(180, "Ringing", nil)
					_ = call.Answer([]byte("answer"))
					call.want("confirmed")
					got := []string{">INVITE", "<180 Ringing", "ringing 180", "<200 OK", ">ACK", "answered"}
					if calleeEnds {
						call.Hangup(0, "")
						r.want(append(got, "<BYE", ">200 OK", "ended 0 remote")...)
						call.want("confirmed", "ended 0 local")
					} else {
						d.Hangup(0, "")
						r.want(append(got, ">BYE", "<200 OK", "ended 0 local")...)
						call.want("confirmed", "ended 0 remote")
					}
				})
			}
		}
	}
}

// Closing an endpoint ends what there is, and frees the port.
func TestClose(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e, w, call, _ := answered(t, c, "close")
	w.send(invite("ringing"))
	ringing := c.next()
	r := newRecord(t)
	if _, err := e.Call(Call{To: "sip:1@" + w.addr(), From: Party{URI: "sip:2@test"}}, r.handler()); err != nil {
		t.Fatal(err)
	}
	w.expect("INVITE")
	addr := e.Addr("udp")
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	call.want("confirmed", "ended 0 local")
	ringing.want("ended 503 local")
	r.want("ended 0 local")
	if _, err := e.Call(Call{To: "sip:1@" + w.addr(), From: Party{URI: "sip:2@test"}}, Handler{}); err == nil {
		t.Error("a closed endpoint makes a call")
	}
	again, err := Listen(Config{Listen: []string{"udp://" + addr.String()}, Log: e.log})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestListenRefused(t *testing.T) {
	t.Parallel()
	e := open(t, Config{})
	for _, tc := range []struct{ listen, says string }{
		{"udp://" + e.Addr("udp").String(), "UDP port " + fmt.Sprint(e.Addr("udp").Port()) + " is already taken by another program; stop it or choose another port in sip.listen"},
		{"tcp://" + e.Addr("tcp").String(), "TCP port"},
		{"127.0.0.1:5060", "must be udp://HOST:PORT, or the same with tcp, tls, ws or wss"},
		{"udp://localhost:5060", "HOST must be an IP address"},
		{"tls://127.0.0.1:0", "set sip.tls.cert and sip.tls.key"},
		{"udp://192.0.2.1:5060", "this machine has no address 192.0.2.1"},
	} {
		other, err := Listen(Config{Listen: []string{"udp://127.0.0.1:0", tc.listen}, Log: e.log})
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: error %v, want one with %q", tc.listen, err, tc.says)
		}
		if other != nil {
			_ = other.Close()
		}
	}
	if _, err := Listen(Config{Log: e.log}); err == nil {
		t.Error("listening nowhere is no error")
	}
}

// A peer that does not read its connection loses it, and holds up nobody.
func TestPeerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	conn, err := net.Dial("tcp", e.Addr("tcp").String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	w := newWire(t, e.Addr("udp"))
	if _, err := conn.Write(bytes.ReplaceAll(w.bytes(invite("stuck")), []byte("SIP/2.0/UDP"), []byte("SIP/2.0/TCP"))); err != nil {
		t.Fatal(err)
	}
	call := c.next()
	for err == nil {
		err = call.Progress(183, "Session Progress", bytes.Repeat([]byte("x"), 60000))
	}
	call.Hangup(486, "Busy Here")
	call.want("ended 486 local")
	other := newWire(t, e.Addr("udp"))
	other.send(strings.ReplaceAll(invite("other"), "INVITE", "OPTIONS"))
	other.expect("200 OPTIONS")
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// The kernel keeps more for us than for just anybody, so that a flood is thrown
// away by us, who see whose it is.
func TestReadBuffer(t *testing.T) {
	t.Parallel()
	buffer := func(c *net.UDPConn) (size int) {
		raw, err := c.SyscallConn()
		must(t, err)
		must(t, raw.Control(func(fd uintptr) {
			size, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF)
		}))
		must(t, err)
		return size
	}
	ours, err := listen("udp://127.0.0.1:0", slog.New(slog.DiscardHandler))
	must(t, err)
	defer ours.close()
	plain, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	defer plain.Close()
	if a, b := buffer(ours.packets.conn), buffer(plain); a <= b {
		t.Errorf("%d bytes, any socket has %d", a, b)
	}
}
