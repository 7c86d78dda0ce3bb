// SPDX-License-Identifier: MIT

package server_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/phone"
)

// A living call hears the keys that the API sends, is recorded and is hung up
// by it; afterwards the API says that it is over.
func TestActOnALivingCall(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(base string, _ *http.Request) string {
		return `<Response onHangup="` + base + `"><Gather onData="` + base + `" timeout="60000"/></Response>`
	})
	answering, folder := false, filepath.Join(t.TempDir(), "recordings")
	s := start(t, a.URL, func(c *config.Config) { c.Apps[0].EarlyMedia, c.Recordings = &answering, folder })
	alice := newPhone(t, "+4930111")
	call, err := alice.Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := call.WaitAnswer(t.Context()); err != nil {
		t.Fatal(err)
	}
	var page struct{ Calls []struct{ ID, State string } }
	until(t, "the call to be shown as answered", func() bool {
		_, text := ask(t, s, s.Token, "GET", "/api/v1/calls", "")
		return json.Unmarshal([]byte(text), &page) == nil && len(page.Calls) == 1 && page.Calls[0].State == "answered"
	})
	act := func(what, body string, want int) string {
		t.Helper()
		status, text := ask(t, s, s.Token, "POST", "/api/v1/calls/"+page.Calls[0].ID+"/"+what, body)
		if status != want {
			t.Errorf("%s %s: got %d %s, want %d", what, body, status, text, want)
		}
		return text
	}
	act("recording", `{"action":"stop"}`, 409)
	var started struct{ File string }
	if err := json.Unmarshal([]byte(act("recording", `{"action":"start","what":"stereo"}`, 201)), &started); err != nil {
		t.Error(err)
	}
	act("recording", `{"action":"start"}`, 409)
	act("recording", `{"action":"pause"}`, 204)
	act("recording", `{"action":"resume"}`, 204)
	act("dtmf", `{"digits":"42#"}`, 204)
	if err := call.WaitDigits(t.Context(), media.ByEvent, 3); err != nil || call.Digits() != "42#" {
		t.Errorf("the phone heard %q: %v", call.Digits(), err)
	}
	act("recording", `{"action":"stop"}`, 204)
	act("hangup", "", 204)
	if _, err := call.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
	until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
	if text := act("hangup", "", 409); !strings.Contains(text, "is over") {
		t.Errorf("a call that is over: %s", text)
	}
	if info, err := os.Stat(filepath.Join(folder, started.File)); err != nil || info.Size() <= 44 {
		t.Errorf("the recording %q is %v, %v", started.File, info, err)
	}
}

// A user whom the API made registers, is listed with the phone, and cannot any
// more once it is deleted.
func TestUserMadeByTheAPIRegisters(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	if status, text := ask(t, s, s.Token, "PUT", "/api/v1/users/w0", `{"username":"alice","password":"secret-a"}`); status != 201 {
		t.Fatalf("got %d %s", status, text)
	}
	register := func(p *phone.Phone) int {
		t.Helper()
		got, err := p.Register(phone.Registration{
			To: "sip:" + s.SIP.Addr("udp").String(), Username: "alice", Password: "secret-a", Expires: 300,
			Contacts: []string{"<" + p.URI() + ">"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return got.Status
	}
	alice := newPhone(t, "alice")
	if status := register(alice); status != 200 {
		t.Fatalf("alice registers: %d", status)
	}
	if status, text := ask(t, s, s.Token, "GET", "/api/v1/registrations?user=w0", ""); status != 200 || !strings.Contains(text, alice.URI()) {
		t.Errorf("registrations: %d %s", status, text)
	}
	if status, text := ask(t, s, s.Token, "DELETE", "/api/v1/users/w0", ""); status != 204 {
		t.Fatalf("got %d %s", status, text)
	}
	if status := register(alice); status == 200 {
		t.Error("a user who was deleted registers")
	}
}
