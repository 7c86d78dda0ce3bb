// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"strings"
	"testing"

	"github.com/callwright/callwright/directory"
)

func TestGET_numbers(t *testing.T) {
	t.Parallel()
	b := start(t)
	alice := `{"id":"+4921112345","number":"+4921112345","localized":"+4921112345","type":"LANDLINE","endpointId":"p0","endpointAlias":"Alice Maria Smith","endpointUrl":""}`
	sales := `{"id":"100","number":"100","localized":"100","type":"QUICKDIAL","endpointId":"g0","endpointAlias":"Sales","endpointUrl":""}`
	nobody := `{"id":"+4930","number":"+4930","localized":"+4930","type":"LANDLINE","endpointId":"","endpointAlias":"","endpointUrl":""}`
	b.wants("GET", "/numbers", "", 200, `{"items":[`+alice+`,`+sales+`,`+nobody+`]}`)
	b.wants("GET", "/numbers?offset=1&limit=1", "", 200, `{"items":[`+sales+`]}`)
	b.wants("GET", "/numbers?offset=9", "", 200, `{"items":[]}`)
	b.refuses("GET", "/numbers?offset=-1", "", 400, `offset is "-1"`, "/offset")
	b.refuses("GET", "/numbers?limit=0", "", 400, `limit is "0"`, "/limit")
	b.refuses("GET", "/numbers?limit=1001", "", 400, "from 1 to 1000", "/limit")
	b.refuses("GET", "/numbers?limit=x", "", 400, `limit is "x"`, "/limit")
}

func TestGET_groups(t *testing.T) {
	t.Parallel()
	start(t).wants("GET", "/groups", "", 200, `{"items":[{"id":"g0","alias":"Sales","users":[{"id":"w0","alias":"Alice Maria Smith"},{"id":"carol","alias":"carol"}]}]}`)
}

const ofAlice = `{"id":"e0","alias":"Phones of Alice Maria Smith","type":"REGISTER","dnd":false,"online":true,"callerId":"","owner":"w0",
	"activePhonelines":[{"id":"p0","alias":"Alice Maria Smith"}],"activeGroups":[{"id":"g0","alias":"Sales"}],
	"registered":[{"userAgent":"Snom","ip":"192.0.2.7","port":"5060"}]}`

func TestGET_devices_id(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.house.phones = []directory.Registration{
		{Account: "default", User: "w0", Source: "udp:192.0.2.7:5060", Agent: "Snom"},
		{Account: "acme", User: "w0", Source: "tls:192.0.2.8:5060"},
	}
	b.wants("GET", "/devices/e0", "", 200, ofAlice)
	b.wants("GET", "/devices/e2", "", 200, `{"id":"e2","alias":"Phones of w2","type":"REGISTER","dnd":false,"online":false,"callerId":"+4921100002","owner":"w2",
		"activePhonelines":[{"id":"p2","alias":"w2"}],"activeGroups":[],"registered":[]}`)
	b.refuses("GET", "/devices/e7", "", 404, `there is no device "e7"`, "")
	b.refuses("GET", "/devices/%00", "", 404, `there is no device "\x00"`, "")
}

func TestGET_userId_devices(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.house.phones = []directory.Registration{{Account: "default", User: "w0", Source: "udp:192.0.2.7:5060", Agent: "Snom"}}
	b.wants("GET", "/w0/devices", "", 200, `{"items":[`+ofAlice+`]}`)
	b.refuses("GET", "/w7/devices", "", 404, `there is no user "w7"`, "")
	if _, text := b.ask(theirs, "GET", "/w1/devices", ""); !strings.Contains(text, `there is no user`) {
		t.Errorf("another account sees %s", text)
	}
}

func TestGET_voicemails(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.house.entries.Users = b.house.entries.Users[:1]
	b.wants("GET", "/voicemails", "", 200, `{"items":[{"id":"v0","alias":"Voicemail of Alice Maria Smith","belongsToEndpoint":{"extension":"p0","type":"PERSON"}}]}`)
}
