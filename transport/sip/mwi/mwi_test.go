// SPDX-License-Identifier: MIT

package mwi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench are Lamps with everything around them, under a clock that tests move.
type bench struct {
	*Lamps
	t   *testing.T
	log bytes.Buffer

	mu             sync.Mutex
	unheard, heard int
	broken         error // why nothing can be counted
	counted        int
	gone           map[string]bool // users
	phones         []engine.Registration
	unasked        []*watcher
}

// watcher is a phone that notes what it is told and answers what it is told to.
type watcher struct {
	b         *bench
	mu        sync.Mutex
	name      string
	told      []string
	answer    int           // 0 is 200
	wait      chan struct{} // if set, no answer before it is closed
	forgotten bool
}

func (w *watcher) Notify(_ context.Context, body []byte, done func(dialog.Reply), headers ...dialog.Header) {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := headers[0].Value
	if i := bytes.Index(body, []byte("Voice-Message: ")); i >= 0 {
		line += " " + strings.TrimSuffix(string(body[i+len("Voice-Message: "):]), " (0/0)\r\n")
	}
	w.told = append(w.told, line)
	status, wait := 200, w.wait
	if w.answer != 0 {
		status = w.answer
	}
	go func() {
		if wait != nil {
			<-wait
		}
		done(dialog.Reply{Status: status, Reason: fmt.Sprint(status)})
	}()
}

func (w *watcher) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forgotten = true
}

// want fails unless that was told since it was asked last.
func (w *watcher) want(told ...string) {
	w.b.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if diff := cmp.Diff(told, w.told); diff != "" {
		w.b.t.Errorf("%s was told (-want +got):\n%s", w.name, diff)
	}
	w.told = nil
}

func (b *bench) Messages(context.Context, string, string) (int, int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counted++
	return b.unheard, b.heard, b.broken
}

// newBench starts Lamps and closes them at the end of the test.
func newBench(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, unheard: 1, heard: 2, gone: map[string]bool{}}
	cfg := Config{
		Mailboxes: b, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
		May: func(_, user string) bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return !b.gone[user]
		},
		Phones: func(_, user string) []engine.Registration {
			b.mu.Lock()
			defer b.mu.Unlock()
			var own []engine.Registration
			for _, p := range b.phones {
				if p.User == user {
					own = append(own, p)
				}
			}
			return own
		},
		Unasked: func(r engine.Registration) (Watcher, string, error) {
			if strings.Contains(r.Contact, "nowhere") {
				return nil, "", errors.New("no way")
			}
			w := &watcher{b: b, name: r.Contact}
			b.unasked = append(b.unasked, w)
			return w, "sip:" + r.User + "@here", nil
		},
	}
	if change != nil {
		change(&cfg)
	}
	b.Lamps = New(cfg)
	b.Start()
	t.Cleanup(b.Close)
	return b
}

func (b *bench) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

var alice = engine.User{Account: "a", ID: "w0", Username: "alice"}

// request is a SUBSCRIBE of a phone of alice's.
func request(expires string, headers ...string) dialog.Request {
	from := netip.MustParseAddrPort("192.0.2.7:5060")
	values := map[string][]string{"Contact": {"<sip:alice@192.0.2.7:5060;ob>"}}
	if expires != "" {
		values["Expires"] = []string{expires}
	}
	for i := 0; i+1 < len(headers); i += 2 {
		values[headers[i]] = append(values[headers[i]], headers[i+1])
	}
	return dialog.Request{
		Method: "SUBSCRIBE", URI: "sip:alice@callwright.test", To: dialog.Party{URI: "sip:alice@callwright.test;x=y"},
		Hop: from, Source: from, Network: "UDP", Header: func(name string) []string { return values[name] },
	}
}

// subscribe subscribes a new phone.
func (b *bench) subscribe(expires string) *watcher {
	b.t.Helper()
	w := &watcher{b: b, name: "the phone"}
	if got := b.Subscribe(alice, w, request(expires)); got.Status != 200 {
		b.t.Fatalf("subscribed: %+v", got)
	}
	return w
}

// A subscription is over when nobody refreshes it, and not before.
func TestExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		w := b.subscribe("60")
		w.want("active;expires=60 1/2")
		time.Sleep(50 * time.Second)
		if got := b.Subscribe(alice, w, request("")); got.Status != 200 || got.Headers[0].Value != "3600" {
			t.Errorf("refreshed: %+v", got)
		}
		w.want("active;expires=3600 1/2")
		time.Sleep(time.Hour - 2*time.Second)
		w.want()
		time.Sleep(4 * time.Second)
		w.want("terminated;reason=timeout 1/2")
		if got := b.Subscribe(alice, w, request("")); !w.forgotten || got.Status != 200 {
			t.Errorf("forgotten %v; dialog would not ask again, but a new one is %+v", w.forgotten, got)
		}
	})
}

// One NOTIFY follows the other, and what changes meanwhile is told in one.
func TestOneAfterTheOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		w := &watcher{b: b, wait: make(chan struct{})}
		b.Subscribe(alice, w, request("60"))
		w.want("active;expires=60 1/2")
		for i := range 5 {
			b.Indicate("a", "w0", i, 7)
			synctest.Wait()
		}
		b.Indicate("a", "w1", 9, 9)
		b.Indicate("b", "w0", 9, 9)
		w.want()
		close(w.wait)
		w.want("active;expires=60 4/7")
		w.wait = make(chan struct{})
		b.Indicate("a", "w0", 0, 0)
		w.want("active;expires=60 0/0")
		if got := b.Subscribe(alice, w, request("0")); got.Status != 200 {
			t.Errorf("ended: %+v", got)
		}
		w.want()
		if got := b.Subscribe(alice, w, request("60")); got.Status != 481 {
			t.Errorf("refreshed when it was ended: %+v", got)
		}
		close(w.wait)
		w.want("terminated;reason=timeout 1/2")
		if len(b.lamps)+len(b.watched) != 0 || !w.forgotten {
			t.Errorf("left behind: %v %v", b.lamps, b.watched)
		}
	})
}

// A phone that does not take a NOTIFY has no subscription any more, and is told
// where it is registered.
func TestFailedNotify(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 408, 481, 489, 500, 503} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, nil)
			b.phones = []engine.Registration{
				{Account: "a", User: "w0", Contact: "sip:alice@192.0.2.7:5060", Source: "udp:192.0.2.8:1"},
				{Account: "a", User: "w0", Contact: "sip:other@192.0.2.7:5060", Source: "udp:192.0.2.9:1"},
			}
			w := &watcher{b: b, answer: status}
			b.Subscribe(alice, w, request("60"))
			w.want("active;expires=60 1/2")
			synctest.Wait()
			if !w.forgotten || len(b.watched) != 0 || len(b.unasked) != 1 || b.unasked[0].name != b.phones[0].Contact {
				t.Fatalf("%d: %v, %v told", status, w.forgotten, b.unasked)
			}
			b.unasked[0].want("terminated;reason=noresource 1/2")
			if !strings.Contains(b.log.String(), fmt.Sprint("reason=", status)) {
				t.Errorf("not in the log: %s", b.log.String())
			}
			if len(b.lamps) != 0 {
				t.Errorf("left behind: %v", b.lamps)
			}
		})
	}
}

// A phone that has registered is told a moment later, unless it has subscribed by
// then; all are told of a change, each once.
func TestRegistered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.phones = []engine.Registration{
			{Account: "a", User: "w0", Contact: "sip:alice@192.0.2.7:5060;transport=tcp", Source: "tcp:192.0.2.1:1"},
			{Account: "a", User: "w0", Contact: "sip:x@nat", Source: "udp:192.0.2.7:5060"},
			{Account: "a", User: "w0", Contact: "sip:desk@192.0.2.8", Source: "udp:192.0.2.8:5060"},
			{Account: "a", User: "w0", Contact: "sip:nowhere@192.0.2.8", Source: "udp:192.0.2.8:5061"},
		}
		b.Registered("a", "w0", []string{"sip:alice@192.0.2.7:5060;transport=tcp", "sip:DESK@192.0.2.8", "sip:desk@192.0.2.8;x"})
		w := b.subscribe("60")
		time.Sleep(2 * time.Second)
		w.want("active;expires=60 1/2")
		if len(b.unasked) != 1 {
			t.Fatalf("told: %v", b.unasked)
		}
		b.unasked[0].want("terminated;reason=noresource 1/2")
		b.Indicate("a", "w0", 5, 6)
		w.want("active;expires=58 5/6")
		if len(b.unasked) != 2 {
			t.Fatalf("told: %v", b.unasked)
		}
		b.unasked[1].want("terminated;reason=noresource 5/6")
		if !strings.Contains(b.log.String(), "no way") {
			t.Errorf("log: %s", b.log.String())
		}
	})
}

// Of what changes while a phone that has not subscribed is being told it is told
// the last.
func TestUnaskedBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wait := make(chan struct{})
		w := &watcher{wait: wait}
		b := newBench(t, func(c *Config) {
			c.Unasked = func(engine.Registration) (Watcher, string, error) { return w, "sip:x", nil }
		})
		w.b = b
		b.phones = []engine.Registration{{Account: "a", User: "w0", Contact: "sip:x@y", Source: "udp:192.0.2.7:1"}}
		for i := range 4 {
			b.Indicate("a", "w0", i, 0)
			synctest.Wait()
		}
		w.want("terminated;reason=noresource 0/0")
		close(wait)
		w.want("terminated;reason=noresource 3/0")
		if synctest.Wait(); len(b.lamps) != 0 || !w.forgotten {
			t.Errorf("left behind: %v", b.lamps)
		}
	})
}

// While messages cannot be counted, subscriptions stand without, the store is not
// asked for each, and all are told afterwards; what the engine says is told.
func TestCannotCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.broken = errors.New("the database is away")
		w := b.subscribe("600")
		w.want("active;expires=600")
		b.Subscribe(alice, w, request("600"))
		w.want("active;expires=600")
		b.Indicate("a", "w0", 3, 3)
		w.want("active;expires=600 3/3")
		b.Subscribe(alice, w, request("600"))
		w.want("active;expires=600 3/3")
		time.Sleep(25 * time.Second)
		w.want()
		b.set(func() { b.broken = nil })
		time.Sleep(12 * time.Second)
		w.want("active;expires=570 1/2")
		time.Sleep(time.Minute)
		w.want()
		if got := strings.Count(b.log.String(), "cannot be counted"); got != 1 || b.counted != 4 {
			t.Errorf("told %d times, counted %d times:\n%s", got, b.counted, b.log.String())
		}
	})
}

// Nobody is told of a user who is not there any more: the next who has its name is
// another.
func TestUserGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.phones = []engine.Registration{{Account: "a", User: "w0", Contact: "sip:x@y", Source: "udp:192.0.2.9:1"}}
		w := b.subscribe("600")
		w.want("active;expires=600 1/2")
		b.set(func() { b.gone["w0"] = true })
		b.Indicate("a", "w0", 5, 5)
		w.want()
		time.Sleep(2 * time.Second)
		w.want("terminated;reason=noresource 1/2")
		if len(b.unasked) != 0 || len(b.watched) != 0 {
			t.Errorf("told %v, left %v", b.unasked, b.watched)
		}
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *Config) { c.Most, c.MostOfOne = 4, 3 })
		bob := engine.User{Account: "a", ID: "w1", Username: "bob"}
		of := func(uri string) dialog.Request { r := request("60"); r.URI = uri; return r }
		for range 3 {
			w := b.subscribe("60")
			if got := b.Subscribe(bob, w, request("60")); got.Status != 403 || got.Reason == "" {
				t.Errorf("bob refreshes for alice: %+v", got)
			}
		}
		for i, tc := range []struct {
			user   engine.User
			r      dialog.Request
			status int
		}{
			{alice, request("60"), 403},
			{alice, request("1"), 423},
			{alice, request("60", "Accept", "text/plain", "Accept", "application/pidf+xml"), 406},
			{bob, of("sip:alice@callwright.test"), 403},
			{bob, of("sip:w1@callwright.test"), 200},
			{bob, of("sip:bob@callwright.test"), 503},
		} {
			got := b.Subscribe(tc.user, &watcher{b: b}, tc.r)
			if got.Status != tc.status || got.Status >= 400 && got.Reason == "" && got.Status != 423 {
				t.Errorf("%d: %+v", i, got)
			}
		}
	})
}

// Who subscribed is told of the end, and whoever does not answer is not waited for.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		good, busy := b.subscribe("60"), b.subscribe("60")
		good.want("active;expires=60 1/2")
		busy.want("active;expires=60 1/2")
		busy.wait = make(chan struct{})
		b.Indicate("a", "w0", 2, 2)
		good.want("active;expires=60 2/2")
		busy.want("active;expires=60 2/2")
		began := time.Now()
		b.Close()
		if took := time.Since(began); took != farewell {
			t.Errorf("it took %v", took)
		}
		good.want("terminated;reason=probation;retry-after=5 2/2")
		busy.want()
		if got := b.Subscribe(alice, &watcher{b: b}, request("60")); got.Status != 503 {
			t.Errorf("subscribed afterwards: %+v", got)
		}
		b.Indicate("a", "w0", 3, 3)
		b.Registered("a", "w0", []string{"sip:x@y"})
		close(busy.wait)
		busy.want("terminated;reason=probation;retry-after=5 2/2")
		good.want()
		b.Close()
	})
}

func TestPlace(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"sip:alice@Example.ORG:5060;transport=tcp?X=y": "sip:alice@example.org:5060",
		"sip:alice;a=b@[::1]:5060":                     "sip:alice;a=b@[::1]:5060",
		"sip:host;ob":                                  "sip:host",
		"":                                             ":",
	} {
		if got := place(uri); got != want {
			t.Errorf("%q is at %q, want %q", uri, got, want)
		}
	}
}

// Whatever a phone says of itself, it is answered, and what it is told has one
// line for each thing.
func FuzzSubscribe(f *testing.F) {
	f.Add("300", "<sip:alice@192.0.2.7>;+sip.instance=\"x\"", bodyType, "sip:alice@callwright.test")
	f.Add("-1", "*", "*/*", "tel:+49")
	f.Add("99999999999", "\"a\" <sip:a@b?c=d>, <sip:e", "text/plain,,", "sip:@;;?")
	f.Fuzz(func(t *testing.T, expires, contact, accept, to string) {
		b := &bench{t: t}
		b.Lamps = New(Config{Mailboxes: b, Log: slog.New(slog.DiscardHandler)})
		w, r := &watcher{b: b}, request(expires, "Contact", contact, "Accept", accept)
		r.To.URI = to
		got := b.Subscribe(alice, w, r)
		if (got.Status == 200) != (b.watched[w] != nil) || got.Status != 200 && got.Status != 406 && got.Status != 423 {
			t.Errorf("%+v", got)
		}
	})
}
