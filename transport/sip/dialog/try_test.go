// SPDX-License-Identifier: MIT

package dialog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/resolve"
	"github.com/callwright/callwright/transport/sip/resolve/resolvetest"
	"github.com/callwright/callwright/transport/sip/secure"
	"github.com/callwright/callwright/transport/sip/secure/securetest"
)

// place is where a wire is.
func (w *wire) place() resolve.Place {
	return resolve.Place{Network: "UDP", Addr: netip.MustParseAddrPort(w.addr()), Name: "127.0.0.1"}
}

// refusing is a place where nobody listens.
func refusing(t *testing.T) resolve.Place {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	return resolve.Place{Network: "TCP", Addr: l.Addr().(*net.TCPAddr).AddrPort(), Name: "127.0.0.1"}
}

// A call goes from place to place: one refuses the connection, one says nothing,
// one is overloaded. Who rings late is told not to, and who picks up late is hung
// up on.
func TestPlacesTried(t *testing.T) {
	t.Parallel()
	e := open(t, Config{})
	silent, late, full, good := newWire(t, e.Addr("udp")), newWire(t, e.Addr("udp")), newWire(t, e.Addr("udp")), newWire(t, e.Addr("udp"))
	r := newRecord(t)
	d, err := e.Call(Call{
		To: "sip:100@carrier.test", From: Party{URI: "sip:200@callwright.test"}, Body: []byte("offer"),
		Places: []resolve.Place{refusing(t), silent.place(), late.place(), full.place(), good.place()},
	}, r.handler())
	must(t, err)
	first := silent.expect("INVITE")
	second := late.expect("INVITE")
	refused := full.expect("INVITE")
	full.send(response(refused, "503 Service Unavailable", "f"))
	full.expect("ACK", "INVITE")
	inv := good.expect("INVITE").(*sip.Request)
	if first.CallID().Value() != inv.CallID().Value() || branch(first) == branch(inv) || inv.Recipient.String() != "sip:100@carrier.test" {
		t.Errorf("first\n%s\nlast\n%s", first, inv)
	}
	silent.send(response(first, "180 Ringing", "s", contact(silent)))
	cancel := silent.expect("CANCEL", "INVITE")
	if branch(cancel) != branch(first) || cancel.CSeq().SeqNo != first.CSeq().SeqNo {
		t.Errorf("CANCEL\n%s\nof\n%s", cancel, first)
	}
	silent.send(response(cancel, "200 OK", "s"))
	silent.send(response(first, "487 Request Terminated", "s"))
	if ack := silent.expect("ACK", "INVITE"); branch(ack) != branch(first) || !ack.(*sip.Request).To().Params.Has("tag") {
		t.Errorf("ACK\n%s\nof\n%s", ack, first)
	}
	late.send(response(second, "200 OK", "l", contact(late)))
	late.expect("ACK", "INVITE")
	late.send(response(late.expect("BYE"), "200 OK", ""))
	good.send(response(inv, "200 OK", "g", contact(good)))
	good.expect("ACK", "INVITE")
	r.want("answered")
	good.end(d)
	r.want("answered", "ended 0 local")
	for i, w := range []*wire{silent, late, full} {
		if !e.resolver.Doubtful(w.place()) {
			t.Errorf("nothing is known of the trouble with place %d", i)
		}
	}
}

// When no place is left, all that was tried is said; one that refuses, or rings,
// is the last.
func TestPlacesExhausted(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ status, want, says string }{
		{"503 Service Unavailable", "ended 503 remote", ""},
		{"486 Busy Here", "ended 486 remote", ""},
		{"", "ended 408 timeout", "said nothing for"},
	} {
		e := open(t, Config{})
		one, two := newWire(t, e.Addr("udp")), newWire(t, e.Addr("udp"))
		r := newRecord(t)
		_, err := e.Call(Call{To: "sip:100@carrier.test", From: Party{URI: "sip:200@callwright.test"}, Places: []resolve.Place{refusing(t), one.place(), two.place()}}, r.handler())
		must(t, err)
		one.expect("INVITE")
		inv := two.expect("INVITE")
		if tc.status != "" {
			two.send(response(inv, tc.status, "b"))
		}
		r.want(tc.want)
		if reason := r.event(0).(Ended).Reason; !strings.Contains(reason, tc.says) {
			t.Errorf("%s: reason %q", tc.status, reason)
		}
	}
	e, r := open(t, Config{}), newRecord(t)
	_, err := e.Call(Call{To: "sip:100@carrier.test", From: Party{URI: "sip:200@callwright.test"}, Places: []resolve.Place{refusing(t), refusing(t)}}, r.handler())
	must(t, err)
	r.want("ended 503 local")
	if ended := r.event(0).(Ended); strings.Count(ended.Reason, "connection refused") != 2 || strings.Contains(ended.Reason, "\n") || ended.Why != Unreachable {
		t.Errorf("ended %+v", ended)
	}
}

// waitedEnough ends the time that a place has to say something.
func (d *Dialog) waitedEnough(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		d.mu.Lock()
		timer := d.out.tries.timer
		d.mu.Unlock()
		if timer != nil {
			timer.Reset(0)
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody waits for the place")
		}
	}
}

// A place that rings has the call, even if it refuses later with 503.
func TestPlaceThatRings(t *testing.T) {
	t.Parallel()
	e := open(t, Config{T1: patience, T2: patience})
	one, two := newWire(t, e.Addr("udp")), newWire(t, e.Addr("udp"))
	r := newRecord(t)
	d, err := e.Call(Call{To: "sip:100@carrier.test", From: Party{URI: "sip:200@callwright.test"}, Places: []resolve.Place{one.place(), two.place()}}, r.handler())
	must(t, err)
	inv := one.expect("INVITE")
	one.send(response(inv, "180 Ringing", "b", contact(one)))
	r.want("ringing 180")
	d.waitedEnough(t)
	two.silent()
	one.send(response(inv, "503 Service Unavailable", "b"))
	r.want("ringing 180", "ended 503 remote")
	two.silent()
}

// Who hangs up while a place is tried is told so soon, and nothing more is sent.
func TestHangUpBetweenPlaces(t *testing.T) {
	t.Parallel()
	e := open(t, Config{T1: patience, T2: patience})
	one, two := newWire(t, e.Addr("udp")), newWire(t, e.Addr("udp"))
	r := newRecord(t)
	d, err := e.Call(Call{To: "sip:100@carrier.test", From: Party{URI: "sip:200@callwright.test"}, Places: []resolve.Place{one.place(), two.place()}}, r.handler())
	must(t, err)
	one.expect("INVITE")
	d.Hangup(0, "")
	d.waitedEnough(t)
	r.want("ended 487 local")
	two.silent()
}

// Who hangs up does not wait for a connection that does not come about.
func TestHangUpWhileConnecting(t *testing.T) {
	t.Parallel()
	mute, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer mute.Close()
	e, r := open(t, Config{connect: time.Hour}), newRecord(t)
	at := netip.MustParseAddrPort(mute.Addr().String())
	d, err := e.Call(Call{
		To: "sip:100@carrier.test", From: Party{URI: "sip:200@callwright.test"}, Places: []resolve.Place{{Network: "TLS", Addr: at, Name: "carrier.test"}},
	}, r.handler())
	must(t, err)
	conn, err := mute.Accept()
	must(t, err)
	defer conn.Close()
	d.Hangup(0, "")
	r.want("ended 487 local")
	if e.resolver.Doubtful(resolve.Place{Network: "TLS", Addr: at, Name: "carrier.test"}) {
		t.Error("a place is avoided because the caller hung up")
	}
}

// Nor does who asks something outside of calls, and gives up.
func TestAskWhileConnecting(t *testing.T) {
	t.Parallel()
	for _, ask := range []func(context.Context, *Asker) error{
		func(ctx context.Context, a *Asker) error { _, err := a.Contact(ctx, "me"); return err },
		func(ctx context.Context, a *Asker) error { _, err := a.Options(ctx); return err },
	} {
		mute, err := net.Listen("tcp4", "127.0.0.1:0")
		must(t, err)
		a, err := open(t, Config{}).Asker(Asking{To: "sip:" + mute.Addr().String() + ";transport=tls", User: "sip:me@callwright.test"})
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan error, 1)
		go func() { told <- ask(ctx, a) }()
		conn, err := mute.Accept()
		must(t, err)
		cancel()
		if err := <-told; !errors.Is(err, context.Canceled) {
			t.Errorf("gave up with %v", err)
		}
		must(t, conn.Close())
		must(t, mute.Close())
	}
}

// Nor for that of the ACK: the way to the Contact of who has answered may be none.
func TestHangUpWhileAcknowledging(t *testing.T) {
	t.Parallel()
	mute, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer mute.Close()
	e, r := open(t, Config{connect: time.Hour}), newRecord(t)
	w := newWire(t, e.Addr("udp"))
	d, err := e.Call(Call{To: "sip:100@" + w.addr(), From: Party{URI: "sip:200@callwright.test"}}, r.handler())
	must(t, err)
	w.send(response(w.expect("INVITE"), "200 OK", "b", "Contact: <sip:b@"+mute.Addr().String()+";transport=tls>"))
	conn, err := mute.Accept()
	must(t, err)
	back := make(chan struct{})
	go func() {
		defer close(back)
		d.Hangup(0, "")
	}()
	select {
	case <-back:
	case <-time.After(patience):
		t.Error("Hangup waits for the connection")
	}
	must(t, conn.SetReadDeadline(time.Now().Add(testT1)))
	if _, err := io.Copy(io.Discard, conn); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Hangup came back when the connection had come to nothing: %v", err)
	}
	must(t, conn.Close())
	must(t, mute.Close())
	r.want("answered", "ended 0 local")
}

// A name leads to where the DNS says.
func TestCallByName(t *testing.T) {
	t.Parallel()
	w := newWire(t, netip.AddrPort{})
	port := netip.MustParseAddrPort(w.addr()).Port()
	z := resolvetest.Serve(t, fmt.Sprintf("_sip._udp.carrier.test. 60 SRV 1 1 %d sbc.carrier.test.", port), "sbc.carrier.test. 60 A 127.0.0.1")
	e := open(t, Config{DNS: []string{z.Addr}})
	r := newRecord(t)
	d, err := e.Call(Call{To: "sip:100@carrier.test", From: Party{URI: "sip:200@callwright.test"}}, r.handler())
	must(t, err)
	inv := w.expect("INVITE").(*sip.Request)
	if inv.Recipient.String() != "sip:100@carrier.test" || inv.Contact().Address.Host != "127.0.0.1" {
		t.Errorf("INVITE\n%s", inv)
	}
	w.send(response(inv, "200 OK", "b", "Contact: <sip:100@sbc.carrier.test:"+fmt.Sprint(port)+">"))
	w.expect("ACK", "INVITE")
	w.end(d)
	r.want("answered", "ended 0 local")

	places, err := e.Resolve(t.Context(), "sip:carrier.test")
	if err != nil || len(places) != 1 || places[0].String() != w.addr()+" by UDP" {
		t.Errorf("places %v, %v", places, err)
	}
	r = newRecord(t)
	_, err = e.Call(Call{To: "sip:100@nobody.test", From: Party{URI: "sip:200@callwright.test"}}, r.handler())
	must(t, err)
	r.want("ended 503 local")
	if reason := r.event(0).(Ended).Reason; !strings.Contains(reason, "find nobody.test: the DNS knows no address of it") {
		t.Errorf("reason %q", reason)
	}
}

// both gives an endpoint that listens on UDP and TCP at one port.
func both(t *testing.T, cfg Config) *Endpoint {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		must(t, err)
		address := l.Addr().String()
		must(t, l.Close())
		cfg.Listen, cfg.Log = []string{"udp://" + address, "tcp://" + address}, slog.New(slog.DiscardHandler)
		cfg.T1, cfg.T2 = testT1, 8*testT1
		if e, err := Listen(cfg); err == nil {
			t.Cleanup(func() { _ = e.Close() })
			return e
		}
	}
	t.Fatal("no port is free for both")
	return nil
}

// What is too long for UDP goes by TCP; where that is not taken, by UDP all the
// same (RFC 3261 section 18.1.1).
func TestLongRequests(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	c.prepare = func(r *record) {
		r.info = func(_ string, body []byte) int { return 200 + len(body)%2 }
	}
	a, b := open(t, Config{Listen: []string{"udp://127.0.0.1:0"}}), both(t, Config{Incoming: c.incoming})
	long := []byte(strings.Repeat("x", 3001))
	r := newRecord(t)
	d, err := a.Call(Call{To: "sip:100@" + b.Addr("udp").String(), From: Party{URI: "sip:200@test"}, Body: long}, r.handler())
	must(t, err)
	call := c.next()
	if via := call.Header("Via")[0]; call.Network != "TCP" || !strings.HasPrefix(via, "SIP/2.0/TCP ") || len(call.Body) != len(long) {
		t.Errorf("%d bytes came by %s, %s", len(call.Body), call.Network, via)
	}
	must(t, call.Answer([]byte("answer")))
	call.want("confirmed")
	got, done := replies()
	must(t, d.Info("text/plain", long, done))
	if reply := <-got; reply.Status != 201 {
		t.Errorf("INFO: %+v", reply)
	}
	d.Hangup(0, "")
	call.want("confirmed", "ended 0 remote")
	r.want("answered", "ended 0 local")

	// Where the peer was heard there is nothing else.
	r = newRecord(t)
	d, err = a.Call(Call{To: "sip:100@nat.invalid", Network: "UDP", Flow: b.Addr("udp").String(), From: Party{URI: "sip:200@test"}, Body: long}, r.handler())
	must(t, err)
	if call = c.next(); call.Network != "UDP" {
		t.Errorf("came by %s", call.Network)
	}
	must(t, call.Progress(180, "Ringing", nil))
	r.want("ringing 180")
	d.Hangup(0, "")
	call.want("ended 487 remote")
	r.want("ringing 180", "ended 487 local")

	w := newWire(t, a.Addr("udp"))
	r = newRecord(t)
	_, err = a.Call(Call{To: "sip:100@" + w.addr(), From: Party{URI: "sip:200@test"}, Body: long}, r.handler())
	must(t, err)
	inv := w.expect("INVITE").(*sip.Request)
	if inv.Via().Transport != "UDP" || len(inv.Body()) != len(long) {
		t.Errorf("INVITE\n%s", inv)
	}
	w.send(response(inv, "486 Busy Here", "b"))
	w.expect("ACK", "INVITE")
	r.want("ended 486 remote")
}

// A connection that ends takes along what waits for an answer on it, in both
// directions.
func TestConnectionLost(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	callee := open(t, Config{Incoming: c.incoming, T1: patience, T2: patience})
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	r := newRecord(t)
	_, err = callee.Call(Call{To: "sip:100@" + l.Addr().String() + ";transport=tcp", From: Party{URI: "sip:200@test"}}, r.handler())
	must(t, err)
	conn, err := l.Accept()
	must(t, err)
	if _, err := conn.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	must(t, conn.Close())
	r.want("ended 503 timeout")
	if ended := r.event(0).(Ended); ended.Why != Unreachable || !strings.Contains(ended.Reason, "the TCP connection with "+l.Addr().String()+" was") {
		t.Errorf("ended %+v", ended)
	}

	caller := open(t, Config{T1: patience, T2: patience})
	r = newRecord(t)
	d, err := caller.Call(Call{To: "sip:100@" + callee.Addr("tcp").String() + ";transport=tcp", From: Party{URI: "sip:200@test"}}, r.handler())
	must(t, err)
	call := c.next()
	must(t, call.Progress(180, "Ringing", nil))
	r.want("ringing 180")
	must(t, callee.streams.Find("TCP", call.Hop).Close())
	call.want("ended 487 remote")
	r.want("ringing 180", "ended 503 timeout")
	d.Hangup(0, "")
}

// Without a listener the peer reaches us by the connection that we opened, inside
// the call and outside of it.
func TestWithoutListener(t *testing.T) {
	t.Parallel()
	authority := securetest.New(t)
	files := secure.Files{}
	files.Cert, files.Key = authority.Issue("127.0.0.1")
	for _, network := range []string{"tcp", "tls", "ws", "wss"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			c := newCalls(t)
			a, b := open(t, Config{Listen: []string{"udp://127.0.0.1:0"}}), open(t, Config{Listen: []string{network + "://127.0.0.1:0"}, TLS: files, Incoming: c.incoming})
			r := newRecord(t)
			_, err := a.Call(Call{
				To: fmt.Sprintf("sip:100@%s;transport=%s", b.Addr(network), network), From: Party{URI: "sip:200@test"}, TLS: secure.Client{CA: authority.CA},
			}, r.handler())
			must(t, err)
			call := c.next()
			if contact, want := call.Header("Contact")[0], fmt.Sprintf("<sip:200@%s;transport=%s>", call.Hop, network); contact != want {
				t.Errorf("Contact %s, want %s", contact, want)
			}
			if via := call.Header("Via")[0]; !strings.Contains(via, ";alias") {
				t.Errorf("Via %s", via)
			}
			must(t, call.Answer([]byte("answer")))
			call.want("confirmed")
			call.Hangup(0, "")
			r.want("answered", "ended 0 remote")
			call.want("confirmed", "ended 0 local")
			if n := b.streams.Len(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// A sips: URI is reached by TLS, and answered with one.
func TestSIPS(t *testing.T) {
	t.Parallel()
	authority := securetest.New(t)
	files := secure.Files{ClientCA: authority.CA}
	files.Cert, files.Key = authority.Issue("127.0.0.1", "caller.test")
	c := newCalls(t)
	cfg := Config{Listen: []string{"tls://127.0.0.1:0"}, TLS: files}
	a := open(t, cfg)
	cfg.Incoming = c.incoming
	b := open(t, cfg)
	r := newRecord(t)
	d, err := a.Call(Call{To: "sips:100@" + b.Addr("tls").String() + ";transport=tcp", From: Party{URI: "sip:200@test"}, TLS: secure.Client{CA: authority.CA}}, r.handler())
	must(t, err)
	call := c.next()
	if contact, want := call.Header("Contact")[0], "<sips:200@"+a.Addr("tls").String()+">"; contact != want || call.Network != "TLS" {
		t.Errorf("Contact %s, want %s, by %s", contact, want, call.Network)
	}
	if len(call.Names) != 2 || call.Names[0] != "caller.test" {
		t.Errorf("the caller is known as %v", call.Names)
	}
	must(t, call.Answer([]byte("answer")))
	call.want("confirmed")
	d.mu.Lock()
	target := d.peer.target
	d.mu.Unlock()
	if got, want := target.String(), "sips:100@"+b.Addr("tls").String(); got != want {
		t.Errorf("Contact %s, want %s", got, want)
	}
	d.Hangup(0, "")
	call.want("confirmed", "ended 0 remote")
}
