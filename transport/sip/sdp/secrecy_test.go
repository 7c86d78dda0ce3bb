// SPDX-License-Identifier: MIT

package sdp

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/callwright/callwright/media"
)

// What is offered under each policy, and what comes of each answer.
func TestPolicies(t *testing.T) {
	t.Parallel()
	const plain, with, none = "plain", "encrypted", "refused"
	for _, tc := range []struct {
		caller, called Policy
		offer, want    string
	}{
		{Allow, Allow, "RTP/AVP", plain},
		{Allow, Offer, "RTP/AVP", plain},
		{Allow, Off, "RTP/AVP", plain},
		{Allow, Require, "RTP/AVP", none},
		{Offer, Allow, "RTP/AVP", with},
		{Offer, Offer, "RTP/AVP", with},
		{Offer, Off, "RTP/AVP", plain},
		{Offer, Require, "RTP/AVP", with},
		{Require, Allow, "RTP/SAVP", with},
		{Require, Offer, "RTP/SAVP", with},
		{Require, Off, "RTP/SAVP", none},
		{Require, Require, "RTP/SAVP", with},
		{Off, Allow, "RTP/AVP", plain},
		{Off, Offer, "RTP/AVP", plain},
		{Off, Off, "RTP/AVP", plain},
		{Off, Require, "RTP/AVP", none},
	} {
		caller, called := New(local, 1), New(local, 2)
		caller.Encrypt(tc.caller)
		called.Encrypt(tc.called)
		offer := caller.Offer()
		if !strings.Contains(string(offer), " "+tc.offer+" ") {
			t.Errorf("%d calls %d: offered\n%s", tc.caller, tc.called, offer)
		}
		answer, theirs, err := called.Answer(offer)
		if tc.want == none {
			if !errors.Is(err, ErrSecrecy) {
				t.Errorf("%d calls %d: error %v, want ErrSecrecy", tc.caller, tc.called, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%d calls %d: %v", tc.caller, tc.called, err)
			continue
		}
		ours, err := caller.Accept(answer)
		if err != nil {
			t.Errorf("%d calls %d: accept: %v", tc.caller, tc.called, err)
			continue
		}
		if !ours.Ours.Equal(theirs.Theirs) || !ours.Theirs.Equal(theirs.Ours) || (ours.Ours != nil) != (tc.want == with) {
			t.Errorf("%d calls %d: %+v and %+v, want %s", tc.caller, tc.called, ours, theirs, tc.want)
		}
		if tc.want == with && bytes.Equal(ours.Ours.Key, ours.Theirs.Key) {
			t.Error("both sides have the same key")
		}
	}
}

// Of what is offered the first line that can be used is taken, under its own tag,
// by the same transport.
func TestAnswerEncrypted(t *testing.T) {
	t.Parallel()
	const (
		gcm  = "a=crypto:7 AEAD_AES_128_GCM inline:" + key28 + "\r\n"
		cm32 = "a=crypto:8 AES_CM_128_HMAC_SHA1_32 inline:" + key30 + "|2^31\r\n"
		big  = "a=crypto:5 AES_256_CM_HMAC_SHA1_80 inline:" + key30 + "AAAA\r\n"
		mki  = "a=crypto:6 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^31|1:1\r\n"
	)
	for _, tc := range []struct {
		name, offer, proto, line string
		policy                   Policy
	}{
		{"first", "m=audio 4000 RTP/SAVP 0\r\n" + gcm + cm32, "RTP/SAVP", "7 AEAD_AES_128_GCM inline:", Allow},
		{"second", "m=audio 4000 RTP/SAVP 0\r\n" + big + mki + cm32 + gcm, "RTP/SAVP", "8 AES_CM_128_HMAC_SHA1_32 inline:", Allow},
		{"with feedback", "m=audio 4000 RTP/SAVPF 0\r\n" + gcm + "a=rtcp-fb:* nack\r\n", "RTP/SAVPF", "7 AEAD_AES_128_GCM inline:", Allow},
		{"not demanded", "m=audio 4000 RTP/AVP 0\r\n" + gcm, "RTP/AVP", "7 AEAD_AES_128_GCM inline:", Allow},
		{"not demanded, required", "m=audio 4000 RTP/AVP 0\r\n" + gcm, "RTP/AVP", "7 AEAD_AES_128_GCM inline:", Require},
		{"not demanded and off", "m=audio 4000 RTP/AVP 0\r\n" + gcm, "RTP/AVP", "", Off},
		{"not demanded and none that can be used", "m=audio 4000 RTP/AVP 0\r\n" + mki, "RTP/AVP", "", Allow},
		{"plain with feedback", "m=audio 4000 RTP/AVPF 0\r\n", "RTP/AVPF", "", Allow},
	} {
		s := New(local, 1)
		s.Encrypt(tc.policy)
		answer, remote, err := s.Answer([]byte(head + tc.offer))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		var line string
		if i := strings.Index(string(answer), "a=crypto:"); i >= 0 {
			line, _, _ = strings.Cut(string(answer)[i+len("a=crypto:"):], "\r\n")
		}
		if strings.Count(string(answer), "a=crypto:") > 1 || !strings.HasPrefix(line, tc.line) || (line == "") != (tc.line == "") ||
			!strings.Contains(string(answer), "m=audio 20000 "+tc.proto+" 0\r\n") {
			t.Errorf("%s: answered\n%s", tc.name, answer)
		}
		if tc.line == "" {
			if remote.Ours != nil || remote.Theirs != nil {
				t.Errorf("%s: keys without a line", tc.name)
			}
			continue
		}
		if c, err := parseCrypto(line); err != nil || !c.keys.Equal(remote.Ours) || remote.Theirs.Suite != remote.Ours.Suite {
			t.Errorf("%s: the answer says %q (%v), settled was %+v", tc.name, line, err, remote)
		}
	}
}

// Of two streams the one is taken that the policy wants, and the other refused.
func TestTwoStreams(t *testing.T) {
	t.Parallel()
	const offer = head + "m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "\r\n"
	for policy, port := range map[Policy]uint16{Allow: 4002, Offer: 4002, Require: 4002, Off: 4000} {
		s := New(local, 1)
		s.Encrypt(policy)
		answer, remote, err := s.Answer([]byte(offer))
		if err != nil || remote.Addr.Port() != port || (remote.Ours != nil) != (port == 4002) {
			t.Errorf("%d: settled %+v (%v)\n%s", policy, remote, err, answer)
		}
		if n := strings.Count(string(answer), "m=audio 0 "); n != 1 || strings.Count(string(answer), "m=") != 2 {
			t.Errorf("%d: answered\n%s", policy, answer)
		}
	}
}

// Refusals say what was wanted.
func TestSecrecyReasons(t *testing.T) {
	t.Parallel()
	const savp = head + "m=audio 4000 RTP/SAVP 0\r\n"
	for _, tc := range []struct {
		policy      Policy
		offer, says string
	}{
		{Off, savp + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "\r\n", "is encrypted (RTP/SAVP), and srtp is off here"},
		{Require, head + "m=audio 4000 RTP/AVP 0\r\n", "(RTP/AVP) is not encrypted, and srtp is required here: it has no a=crypto line"},
		{Allow, savp, "it has no a=crypto line"},
		{Allow, savp + "a=crypto:1 AES_192_CM_HMAC_SHA1_80 inline:xx\r\na=crypto:2 F8_128_HMAC_SHA1_80 inline:xx\r\n", "AES_192_CM_HMAC_SHA1_80 is not spoken here"},
		{Require, head + "m=audio 4000 RTP/AVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^4\r\n", "2^20 at least"},
	} {
		s := New(local, 1)
		s.Encrypt(tc.policy)
		if _, _, err := s.Answer([]byte(tc.offer)); !errors.Is(err, ErrSecrecy) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("error %v, want one with %q", err, tc.says)
		}
	}
}

// An answer must take one of our lines, and say so.
func TestAcceptEncrypted(t *testing.T) {
	t.Parallel()
	savp, avp := head+"m=audio 4000 RTP/SAVP 0\r\n", head+"m=audio 4000 RTP/AVP 0\r\n"
	first, gcm := "a=crypto:"+tag(media.AES128SHA1x80)+" AES_CM_128_HMAC_SHA1_80 inline:"+key30+"\r\n", "a=crypto:"+tag(media.AES128GCM)+" AEAD_AES_128_GCM inline:"+key28+"\r\n"
	for _, tc := range []struct {
		name   string
		policy Policy
		answer string
		suite  media.Suite // 0 for plain
		says   string
	}{
		{"taken", Require, savp + first, media.AES128SHA1x80, ""},
		{"another taken", Require, savp + gcm, media.AES128GCM, ""},
		{"two taken", Require, savp + gcm + first, media.AES128GCM, ""},
		{"taken, not demanded", Offer, avp + first, media.AES128SHA1x80, ""},
		{"not demanded and not taken", Offer, avp, 0, ""},
		{"not demanded and taken wrong", Offer, avp + "a=crypto:9 AEAD_AES_128_GCM inline:" + key28 + "\r\n", 0, ""},
		{"keys out of the blue", Allow, avp + first, 0, ""},
		{"plain", Require, avp, 0, "RTP/SAVP was offered and RTP/AVP answered"},
		{"plain with keys", Require, avp + first, 0, "RTP/SAVP was offered and RTP/AVP answered"},
		{"encrypted out of the blue", Allow, savp + first, 0, "RTP/AVP was offered and RTP/SAVP answered"},
		{"encrypted although off", Off, savp + first, 0, "RTP/AVP was offered and RTP/SAVP answered"},
		{"no line", Require, savp, 0, "it has no a=crypto line"},
		{"tag of another line", Require, savp + strings.Replace(gcm, "crypto:"+tag(media.AES128GCM), "crypto:"+tag(media.AES128SHA1x80), 1), 0, "line 1 of the offer was not AEAD_AES_128_GCM"},
		{"line of no use", Require, savp + strings.Replace(first, "\r\n", " UNENCRYPTED_SRTP\r\n", 1), 0, "UNENCRYPTED_SRTP"},
	} {
		s := New(local, 1)
		s.Encrypt(tc.policy)
		s.Offer()
		remote, err := s.Accept([]byte(tc.answer))
		switch {
		case tc.says != "":
			if !errors.Is(err, ErrSecrecy) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: error %v, want one with %q", tc.name, err, tc.says)
			}
		case err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case tc.suite == 0 && (remote.Ours != nil || remote.Theirs != nil):
			t.Errorf("%s: keys %+v", tc.name, remote)
		case tc.suite != 0 && (remote.Ours == nil || remote.Ours.Suite != tc.suite || remote.Theirs.Suite != tc.suite):
			t.Errorf("%s: settled %+v, want %v", tc.name, remote, tc.suite)
		}
	}
}

// Whoever answers a second time to one offer is heard as the first was: several
// may have been rung by it.
func TestAcceptTwice(t *testing.T) {
	t.Parallel()
	s := New(local, 1)
	s.Encrypt(Offer)
	s.Offer()
	avp := head + "m=audio 4000 RTP/AVP 0\r\n"
	for _, line := range []string{"", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "\r\n", ""} {
		if remote, err := s.Accept([]byte(avp + line)); err != nil || (remote.Ours != nil) != (line != "") {
			t.Errorf("%q: settled %+v (%v)", line, remote, err)
		}
	}
}

// Our key stays what it is from description to description, whoever offers; each
// suite has its own, and a new one is made when it is asked for.
func TestKeysStay(t *testing.T) {
	t.Parallel()
	a, b := New(local, 1), New(netip.MustParseAddrPort("198.51.100.8:30000"), 2)
	a.Encrypt(Require, media.AES128GCM, media.AES128SHA1x80)
	settle := func(offers, answers *Session) (media.Remote, media.Remote) {
		answer, theirs, err := answers.Answer(offers.Offer())
		if err != nil {
			t.Fatal(err)
		}
		ours, err := offers.Accept(answer)
		if err != nil {
			t.Fatal(err)
		}
		return ours, theirs
	}
	first, _ := settle(a, b)
	for range 2 {
		again, _ := settle(a, b)
		back, _ := settle(b, a)
		for i, r := range []media.Remote{again, {Ours: back.Theirs, Theirs: back.Ours}} {
			if !r.Ours.Equal(first.Ours) || !r.Theirs.Equal(first.Theirs) || r.Ours.Suite != media.AES128GCM {
				t.Errorf("%d: %+v has become %+v", i, first, r)
			}
		}
	}
	if body := string(b.Offer()); !strings.Contains(body, "RTP/SAVP ") || strings.Index(body, "AEAD") > strings.Index(body, "AES_CM") {
		t.Errorf("what was settled is not offered first:\n%s", body)
	}
	if lines := strings.Split(string(b.Offer()), "inline:"); len(lines) != 4 || lines[1][:20] == lines[2][:20] {
		t.Errorf("the same key for two suites:\n%s", lines)
	}
	b.Rekey()
	second, _ := settle(a, b)
	if !second.Ours.Equal(first.Ours) || second.Theirs.Equal(first.Theirs) {
		t.Errorf("one new key: %+v has become %+v", first, second)
	}
}

// What was encrypted is offered so again, in the same manner.
func TestOfferAgain(t *testing.T) {
	t.Parallel()
	const line = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "\r\n"
	for offer, want := range map[string]string{
		"m=audio 4000 RTP/AVP 0\r\n" + line:   "m=audio 20000 RTP/AVP ",
		"m=audio 4000 RTP/SAVP 0\r\n" + line:  "m=audio 20000 RTP/SAVP ",
		"m=audio 4000 RTP/SAVPF 0\r\n" + line: "m=audio 20000 RTP/SAVPF ",
	} {
		s := New(local, 1)
		if _, _, err := s.Answer([]byte(head + offer)); err != nil {
			t.Fatal(err)
		}
		if body := string(s.Offer()); !strings.Contains(body, want) || strings.Count(body, "a=crypto:") != 3 {
			t.Errorf("offered\n%s", body)
		}
		if _, _, err := s.Answer([]byte(head + "m=audio 4000 RTP/AVP 0\r\n")); err != nil {
			t.Fatal(err)
		}
		if body := string(s.Offer()); !strings.Contains(body, "RTP/AVP ") || strings.Contains(body, "a=crypto:") {
			t.Errorf("offered\n%s", body)
		}
	}
}

// Where RTCP goes is read from three lines.
func TestControl(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]control{
		"":                                   {},
		"a=rtcp-mux\r\n":                     {mux: true},
		"a=rtcp-mux\r\na=rtcp:4000\r\n":      {mux: true},
		"a=rtcp:4009\r\n":                    {at: netip.MustParseAddrPort("192.0.2.1:4009")},
		"a=rtcp:4009 IN IP4 192.0.2.9\r\n":   {at: netip.MustParseAddrPort("192.0.2.9:4009")},
		"a=rtcp:4009 IN IP6 2001:db8::9\r\n": {at: netip.MustParseAddrPort("[2001:db8::9]:4009")},
		"a=rtcp:4009 IN IP4 example.org\r\n": {},
		"a=rtcp:4009 IN IP4 224.0.0.1\r\n":   {},
		"a=rtcp:4009 IN IP4 0.0.0.0\r\n":     {},
		"a=rtcp:70000\r\n":                   {},
		"a=rtcp:0\r\n":                       {},
		"a=rtcp:4009 IN\r\n":                 {},
		"a=rtcp:\r\n":                        {},
	} {
		answer, remote, err := New(local, 1).Answer([]byte(head + "m=audio 4000 RTP/AVP 0\r\n" + lines))
		if got := (control{remote.Mux, remote.RTCP}); err != nil || got != want {
			t.Errorf("%q: %+v (%v), want %+v", lines, got, err, want)
		}
		if strings.Contains(string(answer), "a=rtcp-mux\r\n") != want.mux {
			t.Errorf("%q: answered\n%s", lines, answer)
		}
	}
	if body := string(New(local, 1).Offer()); !strings.Contains(body, "a=rtcp-mux\r\n") {
		t.Errorf("offered\n%s", body)
	}
}
