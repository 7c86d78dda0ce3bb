// SPDX-License-Identifier: MIT

package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/store"
	"github.com/callwright/callwright/store/settings"
	"github.com/callwright/callwright/transport/api/admin"
)

// shelf keeps objects in memory.
type shelf struct {
	mu   sync.Mutex
	rows map[string]store.Object
	away error
}

func (s *shelf) Objects(context.Context) (rows []store.Object, err error) { return nil, nil }

func (s *shelf) PutObject(_ context.Context, o store.Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away == nil {
		s.rows[o.Kind+o.Account+o.ID] = o
	}
	return s.away
}

func (s *shelf) DeleteObject(_ context.Context, kind, account, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away == nil {
		delete(s.rows, kind+account+id)
	}
	return s.away
}

// desk is a face over settings that begin with these entries.
type desk struct {
	*settings.Settings
	store *shelf
	url   string
	// trunks is how trunks do.
	trunks []directory.TrunkStatus
}

func (d *desk) Trunks() []directory.TrunkStatus { return d.trunks }

func newDesk(t *testing.T, e directory.Entries) *desk {
	t.Helper()
	key, err := settings.NewKey("the key of the tests")
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{store: &shelf{rows: map[string]store.Object{}}}
	d.Settings, err = settings.Open(t.Context(), settings.Config{
		Store: d.store, File: e, Dialects: []string{"sipgate"}, Key: key, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, d.url = serve(t, admin.Config{Settings: d, Trunks: d})
	return d
}

// want asks, and wants a status and a body: all of it as JSON, or a part of it
// as text. It gives where the object is, if the answer says so.
func (d *desk) want(t *testing.T, method, path, body string, status int, says string) (location string) {
	t.Helper()
	got, header, answer := ask(t, method, d.url+path, body)
	if got != status {
		t.Errorf("%s %s %s: got %d %s, want %d", method, path, body, got, answer, status)
		return ""
	}
	if !strings.HasPrefix(says, "{") {
		if text := strings.ReplaceAll(string(answer), `\"`, `"`); !strings.Contains(text, says) {
			t.Errorf("%s %s %s: got %s, want %s", method, path, body, text, says)
		}
		return header.Get("Location")
	}
	var have, wanted any
	if err := errors.Join(json.Unmarshal(answer, &have), json.Unmarshal([]byte(says), &wanted)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, have); diff != "" {
		t.Errorf("%s %s %s (-want +got):\n%s", method, path, body, diff)
	}
	return header.Get("Location")
}

// An account with all that belongs to it is made, changed and deleted.
func TestObjectsComeAndGo(t *testing.T) {
	t.Parallel()
	d := newDesk(t, directory.Entries{})
	for _, step := range []struct{ path, body, says, location string }{
		{"/accounts", `{"id":"acme","name":"Acme"}`, `{"id":"acme","name":"Acme"}`, "/accounts/acme"},
		{"/apps?account=acme", `{"key":"a/b","dialect":"sipgate","incoming_url":"http://x/","secret":"s"}`,
			`{"key":"a/b","account":"acme","dialect":"sipgate","incoming_url":"http://x/","early_media":true}`, "/apps/a%2Fb"},
		{"/users", `{"id":"w 0","account":"acme","username":"alice","password":"p","app":"a/b","dtmf":"info"}`,
			`{"id":"w 0","account":"acme","username":"alice","app":"a/b","dtmf":"info"}`, "/users/w%200?account=acme"},
		{"/groups", `{"id":"g0","account":"acme","users":["w 0"]}`, `{"id":"g0","account":"acme","users":["w 0"]}`, "/groups/g0?account=acme"},
		{"/numbers", `{"number":"004921112345","account":"acme","app":"a/b","groups":["g0"]}`,
			`{"number":"+4921112345","account":"acme","app":"a/b","groups":["g0"]}`, "/numbers/+4921112345"},
		{"/trunks", `{"name":"t","allow_from":["192.0.2.0/24"]}`, `{"name":"t","account":"default","allow_from":["192.0.2.0/24"]}`, "/trunks/t"},
	} {
		location := d.want(t, "POST", step.path, step.body, 201, step.says)
		if location != "/api/v1"+step.location {
			t.Errorf("it is at %q, want %q", location, step.location)
			continue
		}
		d.want(t, "GET", step.location, "", 200, step.says)
		d.want(t, "POST", step.path, step.body, 409, "is there already; change it with PUT or PATCH")
	}
	// It counts for the next call.
	n, ok := d.Directory().Number("acme", "+4921112345")
	if users := d.Directory().UsersOf(n); !ok || len(users) != 1 || users[0].Password != "p" {
		t.Errorf("the number %v rings %v", n, users)
	}
	d.want(t, "DELETE", "/apps/a%2Fb", "", 409, `still names app "a/b"`)
	for _, path := range []string{
		"/numbers/%2B4921112345", "/groups/g0?account=acme", "/users/w%200?account=acme", "/apps/a%2Fb", "/accounts/acme", "/trunks/t",
	} {
		d.want(t, "DELETE", path, "", 204, "")
		d.want(t, "GET", path, "", 404, "there is no ")
		d.want(t, "DELETE", path, "", 404, "there is no ")
	}
	if e := d.Entries(); len(e.All()) != 0 || len(d.store.rows) != 0 {
		t.Errorf("left are %v", e)
	}
}

func TestChangeObjects(t *testing.T) {
	t.Parallel()
	d := newDesk(t, directory.Entries{
		Accounts: []directory.Account{{ID: "acme"}},
		Apps:     []directory.App{{Key: "shop", Account: "acme", Dialect: "sipgate", Secret: "s", EarlyMedia: true, Headers: map[string]string{"A": "1", "B": "2"}}},
		Users:    []directory.User{{ID: "w0", Name: "Alice", Username: "alice", Password: "old"}},
	})
	user := func() directory.User { u, _ := d.Directory().User("default", "w0"); return u }
	// A PUT is the whole object, but for the password.
	d.want(t, "PUT", "/users/w0", `{"username":"alice","dtmf":"info"}`, 200, `{"id":"w0","account":"default","username":"alice","dtmf":"info"}`)
	if u := user(); u.Password != "old" || u.Name != "" {
		t.Errorf("after a PUT without a password: %+v", u)
	}
	d.want(t, "PUT", "/users/w0", `{"username":"alice","password":"new"}`, 200, `{"id":"w0","account":"default","username":"alice"}`)
	if u := user(); u.Password != "new" {
		t.Errorf("after a PUT with a password: %+v", u)
	}
	d.want(t, "PUT", "/users/w0", `{"name":"Alice"}`, 200, `{"id":"w0","account":"default","name":"Alice"}`)
	if u := user(); u.Password != "" {
		t.Errorf("after a PUT that takes the username away: %+v", u)
	}
	d.want(t, "PUT", "/users/w1?account=acme", `{"id":"w1"}`, 201, `{"id":"w1","account":"acme"}`)
	d.want(t, "PUT", "/numbers/0049211555", `{"number":"+49 211 555"}`, 201, `{"number":"+49211555","account":"default"}`)
	// A PATCH is what changes.
	d.want(t, "PATCH", "/apps/shop", `{"early_media":false,"headers":{"A":null,"C":"3"}}`, 200,
		`{"key":"shop","account":"acme","dialect":"sipgate","early_media":false,"headers":{"B":"2","C":"3"}}`)
	d.want(t, "PATCH", "/apps/shop", `{"early_media":null,"headers":null}`, 200, `{"key":"shop","account":"acme","dialect":"sipgate","early_media":true}`)
	if a, _ := d.Directory().App("shop"); a.Secret != "s" {
		t.Errorf("after a PATCH: %+v", a)
	}
	d.want(t, "PATCH", "/users/w0", `{"username":"alice","password":"x"}`, 200, `{"id":"w0","account":"default","name":"Alice","username":"alice"}`)
	d.want(t, "PATCH", "/users/w9", `{"name":"x"}`, 404, `there is no user "w9" in account "default": did you mean "w0"?`)
	// The account that is always there can be named and not deleted.
	d.want(t, "GET", "/accounts/default", "", 200, `{"id":"default"}`)
	d.want(t, "POST", "/accounts", `{"id":"default"}`, 409, "is there already")
	d.want(t, "PATCH", "/accounts/default", `{"name":"Us"}`, 200, `{"id":"default","name":"Us"}`)
	d.want(t, "DELETE", "/accounts/default", "", 409, `the account "default" is always there`)
	d.want(t, "PUT", "/accounts/default", `{}`, 200, `{"id":"default"}`)
}

func TestListObjects(t *testing.T) {
	t.Parallel()
	e := directory.Entries{Accounts: []directory.Account{{ID: "acme"}}}
	for i := range 5 {
		e.Users = append(e.Users, directory.User{ID: fmt.Sprint("w", 4-i)}, directory.User{ID: fmt.Sprint("w", i), Account: "acme"})
	}
	d := newDesk(t, e)
	var got []string
	for path := "/users?limit=3"; path != ""; {
		status, _, body := ask(t, "GET", d.url+path, "")
		var page struct {
			Users []directory.User
			Next  *string
		}
		if err := json.Unmarshal(body, &page); err != nil || status != 200 || len(page.Users) == 0 {
			t.Fatalf("got %d %s", status, body)
		}
		for _, u := range page.Users {
			got = append(got, u.Account+" "+u.ID)
		}
		if path = ""; page.Next != nil {
			path = "/users?limit=3&cursor=" + *page.Next
		}
	}
	want := []string{"acme w0", "acme w1", "acme w2", "acme w3", "acme w4", "default w0", "default w1", "default w2", "default w3", "default w4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	d.want(t, "GET", "/users?account=acme&limit=1", "", 200, `"users":[{"id":"w0","account":"acme"}]`)
	d.want(t, "GET", "/users?account=none", "", 200, `{"users":[],"next":null}`)
	d.want(t, "GET", "/accounts?account=acme", "", 200, `{"accounts":[{"id":"acme"},{"id":"default"}],"next":null}`)
	d.want(t, "GET", "/trunks", "", 200, `{"trunks":[],"next":null}`)
	d.want(t, "GET", "/trunks?limit=0", "", 400, `limit is "0"`)
	d.want(t, "GET", "/trunks?cursor=!", "", 400, `cursor is "!"`)
	d.want(t, "GET", "/trunks?a;b", "", 400, `the query cannot be read`)
	d.want(t, "GET", "/trunks/x?a;b", "", 400, `the query cannot be read`)
}

// What is wrong is said in the sentences of the configuration, with the field.
func TestWrongObjects(t *testing.T) {
	t.Parallel()
	d := newDesk(t, directory.Entries{
		Apps:    []directory.App{{Key: "shop", Dialect: "sipgate"}},
		Users:   []directory.User{{ID: "w0", Username: "alice", Password: "x"}},
		Numbers: []directory.Number{{Number: "+4921112345", App: "shop"}},
	})
	before := d.Entries()
	for _, test := range []struct {
		method, path, body string
		status             int
		field, says        string
	}{
		{"POST", "/users", `{"id":"w1","usernme":"bob"}`, 400, "usernme", `there is no field "usernme": did you mean "username"?`},
		{"POST", "/users", `{"id":"w1","zzz":1}`, 400, "zzz", `there is no field "zzz": the known ones are account, app, busy_on_busy, caller_id`},
		{"POST", "/users", `{"name":"Bob"}`, 400, "id", `id is missing: every user has one`},
		{"POST", "/users", `{"id":7}`, 400, "id", `id must be a text: write it in quotes`},
		{"POST", "/users", `{"id":"w1","name":["a"]}`, 400, "name", `name must be a text`},
		{"POST", "/users", `{"id":"w1","account":7}`, 400, "account", `account must be a text`},
		{"POST", "/users", `{"id":"w1","account":"acme"}`, 400, "account", `user "w1" names account "acme", which is not configured`},
		{"POST", "/users?account=acme", `{"id":"w1","account":"default"}`, 400, "account", `the query names account "acme" and the body "default"`},
		{"POST", "/users", `{"id":"w1","username":"bob"}`, 400, "password", `has a username and no password`},
		{"POST", "/users", `{"id":"w1","username":"alice","password":"y"}`, 409, "username", `user "w1" has the username "alice", which user "w0" has already`},
		{"POST", "/users", `{"id":"w1","contact":"bob"}`, 400, "contact", `has the contact "bob": write the SIP URI`},
		{"POST", "/users", `{"id":"w1","app":"shpo"}`, 400, "app", `user "w1" names app "shpo", which is not configured`},
		{"POST", "/apps", `{"key":"a","dialect":"rcml"}`, 400, "dialect", `this version speaks sipgate`},
		{"POST", "/apps", `{"key":"a","dialect":"sipgate","incoming_url":"shop"}`, 400, "incoming_url", `app "a" has the incoming_url "shop": write a whole URL`},
		{"POST", "/apps", `{"key":"a","dialect":"sipgate","early_media":"yes"}`, 400, "early_media", `early_media must be true or false`},
		{"POST", "/apps", `{"key":"a","dialect":"sipgate","headers":["x"]}`, 400, "headers", `headers must be an object of texts`},
		{"POST", "/numbers", `{"number":"abc"}`, 400, "number", `number "abc" is no number: write one like`},
		{"POST", "/groups", `{"id":"g","users":["w9"]}`, 400, "users", `group "g" names user "w9", which is not configured`},
		{"POST", "/groups", `{"id":"g","users":"w0"}`, 400, "users", `users must be a list of texts`},
		{"POST", "/users", `{"id":"w1","greeting":"/etc/passwd"}`, 400, "greeting", `greeting is "/etc/passwd", a file of the server, which only the configuration file may name`},
		{"PUT", "/users/w0", `{"greeting":"a.wav"}`, 400, "greeting", `write the URL of a sound file`},
		{"PATCH", "/users/w0", `{"greeting":"a.wav"}`, 400, "greeting", `write the URL of a sound file`},
		{"POST", "/users", `{"id":"w1","language":"German"}`, 400, "language", `user "w1" has the language "German"`},
		{"POST", "/apps", `{"key":"a","dialect":"sipgate","whitelist":["w9"]}`, 400, "whitelist", `app "a" names "w9" in its whitelist`},
		{"POST", "/numbers", `{"number":"100","on_busy":"nobody"}`, 400, "on_busy", `number "100" has the on_busy "nobody"`},
		{"POST", "/numbers", `{"number":"100","voicemail_after":20}`, 400, "voicemail_after", `voicemail_after must be a text`},
		{"POST", "/tokens", `{"id":"t"}`, 400, "id", `token "t" has an id that clients refuse`},
		{"POST", "/tokens", `{}`, 400, "user", `has no user`},
		{"POST", "/tokens", `{"user":"w9"}`, 400, "user", `names user "w9", which is not configured`},
		{"PUT", "/tokens/token-000000", `{"user":"w0"}`, 400, "token", `has no secret`},
		{"POST", "/trunks", `{"name":"t"}`, 400, "address", `trunk "t" has neither an address`},
		{"POST", "/trunks", `{"name":"t","allow_from":["192.0.2.7"]}`, 400, "allow_from", `a single address like ["192.0.2.7/32"]`},
		{"POST", "/trunks", `{"name":"t","allow_from":[""]}`, 400, "allow_from", `has an empty network in allow_from`},
		{"POST", "/trunks", `{"name":"t`, 400, "", `the body is no JSON: unexpected end of JSON input behind byte 10`},
		{"POST", "/trunks", ``, 400, "", `the body is no JSON`},
		{"POST", "/trunks", `[]`, 400, "", `the body must be one JSON object`},
		{"POST", "/trunks", `null`, 400, "", `the body must be one JSON object`},
		{"POST", "/trunks", `{"name":"t","from":"` + strings.Repeat("1", 2<<20) + `"}`, 413, "", `the body is longer than 1048576 bytes`},
		{"PUT", "/users/w0", `{"id":"w1"}`, 400, "id", `the path names user "w0" and the body "w1"`},
		{"PUT", "/users/w0", `{"id":""}`, 400, "id", `user "w0" cannot have an empty id`},
		{"PUT", "/users/w0", `{"username":"alice","password":""}`, 400, "password", `has a username and no password`},
		{"PUT", "/users/w%00", `{}`, 400, "id", `has a id with a control character`},
		{"PUT", "/groups/g1", `{"name":"a\u0000b"}`, 400, "", `zero character`},
		{"PUT", "/users/w1", `{"name":"a\u0000b"}`, 400, "name", `write it in one line`},
		{"PUT", "/apps/shop", `{"dialect":"sipgate","account":"acme"}`, 400, "account", `app "shop" names account "acme"`},
		{"GET", "/apps/shp", ``, 404, "", `there is no app "shp": did you mean "shop"?`},
		{"GET", "/users/w0?account=acme", ``, 404, "", `there is no user "w0" in account "acme"; GET users lists those there are`},
		{"DELETE", "/apps/shop", ``, 409, "", `number "+4921112345" still names app "shop"`},
	} {
		status, _, body := ask(t, test.method, d.url+test.path, test.body)
		var got struct{ Error, Field string }
		if err := json.Unmarshal(body, &got); err != nil || status != test.status || got.Field != test.field || !strings.Contains(got.Error, test.says) {
			t.Errorf("%s %s %.80s: got %d %s, want %d %q %s", test.method, test.path, test.body, status, body, test.status, test.field, test.says)
		}
	}
	if diff := cmp.Diff(before, d.Entries()); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
}

// While the database is away, nothing is changed and the client is told so.
func TestObjectsWithoutDatabase(t *testing.T) {
	t.Parallel()
	d := newDesk(t, directory.Entries{Users: []directory.User{{ID: "w0"}}})
	d.store.mu.Lock()
	d.store.away = fmt.Errorf("connect to 10.0.0.5: %w", syscall.ENOENT)
	d.store.mu.Unlock()
	const says = `{"error":"the database is away, so the change is not in force; try again later"}`
	d.want(t, "POST", "/users", `{"id":"w1"}`, 503, says)
	d.want(t, "PUT", "/users/w0", `{"name":"x"}`, 503, says)
	d.want(t, "PATCH", "/users/w0", `{"name":"x"}`, 503, says)
	d.want(t, "DELETE", "/users/w0", "", 503, says)
	d.want(t, "GET", "/users", "", 200, `{"users":[{"id":"w0","account":"default"}],"next":null}`)
}

// No answer has a secret in it.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	d := newDesk(t, directory.Entries{
		Apps:   []directory.App{{Key: "shop", Dialect: "sipgate", Secret: "open sesame"}},
		Users:  []directory.User{{ID: "w0", Username: "alice", Password: "open sesame"}},
		Trunks: []directory.Trunk{{Name: "t", Address: "h", Username: "u", Password: "open sesame"}},
	})
	for _, path := range []string{"/apps", "/apps/shop", "/users", "/users/w0", "/trunks", "/trunks/t"} {
		if _, _, body := ask(t, "GET", d.url+path, ""); strings.Contains(string(body), "sesame") {
			t.Errorf("%s shows %s", path, body)
		}
	}
	for path, body := range map[string]string{
		"/apps/shop": `{"headers":{"A":"b"}}`, "/users/w0": `{"name":"A"}`, "/trunks/t": `{"from":"100"}`,
	} {
		if _, _, body := ask(t, "PATCH", d.url+path, body); strings.Contains(string(body), "sesame") {
			t.Errorf("%s shows %s", path, body)
		}
	}
	if tr := d.Directory().TrunksOut("default")[0]; tr.Password != "open sesame" || tr.From != "100" {
		t.Errorf("the trunk is %v", tr)
	}
}

// A token is made with an id and a secret of ours or of the client's; the secret is
// shown this once. Who has one cannot be deleted.
func TestTokensAreMade(t *testing.T) {
	t.Parallel()
	d := newDesk(t, directory.Entries{Users: []directory.User{{ID: "w0"}, {ID: "w1"}}})
	made := func(body string) directory.Token {
		t.Helper()
		status, header, answer := ask(t, "POST", d.url+"/tokens", body)
		var token directory.Token
		if err := json.Unmarshal(answer, &token); err != nil || status != 201 {
			t.Fatalf("got %d %s, %v", status, answer, err)
		}
		if kept, ok := d.Directory().Token(token.ID); !ok || kept.Secret != token.Secret {
			t.Errorf("kept is %+v, made was %s", kept, answer)
		}
		if want := "/tokens/" + token.ID; !strings.HasSuffix(header.Get("Location"), want) {
			t.Errorf("it is at %s, want %s", header.Get("Location"), want)
		}
		return token
	}
	one := made(`{"user":"w0","name":"Alice's script","scopes":["rtcm:read"]}`)
	two := made(`{"user":"w0"}`)
	if one.ID == two.ID || one.Secret == two.Secret {
		t.Errorf("%+v is like %+v", one, two)
	}
	given := made(`{"id":"token-4x7Q2b","user":"w1","token":"0b5b3c4e-9a3b-4c55-8f3e-1d2c3b4a5968"}`)
	if given.ID != "token-4x7Q2b" || given.Secret != "0b5b3c4e-9a3b-4c55-8f3e-1d2c3b4a5968" {
		t.Errorf("made %+v", given)
	}
	d.want(t, "GET", "/tokens/"+one.ID, "", 200, `{"id":"`+one.ID+`","account":"default","name":"Alice's script","user":"w0","scopes":["rtcm:read"]}`)
	d.want(t, "PUT", "/tokens/"+one.ID, `{"user":"w1"}`, 200, `{"id":"`+one.ID+`","account":"default","user":"w1"}`)
	d.want(t, "PATCH", "/tokens/"+one.ID, `{"scopes":["history:read"]}`, 200, `{"id":"`+one.ID+`","account":"default","user":"w1","scopes":["history:read"]}`)
	if kept, _ := d.Directory().Token(one.ID); kept.Secret != one.Secret {
		t.Error("the secret was lost by a change that did not name it")
	}
	if _, _, body := ask(t, "GET", d.url+"/tokens", ""); strings.Contains(string(body), one.Secret) || strings.Count(string(body), "token-") != 3 {
		t.Errorf("the list is %s", body)
	}
	d.want(t, "POST", "/tokens", `{"id":"token-4x7Q2b","user":"w0"}`, 409, `token "token-4x7Q2b" is there already`)
	d.want(t, "DELETE", "/users/w0", "", 409, `token "`+two.ID+`" still names user "w0"`)
	d.want(t, "DELETE", "/tokens/"+two.ID, "", 204, "")
	d.want(t, "DELETE", "/users/w0", "", 204, "")
}

// A greeting that the configuration file has stays when the rest of the user is
// changed.
func TestGreetingOfTheFileStays(t *testing.T) {
	t.Parallel()
	d := newDesk(t, directory.Entries{Users: []directory.User{{ID: "w0", Greeting: "alice.wav"}}})
	d.want(t, "PATCH", "/users/w0", `{"name":"Alice"}`, 200, `{"id":"w0","account":"default","name":"Alice","greeting":"alice.wav"}`)
	d.want(t, "PUT", "/users/w0", `{"greeting":"alice.wav"}`, 200, `"greeting":"alice.wav"`)
	d.want(t, "PATCH", "/users/w0", `{"greeting":"https://a.example/b.wav"}`, 200, `"https://a.example/b.wav"`)
	d.want(t, "PATCH", "/users/w0", `{"greeting":"alice.wav"}`, 400, `only the configuration file`)
}
