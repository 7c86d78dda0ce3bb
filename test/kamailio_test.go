// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/peer"
)

// proxy starts a Kamailio in front of the server, which it reaches by one
// transport, as it does the carrier by another: udp or tcp.
func (h *house) proxy(t *testing.T, server, carrier string) {
	t.Helper()
	peer.Need(t, "kamailio", "kamailio")
	modules, _ := filepath.Glob("/usr/lib/*/kamailio/modules")
	text, err := os.ReadFile("kamailio.cfg")
	if err != nil || len(modules) == 0 {
		t.Fatalf("Kamailio's modules are in %q; %v", modules, err)
	}
	dir := t.TempDir()
	settings := strings.NewReplacer(
		"HOST", h.host(hostProxy), "MODULES", modules[0],
		"SERVERBY", server, "CARRIERBY", carrier, "SERVER", h.host(hostServer), "CARRIER", h.host(hostCarrier),
	).Replace(string(text))
	if err := os.WriteFile(filepath.Join(dir, "kamailio.cfg"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := peer.Command(t, "kamailio", "-DD", "-E", "-f", filepath.Join(dir, "kamailio.cfg"), "-Y", dir, "-w", dir, "-m", "64", "-M", "8")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // ends with the test
		showOf(t, "kamailio", log.Name())
	})
	at := netip.MustParseAddrPort(h.host(hostProxy) + ":5060")
	eventually(t, func() string {
		if !slices.Contains(sockets(t, "udp"), at) || !slices.Contains(sockets(t, "tcp"), at) {
			return fmt.Sprintf("Kamailio does not listen on %s", at)
		}
		return ""
	})
}

// received finds the requests that a sipp received, up to the address in their
// first Via.
var received = regexp.MustCompile(`message received.*\r?\n\r?\n[A-Z]+ sip:.*\r?\n(?:Record-Route:.*\r?\n)*Via: SIP/2.0/[A-Z]+ [0-9.]+`)

// behindProxy is the configuration of a server whose only trunk is the proxy.
func behindProxy(transport string) string {
	return strings.NewReplacer("NETWORK.20:5060;transport=udp", "NETWORK.50:5060;transport="+transport, "NETWORK.20/32", "NETWORK.50/32").Replace(configuration)
}

// TestBehindProxy has calls come in and go out by a proxy that stays in their
// route and changes the transport: what either side asks in the middle of a call,
// and its end, takes the same way.
func TestBehindProxy(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, caller, target, server, carrier string }{
		{"the caller asks by UDP, we are reached by TCP", "caller-asks", "target-answers", "tcp", "udp"},
		{"the target asks by TCP, we are reached by UDP", "caller-waits", "target-asks", "udp", "tcp"},
		{"the target hangs up by UDP, we are reached by TCP", "caller-waits", "target-hangs-up", "tcp", "udp"},
		{"the target hangs up by TCP, we are reached by UDP", "caller-waits", "target-hangs-up", "udp", "tcp"},
		{"the caller leaves the offer to us", "caller-offers-late", "target-answers", "tcp", "udp"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHouseOf(t, behindProxy(tc.server), onCall(dialElsewhere))
			h.proxy(t, tc.server, tc.carrier)
			tcp := tc.carrier == "tcp"
			target := h.target(t, phone{scenario: tc.target, tcp: tcp})
			caller := phone{scenario: tc.caller, number: ourNumber, tcp: tcp, via: hostProxy}
			calling := h.start(t, caller)
			calling.wait(t)
			target.wait(t)
			h.expectRecords(t, "in +4921100 normal", "out +4915799912345 normal")
			h.expectPorts(t, 0)
			asked := 0
			for _, r := range []*running{calling, target} {
				for _, request := range received.FindAllString(r.read("messages"), -1) {
					asked++
					if !strings.HasSuffix(request, " "+h.host(hostProxy)) {
						t.Errorf("%s was asked by another way than the proxy: %s", r.scenario, request)
					}
				}
			}
			if asked < 3 { // INVITE, ACK and BYE
				t.Errorf("the peers were asked %d times", asked)
			}
		})
	}
}

// TestTelephonesBehindProxy has telephones register and call by way of the proxy,
// which the server believes where they are: it tells a carrier behind it by its
// own address, too.
func TestTelephonesBehindProxy(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"udp", "tcp"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			config := strings.Replace(wanting("auto"), "sip: {", `sip: {proxies: ["NETWORK.50/32"], `, 1) +
				`trunks:
  - {name: carrier, address: "NETWORK.50:5060;transport=` + by + `", allow_from: ["NETWORK.20/32"]}
`
			h := newHouseOf(t, config, nil)
			h.proxy(t, by, "udp")
			carol := h.linphone(t, line{host: hostDesk, username: "carol", plays: toneOfCarol, via: hostProxy, transport: "tcp"}).registered()
			dave := h.baresip(t, line{host: hostMobile, username: "dave", plays: toneOfDave, via: hostProxy}).registered()
			h.converse(t, carol, dave)
			// a call that the carrier makes, and one that it gets
			h.call(t, phone{scenario: "caller-hangs-up", number: "+4921103", via: hostProxy})
			dave.expect(dave.brand.closed)
			target := h.target(t, phone{scenario: "target-hangs-up"})
			dave.do(dave.brand.dial, elsewhere)
			dave.expect(dave.brand.established)
			target.wait(t)
			dave.expect(dave.brand.closed)
			h.expectPorts(t, 0)
		})
	}
}
