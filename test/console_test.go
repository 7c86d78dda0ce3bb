// SPDX-License-Identifier: MIT

package test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// token is what the client shows; it belongs to Dave.
const token = "7b2f1d0e-5c1a-4f6b-9d2e-1a2b3c4d5e6f"

// withTokens is the configuration of telephones, with Erin's, and a token.
var withTokens = strings.Replace(withDesk, "numbers:\n", `  - {id: w4, name: Erin, username: erin, password: "pw-erin"}
tokens:
  - {id: token-CLIENT, token: "`+token+`", user: w3}
numbers:
  - {number: "+4921104", users: [w4]}
`, 1)

// rest leads the client to us: it asks for api.sipgate.com, by a proxy.
func (h *house) rest() []string {
	return []string{"https_proxy=" + h.api(""), "SIPGATE_TOKEN_ID=token-CLIENT", "SIPGATE_TOKEN=" + token}
}

// console is the app of that name, which calls the client's REST modules.
type console struct {
	t   *testing.T
	app *nodeApp
	n   int // how many calls were made
}

func (h *house) console(t *testing.T) *console {
	t.Helper()
	return newConsole(t, h.rest())
}

func newConsole(t *testing.T, env []string) *console {
	t.Helper()
	c := &console{t: t, app: new(nodeApp)}
	c.app.run(t, "console", env)
	return c
}

// bearer has the console show a bearer token, which it gets for the other.
func (h *house) bearer(t *testing.T) *console {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, h.api("/v2/authorization/token"), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("token-CLIENT", token)
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	var made struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(reply.Body).Decode(&made); err != nil || made.Token == "" {
		t.Fatalf("a bearer token: %s, %v", reply.Status, err)
	}
	return newConsole(t, []string{"https_proxy=" + h.api(""), "SIPGATE_TOKEN=" + made.Token})
}

// do makes a call, like "rtcm.hangUp", and gives what came of it. An argument
// is a string of JSON or has a JSON form.
func (c *console) do(method string, arguments ...any) string {
	c.t.Helper()
	var texts []string
	for _, argument := range arguments {
		text, err := json.Marshal(argument)
		if err != nil {
			c.t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if _, err := io.WriteString(c.app.stdin, method+" "+strings.Join(texts, ", ")+"\n"); err != nil {
		c.t.Fatal(err)
	}
	c.n++
	eventually(c.t, func() string {
		if len(c.app.printed()) < c.n {
			return method + " does not return"
		}
		return ""
	})
	return c.app.printed()[c.n-1]
}

// done makes a call that works and has no result.
func (c *console) done(method string, arguments ...any) {
	c.t.Helper()
	c.says(`{"result":null}`, method, arguments...)
}

// says makes a call and wants an answer.
func (c *console) says(want, method string, arguments ...any) {
	c.t.Helper()
	if got := c.do(method, arguments...); got != want {
		c.t.Errorf("%s%v = %s, want %s", method, arguments, got, want)
	}
}

// get makes a call and reads its result.
func (c *console) get(result any, method string, arguments ...any) {
	c.t.Helper()
	answer := struct {
		Result any    `json:"result"`
		Error  string `json:"error"`
	}{Result: result}
	text := c.do(method, arguments...)
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Error != "" {
		c.t.Fatalf("%s = %s (%v)", method, text, err)
	}
}

// call is how the client names calls.
type call struct {
	CallID string `json:"callId"`
}

// talk is an established call, as it shows them.
type talk struct {
	CallID                 string
	Muted, Recording, Hold bool
	Participants           []participant
}

type participant struct {
	ParticipantID, PhoneNumber string
	Muted, Hold, Owner         bool
}

// talks waits until so many calls are established.
func (c *console) talks(n int) (talks []talk) {
	c.t.Helper()
	eventually(c.t, func() string {
		talks = nil
		if c.get(&talks, "rtcm.getEstablishedCalls"); len(talks) != n {
			return fmt.Sprintf("%d calls are established: %+v, want %d", len(talks), talks, n)
		}
		return ""
	})
	return talks
}
