// SPDX-License-Identifier: MIT

package sip

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/phone"
	"github.com/callwright/callwright/transport/sip/sdp"
)

// Keys that nobody has asked for are offered only where nobody can read them.
func TestPolicy(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		srtp    string
		secured bool
		want    sdp.Policy
	}{
		{"", false, sdp.Allow}, {"", true, sdp.Offer},
		{directory.SRTPAllow, false, sdp.Allow}, {directory.SRTPAllow, true, sdp.Offer},
		{directory.SRTPOff, false, sdp.Off}, {directory.SRTPOff, true, sdp.Off},
		{directory.SRTPRequire, false, sdp.Require}, {directory.SRTPRequire, true, sdp.Require},
	} {
		if got := (terms{srtp: tc.srtp}).policy(tc.secured); got != tc.want {
			t.Errorf("%q, secured %v: policy %d, want %d", tc.srtp, tc.secured, got, tc.want)
		}
	}
	for _, tc := range []struct {
		network, uri string
		want         bool
	}{
		{"UDP", "", false}, {"TCP", "", false}, {"WS", "", false}, {"TLS", "", true}, {"WSS", "", true}, {"tls", "sip:a@b", true},
		{"", "sip:a@b", false}, {"", "sip:a@b;transport=tcp", false}, {"", "sip:a@b:5061;transport=TLS", true},
		{"", "sip:a@b;transport=tls;lr", true}, {"", "sip:a@b;lr;transport=wss", true}, {"", "sips:a@b", true},
		{"TCP", "sip:a@b;transport=tls", false}, // by a connection that is there
	} {
		if got := isSecured(tc.network, tc.uri); got != tc.want {
			t.Errorf("%q to %q: secured %v, want %v", tc.network, tc.uri, got, tc.want)
		}
	}
}

// Who wants encryption and tells everybody the keys is warned.
func TestOpenKeys(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(_ *house, e *directory.Entries) {
		e.Trunks = []directory.Trunk{
			{Name: "open", Address: "127.0.0.1:5060", SRTP: directory.SRTPRequire},
			{Name: "private", Address: "127.0.0.1:5061;transport=tls", SRTP: directory.SRTPRequire},
			{Name: "easy", Address: "127.0.0.1:5060", SRTP: directory.SRTPAllow},
			{Name: "in", AllowFrom: e.Trunks[0].AllowFrom, SRTP: directory.SRTPRequire},
		}
	})
	must(t, h.server.Close())
	if log := h.log.String(); strings.Count(log, "can be read") != 1 || !strings.Contains(log, `srtp of trunk \"open\" is require`) {
		t.Errorf("log:\n%s", log)
	}
}

// A refusal for encryption's sake names whose setting it is.
func TestRefusedForSecrecy(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		srtp  string
		phone phone.Config
		says  string
	}{
		{directory.SRTPOff, phone.Config{SRTP: sdp.Require}, `srtp of trunk \"test\" is off; set it to allow`},
		{directory.SRTPRequire, phone.Config{}, `srtp of trunk \"test\" is require; set it to allow`},
	} {
		h := newHouse(t, func(_ *house, e *directory.Entries) { e.Trunks[0].SRTP = tc.srtp })
		out, err := newPhone(t, tc.phone).Dial(h.uri("+4921112345"), phone.CallOptions{})
		must(t, err)
		var ended *phone.EndedError
		if err := out.WaitAnswer(t.Context()); !errors.As(err, &ended) || ended.Status != 488 {
			t.Errorf("%s: %v, want 488", tc.srtp, err)
		}
		must(t, h.server.Close())
		if log := h.log.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, tc.says) {
			t.Errorf("%s: log:\n%s", tc.srtp, log)
		}
		if len(h.refused) != 1 || h.refused[0].Cause != engine.CauseNoCodec || !strings.Contains(h.refused[0].Reason, strings.ReplaceAll(tc.says, `\`, "")) {
			t.Errorf("%s: refused %+v", tc.srtp, h.refused)
		}
	}
}

// Sound that ceases to be encrypted is told of, where it may; where it must not,
// the call goes on as it was.
func TestDowngrade(t *testing.T) {
	t.Parallel()
	for _, srtp := range []string{directory.SRTPAllow, directory.SRTPRequire} {
		h := newHouse(t, func(_ *house, e *directory.Entries) { e.Trunks[0].SRTP = srtp })
		out, err := newPhone(t, phone.Config{SRTP: sdp.Offer, Suites: []media.Suite{media.AES128GCM}}).Dial(h.uri("+4921112345"), phone.CallOptions{})
		must(t, err)
		leg := h.next()
		must(t, leg.Answer())
		must(t, out.WaitAnswer(t.Context()))
		// The ACK may be here before Answer has let sound flow.
		told := []engine.LegEvent{leg.next(), leg.next()}
		isNote := func(ev engine.LegEvent) bool {
			note, ok := ev.(engine.LegNote)
			return ok && note.Text == "sound is encrypted by AEAD_AES_128_GCM"
		}
		if !slices.ContainsFunc(told, isNote) || !slices.Contains(told, engine.LegEvent(engine.LegConfirmed{})) {
			t.Errorf("%s: told %+v", srtp, told)
		}
		err = out.Encrypt(t.Context(), sdp.Off)
		last := h.plane.connected()[len(h.plane.connected())-1]
		if srtp == directory.SRTPRequire {
			if err == nil || !strings.Contains(err.Error(), "488") || last.Ours == nil {
				t.Errorf("%s: %v, connected %+v", srtp, err, last)
			}
			leg.Hangup(engine.CauseNormal)
			continue
		}
		must(t, err)
		if note, ok := leg.next().(engine.LegNote); !ok || !strings.Contains(note.Text, "not encrypted any more") || last.Ours != nil {
			t.Errorf("%s: told %+v, connected %+v", srtp, note, last)
		}
		leg.Hangup(engine.CauseNormal)
	}
}
