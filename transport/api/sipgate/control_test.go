// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

func TestPUT_calls_id_muted(t *testing.T) { testSwitch(t, "muted", "mute") }

func TestPUT_calls_id_hold(t *testing.T) { testSwitch(t, "hold", "hold") }

func testSwitch(t *testing.T, path, act string) {
	t.Parallel()
	b := start(t)
	b.wants("PUT", "/calls/"+callA+"/"+path, `{"value":true}`, 204, "")
	b.wants("PUT", "/calls/"+strings.ToLower(callA)+"/"+path, `{"value":false,"later":1}`, 204, "")
	b.did(act+" "+callA+" true", act+" "+callA+" false")
	b.refuses("PUT", "/calls/"+callA+"/"+path, `{}`, 400, "value is missing", "/value")
	b.refuses("PUT", "/calls/"+callA+"/"+path, `{"value":null}`, 400, "value is missing", "/value")
	b.refuses("PUT", "/calls/"+callA+"/"+path, `{"value":"true"}`, 400, "value must be a bool", "/value")
	b.refuses("PUT", "/calls/"+callA+"/"+path, `{"value"`, 400, "the body is no JSON", "")
	b.refuses("PUT", "/calls/"+callA+"/"+path, ``, 400, "the body is no JSON", "")
	for _, body := range []string{`[]`, `null`, `7`, `"x"`} {
		b.refuses("PUT", "/calls/"+callA+"/"+path, body, 400, "the body must be one JSON object", "")
	}
	b.refuses("PUT", "/calls/"+foreign+"/"+path, `{"value":true}`, 404, "could not be found", "")
	b.did()
	b.calls.err = engine.ErrNoTalk
	b.refuses("PUT", "/calls/"+callA+"/"+path, `{"value":true}`, 409, "the call is in no conversation", "")
}

func TestPUT_calls_id_recording(t *testing.T) {
	t.Parallel()
	b := start(t)
	path := "/calls/" + callA + "/recording"
	b.wants("PUT", path, `{"value":true,"announcement":true}`, 204, "")
	b.wants("PUT", path, `{"value":false,"announcement":false}`, 204, "")
	b.did("record "+callA+" true true", "record "+callA+" false false")
	b.refuses("PUT", path, `{"value":true}`, 400, "announcement is missing", "/announcement")
	b.refuses("PUT", path, `{"announcement":true}`, 400, "value is missing", "/value")
	b.refuses("PUT", "/calls/"+nowhere+"/recording", `{"value":true,"announcement":true}`, 404, "could not be found", "")
	b.did()
	for _, err := range []error{engine.ErrRecording, engine.ErrNotRecording, engine.ErrNoSound} {
		b.calls.err = err
		b.refuses("PUT", path, `{"value":true,"announcement":true}`, 409, err.Error(), "")
	}
}

func TestPOST_calls_id_announcements(t *testing.T) {
	t.Parallel()
	b := start(t)
	path := "/calls/" + callA + "/announcements"
	b.wants("POST", path, `{"url":"https://example.com/hello.wav"}`, 204, "")
	b.did("announce " + callA + " https://example.com/hello.wav")
	for _, url := range []string{"", "hello.wav", "file:///etc/passwd", "/etc/passwd", "tone:beep", "ftp://example.com/a.wav", "https://", "https:///a.wav", "http://[::1"} {
		b.refuses("POST", path, fmt.Sprintf(`{"url":%q}`, url), 400, "write the http or https URL of a WAV file", "/url")
	}
	long := "https://example.com/" + strings.Repeat("a", directory.MaxURL-20)
	b.wants("POST", path, `{"url":"`+long+`"}`, 204, "")
	b.did("announce " + callA + " " + long)
	b.refuses("POST", path, `{"url":"`+long+`a"}`, 400, "url has 2049 characters: write at most 2048", "/url")
	b.refuses("POST", "/calls/"+foreign+"/announcements", `{"url":"https://example.com/hello.wav"}`, 404, "could not be found", "")
	b.did()
	b.calls.err = &engine.SoundError{Err: errors.New("https://example.com/hello.wav has 44100 Hz: make it 8000")}
	b.refuses("POST", path, `{"url":"https://example.com/hello.wav"}`, 400, "has 44100 Hz: make it 8000", "/url")
}

func TestPOST_calls_id_dtmf(t *testing.T) {
	t.Parallel()
	b := start(t)
	path := "/calls/" + callA + "/dtmf"
	b.wants("POST", path, `{"sequence":"0123456789abcd#*"}`, 204, "")
	b.did("dtmf " + callA + " 0123456789ABCD#*")
	for _, keys := range []string{"", "12E", "1 2", strings.Repeat("1", 65), "١"} {
		b.refuses("POST", path, fmt.Sprintf(`{"sequence":%q}`, keys), 400, "write 1 to 64 keys of 0-9 A-D # *", "/sequence")
	}
	b.refuses("POST", path, `{"sequence":12}`, 400, "sequence must be a text: write it in quotes", "/sequence")
	b.refuses("POST", "/calls/"+nowhere+"/dtmf", `{"sequence":"1"}`, 404, "could not be found", "")
	b.did()
	for _, err := range []error{engine.ErrNoSound, engine.ErrKeys} {
		b.calls.err = err
		b.refuses("POST", path, `{"sequence":"1"}`, 409, err.Error(), "")
	}
}

func TestPOST_calls_id_transfer(t *testing.T) {
	t.Parallel()
	b := start(t)
	path := "/calls/" + callA + "/transfer"
	b.wants("POST", path, `{"attended":false,"phoneNumber":"+4915799912345"}`, 204, "")
	b.wants("POST", path, `{"attended":true,"phoneNumber":"+4915799912345","callerId":"+4921112345"}`, 204, "")
	b.wants("POST", path, `{"attended":false,"phoneNumber":"e1"}`, 204, "") // the phone of w1
	b.did("transfer "+callA+" +4915799912345 false ", "transfer "+callA+" +4915799912345 true +4921112345", "transfer "+callA+" w1 false ")
	b.refuses("POST", path, `{"phoneNumber":"+4915799912345"}`, 400, "attended is missing", "/attended")
	b.refuses("POST", path, `{"attended":false,"phoneNumber":"v1"}`, 400, "phoneNumber is v1, a voicemail, where nothing rings: write w1", "/phoneNumber")
	b.refuses("POST", path, `{"attended":false}`, 400, "phoneNumber is missing", "/phoneNumber")
	b.refuses("POST", path, `{"attended":false,"phoneNumber":"+49","callerId":"me"}`, 400, `callerId is "me"`, "/callerId")
	b.refuses("POST", "/calls/"+foreign+"/transfer", `{"attended":false,"phoneNumber":"+49"}`, 404, "could not be found", "")
	b.did()
	for _, test := range []struct {
		err     error
		status  int
		says    string
		pointer string
	}{
		{&engine.DialError{Cause: engine.CauseNotFound, Err: errors.New(`"w9" is no user`)}, 400, `"w9" is no user`, "/phoneNumber"},
		{&engine.DialError{Cause: engine.CauseForbidden, Err: errors.New("112 is not called")}, 403, "112 is not called", "/phoneNumber"},
		{&engine.DialError{Cause: engine.CauseForbidden, Err: fmt.Errorf("+49: %w", engine.ErrCallerID)}, 403, "no number of the account", "/callerId"},
		{&engine.DialError{Cause: engine.CauseForbidden, Err: &engine.LimitError{Limit: "limits.prefixes", Sentence: "begins with none"}}, 403, "begins with none", "/phoneNumber"},
		{&engine.DialError{Cause: engine.CauseForbidden, Err: &engine.LimitError{Limit: "limits.minutes_per_day", Sentence: "120 minutes"}}, 402, "120 minutes", ""},
		{engine.ErrNoTransfer, 409, engine.ErrNoTransfer.Error(), ""},
		{engine.ErrNoCall, 404, "could not be found", ""},
		{errors.New("disk on fire"), 500, "its log says why", ""},
	} {
		b.calls.err = test.err
		b.refuses("POST", path, `{"attended":false,"phoneNumber":"+4915799912345"}`, test.status, test.says, test.pointer)
	}
}

func TestPOST_sessions_calls(t *testing.T) {
	t.Parallel()
	b := start(t)
	for _, test := range []struct{ body, did string }{
		{`{"caller":"e0","callee":"+4915799912345"}`, "w0 +4915799912345 "},
		{`{"caller":"p1","callee":"015799912345","callerId":"+4921112345"}`, "w1 015799912345 +4921112345"},
		{`{"caller":"w1","callee":"w0","deviceId":""}`, "w1 w0 "},
		{`{"caller":"carol","callee":"p0"}`, "carol w0 "},
		{`{"caller":"+4921112345","callee":"+4915799912345","deviceId":"e1"}`, "w1 +4915799912345 +4921112345"}, // the caller's
		{`{"caller":"+4921112345","callee":"+4915799912345","deviceId":"e2"}`, "w2 +4915799912345 "},            // the device's
		{`{"caller":"p0","callee":"+4915799912345","deviceId":"y2"}`, "w2 +4915799912345 "},
	} {
		b.wants("POST", "/sessions/calls", test.body, 200, `{"sessionId":"`+callB+`"}`)
		b.did("originate default user " + test.did)
	}
	for _, test := range []struct {
		body    string
		status  int
		says    string
		pointer string
	}{
		{`{"callee":"+4915799912345"}`, 400, "caller is missing", "/caller"},
		{`{"caller":"e0"}`, 400, `callee is ""`, "/callee"},
		{`{"caller":"e0","callee":"v1"}`, 400, "callee is v1, a voicemail, where nothing rings: write w1", "/callee"},
		{`{"caller":"e0","callee":"nobody"}`, 400, `callee is "nobody": write the number`, "/callee"},
		{`{"caller":"e0","callee":"sip:bob@example.com"}`, 400, `callee is "sip:bob@example.com"`, "/callee"},
		{`{"caller":"+4921112345","callee":"+4915799912345"}`, 400, "deviceId is missing: caller is a number", "/deviceId"},
		{`{"caller":"e0","callee":"+4915799912345","callerId":"alice"}`, 400, `callerId is "alice"`, "/callerId"},
		{`{"caller":"e9","callee":"+4915799912345"}`, 403, `no user of this account has the extension "e9"`, "/caller"},
		{`{"caller":"e","callee":"+4915799912345"}`, 403, `has the extension "e"`, "/caller"},
		{`{"caller":"q0","callee":"+4915799912345"}`, 403, `has the extension "q0"`, "/caller"},
		{`{"caller":"p0","callee":"+4915799912345","deviceId":"e00"}`, 403, `has the extension "e00"`, "/deviceId"},
		{`{"caller":0,"callee":"+4915799912345"}`, 400, "caller must be a text", "/caller"},
	} {
		b.refuses("POST", "/sessions/calls", test.body, test.status, test.says, test.pointer)
	}
	b.did()
	for _, test := range []struct {
		err     error
		status  int
		pointer string
	}{
		{&engine.DialError{Cause: engine.CauseForbidden, Err: errors.New("no")}, 403, "/callee"},
		{&engine.DialError{Cause: engine.CauseForbidden, Err: &engine.LimitError{Limit: "limits.minutes_per_day", Sentence: "no"}}, 402, ""},
		{&engine.DialError{Cause: engine.CauseForbidden, Err: &engine.LimitError{Limit: "limits.prefixes", Sentence: "no"}}, 403, "/callee"},
		{&engine.LimitError{Limit: "limits.calls", Sentence: "no"}, 503, ""},
		{&engine.LimitError{Limit: "limits.calls_per_second", Sentence: "no"}, 429, ""},
		{engine.ErrRung, 429, ""},
		{fmt.Errorf("begin: %w", engine.ErrDraining), 503, ""},
	} {
		b.calls.err = test.err
		b.refuses("POST", "/sessions/calls", `{"caller":"e0","callee":"+4915799912345"}`, test.status, "", test.pointer)
	}
	b.calls.err = fmt.Errorf("%w: no disk", engine.ErrUnrecorded)
	b.refuses("POST", "/sessions/calls", `{"caller":"e0","callee":"+4915799912345"}`, 503, "the database is away", "")
	b.calls.err = &engine.DialError{Cause: engine.CauseForbidden, Err: fmt.Errorf("no: %w", engine.ErrCallerID)}
	b.refuses("POST", "/sessions/calls", `{"caller":"e0","callee":"+4915799912345","callerId":"+49211999"}`, 403, "no", "/callerId")
	b.refuses("POST", "/sessions/calls", `{"caller":"+49211999","callee":"+4915799912345","deviceId":"e0"}`, 403, "no", "/caller")
	b.calls.err = nil
	if n := strings.Count(b.log.String(), "refused a request to /v2"); n != 9 { // each 402 and 403
		t.Errorf("%d lines in the log:\n%s", n, b.log)
	}
	b.did(append(slices.Repeat([]string{"originate default user w0 +4915799912345 "}, 8), slices.Repeat([]string{"originate default user w0 +4915799912345 +49211999"}, 2)...)...)
	if answer, text := b.ask(reading, "POST", "/sessions/calls", `{"caller":"e0","callee":"+49"}`); answer.StatusCode != 403 || !strings.Contains(text, "sessions:calls:write or sessions:write") {
		t.Errorf("without the scope: %d %s", answer.StatusCode, text)
	}
}
