// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"
)

// testT1 makes what takes half a second by the RFC take 60 ms. 64 of it, after
// which a peer counts as gone, are more than a machine stalls that runs many tests
// at once.
const testT1 = 60 * time.Millisecond

func TestMain(m *testing.M) {
	sip.SetTimers(testT1, 8*testT1, 10*testT1)
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what must come.
const patience = time.Minute

// open gives an Endpoint on loopback that is closed with the test.
func open(t *testing.T, cfg Config) *Endpoint {
	t.Helper()
	if cfg.Listen == nil {
		cfg.Listen = []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0"}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.T1 == 0 {
		cfg.T1, cfg.T2 = testT1, 8*testT1
	}
	cfg.Product = "test"
	e, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// record is a Handler that keeps what it is told as text.
type record struct {
	t     *testing.T
	mu    sync.Mutex
	told  []string
	more  chan struct{}
	offer func([]byte) ([]byte, error)
	info  func(contentType string, body []byte) int
	refer func(Referral)
	owner any
	trace bool
	// once keeps only the first of things that are told in the same words: on a
	// slow machine messages are repeated, and what follows from them.
	once   bool
	events []Event
}

func newRecord(t *testing.T) *record { return &record{t: t, more: make(chan struct{}, 1)} }

func (r *record) add(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.once && slices.Contains(r.told, s) {
		return
	}
	r.told = append(r.told, s)
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *record) handler() Handler {
	h := Handler{Offer: r.offer, Info: r.info, InfoTypes: "text/x", Refer: r.refer, Owner: r.owner, Event: func(ev Event) {
		r.mu.Lock()
		r.events = append(r.events, ev)
		r.mu.Unlock()
		r.add(name(ev))
	}}
	if r.trace {
		h.Trace = func(m Message) {
			arrow := "<"
			if m.Sent {
				arrow = ">"
			}
			if m.Summary == "100 Trying" {
				return // comes if the answer takes 200 ms
			}
			first, rest, _ := strings.Cut(m.Summary, " ")
			if strings.Contains(rest, ":") {
				rest = ""
			}
			r.add(strings.TrimSpace(arrow + first + " " + rest))
		}
	}
	return h
}

// event gives what was told as the i-th event.
func (r *record) event(i int) Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events[i]
}

func name(ev Event) string {
	switch ev := ev.(type) {
	case Ringing:
		return fmt.Sprint("ringing ", ev.Status)
	case Answered:
		return "answered"
	case Confirmed:
		return "confirmed"
	case Ended:
		return fmt.Sprint("ended ", ev.Status, " ", ev.By)
	}
	return "?"
}

// want waits until exactly these things were told, in this order.
func (r *record) want(things ...string) {
	r.t.Helper()
	if r.once {
		first := record{once: true}
		for _, thing := range things {
			first.add(thing)
		}
		things = first.told
	}
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		told := append([]string(nil), r.told...)
		r.mu.Unlock()
		if len(told) >= len(things) {
			if got, want := strings.Join(told, ", "), strings.Join(things, ", "); got != want {
				r.t.Fatalf("told:  %s\nwant: %s", got, want)
			}
			return
		}
		select {
		case <-r.more:
		case <-deadline:
			r.t.Fatalf("told only: %s\nwant:      %s", strings.Join(told, ", "), strings.Join(things, ", "))
		}
	}
}

// calls is an Incoming that hands each new call over.
type calls struct {
	t       *testing.T
	made    chan incomingCall
	prepare func(*record)
}

type incomingCall struct {
	*Dialog
	Invitation
	*record
}

func newCalls(t *testing.T) *calls { return &calls{t: t, made: make(chan incomingCall, 2000)} }

func (c *calls) incoming(d *Dialog, i Invitation) Handler {
	r := newRecord(c.t)
	if c.prepare != nil {
		c.prepare(r)
	}
	c.made <- incomingCall{d, i, r}
	return r.handler()
}

func (c *calls) next() incomingCall {
	c.t.Helper()
	select {
	case call := <-c.made:
		return call
	case <-time.After(patience):
		c.t.Fatal("no call came")
		panic("unreachable")
	}
}

// wire is a peer that writes and reads bare messages.
type wire struct {
	t    *testing.T
	conn *net.UDPConn
	to   netip.AddrPort
	// only, if set, has expect pass over what belongs to other calls.
	only string
	seen map[string]bool // what was read, byte for byte
}

// newWire gives a peer that talks to an endpoint.
func newWire(t *testing.T, to netip.AddrPort) *wire {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &wire{t: t, conn: conn, to: to, seen: map[string]bool{}}
}

func (w *wire) addr() string { return w.conn.LocalAddr().String() }

// send writes a message. Lines may end with a bare line feed and be indented; a
// blank line ends the headers. ADDR stands for our own address.
func (w *wire) send(text string) {
	w.t.Helper()
	if _, err := w.conn.WriteToUDPAddrPort(w.bytes(text), w.to); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) bytes(text string) []byte {
	head, body, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n\n")
	var b strings.Builder
	for line := range strings.Lines(head) {
		b.WriteString(strings.TrimSpace(line) + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return []byte(strings.ReplaceAll(b.String(), "ADDR", w.addr()))
}

// read gives the next message, and says whether it is a repetition: the same was
// read before, byte for byte.
func (w *wire) read() (msg sip.Message, repeated bool) {
	w.t.Helper()
	buf := make([]byte, 65536)
	if err := w.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		w.t.Fatal(err)
	}
	n, from, err := w.conn.ReadFromUDPAddrPort(buf)
	if err != nil {
		w.t.Fatalf("no message came: %v", err)
	}
	w.to = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	msg, err = sip.ParseMessage(buf[:n])
	if err != nil {
		w.t.Fatalf("cannot read %q: %v", buf[:n], err)
	}
	repeated = w.seen[string(buf[:n])]
	w.seen[string(buf[:n])] = true
	return msg, repeated
}

// expect gives the next message, which must have the label: like "INVITE" or
// "200 INVITE" (status and method of CSeq). What was read before is passed over,
// because whoever waits longer than T1 repeats what it has sent, and so are "100
// INVITE", which comes if the answer takes long, and labels in skip.
func (w *wire) expect(want string, skip ...string) sip.Message {
	w.t.Helper()
	for {
		if msg, repeated := w.read(); !repeated && w.is(msg, want, skip) {
			return msg
		}
	}
}

// again is as expect, but the message may be one that was read before.
func (w *wire) again(want string, skip ...string) sip.Message {
	w.t.Helper()
	for {
		if msg, repeated := w.read(); (!repeated || label(msg) == want) && w.is(msg, want, skip) {
			return msg
		}
	}
}

// is says whether a message has the label. It fails the test if it has not, and
// may not be passed over either.
func (w *wire) is(msg sip.Message, want string, skip []string) bool {
	w.t.Helper()
	got := label(msg)
	switch {
	case w.only != "" && msg.CallID().Value() != w.only, got != want && got == "100 INVITE":
		return false
	case got != want && !slices.Contains(skip, got):
		w.t.Fatalf("got %s, want %s:\n%s", got, want, msg)
	}
	return got == want
}

// handled returns when all that was sent of a call before has been looked at.
func (w *wire) handled(id string) {
	w.t.Helper()
	w.send(strings.NewReplacer("INVITE", "OPTIONS", "z9hG4bK-i-", "z9hG4bK-handled-").Replace(invite(id)))
	w.expect("200 OPTIONS")
}

// mark is what a wire sends to itself.
const mark = "all before this came before"

// mark sends it: what has come up to now is read before.
func (w *wire) mark() {
	w.t.Helper()
	if _, err := w.conn.WriteTo([]byte(mark), w.conn.LocalAddr()); err != nil {
		w.t.Fatal(err)
	}
}

// came gives the messages that have come and were not read.
func (w *wire) came() (all [][]byte) {
	w.t.Helper()
	w.mark()
	if err := w.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		w.t.Fatal(err)
	}
	for {
		buf := make([]byte, 65536)
		n, _, err := w.conn.ReadFromUDPAddrPort(buf)
		switch {
		case err != nil:
			w.t.Fatal(err)
		case string(buf[:n]) == mark:
			return all
		}
		all = append(all, buf[:n])
	}
}

// silent fails if a message comes within some of T1. Repetitions may have come
// before: they wait to be read.
func (w *wire) silent(skip ...string) {
	w.t.Helper()
	for _, text := range w.came() {
		if !w.seen[string(text)] {
			w.unexpected(text, skip)
		}
	}
	if err := w.conn.SetReadDeadline(time.Now().Add(6 * testT1)); err != nil {
		w.t.Fatal(err)
	}
	for buf := make([]byte, 65536); ; {
		n, _, err := w.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		w.unexpected(buf[:n], skip)
	}
}

// unexpected fails unless a message may be passed over.
func (w *wire) unexpected(text []byte, skip []string) {
	w.t.Helper()
	if msg, _ := sip.ParseMessage(text); msg == nil || !slices.Contains(skip, label(msg)) {
		w.t.Fatalf("unexpected message:\n%s", text)
	}
}

func label(msg sip.Message) string {
	switch m := msg.(type) {
	case *sip.Request:
		return string(m.Method)
	case *sip.Response:
		return fmt.Sprint(m.StatusCode, " ", m.CSeq().MethodName)
	}
	return "?"
}

// invite is an INVITE of a wire; branch and tags follow from id.
func invite(id string) string {
	return `
	INVITE sip:100@callwright.test SIP/2.0
	Via: SIP/2.0/UDP ADDR;branch=z9hG4bK-i-` + id + `;rport
	From: "Alice" <sip:alice@ADDR>;tag=a-` + id + `
	To: <sip:100@callwright.test>
	Call-ID: ` + id + `
	CSeq: 1 INVITE
	Contact: <sip:alice@ADDR>
	Max-Forwards: 70
	Content-Type: application/sdp

offer`
}

// inside is a request of a wire inside the call that a response to invite made.
func inside(method, id string, seq int, res sip.Message, more ...string) string {
	tag, _ := res.To().Params.Get("tag")
	text := fmt.Sprintf(`
	%s sip:100@callwright.test SIP/2.0
	Via: SIP/2.0/UDP ADDR;branch=z9hG4bK-%s-%s-%d;rport
	From: "Alice" <sip:alice@ADDR>;tag=a-%s
	To: <sip:100@callwright.test>;tag=%s
	Call-ID: %s
	CSeq: %d %s
	Contact: <sip:alice@ADDR>
	Max-Forwards: 70`, method, strings.ToLower(method), id, seq, id, tag, id, seq, method)
	for _, m := range more {
		text += "\n" + m
	}
	return text
}

// response is what a wire answers to a request, with a tag of its own.
func response(req sip.Message, status, tag string, more ...string) string {
	text := "SIP/2.0 " + status + "\n"
	for _, h := range req.GetHeaders("Via") {
		text += "Via: " + h.Value() + "\n"
	}
	text += "From: " + req.From().Value() + "\n"
	text += "To: " + req.To().Value()
	if tag != "" && !req.To().Params.Has("tag") {
		text += ";tag=" + tag
	}
	text += "\nCall-ID: " + req.CallID().Value() + "\nCSeq: " + req.CSeq().Value()
	for _, m := range more {
		text += "\n" + m
	}
	return text
}
