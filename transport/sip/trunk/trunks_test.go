// SPDX-License-Identifier: MIT

package trunk

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// carrier is a Peer with a script: what it answers, the last one for ever. A zero
// status is silence.
type carrier struct {
	mu      sync.Mutex
	begin   time.Time
	asked   []string // "at what with which Contact user"
	answers []dialog.Response
	options []dialog.Response
	users   []string
	lost    chan struct{}
}

func (c *carrier) Lost() <-chan struct{} { return c.lost }

func next(script *[]dialog.Response) dialog.Response {
	r := (*script)[0]
	if len(*script) > 1 {
		*script = (*script)[1:]
	}
	return r
}

func (c *carrier) note(what string) {
	c.asked = append(c.asked, fmt.Sprintf("%d %s", int(time.Since(c.begin).Seconds()), what))
}

func (c *carrier) reply(ctx context.Context, r dialog.Response) (dialog.Response, error) {
	if r.Status == 0 {
		<-ctx.Done()
		return r, context.Cause(ctx)
	}
	return r, nil
}

func (c *carrier) Register(ctx context.Context, contacts []string, expires int) (dialog.Response, error) {
	c.mu.Lock()
	c.note(fmt.Sprint("REGISTER ", expires))
	user, _, _ := strings.Cut(strings.TrimPrefix(contacts[0], "<sip:"), "@")
	c.users = append(c.users, user)
	r := next(&c.answers)
	if expires == 0 {
		r = dialog.Response{Status: 200}
	}
	c.mu.Unlock()
	for i, h := range r.Headers { // MINE stands for our Contact
		r.Headers = slices.Clone(r.Headers)
		r.Headers[i].Value = strings.ReplaceAll(h.Value, "MINE", contacts[0])
	}
	return c.reply(ctx, r)
}

func (c *carrier) Options(ctx context.Context) (dialog.Response, error) {
	c.mu.Lock()
	c.note("OPTIONS")
	r := next(&c.options)
	c.mu.Unlock()
	return c.reply(ctx, r)
}

func (c *carrier) Contact(_ context.Context, user string) (string, error) {
	return "<sip:" + user + "@192.0.2.7>", nil
}

func (c *carrier) heard() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.asked)
}

// house is Trunks with one carrier for all of them.
type house struct {
	*Trunks
	*carrier
	directory *directory.Directory
	log       *bytes.Buffer
}

func (h *house) hold(t *testing.T, trunks ...directory.Trunk) {
	t.Helper()
	if err := h.directory.Replace(directory.Entries{Trunks: trunks}); err != nil {
		t.Fatal(err)
	}
}

func newHouse(t *testing.T, c *carrier, trunks ...directory.Trunk) *house {
	t.Helper()
	d, err := directory.New(directory.Entries{Trunks: trunks})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{carrier: c, directory: d, log: &bytes.Buffer{}}
	c.begin = time.Now()
	h.Trunks = New(Config{
		Directory: d, Log: slog.New(slog.NewTextHandler(h.log, nil)),
		Peer: func(directory.Trunk) (Peer, error) { return c, nil },
	})
	return h
}

var registering = directory.Trunk{Name: "t", Account: directory.DefaultAccount, Address: "carrier.test", Username: "u", Password: "p", Register: true}

func header1(name, value string) []dialog.Header { return []dialog.Header{{Name: name, Value: value}} }

// A registration is refreshed before it ends, by what the registrar grants to our
// Contact, and taken back in the end.
func TestRegister(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer  dialog.Response
		granted float64
	}{
		"as asked":         {dialog.Response{Status: 200}, 600},
		"Expires":          {dialog.Response{Status: 200, Headers: header1("Expires", "100")}, 100},
		"ours of several":  {dialog.Response{Status: 200, Headers: header1("Contact", `<sip:other@h>;expires=7, MINE;q=1;Expires="200", <sip:x@h>;expires=9`)}, 200},
		"by a compact one": {dialog.Response{Status: 202, Headers: []dialog.Header{{Name: "Expires", Value: "5"}, {Name: "m", Value: "MINE;expires=60"}}}, 60},
		"nothing":          {dialog.Response{Status: 200, Headers: header1("Expires", "0")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, &carrier{answers: []dialog.Response{tc.answer}}, registering)
				h.Start()
				synctest.Wait()
				if got := h.heard(); !cmp.Equal(got, []string{"0 REGISTER 600"}) {
					t.Fatal(got)
				}
				status := h.Status()[0]
				if left := time.Until(status.RegisteredUntil).Seconds(); left != tc.granted || status.Error != "" {
					t.Errorf("registered for %v, want %v: %+v", left, tc.granted, status)
				}
				time.Sleep(time.Duration(max(tc.granted*0.85, 1)*1000) * time.Millisecond)
				synctest.Wait()
				if got := h.heard(); len(got) != 2 {
					t.Errorf("no refresh before %v: %v", tc.granted, got)
				}
				h.Close()
				h.Close()
				if got := h.heard(); !strings.HasSuffix(got[len(got)-1], "REGISTER 0") || h.users[0] != h.users[len(got)-1] {
					t.Errorf("not taken back: %v %v", got, h.users)
				}
				if n := strings.Count(h.log.String(), "registered with a trunk"); n != 1 {
					t.Errorf("the log says it %d times:\n%s", n, h.log)
				}
			})
		})
	}
}

// A registrar that wants longer registrations gets them, within reason.
func TestRegisterTooBrief(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, &carrier{answers: []dialog.Response{
			{Status: 423, Phrase: "Interval Too Brief", Headers: header1("Min-Expires", "3600")}, {Status: 200},
			{Status: 423, Headers: header1("Min-Expires", "999999")},
		}}, registering)
		h.Start()
		defer h.Close()
		time.Sleep(time.Duration(0.85 * float64(time.Hour)))
		if got := h.heard(); len(got) < 3 || len(got) > 5 || got[0] != "0 REGISTER 600" || got[1] != "0 REGISTER 3600" {
			t.Errorf("asked %v", got)
		}
		if status := h.Status()[0]; !strings.Contains(status.Error, "less than 277h46m39s") {
			t.Errorf("status %+v", status)
		}
	})
}

// Failures are repeated ever more seldom, those that blame us most seldom, and
// each is said once. A success ends that.
func TestRegisterFails(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer    dialog.Response
		atMost    int // how many tries in an hour
		atLeast   int
		says      string
		within    time.Duration // the second try
		notBefore time.Duration
	}{
		"wrong password": {dialog.Response{Status: 403, Phrase: "Forbidden"}, 6, 4, "username and password", 151 * time.Second, 90 * time.Second},
		"not known":      {dialog.Response{Status: 404, Phrase: "Not Found"}, 6, 4, "does not know", 151 * time.Second, 90 * time.Second},
		"silence":        {dialog.Response{}, 17, 8, "no answer", 60 * time.Second, 42 * time.Second},
		"overload":       {dialog.Response{Status: 503, Phrase: "x", Headers: header1("Retry-After", "700 (busy)")}, 6, 5, "503 x", 701 * time.Second, 700 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, &carrier{answers: []dialog.Response{tc.answer}}, registering)
				h.Start()
				defer h.Close()
				time.Sleep(tc.notBefore - time.Second)
				if got := h.heard(); len(got) != 1 {
					t.Errorf("again before %v: %v", tc.notBefore, got)
				}
				time.Sleep(tc.within - tc.notBefore + 2*time.Second)
				if got := h.heard(); len(got) != 2 {
					t.Errorf("not again within %v: %v", tc.within, got)
				}
				time.Sleep(time.Hour - tc.within)
				if got := h.heard(); len(got) > tc.atMost || len(got) < tc.atLeast {
					t.Errorf("%d tries in an hour: %v", len(got), got)
				}
				if status := h.Status()[0]; !strings.Contains(status.Error, tc.says) || !status.RegisteredUntil.IsZero() {
					t.Errorf("status %+v", status)
				}
				if n := strings.Count(h.log.String(), "not registered"); n != 1 {
					t.Errorf("the log says it %d times:\n%s", n, h.log)
				}
				h.carrier.mu.Lock()
				h.answers = []dialog.Response{{Status: 200}}
				h.carrier.mu.Unlock()
				time.Sleep(time.Hour + time.Minute)
				if status := h.Status()[0]; status.Error != "" || !status.RegisteredUntil.After(time.Now()) {
					t.Errorf("status %+v", status)
				}
			})
		})
	}
}

// A registration that cannot be refreshed holds until it ends.
func TestRegisterLapses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, &carrier{answers: []dialog.Response{{Status: 200}, {}}}, registering)
		h.Start()
		defer h.Close()
		time.Sleep(590 * time.Second)
		if s := h.Status()[0]; s.RegisteredUntil.IsZero() || s.Error == "" {
			t.Errorf("status %+v", s)
		}
		time.Sleep(11 * time.Second)
		if s := h.Status()[0]; !s.RegisteredUntil.IsZero() || s.Error == "" {
			t.Errorf("status %+v", s)
		}
	})
}

// Settings that change take back the old registration before the new one begins;
// those that do not matter change nothing.
func TestSettingsChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, &carrier{answers: []dialog.Response{{Status: 200}}})
		h.Start()
		defer h.Close()
		synctest.Wait()
		h.hold(t, registering)
		synctest.Wait()
		other := registering
		other.MaxCalls = 7
		h.hold(t, other)
		synctest.Wait()
		if got := h.heard(); !cmp.Equal(got, []string{"0 REGISTER 600"}) {
			t.Errorf("asked %v", got)
		}
		if trunk, ok := h.Of(h.users[0]); !ok || trunk.MaxCalls != 7 {
			t.Errorf("the Contact leads to %+v, %v", trunk, ok)
		}
		other.Password = "new"
		h.hold(t, other)
		synctest.Wait()
		if got := h.heard(); !cmp.Equal(got, []string{"0 REGISTER 600", "0 REGISTER 0", "0 REGISTER 600"}) || h.users[2] == h.users[1] {
			t.Errorf("asked %v as %v", got, h.users)
		}
		if _, ok := h.Of(h.users[0]); ok {
			t.Error("the old Contact still leads here")
		}
		h.hold(t)
		synctest.Wait()
		if got := h.heard(); len(got) != 4 || got[3] != "0 REGISTER 0" {
			t.Errorf("asked %v", got)
		}
		if len(h.tokens) != 0 || len(h.kept) != 0 {
			t.Errorf("left behind: %v %v", h.tokens, h.kept)
		}
	})
}

// When the connection ends over which we would be called, we register again soon,
// but not with who ends it at once.
func TestConnectionLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{answers: []dialog.Response{{Status: 200, Source: netip.MustParseAddrPort("192.0.2.1:5060")}}, lost: make(chan struct{})}
		h := newHouse(t, c, registering)
		h.Start()
		defer h.Close()
		time.Sleep(2 * time.Minute)
		if !h.Knows(netip.MustParseAddr("192.0.2.1")) || h.Knows(netip.MustParseAddr("192.0.2.2")) {
			t.Error("it knows somebody else than the registrar")
		}
		close(c.lost) // and those that follow are ended at once
		time.Sleep(5 * time.Second)
		if got := h.heard(); len(got) != 2 {
			t.Errorf("asked %v", got)
		}
		time.Sleep(6 * time.Minute)
		if got := h.heard(); len(got) != 2 {
			t.Errorf("asked %v", got)
		}
		time.Sleep(3 * time.Minute)
		if got := h.heard(); len(got) != 3 {
			t.Errorf("asked %v", got)
		}
	})
}

// A trunk of which nobody answers does not hold up the end.
func TestCloseWhileSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, &carrier{answers: []dialog.Response{{}}}, registering)
		h.Trunks.cfg.Peer = func(directory.Trunk) (Peer, error) { return silent{}, nil }
		h.Start()
		time.Sleep(time.Second)
		begin := time.Now()
		h.Close()
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// silent never answers anything.
type silent struct{}

func (silent) Register(ctx context.Context, _ []string, _ int) (dialog.Response, error) {
	<-ctx.Done()
	return dialog.Response{}, context.Cause(ctx)
}

func (silent) Options(ctx context.Context) (dialog.Response, error) {
	<-ctx.Done()
	return dialog.Response{}, context.Cause(ctx)
}

func (silent) Lost() <-chan struct{} { return nil }

func (silent) Contact(_ context.Context, user string) (string, error) { return user, nil }

// Contact users differ from trunk to trunk, stay over restarts where there is a
// secret, and cannot be known where there is none.
func TestContactUser(t *testing.T) {
	t.Parallel()
	other, open := registering, registering
	other.Name, open.Password = "other", ""
	a, b := contactUser(registering), contactUser(open)
	if a != contactUser(registering) || a == contactUser(other) || b == contactUser(open) || len(a) != 32 {
		t.Error("contact users are not what they should be")
	}
}
