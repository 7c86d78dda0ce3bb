// SPDX-License-Identifier: MIT

package server_test

import (
	"path/filepath"
	"testing"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/sip/phone"
)

// A phone that registered is rung after a restart, too: by another user, who
// calls with a password, and they hear each other.
func TestRegistrationSurvives(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	withUsers := func(c *config.Config) {
		c.Database, c.DataDir, c.Trunks = "sqlite:"+filepath.Join(dir, "callwright.db"), dir, nil
		c.Users = []config.User{
			{ID: "w0", Name: "Alice", Username: "alice", Password: "secret-a"}, {ID: "w1", Name: "Bob", Username: "bob", Password: "secret-b"},
		}
	}
	telephone := func(user string, tone float64) *phone.Phone {
		p, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: user, Tone: tone})
		must(err)
		t.Cleanup(func() { _ = p.Close() })
		return p
	}
	alice, bob := telephone("alice", 440), telephone("bob", 1000)

	first := start(t, "", withUsers)
	got, err := alice.Register(phone.Registration{
		To: "sip:" + first.SIP.Addr("udp").String(), Username: "alice", Password: "secret-a", Expires: 300,
		Contacts: []string{"<sip:alice@10.255.255.1>"}, // as behind a NAT
	})
	must(err)
	if got.Status != 200 {
		t.Fatalf("alice registers: %+v", got)
	}
	must(first.Stop())

	second := start(t, "", withUsers)
	if places := second.SIP.Contacts(directory.DefaultAccount, "w0"); len(places) != 1 {
		t.Fatalf("after the restart alice is at %q", places)
	}
	out, err := bob.Dial("sip:alice@"+second.SIP.Addr("udp").String(), phone.CallOptions{Username: "bob", Password: "secret-b"})
	must(err)
	in, err := alice.Accept(t.Context())
	must(err)
	must(in.Answer())
	must(out.WaitAnswer(t.Context()))
	must(out.WaitTone(t.Context(), 440, phone.Level-3))
	must(in.WaitTone(t.Context(), 1000, phone.Level-3))
	out.Hangup()
	if _, err := in.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
}
