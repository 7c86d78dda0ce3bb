// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// tones that the two telephones of a test play.
const toneOfCarol, toneOfDave = 700, 1300

// maker starts a telephone of one make.
type maker func(*house, *testing.T, line) *telephone

// TestTwoTelephones has telephones of two makes call each other, by all that a
// call is made of: register, ring, answer, hear, press keys, hold, hang up.
func TestTwoTelephones(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                  string
		carols, daves         maker
		carolsLine, davesLine line
	}{
		{"linphone by UDP to baresip by TCP", (*house).linphone, (*house).baresip, line{transport: "udp"}, line{transport: "tcp"}},
		{"baresip by UDP to linphone by TCP", (*house).baresip, (*house).linphone, line{transport: "udp"}, line{transport: "tcp"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHouseOf(t, wanting("auto"), nil)
			tc.carolsLine.host, tc.carolsLine.username, tc.carolsLine.plays = hostDesk, "carol", toneOfCarol
			tc.davesLine.host, tc.davesLine.username, tc.davesLine.plays = hostMobile, "dave", toneOfDave
			carol := tc.carols(h, t, tc.carolsLine).registered()
			dave := tc.daves(h, t, tc.davesLine).registered()
			h.converse(t, carol, dave)
			h.expectPorts(t, 0)
		})
	}
}

// withEncryption is a configuration with TLS, in which Carol is talked to
// encrypted or not at all, and Dave as DAVES says.
const withEncryption = `
admin: {token: "of the tests"}
http: {listen: "NETWORK.10:8080", public_url: "http://NETWORK.10:8080"}
sip: {listen: ["udp://NETWORK.10:5060", "tcp://NETWORK.10:5060", "tls://NETWORK.10:5061"], tls: {cert: "DIR/cert.pem", key: "DIR/key.pem"}}
media: {listen: "NETWORK.10", ports: "20000-20499"}
database: "sqlite:DIR/callwright.db"
data_dir: "DIR"
users:
  - {id: w2, name: Carol, username: carol, password: "pw-carol", srtp: require}
  - {id: w3, name: Dave, username: dave, password: "pw-dave", srtp: DAVES}
numbers:
  - {number: "+4921102", users: [w2]}
  - {number: "+4921103", users: [w3]}
`

// TestEncryptedTelephones has telephones register and call by TLS, with sound
// that is encrypted for one of them or for both.
func TestEncryptedTelephones(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		carols, daves maker
		davesLine     line
		policy        string // users[].srtp of Dave
	}{
		{"linphone by TLS to baresip by TLS", (*house).linphone, (*house).baresip, line{transport: "tls", encrypted: true}, "require"},
		{"baresip by TLS to linphone by TLS", (*house).baresip, (*house).linphone, line{transport: "tls", encrypted: true}, "require"},
		{"linphone by TLS to baresip in the clear", (*house).linphone, (*house).baresip, line{transport: "udp"}, "off"},
		{"baresip by TLS to linphone in the clear", (*house).baresip, (*house).linphone, line{transport: "tcp"}, "allow"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHouseOf(t, strings.Replace(withEncryption, "DAVES", tc.policy, 1), nil)
			carol := tc.carols(h, t, line{host: hostDesk, username: "carol", plays: toneOfCarol, transport: "tls", encrypted: true}).registered()
			tc.davesLine.host, tc.davesLine.username, tc.davesLine.plays = hostMobile, "dave", toneOfDave
			dave := tc.daves(h, t, tc.davesLine).registered()
			h.converse(t, carol, dave)
			h.expectPorts(t, 0)
		})
	}
}

// TestStrangeCertificate has a telephone that does not trust who signed our
// certificate stay away.
func TestStrangeCertificate(t *testing.T) {
	t.Parallel()
	h := newHouseOf(t, strings.Replace(withEncryption, "DAVES", "allow", 1), nil)
	elsewhere := t.TempDir()
	certify(t, elsewhere, h.host(hostServer))
	carol := h.linphone(t, line{host: hostDesk, username: "carol", transport: "tls", authority: filepath.Join(elsewhere, "ca.pem")})
	carol.tells("Certificate verification failed")
	h.linphone(t, line{host: hostMobile, username: "carol", transport: "tls"}).registered()
}

// converse has one telephone call another and everything happen in the call.
func (h *house) converse(t *testing.T, caller, called *telephone) {
	t.Helper()
	caller.do(caller.brand.dial, "+4921103")
	called.expect(called.brand.established)
	caller.expect(caller.brand.established)
	caller.hears(toneOfDave)
	called.hears(toneOfCarol)

	caller.do(caller.brand.key, "5")
	called.expect(called.brand.keyHeard, "5")
	called.do(called.brand.key, "8")
	caller.expect(caller.brand.keyHeard, "8")

	h.holdAndResume(t, caller)
	h.holdAndResume(t, called)
	if !caller.brand.deafAfterHold {
		caller.hears(toneOfDave)
	}
	if !called.brand.deafAfterHold {
		called.hears(toneOfCarol)
	}

	called.do(called.brand.hangUp)
	caller.expect(caller.brand.closed)
	called.expect(called.brand.closed)
}

// holdAndResume has a telephone put its call on hold and take it back: the server
// answers both.
func (h *house) holdAndResume(t *testing.T, p *telephone) {
	t.Helper()
	for _, button := range []string{p.brand.hold, p.brand.resume} {
		asked, answered := h.count("<- INVITE"), h.count("-> 200 OK")
		p.do(button)
		eventually(t, func() string {
			if h.count("<- INVITE") == asked || h.count("-> 200 OK") == answered {
				return fmt.Sprintf("after %q no re-INVITE was answered, only %q", button, h.told("sip"))
			}
			return ""
		})
	}
}

// count counts the SIP messages of a kind in the timelines of all calls.
func (h *house) count(kind string) (n int) {
	for _, message := range h.told("sip") {
		if strings.HasPrefix(message, kind) {
			n++
		}
	}
	return n
}
