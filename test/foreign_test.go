// SPDX-License-Identifier: MIT

package test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// foreignToken is one of another account.
const foreignToken = "7b2f1d0e-5c1a-4f6b-9d2e-1a2b3c4d5e60"

// withStrangers adds another account with a user and a token.
func withStrangers(configuration string) string {
	return strings.NewReplacer("users:\n", "accounts:\n  - {id: acme}\nusers:\n  - {id: w8, account: acme, name: Acme}\n",
		"tokens:\n", "tokens:\n  - {id: token-ACME01, account: acme, token: \""+foreignToken+"\", user: w8}\n").Replace(configuration)
}

// v2 asks the REST API as the token of another account does.
func (h *house) v2(t *testing.T, method, path, body string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequest(method, h.api("/v2"+path), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("token-ACME01", foreignToken)
	request.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	answer, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, strings.TrimSpace(string(answer))
}

// foreign sees that another account finds no call of an id, living or over, and
// nothing in its lists.
func (h *house) foreign(t *testing.T, id string) {
	t.Helper()
	for _, row := range []struct{ method, path, body string }{
		{http.MethodDelete, "/calls/" + id, ""},
		{http.MethodPut, "/calls/" + id + "/muted", `{"value":true}`},
		{http.MethodPut, "/calls/" + id + "/hold", `{"value":true}`},
		{http.MethodPut, "/calls/" + id + "/recording", `{"value":true,"announcement":false}`},
		{http.MethodPost, "/calls/" + id + "/announcements", `{"url":"http://127.0.0.1:1/a.wav"}`},
		{http.MethodPost, "/calls/" + id + "/dtmf", `{"sequence":"1"}`},
		{http.MethodPost, "/calls/" + id + "/transfer", `{"attended":false,"phoneNumber":"+4921104"}`},
		{http.MethodGet, "/history/" + id, ""},
		{http.MethodPut, "/history/" + id, `{"read":true}`},
		{http.MethodDelete, "/history/" + id, ""},
		{http.MethodGet, "/w3/history", ""}, // a user of the other account
	} {
		if status, answer := h.v2(t, row.method, row.path, row.body); status != http.StatusNotFound {
			t.Errorf("%s %s of another account is %d %s, want 404", row.method, row.path, status, answer)
		}
	}
	for path, want := range map[string]string{"/calls": `{"data":[]}`, "/history": `{"items":[],"totalCount":0}`, "/log/webhooks": `{"items":[]}`} {
		if status, answer := h.v2(t, http.MethodGet, path, ""); status != http.StatusOK || answer != want {
			t.Errorf("GET %s of another account is %d %s, want %s", path, status, answer, want)
		}
	}
}
