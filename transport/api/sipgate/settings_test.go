// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
)

const webhooks = "/settings/sipgateio"

func TestGET_settings_sipgateio(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.wants("GET", webhooks, "", 200, `{"incomingUrl":"https://shop.example/in","outgoingUrl":"","log":true,"whitelist":null}`)
	app := &b.house.entries.Apps[0]
	app.OutgoingURL, app.Unlogged, app.Whitelist = "https://shop.example/out", true, []string{}
	b.wants("GET", webhooks, "", 200, `{"incomingUrl":"https://shop.example/in","outgoingUrl":"https://shop.example/out","log":false,"whitelist":[]}`)
}

// The client of npm gets the settings, changes one, and sends all of them.
func TestPUT_settings_sipgateio(t *testing.T) {
	t.Parallel()
	b := start(t)
	before := b.house.Entries().Apps[0]
	for _, test := range []struct {
		body   string
		change func(*directory.App)
	}{
		{`{"incomingUrl":"http://a.example/x?y=1","outgoingUrl":"https://b.example","log":false,"whitelist":["p0","g0"]}`, func(a *directory.App) {
			a.IncomingURL, a.OutgoingURL, a.Unlogged, a.Whitelist = "http://a.example/x?y=1", "https://b.example", true, []string{"p0", "g0"}
		}},
		{`{"incomingUrl":"","outgoingUrl":""}`, func(a *directory.App) { a.IncomingURL, a.OutgoingURL = "", "" }},
		{`{"whitelist":[]}`, func(a *directory.App) { a.Whitelist = []string{} }},
		{`{"whitelist":null,"log":true}`, func(a *directory.App) { a.Whitelist, a.Unlogged = nil, false }},
		{`{}`, func(*directory.App) {}},
	} {
		b.wants("PUT", webhooks, test.body, 204, "")
		test.change(&before)
		if diff := cmp.Diff(before, b.house.Entries().Apps[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.body, diff)
		}
	}
	for _, test := range []struct{ body, says, pointer string }{
		{`{"incomingUrl":"shop.example"}`, "incomingUrl is \"shop.example\": write a whole http or https URL", "/incomingUrl"},
		{`{"outgoingUrl":"ftp://shop.example"}`, "outgoingUrl is", "/outgoingUrl"},
		{`{"outgoingUrl":"https://"}`, "outgoingUrl is", "/outgoingUrl"},
		{`{"outgoingUrl":"https://a.example:99999/"}`, "outgoingUrl is", "/outgoingUrl"},
		{`{"outgoingUrl":"https://a.example:0/"}`, "outgoingUrl is", "/outgoingUrl"},
		{`{"outgoingUrl":"https://a.example/\ud800"}`, "outgoingUrl is", "/outgoingUrl"},
		{`{"whitelist":"p0"}`, "whitelist must be a list", "/whitelist"},
		{`{"whitelist":[1]}`, "whitelist must be a list", "/whitelist"},
		{`{"log":"yes"}`, "log must be a bool", "/log"},
		{`{"log":null}`, "log must be a bool", "/log"},
		{`{"log":1}`, "log must be a bool", "/log"},
		{`{"incomingUrl":null}`, "incomingUrl must be a text", "/incomingUrl"},
		{`{"outgoingUrl":["https://a.example"]}`, "outgoingUrl must be a text", "/outgoingUrl"},
		{`{"incomingURl":"https://a.example"}`, `"incomingURl" is no setting: write incomingUrl, outgoingUrl, log, whitelist; did you mean incomingUrl?`, "/incomingURl"},
		{`{"certificate":""}`, `"certificate" is no setting`, "/certificate"},
		{`{"whitelist":["p0",null]}`, "whitelist must be a list", "/whitelist"},
		{`{"whitelist":{"a":{"a":1}}}`, "whitelist must be a list", "/whitelist"},
		{`{"log":true,"log":false}`, `"log" is there twice`, "/log"},
		{`{"log":true,"LOG":false}`, `"LOG" is there twice`, "/LOG"},
		{`{"incomingUrl":"https://a.example/` + "\xff" + `"}`, "the body is no UTF-8 behind byte 34", ""},
		{`{"whitelist":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, "exceeded max depth", ""},
		{`{"whitelist":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`, "whitelist must be a list", "/whitelist"},
		{`{"log":true} {}`, "the body is no JSON", ""},
		{"\xef\xbb\xbf{}", "the body is no JSON", ""},
		{`[]`, "the body must be one JSON object", ""},
		{`null`, "the body must be one JSON object", ""},
		{``, "the body is no JSON", ""},
	} {
		b.refuses("PUT", webhooks, test.body, 400, test.says, test.pointer)
	}
	if diff := cmp.Diff(before, b.house.Entries().Apps[0]); diff != "" {
		t.Errorf("what was refused changed (-want +got):\n%s", diff)
	}
	b.refuses("PUT", webhooks, `{"incomingUrl":"https://a.example/`+strings.Repeat("a", 1<<20)+`"}`, 413, "the body is longer than 1048576 bytes", "")
	b.house.err = &directory.EntryError{EntryID: before.EntryID(), Field: "incoming_url", Problem: "has an odd URL"}
	b.refuses("PUT", webhooks, `{}`, 400, "has an odd URL", "/incomingUrl")
	b.house.err = errors.New("disk on fire")
	b.refuses("PUT", webhooks, `{}`, 503, "the database is away", "")
}

// The settings are those of the app of the token's user, or of the only one.
func TestWhoseSettings(t *testing.T) {
	t.Parallel()
	b := start(t)
	answer, text := b.ask(theirs, "GET", webhooks, "")
	if answer.StatusCode != 200 || decoded(t, text).(map[string]any)["incomingUrl"] != "https://other.example" {
		t.Errorf("another account sees %s", text)
	}
	e := &b.house.entries
	e.Apps = append(e.Apps, directory.App{Key: "desk", Account: "default", Dialect: "sipgate", IncomingURL: "https://desk.example"}, directory.App{Key: "later", Account: "default", Dialect: "rcml"})
	b.refuses("GET", webhooks, "", 403, "the account has no app for sipgate.io that a number or user names", "")
	e.Numbers[0].App = "desk"
	b.wants("GET", webhooks, "", 200, `{"incomingUrl":"https://desk.example","outgoingUrl":"","log":true,"whitelist":null}`)
	e.Users[1].App = "shop"
	b.refuses("GET", webhooks, "", 403, "the account has 2 apps: name the app of w0 at the user", "")
	b.refuses("PUT", webhooks, "{}", 403, "the account has 2 apps", "")
	e.Users[0].App = "desk"
	b.wants("GET", webhooks, "", 200, `{"incomingUrl":"https://desk.example","outgoingUrl":"","log":true,"whitelist":null}`)
	e.Apps = nil
	b.refuses("GET", webhooks, "", 403, "the account has no app for sipgate.io", "")
}
