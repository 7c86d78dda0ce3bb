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

	"github.com/callwright/callwright/directory"
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
	phones         []directory.Registration
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
		Phones: func(_, user string) []directory.Registration {
			b.mu.Lock()
			defer b.mu.Unlock()
			var own []directory.Registration
			for _, p := range b.phones {
				if p.User == user {
					own = append(own, p)
				}
			}
			return own
		},
		Unasked: func(r directory.Registration) (Watcher, string, error) {
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

var alice = directory.User{Account: "a", ID: "w0", Username: "alice"}

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
