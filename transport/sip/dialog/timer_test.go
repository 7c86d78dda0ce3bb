// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// fast lets a second of a session timer last a millisecond or so. The side that
// refreshes has half of the session to do so.
func fast(c *calls, expires time.Duration) Config {
	cfg := Config{SessionExpires: expires, second: time.Millisecond}
	if c != nil {
		cfg.Incoming = c.incoming
	}
	return cfg
}

// clockOf gives the session of a call as soon as that is as it should be.
func (d *Dialog) clockOf(t *testing.T, ok func(session) bool) session {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		d.mu.Lock()
		s := d.session
		d.mu.Unlock()
		if ok(s) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("the session is not as it should be: %+v", s)
		}
	}
}

// lasting is a session of some seconds that we refresh.
func lasting(seconds int) func(session) bool {
	return func(s session) bool { return s.expires == seconds && s.refresh != nil }
}

// The caller says how long a session lasts, and we who refreshes it (RFC 4028
// section 9).
func TestTimerAnswered(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		ours    time.Duration
		headers []string
		want    string // Session-Expires, Require
	}{
		{"nobody asks", 0, nil, " "},
		{"nobody asks, we would", time.Hour, nil, " "},
		{"the caller could", 0, []string{"Supported: timer"}, " "},
		{"we ask", time.Hour, []string{"Supported: 100rel, timer"}, "3600;refresher=uac timer"},
		{"the caller asks", 0, []string{"k: timer", "x: 1800"}, "1800;refresher=uac timer"},
		{"we want it shorter", 10 * time.Minute, []string{"Supported: timer", "Session-Expires: 1800"}, "600;refresher=uac timer"},
		{"we may not make it longer", time.Hour, []string{"Supported: timer", "Session-Expires: 1800"}, "1800;refresher=uac timer"},
		{"nor too short", 10 * time.Minute, []string{"Supported: timer", "Session-Expires: 1800", "Min-SE: 1200"}, "1200;refresher=uac timer"},
		{"the caller wants us to refresh", 0, []string{"Supported: timer", "Session-Expires: 1800;refresher=uas"}, "1800;refresher=uas "},
		{"the caller wants to refresh", 0, []string{"Supported: timer", "Session-Expires: 1800 ; Refresher = UAC"}, "1800;refresher=uac timer"},
		{"only a proxy asks", 0, []string{"Session-Expires: 1800"}, "1800;refresher=uas "},
		{"only a proxy asks, for too little", 0, []string{"Session-Expires: 10"}, "90;refresher=uas "},
		{"nonsense", 0, []string{"Supported: timer", "Session-Expires: soon"}, " "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCalls(t)
			e := open(t, Config{Incoming: c.incoming, SessionExpires: tc.ours})
			w := newWire(t, e.Addr("udp"))
			w.send(withHeaders(invite("timer"), tc.headers...))
			call := c.next()
			must(t, call.Answer([]byte("answer")))
			ok := w.expect("200 INVITE")
			if got := header(ok, "Session-Expires") + " " + header(ok, "Require"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			w.send(inside("ACK", "timer", 1, ok))
			w.end(call.Dialog)
		})
	}
}

// Who asks for too short a session is told what is allowed, at the beginning and
// later.
func TestTimerTooShort(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.send(withHeaders(invite("short"), "Supported: timer", "Session-Expires: 89"))
	if refused := w.expect("422 INVITE"); header(refused, "Min-SE") != "90" {
		t.Errorf("refused:\n%s", refused)
	}
	if len(c.made) != 0 {
		t.Error("it became a call")
	}
	_, w, call, ok := answered(t, c, "shorter")
	w.send(inside("UPDATE", "shorter", 2, ok, "Supported: timer", "Session-Expires: 30"))
	if refused := w.expect("422 UPDATE", "200 INVITE"); header(refused, "Min-SE") != "90" {
		t.Errorf("refused:\n%s", refused)
	}
	w.end(call.Dialog)
	if _, err := Listen(Config{Listen: []string{"udp://127.0.0.1:0"}, SessionExpires: time.Minute, Log: slog.New(slog.DiscardHandler)}); err == nil ||
		!strings.Contains(err.Error(), "sip.session_expires: 1m0s is too short; want at least 90 s") {
		t.Errorf("a session of a minute: %v", err)
	}
}

// A session that the caller does not refresh ends shortly before it would expire;
// one that it does goes on.
func TestTimerExpires(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, fast(c, 0))
	w := newWire(t, e.Addr("udp"))
	w.send(withHeaders(invite("expires"), "Supported: timer", "Session-Expires: 3600000;refresher=uac"))
	call := c.next()
	must(t, call.Answer([]byte("answer")))
	ok := w.expect("200 INVITE")
	w.send(inside("ACK", "expires", 1, ok))
	call.want("confirmed")
	// The last refresh says that it is soon over.
	w.send(inside("UPDATE", "expires", 2, ok, "Supported: timer", "Session-Expires: 120;refresher=uac"))
	if ok := w.expect("200 UPDATE", "200 INVITE"); header(ok, "Session-Expires") != "120;refresher=uac" {
		t.Errorf("refresh answered:\n%s", ok)
	}
	bye := w.expect("BYE", "200 INVITE")
	w.send(response(bye, "200 OK", ""))
	call.want("confirmed", "ended 0 timeout")
	if ended := call.event(1).(Ended); ended.Why != Expired || !strings.Contains(ended.Reason, "did not refresh the session of 120 s") {
		t.Errorf("ended %+v", ended)
	}
}

// We refresh by UPDATE where the peer takes that, halfway, and again and again.
// Refusals that are none of silence are borne until the session expires.
func TestTimerRefreshed(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, fast(c, 0))
	w := newWire(t, e.Addr("udp"))
	w.send(withHeaders(invite("refreshed"), "Allow: UPDATE", "Supported: timer", "Session-Expires: 6000;refresher=uas"))
	call := c.next()
	must(t, call.Answer([]byte("answer")))
	ok := w.expect("200 INVITE")
	w.send(inside("ACK", "refreshed", 1, ok))
	seq := uint32(0)
	for _, lasts := range []int{1_000_000, 1_500_000} {
		update := w.asked("UPDATE", seq)
		seq = update.CSeq().SeqNo
		if len(update.Body()) != 0 || !strings.HasSuffix(header(update, "Session-Expires"), ";refresher=uac") || header(update, "Min-SE") != "90" ||
			!supports(update, optionTimer) {
			t.Errorf("UPDATE:\n%s", update)
		}
		w.send(response(update, "200 OK", "", "Contact: <sip:alice@ADDR>", "Require: timer", fmt.Sprint("Session-Expires: ", lasts, ";refresher=uac")))
		call.clockOf(t, lasting(lasts)).refresh.Reset(0) // the time has come
	}
	w.send(response(w.asked("UPDATE", seq), "503 Service Unavailable", ""))
	w.send(strings.ReplaceAll(inside("OPTIONS", "refreshed", 2, ok), "INVITE", "OPTIONS"))
	w.expect("200 OPTIONS", "UPDATE") // the refusal came before, and nothing came of it
	call.clockOf(t, lasting(1_500_000)).end.Reset(0)
	w.send(response(w.expect("BYE", "UPDATE"), "200 OK", ""))
	call.want("confirmed", "ended 0 timeout")
	if ended := call.event(1).(Ended); ended.Why != Expired || !strings.Contains(ended.Reason, "did not let us refresh the session of 1500000 s") {
		t.Errorf("ended %+v", ended)
	}
}

// A peer that takes no UPDATE gets an INVITE with our offer, and its answer is
// told. We called it, with the session that we want; it may want a longer one.
func TestTimerByInvite(t *testing.T) {
	t.Parallel()
	e := open(t, Config{SessionExpires: 1800 * time.Second})
	w, r := newWire(t, e.Addr("udp")), newRecord(t)
	echo(r)
	d, err := e.Call(Call{To: "sip:100@" + w.addr(), From: Party{URI: "sip:200@callwright.test"}, Body: []byte("offer")}, r.handler())
	must(t, err)
	inv := w.expect("INVITE").(*sip.Request)
	if header(inv, "Session-Expires") != "1800" || header(inv, "Min-SE") != "90" || header(inv, "Supported") != supported {
		t.Errorf("INVITE:\n%s", inv)
	}
	w.send(response(inv, "422 Session Interval Too Small", "a", "Min-SE: 3000"))
	w.expect("ACK", "INVITE")
	again := w.asked("INVITE", inv.CSeq().SeqNo)
	if header(again, "Session-Expires") != "3000" || header(again, "Min-SE") != "3000" || again.CallID().Value() != inv.CallID().Value() {
		t.Errorf("INVITE:\n%s", again)
	}
	// It says that it takes UPDATE, and does not.
	w.send(response(again, "200 OK", "b", append([]string{contact(w), "Allow: UPDATE", "Require: timer", "Session-Expires: 3000;refresher=uac"}, withBody("answer")...)...))
	w.expect("ACK", "INVITE")
	d.clockOf(t, lasting(3000)).refresh.Reset(0)
	update := w.asked("UPDATE", again.CSeq().SeqNo)
	if header(update, "Session-Expires") != "3000;refresher=uac" {
		t.Errorf("UPDATE:\n%s", update)
	}
	w.send(response(update, "405 Method Not Allowed", ""))
	refresh := w.asked("INVITE", update.CSeq().SeqNo)
	if string(refresh.Body()) != "our offer" {
		t.Errorf("INVITE:\n%s", refresh)
	}
	w.send(response(refresh, "200 OK", "", append([]string{contact(w), "Session-Expires: 3000;refresher=uas"}, withBody("their answer")...)...))
	w.expect("ACK", "INVITE", "UPDATE")
	r.want("answered", "confirmed")
	if answer := r.event(1).(Confirmed); string(answer.Body) != "their answer" {
		t.Errorf("answer %q", answer.Body)
	}
	// From now on it refreshes, which is part of what we say with a change.
	got, done := replies()
	must(t, d.Reinvite([]byte("other"), done))
	change := w.asked("INVITE", refresh.CSeq().SeqNo)
	if header(change, "Session-Expires") != "3000;refresher=uas" {
		t.Errorf("INVITE:\n%s", change)
	}
	w.send(response(change, "200 OK", "", contact(w))) // no timer any more
	if !(<-got).OK() {
		t.Error("the change was refused")
	}
	w.expect("ACK", "INVITE")
	d.mu.Lock()
	if s := d.session; s.expires != 0 || s.end != nil || s.refresh != nil {
		t.Errorf("a timer is left: %+v", s)
	}
	d.mu.Unlock()
	w.end(d)
}

// A peer that asks for more than one 422 after the other is given up.
func TestTimerNeverEnough(t *testing.T) {
	t.Parallel()
	e := open(t, Config{SessionExpires: time.Hour})
	w, r := newWire(t, e.Addr("udp")), newRecord(t)
	_, err := e.Call(Call{To: "sip:100@" + w.addr(), From: Party{URI: "sip:200@callwright.test"}, Body: []byte("offer")}, r.handler())
	must(t, err)
	seq := uint32(0)
	for _, least := range []string{"4000", "5000", "6000"} {
		inv := w.asked("INVITE", seq)
		seq = inv.CSeq().SeqNo
		w.send(response(inv, "422 Session Interval Too Small", "a", "Min-SE: "+least))
		w.expect("ACK", "INVITE")
	}
	r.want("ended 422 remote")
}
