// SPDX-License-Identifier: MIT

package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/phone"
)

// askAPI sends a request to the server, and gives the answer.
func askAPI(t *testing.T, s *server.Server, authorize func(*http.Request), method, path, body string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.API.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	authorize(r)
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, got
}

// A message is found, heard, marked and deleted by the admin API, and then its
// file is gone.
func TestMessagesByTheAPI(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(base string, _ *http.Request) string { return fmt.Sprintf(voicemail, base) })
	folder := filepath.Join(t.TempDir(), "recordings")
	s := start(t, a.URL, func(c *config.Config) {
		c.Recordings, c.Users, c.Numbers[0].Users = folder, []config.User{{ID: "w0"}}, []string{"w0"}
	})
	alice := newPhone(t, "+4930111")
	call, err := alice.Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := call.WaitAnswer(t.Context()); err != nil {
		t.Fatal(err)
	}
	hearingOf(call).tone(t, 1000)
	speak(t, call, folder)
	call.Hangup()
	until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })

	ask := func(method, path, body string, want int) []byte {
		t.Helper()
		status, got := askAPI(t, s, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+s.Token) }, method, "/api/v1/recordings"+path, body)
		if status != want {
			t.Fatalf("%s %s is %d %.300s, want %d", method, path, status, got, want)
		}
		return got
	}
	var list struct {
		Recordings []struct {
			ID, File string
			Heard    *string `json:"heard_at"`
		}
	}
	look := func() {
		t.Helper()
		list.Recordings = nil
		if err := json.Unmarshal(ask("GET", "?kind=voicemail&box=w0", "", 200), &list); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the message", func() bool { look(); return len(list.Recordings) == 1 })
	message := list.Recordings[0]
	sound := ask("GET", "/"+message.ID+"/audio", "", 200)
	if string(sound[:4]) != "RIFF" || len(sound) < 2*media.SampleRate {
		t.Errorf("the sound is %d bytes that begin with %q", len(sound), sound[:4])
	}
	if look(); list.Recordings[0].Heard != nil {
		t.Error("it was fetched and counts as heard")
	}
	ask("GET", "/"+message.ID+"/audio?heard=true", "", 200)
	if look(); list.Recordings[0].Heard == nil {
		t.Error("it was heard and does not count as that")
	}
	ask("PUT", "/"+message.ID+"/heard", `{"heard":false}`, 204)
	if look(); list.Recordings[0].Heard != nil {
		t.Error("it was marked as not heard and counts as heard")
	}
	ask("DELETE", "/"+message.ID, "", 204)
	ask("DELETE", "/"+message.ID, "", 404)
	ask("GET", "/"+message.ID+"/audio", "", 404)
	if _, err := os.Stat(filepath.Join(folder, message.File)); !os.IsNotExist(err) {
		t.Errorf("its file is still there: %v", err)
	}
}

// Who gets a token from the admin API is let in by that of sipgate.io.
func TestATokenOpensTheVendorsAPI(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(string, *http.Request) string { return "" })
	s := start(t, a.URL, func(c *config.Config) { c.Users = []config.User{{ID: "w0"}} })
	admin := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+s.Token) }
	status, answer := askAPI(t, s, admin, "POST", "/api/v1/tokens", `{"user":"w0"}`)
	var token struct{ ID, Token string }
	if err := json.Unmarshal(answer, &token); err != nil || status != 201 {
		t.Fatalf("got %d %s, %v", status, answer, err)
	}
	show := func(r *http.Request) { r.SetBasicAuth(token.ID, token.Token) }
	if status, answer := askAPI(t, s, show, "GET", "/v2/authorization/userinfo", ""); status != 200 || !strings.Contains(string(answer), `"w0"`) {
		t.Errorf("with the token: %d %s", status, answer)
	}
	if status, answer := askAPI(t, s, admin, "DELETE", "/api/v1/tokens/"+token.ID, ""); status != 204 {
		t.Errorf("deleted: %d %s", status, answer)
	}
	if status, _ := askAPI(t, s, show, "GET", "/v2/authorization/userinfo", ""); status != 401 {
		t.Errorf("with a token that was deleted: %d", status)
	}
}
