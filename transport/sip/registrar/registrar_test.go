// SPDX-License-Identifier: MIT

package registrar

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal keeps what it is told in words.
type journal struct {
	mu      sync.Mutex
	told    []string
	broken  error
	durable int
}

func (j *journal) Append(changes ...engine.Change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range changes {
		switch c := c.(type) {
		case engine.RegistrationSaved:
			j.told = append(j.told, "saved "+c.Registration.User+" "+c.Registration.Contact)
		case engine.RegistrationEnded:
			j.told = append(j.told, "ended "+c.User+" "+c.Contact)
		}
	}
}

func (j *journal) Durable(context.Context) error {
	j.durable++
	return j.broken
}

// house is a Registrar and a phone of Alice's.
type house struct {
	t *testing.T
	*Registrar
	journal *journal
	cseq    uint32
}

var alice = directory.User{Account: "a", ID: "w0", Username: "alice"}

func newHouse(t *testing.T, cfg Config) *house {
	t.Helper()
	h := &house{t: t, journal: &journal{}}
	cfg.Journal, cfg.Log, cfg.Node = h.journal, slog.New(slog.DiscardHandler), "here"
	if cfg.May == nil {
		cfg.May = func(string, string) bool { return true }
	}
	if cfg.Reachable == nil {
		cfg.Reachable = func(directory.Registration) bool { return true }
	}
	h.Registrar = New(cfg)
	h.Start()
	t.Cleanup(h.Close)
	return h
}

var home = netip.MustParseAddrPort("192.0.2.1:5060")

// register sends a REGISTER with headers, each "Name: value".
func (h *house) register(headers ...string) dialog.Response {
	h.cseq++
	return h.send(dialog.Request{Hop: home, Network: "UDP", CallID: "call", CSeq: h.cseq}, headers...)
}

// from does so from a source.
func (h *house) from(source string, headers ...string) dialog.Response {
	h.cseq++
	return h.send(dialog.Request{Hop: netip.MustParseAddrPort(source), Network: "TCP", CallID: "call", CSeq: h.cseq}, headers...)
}

func (h *house) send(r dialog.Request, headers ...string) dialog.Response {
	r.Header = func(name string) []string {
		var values []string
		for _, header := range headers {
			if value, ok := strings.CutPrefix(header, name+": "); ok {
				values = append(values, value)
			}
		}
		return values
	}
	return h.Register(alice, r)
}

// want compares a response, in words, with the one wanted.
func (h *house) want(got dialog.Response, want ...string) {
	h.t.Helper()
	words := []string{fmt.Sprint(got.Status, " ", got.Phrase)}
	for _, header := range got.Headers {
		words = append(words, header.Name+": "+header.Value)
	}
	if diff := cmp.Diff(want, words); diff != "" {
		h.t.Errorf("response (-want +got):\n%s", diff)
	}
}

// kept gives what was kept since the last time.
func (h *house) kept() []string {
	h.journal.mu.Lock()
	defer h.journal.mu.Unlock()
	told := h.journal.told
	h.journal.told = nil
	return told
}

// journaled compares that with what is wanted.
func (h *house) journaled(want ...string) {
	h.t.Helper()
	if diff := cmp.Diff(want, h.kept()); diff != "" {
		h.t.Errorf("kept (-want +got):\n%s", diff)
	}
}

// contacts gives where Alice is.
func (h *house) contacts() []string {
	var all []string
	for _, p := range h.Places("a", "w0") {
		all = append(all, p.Contact)
	}
	return all
}

func TestRegister(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, Config{})
		h.want(h.register(), "200 OK")
		h.want(h.register(`Contact: "A" <sip:alice@10.0.0.1:5060;transport=udp>;q=0.5;expires=120`, "Expires: 300", "User-Agent: phone 1"),
			"200 OK", "Contact: <sip:alice@10.0.0.1:5060;transport=udp>;expires=120")
		h.journaled("saved w0 sip:alice@10.0.0.1:5060;transport=udp")
		want := []directory.Registration{{
			Account: "a", User: "w0", Contact: "sip:alice@10.0.0.1:5060;transport=udp", Source: "udp:192.0.2.1:5060",
			CallID: "call", CSeq: 2, Agent: "phone 1", Node: "here", Expires: time.Now().Add(120 * time.Second),
		}}
		if diff := cmp.Diff(want, h.Places("a", "w0")); diff != "" {
			t.Errorf("places (-want +got):\n%s", diff)
		}
		if len(h.Places("b", "w0")) != 0 || !h.Knows(home) || h.Knows(netip.MustParseAddrPort("192.0.2.1:5061")) {
			t.Error("others are known, too")
		}
		time.Sleep(30 * time.Second)
		h.want(h.register("Contact: <sip:alice@[2001:DB8::1]>", "Expires: 300"), "200 OK",
			"Contact: <sip:alice@10.0.0.1:5060;transport=udp>;expires=90", "Contact: <sip:alice@[2001:db8::1]>;expires=300")
		h.want(h.register("Contact: <sip:alice@10.0.0.1:5060;transport=udp>", "Contact: <sip:alice@[2001:db8::1]>;expires=0"), "200 OK",
			"Contact: <sip:alice@10.0.0.1:5060;transport=udp>;expires=3600")
		h.journaled("saved w0 sip:alice@[2001:db8::1]", "ended w0 sip:alice@[2001:db8::1]", "saved w0 sip:alice@10.0.0.1:5060;transport=udp")
		durable := h.journal.durable
		h.want(h.register(), "200 OK", "Contact: <sip:alice@10.0.0.1:5060;transport=udp>;expires=3600")
		if h.journal.durable != durable {
			t.Error("a question waits for the disk")
		}
		h.want(h.register("Contact: <sip:alice@never.test>;expires=0"), "200 OK", "Contact: <sip:alice@10.0.0.1:5060;transport=udp>;expires=3600")
		h.want(h.register("Contact: *", "Expires: 0"), "200 OK")
		h.journaled("ended w0 sip:alice@10.0.0.1:5060;transport=udp")
		if h.Knows(home) || len(h.places) != 0 {
			t.Error("something is left behind")
		}
	})
}

func TestHowLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, Config{})
		for _, tc := range []struct{ contact, expires, want string }{
			{"<sip:a@h>", "", "3600"}, {"<sip:a@h>", "soon", "3600"}, {"<sip:a@h>;expires=-1", "", "3600"},
			{"<sip:a@h>;expires=60", "", "60"}, {"<sip:a@h>", "86400", "7200"}, {"<sip:a@h>;expires=4294967295", "", "7200"},
			{"sip:a@h;expires=70", "", "70"}, // not a parameter of the URI (RFC 3261 section 20.10)
		} {
			headers := []string{"Contact: " + tc.contact}
			if tc.expires != "" {
				headers = append(headers, "Expires: "+tc.expires)
			}
			h.want(h.register(headers...), "200 OK", "Contact: <sip:a@h>;expires="+tc.want)
		}
		h.want(h.register("Contact: <sip:a@h>;expires=59"), "423 Interval Too Brief", "Min-Expires: 60")
	})
}

// What cannot be carried out as a whole changes nothing.
func TestRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Config{})
	h.register("Contact: <sip:alice@here>", "Expires: 300")
	h.journaled("saved w0 sip:alice@here")
	for _, tc := range []struct {
		headers []string
		want    []string
	}{
		{[]string{"Contact: *"}, []string{"400 Contact * Must Be Alone With Expires 0"}},
		{[]string{"Contact: *", "Expires: 10"}, []string{"400 Contact * Must Be Alone With Expires 0"}},
		{[]string{"Contact: *", "Contact: <sip:a@b>", "Expires: 0"}, []string{"400 Contact * Must Be Alone With Expires 0"}},
		{[]string{"Contact: <tel:+4930>"}, []string{"400 Contact Is No SIP URI"}},
		{[]string{"Contact: <sips:a@b>"}, []string{"400 Contact Is No SIP URI"}},
		{[]string{"Contact: nonsense"}, []string{"400 Contact Is No SIP URI"}},
		{[]string{"Contact: <sip:a b@c>"}, []string{"400 Contact Is No SIP URI"}},
		{[]string{"Contact: <sip:" + strings.Repeat("a", 600) + "@c>"}, []string{"400 Contact Is No SIP URI"}},
		{[]string{"Contact: <sip:new@b>", "Contact: <sip:other@b>;expires=1"}, []string{"423 Interval Too Brief", "Min-Expires: 60"}},
		{[]string{"Require: outbound", "Require: path", "Contact: <sip:a@b>"}, []string{"420 Bad Extension", "Unsupported: outbound, path"}},
	} {
		h.want(h.register(tc.headers...), tc.want...)
	}
	h.want(h.send(dialog.Request{CallID: strings.Repeat("x", 600)}, "Contact: <sip:a@b>"), "400 Call-ID Too Long")
	for _, cseq := range []uint32{0, 1} { // a message that was overtaken, and one that is repeated late
		h.want(h.send(dialog.Request{Hop: home, CallID: "call", CSeq: cseq}, "Contact: <sip:alice@here>;expires=0", "Contact: <sip:new@b>"),
			"500 CSeq Out Of Order")
	}
	h.journaled()
	if got := h.contacts(); !slices.Equal(got, []string{"sip:alice@here"}) {
		t.Errorf("alice is at %q", got)
	}
	h.want(h.send(dialog.Request{Hop: home, CallID: "restarted", CSeq: 1}, "Contact: <sip:alice@here>;expires=0"), "200 OK")
}

// A user has a limited number of places; those that are there stay.
func TestTooMany(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Config{})
	statuses := map[int]int{}
	for i := range 50 {
		got := h.from(fmt.Sprintf("10.0.0.%d:5060", i), fmt.Sprintf("Contact: <sip:alice@10.0.0.%d>", i))
		statuses[got.Status]++
		if i == 10 {
			h.want(got, "403 Too Many Contacts", `Warning: 399 callwright "a user can be registered at 10 contacts; take one back, or wait until one expires"`)
		}
	}
	if diff := cmp.Diff(map[int]int{200: 10, 403: 40}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if got := h.contacts(); len(got) != 10 || got[0] != "sip:alice@10.0.0.0" {
		t.Errorf("alice is at %q", got)
	}
	var all []string
	for i := range 50 {
		all = append(all, fmt.Sprintf("Contact: <sip:alice@10.0.1.%d>", i))
	}
	if got := h.register(all...); got.Status != 403 {
		t.Errorf("50 at once: %+v", got)
	}
	// What a request gives and takes back is nowhere, and makes no room.
	all = nil
	for i := range 50 {
		contact := fmt.Sprintf("Contact: <sip:alice@10.0.2.%d>", i)
		all = append(all, contact, contact+";expires=0")
	}
	all = append(all, "Contact: <sip:alice@10.0.0.3>")
	if got := h.register(all...); got.Status != 200 || len(h.contacts()) != 10 {
		t.Errorf("50 given and taken back: %+v; alice is at %q", got, h.contacts())
	}
	// Those that are there may stay, and one may take another's place.
	if got := h.register("Contact: <sip:alice@10.0.0.3>"); got.Status != 200 {
		t.Errorf("again: %+v", got)
	}
	if got := h.register("Contact: <sip:alice@10.0.0.3>;expires=0", "Contact: <sip:alice@10.0.0.99>"); got.Status != 200 {
		t.Errorf("one for another: %+v", got)
	}
}

// What is not renewed is forgotten, also in the journal, without a timer each. It
// runs alone, because it counts the goroutines of the process.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		h := newHouse(t, Config{})
		for i := range 5 {
			h.register(fmt.Sprintf("Contact: <sip:alice@10.0.0.%d>;expires=%d", i, 60+60*i))
		}
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n > 1 {
			t.Errorf("%d goroutines", n)
		}
		h.kept()
		time.Sleep(time.Minute)
		if got := h.contacts(); len(got) != 4 || h.Knows(home) == false {
			t.Errorf("after a minute: %q", got)
		}
		time.Sleep(sweepEvery)
		synctest.Wait()
		h.journaled("ended w0 sip:alice@10.0.0.0")
		time.Sleep(time.Hour)
		synctest.Wait()
		if ended := h.kept(); len(h.places) != 0 || h.Knows(home) || len(ended) != 4 {
			t.Errorf("after an hour: %v, %v", h.places, ended)
		}
	})
}

// An earlier run's registrations hold until they expire.
func TestSaved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		saved := []directory.Registration{
			{Account: "a", User: "w0", Contact: "sip:alice@old", Source: "udp:192.0.2.1:5060", CallID: "call", CSeq: 7, Node: "here", Expires: time.Now().Add(-time.Second)},
			{Account: "a", User: "w0", Contact: "sip:alice@here", Source: "udp:192.0.2.1:5060", CallID: "call", CSeq: 7, Node: "here", Expires: time.Now().Add(time.Minute)},
		}
		h := newHouse(t, Config{Saved: saved})
		synctest.Wait()
		h.journaled("ended w0 sip:alice@old")
		if got := h.contacts(); !slices.Equal(got, []string{"sip:alice@here"}) || !h.Knows(home) {
			t.Errorf("alice is at %q", got)
		}
		h.want(h.register("Contact: <sip:alice@here>"), "500 CSeq Out Of Order")
	})
}

// A phone is told so when it cannot be kept.
func TestNotDurable(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Config{})
	h.journal.broken = errors.New("the disk is full")
	h.want(h.register("Contact: <sip:alice@here>"), "503 Service Unavailable", "Retry-After: 5")
}

// FuzzContact feeds the Registrar what anybody with a password may send.
func FuzzContact(f *testing.F) {
	for _, seed := range []string{"*", "<sip:a@b>", `"x" <sip:a@b:1;lr?h=v>;expires=60`, "sip:a@b;expires=1", "<tel:1>", "<sip:a\x00@b>", "<", ""} {
		f.Add(seed, "300", 7)
	}
	f.Fuzz(func(t *testing.T, contact, expires string, n int) {
		h := &house{t: t, journal: &journal{}}
		h.Registrar = New(Config{
			Journal: h.journal, Log: slog.New(slog.DiscardHandler), Reachable: func(directory.Registration) bool { return true },
		})
		got := h.register("Contact: "+contact, "Expires: "+expires)
		for _, header := range got.Headers {
			if strings.ContainsAny(header.Value, "\r\n") {
				t.Errorf("header %q", header)
			}
		}
		for _, p := range h.Places("a", "w0") {
			if again := h.register("Contact: <" + p.Contact + ">;expires=0"); again.Status != 200 || len(h.contacts()) != 0 {
				t.Errorf("%q cannot be taken back: %+v", p.Contact, again)
			}
		}
	})
}

// BenchmarkRegister registers ever new users; it says how much memory one keeps.
func BenchmarkRegister(b *testing.B) {
	r := New(Config{Journal: &journal{}, Log: slog.New(slog.DiscardHandler)})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := 0
	for b.Loop() {
		n++
		contact := fmt.Sprintf("Contact: <sip:user%d@10.%d.%d.%d:5060>", n, byte(n>>16), byte(n>>8), byte(n))
		r.cfg.Journal = &journal{}
		r.Register(directory.User{Account: "default", ID: fmt.Sprint("w", n)}, dialog.Request{
			Hop: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 5060), Network: "UDP",
			CallID: fmt.Sprintf("%032d", n), CSeq: 1,
			Header: func(name string) []string {
				switch name {
				case "Contact":
					return []string{contact[len("Contact: "):]}
				case "User-Agent":
					return []string{"some telephone 1.2.3"}
				}
				return nil
			},
		})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "bytes-kept/registration")
	runtime.KeepAlive(r)
}
