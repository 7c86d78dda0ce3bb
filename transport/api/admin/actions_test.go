// SPDX-License-Identifier: MIT

package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/api/admin"
)

// hands do nothing and note what was asked of them.
type hands struct {
	err  error
	done []string
}

func (h *hands) note(format string, args ...any) error {
	if h.err == nil {
		h.done = append(h.done, fmt.Sprintf(format, args...))
	}
	return h.err
}

func (h *hands) Hangup(_ engine.ID, cause engine.Cause) error { return h.note("hangup %s", cause) }
func (h *hands) SendDigits(_ engine.ID, digits string) error  { return h.note("digits %s", digits) }
func (h *hands) Refer(_ engine.ID, to string) error {
	if to == "eve" {
		return &engine.DialError{Cause: engine.CauseNotFound, Err: errors.New("eve is nobody")}
	}
	return h.note("refer %s", to)
}
func (h *hands) Record(id engine.ID, what media.RecordWhat) (string, error) {
	return "/somewhere/" + id.String() + "-1.wav", h.note("record %d", what)
}
func (h *hands) PauseRecording(_ engine.ID, pause bool) error { return h.note("pause %t", pause) }
func (h *hands) StopRecording(engine.ID) error                { return h.note("stop") }

func TestActions(t *testing.T) {
	t.Parallel()
	a := sample(t)
	h := &hands{}
	_, url := serve(t, admin.Config{Calls: a, Actions: h})
	call := url + "/calls/" + a.records[0].ID.String()
	for _, test := range []struct {
		path, body string
		status     int
		says, done string
	}{
		{"/hangup", "", 204, "", "hangup normal"},
		{"/dtmf", `{"digits":"12*#a"}`, 204, "", "digits 12*#A"},
		{"/refer", `{"to":"+4930123456"}`, 204, "", "refer +4930123456"},
		{"/refer", `{"to":"eve"}`, 400, "eve is nobody", ""},
		{"/refer", `{"to":""}`, 400, "to is empty", ""},
		{"/refer", `{"two":"w1"}`, 400, `there is no field "two"`, ""},
		{"/recording", `{"action":"start"}`, 201, `{"file":"` + a.records[0].ID.String() + `-1.wav"}`, "record 3"},
		{"/recording", `{"action":"start","what":"said"}`, 201, ".wav", "record 0"},
		{"/recording", `{"action":"start","what":"heard"}`, 201, ".wav", "record 1"},
		{"/recording", `{"action":"start","what":"stereo"}`, 201, ".wav", "record 2"},
		{"/recording", `{"action":"pause"}`, 204, "", "pause true"},
		{"/recording", `{"action":"resume"}`, 204, "", "pause false"},
		{"/recording", `{"action":"stop"}`, 204, "", "stop"},
		{"/recording", `{"action":"play"}`, 400, `action is "play": write start, stop, pause or resume`, ""},
		{"/recording", `{"action":"start","what":"all"}`, 400, `what is "all": write said, heard, stereo or mixed`, ""},
		{"/recording", `{"acton":"start"}`, 400, `there is no field "acton": did you mean "action"?`, ""},
		{"/recording", `{"action":1}`, 400, `action must be a text`, ""},
		{"/recording", ``, 400, `the body is no JSON`, ""},
		{"/dtmf", `{"digits":""}`, 400, `write 1 to 64 keys`, ""},
		{"/dtmf", `{"digits":"12 34"}`, 400, `digits is "12 34": write 1 to 64 keys of 0-9 * # A-D`, ""},
		{"/dtmf", `{"digits":"` + strings.Repeat("1", 65) + `"}`, 400, `write 1 to 64 keys`, ""},
		{"/dtmf", `{"keys":"1"}`, 400, `there is no field "keys"`, ""},
	} {
		h.done = nil
		status, _, body := ask(t, "POST", call+test.path, test.body)
		text := strings.ReplaceAll(string(body), `\"`, `"`)
		if status != test.status || !strings.Contains(text, test.says) || strings.Join(h.done, ", ") != test.done {
			t.Errorf("%s %s: got %d %s and %v, want %d %s and %s", test.path, test.body, status, text, h.done, test.status, test.says, test.done)
		}
	}
}

func TestActionsAtTheWrongMoment(t *testing.T) {
	t.Parallel()
	a := sample(t)
	h := &hands{}
	_, url := serve(t, admin.Config{Calls: a, Actions: h})
	for _, test := range []struct {
		call   string
		err    error
		status int
		says   string
	}{
		{a.records[2].ID.String(), engine.ErrNoCall, 409, "is over, or is on another machine"},
		{"0199aa00-0000-7000-8000-0000000000ff", engine.ErrNoCall, 404, "there is no call 0199aa00-0000-7000-8000-0000000000ff"},
		{"x", nil, 404, `there is no call "x"`},
		{a.records[0].ID.String(), engine.ErrNoSound, 409, "no sound yet"},
		{a.records[0].ID.String(), engine.ErrKeys, 409, "64 keys wait"},
		{a.records[0].ID.String(), engine.ErrNoTransfer, 409, "it must have answered"},
		{a.records[0].ID.String(), engine.ErrEmergency, 409, "is left alone"},
		{a.records[0].ID.String(), fmt.Errorf("record: %w", engine.ErrRecording), 409, "being recorded already"},
		{a.records[0].ID.String(), engine.ErrNotRecording, 409, "is not being recorded"},
		{a.records[0].ID.String(), errors.New("disk full at /secret/place"), 500, "the server failed to answer this"},
	} {
		h.err = test.err
		for path, body := range map[string]string{"/hangup": "", "/dtmf": `{"digits":"1"}`, "/refer": `{"to":"w1"}`, "/recording": `{"action":"start"}`} {
			status, _, answer := ask(t, "POST", url+"/calls/"+test.call+path, body)
			if text := strings.ReplaceAll(string(answer), `\"`, `"`); status != test.status || !strings.Contains(text, test.says) {
				t.Errorf("%s of %s with %v: got %d %s, want %d %s", path, test.call, test.err, status, text, test.status, test.says)
			}
		}
	}
}

func TestTrunkStatus(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 3, 1, 14, 0, 0, 0, time.FixedZone("", 3600))
	d := newDesk(t, directory.Entries{})
	d.trunks = []directory.TrunkStatus{
		{Account: "acme", Name: "t", Calls: 1},
		{Account: "default", Name: "a/b", Healthy: true, Calls: 3, RegisteredUntil: until},
		{Account: "default", Name: "t", Error: "403 Forbidden"},
	}
	d.want(t, "GET", "/trunks/a%2Fb/status", "", 200, `{"account":"default","name":"a/b","healthy":true,"calls":3,"registered_until":"2026-03-01T13:00:00Z","error":null}`)
	d.want(t, "GET", "/trunks/t/status", "", 200, `{"account":"default","name":"t","healthy":false,"calls":0,"registered_until":null,"error":"403 Forbidden"}`)
	d.want(t, "GET", "/trunks/t/status?account=acme", "", 200, `"calls":1`)
	d.want(t, "GET", "/trunks/x/status", "", 404, `there is no trunk "x"`)
	d.want(t, "GET", "/trunks/x/status?a;b", "", 400, `the query cannot be read`)
}

// places are registrations.
type places []directory.Registration

func (p places) Registrations() []directory.Registration { return p }

func TestListRegistrations(t *testing.T) {
	t.Parallel()
	expires := time.Date(2026, 3, 1, 14, 0, 0, 0, time.FixedZone("", 3600))
	_, url := serve(t, admin.Config{Registrations: places{
		{Account: "default", User: "w1", Contact: "sip:b@192.0.2.2", Source: "tcp:192.0.2.2:5060", CallID: "c", CSeq: 3, Expires: expires},
		{Account: "default", User: "w0", Contact: "sip:a@192.0.2.1", Source: "udp:192.0.2.1:5060", Agent: "Phone 1", Node: "n", Expires: expires},
		{Account: "acme", User: "w0", Contact: "sip:c@192.0.2.3", Source: "udp:192.0.2.3:5060", Expires: expires},
	}})
	const (
		a = `{"account":"default","user":"w0","contact":"sip:a@192.0.2.1","source":"udp:192.0.2.1:5060","agent":"Phone 1","node":"n","expires":"2026-03-01T13:00:00Z"}`
		b = `{"account":"default","user":"w1","contact":"sip:b@192.0.2.2","source":"tcp:192.0.2.2:5060","agent":null,"node":null,"expires":"2026-03-01T13:00:00Z"}`
		c = `{"account":"acme","user":"w0","contact":"sip:c@192.0.2.3","source":"udp:192.0.2.3:5060","agent":null,"node":null,"expires":"2026-03-01T13:00:00Z"}`
	)
	for query, want := range map[string]string{
		"":                      c + "," + a + "," + b,
		"?account=default":      a + "," + b,
		"?account=acme&user=w0": c,
		"?user=w1":              b,
		"?user=w7":              "",
	} {
		status, _, body := ask(t, "GET", url+"/registrations"+query, "")
		var got, wanted any
		if err := errors.Join(json.Unmarshal(body, &got), json.Unmarshal([]byte(`{"registrations":[`+want+`]}`), &wanted)); err != nil || status != 200 {
			t.Fatalf("got %d %s: %v", status, body, err)
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	if status, _, _ := ask(t, "GET", url+"/registrations?a;b", ""); status != 400 {
		t.Errorf("a query that cannot be read gets %d", status)
	}
}
