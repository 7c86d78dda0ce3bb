// SPDX-License-Identifier: MIT

package sip

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
	"github.com/google/go-cmp/cmp"
)

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
		Account: directory.DefaultAccount, Trunk: "test",
		From: directory.Address{Kind: directory.KindNumber, Value: "+4930123", Name: "Alice"}, To: directory.NumberAddress("+4921112345"),
		Diversion: "+49401", Number: directory.Number{Number: "+4921112345", Account: directory.DefaultAccount, App: "k"}, MaxForwards: 70,
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
	if r := h.plane.connected(); len(r) != 2 || r[0].Addr != r[1].Addr || r[0].TelephoneEvent == 0 || !r[0].Send {
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
	out.Hangup()
	var got []string
	for {
		select {
		case ev := <-leg.events:
			switch ev := ev.(type) {
			case engine.LegMessage:
				method, _, _ := strings.Cut(ev.Summary, " sip:")
				line := fmt.Sprint(ev.Sent, " ", method)
				if line != "true 100 Trying" && (len(got) == 0 || line != got[len(got)-1]) { // on a slow machine it is repeated
					got = append(got, line)
				}
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
	if diff := cmp.Diff([]string{"false INVITE", "true 200 OK", "false ACK", "false BYE", "true 200 OK"}, got); diff != "" {
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
		want    directory.Address
	}{
		{"sip:+4930123@x", "", directory.NumberAddress("+4930123")},
		{"sip:%2B4930123@x", "none", directory.NumberAddress("+4930123")},
		{"sip:030123;phone-context=+49@x", "", directory.NumberAddress("030123")},
		{"sip:bob@x", "", directory.Address{Kind: directory.KindSIP, Value: "sip:bob@x"}},
		{"sip:anonymous@anonymous.invalid", "", directory.Anonymous()},
		{"sip:+4930123@x", "id;critical", directory.Anonymous()},
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
		change       func(*house, *directory.Entries)
	}{
		{"unknown number", "004921112346", phone.Config{}, 404, `number \"004921112346\" is not configured, the nearest one is \"+4921112345\"`, nil},
		{"unknown source", "+4921112345", phone.Config{}, 403, "add the address to allow_from of a trunk",
			func(_ *house, e *directory.Entries) { e.Trunks[0].AllowFrom = nil }},
		{"no port", "+4921112345", phone.Config{}, 503, "no free rtp port", func(h *house, _ *directory.Entries) { h.plane.full = true }},
		{"stopping", "+4921112345", phone.Config{}, 503, engine.ErrDraining.Error(), func(h *house, _ *directory.Entries) { h.refuse = engine.ErrDraining }},
		{"no codec", "+4921112345", phone.Config{Codecs: []media.Codec{18}}, 488, "no audio codec in common", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, tc.change)
			p := newPhone(t, tc.phone)
			out, err := p.Dial(h.uriByTCP(tc.number), phone.CallOptions{})
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
	h := newHouse(t, func(_ *house, e *directory.Entries) { e.Trunks[0].App = "k" })
	_, err := newPhone(t, phone.Config{}).Dial(h.uri("0049301"), phone.CallOptions{})
	must(t, err)
	leg := h.next()
	if diff := cmp.Diff(directory.Number{Number: "+49301", Account: directory.DefaultAccount, App: "k"}, leg.Number); diff != "" {
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
	d, err := caller.Call(dialog.Call{To: h.uri("+4921112345"), From: dialog.Party{URI: "sip:1@x"}}, dialog.Handler{
		Event: func(ev dialog.Event) {
			if _, ok := ev.(dialog.Answered); ok {
				close(answered)
			}
		},
		Offer: func(body []byte) ([]byte, error) {
			if !strings.Contains(string(body), "m=audio") {
				t.Errorf("no offer in the answer: %q", body)
			}
			return nil, errors.New("not that")
		},
	})
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

// A caller may hang up as soon as it has our 200, and its stream be closed before
// that was settled: it was answered all the same.
func TestAnswerOvertakenByBye(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	d, err := newPhone(t, phone.Config{}).Dial(h.uri("+4921112345"), phone.CallOptions{})
	must(t, err)
	leg := h.next()
	id := leg.Info().Stream
	h.plane.mu.Lock()
	stream := h.plane.open[id]
	delete(h.plane.open, id)
	h.plane.mu.Unlock()
	must(t, leg.Answer())
	h.plane.mu.Lock()
	h.plane.open[id] = stream
	h.plane.mu.Unlock()
	leg.want(engine.LegConfirmed{})
	d.Hangup()
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

// A trunk whose files cannot be read is named at the start.
func TestTrunkFilesAreLookedAt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(_ *house, e *directory.Entries) {
		e.Trunks = append(e.Trunks, directory.Trunk{
			Name: "carrier", Account: directory.DefaultAccount, Address: "c.invalid;transport=tls", TLS: directory.TrunkTLS{CA: "/nowhere/ca.pem"},
		})
	})
	must(t, h.server.Close())
	if log := h.log.String(); !strings.Contains(log, `trunk \"carrier\" cannot be reached by TLS`) || !strings.Contains(log, "/nowhere/ca.pem") {
		t.Errorf("log:\n%s", log)
	}
}
