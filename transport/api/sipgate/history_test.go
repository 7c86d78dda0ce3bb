// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// numbered gives the id of a call of the tests.
func numbered(t *testing.T, n int) engine.ID {
	return id(t, fmt.Sprintf("0199AA000000700080000000000000%02X", n))
}

// past are calls that ended, one for each fate, and a message.
func past(t *testing.T) *archive {
	ref := func(t time.Time) *time.Time { return &t }
	bob, line := directory.Address{Kind: directory.KindNumber, Value: "+4915799912345", Name: "Bob"}, directory.NumberAddress("+4921112345")
	alice, box := directory.Address{Kind: directory.KindUser, Value: "w0"}, directory.Address{Kind: directory.KindVoicemail, Value: "w0"}
	call := func(n int, adjust func(*engine.Record)) engine.Record {
		r := engine.Record{
			ID: numbered(t, n), Chain: numbered(t, n), Account: "default", Number: "+4921112345", Direction: engine.In, From: bob, To: line,
			State: engine.StateEnded, StartedAt: at(n), EndedAt: ref(at(n + 30)),
		}
		adjust(&r)
		return r
	}
	a := &archive{records: []engine.Record{
		call(20, func(r *engine.Record) { r.State, r.EndedAt = engine.StateRinging, nil }),
		call(19, func(r *engine.Record) { r.Parent = numbered(t, 1) }),
		call(18, func(r *engine.Record) { r.Account = "acme" }),
		call(9, func(r *engine.Record) {
			r.AnsweredBy, r.AnsweredAt, r.Cause = &alice, ref(at(12)), engine.CauseNormal
			r.From = directory.Anonymous()
		}),
		call(8, func(r *engine.Record) { r.Cause = engine.CauseBusy }),
		call(7, func(r *engine.Record) { r.Cause = engine.CauseRejected }),
		call(6, func(r *engine.Record) { r.Cause = engine.CauseCancelled }),
		call(5, func(r *engine.Record) { r.Cause = engine.CauseUnreachable }),
		call(4, func(r *engine.Record) { r.Cause = engine.CauseForwarded }),
		call(3, func(r *engine.Record) { r.AnsweredBy, r.AnsweredAt, r.Cause = &box, ref(at(5)), engine.CauseNormal }),
		call(2, func(r *engine.Record) { r.AnsweredBy, r.AnsweredAt, r.Cause = &box, ref(at(4)), engine.CauseNormal }),
		call(1, func(r *engine.Record) {
			r.Direction, r.Caller, r.From, r.To, r.Number, r.Cause = engine.Out, "w1", line, bob, "", engine.CauseNoAnswer
		}),
	}}
	a.recordings = []engine.Recording{
		{ID: numbered(t, 0x51), Account: "default", Kind: engine.RecordingCall, Call: numbered(t, 9), File: "b.wav", StartedAt: at(13), Duration: 4 * time.Second},
		{ID: numbered(t, 0x50), Account: "default", Kind: engine.RecordingMessage, Call: numbered(t, 2), Box: "w0", From: bob, To: line, File: "a.wav", StartedAt: at(10), Duration: 3400 * time.Millisecond, HeardAt: ref(at(50))},
		{ID: numbered(t, 0x52), Account: "acme", Kind: engine.RecordingMessage, Call: numbered(t, 18), Box: "w0", StartedAt: at(11)},
	}
	return a
}

// unsigned takes out of an answer what is another one each time.
func unsigned(text string) string {
	return regexp.MustCompile(`\?expires=\d+&signature=[0-9a-f]{64}`).ReplaceAllString(text, "?signed")
}

func TestGET_history(t *testing.T) {
	t.Parallel()
	b := start(t)
	*b.archive = *past(t)
	_, text := b.ask(mine, "GET", "/history?limit=100", "")
	got := decoded(t, unsigned(text)).(map[string]any)
	var fates []string
	for _, e := range got["items"].([]any) {
		e := e.(map[string]any)
		fates = append(fates, fmt.Sprintf("%v %v %v %v %v", e["created"].(string)[17:19], e["type"], e["direction"], e["status"], e["callStatus"]))
	}
	want := []string{
		"10 VOICEMAIL INCOMING PICKUP SUCCESS",
		"09 CALL INCOMING PICKUP SUCCESS",
		"08 CALL MISSED_INCOMING BUSY BUSY",
		"07 CALL MISSED_INCOMING NOPICKUP REJECTED",
		"06 CALL MISSED_INCOMING NOPICKUP MISSED",
		"05 CALL MISSED_INCOMING NOPICKUP FAILURE",
		"04 CALL INCOMING FORWARD SUCCESS",
		"03 CALL MISSED_INCOMING PICKUP VOICEMAIL_NO_MESSAGE",
		"01 CALL MISSED_OUTGOING NOPICKUP MISSED",
	}
	if strings.Join(fates, "\n") != strings.Join(want, "\n") || got["totalCount"] != 9.0 {
		t.Errorf("%v entries:\n%s\nwant\n%s", got["totalCount"], strings.Join(fates, "\n"), strings.Join(want, "\n"))
	}
	_, text = b.ask(mine, "GET", "/history?limit=2", "")
	if got := unsigned(text); strings.TrimSpace(got) != strings.Join(strings.Fields(`{"items":[
		{"id":"0199AA00000070008000000000000050","type":"VOICEMAIL","source":"+4915799912345","target":"+4921112345","sourceAlias":"Bob","targetAlias":"+4921112345",
		"created":"2026-03-01T12:00:10Z","lastModified":"2026-03-01T12:00:50Z","direction":"INCOMING","incoming":true,"status":"PICKUP","callStatus":"SUCCESS",
		"callId":"0199AA00000070008000000000000002","connectionIds":["p0"],"endpoints":[{"type":"ROUTED","endpoint":{"extension":"p0","type":"PERSON"}}],
		"read":true,"archived":false,"starred":false,"note":"","labels":[],"duration":3,"transcription":"",
		"recordingUrl":"/recordings/default/0199aa00-0000-7000-8000-000000000050.wav?signed","recordings":[]},
		{"id":"0199AA00000070008000000000000009","type":"CALL","source":"","target":"+4921112345","sourceAlias":"","targetAlias":"+4921112345",
		"created":"2026-03-01T12:00:09Z","lastModified":"2026-03-01T12:00:39Z","direction":"INCOMING","incoming":true,"status":"PICKUP","callStatus":"SUCCESS",
		"callId":"0199AA00000070008000000000000009","connectionIds":["p0"],"endpoints":[{"type":"ROUTED","endpoint":{"extension":"p0","type":"PERSON"}}],
		"read":true,"archived":false,"starred":false,"note":"","labels":[],"duration":27,"transcription":"",
		"recordingUrl":"/recordings/default/0199aa00-0000-7000-8000-000000000051.wav?signed",
		"recordings":[{"id":"0199AA00000070008000000000000051","url":"/recordings/default/0199aa00-0000-7000-8000-000000000051.wav?signed"}]}],"totalCount":9}`), "") {
		t.Errorf("got %s", got)
	}
}

// counts gives how many entries a query finds.
func (b *bench) counts(path string) float64 {
	b.t.Helper()
	_, text := b.ask(mine, "GET", path, "")
	n, _ := decoded(b.t, text).(map[string]any)["totalCount"].(float64)
	return n
}

func TestGET_history_filters(t *testing.T) {
	t.Parallel()
	b := start(t)
	*b.archive = *past(t)
	for query, want := range map[string]float64{
		"": 9, "?types=CALL": 8, "?types=VOICEMAIL": 1, "?types=CALL&types=VOICEMAIL": 9, "?types=SMS&types=FAX": 0,
		"?directions=MISSED_OUTGOING": 1, "?directions=INCOMING&directions=MISSED_INCOMING": 8, "?directions=OUTGOING": 0,
		"?connectionIds=p0": 8, "?connectionIds=p1": 7, "?connectionIds=p0&connectionIds=p1": 9, "?connectionIds=p7": 0,
		"?phonenumber=%2B4915799912345": 8, "?phonenumber=4915799912345": 8, "?phonenumber=0": 0,
		"?from=2026-03-01T12:00:08Z": 3, "?to=2026-03-01T14:00:01%2B02:00": 1, "?from=2026-03-01T12:00:05.000Z&to=2026-03-01T12:00:06.000Z": 2,
		"?archived=true": 0, "?archived=false": 9, "?starred=STARRED": 0, "?starred=UNSTARRED": 9,
		"?offset=8&limit=5": 9,
	} {
		if got := b.counts("/history" + query); got != want {
			t.Errorf("%s finds %v, want %v", query, got, want)
		}
	}
	for query, pointer := range map[string]string{
		"types=x": "/types", "directions=UP": "/directions", "from=today": "/from", "to=1": "/to", "limit=-1": "/limit", "offset=x": "/offset",
	} {
		b.refuses("GET", "/history?"+query, "", 400, strings.Trim(pointer, "/"), pointer)
	}
	if answer, text := b.ask(theirs, "GET", "/history", ""); answer.StatusCode != 200 || strings.Contains(text, "default") {
		t.Errorf("another account sees %s", text)
	}
	b.archive.err = errors.New("disk on fire")
	b.refuses("GET", "/history", "", 503, "the database is away", "")
}

func TestGET_userId_history(t *testing.T) {
	t.Parallel()
	b := start(t)
	*b.archive = *past(t)
	for path, want := range map[string]float64{"/w0/history": 8, "/w1/history?types=CALL": 7, "/w1/history?directions=MISSED_OUTGOING": 1, "/w2/history": 0} {
		if got := b.counts(path); got != want {
			t.Errorf("%s finds %v, want %v", path, got, want)
		}
	}
	b.refuses("GET", "/w7/history", "", 404, `there is no user "w7"`, "")
}

func TestGET_history_id(t *testing.T) {
	t.Parallel()
	b := start(t)
	*b.archive = *past(t)
	// A message, a call, and one that was recorded.
	for _, id := range []string{"0199AA00000070008000000000000050", "0199aa00-0000-7000-8000-000000000008", entryCall} {
		answer, text := b.ask(mine, "GET", "/history/"+id, "")
		if got := decoded(t, text).(map[string]any)["recordings"].([]any); len(got) > 0 != (id == entryCall) {
			t.Errorf("%s has the recordings %v", id, got)
		}
		if got := decoded(t, text).(map[string]any)["id"]; answer.StatusCode != 200 || got != strings.ToUpper(strings.ReplaceAll(id, "-", "")) {
			t.Errorf("%s: %d %s", id, answer.StatusCode, text)
		}
	}
	if b.archive.lists > 2 { // of the recordings of the calls
		t.Errorf("%d lists were read for three entries", b.archive.lists)
	}
	// Of another account, of a call that is another's or a child's or not over, and whose message is there.
	for _, id := range []string{nowhere, "0199AA00000070008000000000000052", "x", numbered(t, 18).Hex(), numbered(t, 19).Hex(), numbered(t, 20).Hex(), numbered(t, 2).Hex()} {
		b.refuses("GET", "/history/"+id, "", 404, "the requested history event could not be found", "")
	}
}
