// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/callwright/callwright/directory"
)

// A message, the message of another account, and a call of the history of the tests.
const (
	entryMessage = "0199AA00000070008000000000000050"
	entryForeign = "0199AA00000070008000000000000052"
	entryCall    = "0199AA00000070008000000000000009"
)

func TestPUT_history_id(t *testing.T) {
	t.Parallel()
	b := start(t)
	*b.archive = *past(t)
	b.wants("PUT", "/history/"+entryMessage, `{"read":false}`, 204, "")
	b.wants("PUT", "/history/"+strings.ToLower(entryMessage), `{"read":true,"archived":false,"starred":false,"note":""}`, 204, "")
	b.did("mark default "+entryMessage+" false", "mark default "+entryMessage+" true")
	b.wants("PUT", "/history/"+entryMessage, `{}`, 204, "")
	b.wants("PUT", "/history/"+entryCall, `{"read":true}`, 204, "") // a call is read anyhow
	for _, body := range []string{`{"archived":true}`, `{"starred":true}`, `{"note":"call back"}`} {
		b.refuses("PUT", "/history/"+entryMessage, body, 403, "only read is kept, of messages", "")
	}
	b.refuses("PUT", "/history/"+entryForeign, `{"read":true}`, 404, "could not be found", "")
	b.did()
	b.calls.err = fs.ErrNotExist
	b.refuses("PUT", "/history/"+entryMessage, `{"read":true}`, 404, "could not be found", "")
	b.calls.err = noSocket()
	b.refuses("PUT", "/history/"+entryMessage, `{"read":true}`, 503, "the database is away", "")
}

func TestPUT_history(t *testing.T) {
	t.Parallel()
	b := start(t)
	*b.archive = *past(t)
	b.wants("PUT", "/history", `[]`, 204, "")
	b.wants("PUT", "/history", `[{"id":"`+entryMessage+`","read":true},{"id":"`+entryCall+`","read":true}]`, 204, "")
	b.did("mark default " + entryMessage + " true")
	b.refuses("PUT", "/history", ``, 400, "the body is no JSON", "")
	b.refuses("PUT", "/history", `[{"id":"x","read":true,"read":false}]`, 400, `"read" is there twice`, "/read")
	for _, body := range []string{`{}`, `null`, `[1]`} {
		b.refuses("PUT", "/history", body, 400, "the body must be a list", "")
	}
	b.refuses("PUT", "/history", "["+strings.Repeat(`{"id":"`+entryMessage+`"},`, 100)+`{"id":"x"}]`, 400, "101 entries are too many to be changed at once: write up to 100", "")
	b.refuses("PUT", "/history", `[{"read":true}]`, 404, "could not be found", "")
}

func TestDELETE_history_id(t *testing.T) {
	t.Parallel()
	b := start(t)
	*b.archive = *past(t)
	b.wants("DELETE", "/history/"+entryMessage, "", 204, "")
	b.did("delete default " + entryMessage)
	b.refuses("DELETE", "/history/"+entryCall, "", 403, "only messages can be deleted", "")
	b.refuses("DELETE", "/history/"+entryForeign, "", 404, "could not be found", "")
	b.did()
	b.calls.err = &fs.PathError{Op: "remove", Path: "a.wav", Err: errors.New("not permitted")}
	b.refuses("DELETE", "/history/"+entryMessage, "", 500, "its log says why", "")
}

func TestDELETE_history(t *testing.T) {
	t.Parallel()
	b := start(t)
	*b.archive = *past(t)
	b.wants("DELETE", "/history", "", 204, "")
	b.wants("DELETE", "/history?id="+entryMessage+"&id="+entryMessage, "", 204, "")
	b.did("delete default "+entryMessage, "delete default "+entryMessage)
	b.refuses("DELETE", "/history?id=x"+strings.Repeat("&id="+entryMessage, 100), "", 400, "101 entries are too many", "")
	b.did()
	b.refuses("DELETE", "/history?id=x", "", 404, "could not be found", "")
}

func TestGET_history_export(t *testing.T) {
	t.Parallel()
	b := start(t)
	*b.archive = *past(t)
	b.archive.records[3].From = directory.Address{Kind: directory.KindSIP, Value: "=cmd|' /C calc'!A0"}
	answer, text := b.ask(mine, "GET", "/history/export?limit=2", "")
	want := "id,type,direction,source,target,created,duration,status,callStatus,read,recordingUrl\n" +
		entryMessage + ",VOICEMAIL,INCOMING,+4915799912345,+4921112345,2026-03-01T12:00:10Z,3,PICKUP,SUCCESS,true,/recordings/default/0199aa00-0000-7000-8000-000000000050.wav?signed\n" +
		entryCall + ",CALL,INCOMING,'=cmd|' /C calc'!A0,+4921112345,2026-03-01T12:00:09Z,27,PICKUP,SUCCESS,true,/recordings/default/0199aa00-0000-7000-8000-000000000051.wav?signed\n"
	if got := unsigned(text); answer.StatusCode != 200 || got != want || answer.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("got %d %v\n%s\nwant\n%s", answer.StatusCode, answer.Header, got, want)
	}
	b.refuses("GET", "/history/export?types=x", "", 400, "types has", "/types")
}
