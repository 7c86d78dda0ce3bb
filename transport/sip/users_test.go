// SPDX-License-Identifier: MIT

package sip

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
	"github.com/google/go-cmp/cmp"
	"github.com/icholy/digest"
)

// withUsers is a house with two users who may call from anywhere, one of them
// with an app that is asked about what they call, and no trunk from which calls
// come.
func withUsers(t *testing.T, change func(*engine.Entries)) *house {
	t.Helper()
	return newHouse(t, func(_ *house, e *engine.Entries) {
		e.Trunks = []engine.Trunk{{Name: "out", Address: "127.0.0.1:9"}}
		e.Apps = append(e.Apps, engine.App{Key: "out", OutgoingURL: "http://localhost/out"})
		e.Users = []engine.User{
			{ID: "w0", Name: "Alice", Username: "alice", Password: "secret-a"},
			{ID: "w1", Username: "bob", Password: "secret-b", App: "out", CallerID: "+49 40 1"},
		}
		e.Groups = []engine.Group{{ID: "g0", Name: "all", Users: []string{"w0", "w1"}}}
		e.Numbers[0].Users = []string{"w0"}
		if change != nil {
			change(e)
		}
	})
}

// registrar is where phones of the house register.
func (h *house) registrar(network string) string {
	return "sip:" + h.server.Addr(network).String() + ";transport=" + network
}

// phoneOf gives a registered phone of a user.
func (h *house) phoneOf(username, password, network string, contacts ...string) *phone.Phone {
	h.t.Helper()
	p, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: username, Network: network})
	must(h.t, err)
	h.t.Cleanup(func() { _ = p.Close() })
	got, err := p.Register(phone.Registration{
		To: h.registrar(network), Username: username, Password: password, Contacts: contacts, Expires: 300,
	})
	must(h.t, err)
	if got.Status != 200 {
		h.t.Fatalf("%s registers: %+v", username, got)
	}
	return p
}

// ring has the house ring the only place of a user.
func (h *house) ring(user string) *call {
	h.t.Helper()
	contacts := h.server.Contacts(engine.DefaultAccount, user)
	if len(contacts) != 1 {
		h.t.Fatalf("%s is at %q", user, contacts)
	}
	return h.dial(engine.DialRequest{
		Target: engine.Target{Address: engine.Address{Kind: engine.KindUser, Value: user}, Contact: contacts[0]}, From: engine.NumberAddress("+4930"),
	})
}

// A phone is rung where it registered from, and everything inside the call goes
// there, whatever its Contact says: behind a NAT that leads nowhere.
func TestRegisteredPhone(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			h := withUsers(t, nil)
			if got := h.server.Contacts(engine.DefaultAccount, "w0"); len(got) != 0 {
				t.Errorf("alice is at %q before", got)
			}
			p := h.phoneOf("alice", "secret-a", network, "<sip:alice@10.255.255.1:5060>")
			leg := h.ring("w0")
			in, err := p.Accept(t.Context())
			must(t, err)
			if in.To.URI != "sip:alice@10.255.255.1:5060" {
				t.Errorf("called as %s", in.To.URI)
			}
			must(t, in.Answer())
			leg.want(engine.LegAnswered{})
			must(t, in.WaitAnswer(t.Context()))
			leg.Hangup(engine.CauseNormal)
			if _, err := in.WaitEnd(t.Context()); err != nil {
				t.Error(err)
			}
			leg.want(engine.LegEnded{Cause: engine.CauseNormal, Figures: media.Figures{Sent: 7}})
			got, err := p.Register(phone.Registration{
				To: h.registrar(network), Username: "alice", Password: "secret-a", Contacts: []string{"*"},
			})
			must(t, err)
			if got.Status != 200 || len(h.server.Contacts(engine.DefaultAccount, "w0")) != 0 {
				t.Errorf("taken back: %+v", got)
			}
		})
	}
}

// A connection that is gone cannot be rung over; the phone is offline, unless
// its contact is at the same address.
func TestConnectionGone(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	behind := h.phoneOf("alice", "secret-a", "tcp", "<sip:alice@10.255.255.1:5060>")
	open := h.phoneOf("bob", "secret-b", "tcp")
	must(t, behind.Close())
	must(t, open.Close())
	for deadline := time.Now().Add(patience); len(h.server.Contacts(engine.DefaultAccount, "w0")) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("alice is still there")
		}
	}
	_, err := h.server.Dial(engine.DialRequest{Account: engine.DefaultAccount, Target: engine.Target{Address: engine.Address{Kind: engine.KindUser, Value: "w0"}}})
	var refused *engine.DialError
	if !errors.As(err, &refused) || refused.Cause != engine.CauseOffline {
		t.Errorf("%v", err)
	}
	if got := h.server.Contacts(engine.DefaultAccount, "w1"); len(got) != 1 {
		t.Errorf("bob is at %q", got)
	}
}

// The configured contact is rung besides the registered ones.
func TestStaticContact(t *testing.T) {
	t.Parallel()
	h := withUsers(t, func(e *engine.Entries) { e.Users[0].Contact = "sip:desk@127.0.0.1:9" })
	h.phoneOf("alice", "secret-a", "udp", "<sip:alice@10.0.0.1>")
	if diff := cmp.Diff([]string{"sip:alice@10.0.0.1", "sip:desk@127.0.0.1:9"}, h.server.Contacts(engine.DefaultAccount, "w0")); diff != "" {
		t.Errorf("contacts (-want +got):\n%s", diff)
	}
}

// A user calls with its credentials, from wherever; what From says is not
// believed.
func TestUserCalls(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	alice, _ := h.server.cfg.Directory.User(engine.DefaultAccount, "w0")
	bob, _ := h.server.cfg.Directory.User(engine.DefaultAccount, "w1")
	fromAlice, fromBob := alice.Address(), bob.Address()
	ours, _ := h.server.cfg.Directory.Number(engine.DefaultAccount, "+4921112345")
	for _, tc := range []struct {
		dialled string
		user    engine.User
		want    engine.Arrival
	}{
		{"w1", alice, engine.Arrival{From: fromAlice, To: engine.Address{Kind: engine.KindUser, Value: "w1"}}},
		{"bob", alice, engine.Arrival{From: fromAlice, To: engine.Address{Kind: engine.KindUser, Value: "w1"}}},
		{"g0", alice, engine.Arrival{From: fromAlice, To: engine.Address{Kind: engine.KindGroup, Value: "g0", Name: "all"}}},
		{"004921112345", alice, engine.Arrival{From: fromAlice, To: engine.NumberAddress("+4921112345"), Number: ours}},
		{"+4921112345", bob, engine.Arrival{From: fromBob, To: engine.NumberAddress("+4921112345")}},
		{"0301234", alice, engine.Arrival{From: fromAlice, To: engine.NumberAddress("0301234")}},
		{"+4930", bob, engine.Arrival{From: fromBob, To: engine.NumberAddress("+4930")}},
		{"112", bob, engine.Arrival{From: fromBob, To: engine.NumberAddress("112")}},
	} {
		p := newPhone(t, phone.Config{})
		out, err := p.Dial(h.uri(tc.dialled), phone.CallOptions{
			From: dialog.Party{Name: "Eve", URI: "sip:+49999@test"}, Username: tc.user.Username, Password: tc.user.Password,
		})
		must(t, err)
		leg := h.next()
		tc.want.Account, tc.want.Caller, tc.want.MaxForwards = engine.DefaultAccount, tc.user, 70
		if diff := cmp.Diff(tc.want, leg.Arrival); diff != "" {
			t.Errorf("%s dials %s (-want +got):\n%s", tc.user.ID, tc.dialled, diff)
		}
		must(t, leg.Answer())
		must(t, out.WaitAnswer(t.Context()))
		leg.Hangup(engine.CauseNormal)
		if _, err := out.WaitEnd(t.Context()); err != nil {
			t.Error(err)
		}
	}
	p := newPhone(t, phone.Config{})
	out, err := p.Dial(h.uri("w1"), phone.CallOptions{
		Headers: []dialog.Header{{Name: "Privacy", Value: "id"}}, Username: "alice", Password: "secret-a",
	})
	must(t, err)
	leg := h.next()
	if leg.From != engine.Anonymous() || leg.Caller.ID != "w0" {
		t.Errorf("withheld: from %+v by %q", leg.From, leg.Caller.ID)
	}
	must(t, leg.Progress(false))
	must(t, out.WaitRinging(t.Context()))
	out.Hangup() // a CANCEL shows no credentials
	leg.want(engine.LegEnded{Cause: engine.CauseCancelled, Remote: true, Figures: media.Figures{Sent: 7}})
}

// What users may not is refused, with a line in the log that says what to do.
func TestUserRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, dialled, username, password string
		change                            func(*engine.Entries)
		status                            int
		says                              string
	}{
		{"nobody of that name", "carol", "alice", "secret-a", nil, 404, `w0 dialled \"carol\", which is no user, group or number; the nearest number is \"+4921112345\"`},
		{"no trunk", "0301234", "alice", "secret-a", func(e *engine.Entries) { e.Trunks = nil }, 404, "no trunk has an address"},
		{"wrong password", "w1", "alice", "wrong", nil, 401, "the username or the password is wrong"},
		{"no such user", "w1", "carol", "secret-a", nil, 401, `no user has that username, the nearest one is \"alice\"`},
		{"nobody may call", "w1", "alice", "secret-a", func(e *engine.Entries) { e.Users = nil; e.Groups = nil; e.Numbers = nil }, 403, "or give a user a username"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := withUsers(t, tc.change)
			p := newPhone(t, phone.Config{})
			out, err := p.Dial(h.uri(tc.dialled), phone.CallOptions{Username: tc.username, Password: tc.password})
			must(t, err)
			var ended *phone.EndedError
			if err := out.WaitAnswer(t.Context()); !errors.As(err, &ended) || ended.Status != tc.status {
				t.Errorf("%v, want %d", err, tc.status)
			}
			must(t, h.server.Close())
			if log := h.log.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, tc.says) {
				t.Errorf("log:\n%s", log)
			}
			if got := h.refused; len(got) != 1 || got[0].Status != tc.status || !strings.Contains(strconv.Quote(got[0].Reason), tc.says) {
				t.Errorf("records of refused calls: %v, want one", got)
			}
		})
	}
}

// A source of a trunk is a trunk's, unless it shows that it is a user's.
func TestTrunkOrUser(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(_ *house, e *engine.Entries) {
		e.Users = []engine.User{{ID: "w0", Username: "alice", Password: "secret-a"}}
	})
	h.phoneOf("alice", "secret-a", "udp")
	_, err := newPhone(t, phone.Config{}).Dial(h.uri("+4921112345"), phone.CallOptions{})
	must(t, err)
	leg := h.next()
	if leg.Trunk != "test" || leg.Caller.ID != "" {
		t.Errorf("arrival %+v", leg.Arrival)
	}
	leg.Hangup(engine.CauseBusy)
}

// Who calls from the address of a trunk without its certificate is asked for a
// password, and the operator is told what was missing.
func TestTrunkWithoutItsName(t *testing.T) {
	t.Parallel()
	h := withUsers(t, func(e *engine.Entries) {
		e.Trunks = append(e.Trunks, engine.Trunk{
			Name: "sbc", AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, TLS: engine.TrunkTLS{ClientName: "sbc.test"},
		})
	})
	c, err := newPhone(t, phone.Config{}).Dial(h.uri("+4921112345"), phone.CallOptions{})
	must(t, err)
	var ended *phone.EndedError
	if err := c.WaitAnswer(t.Context()); !errors.As(err, &ended) || ended.Status != 401 {
		t.Errorf("%v, want 401", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.refused) != 1 || !strings.Contains(h.refused[0].Reason, `in the name of "sbc.test" (trunks[].tls.client_name)`) {
		t.Errorf("refused %+v", h.refused)
	}
}

// line is a peer that writes bare messages.
type line struct {
	t    *testing.T
	conn net.Conn
	n    int
}

func (h *house) line() *line {
	h.t.Helper()
	conn, err := net.Dial("udp", h.server.Addr("udp").String())
	must(h.t, err)
	h.t.Cleanup(func() { conn.Close() })
	return &line{t: h.t, conn: conn}
}

// register sends a REGISTER and gives the response.
func (l *line) register(user string, headers ...string) string {
	l.t.Helper()
	l.n++
	_, err := fmt.Fprintf(l.conn, "REGISTER sip:callwright.test SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d;rport\r\n"+
		"From: <sip:%[3]s@callwright.test>;tag=a\r\nTo: <sip:%[3]s@callwright.test>\r\nCall-ID: x%[4]d\r\nCSeq: 1 REGISTER\r\n"+
		"Contact: <sip:x@%[1]s>\r\n%[5]sContent-Length: 0\r\n\r\n",
		l.conn.LocalAddr(), l.n, user, l.n, strings.Join(append(headers, ""), "\r\n"))
	must(l.t, err)
	return l.read()
}

func (l *line) read() string {
	l.t.Helper()
	must(l.t, l.conn.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 4096)
	n, err := l.conn.Read(buf)
	must(l.t, err)
	return string(buf[:n])
}

// answer answers the first challenge of a response.
func (l *line) answer(response, username, password string) string {
	l.t.Helper()
	header := regexp.MustCompile(`nonce="([^"]+)"`).FindStringSubmatch(response)
	if header == nil {
		l.t.Fatalf("no challenge in\n%s", response)
	}
	return "Authorization: " + authorization(l.t, header[1], "REGISTER", "sip:callwright.test", username, password)
}

// The answer to a wrong password and to a user who is not there differ in
// nothing; and a request that repeats another's credentials is refused.
func TestSameRefusal(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	l := h.line()
	shape := func(response string) string {
		for _, part := range []string{`nonce="[^"]*"`, `branch=z9hG4bK\d+`, `Call-ID: x\d+`, `tag=[0-9a-f-]+`} {
			response = regexp.MustCompile(part).ReplaceAllString(response, "")
		}
		return response
	}
	wrong := l.register("alice", l.answer(l.register("alice"), "alice", "wrong"))
	nobody := l.register("alice", l.answer(l.register("alice"), "nobody", "wrong"))
	if diff := cmp.Diff(shape(wrong), shape(nobody)); diff != "" || !strings.HasPrefix(wrong, "SIP/2.0 401 ") || strings.Contains(wrong, "stale") {
		t.Errorf("wrong password and unknown user (-/+):\n%s\n%s", diff, wrong)
	}
	right := l.answer(wrong, "alice", "secret-a")
	if got := l.register("bob", right); !strings.HasPrefix(got, "SIP/2.0 403 ") {
		t.Errorf("alice registers bob:\n%s", got)
	}
	right = l.answer(wrong, "alice", "secret-a")
	if got := l.register("alice", right); !strings.HasPrefix(got, "SIP/2.0 401 ") || !strings.Contains(got, "stale=true") {
		t.Errorf("a nonce that was used:\n%s", got)
	}
	right = l.answer(l.register("alice"), "alice", "secret-a")
	if got := l.register("alice", right); !strings.HasPrefix(got, "SIP/2.0 200 ") {
		t.Errorf("right:\n%s", got)
	}
	thief := h.line()
	if got := thief.register("alice", right); !strings.HasPrefix(got, "SIP/2.0 401 ") || !strings.Contains(got, "stale=true") {
		t.Errorf("replayed:\n%s", got)
	}
	forged := strings.Replace(right, `nonce="`, `nonce="A`, 1)
	if got := thief.register("alice", forged); !strings.HasPrefix(got, "SIP/2.0 401 ") || !strings.Contains(got, "stale=true") {
		t.Errorf("forged:\n%s", got)
	}
	must(t, h.server.Close())
	if log := h.log.String(); strings.Contains(log, "secret-a") || !strings.Contains(log, "a replay") {
		t.Errorf("log:\n%s", log)
	}
}

// A repetition of a request gets the same answer, though its nonce is used.
func TestRepeatedRegister(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	l := h.line()
	first := l.register("alice", l.answer(l.register("alice"), "alice", "secret-a"))
	if !strings.HasPrefix(first, "SIP/2.0 200 ") {
		t.Fatal(first)
	}
	right := l.answer(l.register("alice"), "alice", "secret-a")
	second := l.register("alice", right)
	l.n--
	if again := l.register("alice", right); again != second {
		t.Errorf("repeated: %s", cmp.Diff(second, again))
	}
}

// Who guesses has to wait, and the log has two lines of it.
func TestGuessing(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	l := h.line()
	statuses := map[string]int{}
	for range 20 {
		got := l.register("alice", l.answer(l.register("alice"), "alice", "guess"))
		statuses[got[:11]]++
		if strings.HasPrefix(got, "SIP/2.0 503") && !strings.Contains(got, "Retry-After: ") {
			t.Errorf("it is not said when to come back:\n%s", got)
		}
	}
	if diff := cmp.Diff(map[string]int{"SIP/2.0 401": 10, "SIP/2.0 503": 10}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if got := l.register("bob", l.answer(l.register("bob"), "bob", "secret-b")); !strings.HasPrefix(got, "SIP/2.0 200 ") {
		t.Errorf("bob, from the same address:\n%s", got)
	}
	must(t, h.server.Close())
	if log := h.log.String(); strings.Count(log, "level=WARN") != 2 || !strings.Contains(log, "no more are looked at") {
		t.Errorf("log:\n%s", log)
	}
}

// authorization is the value of an Authorization header, with MD5.
func authorization(t *testing.T, nonce, method, uri, username, password string) string {
	t.Helper()
	made, err := digest.Digest(&digest.Challenge{Realm: "callwright", Nonce: nonce, Algorithm: "MD5", QOP: []string{"auth"}},
		digest.Options{Method: method, URI: uri, Count: 1, Username: username, Password: password})
	must(t, err)
	return made.String()
}

// Where a trunk and phones share an address, a registered phone calls as its
// user, and anybody else by the trunk.
func TestPhoneBesideATrunk(t *testing.T) {
	t.Parallel()
	h := withUsers(t, func(e *engine.Entries) {
		e.Trunks = []engine.Trunk{{Name: "near", Address: "127.0.0.1:9", AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	})
	alice := h.phoneOf("alice", "secret-a", "udp")
	for _, tc := range []struct {
		phone  *phone.Phone
		caller string
		trunk  string
	}{{alice, "w0", ""}, {newPhone(t, phone.Config{User: "alice"}), "", "near"}} {
		out, err := tc.phone.Dial(h.uri("+4921112345"), phone.CallOptions{Username: "alice", Password: "secret-a"})
		must(t, err)
		leg := h.next()
		if leg.Arrival.Caller.ID != tc.caller || leg.Arrival.Trunk != tc.trunk {
			t.Errorf("the call is of user %q by trunk %q, want %q and %q", leg.Arrival.Caller.ID, leg.Arrival.Trunk, tc.caller, tc.trunk)
		}
		leg.Hangup(engine.CauseBusy)
		if _, err := out.WaitEnd(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
