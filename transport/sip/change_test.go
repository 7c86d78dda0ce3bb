// SPDX-License-Identifier: MIT

package sip

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// description is one of a peer's, with a direction attribute.
func description(host, direction string) []byte {
	return fmt.Appendf(nil, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=%s\r\n", host, direction)
}

// directionOf gives the direction attribute of a description.
func directionOf(body []byte) string {
	for line := range strings.Lines(string(body)) {
		if d := strings.TrimSpace(line); strings.HasSuffix(d, "only") || d == "a=sendrecv" || d == "a=inactive" {
			return d[2:]
		}
	}
	return ""
}

// change has a peer change the session, and gives what came of it.
func change(t *testing.T, d *dialog.Dialog, by string, offer []byte) dialog.Reply {
	t.Helper()
	got, ask := make(chan dialog.Reply, 1), d.Reinvite
	if by == "UPDATE" {
		ask = d.Update
	}
	must(t, ask(offer, func(r dialog.Reply) { got <- r }))
	return <-got
}

// Hold, and back, as RFC 3264 section 8.4 wants it answered: by re-INVITE, by
// UPDATE, before and after the answer, and when the peer asks for our offer.
func TestHoldAnswered(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p, err := dialog.Listen(dialog.Config{Listen: []string{"udp://127.0.0.1:0"}, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { _ = p.Close() })
	early := make(chan string, 10)
	d, err := p.Call(dialog.Call{To: h.uri("+4921112345"), From: dialog.Party{URI: "sip:1@x"}, Body: description("127.0.0.1", "sendrecv")}, dialog.Handler{
		Event: func(ev dialog.Event) {
			switch ev := ev.(type) {
			case dialog.Ringing:
				early <- directionOf(ev.Body)
			case dialog.Answered:
				early <- "answered " + directionOf(ev.Body)
			}
		},
		Offer: func([]byte) ([]byte, error) { return description("127.0.0.1", "sendonly"), nil },
	})
	must(t, err)
	leg := h.next()
	must(t, leg.Progress(true))
	if got := <-early; got != "sendrecv" {
		t.Errorf("early media %q", got)
	}
	for _, by := range []string{"UPDATE", "INVITE", "UPDATE"} {
		if by == "INVITE" {
			must(t, leg.Answer())
			leg.want(engine.LegConfirmed{})
			if got := <-early; got != "answered sendrecv" {
				t.Errorf("answer %q", got)
			}
		}
		for _, tc := range []struct {
			host, offer, want string
			send, receive     bool
		}{
			{"127.0.0.1", "sendonly", "recvonly", false, true},
			{"127.0.0.1", "inactive", "inactive", false, false},
			{"127.0.0.1", "recvonly", "sendonly", true, false},
			{"0.0.0.0", "sendrecv", "recvonly", false, true},
			{"127.0.0.1", "sendrecv", "sendrecv", true, true},
		} {
			reply := change(t, d, by, description(tc.host, tc.offer))
			remotes := h.plane.connected()
			last := remotes[len(remotes)-1]
			if got := directionOf(reply.Body); !reply.OK() || got != tc.want || last.Send != tc.send || last.Receive != tc.receive {
				t.Errorf("%s of %s at %s: %s %q, send %t, receive %t", by, tc.offer, tc.host, reply.Reason, got, last.Send, last.Receive)
			}
		}
	}
	if reply := change(t, d, "INVITE", []byte("garbage")); reply.Status != 488 {
		t.Errorf("garbage: %+v", reply)
	}
	if reply := change(t, d, "INVITE", nil); directionOf(reply.Body) != "sendrecv" {
		t.Errorf("our offer:\n%s", reply.Body)
	}
	leg.want(engine.LegConfirmed{}) // with the ACK came the answer: hold
	if remotes := h.plane.connected(); remotes[len(remotes)-1].Send {
		t.Error("we still send")
	}
	leg.Hangup(engine.CauseNormal)
	leg.want(engine.LegEnded{Cause: engine.CauseNormal, Text: "hung up", Figures: media.Figures{Sent: 7}})
}

// Every end of a dialog has its cause.
func TestCauseOfEnd(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		ended dialog.Ended
		out   bool
		want  engine.Cause
	}{
		{dialog.Ended{By: dialog.Timeout, Why: dialog.Expired}, false, engine.CauseExpired},
		{dialog.Ended{By: dialog.Timeout, Why: dialog.Unacknowledged}, false, engine.CauseNoAck},
		{dialog.Ended{By: dialog.Timeout, Why: dialog.Unacknowledged, Status: 504}, false, engine.CauseNoAck},
		{dialog.Ended{By: dialog.Timeout, Why: dialog.Silent, Status: 408}, true, engine.CauseUnreachable},
		{dialog.Ended{By: dialog.Timeout, Why: dialog.Unreachable, Status: 503}, true, engine.CauseUnreachable},
		{dialog.Ended{By: dialog.Remote, Status: 483}, true, engine.CauseLoop},
		{dialog.Ended{By: dialog.Remote, Status: 487}, false, engine.CauseCancelled},
		{dialog.Ended{By: dialog.Remote}, true, engine.CauseNormal},
		{dialog.Ended{By: dialog.Local}, true, engine.CauseShutdown},
	} {
		if got := (&Leg{out: tc.out}).causeOf(tc.ended); got != tc.want {
			t.Errorf("%+v: %s, want %s", tc.ended, got, tc.want)
		}
	}
	got := usersOf([]string{"sip:+4930@x;transport=tcp", "tel:+4940", "sip:x", "sips:+4930@y"})
	if diff := cmp.Diff([]string{"+4930", "+4940", "sip:x"}, got); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

// The session timer of the configuration is asked for, and how many hops a call may
// take is told.
func TestSessionExpires(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	conn, err := net.Dial("udp", h.server.Addr("udp").String())
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	at := conn.LocalAddr().String()
	_, err = fmt.Fprintf(conn, "INVITE sip:+4921112345@x SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK1;rport\r\nFrom: <sip:1@x>;tag=1\r\nTo: <sip:+4921112345@x>\r\n"+
		"Call-ID: expires\r\nCSeq: 1 INVITE\r\nContact: <sip:1@%s>\r\nMax-Forwards: 7\r\nSupported: timer\r\nContent-Length: 0\r\n\r\n", at, at)
	must(t, err)
	leg := h.next()
	if leg.MaxForwards != 7 {
		t.Errorf("%d hops are left", leg.MaxForwards)
	}
	must(t, leg.Answer())
	must(t, conn.SetReadDeadline(time.Now().Add(patience)))
	for buf := make([]byte, 4096); ; {
		n, err := conn.Read(buf)
		must(t, err)
		if ok := string(buf[:n]); strings.HasPrefix(ok, "SIP/2.0 200 ") {
			if !strings.Contains(ok, "\r\nSession-Expires: 1800;refresher=uac\r\n") {
				t.Errorf("answer:\n%s", ok)
			}
			break
		}
	}
	leg.Hangup(engine.CauseNormal)
}
