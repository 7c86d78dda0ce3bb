// SPDX-License-Identifier: MIT

package server_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/phone"
)

// tableOfStates reads the table of doc/sipgate.md: its columns, and each row with
// what is asked first.
func tableOfStates(t *testing.T) (states []string, rows [][]string) {
	t.Helper()
	text, err := os.ReadFile("../../../../doc/sipgate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "### What a call can do, and when")
	section, _, _ = strings.Cut(section, "\n- later")
	for line := range strings.Lines(section) {
		if cells := strings.Split(strings.TrimSpace(line), "|"); len(cells) > 3 && !strings.HasPrefix(line, "|---") {
			for i, cell := range cells {
				cells[i] = strings.TrimSpace(cell)
			}
			rows = append(rows, cells[1:len(cells)-1])
		}
	}
	if len(rows) != 9 || len(rows[0]) != 8 {
		t.Fatalf("the table has %d rows: %q", len(rows), rows)
	}
	return rows[0][1:], rows[1:]
}

// reasons are what an answer says for each word of the table.
var reasons = map[string]string{
	"204": "", "204 later": "", "404": "the requested call could not be found",
	"409 voicemail": "a voicemail has it", "409 nobody": "nobody could talk to who is there first", "409 transfer": engine.ErrTransferring.Error(),
}

// What the document says that a call can do in each state is what it can.
func TestWhatACallCanDo(t *testing.T) {
	t.Parallel()
	states, rows := tableOfStates(t)
	for column, names := range states {
		for _, state := range strings.Split(names, ", ") {
			t.Run(state, func(t *testing.T) {
				t.Parallel()
				b := newStateBench(t, state)
				for _, row := range rows {
					b.check(row[0], row[column+1])
				}
			})
		}
	}
}

// stateBench is a server whose calls come into one state.
type stateBench struct {
	*exchange
	state     string
	app       *app
	calls     chan string // ids
	release   chan struct{}
	outside   *phone.Phone
	w0, w1    *phone.Phone
	announced string
}

func newStateBench(t *testing.T, state string) *stateBench {
	b := &stateBench{exchange: &exchange{t: t}, state: state, calls: make(chan string, 100), release: make(chan struct{}), outside: newPhone(t, "+4930111")}
	b.w0, b.w1 = newPhone(t, "w0"), newPhone(t, "w1")
	b.app = newApp(t, func(base string, r *http.Request) string {
		switch {
		case strings.HasSuffix(r.URL.Path, ".wav"):
			return string(minuteOfSound(t))
		case r.PostFormValue("event") != "newCall" || r.PostFormValue("origCallId") != r.PostFormValue("callId"):
			return ""
		}
		b.calls <- strings.ToUpper(r.PostFormValue("callId"))
		if state == "the app is asked" {
			<-b.release
		}
		return fmt.Sprintf(`<Response onAnswer="%s">%s</Response>`, base, map[string]string{
			"Play":      `<Play><Url>tone:1000/60000</Url></Play>`,
			"Gather":    `<Gather onData="` + base + `" timeout="60000"><Play><Url>tone:1000/60000</Url></Play></Gather>`,
			"voicemail": `<Dial><Voicemail/></Dial>`,
		}[state])
	})
	b.announced = b.app.URL + "/hello.wav"
	b.Server = start(t, b.app.URL, withToken, func(c *config.Config) {
		c.Recordings = t.TempDir()
		c.Users[0].Contact = b.w0.URI()
		c.Users = append(c.Users, config.User{ID: "w1", Contact: b.w1.URI()}, config.User{ID: "w0", Account: "acme"})
		c.Accounts = []config.Account{{ID: "acme"}}
		if state == "not yours" {
			c.Tokens[0].Account = "acme"
		}
	})
	t.Cleanup(func() { close(b.release) }) // before the server waits for the app
	return b
}

// check asks one thing of a call in the state.
func (b *stateBench) check(row, want string) {
	b.t.Helper()
	reason, ok := reasons[want]
	if !ok {
		b.t.Fatalf("%s: %q is none of the words of the table", row, want)
	}
	out, err := b.outside.Dial(b.at("+4921112345"), phone.CallOptions{})
	b.must(err)
	id := <-b.calls
	b.enter(id, out)
	path := "/calls/" + id
	asks := map[string][3]string{
		"hang up":            {"DELETE", path, ""},
		"muted":              {"PUT", path + "/muted", `{"value":true}`},
		"hold":               {"PUT", path + "/hold", `{"value":true}`},
		"recording":          {"PUT", path + "/recording", `{"value":true,"announcement":false}`},
		"announcements":      {"POST", path + "/announcements", `{"url":"` + b.announced + `"}`},
		"dtmf":               {"POST", path + "/dtmf", `{"sequence":"1"}`},
		"transfer":           {"POST", path + "/transfer", `{"attended":false,"phoneNumber":"w1"}`},
		"transfer, attended": {"POST", path + "/transfer", `{"attended":true,"phoneNumber":"w1"}`},
	}
	ask, ok := asks[row]
	if !ok {
		b.t.Fatalf("%q is no row of the table", row)
	}
	status, text := askV2(b.t, b.Server, ask[0], ask[1], ask[2])
	if got := fmt.Sprint(status); !strings.HasPrefix(want, got) || !strings.Contains(text, reason) {
		b.t.Errorf("%s while %s: got %d %s, want %s and %q", row, b.state, status, text, want, reason)
	}
	out.Hangup()
	until(b.t, "no call to be alive", func() bool { return b.Engine.Living() == 0 })
	b.must(b.Store.Durable(b.t.Context()))
	call, err := engine.ParseID(id)
	b.must(err)
	_, events, err := b.Store.Call(b.t.Context(), call)
	b.must(err)
	noted := slices.ContainsFunc(events, func(e engine.Event) bool { return strings.HasPrefix(e.Text, "when they talk: ") })
	if noted != (want == "204 later") {
		b.t.Errorf("%s while %s: noted for later %v, the table says %s", row, b.state, noted, want)
	}
}

// enter brings a call into the state.
func (b *stateBench) enter(id string, out *phone.Call) {
	b.t.Helper()
	did := func(method, path, body string) {
		b.t.Helper()
		if status, text := askV2(b.t, b.Server, method, "/calls/"+id+path, body); status != 204 {
			b.t.Fatalf("%s %s: %d %s", method, path, status, text)
		}
	}
	switch b.state {
	case "the app is asked":
		return
	case "Play", "Gather":
		b.must(out.WaitTone(b.t.Context(), 1000, -30))
		return
	case "voicemail":
		b.must(out.WaitAnswer(b.t.Context()))
		until(b.t, "the voicemail to answer", func() bool {
			return b.app.count("answer") > 0
		})
		b.app.forget("answer")
		return
	}
	in, err := b.w0.Accept(b.t.Context())
	b.must(err)
	if b.state == "rings" {
		b.must(in.Ring())
		return
	}
	b.must(in.Answer())
	b.must(out.WaitAnswer(b.t.Context()))
	until(b.t, "a conversation", func() bool { return len(b.Engine.Talks(directory.DefaultAccount)) == 1 })
	switch b.state {
	case "on hold":
		did("PUT", "/hold", `{"value":true}`)
	case "being transferred":
		did("POST", "/transfer", `{"attended":false,"phoneNumber":"w1"}`)
	case "over":
		out.Hangup()
		until(b.t, "no call to be alive", func() bool { return b.Engine.Living() == 0 })
	}
}

// forget has an event be counted anew.
func (a *app) forget(event string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = slices.DeleteFunc(a.events, func(e string) bool { return e == event })
}
