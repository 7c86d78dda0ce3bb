// SPDX-License-Identifier: MIT

package sip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/mwi"
	"github.com/callwright/callwright/transport/sip/phone"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = time.Minute

// plane is a media plane without sound.
type plane struct {
	mu      sync.Mutex
	full    bool
	last    media.StreamID
	open    map[media.StreamID]media.StreamOptions
	remotes []media.Remote // in order of Connect
	digits  []string       // in order of SendDigits
}

func (p *plane) Open(o media.StreamOptions) (media.StreamID, netip.AddrPort, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.full {
		return 0, netip.AddrPort{}, errors.New("no free rtp port")
	}
	p.last++
	p.open[p.last] = o
	return p.last, netip.MustParseAddrPort(fmt.Sprint("0.0.0.0:", 20000+2*p.last)), nil
}

func (p *plane) Connect(id media.StreamID, r media.Remote) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.open[id]; !ok {
		return media.ErrNoStream
	}
	p.remotes = append(p.remotes, r)
	return nil
}

func (p *plane) SendDigits(_ media.StreamID, digits string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.digits = append(p.digits, digits)
	if p.full && len(p.digits) == 1 {
		return errors.New("too many keys")
	}
	return nil
}

func (p *plane) keys() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.digits...)
}

func (p *plane) CloseStream(id media.StreamID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, ok := p.open[id]
	if !ok {
		return errors.New("no such stream")
	}
	delete(p.open, id)
	go o.Deliver(media.Event{Stream: id, Kind: media.Closed, Figures: media.Figures{Sent: 7}})
	return nil
}

func (p *plane) connected() []media.Remote {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]media.Remote(nil), p.remotes...)
}

// nothing is a journal that keeps nothing.
type nothing struct{}

func (nothing) Append(...engine.Change)       {}
func (nothing) Durable(context.Context) error { return nil }

// house is a Server with everything around it.
type house struct {
	t      *testing.T
	server *Server
	plane  *plane
	log    *bytes.Buffer
	legs   chan *call
	refuse error
	dns    []string // servers to ask
	// mailboxes counts messages, if there are any.
	mailboxes mwi.Mailboxes
	// listen are addresses besides those of UDP and TCP.
	listen []string
	tls    TLS
	// refused are the calls that were not taken.
	mu      sync.Mutex
	refused []engine.Refusal
}

// call is a leg as the engine sees it, with what it was told.
type call struct {
	t *testing.T
	engine.Leg
	engine.Arrival
	events chan engine.LegEvent
}

func (h *house) Arrive(leg engine.Leg, a engine.Arrival) error {
	if h.refuse != nil {
		return h.refuse
	}
	h.legs <- listen(h.t, leg, a)
	return nil
}

func (h *house) Refuse(_ engine.Arrival, r engine.Refusal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused = append(h.refused, r)
}

func listen(t *testing.T, leg engine.Leg, a engine.Arrival) *call {
	c := &call{t, leg, a, make(chan engine.LegEvent, 100)}
	leg.Listen(func(ev engine.LegEvent) { c.events <- ev })
	return c
}

// next gives the next event that is no message.
func (c *call) next() engine.LegEvent {
	c.t.Helper()
	for {
		select {
		case ev := <-c.events:
			if _, ok := ev.(engine.LegMessage); !ok {
				return ev
			}
		case <-time.After(patience):
			c.t.Fatal("nothing happened on the leg")
		}
	}
}

// want fails unless these events come next.
func (c *call) want(events ...engine.LegEvent) {
	c.t.Helper()
	for _, want := range events {
		got := c.next()
		if ended, ok := got.(engine.LegEnded); ok {
			if w, ok := want.(engine.LegEnded); ok && w.Text == "" {
				ended.Text = ""
				got = ended
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			c.t.Fatalf("event (-want +got):\n%s", diff)
		}
	}
}

// newHouse starts a Server with a trunk, to which a phone is reached if there is
// one.
func newHouse(t *testing.T, change func(*house, *directory.Entries)) *house {
	t.Helper()
	h := &house{t: t, plane: &plane{open: map[media.StreamID]media.StreamOptions{}}, log: &bytes.Buffer{}, legs: make(chan *call, 10)}
	entries := directory.Entries{
		Apps:    []directory.App{{Key: "k"}},
		Numbers: []directory.Number{{Number: "+4921112345", App: "k"}},
		Trunks:  []directory.Trunk{{Name: "test", AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}},
	}
	if change != nil {
		change(h, &entries)
	}
	d, err := directory.New(entries, "112")
	if err != nil {
		t.Fatal(err)
	}
	h.server = New(Config{
		Listen: append([]string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0"}, h.listen...), TLS: h.tls, Directory: d, Media: h.plane,
		Journal: nothing{}, Mailboxes: h.mailboxes, MediaTimeout: time.Minute, SessionExpires: 30 * time.Minute,
		Log: slog.New(slog.NewTextHandler(h.log, nil)), DNS: h.dns,
	})
	if err := h.server.Start(h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.server.Close(); err != nil {
			t.Error(err)
		}
		if len(h.plane.open) != 0 {
			t.Errorf("%d streams are left behind", len(h.plane.open))
		}
	})
	return h
}

func (h *house) next() *call {
	h.t.Helper()
	select {
	case c := <-h.legs:
		return c
	case <-time.After(patience):
		h.t.Fatal("no leg came")
		panic("unreachable")
	}
}

// uri is how a number is reached at the house.
func (h *house) uri(number string) string {
	return "sip:" + number + "@" + h.server.Addr("udp").String()
}

// uriByTCP is the same by TCP: there a phone on a slow machine does not call twice,
// for which a stranger is refused twice.
func (h *house) uriByTCP(number string) string {
	return "sip:" + number + "@" + h.server.Addr("tcp").String() + ";transport=tcp"
}

func newPhone(t *testing.T, cfg phone.Config) *phone.Phone {
	t.Helper()
	cfg.Listen, cfg.User = "127.0.0.1:0", "alice"
	p, err := phone.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
