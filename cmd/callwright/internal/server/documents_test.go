// SPDX-License-Identifier: MIT

package server_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
)

// rung is a server whose number rings Bob, who is called from outside.
func rung(t *testing.T, appURL string, adjust func(*config.Config)) (x *exchange, out *phone.Call) {
	t.Helper()
	x = &exchange{t: t}
	sounding := func(name string, tone float64) *phone.Phone {
		p, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: name, Tone: tone})
		x.must(err)
		t.Cleanup(func() { _ = p.Close() })
		return p
	}
	x.alice, x.bob = sounding("alice", aliceTone), sounding("bob", bobTone)
	x.Server = start(t, appURL, func(c *config.Config) {
		c.Numbers[0].Users = []string{"w1"}
		c.Users = []config.User{{ID: "w1", Name: "Bob", Contact: x.bob.URI()}}
		adjust(c)
	})
	out, err := x.alice.Dial(x.at("+4921112345"), phone.CallOptions{From: dialog.Party{URI: "sip:+4930111@127.0.0.1"}})
	x.must(err)
	return x, out
}

// Of the URLs that the documents of a call give, the last of each name counts.
func TestLastURLsCount(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []string
	a := newApp(t, func(base string, r *http.Request) string {
		event := r.PostFormValue("event")
		mu.Lock()
		told = append(told, event+" "+r.URL.Path)
		mu.Unlock()
		switch event {
		case "newCall":
			return `<Response onAnswer="` + base + `/one" onHangup="` + base + `/one"><Gather onData="` + base + `/data" timeout="100"/></Response>`
		case "dtmf":
			return `<Response onHangup="` + base + `/two"/>`
		}
		return `<Response onHangup="` + base + `/three"/>` // of what is only told nothing is read
	})
	x, out := rung(t, a.URL+"/in", func(*config.Config) {})
	in := x.pickUp(x.bob)
	x.must(out.WaitAnswer(t.Context()))
	out.Hangup()
	x.over(out, in)
	want := []string{"newCall /in", "dtmf /data", "answer /one", "hangup /two"}
	until(t, "the app to be told of the end", func() bool { return a.count("hangup normalClearing") > 0 })
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("the app was told (-want +got):\n%s", diff)
	}
}

// What an app says when its time is over changes nothing: the call has gone on
// without it, and goes on.
func TestLateAnswerChangesNothing(t *testing.T) {
	t.Parallel()
	talking, answered := make(chan struct{}), make(chan struct{}, 1)
	a := newApp(t, func(base string, _ *http.Request) string {
		select {
		case <-talking:
			answered <- struct{}{}
		case <-t.Context().Done():
		}
		return `<Response onAnswer="` + base + `" onHangup="` + base + `"><Reject/></Response>`
	})
	x, out := rung(t, a.URL, func(c *config.Config) { c.Webhooks.Timeout = 200 * time.Millisecond })
	in := x.pickUp(x.bob)
	x.must(out.WaitAnswer(t.Context()))
	close(talking)
	<-answered
	x.talk(out, bobTone, in, aliceTone)
	out.Hangup()
	x.over(out, in)
	if got := x.causes(); got != "normal normal" {
		t.Errorf("causes: %s", got)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.events, []string{"newCall"}) {
		t.Errorf("the app was told %v, want only newCall", a.events)
	}
}
