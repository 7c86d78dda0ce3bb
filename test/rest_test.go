// SPDX-License-Identifier: MIT

package test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOfficialClientHangsUpAfterPlay has an app end a call by the REST API when its
// announcement, which is early media, has ended.
func TestOfficialClientHangsUpAfterPlay(t *testing.T) {
	t.Parallel()
	a := newNode(t)
	h := newHouseOf(t, askedOf(withTokens, a), nil)
	a.start(t, "play-and-hang-up", append(h.rest(), "ANNOUNCEMENT="+sounds(t)+"/440/5000.wav")...)
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
	h.linphone(t, line{host: hostMobile, username: "dave", manual: true}).registered()
	carol.do(carol.brand.dial, ourNumber)
	carol.expect(carol.brand.closed)
	// The client's timer begins when it has answered, before the file is fetched: on a
	// busy machine much is not heard.
	if got := lasts(carol.heard(), 440); got < time.Second || got > 5100*time.Millisecond {
		t.Errorf("%v of an announcement of 5 s were heard", got)
	}
	h.expectPorts(t, 0)
	a.expect(t, carolCalls, `{"event":"hangup","cause":"cancel",`+ofCarol+chain)
}

// TestOfficialClientAsks asks what there is, and for calls that are not.
func TestOfficialClientAsks(t *testing.T) {
	t.Parallel()
	h := newHouseOf(t, withTokens, nil)
	c := h.console(t)
	c.says(`{"result":"w3"}`, "client.getAuthenticatedWebuserId")
	var users []struct{ ID, Firstname, DefaultDevice string }
	c.get(&users, "client.getWebUsers")
	if len(users) != 3 || users[1].ID != "w3" || users[1].Firstname != "Dave" {
		t.Errorf("users = %+v, want Carol, Dave and Erin", users)
	}
	var numbers struct {
		Items []struct{ Number, Type, EndpointID, EndpointAlias string }
	}
	c.get(&numbers, "numbers.getAllNumbers")
	if n := len(numbers.Items); n != 4 || numbers.Items[0].Number != "+4921104" || numbers.Items[0].EndpointID != "p4" || numbers.Items[0].EndpointAlias != "Erin" {
		t.Errorf("numbers = %+v, want Erin's and three more", numbers.Items)
	}
	var devices []struct {
		ID, Type, Owner string
		Online          bool
	}
	c.get(&devices, "devices.getDevices", "w3")
	if len(devices) != 1 || devices[0].ID != "e3" || devices[0].Type != "REGISTER" || devices[0].Owner != "w3" || devices[0].Online {
		t.Errorf("devices = %+v, want Dave's, which is not there", devices)
	}
	c.says(`{"error":"Request failed with status code 404"}`, "devices.getDevices", "w99")
	var voicemails []struct {
		ID                string
		BelongsToEndpoint struct{ Extension, Type string }
	}
	c.get(&voicemails, "voicemails.getVoicemails")
	if len(voicemails) != 3 || voicemails[1].ID != "v3" || voicemails[1].BelongsToEndpoint.Extension != "p3" {
		t.Errorf("voicemails = %+v, want Carol's, Dave's and Erin's", voicemails)
	}
	c.talks(0)
	for _, id := range []string{"01A1FF933CF37D378A308302E02F0B70", "nothing"} {
		c.says(`{"error":"The requested Call could not be found"}`, "rtcm.hangUp", call{id})
	}

	b := h.bearer(t)
	b.says(`{"result":"w3"}`, "client.getAuthenticatedWebuserId")
	b.talks(0)
	b.says(`{"error":"The requested Call could not be found"}`, "rtcm.hangUp", call{"nothing"})
	b.done("settings.setLog", true)
}

// TestOfficialClientChangesSettings has the client set which app is asked, and for
// whom.
func TestOfficialClientChangesSettings(t *testing.T) {
	t.Parallel()
	was, is := startNode(t, "play"), startNode(t, "reject")
	h := newHouseOf(t, askedOf(configuration+"tokens:\n  - {id: token-CLIENT, token: \""+token+"\", user: w1}\n", was), nil)
	c := h.console(t)
	c.says(`{"result":{"incomingUrl":"`+was.url+`","outgoingUrl":"","log":true,"whitelist":null}}`, "settings.getWebhookSettings")
	c.done("settings.setIncomingUrl", is.url)
	c.done("settings.setOutgoingUrl", is.url)
	c.done("settings.setLog", false)
	c.done("settings.setWhitelist", []string{"p0", "p1"})
	c.says(`{"result":{"incomingUrl":"`+is.url+`","outgoingUrl":"`+is.url+`","log":false,"whitelist":["p0","p1"]}}`, "settings.getWebhookSettings")
	h.call(t, phone{scenario: "caller-refused", number: ourNumber, values: map[string]string{"status": "486"}})
	is.expect(t, from("+492111234567", newCall, `{"event":"hangup","cause":"busy",`+ofCall+chain)...)

	c.done("settings.clearWhitelist")
	c.done("settings.clearIncomingUrl")
	c.done("settings.clearOutgoingUrl")
	c.says(`{"result":{"incomingUrl":"","outgoingUrl":"","log":false,"whitelist":[]}}`, "settings.getWebhookSettings")
	bob := h.target(t, phone{scenario: "target-answers", host: hostBob})
	alice := h.target(t, phone{scenario: "target-refuses", host: hostAlice, values: map[string]string{"status": "486"}})
	h.call(t, phone{scenario: "caller-hangs-up", number: ourNumber})
	alice.wait(t)
	bob.wait(t)
	c.done("settings.disableWhitelist")
	c.says(`{"result":{"incomingUrl":"","outgoingUrl":"","log":false,"whitelist":null}}`, "settings.getWebhookSettings")
	h.expectPorts(t, 0)
	is.expect(t, from("+492111234567", newCall, `{"event":"hangup","cause":"busy",`+ofCall+chain)...)
	was.expect(t)
}

// TestOfficialClientVerifies has the client check signatures, by our key, and that
// requests come from an address of sipgate, which the app's headers say.
func TestOfficialClientVerifies(t *testing.T) {
	t.Parallel()
	a := newNode(t)
	config := strings.Replace(configuration, `incoming_url: "APP/"`, `incoming_url: "APP/", headers: {X-Forwarded-For: "217.116.118.254"}`, 1)
	h := newHouseOf(t, askedOf(config, a), nil)
	reply, err := http.Get(h.api("/webhook-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	key, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode != http.StatusOK {
		t.Fatalf("the key is %s, %v", reply.Status, err)
	}
	file := filepath.Join(h.dir, "public.pem")
	if err := os.WriteFile(file, key, 0o600); err != nil {
		t.Fatal(err)
	}
	a.start(t, "signed", "SIGNED_BY="+file)
	h.call(t, phone{scenario: "caller-refused", number: ourNumber, values: map[string]string{"status": "603"}})
	h.expectRecords(t, "in +4921100 rejected")
	a.expect(t, from("+492111234567", newCall, `{"event":"hangup","cause":"noAnswer",`+ofCall+chain)...)
}
