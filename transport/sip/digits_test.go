// SPDX-License-Identifier: MIT

package sip

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/dtmf"
	"github.com/callwright/callwright/transport/sip/info"
	"github.com/callwright/callwright/transport/sip/phone"
)

// inCall brings a phone into a call with a house whose trunk wants its keys in
// some way.
func inCall(t *testing.T, way string, cfg phone.Config) (*house, *phone.Call, *call) {
	t.Helper()
	h := newHouse(t, func(_ *house, e *directory.Entries) { e.Trunks[0].DTMF = way })
	out, err := newPhone(t, cfg).Dial(h.uri("+4921112345"), phone.CallOptions{})
	must(t, err)
	leg := h.next()
	must(t, leg.Answer())
	must(t, out.WaitAnswer(t.Context()))
	leg.want(engine.LegConfirmed{})
	return h, out, leg
}

// key gives the next key that the engine is told of, and how it came.
func (c *call) key() string {
	c.t.Helper()
	ev := c.pressed()
	return fmt.Sprintf("%c by %s", ev.Digit, ev.Way)
}

func (c *call) pressed() engine.LegMedia {
	c.t.Helper()
	ev, ok := c.next().(engine.LegMedia)
	if !ok || ev.Kind != media.Digit || ev.Stream != c.Info().Stream || ev.At.IsZero() {
		c.t.Fatalf("told %+v, want a key", ev)
	}
	return ev
}

// hear has the media plane tell of a key.
func (h *house) hear(c *call, key byte, way media.DigitWay, at time.Time) {
	h.plane.mu.Lock()
	deliver := h.plane.open[c.Info().Stream].Deliver
	h.plane.mu.Unlock()
	deliver(media.Event{Stream: c.Info().Stream, Kind: media.Digit, Digit: key, Way: way, At: at})
}

// Keys come by INFO in both forms, and each counts once, whatever the media
// plane hears of it too.
func TestKeysCome(t *testing.T) {
	t.Parallel()
	h, out, leg := inCall(t, "", phone.Config{})
	want := func(want string) {
		t.Helper()
		if got := leg.key(); got != want {
			t.Errorf("key %s, want %s", got, want)
		}
	}
	must(t, out.SendInfo(t.Context(), "5", phone.InfoOptions{}))
	first := leg.pressed()
	if first.Digit != '5' || first.Way != media.ByInfo {
		t.Errorf("key %c by %s", first.Digit, first.Way)
	}
	h.hear(leg, '5', media.ByEvent, first.At) // the same
	h.hear(leg, '5', media.ByEvent, time.Now().Add(dtmf.Window/2))
	want("5 by telephone-event")
	must(t, out.SendInfo(t.Context(), "5#", phone.InfoOptions{Plain: true})) // the second 5, and a new key
	want("# by info")
	// A long press is told of at its beginning and, with its length, at its end.
	h.hear(leg, '*', media.ByEvent, time.Now().Add(-dtmf.Window-time.Second/2))
	want("* by telephone-event")
	must(t, out.SendInfo(t.Context(), "*", phone.InfoOptions{Hold: 3 * time.Second}))
	must(t, out.SendInfo(t.Context(), "9", phone.InfoOptions{}))
	want("9 by info")
	out.Hangup()
}

// What is no key is answered as it deserves.
func TestInfoAnswers(t *testing.T) {
	t.Parallel()
	_, out, leg := inCall(t, "", phone.Config{})
	l := leg.Leg.(*Leg)
	for _, tc := range []struct {
		kind, body string
		want       int
	}{
		{info.Relay, "Signal=1\r\nDuration=100", 200}, {info.Plain, "2", 200}, {info.Relay, "Signal=!", 200},
		{info.Relay, "Signal=x", 400}, {info.Plain, "hello", 400}, {"application/media_control+xml", "<x/>", 415},
	} {
		if got := l.onInfo(tc.kind, []byte(tc.body)); got != tc.want {
			t.Errorf("%s %q: %d, want %d", tc.kind, tc.body, got, tc.want)
		}
	}
	if got := leg.key() + ", " + leg.key(); got != "1 by info, 2 by info" {
		t.Errorf("keys %s", got)
	}
	out.Hangup()
	leg.want(engine.LegEnded{Cause: engine.CauseNormal, Remote: true, Figures: media.Figures{Sent: 7}})
}

// Keys go by INFO to who wants them so: in order, and without the plane.
func TestKeysGoByInfo(t *testing.T) {
	t.Parallel()
	h, out, leg := inCall(t, directory.DTMFInfo, phone.Config{})
	must(t, leg.SendDigits("12"))
	must(t, leg.SendDigits("3#"))
	if err := leg.SendDigits("4x"); !errors.Is(err, dtmf.ErrNotKey) {
		t.Errorf("x is a key: %v", err)
	}
	must(t, out.WaitDigits(t.Context(), media.ByInfo, 4))
	if ev, ok := leg.next().(engine.LegMedia); !ok || ev.Kind != media.DigitsSent || ev.Err != nil {
		t.Errorf("told %+v", ev)
	}
	if got := out.DigitsBy(media.ByInfo); got != "123#" {
		t.Errorf("keys %q", got)
	}
	if sent := h.plane.keys(); len(sent) > 0 {
		t.Errorf("the plane was given %q too", sent)
	}
	if err := leg.SendDigits(strings.Repeat("1", dtmf.QueueSize+1)); !errors.Is(err, dtmf.ErrQueueFull) {
		t.Errorf("too many keys: %v", err)
	}
}

// Who refuses INFO gets all keys as the plane sends them, and the timeline says
// so once.
func TestInfoRefused(t *testing.T) {
	t.Parallel()
	h, _, leg := inCall(t, directory.DTMFInfo, phone.Config{NoInfo: true})
	h.plane.full = true // and then these keys too
	must(t, leg.SendDigits("12"))
	for said := 0; ; {
		ev := <-leg.events
		if m, ok := ev.(engine.LegMessage); ok && strings.HasPrefix(m.Summary, "keys by INFO: 415 Unsupported Media Type") {
			said++
		}
		if m, ok := ev.(engine.LegMedia); ok && m.Kind == media.DigitsSent {
			if m.Err == nil || said != 1 {
				t.Errorf("told %+v after %d notes", m, said)
			}
			break
		}
	}
	must(t, leg.SendDigits("3"))
	if sent := h.plane.keys(); strings.Join(sent, " ") != "12 3" {
		t.Errorf("the plane was given %q", sent)
	}
}

// Keys for who has not picked up go as the plane sends them, and for who has
// gone nowhere.
func TestKeysOutsideOfACall(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(_ *house, e *directory.Entries) { e.Trunks[0].DTMF = directory.DTMFInfo })
	out, err := newPhone(t, phone.Config{}).Dial(h.uri("+4921112345"), phone.CallOptions{})
	must(t, err)
	leg := h.next()
	must(t, leg.Progress(true))
	must(t, leg.SendDigits("12"))
	if sent := h.plane.keys(); strings.Join(sent, " ") != "12" {
		t.Errorf("the plane was given %q", sent)
	}
	out.Hangup()
}

// A trunk that wants tones is offered, and agreed to, nothing else.
func TestInband(t *testing.T) {
	t.Parallel()
	h, out, leg := inCall(t, directory.DTMFInband, phone.Config{})
	if r := h.plane.connected(); r[0].TelephoneEvent != 0 {
		t.Errorf("connected %+v", r[0])
	}
	if out.SendDigits(t.Context(), "1") == nil {
		t.Error("telephone-event was agreed to")
	}
	must(t, leg.SendDigits("1"))
	if sent := h.plane.keys(); strings.Join(sent, " ") != "1" {
		t.Errorf("the plane was given %q", sent)
	}
	p := newPhone(t, phone.Config{})
	h = withPhone(t, p, directory.Trunk{DTMF: directory.DTMFInband})
	h.dial(engine.DialRequest{Target: engine.Target{Address: directory.NumberAddress("+49301")}, From: directory.NumberAddress("1")})
	in, err := p.Accept(t.Context())
	must(t, err)
	if strings.Contains(string(in.Body), "telephone-event") {
		t.Errorf("offered:\n%s", in.Body)
	}
	in.Reject(486, "Busy Here")
}

// A phone that moves has its sound sent after it, with its new codec and packet
// time.
func TestMove(t *testing.T) {
	t.Parallel()
	h, out, _ := inCall(t, "", phone.Config{PacketTime: 30 * time.Millisecond})
	must(t, out.Move(t.Context(), phone.MoveOptions{Prefer: true, Codec: media.PCMA}))
	r := h.plane.connected()
	if len(r) != 2 || r[0].Addr == r[1].Addr || r[1].Codec != media.PCMA || !r[1].Send || r[0].PacketTime != 30*time.Millisecond {
		t.Errorf("connected %+v", r)
	}
}
