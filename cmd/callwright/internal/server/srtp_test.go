// SPDX-License-Identifier: MIT

package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/phone"
	"github.com/callwright/callwright/transport/sip/sdp"
)

// The tones that the two sides of these calls play.
const aliceHz, bobHz = 440, 1000

// secret is a call from a phone at a trunk to a user's phone.
type secret struct {
	name string
	// from is how the caller's phone encrypts, to the other's; trunk and user
	// are the settings of the two.
	from, to    phone.Config
	trunk, user string
	// fromSuite and toSuite are how either leg is encrypted in the end; "" is not
	// at all. refused is instead how the call is answered.
	fromSuite, toSuite string
	refused            int
	says               string // what the record of a refused call says
}

func encrypting(p sdp.Policy, by ...media.Suite) phone.Config {
	return phone.Config{SRTP: p, Suites: by}
}

// secrets are calls under all policies.
func secrets() []secret {
	const cm80, cm32, gcm = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM"
	all := []secret{
		{name: "nobody asks", trunk: "allow", user: "allow"},
		{name: "both must", from: encrypting(sdp.Require), trunk: "require", user: "require", fromSuite: cm80, toSuite: cm80},
		{name: "the caller may", from: encrypting(sdp.Offer), trunk: "", user: "", fromSuite: cm80},
		{name: "the caller must", from: encrypting(sdp.Require), trunk: "", user: "off", fromSuite: cm80},
		{name: "the caller has two streams, as a plain one", from: encrypting(sdp.Offer), trunk: "require", fromSuite: cm80},
		{name: "the called must", user: "require", toSuite: cm80},
		{name: "off for the caller that may", from: encrypting(sdp.Offer), trunk: "off"},
		{name: "off for the caller that must", from: encrypting(sdp.Require), trunk: "off", refused: 488, says: `and srtp is off here: srtp of trunk "t%d" is off; set it to allow`},
		{name: "plain where it must not be", trunk: "require", refused: 488, says: `srtp of trunk "t%d" is require; set it to allow, or have the other side encrypt`},
		{name: "a suite that is not known", from: encrypting(sdp.Require, media.AES128GCM), to: encrypting(sdp.Allow, media.AES128SHA1x80), user: "require", fromSuite: gcm, toSuite: cm80},
		{name: "the called will not", to: encrypting(sdp.Off), user: "require", refused: 502, says: `because srtp of user "u%d" is require; set it to allow`},
	}
	for _, by := range []media.Suite{media.AES128SHA1x80, media.AES128SHA1x32, media.AES128GCM} {
		all = append(all, secret{
			name: by.String(), from: encrypting(sdp.Require, by), to: encrypting(sdp.Allow, by), user: "require",
			fromSuite: by.String(), toSuite: by.String(),
		})
	}
	all = append(all, secret{
		name: "one way by each", from: encrypting(sdp.Require, media.AES128SHA1x32), to: encrypting(sdp.Allow, media.AES128GCM), user: "require",
		fromSuite: cm32, toSuite: gcm,
	})
	return all
}

// arrange starts a server with a trunk and a user for each call, and gives the
// phones. A trunk is known by its address.
func arrange(t *testing.T, all []secret) (s *server.Server, from, to []*phone.Phone) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("it needs addresses of 127.0.0.0/8 that only Linux has")
	}
	on := func(c phone.Config, host, user string, hz float64) *phone.Phone {
		c.Listen, c.User, c.Tone = host+":0", user, hz
		p, err := phone.New(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		return p
	}
	s = start(t, "http://127.0.0.1:1/", func(c *config.Config) {
		c.Trunks = nil
		for i, call := range all {
			host := fmt.Sprintf("127.0.6.%d", i+1)
			from = append(from, on(call.from, host, fmt.Sprint("+49301", i), aliceHz))
			to = append(to, on(call.to, "127.0.0.1", fmt.Sprint("u", i), bobHz))
			c.Trunks = append(c.Trunks, config.Trunk{Name: fmt.Sprint("t", i), AllowFrom: []netip.Prefix{netip.MustParsePrefix(host + "/32")}, SRTP: call.trunk})
			c.Users = append(c.Users, config.User{ID: fmt.Sprint("u", i), Contact: to[i].URI(), SRTP: call.user})
			c.Numbers = append(c.Numbers, config.Number{Number: fmt.Sprint("+493000", i), Users: []string{fmt.Sprint("u", i)}})
		}
	})
	return s, from, to
}

// dialSecret calls the user of call i.
func dialSecret(s *server.Server, from *phone.Phone, i int) (*phone.Call, error) {
	return from.Dial(fmt.Sprintf("sip:+493000%d@%s", i, s.SIP.Addr("udp")), phone.CallOptions{})
}

// Calls are encrypted as their trunks and users are set, each leg by itself, and
// are heard in both directions with their keys pressed; those that cannot be say
// what to change.
func TestEncryptedCalls(t *testing.T) {
	t.Parallel()
	all := secrets()
	s, from, to := arrange(t, all)
	var talking sync.WaitGroup
	for i, c := range all {
		talking.Go(func() {
			if err := speakSecretly(t, s, from[i], to[i], i, c); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		})
	}
	talking.Wait()
	until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
	if err := s.Store.Applied(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, _, err := s.Store.Calls(t.Context(), 100, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range all {
		checkSecret(t, s, records, i, c)
	}
}

// speakSecretly makes one call.
func speakSecretly(t *testing.T, s *server.Server, from, to *phone.Phone, i int, c secret) error {
	ctx := t.Context()
	out, err := dialSecret(s, from, i)
	if err != nil {
		return err
	}
	defer out.Hangup()
	if c.refused != 0 {
		var ended *phone.EndedError
		if err := out.WaitAnswer(ctx); !errors.As(err, &ended) || ended.Status != c.refused {
			return fmt.Errorf("answered %v, want %d", err, c.refused)
		}
		return nil
	}
	in, err := to.Accept(ctx)
	if err != nil {
		return err
	}
	err = errors.Join(in.Answer(), out.WaitAnswer(ctx), in.WaitAnswer(ctx),
		out.WaitTone(ctx, bobHz, phone.Level-3), in.WaitTone(ctx, aliceHz, phone.Level-3))
	if err != nil {
		return err
	}
	if out.Suite() != c.fromSuite || in.Suite() != c.toSuite {
		err = fmt.Errorf("encrypted by %q and %q, want %q and %q", out.Suite(), in.Suite(), c.fromSuite, c.toSuite)
	}
	nothing := func() error { return nil }
	err = errors.Join(err, audible(ctx, out, bobHz, nothing), audible(ctx, in, aliceHz, nothing), out.SendDigits(ctx, "15*"), in.WaitDigits(ctx, media.ByEvent, 3))
	if n := out.Refused() + in.Refused(); n != 0 {
		err = errors.Join(err, fmt.Errorf("the phones could not decrypt %d packets", n))
	}
	return err
}

// audible does something and listens to the other party for a second. On a machine
// that runs other tests nobody can ask how evenly it is heard, nor that it is each
// time: once is enough.
func audible(ctx context.Context, c *phone.Call, hz float64, do func() error) error {
	for try := 1; ; try++ {
		if err := do(); err != nil {
			return err
		}
		v, err := c.Listen(ctx, time.Second, hz)
		if err != nil {
			return err
		}
		v.Silence = 0
		if err := v.Check(); err == nil || try == 10 {
			return err
		}
	}
}

// checkSecret looks at what was kept of one call.
func checkSecret(t *testing.T, s *server.Server, records []engine.Record, i int, c secret) {
	t.Helper()
	want := fmt.Sprintf(strings.ReplaceAll(c.says, "%d", "%[1]d")+"%.[2]s", i, "")
	kept, said := 0, ""
	for _, r := range records {
		if r.To.Value != fmt.Sprint("+493000", i) && r.To.Value != fmt.Sprint("u", i) {
			continue
		}
		kept++
		_, events, err := s.Store.Call(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			said += e.Text + "\n"
		}
		suite := c.fromSuite
		if !r.Parent.IsZero() {
			suite = c.toSuite
		}
		if c.refused == 0 && (r.Media == nil || r.Media.Suite != suite || r.Media.Refused != 0) {
			t.Errorf("%s: figures %v, want %q", c.name, r.Media, suite)
		}
	}
	if !strings.Contains(said, want) || kept == 0 {
		t.Errorf("%s: of %d records none says %q:\n%s", c.name, kept, want, said)
	}
	for _, suite := range []string{c.fromSuite, c.toSuite} {
		if suite != "" && !strings.Contains(said, "sound is encrypted by "+suite+"\n") {
			t.Errorf("%s: the timeline does not tell of %s:\n%s", c.name, suite, said)
		}
	}
}

// An encrypted call lives through hold and new keys of either side, and nobody
// hears who has the wrong key or says again what was said.
func TestLifeOfAnEncryptedCall(t *testing.T) {
	t.Parallel()
	var all []secret
	for _, by := range []media.Suite{media.AES128SHA1x80, media.AES128SHA1x32, media.AES128GCM} {
		all = append(all, secret{name: by.String(), from: encrypting(sdp.Require, by), to: encrypting(sdp.Allow, by), user: "require"})
	}
	s, from, to := arrange(t, all)
	var talking sync.WaitGroup
	for i, c := range all {
		talking.Go(func() {
			out, err := dialSecret(s, from[i], i)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				return
			}
			in, err := to[i].Accept(t.Context())
			if err == nil {
				err = errors.Join(in.Answer(), out.WaitAnswer(t.Context()), in.WaitAnswer(t.Context()), liveSecretly(t, s, out, in))
			}
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			out.Hangup()
			if _, err := in.WaitEnd(t.Context()); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		})
	}
	talking.Wait()
	until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
	if err := s.Store.Applied(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, _, err := s.Store.Calls(t.Context(), 100, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Media == nil || r.Media.Refused < 10 || r.Media.Suite == "" || r.Media.Malformed != 0 || r.Media.Foreign != 0 {
			t.Errorf("%s: figures %+v", r.To.Value, r.Media)
		}
	}
}

// liveSecretly takes a call through all that can happen to it, from both sides.
func liveSecretly(t *testing.T, s *server.Server, out, in *phone.Call) error {
	ctx := t.Context()
	const calm = 300 * time.Millisecond
	both := func() error {
		return errors.Join(out.WaitTone(ctx, bobHz, phone.Level-3), in.WaitTone(ctx, aliceHz, phone.Level-3))
	}
	for _, side := range []struct {
		call, other *phone.Call
		heardAs     float64
	}{{out, in, aliceHz}, {in, out, bobHz}} {
		if err := errors.Join(both(),
			side.call.Hold(ctx, true), side.call.WaitSilence(ctx, calm, phone.Level-20),
			side.call.Hold(ctx, false), both(),
			side.call.Rekey(ctx), both(),
		); err != nil {
			return err
		}
		replay := func() error {
			if side.call.Replay() == 0 {
				return errors.New("nothing was there to be sent again")
			}
			return nil
		}
		if err := audible(ctx, side.other, side.heardAs, replay); err != nil {
			return fmt.Errorf("while packets came again: %w", err)
		}
		if err := errors.Join(side.call.Forge(), side.other.WaitSilence(ctx, calm, phone.Level-20),
			side.call.Rekey(ctx), both()); err != nil {
			return err
		}
	}
	return nil
}
