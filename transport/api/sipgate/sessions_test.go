// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/callwright/callwright/engine"
)

// rang demands that the phone of a user was rung last, for a program.
func (b *bench) rang(user, program string) {
	b.t.Helper()
	b.calls.mu.Lock()
	defer b.calls.mu.Unlock()
	if n := len(b.calls.originated); n == 0 || b.calls.originated[n-1].Caller.Value != user || fmt.Sprint(b.calls.originated[n-1].Program) != "["+program+"]" || b.calls.originated[n-1].Callee != "" {
		b.t.Errorf("rang %+v", b.calls.originated)
	}
}

const session = `{"sessionId":"` + callB + `"}`

func TestPOST_sessions_voicemail_play(t *testing.T) {
	t.Parallel()
	b := start(t)
	*b.archive = *past(t)
	const path = "/sessions/voicemail/play"
	b.wants("POST", path, `{"deviceId":"e1","datadId":"`+entryMessage+`"}`, 200, session)
	b.rang("w1", "play a.wav")
	b.wants("POST", path, `{"deviceId":"e0","dataId":"0199aa00-0000-7000-8000-000000000050"}`, 200, session)
	b.rang("w0", "play a.wav")
	b.refuses("POST", path, `{"deviceId":"e1"}`, 400, `datadId is ""`, "/datadId")
	b.refuses("POST", path, `{"deviceId":"e1","datadId":"1000171"}`, 400, `datadId is "1000171"`, "/datadId")
	b.refuses("POST", path, `{"datadId":"`+entryMessage+`"}`, 400, "deviceId is missing", "/deviceId")
	b.refuses("POST", path, `{"deviceId":"e9","datadId":"`+entryMessage+`"}`, 403, `has the extension "e9"`, "/deviceId")
	for _, id := range []string{entryForeign, nowhere, "0199AA00000070008000000000000051"} { // the last is of a conversation
		b.refuses("POST", path, `{"deviceId":"e0","datadId":"`+id+`"}`, 404, "there is no message", "")
	}
	b.calls.err = engine.ErrRung
	b.refuses("POST", path, `{"deviceId":"e0","datadId":"`+entryMessage+`"}`, 429, "the phones of the caller ring for 5 such calls already", "")
	b.calls.err = &engine.DialError{Cause: engine.CauseForbidden, Err: errors.New("no")}
	b.refuses("POST", path, `{"deviceId":"e0","datadId":"`+entryMessage+`"}`, 403, "no", "/deviceId")
	b.archive.err = noSocket()
	b.refuses("POST", path, `{"deviceId":"e0","datadId":"`+entryMessage+`"}`, 503, "the database is away", "")
}

func TestPOST_sessions_voicemail_recording(t *testing.T) {
	t.Parallel()
	b := start(t)
	const path = "/sessions/voicemail/recording"
	b.wants("POST", path, `{"deviceId":"e1","targetId":"v0","endpoint":"MAIN"}`, 200, session)
	b.rang("w1", "speak w0 true")
	b.wants("POST", path, `{"deviceId":"e1"}`, 200, session) // its own
	b.rang("w1", "speak w1 true")
	b.refuses("POST", path, `{"deviceId":"e1","targetId":"v9"}`, 403, `has the voicemail "v9"`, "/targetId")
	b.refuses("POST", path, `{"targetId":"v0"}`, 400, "deviceId is missing", "/deviceId")
}

func TestPOST_sessions_ivr_recording(t *testing.T) {
	t.Parallel()
	b := start(t)
	const path = "/sessions/ivr/recording"
	b.wants("POST", path, `{"deviceId":"e0","targetId":"h0","endpoint":"MAIN"}`, 200, session)
	b.rang("w0", "speak h0 false")
	b.refuses("POST", path, `{"targetId":"h0"}`, 400, "deviceId is missing", "/deviceId")
	b.refuses("POST", path, `{"deviceId":"v"}`, 403, `has the extension "v"`, "/deviceId")
}
