// SPDX-License-Identifier: MIT

package admin

import (
	"crypto/rand"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// completed gives a token the id and the secret that it was sent without, both as
// hard to guess as they can be; clients of sipgate.io want them in this shape.
func completed(e directory.Entry) directory.Entry {
	t, ok := e.(directory.Token)
	if !ok {
		return e
	}
	if t.ID == "" {
		t.ID = directory.TokenPrefix + rand.Text()[:6]
	}
	if t.Secret == "" {
		var secret engine.ID
		_, _ = rand.Read(secret[:])       // never fails
		secret[6] = secret[6]&0x0f | 0x40 // a UUID of version 4 (RFC 9562 section 5.4)
		secret[8] = secret[8]&0x3f | 0x80
		t.Secret = secret.String()
	}
	return t
}

// checkGreeting refuses a file of the server as a greeting, unless it is there
// already: what the server may read is for the configuration file to say.
func checkGreeting(e, old directory.Entry) error {
	u, _ := e.(directory.User)
	before, _ := old.(directory.User)
	if u.Greeting == "" || u.Greeting == before.Greeting || !u.GreetingIsFile() {
		return nil
	}
	return api.Wrong("greeting", "greeting is %.80q, a file of the server, which only the configuration file may name: write the URL of a sound file", u.Greeting)
}
