// SPDX-License-Identifier: MIT

package sipgateio

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs/builtin"
)

// office is a server with Alice, Bob and Carol at numbers of their own, a second one
// of Bob's, Carol in a group, and a number that only an app answers. Whoever is rung picks up after a
// second.
func office(t *testing.T, document string) *enginetest.House {
	t.Helper()
	app := directory.App{Key: "crm", Dialect: "sipgateio", IncomingURL: "http://app/", OutgoingURL: "http://app/", EventsURL: "http://app/events"}
	entries := directory.Entries{
		Apps:   []directory.App{app},
		Users:  []directory.User{{ID: "w0", Name: "Alice", App: "crm"}, {ID: "w1", Name: "Bob"}, {ID: "w2", Name: "Carol"}},
		Groups: []directory.Group{{ID: "g0", Users: []string{"w2"}}},
		Numbers: []directory.Number{
			{Number: "+49211100", App: "crm", Users: []string{"w0"}}, {Number: "+49211101", App: "crm", Users: []string{"w1"}},
			{Number: "+49211102", App: "crm", Users: []string{"w2"}}, {Number: "+49211103", Users: []string{"w1"}}, {Number: "+49211106", App: "crm"},
		},
	}
	h := enginetest.New(t, entries, map[string]engine.Dialect{"": builtin.AccountSettings{}, "sipgateio": New(builtin.Deliver)})
	for _, user := range []string{"w0", "w1", "w2"} {
		h.Phones[user] = []string{"phone " + user}
		h.Target("phone "+user, picksUp)
	}
	header := http.Header{"Content-Type": {"application/xml"}}
	asked := false
	h.App.Answer(func(r engine.Request) engine.Reply {
		body := `<Response onAnswer="http://app/" onHangup="http://app/"/>`
		if r.Name == newCall && !asked {
			asked, body = true, cmp.Or(document, body)
		}
		return engine.Reply{URL: r.URL, Status: 200, Header: header, Body: []byte(body)}
	})
	return h
}

func picksUp(l *enginetest.Leg) {
	l.Emit(engine.LegRinging{Status: 180})
	time.Sleep(time.Second)
	l.Emit(engine.LegAnswered{})
}

// numbers are the pushes of a house: what, of whom, the numbers that they name.
func numbers(t *testing.T, h *enginetest.House) (all []string) {
	t.Helper()
	for _, r := range h.App.Asked() {
		f, err := url.ParseQuery(string(r.Body))
		if err != nil {
			t.Fatal(err)
		}
		line := r.Name + " " + f.Get("user") + " to " + f.Get("to")
		for _, name := range []string{"diversion", "ringingNumber", "answeringNumber"} {
			if f.Has(name) {
				line += " " + name + " " + f.Get(name)
			}
		}
		all = append(all, line)
	}
	return all
}

// Whoever is reached is named with the number at which that is: the one that was
// dialled and rings it, however it came to be dialled; else its own.
func TestNumbersReached(t *testing.T) {
	t.Parallel()
	const begins = "newCall  to 49211100;ringing Alice to 49211100 ringingNumber 49211100;" +
		"answer Alice to 49211100 answeringNumber 49211100;connected Alice to 49211100 answeringNumber 49211100;"
	const bobs = "newCall  to 49211101 diversion 49211100;ringing Bob to 49211101 diversion 49211100 ringingNumber 49211101;" +
		"answer Bob to 49211101 diversion 49211100 answeringNumber 49211101;connected Bob to 49211101 diversion 49211100 answeringNumber 49211101;" +
		"hangup  to 49211100 answeringNumber 49211100"
	const consulted = "ringing Bob to 49211100 ringingNumber 49211101;" +
		"answer Bob to 49211100 answeringNumber 49211101;connected Bob to 49211100 answeringNumber 49211101"
	transfer := func(to string, attended bool) func(*enginetest.House, engine.ID) error {
		return func(h *enginetest.House, id engine.ID) error {
			err := h.Engine.Transfer(id, engine.TransferOrder{To: to, Attended: attended})
			time.Sleep(2 * time.Second)
			if attended {
				h.Dialled()[0].Leg.HangUp()
			}
			return err
		}
	}
	for _, tt := range []struct {
		name     string
		to       string
		document string
		then     func(*enginetest.House, engine.ID) error
		pushes   string
		owner    string // as GET /calls has it
	}{
		{"Dial to several numbers of ours", "+49211106",
			`<Response onAnswer="http://app/"><Dial><Number timeout="500">49211100</Number><Number delay="500">49211103</Number></Dial></Response>`, nil,
			"newCall  to 49211106;ringing Alice to 49211106 ringingNumber 49211100;ringing Bob to 49211106 ringingNumber 49211103;" +
				"answer Bob to 49211106 answeringNumber 49211103;connected Bob to 49211106 answeringNumber 49211103", "+49211103"},
		{"picked up by a colleague", "+49211100", "",
			func(h *enginetest.House, _ engine.ID) error {
				bell := h.Dialled()[0].Leg
				_, err := h.Arrive(engine.Arrival{From: directory.NumberAddress("+49211102"), Caller: directory.User{ID: "w2"}, Replaces: bell})
				return err
			},
			"newCall  to 49211100;ringing Alice to 49211100 ringingNumber 49211100;" +
				"answer Carol to 49211100 answeringNumber 49211100;connected Carol to 49211100 answeringNumber 49211100", "+49211100"},
		{"transfer to a number", "+49211100", "", transfer("+49211101", false), begins + bobs, "+49211101"},
		{"transfer to its user", "+49211100", "", transfer("w1", false), begins + bobs, "+49211101"},
		{"transfer to a group", "+49211100", "", transfer("g0", false), begins +
			"newCall  to 49211100 diversion 49211100;ringing Carol to 49211100 diversion 49211100 ringingNumber 49211102;" +
			"answer Carol to 49211100 diversion 49211100 answeringNumber 49211102;connected Carol to 49211100 diversion 49211100 answeringNumber 49211102;" +
			"hangup  to 49211100 answeringNumber 49211100", "+49211102"},
		{"attended transfer to a number", "+49211100", "", transfer("+49211103", true),
			begins + strings.ReplaceAll(consulted, "Number 49211101", "Number 49211103"), "+49211103"},
		{"attended transfer to its user", "+49211100", "", transfer("w1", true), begins + consulted, "+49211101"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := office(t, tt.document)
				if strings.HasPrefix(tt.name, "picked up") {
					h.Target("phone w0", func(l *enginetest.Leg) { l.Emit(engine.LegRinging{Status: 180}) })
				}
				number := directory.Number{Number: tt.to, Account: directory.DefaultAccount, App: "crm"}
				if tt.to == "+49211100" {
					number.Users = []string{"w0"}
				}
				h.Call(t, directory.NumberAddress("+49157999"), directory.NumberAddress(tt.to), number)
				time.Sleep(2 * time.Second)
				if tt.then != nil {
					if err := tt.then(h, h.Journal.Records()[0].ID); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				// Events are in an order of their own.
				want, got := slices.Sorted(slices.Values(strings.Split(tt.pushes, ";"))), slices.Sorted(slices.Values(numbers(t, h)))
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Errorf("pushes (-want +got):\n%s", diff)
				}
				owner := ""
				for _, talk := range h.Engine.Talks(directory.DefaultAccount) {
					for _, p := range talk.Participants {
						if p.Owner {
							owner += p.Address.Value
						}
					}
				}
				if owner != tt.owner {
					t.Errorf("the owner is shown as %q, want %q", owner, tt.owner)
				}
				h.Close(t)
			})
		})
	}
}

// The caller's own phone, which an API has ring first, rings at the caller's number.
func TestNumberOfTheCallersPhone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := office(t, "")
		for _, callee := range []string{"w1", "+49211101"} {
			_, err := h.Engine.Originate(engine.Origination{Caller: directory.Address{Kind: directory.KindUser, Value: "w0"}, Callee: callee})
			if err != nil {
				t.Fatal(err)
			}
			before := len(h.App.Asked())
			time.Sleep(5 * time.Second)
			for _, line := range numbers(t, h)[before:] {
				want := " 49211101"
				if strings.HasPrefix(line, "ringing Alice") {
					want = " 49211100"
				}
				if !strings.HasSuffix(line, want) || !strings.Contains(line, "to 49211101") {
					t.Errorf("calling %s: %s", callee, line)
				}
			}
		}
		h.Close(t)
	})
}
