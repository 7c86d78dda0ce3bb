// SPDX-License-Identifier: MIT

package mwi

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/sip/dialog"
)

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
			b.phones = []directory.Registration{
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
		b.phones = []directory.Registration{
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

// A phone that subscribes while it is being told for the first time is told by its
// subscription from then on.
func TestSubscribedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wait := make(chan struct{})
		unasked := &watcher{wait: wait, name: "the phone, unasked"}
		b := newBench(t, func(c *Config) {
			c.Unasked = func(directory.Registration) (Watcher, string, error) { return unasked, "sip:x", nil }
		})
		unasked.b = b
		b.phones = []directory.Registration{{Account: "a", User: "w0", Contact: "sip:alice@192.0.2.7:5060;ob", Source: "udp:192.0.2.7:5060"}}
		b.Indicate("a", "w0", 0, 0)
		unasked.want("terminated;reason=noresource 0/0")
		b.Indicate("a", "w0", 1, 0)
		unasked.want()
		w := b.subscribe("60")
		w.want("active;expires=60 1/2")
		b.Indicate("a", "w0", 2, 0)
		w.want("active;expires=60 2/0")
		close(wait)
		unasked.want()
		b.Indicate("a", "w0", 3, 0)
		w.want("active;expires=60 3/0")
		unasked.want()
		if synctest.Wait(); len(b.lamps) != 1 || !unasked.forgotten {
			t.Errorf("left behind: %v", b.lamps)
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
			c.Unasked = func(directory.Registration) (Watcher, string, error) { return w, "sip:x", nil }
		})
		w.b = b
		b.phones = []directory.Registration{{Account: "a", User: "w0", Contact: "sip:x@y", Source: "udp:192.0.2.7:1"}}
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
		b.phones = []directory.Registration{{Account: "a", User: "w0", Contact: "sip:x@y", Source: "udp:192.0.2.9:1"}}
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
		bob := directory.User{Account: "a", ID: "w1", Username: "bob"}
		of := func(uri string) dialog.Request { r := request("60"); r.URI = uri; return r }
		for range 3 {
			w := b.subscribe("60")
			if got := b.Subscribe(bob, w, request("60")); got.Status != 403 || got.Reason == "" {
				t.Errorf("bob refreshes for alice: %+v", got)
			}
		}
		for i, tc := range []struct {
			user   directory.User
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
