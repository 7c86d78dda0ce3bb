// SPDX-License-Identifier: MIT

package sip

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// plane is a media plane without sound.
type plane struct {
	mu      sync.Mutex
	full    bool
	last    media.StreamID
	open    map[media.StreamID]media.StreamOptions
	remotes []media.Remote // in order of Connect
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

func (p *plane) Connect(_ media.StreamID, r media.Remote) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remotes = append(p.remotes, r)
	return nil
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

// house is a Server with everything around it.
type house struct {
	t      *testing.T
	server *Server
	plane  *plane
	log    *bytes.Buffer
	legs   chan *call
	refuse error
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
func newHouse(t *testing.T, change func(*house, *engine.Entries)) *house {
	t.Helper()
	h := &house{t: t, plane: &plane{open: map[media.StreamID]media.StreamOptions{}}, log: &bytes.Buffer{}, legs: make(chan *call, 10)}
	entries := engine.Entries{
		Apps:    []engine.App{{Key: "k"}},
		Numbers: []engine.Number{{Number: "+4921112345", App: "k"}},
		Trunks:  []engine.Trunk{{Name: "test", AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}},
	}
	if change != nil {
		change(h, &entries)
	}
	directory, err := engine.NewDirectory(entries)
	if err != nil {
		t.Fatal(err)
	}
	h.server = New(Config{
		Listen: []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0"}, Directory: directory, Media: h.plane,
		Log: slog.New(slog.NewTextHandler(h.log, nil)),
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

func TestIncoming(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := newPhone(t, phone.Config{})
	out, err := p.Dial(h.uri("004921112345"), phone.CallOptions{
		From:    dialog.Party{Name: "Alice", URI: "sip:+4930123@test"},
		Headers: []dialog.Header{{Name: "Diversion", Value: "<sip:2@x>"}, {Name: "Diversion", Value: "<sip:0049401@x>;reason=no-answer"}},
	})
	must(t, err)
	leg := h.next()
	want := engine.Arrival{
		From: engine.Address{Kind: engine.KindNumber, Value: "+4930123", Name: "Alice"}, To: engine.NumberAddress("+4921112345"),
		Diversion: "+49401", Number: engine.Number{Number: "+4921112345", App: "k"},
	}
	if diff := cmp.Diff(want, leg.Arrival); diff != "" {
		t.Errorf("arrival (-want +got):\n%s", diff)
	}
	must(t, leg.Progress(false))
	must(t, out.WaitRinging(t.Context()))
	if len(h.plane.connected()) != 0 {
		t.Error("sound flows to a caller that only rings")
	}
	must(t, leg.Progress(true))
	must(t, leg.Answer())
	must(t, out.WaitAnswer(t.Context()))
	leg.want(engine.LegConfirmed{})
	if r := h.plane.connected(); len(r) != 2 || r[0] != r[1] || r[0].TelephoneEvent == 0 || !r[0].Send {
		t.Errorf("connected %+v", r)
	}
	out.Hangup()
	leg.want(engine.LegEnded{Cause: engine.CauseNormal, Remote: true, Figures: media.Figures{Sent: 7}})
	if err := leg.Answer(); !errors.Is(err, engine.ErrLegGone) {
		t.Errorf("answer after the end: %v", err)
	}
}

// Every message of a call is told, and the end is told last.
func TestMessages(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := newPhone(t, phone.Config{})
	out, err := p.Dial(h.uri("004921112345"), phone.CallOptions{})
	must(t, err)
	leg := h.next()
	must(t, leg.Answer())
	must(t, out.WaitAnswer(t.Context()))
	leg.Hangup(engine.CauseNormal)
	var got []string
	for {
		select {
		case ev := <-leg.events:
			switch ev := ev.(type) {
			case engine.LegMessage:
				method, _, _ := strings.Cut(ev.Summary, " sip:")
				got = append(got, fmt.Sprint(ev.Sent, " ", method))
				if ev.Peer != p.Addr().String() {
					t.Errorf("peer %s", ev.Peer)
				}
				continue
			case engine.LegConfirmed:
				continue
			case engine.LegEnded:
			default:
				t.Errorf("event %#v", ev)
			}
		case <-time.After(patience):
			t.Error("no end")
		}
		break
	}
	if diff := cmp.Diff([]string{"false INVITE", "true 200 OK", "false ACK", "true BYE", "false 200 OK"}, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestIncomingEnds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := newPhone(t, phone.Config{})
	for _, tc := range []struct {
		cause  engine.Cause
		status int
	}{
		{engine.CauseBusy, 486}, {engine.CauseRejected, 603}, {engine.CauseShutdown, 503}, {engine.CauseNoAnswer, 480},
	} {
		out, err := p.Dial(h.uri("+4921112345"), phone.CallOptions{})
		must(t, err)
		leg := h.next()
		leg.Hangup(tc.cause)
		leg.want(engine.LegEnded{Cause: tc.cause, Figures: media.Figures{Sent: 7}})
		var ended *phone.EndedError
		if err := out.WaitAnswer(t.Context()); !errors.As(err, &ended) || ended.Status != tc.status {
			t.Errorf("%s: %v, want %d", tc.cause, err, tc.status)
		}
	}
	out, err := p.Dial(h.uri("+4921112345"), phone.CallOptions{})
	must(t, err)
	leg := h.next()
	must(t, leg.Progress(false))
	must(t, out.WaitRinging(t.Context()))
	out.Hangup()
	leg.want(engine.LegEnded{Cause: engine.CauseCancelled, Remote: true, Figures: media.Figures{Sent: 7}})
}

// Who calls is a number, something else, or nobody.
func TestCaller(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := newPhone(t, phone.Config{})
	for _, tc := range []struct {
		from    string
		privacy string
		want    engine.Address
	}{
		{"sip:+4930123@x", "", engine.NumberAddress("+4930123")},
		{"sip:%2B4930123@x", "none", engine.NumberAddress("+4930123")},
		{"sip:030123;phone-context=+49@x", "", engine.NumberAddress("030123")},
		{"sip:bob@x", "", engine.Address{Kind: engine.KindSIP, Value: "sip:bob@x"}},
		{"sip:anonymous@anonymous.invalid", "", engine.Anonymous()},
		{"sip:+4930123@x", "id;critical", engine.Anonymous()},
	} {
		o := phone.CallOptions{From: dialog.Party{URI: tc.from}}
		if tc.privacy != "" {
			o.Headers = []dialog.Header{{Name: "Privacy", Value: tc.privacy}}
		}
		_, err := p.Dial(h.uri("+4921112345"), o)
		must(t, err)
		leg := h.next()
		if diff := cmp.Diff(tc.want, leg.From); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tc.from, tc.privacy, diff)
		}
		leg.Hangup(engine.CauseBusy)
	}
	if got := userPart("tel:+4930123;ext=1"); got != "+4930123" {
		t.Errorf("user of a tel URI is %q", got)
	}
}

// What is not taken is refused with the right status, a line in the log that
// says why, and nothing left behind.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, number string
		phone        phone.Config
		status       int
		says         string
		change       func(*house, *engine.Entries)
	}{
		{"unknown number", "004921112346", phone.Config{}, 404, `number \"004921112346\" is not configured, the nearest one is \"+4921112345\"`, nil},
		{"unknown source", "+4921112345", phone.Config{}, 403, "add the address to allow_from of a trunk",
			func(_ *house, e *engine.Entries) { e.Trunks[0].AllowFrom = nil }},
		{"no port", "+4921112345", phone.Config{}, 503, "no free rtp port", func(h *house, _ *engine.Entries) { h.plane.full = true }},
		{"stopping", "+4921112345", phone.Config{}, 503, engine.ErrDraining.Error(), func(h *house, _ *engine.Entries) { h.refuse = engine.ErrDraining }},
		{"no codec", "+4921112345", phone.Config{Codecs: []media.Codec{18}}, 488, "no audio codec in common", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, tc.change)
			p := newPhone(t, tc.phone)
			out, err := p.Dial(h.uri(tc.number), phone.CallOptions{})
			must(t, err)
			var ended *phone.EndedError
			if err := out.WaitAnswer(t.Context()); !errors.As(err, &ended) || ended.Status != tc.status {
				t.Errorf("%v, want %d", err, tc.status)
			}
			must(t, h.server.Close())
			if log := h.log.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, tc.says) {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}

// A number that is configured nowhere is the trunk's App's, if it has one.
func TestTrunkApp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(_ *house, e *engine.Entries) { e.Trunks[0].App = "k" })
	_, err := newPhone(t, phone.Config{}).Dial(h.uri("0049301"), phone.CallOptions{})
	must(t, err)
	leg := h.next()
	if diff := cmp.Diff(engine.Number{Number: "+49301", App: "k"}, leg.Number); diff != "" {
		t.Errorf("number (-want +got):\n%s", diff)
	}
	leg.Hangup(engine.CauseBusy)
}

// A caller that offers nothing gets our offer with the 200, and says with its
// ACK what it took.
func TestLateOffer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	caller, err := dialog.Listen(dialog.Config{Listen: []string{"udp://127.0.0.1:0"}, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { _ = caller.Close() })
	answered := make(chan struct{})
	d, err := caller.Call(dialog.Call{To: h.uri("+4921112345"), From: dialog.Party{URI: "sip:1@x"}}, dialog.Handler{Event: func(ev dialog.Event) {
		if a, ok := ev.(dialog.Answered); ok {
			if !strings.Contains(string(a.Body), "m=audio") {
				t.Errorf("no offer in the answer: %q", a.Body)
			}
			close(answered)
		}
	}})
	must(t, err)
	leg := h.next()
	if err := leg.Progress(true); !errors.Is(err, engine.ErrNoEarlyMedia) {
		t.Errorf("early media to nowhere: %v", err)
	}
	must(t, leg.Answer())
	<-answered
	// This caller's ACK is empty: no sound can be settled.
	leg.want(engine.LegEnded{Cause: engine.CauseNoCodec, Text: "read SDP answer: the body is empty", Figures: media.Figures{Sent: 7}})
	d.Hangup(0, "")
}

// withPhone has the house reach a phone as its trunk.
func withPhone(t *testing.T, p *phone.Phone, trunk engine.Trunk) *house {
	return newHouse(t, func(_ *house, e *engine.Entries) {
		trunk.Name, trunk.Address = "out", p.Addr().String()+";transport=udp"
		e.Trunks = append(e.Trunks, trunk)
		e.Users = []engine.User{{ID: "w0", Name: "Alice", Contact: p.URI()}, {ID: "w1", Name: "Bob"}}
	})
}

// dial has the house ring a target.
func (h *house) dial(r engine.DialRequest) *call {
	h.t.Helper()
	leg, err := h.server.Dial(r)
	must(h.t, err)
	return listen(h.t, leg, engine.Arrival{})
}

func TestOutgoing(t *testing.T) {
	t.Parallel()
	p := newPhone(t, phone.Config{})
	h := withPhone(t, p, engine.Trunk{From: "+4921100"})
	number := func(n string) engine.Target { return engine.Target{Address: engine.NumberAddress(n)} }
	host := "127.0.0.1"
	for _, tc := range []struct {
		name    string
		request engine.DialRequest
		to      string
		from    dialog.Party
		headers map[string]string
	}{
		{"a number", engine.DialRequest{Target: number("+49301"), From: engine.Address{Kind: engine.KindNumber, Value: "+4940", Name: "Bob"}, Diversion: "+4922"},
			"sip:+49301@", dialog.Party{Name: "Bob", URI: "sip:+4940@" + host}, map[string]string{"Diversion": "<sip:+4922@" + host + ">"}},
		{"withheld", engine.DialRequest{Target: number("+49301"), From: engine.Anonymous()},
			"sip:+49301@", dialog.Party{Name: "Anonymous", URI: "sip:anonymous@anonymous.invalid"}, map[string]string{"Privacy": "id"}},
		{"by a user", engine.DialRequest{Target: number("+49301"), From: engine.Address{Kind: engine.KindUser, Value: "w1"}},
			"sip:+49301@", dialog.Party{URI: "sip:+4921100@" + host}, nil},
		{"a user, by somebody with a strange address", engine.DialRequest{
			Target: engine.Target{Address: engine.Address{Kind: engine.KindUser, Value: "w0"}}, From: engine.Address{Kind: engine.KindSIP, Value: "sip:bo b@x:1"}},
			"sip:alice@", dialog.Party{URI: "sip:bo%20b@" + host}, nil},
	} {
		leg := h.dial(tc.request)
		in, err := p.Accept(t.Context())
		must(t, err)
		if !strings.HasPrefix(in.To.URI, tc.to) || in.From != tc.from {
			t.Errorf("%s: to %s from %+v", tc.name, in.To.URI, in.From)
		}
		for name, want := range tc.headers {
			if got := in.Header(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s: %q, want %q", tc.name, name, got, want)
			}
		}
		in.Reject(486, "Busy Here")
		leg.want(engine.LegEnded{Cause: engine.CauseBusy, Remote: true, Text: "486 Busy Here", Figures: media.Figures{Sent: 7}})
	}
}

func TestOutgoingAnswered(t *testing.T) {
	t.Parallel()
	p := newPhone(t, phone.Config{Codecs: []media.Codec{media.PCMA}})
	h := withPhone(t, p, engine.Trunk{})
	leg := h.dial(engine.DialRequest{Target: engine.Target{Address: engine.NumberAddress("+49301")}, From: engine.NumberAddress("1"), Near: 5})
	if h.plane.open[1].Near != 5 {
		t.Error("the stream is not opened near its peer's")
	}
	in, err := p.Accept(t.Context())
	must(t, err)
	must(t, in.Ring())
	must(t, in.RingAloud())
	must(t, in.Answer())
	leg.want(engine.LegRinging{Status: 180}, engine.LegRinging{Status: 183, Sound: true}, engine.LegAnswered{})
	if r := h.plane.connected(); len(r) != 2 || r[1].Codec != media.PCMA || !r[1].Send || !r[1].Receive {
		t.Errorf("connected %+v", r)
	}
	leg.Hangup(engine.CauseMaxDuration)
	leg.want(engine.LegEnded{Cause: engine.CauseMaxDuration, Figures: media.Figures{Sent: 7}})
	if _, err := in.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
}

// A leg that is cancelled ends with the cause it was given, and phones that rang
// in vain learn that somebody else picked up.
func TestOutgoingCancelled(t *testing.T) {
	t.Parallel()
	p := newPhone(t, phone.Config{})
	h := withPhone(t, p, engine.Trunk{})
	leg := h.dial(engine.DialRequest{Target: engine.Target{Address: engine.NumberAddress("+49301")}, From: engine.NumberAddress("1")})
	in, err := p.Accept(t.Context())
	must(t, err)
	must(t, in.Ring())
	leg.want(engine.LegRinging{Status: 180})
	leg.Hangup(engine.CauseElsewhere)
	leg.want(engine.LegEnded{Cause: engine.CauseElsewhere, Figures: media.Figures{Sent: 7}})
	if ended, err := in.WaitEnd(t.Context()); err != nil || ended.Status != 487 {
		t.Errorf("ended %+v, %v", ended, err)
	}
}

func TestDialRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(_ *house, e *engine.Entries) {
		e.Users = []engine.User{{ID: "w1", Name: "Bob"}, {ID: "w2", Name: "Eve", Contact: "sip:eve@127.0.0.1:99999"}}
	})
	for _, tc := range []struct {
		target engine.Address
		cause  engine.Cause
		says   string
	}{
		{engine.NumberAddress("+49301"), engine.CauseUnreachable, "trunks[].address"},
		{engine.Address{Kind: engine.KindUser, Value: "w1", Name: "Bob"}, engine.CauseOffline, "users[].contact"},
		{engine.Address{Kind: engine.KindUser, Value: "w2", Name: "Eve"}, engine.CauseUnreachable, "no way to its address"},
		{engine.Anonymous(), engine.CauseNotFound, "neither a number nor a user"},
	} {
		_, err := h.server.Dial(engine.DialRequest{Target: engine.Target{Address: tc.target}, From: engine.NumberAddress("1")})
		var refused *engine.DialError
		if !errors.As(err, &refused) || refused.Cause != tc.cause || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", tc.target, err)
		}
	}
}

// Hold and back: the plane is told whom to send to and whether.
func TestHold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := newPhone(t, phone.Config{})
	_, err := p.Dial(h.uri("+4921112345"), phone.CallOptions{})
	must(t, err)
	c := h.next()
	must(t, c.Leg.Answer())
	c.want(engine.LegConfirmed{})
	l := c.Leg.(*Leg)
	const sdp = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
	answer, err := l.onOffer([]byte(sdp + "a=sendonly\r\n"))
	must(t, err)
	if r := h.plane.connected(); r[1].Send || !strings.Contains(string(answer), "a=recvonly") {
		t.Errorf("held: %+v\n%s", r[1], answer)
	}
	_, err = l.onOffer([]byte(sdp))
	must(t, err)
	if r := h.plane.connected(); !r[2].Send {
		t.Errorf("taken back: %+v", r[2])
	}
	if _, err := l.onOffer([]byte("garbage")); err == nil {
		t.Error("garbage is answered")
	}
	if offer, err := l.onOffer(nil); err != nil || !strings.Contains(string(offer), "m=audio") {
		t.Errorf("asked for an offer: %q, %v", offer, err)
	}
	c.Hangup(engine.CauseNormal)
}

// The plane may be stopped first; a leg still ends once.
func TestPlaneStops(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	p := newPhone(t, phone.Config{})
	_, err := p.Dial(h.uri("+4921112345"), phone.CallOptions{})
	must(t, err)
	leg := h.next()
	must(t, h.plane.CloseStream(leg.Info().Stream))
	leg.want(engine.LegEnded{Cause: engine.CauseShutdown, Figures: media.Figures{Sent: 7}})
	leg.Hangup(engine.CauseShutdown)
	must(t, h.server.Close())
	for len(leg.events) > 0 {
		if ev, ok := (<-leg.events).(engine.LegEnded); ok {
			t.Errorf("ended again: %+v", ev)
		}
	}
}
