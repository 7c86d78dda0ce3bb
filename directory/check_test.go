// SPDX-License-Identifier: MIT

package directory

import (
	"strings"
	"testing"
)

// What a number does when it reaches nobody must be possible, and not
// contradict itself.
func TestRulesCheck(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		change      func(*Number)
		field, says string
	}{
		{func(n *Number) { n.VoicemailAfter, n.OnBusy, n.OnOffline = "20s", "voicemail", "+49 30 123" }, "", ""},
		{func(n *Number) { n.VoicemailAfter, n.OnNoAnswer = "20s", "voicemail" }, "", ""},
		{func(n *Number) { n.RingTime, n.OnNoAnswer = "1m30s", "100" }, "", ""},
		{func(n *Number) { n.OnBusy = "mailbox" }, "on_busy", `has the on_busy "mailbox": write voicemail, or a number`},
		{func(n *Number) { n.OnOffline = "w1" }, "on_offline", `has the on_offline "w1": write voicemail, or a number`},
		{func(n *Number) { n.OnNoAnswer = "4921112345" }, "on_no_answer", "has itself as its on_no_answer: write voicemail or another number"},
		{func(n *Number) { n.VoicemailAfter, n.OnNoAnswer = "20s", "100" }, "on_no_answer", "cannot go to both: leave one out"},
		{func(n *Number) { n.VoicemailAfter = "20" }, "voicemail_after", `has the voicemail_after "20": write a time with its unit, like 20s`},
		{func(n *Number) { n.VoicemailAfter = "500ms" }, "voicemail_after", "has the voicemail_after 500ms: write 1s or more"},
		{func(n *Number) { n.RingTime = "-1s" }, "ring_time", "has the ring_time -1s: write 1s or more"},
		{func(n *Number) { n.RingTime = "0s" }, "ring_time", "has the ring_time 0s"},
	} {
		n := Number{Number: "+4921112345"}
		tc.change(&n)
		wants(t, n.check(), tc.field, tc.says)
	}
}

// What an App is asked at stands on the timeline of each call, so that it is short.
func TestAppBounds(t *testing.T) {
	t.Parallel()
	long := "https://b.example/" + strings.Repeat("a", MaxURL-18)
	for _, tc := range []struct {
		change      func(*App)
		field, says string
	}{
		{func(a *App) { a.IncomingURL, a.OutgoingURL, a.FallbackURL, a.EventsURL = long, long, long, long }, "", ""},
		{func(a *App) { a.IncomingURL = long + "a" }, "incoming_url", "aaa\"…, which has 2049 characters: write at most 2048"},
		{func(a *App) { a.OutgoingURL = long + "a" }, "outgoing_url", "2049 characters"},
		{func(a *App) { a.FallbackURL = long + "a" }, "fallback_url", "2049 characters"},
		{func(a *App) { a.EventsURL = long + "a" }, "events_url", "2049 characters"},
		{func(a *App) { a.Whitelist = make([]string, 1000) }, "", ""},
		{func(a *App) { a.Whitelist = make([]string, 1001) }, "whitelist", "names 1001 users and groups in its whitelist: name at most 1000"},
	} {
		a := App{Key: "a", Dialect: "sipgate"}
		tc.change(&a)
		wants(t, a.check([]string{"sipgate"}), tc.field, tc.says)
	}
}

// There is one rule for what an app can be asked at, however it is configured.
func TestIsURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"http://h": true, "http://h/": true, "https://shop.example:8443/calls?a=b": true, "http://127.0.0.1:1/": true,
		"http://[::1]:65535/": true, "http://b\u00fccher.example/\u00fc": true,
		"": false, "shop.example": false, "/calls": false, "ftp://h/": false, "http:///calls": false, "http://:80/": false,
		"http://h:0/": false, "http://h:65536/": false, "http://h:99999/": false, "http://h:http/": false,
		"http://h/\xff": false, "http://h/\ufffd": false, "http://h/\n": false,
	} {
		if got := IsURL(text); got != want {
			t.Errorf("%q is a URL: %v", text, got)
		}
	}
	for _, url := range []string{"http://h:0/", "http://h:99999/", "http://h/\xff"} {
		app := App{Account: "acme", Key: "shop", Dialect: "sipgateio"}
		for field, at := range map[string]*string{
			"incoming_url": &app.IncomingURL, "outgoing_url": &app.OutgoingURL, "fallback_url": &app.FallbackURL, "events_url": &app.EventsURL,
		} {
			*at = url
			wants(t, app.check([]string{"sipgateio"}), field, "write a whole URL")
			*at = ""
		}
	}
}

func TestVoiceCheck(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		change      func(*User)
		field, says string
	}{
		{func(u *User) { u.Email, u.Language, u.Greeting = "a@b.example", "de-DE", "https://b.example/hello.wav" }, "", ""},
		{func(u *User) { u.Language, u.Greeting = "sr-Latn-RS", "greetings/alice.wav" }, "", ""},
		{func(u *User) { u.Language, u.Greeting = "en", "./a:b.wav" }, "", ""},
		{func(u *User) { u.Email = "alice" }, "email", `has the email "alice": write one address, like alice@example.com`},
		{func(u *User) { u.Email = "alice@" }, "email", "write one address"},
		{func(u *User) { u.Email = "a@b, c@d" }, "email", "write one address"},
		{func(u *User) { u.Email = "a@b\nBcc:c@d" }, "email", "write one address"},
		{func(u *User) { u.Language = "German" }, "language", `has the language "German": write a tag like de-DE, or en`},
		{func(u *User) { u.Language = "de_DE" }, "language", "write a tag like de-DE"},
		{func(u *User) { u.Language = "d" }, "language", "write a tag"},
		{func(u *User) { u.Language = "de-" }, "language", "write a tag"},
		{func(u *User) { u.Language = "-v de" }, "language", "write a tag"},
		{func(u *User) { u.Greeting = "ftp://b.example/hello.wav" }, "greeting", `write the URL of a sound file`},
		{func(u *User) { u.Greeting = "file:///etc/passwd" }, "greeting", `write the URL of a sound file`},
		{func(u *User) { u.Greeting = "tone:beep" }, "greeting", `write the URL of a sound file`},
		{func(u *User) { u.Greeting = "https:///hello.wav" }, "greeting", `write the URL of a sound file`},
		{func(u *User) { u.Greeting = "a\x01b" }, "greeting", `write the URL of a sound file`},
		{func(u *User) { u.Greeting = "https://b.example/" + strings.Repeat("a", 2048-18) }, "", ""},
		{func(u *User) { u.Greeting = "https://b.example/" + strings.Repeat("a", 2049-18) }, "greeting", "has a greeting of 2049 characters: write at most 2048"},
		{func(u *User) { u.GreetingText = strings.Repeat("ä", 1000) }, "", ""},
		{func(u *User) { u.GreetingText = strings.Repeat("a", 1001) }, "greeting_text", "more than 1000 characters"},
	} {
		u := User{ID: "w0"}
		tc.change(&u)
		wants(t, u.check(), tc.field, tc.says)
	}
	for greeting, file := range map[string]bool{"": true, "a.wav": true, "/srv/a.wav": true, "https://b.example/a.wav": false, "HTTP://b.example": false} {
		if got := (User{Greeting: greeting}).GreetingIsFile(); got != file {
			t.Errorf("%q is a file: %t", greeting, got)
		}
	}
}

func TestTokenCheck(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		change      func(*Token)
		field, says string
	}{
		{func(*Token) {}, "", ""},
		{func(k *Token) { k.Secret, k.Scopes = strings.ToUpper(k.Secret), TokenScopes() }, "", ""},
		{func(k *Token) { k.ID = "" }, "id", "has no id"},
		{func(k *Token) { k.ID = "token-4x7Q2" }, "id", "write token- and six letters or digits"},
		{func(k *Token) { k.ID = "token-4x7Q2bb" }, "id", "write token-"},
		{func(k *Token) { k.ID = "token-4x7Q2ü" }, "id", "write token-"},
		{func(k *Token) { k.ID = "4x7Q2b" }, "id", "write token-"},
		{func(k *Token) { k.Secret = "" }, "token", "has no secret"},
		{func(k *Token) { k.Secret = "0b5b3c4e-9a3b-7c55-8f3e-1d2c3b4a5968" }, "token", "no UUID of version 4"},
		{func(k *Token) { k.Secret = "0b5b3c4e-9a3b-4c55-7f3e-1d2c3b4a5968" }, "token", "no UUID of version 4"},
		{func(k *Token) { k.Secret = "0b5b3c4e99a3b-4c55-8f3e-1d2c3b4a5968" }, "token", "no UUID of version 4"},
		{func(k *Token) { k.Secret = "0b5b3c4g-9a3b-4c55-8f3e-1d2c3b4a5968" }, "token", "no UUID of version 4"},
		{func(k *Token) { k.Secret += "0" }, "token", "no UUID of version 4"},
		{func(k *Token) { k.User = "" }, "user", "has no user"},
		{func(k *Token) { k.Name = "a\nb" }, "name", "write it in one line"},
		{func(k *Token) { k.Scopes = []string{"rtcm"} }, "scopes", `has the scope "rtcm": leave scopes out for everything, or write some of all, `},
	} {
		k := Token{ID: "token-4x7Q2b", User: "w0", Secret: "0b5b3c4e-9a3b-4c55-8f3e-1d2c3b4a5968"}
		tc.change(&k)
		wants(t, k.check(), tc.field, tc.says)
	}
}

// wants holds a complaint against the field and what it must say; none where
// nothing is to be said.
func wants(t *testing.T, err *EntryError, field, says string) {
	t.Helper()
	switch {
	case says == "" && err != nil:
		t.Errorf("complains: %v", err)
	case says != "" && (err == nil || err.Field != field || !strings.Contains(err.Error(), says)):
		t.Errorf("error %v, want %q of %s", err, says, field)
	}
}

// What names what: tokens their user, whitelists users and groups, rules no
// emergency service.
func TestEntriesFitEachOther(t *testing.T) {
	t.Parallel()
	secret := "0b5b3c4e-9a3b-4c55-8f3e-1d2c3b4a5968"
	token := Token{ID: "token-4x7Q2b", User: "w0", Secret: secret}
	acme := []Account{{ID: "acme"}}
	users := []User{{ID: "w0"}, {ID: "w1", Account: "acme"}}
	for want, e := range map[string]Entries{
		`token "token-4x7Q2b" names user "w0", which is not configured`: {Tokens: []Token{token}},
		`token "token-4x7Q2b" names user "w1", which is not configured`: {Accounts: acme, Users: users, Tokens: []Token{{ID: token.ID, User: "w1", Secret: secret}}},
		`token "token-4x7Q2b" names account "zoo"`:                      {Users: users[:1], Tokens: []Token{{ID: token.ID, Account: "zoo", User: "w0", Secret: secret}}},
		`token "token-4x7Q2b" is configured twice`:                      {Users: users[:1], Tokens: []Token{token, token}},
		`app "a" names "w1" in its whitelist`:                           {Accounts: acme, Users: users, Apps: []App{{Key: "a", Whitelist: []string{"w0", "w1"}}}},
		`app "a" names "p1" in its whitelist`:                           {Users: users[:1], Apps: []App{{Key: "a", Whitelist: []string{"p0", "p1"}}}},
		`app "a" names "" in its whitelist`:                             {Users: users[:1], Apps: []App{{Key: "a", Whitelist: []string{""}}}},
		`number "100" has the on_busy "1-1-2", an emergency number`:     {Numbers: []Number{{Number: "100", OnBusy: "1-1-2"}}},
		`number "10*" has the on_offline "+112", an emergency number`:   {Numbers: []Number{{Number: "10*", OnOffline: "+112"}}},
	} {
		if _, err := New(e, "112"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	d, err := New(Entries{
		Users: users[:1], Groups: []Group{{ID: "g0"}}, Tokens: []Token{token},
		Apps: []App{{Key: "a", Whitelist: []string{"w0", "g0", "p0"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := d.Token(token.ID); !ok || got.Account != DefaultAccount || got.User != "w0" {
		t.Errorf("got %+v, %t", got, ok)
	}
	if _, ok := d.Token("token-000000"); ok {
		t.Error("a token that is not there was found")
	}
}
