// SPDX-License-Identifier: MIT

package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/internal/peer"
	"github.com/callwright/callwright/transport/sip/phone"
)

// theEnd waits for the end of the call that came in, and gives it and all that
// was noted of it.
func theEnd(t *testing.T, s *server.Server) (engine.Record, string) {
	t.Helper()
	var found engine.Record
	until(t, "the record of the call", func() bool {
		if err := s.Store.Applied(t.Context()); err != nil {
			t.Fatal(err)
		}
		records, _, err := s.Store.Calls(t.Context(), 100, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if r.Parent.IsZero() && r.State == engine.StateEnded {
				found = r
				return true
			}
		}
		return false
	})
	_, events, err := s.Store.Call(t.Context(), found.ID)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, e := range events {
		text.WriteString(e.Text + "\n")
	}
	return found, text.String()
}

// A server that listens for sound on :: carries calls of IPv4 and of IPv6, and
// between the two.
func TestBothFamilies(t *testing.T) {
	t.Parallel()
	peer.NeedIPv6(t)
	four, six := "127.0.0.1:0", "[::1]:0"
	for _, tc := range []struct{ name, alice, bob, told string }{
		{"IPv6", six, six, "sound comes from [::1]:"},
		{"IPv4 to IPv6", four, six, "sound comes from 127.0.0.1:"},
		{"IPv6 to IPv4", six, four, "sound comes from [::1]:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			on := func(at, user string, hz float64) *phone.Phone {
				p, err := phone.New(phone.Config{Listen: at, User: user, Tone: hz})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { p.Close() })
				return p
			}
			alice, bob := on(tc.alice, "+4930111", 440), on(tc.bob, "+4930222222", 1000)
			a := newApp(t, func(string, *http.Request) string {
				return `<Response><Dial><Number>+4930222222</Number></Dial></Response>`
			})
			s := start(t, a.URL, func(c *config.Config) {
				c.SIP.Listen = []string{"udp://" + tc.alice, "udp://" + map[string]string{four: six, six: four}[tc.alice]}
				c.Media.Listen = "::"
				c.Trunks[0].Address = bob.Addr().String()
				c.Trunks[0].AllowFrom = append(c.Trunks[0].AllowFrom, netip.MustParsePrefix("::1/128"))
			})
			out, err := alice.Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
			if err != nil {
				t.Fatal(err)
			}
			in, err := bob.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range []error{
				in.Answer(), out.WaitAnswer(t.Context()),
				in.WaitTone(t.Context(), 440, phone.Level-3), out.WaitTone(t.Context(), 1000, phone.Level-3),
				out.SendDigits(t.Context(), "42#"),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			until(t, "the keys at the other end", func() bool { return in.Digits() == "42#" })
			out.Hangup()
			if _, text := theEnd(t, s); !strings.Contains(text, tc.told) || !regexp.MustCompile(`MOS [1-4]\.\d`).MatchString(text) {
				t.Errorf("the timeline does not say %q and how it sounded:\n%s", tc.told, text)
			}
		})
	}
}

// A caller whose telephone falls silent without a word is hung up on, and the
// record says why.
func TestMediaTimeout(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(base string, _ *http.Request) string {
		return `<Response onHangup="` + base + `"><Gather onData="` + base + `" timeout="60000"/></Response>`
	})
	answering := false
	s := start(t, a.URL, func(c *config.Config) { c.Apps[0].EarlyMedia, c.Media.Timeout = &answering, time.Second })
	out, err := newPhone(t, "+4930111").Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := out.WaitAnswer(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	hushed := make(chan error, 1)
	go func() { hushed <- out.Hush(ctx, time.Hour, false) }()
	ended, err := out.WaitEnd(t.Context())
	stop()
	if err != nil || ended.Status != 0 {
		t.Errorf("the phone: %+v, %v", ended, err)
	}
	if err := <-hushed; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the pause was over: %v", err)
	}
	record, text := theEnd(t, s)
	if record.Cause != engine.CauseMediaLost {
		t.Errorf("cause %s", record.Cause)
	}
	for _, want := range []string{`nothing was heard for \d+(\.\d)?s`, `media-lost: nothing was heard of the party for \d+(\.\d)?s \(media.timeout\)`} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("the timeline does not say %q:\n%s", want, text)
		}
	}
}
