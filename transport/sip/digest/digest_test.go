// SPDX-License-Identifier: MIT

package digest

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icholy/digest"
)

// alice is the one user of these tests.
func alice(username string) (string, bool) { return "secret", username == "alice" }

// answer is the Authorization header of a client that answers a challenge. change
// may spoil it.
func answer(t testing.TB, challenge, method, uri string, o digest.Options, change func(*digest.Credentials)) string {
	t.Helper()
	c, err := digest.ParseChallenge(challenge)
	if err != nil {
		t.Fatal(err)
	}
	o.Method, o.URI = method, uri
	made, err := digest.Digest(c, o)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(made)
	}
	return made.String()
}

// try has credentials found, checked and used.
func try(v *Verifier, method, uri string, headers ...string) error {
	return tryFrom(v, here, method, uri, headers...)
}

func tryFrom(v *Verifier, source netip.Addr, method, uri string, headers ...string) error {
	c, err := v.Find(headers, source)
	if err != nil {
		return err
	}
	if err := v.Check(c, method, uri); err != nil {
		return err
	}
	return v.Spend(c)
}

const home = "sip:callwright.test"

// here is where the requests of these tests come from.
var here = netip.MustParseAddr("192.0.2.1")

func TestCredentials(t *testing.T) {
	t.Parallel()
	right := digest.Options{Username: "alice", Password: "secret", Count: 1}
	for _, tc := range []struct {
		name   string
		o      digest.Options
		named  string // uri of the credentials
		change func(*digest.Credentials)
		want   error
	}{
		{"right", right, home, nil, nil},
		{"wrong password", digest.Options{Username: "alice", Password: "Secret"}, home, nil, ErrWrong},
		{"no such user", digest.Options{Username: "bob", Password: "secret"}, home, nil, ErrWrong},
		{"no such user, and no password", digest.Options{Username: "bob"}, home, nil, ErrWrong},
		{"another address of ours, as sipp names it", right, "sip:192.0.2.1:5060", nil, nil},
		{"another user", right, "sip:900@callwright.test", nil, ErrElsewhere},
		{"no URI", right, "", nil, ErrElsewhere},
		{"a nonce that is garbage", right, home, func(c *digest.Credentials) { c.Nonce = "abc" }, ErrForeign},
		{"a nonce of somebody else", right, home, func(c *digest.Credentials) { c.Nonce = newMint().make(time.Now(), here) }, ErrForeign},
		{"a nonce made younger", right, home, func(c *digest.Credentials) { c.Nonce = "H" + c.Nonce[1:] }, ErrForeign},
		{"another realm", right, home, func(c *digest.Credentials) { c.Realm = "elsewhere" }, ErrMissing},
		{"another count than was signed", right, home, func(c *digest.Credentials) { c.Nc++ }, ErrWrong},
		{"a count below one", right, home, func(c *digest.Credentials) { c.Nc = -1 }, ErrUnreadable},
		{"no cnonce", right, home, func(c *digest.Credentials) { c.Cnonce = "" }, ErrUnreadable},
		{"an algorithm that was not offered", right, home, func(c *digest.Credentials) { c.Algorithm = "SHA-512-256" }, ErrUnreadable},
		{"a hidden username", right, home, func(c *digest.Credentials) { c.Userhash = true }, ErrUnreadable},
		{"a qop that was not offered", right, home, func(c *digest.Credentials) { c.QOP = "auth-int" }, ErrUnreadable},
		{"no response", right, home, func(c *digest.Credentials) { c.Response = "" }, ErrWrong},
		{"capital letters", right, home, func(c *digest.Credentials) { c.Response = strings.ToUpper(c.Response) }, nil},
	} {
		for i, algorithm := range []string{"MD5", "SHA-256"} {
			t.Run(tc.name+" "+algorithm, func(t *testing.T) {
				t.Parallel()
				v := New(Config{Password: alice})
				challenge := v.Challenge(false, "", here)[i]
				if !strings.Contains(challenge, "algorithm="+algorithm+",") || strings.Contains(challenge, "stale") {
					t.Fatalf("challenge %q", challenge)
				}
				got := try(v, "REGISTER", home, "Basic YTpi", answer(t, challenge, "REGISTER", tc.named, tc.o, tc.change))
				if !errors.Is(got, tc.want) {
					t.Errorf("%v, want %v", got, tc.want)
				}
				if again := try(v, "REGISTER", home, answer(t, v.Challenge(false, "", here)[i], "INVITE", home, right, nil)); !errors.Is(again, ErrWrong) {
					t.Errorf("credentials for another method: %v", again)
				}
			})
		}
	}
	v := New(Config{Password: alice})
	for _, headers := range [][]string{nil, {""}, {"Digest"}, {"Basic YTpi"}} {
		if err := try(v, "REGISTER", home, headers...); !errors.Is(err, ErrMissing) {
			t.Errorf("%q: %v", headers, err)
		}
	}
	if err := try(v, "REGISTER", home, `Digest username="alice`); !errors.Is(err, ErrUnreadable) {
		t.Errorf("half a header: %v", err)
	}
	nobody := New(Config{Password: func(string) (string, bool) { return "", true }})
	empty := answer(t, nobody.Challenge(false, "", here)[0], "REGISTER", home, digest.Options{Username: "x"}, nil)
	if err := try(nobody, "REGISTER", home, empty); !errors.Is(err, ErrWrong) {
		t.Errorf("a user without a password: %v", err)
	}
}

// A nonce may be used again if its count grows, by whoever counts, and once by
// whoever does not count.
func TestReplay(t *testing.T) {
	t.Parallel()
	v := New(Config{Password: alice, Realm: "here"})
	challenge := v.Challenge(false, "", here)[1]
	with := func(count int) string {
		return answer(t, challenge, "INVITE", home, digest.Options{Username: "alice", Password: "secret", Count: count}, nil)
	}
	first := with(1)
	for _, tc := range []struct {
		header string
		want   error
	}{{first, nil}, {first, ErrReplayed}, {with(1), ErrReplayed}, {with(3), nil}, {with(2), ErrReplayed}, {with(4), nil}} {
		if err := try(v, "INVITE", home, tc.header); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.header, err, tc.want)
		}
	}
	old := func(challenge string) string {
		plain := strings.Replace(challenge, `, qop="auth"`, "", 1)
		return answer(t, plain, "INVITE", home, digest.Options{Username: "alice", Password: "secret"}, func(c *digest.Credentials) { c.Nc = 0 })
	}
	challenge = v.Challenge(false, "", here)[0]
	once := old(challenge)
	if err := try(v, "INVITE", home, once); err != nil {
		t.Errorf("without qop: %v", err)
	}
	for _, again := range []string{once, with(1), with(onlyOnce - 1)} {
		if err := try(v, "INVITE", home, again); !errors.Is(err, ErrReplayed) {
			t.Errorf("after a use without qop: %v", err)
		}
	}
	if err := try(v, "INVITE", home, with(onlyOnce)); !errors.Is(err, ErrUnreadable) {
		t.Errorf("the highest count: %v", err)
	}
	challenge = v.Challenge(false, "", here)[0]
	if err := errors.Join(try(v, "INVITE", home, with(1)), try(v, "INVITE", home, old(challenge))); !errors.Is(err, ErrReplayed) {
		t.Errorf("without qop after a use with it: %v", err)
	}
	if err := try(v, "INVITE", home, old(v.Challenge(false, "", here)[1])); !errors.Is(err, ErrUnreadable) {
		t.Errorf("SHA-256 without qop: %v", err)
	}
}

// A nonce dies of age, and the client is told that it was the nonce.
func TestNonceTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := New(Config{Password: alice, Lifetime: time.Minute})
		challenge := v.Challenge(false, "", here)[0]
		with := func(count int) string {
			return answer(t, challenge, "REGISTER", home, digest.Options{Username: "alice", Password: "secret", Count: count}, nil)
		}
		time.Sleep(time.Minute)
		if err := try(v, "REGISTER", home, with(1)); err != nil {
			t.Errorf("after its minute: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if err := try(v, "REGISTER", home, with(2)); !errors.Is(err, ErrStale) || !Renewable(err) {
			t.Errorf("later: %v", err)
		}
		if Renewable(ErrWrong) || !Renewable(ErrForeign) || !Renewable(ErrReplayed) {
			t.Error("what is stale is not what it should be")
		}
		if c := v.Challenge(true, "", here)[0]; !strings.Contains(c, "stale=true") {
			t.Errorf("challenge %q", c)
		}
	})
}

// What is remembered of nonces is bounded, and what had to be forgotten cannot
// be used again.
func TestMemory(t *testing.T) {
	t.Parallel()
	v := New(Config{Password: alice, Remembered: 10})
	var headers []string
	for i := range 30 {
		h := answer(t, v.Challenge(false, "", here)[0], "REGISTER", home, digest.Options{Username: "alice", Password: "secret"}, nil)
		headers = append(headers, h)
		if err := try(v, "REGISTER", home, h); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if len(v.used.counts) != 10 || len(v.used.order) != 10 {
		t.Errorf("%d nonces are remembered, want 10", len(v.used.counts))
	}
	for i, h := range headers {
		if err := try(v, "REGISTER", home, h); !Renewable(err) {
			t.Errorf("nonce %d again: %v", i, err)
		}
	}
	old := v.mint.make(time.Unix(0, v.used.floor), here)
	if b, ok := v.mint.read(old, here); !ok || v.used.use(b, 1) {
		t.Error("a nonce that may have been forgotten is taken")
	}
}

// A nonce is good for the source that asked for it, and somebody else's answer
// is not looked at.
func TestSource(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		asked, answers string
		want           error
	}{
		{"192.0.2.1", "192.0.2.1", nil},
		{"192.0.2.1", "::ffff:192.0.2.1", nil}, // heard on a socket of both versions
		{"192.0.2.1", "192.0.2.2", ErrForeign},
		{"192.0.2.1", "2001:db8::1", ErrForeign},
		{"2001:db8::1", "2001:db8::ffff:1", nil},
		{"fe80::1%eth0", "fe80::2%eth1", nil},
		{"2001:db8::1", "2001:db8:0:1::1", ErrForeign},
	} {
		v := New(Config{Password: alice})
		challenge := v.Challenge(false, "", netip.MustParseAddr(tc.asked))[0]
		header := answer(t, challenge, "REGISTER", home, digest.Options{Username: "alice", Password: "secret", Count: 1}, nil)
		if err := tryFrom(v, netip.MustParseAddr(tc.answers), "REGISTER", home, header); !errors.Is(err, tc.want) {
			t.Errorf("asked for by %s, answered by %s: %v, want %v", tc.asked, tc.answers, err, tc.want)
		}
		if err := tryFrom(v, netip.MustParseAddr(tc.asked), "REGISTER", home, header); (err != nil) != (tc.want == nil) {
			t.Errorf("then by %s: %v", tc.asked, err)
		}
	}
}

// Who asks in vain costs no memory.
func TestStateless(t *testing.T) {
	t.Parallel()
	v := New(Config{Password: alice})
	for range 1000 {
		_ = try(v, "REGISTER", home, answer(t, v.Challenge(false, "", here)[0], "REGISTER", home, digest.Options{Username: "alice"}, nil))
	}
	if len(v.used.counts) != 0 {
		t.Errorf("%d nonces are remembered of nobody", len(v.used.counts))
	}
}

func TestAgents(t *testing.T) {
	t.Parallel()
	v := New(Config{Password: alice})
	for agent, want := range map[string]int{
		"": 2, "Linphone/5.1": 2, "baresip v1.0.0 (x86_64/linux)": 1, "baresip v3.10.1 (x86_64/Linux)": 1,
		"baresip v3.11.0 (x86_64/Linux)": 2, "baresip v4.0.0": 2, "baresip": 2,
	} {
		if got := v.Challenge(false, agent, here); len(got) != want || !strings.Contains(got[0], "algorithm=MD5") {
			t.Errorf("%s: %q, want %d", agent, got, want)
		}
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := NewThrottle()
		at := func(address string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(address), 5060) }
		source, other := at("192.0.2.1"), at("192.0.2.2")
		var logged []int
		for i := range 2 * guessesAtOne {
			if log, _ := th.Wrong(source, "alice", false); log {
				logged = append(logged, i)
			}
		}
		if !slices.Equal(logged, []int{0, guessesAtOne - 1}) {
			t.Errorf("logged guesses %v, want the first and the last that is looked at", logged)
		}
		time.Sleep(20 * time.Second)
		if wait := th.Wait(netip.AddrPortFrom(source.Addr(), 1), "alice", false); wait != 40*time.Second {
			t.Errorf("alice waits for %v", wait)
		}
		if th.Wait(source, "bob", false) != 0 || th.Wait(other, "alice", false) != 0 {
			t.Error("others wait too")
		}
		for i := range guessesOfOne {
			th.Wrong(source, fmt.Sprint("user", i), false)
			th.Wrong(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 5060), "alice", false)
		}
		if th.Wait(source, "bob", false) == 0 || th.Wait(other, "alice", false) == 0 {
			t.Error("who tries many usernames, and who is tried from many sources, do not wait")
		}
		if th.Wait(source, "alice", true) != 0 || th.Wait(source, "bob", true) != 0 || th.Wait(other, "alice", true) != 0 {
			t.Error("a registered phone waits because of others")
		}
		time.Sleep(40 * time.Second)
		if th.Wait(source, "alice", false) != 0 {
			t.Error("a new minute changes nothing")
		}
		for _, registered := range []bool{false, true} {
			for range guessesAtOne {
				th.Wrong(source, "alice", registered)
			}
			if th.Wait(source, "alice", registered) == 0 {
				t.Errorf("guesses are not counted; registered: %v", registered)
			}
			th.Right(source, "alice", registered)
			if th.Wait(source, "alice", registered) != 0 {
				t.Errorf("the right password changes nothing; registered: %v", registered)
			}
		}
		network := []netip.AddrPort{at("2001:db8::1"), at("2001:db8::2:1")}
		for i := range 2 * guessesAtOne {
			th.Wrong(network[i%2], "carol", false)
		}
		if th.Wait(at("2001:db8::3"), "carol", false) == 0 {
			t.Error("the addresses of one network are counted apart")
		}
		if !th.Odd(source.Addr(), "a") || th.Odd(source.Addr(), "a") || !th.Odd(source.Addr(), "b") {
			t.Error("odd things are not logged once")
		}
	})
}

// Many guessers cost no more than so much memory, and fill no log.
func TestThrottleBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := NewThrottle()
		lines := 0
		for i := range maxGuessers {
			source := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 5060)
			if log, _ := th.Wrong(source, fmt.Sprint(i), false); log {
				lines++
			}
			if len(th.counts) > maxGuessers {
				t.Fatalf("%d guessers are remembered", len(th.counts))
			}
		}
		if lines != guessesLogged {
			t.Errorf("%d lines in the log, want %d", lines, guessesLogged)
		}
	})
}

// FuzzAuthorization feeds the Verifier what anybody may send: nothing but the
// password lets in, and nothing breaks it.
func FuzzAuthorization(f *testing.F) {
	v := New(Config{Password: alice})
	o := digest.Options{Username: "alice", Password: "guess", Count: 1}
	for _, challenge := range v.Challenge(false, "", here) {
		f.Add(answer(f, challenge, "REGISTER", home, o, nil), home)
		f.Add(answer(f, challenge, "REGISTER", home, o, func(c *digest.Credentials) { c.QOP, c.Nc, c.Cnonce = "", 0, "" }), home)
	}
	f.Add(`Digest realm="callwright", nonce="", username="\"", uri=sip:x, nc=-1`, "sip:x")
	f.Add("Digest ", "")
	f.Fuzz(func(t *testing.T, header, uri string) {
		if err := try(v, "REGISTER", uri, header); err == nil {
			t.Errorf("%q was let in", header)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	v := New(Config{Password: alice})
	for i, algorithm := range []string{"MD5", "SHA-256"} {
		for _, username := range []string{"alice", "nobody"} {
			b.Run(algorithm+"/"+username, func(b *testing.B) {
				c, err := v.Find([]string{answer(b, v.Challenge(false, "", here)[i], "REGISTER", home, digest.Options{Username: username, Password: "guess"}, nil)}, here)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					_ = v.Check(c, "REGISTER", home)
				}
			})
		}
	}
}
