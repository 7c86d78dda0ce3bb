// SPDX-License-Identifier: MIT

package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
)

// pushed is a customer's app that subscribes to everything, leaves every call to the
// account settings, and keeps what it is sent, word for word.
type pushed struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
}

func newPushed(t *testing.T) *pushed {
	t.Helper()
	p := &pushed{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.HasPrefix(string(body), "event=hangup&cause=forwarded") {
			time.Sleep(200 * time.Millisecond) // the next newCall waits for that
		}
		p.mu.Lock()
		p.bodies = append(p.bodies, string(body))
		p.mu.Unlock()
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprintf(w, `<Response onAnswer="%[1]s" onHangup="%[1]s"/>`, p.URL)
	}))
	t.Cleanup(p.Close)
	return p
}

// events waits for so many bodies and gives them with the ids by names: A and B are
// the calls, X is the chain.
func (p *pushed) events(t *testing.T, n int) []string {
	t.Helper()
	until(t, fmt.Sprint(n, " events"), func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.bodies) >= n
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	var names []string
	named := slices.Clone(p.bodies)
	for _, body := range p.bodies {
		form, err := url.ParseQuery(body)
		if err != nil {
			t.Fatal(err)
		}
		if id := form.Get("callId"); !slices.Contains(names, id) {
			names = append(names, id)
		}
		for i := range named {
			named[i] = strings.ReplaceAll(named[i], form.Get("xcid"), "X")
		}
	}
	for i := range named {
		for j, id := range names {
			named[i] = strings.ReplaceAll(named[i], id, string(rune('A'+j)))
		}
	}
	return named
}

// What an app is told of a call that goes to voicemail after a while, and of one
// that goes from a user who is busy to another number: two calls of one chain, field
// by field as sipgate.io tells it.
func TestForwardsAsAnAppSeesThem(t *testing.T) {
	t.Parallel()
	const incoming = "direction=in&callId=%[1]s&origCallId=A&from=4930111&to=4921112345"
	for _, tt := range []struct {
		name   string
		number config.Number
		alice  func(*phone.Call)
		b      string // user of B's newCall
		answer string // of B
		by     string // that answers
		at     string // the number that does
	}{
		{
			"voicemail after a while", config.Number{VoicemailAfter: time.Second}, func(c *phone.Call) { _ = c.Ring() },
			"user%5B%5D=voicemail", "", "voicemail", "4921112345",
		}, {
			"another number when busy", config.Number{OnBusy: "+4921112399"}, func(c *phone.Call) { c.Reject(486, "Busy Here") },
			"user%5B%5D=Bob&userId%5B%5D=w1&fullUserId%5B%5D=1234567w1", "user=Bob&userId=w1&fullUserId=1234567w1&", "user", "4921112399",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app := newPushed(t)
			var phones []*phone.Phone
			for _, name := range []string{"alice", "bob", "caller"} {
				p, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: name, Tone: bobTone})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = p.Close() })
				phones = append(phones, p)
			}
			s := start(t, app.URL, func(c *config.Config) {
				c.Accounts = []config.Account{{ID: "1234567"}}
				c.Apps[0].Account, c.Trunks[0].Account = "1234567", "1234567"
				tt.number.Number, tt.number.App, tt.number.Account, tt.number.Users = "+4921112345", "app", "1234567", []string{"w0"}
				c.Numbers = []config.Number{tt.number, {Number: "+4921112399", Account: "1234567", Users: []string{"w1"}}}
				c.Users = []config.User{
					{ID: "w0", Name: "Alice", Account: "1234567", Contact: phones[0].URI()},
					{ID: "w1", Name: "Bob", Account: "1234567", Contact: phones[1].URI()},
				}
			})
			call, err := phones[2].Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{
				From: dialog.Party{URI: "sip:+4930111@127.0.0.1"},
			})
			if err != nil {
				t.Fatal(err)
			}
			alice, err := phones[0].Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tt.alice(alice)
			if tt.answer != "" {
				bob, err := phones[1].Accept(t.Context())
				if err == nil {
					err = bob.Answer()
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			hearingOf(call).tone(t, bobTone) // or the beep
			call.Hangup()
			a, b := fmt.Sprintf(incoming, "A"), strings.Replace(fmt.Sprintf(incoming, "B"), "4921112345", tt.at, 1)
			want := []string{
				"event=newCall&" + a + "&user%5B%5D=Alice&userId%5B%5D=w0&fullUserId%5B%5D=1234567w0&xcid=X",
				"event=hangup&cause=forwarded&callId=A&from=4930111&to=4921112345&direction=in&origCallId=A&xcid=X",
				"event=newCall&" + b + "&" + tt.b + "&xcid=X&diversion=4921112345",
				"event=answer&callId=B&" + tt.answer + "from=4930111&to=" + tt.at + "&direction=in&answeringNumber=" + tt.at + "&diversion=4921112345&origCallId=A&xcid=X&answeredBy=" + tt.by,
				"event=hangup&cause=normalClearing&callId=B&from=4930111&to=" + tt.at + "&direction=in&answeringNumber=" + tt.at + "&diversion=4921112345&origCallId=A&xcid=X",
			}
			if diff := cmp.Diff(want, app.events(t, len(want))); diff != "" {
				t.Errorf("the app was told (-want +got):\n%s", diff)
			}
			until(t, "no call to be alive", func() bool { return s.Engine.Living() == 0 })
			tellsOfTheOther(t, s)
		})
	}
}

// tellsOfTheOther sees that the timelines of both calls name the other, in words.
func tellsOfTheOther(t *testing.T, s *server.Server) {
	t.Helper()
	var own []engine.Record
	records, _, err := s.Store.Calls(t.Context(), 10, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Parent.IsZero() {
			own = append(own, r)
		}
	}
	if len(own) != 2 {
		t.Fatalf("%d calls of their own, want two", len(own))
	}
	for i, r := range own {
		_, events, err := s.Store.Call(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(events, func(e engine.Event) bool { return strings.Contains(e.Text, "call "+own[1-i].ID.String()) }) {
			t.Errorf("the timeline of %s does not name %s", r.ID, own[1-i].ID)
		}
	}
}
