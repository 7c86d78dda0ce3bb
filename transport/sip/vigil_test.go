// SPDX-License-Identifier: MIT

package sip

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// silence tells the leg that was opened last that its party is not heard.
func (p *plane) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[p.last].Deliver(media.Event{Stream: p.last, Kind: media.Lost, Duration: 30 * time.Second})
}

// A party that is not heard any more is hung up on, and the record says for how
// long. It is waited for from the answer on.
func TestSoundIsLost(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	out, err := newPhone(t, phone.Config{}).Dial(h.uri("+4921112345"), phone.CallOptions{})
	must(t, err)
	leg := h.next()
	must(t, leg.Progress(true))
	must(t, leg.Answer())
	must(t, out.WaitAnswer(t.Context()))
	leg.want(engine.LegConfirmed{})
	if r := h.plane.connected(); len(r) != 2 || r[0].LossAfter != 0 || r[1].LossAfter != h.server.cfg.MediaTimeout {
		t.Errorf("connected %+v", r)
	}
	h.plane.silence()
	if ev, ok := leg.next().(engine.LegMedia); !ok || ev.Kind != media.Lost {
		t.Errorf("told %+v", ev)
	}
	ended, ok := leg.next().(engine.LegEnded)
	if !ok || ended.Cause != engine.CauseMediaLost || ended.Remote || !strings.Contains(ended.Text, "for 30s (media.timeout)") {
		t.Errorf("ended %+v", ended)
	}
	if e, err := out.WaitEnd(t.Context()); err != nil || e.By != dialog.Remote {
		t.Errorf("the phone: %+v, %v", e, err)
	}
}

// Of a call of ours it is the same, and a phone on hold is not waited for.
func TestSilenceOnHold(t *testing.T) {
	t.Parallel()
	p := newPhone(t, phone.Config{})
	h := withPhone(t, p, directory.Trunk{})
	leg := h.dial(engine.DialRequest{Target: engine.Target{Address: directory.NumberAddress("4930123")}, From: directory.NumberAddress("4940")})
	in, err := p.Accept(t.Context())
	must(t, err)
	must(t, in.RingAloud())
	must(t, in.Answer())
	leg.want(engine.LegRinging{Status: 183, Sound: true}, engine.LegAnswered{})
	r := h.plane.connected()
	if len(r) < 2 || r[0].LossAfter != 0 || r[len(r)-1].LossAfter != h.server.cfg.MediaTimeout {
		t.Errorf("connected %+v", r)
	}
	v := vigil{timeout: time.Minute, answered: true}
	for _, tc := range []struct {
		send, receive bool
		want          time.Duration
	}{{true, true, time.Minute}, {false, true, 0}, {true, false, 0}, {false, false, 0}} {
		if got := v.on(media.Remote{Send: tc.send, Receive: tc.receive}).LossAfter; got != tc.want {
			t.Errorf("send %v, receive %v: %v", tc.send, tc.receive, got)
		}
	}
	leg.Hangup(engine.CauseNormal)
	leg.want(engine.LegEnded{Cause: engine.CauseNormal, Figures: media.Figures{Sent: 7}})
}

func TestNearby(t *testing.T) {
	t.Parallel()
	prefixes := func(s ...string) (out []netip.Prefix) {
		for _, p := range s {
			out = append(out, netip.MustParsePrefix(p))
		}
		return out
	}
	addr := netip.MustParseAddr
	proxies := prefixes("192.0.2.0/24")
	for _, tc := range []struct {
		name      string
		v         vigil
		announced string
		want      []netip.Prefix
	}{
		{"a phone behind a router", vigil{source: addr("203.0.113.9")}, "192.168.1.5", prefixes("203.0.113.9/32")},
		{"one that has moved", vigil{source: addr("203.0.113.9"), heard: addr("203.0.113.77")}, "192.168.1.5", prefixes("203.0.113.9/32", "203.0.113.77/32")},
		{"an IPv6 phone", vigil{source: addr("2001:db8::9")}, "2001:db8::9", prefixes("2001:db8::9/128")},
		{"a trunk", vigil{source: addr("198.51.100.1"), networks: prefixes("198.51.100.0/28", "2001:db8:5::/48")}, "198.51.100.7",
			prefixes("198.51.100.0/28", "2001:db8:5::/48", "198.51.100.1/32")},
		{"a trunk by name, before it has answered", vigil{}, "198.51.100.7", nil},
		{"a caller behind our proxy", vigil{source: addr("203.0.113.9"), heard: addr("192.0.2.1"), proxies: proxies}, "10.0.0.5",
			prefixes("203.0.113.9/32", "192.0.2.1/32")},
		{"a phone called behind our proxy", vigil{source: addr("192.0.2.1"), heard: addr("192.0.2.1"), proxies: proxies}, "10.0.0.5", nil},
		{"the same in a carrier's network", vigil{source: addr("192.0.2.1"), proxies: proxies}, "100.72.1.1", nil},
		{"the same with sound by the proxy", vigil{source: addr("192.0.2.1"), proxies: proxies}, "192.0.2.50", prefixes("192.0.2.1/32")},
		{"a trunk behind our proxy", vigil{source: addr("192.0.2.1"), proxies: proxies, networks: prefixes("10.1.0.0/16")}, "10.1.0.5",
			prefixes("10.1.0.0/16", "192.0.2.1/32")},
	} {
		got := tc.v.nearby(addr(tc.announced))
		if diff := cmp.Diff(tc.want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
	v := vigil{}
	v.hear("[::ffff:203.0.113.5]:5060")
	v.hear("no address")
	if v.heard != addr("203.0.113.5") {
		t.Errorf("heard from %v", v.heard)
	}
}

// What peers are told to send to is of the family that they are reached by.
func TestMediaAddress(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, listen, advertise, peer, want string
	}{
		{"the only address", "198.51.100.1", "", "127.0.0.1:5060", "198.51.100.1:4000"},
		{"all addresses", "0.0.0.0", "", "127.0.0.1:5060", "127.0.0.1:4000"},
		{"advertised", "0.0.0.0", "203.0.113.1", "127.0.0.1:5060", "203.0.113.1:4000"},
		{"advertised, a name that nobody knows", "10.0.0.1", "203.0.113.1", "nowhere.invalid:5060", "203.0.113.1:4000"},
		{"both, over IPv4", "::", "", "127.0.0.1:5060", "127.0.0.1:4000"},
		{"both, over IPv6", "::", "", "[::1]:5060", "[::1]:4000"},
		{"both, one of them advertised", "::", "203.0.113.1", "127.0.0.1:5060", "203.0.113.1:4000"},
		{"both, the other one advertised", "::", "203.0.113.1", "[::1]:5060", "[::1]:4000"},
		{"IPv4 only, over IPv6", "0.0.0.0", "", "[::1]:5060", "set it to ::"},
	} {
		s := &Server{}
		if tc.advertise != "" {
			s.cfg.MediaAdvertise = netip.MustParseAddr(tc.advertise)
		}
		got, err := s.mediaAddress(netip.AddrPortFrom(netip.MustParseAddr(tc.listen), 4000), tc.peer)
		if err != nil && !strings.Contains(err.Error(), tc.want) || err == nil && got.String() != tc.want {
			t.Errorf("%s: %v, %v; want %s", tc.name, got, err, tc.want)
		}
	}
}
