// SPDX-License-Identifier: MIT

package test

import (
	"regexp"
	"testing"
)

// withPhones is a configuration with users whose phones register: carol, and
// dave, who both ring for a number that has no app.
const withPhones = `
admin: {token: "of the tests"}
http: {listen: "NETWORK.10:8080", public_url: "http://NETWORK.10:8080"}
sip: {listen: ["udp://NETWORK.10:5060", "tcp://NETWORK.10:5060"]}
media: {listen: "NETWORK.10", ports: "20000-20499"}
database: "sqlite:DIR/callwright.db"
data_dir: "DIR"
apps:
  - {key: desk, dialect: sipgate, outgoing_url: "APP/"}
users:
  - {id: w2, name: Carol, username: carol, password: "pw-carol"}
  - {id: w3, name: Dave, username: dave, password: "pw-dave", app: desk, caller_id: "+4921101"}
numbers:
  - {number: "+4921101", users: [w2]}
trunks:
  - {name: carrier, address: "NETWORK.20:5060;transport=udp", allow_from: ["NETWORK.20/32"]}
`

// The last numbers of telephones' addresses, and the number that rings Carol.
const (
	hostDesk   = "41"
	hostMobile = "42"
	carols     = "+4921101"
)

// credentials are the values of a scenario that shows a password.
func credentials(username, password, status string) map[string]string {
	return map[string]string{"username": username, "password": password, "status": status, "expires": "300"}
}

// TestRegister registers with sipp, which knows MD5 only: with the right
// password, with a wrong one, and as nobody.
func TestRegister(t *testing.T) {
	t.Parallel()
	h := newHouseOf(t, withPhones, nil)
	h.reasons = []string{"the username or the password is wrong", "no user has that username", "the nonce was used before", "not for this address"}
	for _, tcp := range []bool{false, true} {
		register := func(scenario, host string, values map[string]string) {
			t.Helper()
			h.call(t, phone{scenario: scenario, host: host, number: "carol", tcp: tcp, values: values})
		}
		good := h.start(t, phone{scenario: "registers", host: hostAlice, number: "carol", tcp: tcp, values: credentials("carol", "pw-carol", "200")})
		good.wait(t)
		stolen := credentials("carol", "", "")
		if stolen["authorization"] = regexp.MustCompile(`Authorization: .*\n`).FindString(good.read("messages")); stolen["authorization"] == "" {
			t.Fatal("sipp has shown no credentials")
		}
		register("replays", hostStranger, stolen)
		register("replays", hostAlice, stolen) // somebody behind the same NAT
		register("registers", hostStranger, credentials("carol", "wrong", "401"))
		register("registers", hostDesk, credentials("nobody", "wrong", "401"))
		register("registers-twice", hostBob, credentials("carol", "pw-carol", "200"))
		for _, host := range []string{hostAlice, hostBob} {
			back := credentials("carol", "pw-carol", "200")
			back["expires"] = "0"
			register("registers", host, back)
		}
	}
	// Nobody is registered any more, so nobody rings.
	h.call(t, phone{scenario: "caller-refused", number: carols, values: map[string]string{"status": "480"}})
	h.expectRecords(t, "in "+carols+" offline", "out w2 offline")
}

// TestTelephones has two telephones of one user ring; the first to answer wins,
// and the other one stops.
func TestTelephones(t *testing.T) {
	t.Parallel()
	h := newHouseOf(t, withPhones, nil)
	desk := h.baresip(t, line{host: hostDesk, username: "carol", manual: true}).registered()
	mobile := h.baresip(t, line{host: hostMobile, username: "carol", manual: true}).registered()
	caller := h.start(t, phone{scenario: "caller-hangs-up", number: carols})
	desk.expect(desk.brand.ringing)
	mobile.expect(mobile.brand.ringing)
	mobile.do(mobile.brand.accept)
	mobile.expect(mobile.brand.established)
	desk.expect(desk.brand.closed)
	caller.wait(t)
	mobile.expect(mobile.brand.closed)
	h.expectRecords(t, "in "+carols+" normal", "out w2 normal", "out w2 answered-elsewhere")
	h.expectPorts(t, 0)
}

// TestUserCalls has users call: another user's telephone, by name, and a number
// elsewhere, about which the user's app is asked.
func TestUserCalls(t *testing.T) {
	t.Parallel()
	h := newHouseOf(t, withPhones, onCall(""))
	carol := h.baresip(t, line{host: hostDesk, username: "carol"}).registered()
	h.call(t, phone{scenario: "user-calls", host: hostStranger, number: "carol", values: credentials("dave", "pw-dave", "")})
	carol.expect(carol.brand.closed)
	h.expectRecords(t, "out w2 normal", "out w2 normal")

	target := h.target(t, phone{scenario: "target-answers"})
	dave := h.baresip(t, line{host: hostMobile, username: "dave", manual: true}).registered()
	dave.do(dave.brand.dial, elsewhere)
	dave.expect(dave.brand.established)
	dave.do(dave.brand.hangUp)
	target.wait(t)
	h.expectRecords(t, "out w2 normal", "out w2 normal", "out +4915799912345 normal", "out +4915799912345 normal")
	h.expectPorts(t, 0)
}
