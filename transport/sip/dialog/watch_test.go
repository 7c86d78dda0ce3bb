// SPDX-License-Identifier: MIT

package dialog

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/google/go-cmp/cmp"
)

// watched is an Endpoint that answers who wants to watch with a status, and hands
// over who it was.
type watched struct {
	*Endpoint
	t       *testing.T
	status  atomic.Int32
	who     chan *Watcher
	replies chan Reply
	refused chan string
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	e := &watched{
		t: t, who: make(chan *Watcher, 9), replies: make(chan Reply, 9), refused: make(chan string, 9),
	}
	e.status.Store(200)
	e.Endpoint = open(t, Config{
		Events:  "message-summary",
		Refused: func(_ Request, no Response, _ int) { e.refused <- no.Reason },
		Subscribe: func(w *Watcher, _ Request) Response {
			e.who <- w
			return Response{Status: int(e.status.Load()), Phrase: "Answer"}
		},
	})
	return e
}

// tell notifies a Watcher and hands its answer over.
func (e *watched) tell(w *Watcher, state string) {
	w.Notify(e.t.Context(), []byte("2"), func(r Reply) { e.replies <- r }, Header{"Subscription-State", state}, Header{"Content-Type", "text/plain"})
}

// subscribe is a SUBSCRIBE of a wire that begins something.
func subscribe(id string, more ...string) string {
	text, _, _ := strings.Cut(strings.ReplaceAll(invite(id), "INVITE", "SUBSCRIBE"), "\n\tContent-Type")
	return text + "\n" + strings.Join(append([]string{"Event: message-summary;id=7"}, more...), "\n")
}

// told are those of a message that a test looks at.
func told(m sip.Message) []string {
	var got []string
	if req, ok := m.(*sip.Request); ok {
		got = append(got, "R-URI "+req.Recipient.String())
	}
	for _, name := range []string{"Route", "From", "To", "CSeq", "Event", "Subscription-State", "Content-Type", "Contact"} {
		for _, h := range m.GetHeaders(name) {
			got = append(got, name+": "+h.Value())
		}
	}
	return append(got, string(m.Body()))
}

// Who subscribes has a dialog: what it is told has its tags, its Event and its
// routes, and goes where it was heard.
func TestWatch(t *testing.T) {
	t.Parallel()
	e := newWatched(t)
	w := newWire(t, e.Addr("udp"))
	w.send(subscribe("watch", "Record-Route: <sip:ADDR;lr;x=1>", "Record-Route: <sip:192.0.2.9;lr>"))
	yes := w.expect("200 SUBSCRIBE")
	tag, _ := yes.To().Params.Get("tag")
	if c := yes.(*sip.Response).Contact(); tag == "" || c == nil || c.Address.User != "100" || c.Address.Port != int(e.Addr("udp").Port()) {
		t.Fatalf("answer:\n%s", yes)
	}
	who := <-e.who
	e.tell(who, "active;expires=9")
	notify := w.expect("NOTIFY")
	want := []string{
		"R-URI sip:alice@" + w.addr(), "Route: <sip:" + w.addr() + ";lr;x=1>", "Route: <sip:192.0.2.9;lr>",
		"From: <sip:100@callwright.test>;tag=" + tag, `To: "Alice" <sip:alice@` + w.addr() + ">;tag=a-watch", "CSeq: 1 NOTIFY",
		"Event: message-summary;id=7", "Subscription-State: active;expires=9", "Content-Type: text/plain", "Contact: <sip:100@" + e.Addr("udp").String() + ">", "2",
	}
	if diff := cmp.Diff(want, told(notify)); diff != "" {
		t.Errorf("NOTIFY (-want +got):\n%s", diff)
	}
	w.send(response(notify, "200 OK", ""))
	if got := <-e.replies; !got.OK() || got.Peer != w.addr() {
		t.Errorf("told: %+v", got)
	}
	// It goes on in the dialog, and is notified where it is now.
	moved := newWire(t, e.Addr("udp"))
	moved.send(inside("SUBSCRIBE", "watch", 2, yes, "Event: message-summary;id=7", "Expires: 0"))
	again := moved.expect("200 SUBSCRIBE")
	if same, _ := again.To().Params.Get("tag"); same != tag || <-e.who != who {
		t.Errorf("refreshed:\n%s", again)
	}
	e.tell(who, "active")
	w.send(response(w.expect("NOTIFY"), "481 Gone", ""))
	if got := <-e.replies; got.Status != 481 {
		t.Errorf("told: %+v", got)
	}
	who.Forget()
	w.send(inside("SUBSCRIBE", "watch", 3, yes, "Event: message-summary;id=7"))
	w.expect("481 SUBSCRIBE")
}

// Without routes it is notified over the way by which it was heard last, whatever
// its Contact says.
func TestWatchBehindNAT(t *testing.T) {
	t.Parallel()
	e := newWatched(t)
	one, two := newWire(t, e.Addr("udp")), newWire(t, e.Addr("udp"))
	one.send(strings.Replace(subscribe("nat"), "Contact: <sip:alice@ADDR>", "Contact: <sip:alice@192.0.2.1>", 1))
	yes := one.expect("200 SUBSCRIBE")
	for _, w := range []*wire{one, two} {
		if w == two { // as when the NAT has forgotten the phone
			two.send(strings.Replace(inside("SUBSCRIBE", "nat", 2, yes, "Event: message-summary;id=7"), "<sip:alice@ADDR>\n\tMax", "<sip:alice@192.0.2.1>\n\tMax", 1))
			two.expect("200 SUBSCRIBE")
		}
		e.tell(<-e.who, "active")
		notify := w.expect("NOTIFY")
		if got := notify.(*sip.Request).Recipient.String(); got != "sip:alice@192.0.2.1" {
			t.Errorf("to %s", got)
		}
		w.send(response(notify, "200 OK", ""))
		<-e.replies
	}
}

func TestUnwatchable(t *testing.T) {
	t.Parallel()
	e := newWatched(t)
	w := newWire(t, e.Addr("udp"))
	for i, tc := range []struct{ old, new, want, header, reason string }{
		{"Event: message-summary;id=7", "Event: presence", "489 SUBSCRIBE", "Allow-Events", `it wants to watch the event "presence"`},
		{"Event: message-summary;id=7", "o: dialog", "489 SUBSCRIBE", "Allow-Events", `"dialog"`},
		{"Event: message-summary;id=7", "X: y", "489 SUBSCRIBE", "Allow-Events", `""`},
		{"Event: message-summary;id=7", "o: message-summary", "200 SUBSCRIBE", "Contact", ""},
		{"Contact: <sip:alice@ADDR>", "X: y", "400 SUBSCRIBE", "Server", "it has no Contact"},
		{"Contact: <sip:alice@ADDR>", "Contact: *", "400 SUBSCRIBE", "Server", "it has no Contact"},
	} {
		w.send(strings.Replace(subscribe(fmt.Sprint("no", i)), tc.old, tc.new, 1))
		if res := w.expect(tc.want); header(res, tc.header) == "" {
			t.Errorf("no %s:\n%s", tc.header, res)
		}
		if tc.reason == "" {
			continue
		}
		if got := <-e.refused; !strings.Contains(got, tc.reason) {
			t.Errorf("told %q, want %q", got, tc.reason)
		}
	}
}

// What does not belong to a subscription, or is older than what came, changes none.
func TestWatchStray(t *testing.T) {
	t.Parallel()
	e := newWatched(t)
	w := newWire(t, e.Addr("udp"))
	w.send(subscribe("stray"))
	yes := w.expect("200 SUBSCRIBE")
	event := "Event: message-summary;id=7"
	w.send(inside("SUBSCRIBE", "stray", 1, yes, event))
	w.expect("500 SUBSCRIBE")
	w.send(inside("SUBSCRIBE", "stray", 2, yes, "Event: message-summary"))
	w.expect("481 SUBSCRIBE")
	w.send(strings.Replace(inside("SUBSCRIBE", "stray", 3, yes, event), "tag=a-stray", "tag=b", 1))
	w.expect("481 SUBSCRIBE")
	for i, method := range []string{"BYE", "NOTIFY", "INFO"} {
		w.send(inside(method, "stray", 4+i, yes))
		w.expect("481 " + method)
	}
	e.status.Store(403)
	w.send(subscribe("refused"))
	no := w.expect("403 SUBSCRIBE")
	w.send(inside("SUBSCRIBE", "refused", 2, no, event))
	w.expect("481 SUBSCRIBE")
	w.send(inside("SUBSCRIBE", "stray", 8, yes, event)) // refused, and still there
	w.expect("403 SUBSCRIBE")
	e.status.Store(200)
	w.send(inside("SUBSCRIBE", "stray", 9, yes, event))
	w.expect("200 SUBSCRIBE")
}

// OPTIONS and refusals say what may be watched.
func TestAllowEvents(t *testing.T) {
	t.Parallel()
	e := newWatched(t)
	w := newWire(t, e.Addr("udp"))
	for _, tc := range []struct{ method, want string }{{"OPTIONS", "200 OPTIONS"}, {"PUBLISH", "405 PUBLISH"}, {"DANCE", "501 DANCE"}} {
		w.send(strings.ReplaceAll(invite("allow-"+tc.method), "INVITE", tc.method))
		res := w.expect(tc.want)
		if header(res, "Allow") != allow+", SUBSCRIBE" {
			t.Errorf("%s: Allow: %s", tc.method, header(res, "Allow"))
		}
		if events := header(res, "Allow-Events"); (events == "message-summary") != (tc.method == "OPTIONS") {
			t.Errorf("%s: Allow-Events: %s", tc.method, events)
		}
	}
	plain := open(t, Config{})
	w = newWire(t, plain.Addr("udp"))
	w.send(subscribe("nobody"))
	if res := w.expect("405 SUBSCRIBE"); header(res, "Allow") != allow || header(res, "Allow-Events") != "" {
		t.Errorf("refused:\n%s", res)
	}
}

// Who has not asked is notified outside of any dialog, by the connection that it
// has; what goes wrong is told.
func TestWatcher(t *testing.T) {
	t.Parallel()
	e := newWatched(t)
	w := newWire(t, e.Addr("udp"))
	who, err := e.Watcher(Notice{
		Event: "message-summary", To: "sip:alice@192.0.2.1;ob", From: Party{URI: "sip:alice@callwright.test"}, Network: "UDP", Flow: w.addr(),
	})
	if err != nil {
		t.Fatal(err)
	}
	e.tell(who, "terminated")
	notify := w.expect("NOTIFY")
	if tag, _ := notify.To().Params.Get("tag"); tag != "" || notify.(*sip.Request).Recipient.String() != "sip:alice@192.0.2.1;ob" {
		t.Errorf("NOTIFY:\n%s", notify)
	}
	w.send(response(notify, "489 Bad Event", "x"))
	if got := <-e.replies; got.Status != 489 || got.Reason != "489 Bad Event" {
		t.Errorf("told: %+v", got)
	}
	for _, n := range []Notice{
		{To: "alice", From: Party{URI: "sip:a@b"}}, {To: "sip:a@b", From: Party{URI: "x"}}, {To: "sip:a@b", From: Party{URI: "sip:a@b"}, Flow: "there"},
	} {
		if _, err := e.Watcher(n); err == nil {
			t.Errorf("%+v", n)
		}
	}
	far, err := e.Watcher(Notice{To: "sip:alice@127.0.0.1:1;transport=tcp", From: Party{URI: "sip:a@b"}})
	if err != nil {
		t.Fatal(err)
	}
	e.tell(far, "active")
	if got := <-e.replies; got.Status != 503 || got.Reason == "" {
		t.Errorf("told: %+v", got)
	}
	e.tell(who, "a\r\nX: y")
	if got := <-e.replies; got.Status != 503 {
		t.Errorf("told: %+v", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	<-ctx.Done()
	far.Notify(ctx, nil, func(r Reply) { e.replies <- r })
	if got := <-e.replies; got.Status != 503 {
		t.Errorf("told: %+v", got)
	}
}
