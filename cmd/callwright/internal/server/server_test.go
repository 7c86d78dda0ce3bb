// SPDX-License-Identifier: MIT

package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtpload"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
	"github.com/callwright/callwright/transport/sip/sdp"
)

// TestMain also serves as the process of the load generator, and as the one that
// opens connections.
func TestMain(m *testing.M) {
	if os.Getenv("RTPLOAD") != "" {
		if err := rtpload.Serve(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if to := os.Getenv("IDLE_CONNECTIONS"); to != "" {
		os.Exit(idle(to))
	}
	goleak.VerifyTestMain(m)
}

// app is a customer's app that answers by a function and counts events.
type app struct {
	*httptest.Server
	mu     sync.Mutex
	events []string // "newCall", "hangup normalClearing"
}

// newApp answers every newCall and dtmf with a document.
func newApp(t testing.TB, answer func(base string, r *http.Request) string) *app {
	t.Helper()
	a := &app{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event := r.PostFormValue("event")
		if cause := r.PostFormValue("cause"); cause != "" {
			event += " " + cause
		}
		a.mu.Lock()
		a.events = append(a.events, event)
		a.mu.Unlock()
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, answer(a.URL, r))
	}))
	t.Cleanup(a.Close)
	return a
}

// count says how often an event was told.
func (a *app) count(event string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, e := range a.events {
		if e == event {
			n++
		}
	}
	return n
}

// hangups says how many hangup events there were, whatever for.
func (a *app) hangups() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.events {
		if strings.HasPrefix(e, "hangup") {
			n++
		}
	}
	return n
}

// start starts a whole server on ports that the system chooses.
func start(t testing.TB, appURL string, adjust ...func(*config.Config)) *server.Server {
	t.Helper()
	c := config.Default()
	c.HTTP.Listen = "127.0.0.1:0"
	c.SIP.Listen = []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0"}
	c.Media = config.Media{Listen: "127.0.0.1", Ports: "0"}
	c.Database = "sqlite:" + filepath.Join(t.TempDir(), "callwright.db")
	c.DataDir = t.TempDir()
	c.Webhooks.Sign = false // a key takes a moment to make
	c.Apps = []config.App{{Key: "app", Dialect: "sipgate", IncomingURL: appURL}}
	c.Numbers = []config.Number{{Number: "+4921112345", App: "app"}}
	c.Trunks = []config.Trunk{{Name: "test", AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}}
	for _, a := range adjust {
		a(&c)
	}
	s, err := server.Start(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// caller is a bare SIP side that calls the server.
func caller(t testing.TB) *dialog.Endpoint { return endpoint(t, nil) }

// endpoint is a bare SIP side that may also be called.
func endpoint(t testing.TB, incoming func(*dialog.Dialog, dialog.Invitation) dialog.Handler) *dialog.Endpoint {
	t.Helper()
	e, err := dialog.Listen(dialog.Config{
		Listen: []string{"udp://127.0.0.1:0"}, Incoming: incoming, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// call is a call that hangs up as soon as it is answered; ended tells how it
// went.
func call(t *testing.T, e *dialog.Endpoint, to string, ended func(dialog.Ended)) {
	t.Helper()
	offer := sdp.New(netip.MustParseAddrPort("127.0.0.1:9"), 1).Offer()
	var d *dialog.Dialog
	ready := make(chan struct{})
	d, err := e.Call(dialog.Call{To: to, From: dialog.Party{URI: "sip:+4930111@127.0.0.1"}, Body: offer}, dialog.Handler{
		Event: func(ev dialog.Event) {
			<-ready
			switch ev := ev.(type) {
			case dialog.Answered:
				d.Hangup(0, "")
			case dialog.Ended:
				ended(ev)
			}
		},
	})
	close(ready)
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for something that another goroutine brings about.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	const patience = time.Minute
	for deadline := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// A BYE right behind the ACK must not overtake it nor be lost, on one processor
// least of all: every call has its hangup event and its record.
func TestByeBehindAck(t *testing.T) {
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	const calls, atOnce = 1000, 20
	answering := false
	a := newApp(t, func(base string, _ *http.Request) string {
		return fmt.Sprintf(`<Response onHangup="%s"><Gather onData="%s" timeout="60000"/></Response>`, base, base)
	})
	s := start(t, a.URL, func(c *config.Config) { c.Apps[0].EarlyMedia = &answering })
	e := caller(t)
	slots := make(chan struct{}, atOnce)
	var mu sync.Mutex
	var odd []string
	answered := calls
	for range calls {
		slots <- struct{}{}
		call(t, e, "sip:+4921112345@"+s.SIP.Addr("udp").String(), func(ended dialog.Ended) {
			mu.Lock()
			defer mu.Unlock()
			switch ended.Status {
			case 0:
			case 480: // the machine stood still for longer than the app may wait to be asked
				answered--
			default:
				odd = append(odd, ended.Reason)
			}
			<-slots
		})
	}
	for range atOnce { // until all have ended
		slots <- struct{}{}
	}
	if len(odd) > 0 {
		t.Errorf("%d calls did not end by their own BYE, the first: %s", len(odd), odd[0])
	}
	if answered < calls/2 {
		t.Fatalf("of %d calls only %d were answered", calls, answered)
	}
	until(t, "every hangup event", func() bool { return a.hangups() == answered })
	if n := a.count("hangup cancel"); n != answered {
		t.Errorf("%d calls were cancelled, want %d", n, answered)
	}
	if n := a.count("newCall"); n < answered {
		t.Errorf("%d newCall events, want %d", n, answered)
	}
	until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
	if err := s.Store.Applied(context.Background()); err != nil {
		t.Fatal(err)
	}
	ended := 0
	for cursor := ""; ; {
		records, next, err := s.Store.Calls(t.Context(), 100, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if r.State == engine.StateEnded && r.Cause == engine.CauseCancelled {
				ended++
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	if ended != answered {
		t.Errorf("%d records are final, want %d", ended, answered)
	}
}

// How a call is refused that nobody wants.
func TestRefusals(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(string, *http.Request) string { return `<Response><Reject reason="busy"/></Response>` })
	s := start(t, a.URL)
	stranger := start(t, a.URL, func(c *config.Config) {
		c.Trunks[0].AllowFrom = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	e := caller(t)
	for _, tt := range []struct {
		name, to string
		server   *server.Server
		status   int
	}{
		{"the app rejects", "+4921112345", s, 486},
		{"an unknown number", "+4921199999", s, 404},
		{"an unknown source", "+4921112345", stranger, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ended := make(chan dialog.Ended, 1)
			call(t, e, "sip:"+tt.to+"@"+tt.server.SIP.Addr("udp").String(), func(ev dialog.Ended) { ended <- ev })
			if got := <-ended; got.Status != tt.status {
				t.Errorf("refused with %d (%s), want %d", got.Status, got.Reason, tt.status)
			}
		})
	}
	if n := a.count("newCall"); n != 1 {
		t.Errorf("the app was asked about %d calls, want the one that was for it", n)
	}
}

// What cannot be started says what to change, and leaves nothing behind.
func TestStartComplains(t *testing.T) {
	t.Parallel()
	taken := start(t, "http://127.0.0.1:1/")
	for want, adjust := range map[string]func(*config.Config){
		"sip.listen":  func(c *config.Config) { c.SIP.Listen = []string{"udp://" + taken.SIP.Addr("udp").String()} },
		"http.listen": func(c *config.Config) { c.HTTP.Listen = taken.API.Addr().String() },
		"database":    func(c *config.Config) { c.Database = "sqlite:/nowhere/callwright.db" },
		"number \"+4921112345\" names app \"other\"": func(c *config.Config) { c.Numbers[0].App = "other" },
	} {
		c := config.Default()
		c.HTTP.Listen, c.SIP.Listen = "127.0.0.1:0", []string{"udp://127.0.0.1:0"}
		c.Media = config.Media{Listen: "127.0.0.1", Ports: "0"}
		c.Database, c.DataDir = "sqlite:"+filepath.Join(t.TempDir(), "x.db"), t.TempDir()
		c.Numbers = []config.Number{{Number: "+4921112345"}}
		adjust(&c)
		_, err := server.Start(t.Context(), c, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that names %s", err, want)
		}
	}
}

// A server that was killed ends, when it starts again, the calls that were
// alive, once and with the truth.
func TestRecovery(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(base string, _ *http.Request) string { return "" })
	folder := t.TempDir()
	same := func(c *config.Config) {
		c.Database, c.DataDir = "sqlite:"+filepath.Join(folder, "callwright.db"), folder
	}
	first := start(t, a.URL, same)
	id := engine.NewID()
	first.Store.Append(engine.RecordSaved{Record: engine.Record{
		ID: id, Chain: id, Account: directory.DefaultAccount, App: "app", Number: "+4921112345", Direction: engine.In,
		From: directory.NumberAddress("+4930111"), To: directory.NumberAddress("+4921112345"), State: engine.StateAnswered,
		StartedAt: time.Now(), Dialect: engine.DialectState{"onHangup": a.URL},
	}}, engine.EventAdded{Event: engine.Event{Call: id, Seq: 1, At: time.Now(), Kind: engine.EventIncoming, Text: "call"}})
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, a.URL, same)
	until(t, "the hangup event", func() bool { return a.count("hangup congestion") == 1 })
	r, events, err := second.Store.Call(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if r.State != engine.StateEnded || r.Cause != engine.CauseInterrupted {
		t.Errorf("the record is %s, %s, want ended, interrupted", r.State, r.Cause)
	}
	ends := slices.DeleteFunc(events, func(e engine.Event) bool { return e.Kind != engine.EventEnded })
	if len(ends) != 1 || ends[0].Seq != 2 {
		t.Errorf("terminal events %v, want one with number 2", ends)
	}
}

// Two parties that are connected hear each other's keys, through µ-law on one
// side and A-law on the other.
func TestKeysThroughABridge(t *testing.T) {
	t.Parallel()
	on := func(user string, codec media.Codec) *phone.Phone {
		p, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: user, Codecs: []media.Codec{codec}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		return p
	}
	alice, bob := on("+4930111", media.PCMU), on("+4930222222", media.PCMA)
	a := newApp(t, func(string, *http.Request) string {
		return `<Response><Dial><Number>+4930222222</Number></Dial></Response>`
	})
	s := start(t, a.URL, func(c *config.Config) { c.Trunks[0].Address = bob.Addr().String() })
	out, err := alice.Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := bob.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(in.Answer(), out.WaitAnswer(t.Context()), in.WaitAnswer(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(out.SendDigits(t.Context(), "42#"), in.SendDigits(t.Context(), "*7")); err != nil {
		t.Fatal(err)
	}
	until(t, "the keys at the other end", func() bool { return in.Digits() == "42#" && out.Digits() == "*7" })
	in.Hangup()
	if _, err := out.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
}

// A trunk that does not take our credentials is named, with what to check.
func TestRefusedCredentials(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(string, *http.Request) string {
		return `<Response><Dial><Number>+4930222222</Number></Dial></Response>`
	})
	carrier := endpoint(t, func(d *dialog.Dialog, _ dialog.Invitation) dialog.Handler {
		d.Hangup(407, "Proxy Authentication Required",
			dialog.Header{Name: "Proxy-Authenticate", Value: `Digest realm="carrier", nonce="once"`})
		return dialog.Handler{Event: func(dialog.Event) {}}
	})
	s := start(t, a.URL, func(c *config.Config) {
		c.Trunks[0].Address, c.Trunks[0].Username, c.Trunks[0].Password = carrier.Addr("udp").String(), "me", "wrong"
	})
	ended := make(chan dialog.Ended, 1)
	call(t, caller(t), "sip:+4921112345@"+s.SIP.Addr("udp").String(), func(ev dialog.Ended) { ended <- ev })
	if got := <-ended; got.Status != 502 {
		t.Errorf("the caller was refused with %s, want 502", got.Reason)
	}
	until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
	if text, want := timeline(t, s), `trunk "test" does not take our credentials`; !strings.Contains(text, want) {
		t.Errorf("the timeline does not say %q:\n%s", want, text)
	}
}
