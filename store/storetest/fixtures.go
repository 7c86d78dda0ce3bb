// SPDX-License-Identifier: MIT

package storetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
)

// moment is a time with all the digits that are kept.
var moment = time.Date(2026, 3, 29, 1, 59, 59, 123456000, time.UTC)

// fullRecord has something in every field.
func fullRecord() engine.Record {
	answered, ended := moment.Add(1500*time.Millisecond), moment.Add(time.Minute)
	return engine.Record{
		ID:         engine.NewID(),
		Account:    "acme",
		App:        "hotline",
		Number:     "+492111*",
		Direction:  engine.Out,
		Caller:     "w0",
		From:       directory.Address{Kind: directory.KindUser, Value: "w0", Name: `Zoë "Z" O'Neil`, Number: "+4921100"},
		To:         directory.Address{Kind: directory.KindSIP, Value: "sip:a@127.0.0.1;x=y", Name: "A", Number: "+4921100"},
		Diversion:  "+4921155555",
		Parent:     engine.NewID(),
		Chain:      engine.NewID(),
		Node:       "node-1",
		State:      engine.StateEnded,
		Cause:      engine.CauseNormal,
		AnsweredBy: &directory.Address{Kind: directory.KindNumber, Value: "+4915799912345", Name: "Bob", Number: "+4921100"},
		StartedAt:  moment,
		AnsweredAt: &answered,
		EndedAt:    &ended,
		Settled:    true,
		Trunk:      "carrier",
		Media: &media.Figures{
			Sent: 1500, Received: 1498, Lost: 2, Late: 3, Duplicate: 4, Foreign: 5, Malformed: 6, Concealed: 7,
			Jitter: 1250 * time.Microsecond, SendErrors: 8, Suite: "AEAD_AES_128_GCM", Refused: 9,
			RoundTrip: 23 * time.Millisecond, PeerLost: 10, PeerJitter: 2 * time.Millisecond, MOS: 4.375,
		},
		Dialect: engine.DialectState{"cookie": "a=b; c=d", "onHangup": "http://127.0.0.1/?a=1&b=2"},
	}
}

// fullEvent has something in every field.
func fullEvent(call engine.ID, seq int) engine.Event {
	message := fullRecording()
	return engine.Event{
		Call: call,
		Seq:  seq,
		At:   moment.Add(time.Duration(seq) * time.Microsecond),
		Kind: engine.EventReply,
		Text: "200 from the app — “Grüß Gott”",
		Data: engine.Data{
			Name:   "newCall",
			URL:    "http://127.0.0.1:3000/new?x=1",
			Method: "POST",
			Status: 200,
			Body:   "<Response>\n\t<Hangup/>\n</Response>",
			Millis: 17, Unlogged: true,
			Digits: "12#",
			File:   "01900000.wav",
			Cause:  engine.CauseBusy,
			Party:  &directory.Address{Kind: directory.KindNumber, Value: "+491", Name: "P", Number: "+4921100"},
			Other:  engine.NewID(),
			Problem: &engine.Problem{
				Line: 3, Column: 5, Element: "Dial", Attribute: "callerId", Sentence: "say whom to call",
			},
			Recording: &message,
			Headers:   []engine.Header{{Name: "X-Customer", Value: "4711"}},
			Figures:   map[string]any{"packets": 1500.0, "lost": 2.0, "codec": "PCMA"},
		},
	}
}

// fullRegistration has something in every field, and expires in an hour.
func fullRegistration() directory.Registration {
	return directory.Registration{
		Account: "acme",
		User:    "w0",
		Contact: "sip:alice@192.0.2.1:5070;transport=tcp",
		Source:  "tcp:192.0.2.1:40000",
		CallID:  "a84b4c76e66710@192.0.2.1",
		CSeq:    1<<32 - 1,
		Agent:   "Zoë's phone/1.0",
		Node:    "node-1",
		Expires: time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond),
	}
}

// fullRecording has something in every field.
func fullRecording() engine.Recording {
	heard := moment.Add(time.Hour)
	return engine.Recording{
		ID:        engine.NewID(),
		Account:   "acme",
		Kind:      engine.RecordingMessage,
		Call:      engine.NewID(),
		Box:       "w0",
		From:      directory.Address{Kind: directory.KindNumber, Value: "+4915799912345", Name: `Zoë "Z" O'Neil`, Number: "+4921100"},
		To:        directory.Address{Kind: directory.KindNumber, Value: "+4921112345", Name: "Hotline", Number: "+4921100"},
		File:      "01900000.wav",
		StartedAt: moment,
		Duration:  4_160_000_001,
		HeardAt:   &heard,
	}
}

// demandFull fails when a field is empty: somebody added one to the engine, and
// the suite would not notice that it is lost.
func demandFull(t *testing.T, v reflect.Value, name string) {
	t.Helper()
	if v.IsZero() {
		t.Fatalf("the fixture leaves %s empty: fill it", name)
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	for i := range v.NumField() {
		demandFull(t, v.Field(i), name+"."+v.Type().Field(i).Name)
	}
}

// ringing is a call that has just begun.
func ringing() engine.Record {
	id := engine.NewID()
	return engine.Record{
		ID: id, Account: "default", App: "sample", Direction: engine.In, Chain: id,
		From: directory.NumberAddress("+4915799912345"), To: directory.NumberAddress("+4921112345"),
		State: engine.StateRinging, StartedAt: moment,
	}
}

// happened is a small event.
func happened(call engine.ID, seq int) engine.Event {
	return engine.Event{Call: call, Seq: seq, At: moment, Kind: engine.EventSIP, Text: fmt.Sprintf("event %d", seq)}
}

// saved, added, registered, unregistered, recorded and deleted make changes.
func saved(r engine.Record) engine.Change { return engine.RecordSaved{Record: r} }
func added(e engine.Event) engine.Change  { return engine.EventAdded{Event: e} }
func registered(r directory.Registration) engine.Change {
	return engine.RegistrationSaved{Registration: r}
}
func unregistered(r directory.Registration) engine.Change {
	return engine.RegistrationEnded{Account: r.Account, User: r.User, Contact: r.Contact}
}

func recorded(r engine.Recording) engine.Change { return engine.RecordingSaved{Recording: r} }
func deleted(r engine.Recording) engine.Change {
	return engine.RecordingDeleted{Account: r.Account, ID: r.ID}
}

// begun is all that a new call with n events appends at once.
func begun(r engine.Record, n int) []engine.Change {
	changes := []engine.Change{saved(r)}
	for seq := 1; seq <= n; seq++ {
		changes = append(changes, added(happened(r.ID, seq)))
	}
	return changes
}
