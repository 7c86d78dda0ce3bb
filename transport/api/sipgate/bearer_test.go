// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/api/sipgate"
)

var bearerKey = []byte("key of the tests")

func withBearers(c *sipgate.Config) { c.BearerKey = bearerKey }

// askBearer sends a request with a bearer token.
func (b *bench) askBearer(bearer, method, path string) int {
	b.t.Helper()
	r, err := http.NewRequest(method, b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// bearer asks for a bearer token.
func (b *bench) bearer(token string) string {
	b.t.Helper()
	answer, text := b.ask(token, "POST", "/authorization/token", "")
	var got struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
		Scope       string `json:"scope"`
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || answer.StatusCode != 200 || got.TokenType != "Bearer" || got.ExpiresIn != 30*24*3600 || got.Scope == "" {
		b.t.Fatalf("got %d %s", answer.StatusCode, text)
	}
	return got.AccessToken
}

func TestPOST_authorization_token(t *testing.T) {
	t.Parallel()
	b := start(t, withBearers)
	bearer := b.bearer(mine)
	// The client of npm wants the second part to be JSON in base64.
	parts := strings.Split(bearer, ".")
	said, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || len(parts) != 3 || !json.Valid(said) || !strings.Contains(string(said), `"sub":"w0"`) {
		t.Errorf("the bearer token says %s: %v", said, err)
	}
	if status := b.askBearer(bearer, "GET", "/calls"); status != 200 {
		t.Errorf("got %d", status)
	}
	if status := b.askBearer(bearer, "POST", "/authorization/token"); status != 403 {
		t.Errorf("a bearer token makes another: %d", status)
	}
	if status := b.askBearer(b.bearer(reading), "DELETE", "/calls/"+callA); status != 403 {
		t.Errorf("without the scope: got %d", status)
	}
	if status := b.askBearer(b.bearer(theirs), "DELETE", "/calls/"+callA); status != 404 {
		t.Errorf("of another account: got %d", status)
	}
	b.did()
	answer, text := b.ask(strings.Replace(mine, "1e7a", "1e7b", 1), "POST", "/authorization/token", "")
	checkRefusal(t, "a wrong secret", answer, text, 401, "the token is missing or wrong", "")
}

// A bearer token ends when its token is deleted, moved or has another secret.
func TestBearerEndsWithItsToken(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*directory.Token){
		"deleted":        func(t *directory.Token) { t.ID = "token-GONE00" },
		"another secret": func(t *directory.Token) { t.Secret = "1e7a4d70-5b4b-4a3e-9f43-1f6a2a3a1dff" },
		"moved":          func(t *directory.Token) { t.Account = "acme" },
	} {
		b := start(t, withBearers)
		bearer := b.bearer(mine)
		b.house.mu.Lock()
		change(&b.house.entries.Tokens[0])
		b.house.mu.Unlock()
		if status := b.askBearer(bearer, "GET", "/calls"); status != 401 {
			t.Errorf("%s: got %d", name, status)
		}
	}
}

func TestBearersThatAreNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		token := directory.Token{ID: "token-ABC123", Account: "default", User: "w0", Secret: "secret"}
		good, err := sipgate.MakeBearer(bearerKey, token)
		if err != nil || !sipgate.OpensBearer(bearerKey, good, token) {
			t.Fatalf("%s does not open: %v", good, err)
		}
		made := func(method jwt.SigningMethod, key any, c jwt.MapClaims) string {
			text, err := jwt.NewWithClaims(method, c).SignedString(key)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		said := jwt.MapClaims{"iss": "callwright", "sub": "w0", "jti": token.ID, "account": "default", "exp": time.Now().Add(time.Hour).Unix()}
		parts := strings.Split(good, ".")
		for name, bearer := range map[string]string{
			"none":             made(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, said),
			"another key":      made(jwt.SigningMethodHS256, []byte("secret"), said),
			"no signature":     parts[0] + "." + parts[1] + ".",
			"two parts":        parts[0] + "." + parts[1],
			"of another token": strings.Replace(good, parts[2], strings.Repeat("A", len(parts[2])), 1),
			"nothing":          "", "dots": "..", "text": "token",
		} {
			if sipgate.OpensBearer(bearerKey, bearer, token) {
				t.Errorf("%s opens", name)
			}
		}
		if sipgate.OpensBearer(bearerKey, good, directory.Token{ID: token.ID, Account: "default"}) {
			t.Error("it opens what has no secret")
		}
		time.Sleep(30*24*time.Hour - time.Second)
		if !sipgate.OpensBearer(bearerKey, good, token) {
			t.Error("it ends too soon")
		}
		time.Sleep(time.Second)
		if sipgate.OpensBearer(bearerKey, good, token) {
			t.Error("it never ends")
		}
	})
}

// Nobody gets in by whatever a header says, and nothing breaks by it.
func FuzzAuthorization(f *testing.F) {
	token := directory.Token{ID: "token-ABC123", Account: "default", User: "w0", Secret: "secret"}
	good, err := sipgate.MakeBearer(bearerKey, token)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("Bearer " + good)
	f.Add("Basic dG9rZW4tQUJDMTIzOnNlY3JldA==")
	f.Add("Bearer eyJhbGciOiJub25lIn0.eyJqdGkiOiJ0b2tlbi1BQkMxMjMifQ.")
	f.Add("bearer")
	// The last letter of a signature has bits that nobody reads.
	signed := good[:strings.LastIndexByte(good, '.')+40]
	f.Fuzz(func(t *testing.T, header string) {
		admitted := sipgate.Admits(bearerKey, header, token)
		scheme, shown, _ := strings.Cut(header, " ")
		plain, _ := base64.StdEncoding.DecodeString(shown)
		basic := strings.EqualFold(scheme, "Basic") && string(plain) == token.ID+":"+token.Secret
		bearer := strings.EqualFold(scheme, "Bearer") && strings.HasPrefix(strings.TrimSpace(shown), signed)
		if admitted && !basic && !bearer {
			t.Errorf("%q is let in", header)
		}
	})
}
